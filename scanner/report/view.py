"""An assessment with what all reports are made of, each made once: of 100,000 users that takes seconds a time."""

from collections.abc import Mapping
from functools import cached_property

from scanner.audit.assessment import Assessment
from scanner.audit.carried_out import Decided, Fate, decided
from scanner.audit.outstanding import Outstanding, outstanding
from scanner.record import UserKey
from scanner.report.failed_accounts import FailureGroup, failure_groups
from scanner.report.figures import Figures, figures
from scanner.report.review_rows import ReviewRow, review_rows
from scanner.report.rows import AccountRow, UserRow, account_rows, user_rows


class View:
    """What the files of a report, and the terminal, show of an assessment."""

    def __init__(self, assessment: Assessment) -> None:
        self.assessment = assessment

    @cached_property
    def users(self) -> tuple[UserRow, ...]:
        return tuple(user_rows(self.assessment))

    @cached_property
    def accounts(self) -> tuple[AccountRow, ...]:
        return tuple(account_rows(self.assessment))

    @cached_property
    def review(self) -> tuple[ReviewRow, ...]:
        return review_rows(self.assessment, self.users)

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
        return figures(self.assessment, self.users, self.accounts)
