"""Assessments with what all reports are made of, each made once: of 100,000 users that takes seconds a time."""

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from itertools import chain
from typing import TypeVar

from scanner.audit.assessment import Assessment
from scanner.audit.carried_out import Decided, Fate, decided
from scanner.audit.outstanding import Outstanding, outstanding
from scanner.audit.together import InAll, in_all, organization_id
from scanner.record import UserKey
from scanner.report.failed_accounts import FailureGroup, failure_groups
from scanner.report.figures import Figures, added_up, figures
from scanner.report.review_rows import ReviewRow, review_rows
from scanner.report.rows import AccountRow, UserRow, account_rows, user_rows
from scanner.report.words import days

_Row = TypeVar("_Row")


class View:
    """What the files of a report, and the terminal, show: of a run, or of runs of different organizations.

    `by_organization`: rows say which organization they are of. That goes without saying of several runs; a part of
    them may have one alone.
    """

    def __init__(self, *assessments: Assessment, by_organization: bool = False) -> None:
        self._assessments = assessments
        self.by_organization = by_organization or len(assessments) > 1

    @cached_property
    def runs(self) -> tuple["View", ...]:
        """Each run for itself, by organization."""
        return tuple(map(View, self._assessments)) if self.by_organization else (self,)

    @property
    def assessment(self) -> Assessment:
        """The run, where it is one."""
        (only,) = self._assessments
        return only

    @property
    def organization_id(self) -> str:
        return organization_id(self.assessment)

    @cached_property
    def in_all(self) -> Assessment | InAll:
        """The status, the totals and the part: of all runs together."""
        return in_all(self._assessments) if self.by_organization else self.assessment

    @cached_property
    def users(self) -> tuple[UserRow, ...]:
        return self._rows(lambda run: run.users, user_rows)

    @cached_property
    def accounts(self) -> tuple[AccountRow, ...]:
        return self._rows(lambda run: run.accounts, account_rows)

    @cached_property
    def review(self) -> tuple[ReviewRow, ...]:
        return self._rows(lambda run: run.review, lambda assessment: review_rows(assessment, self.users))

    def _rows(
        self, of_run: Callable[["View"], Iterable[_Row]], made_of: Callable[[Assessment], Iterable[_Row]]
    ) -> tuple[_Row, ...]:
        """Those of each run, one run after the other."""
        if self.by_organization:
            return tuple(chain.from_iterable(map(of_run, self.runs)))
        return tuple(made_of(self.assessment))

    @cached_property
    def outstanding(self) -> tuple[Outstanding, ...]:
        header = self.assessment.record.header
        quarantined = {key for key, one in self.decided.items() if one.fate is Fate.QUARANTINED}
        return outstanding(self.assessment.findings, header.decisions, header.as_of, quarantined)

    @cached_property
    def decided(self) -> Mapping[UserKey, Decided]:
        return decided(self.assessment.record)

    @property
    def removals_not_known(self) -> int:
        """How many users a review decided to remove or quarantine whose accounts were not read."""
        return sum(one.decision is not None and one.fate is Fate.NOT_READ for one in self.decided.values())

    @cached_property
    def failures(self) -> tuple[FailureGroup, ...]:
        return failure_groups(self.figures.failed)

    @cached_property
    def figures(self) -> Figures:
        if self.by_organization:
            return added_up([run.figures for run in self.runs])
        return figures(self.assessment, self.users, self.accounts)

    @property
    def unused_for(self) -> str:
        """After how long without use a credential is dormant; of several runs, as each had it."""
        return " or ".join(dict.fromkeys(days(run.assessment.record.header.settings.dormant_days) for run in self.runs))

    def of_each(self, said: Callable[["View"], str]) -> str:
        """What is said of each run, where it is the same of all; else where it is said."""
        words = {said(run) for run in self.runs}
        return words.pop() if len(words) == 1 else f"{len(words)} different ones: see Evidence, by organization"
