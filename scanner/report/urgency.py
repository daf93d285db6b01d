"""Why a user stands where it does in a list, most urgent first: in a few words, the same for every list. Pure."""

from collections.abc import Iterator

from scanner.audit.triage import CHANGED, NEVER_REVIEWED, NOT_APPROVED, Risk
from scanner.model import Change, Determination
from scanner.report.changes import WORDS
from scanner.report.review_rows import ReviewRow
from scanner.report.words import GROUNDS

GRAVE = (Change.PRIVILEGE_GAINED, Change.RECREATED, Change.NEWLY_UNAPPROVED)
_SAID = (*GRAVE, Change.NEW, Change.RENAMED)
_SAID_OTHERWISE = {NOT_APPROVED, NEVER_REVIEWED, *CHANGED.values()}


def why(row: ReviewRow) -> tuple[str, ...]:
    """What changed, what makes it urgent, on what ground it is not approved, and what else is to be done."""
    return tuple(_why(row))


def _why(row: ReviewRow) -> Iterator[str]:
    finding = row.user.finding
    yield from (WORDS[change] for change in _SAID if change in finding.changes)
    yield from (risk.value for risk in row.risks if risk is not Risk.NONE)
    if finding.determination is Determination.UNAPPROVED:
        yield GROUNDS[finding.basis]
    elif NEVER_REVIEWED in row.reasons:
        yield NEVER_REVIEWED
    yield from (reason for reason in row.reasons if reason not in _SAID_OTHERWISE)
