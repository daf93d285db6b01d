"""Decisions of earlier reviews that were not carried out, as far as a run can tell. Pure."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from scanner.model import Choice, Determination, Finding
from scanner.record import ReviewDecision, UserKey


@dataclass(frozen=True, slots=True)
class Outstanding:
    """A user that was to go and is still there, or that was approved and that no safelist approves."""

    finding: Finding
    decision: ReviewDecision


def outstanding(
    findings: Sequence[Finding], decisions: Iterable[ReviewDecision], as_of: date, quarantined: Collection[UserKey] = ()
) -> tuple[Outstanding, ...]:
    """In the order of the findings; `decisions` holds the last one of each user, `as_of` judges approvals.

    Not among them are a user that was to be quarantined and is (`quarantined`), and one in an account that the run did
    not read: nothing is known of it.
    """
    return tuple(_outstanding(findings, decisions, as_of, quarantined))


def _outstanding(
    findings: Sequence[Finding], decisions: Iterable[ReviewDecision], as_of: date, quarantined: Collection[UserKey]
) -> Iterator[Outstanding]:
    last = {(decision.account_id, decision.user_id): decision for decision in decisions}
    for finding in findings:
        key = finding.account.id, finding.user.user_id
        decision = last.get(key)
        if decision is None or (decision.choice is Choice.QUARANTINE and key in quarantined):
            continue
        if decision.is_removal or _unheeded(finding, decision, as_of):
            yield Outstanding(finding, decision)


def _unheeded(finding: Finding, decision: ReviewDecision, as_of: date) -> bool:
    """Whether an approval that still holds is in no safelist."""
    holds = decision.choice is Choice.APPROVE and (decision.approve_until is None or decision.approve_until >= as_of)
    return holds and finding.determination is Determination.UNAPPROVED
