"""Why a user stands where it does in a list, the most urgent first: in a few words, the same in every list. Pure."""

from collections.abc import Iterator

from scanner.audit.diff import SAID_ONLY
from scanner.audit.triage import CHANGED, NEVER_REVIEWED, NOT_APPROVED, Risk, risks
from scanner.model import Change, Determination
from scanner.report.changes import WORDS
from scanner.report.review_rows import ReviewRow
from scanner.report.rows import UserRow
from scanner.report.words import GROUNDS

GRAVE = (Change.PRIVILEGE_GAINED, Change.RECREATED, Change.NEWLY_UNAPPROVED)
_SAID_OTHERWISE = {NOT_APPROVED, NEVER_REVIEWED, *CHANGED.values()}


def why(row: UserRow) -> tuple[str, ...]:
    """What changed, what makes it urgent, and whether it is approved or on what ground not."""
    return (*_urgent(row), _decided(row))


def why_due(row: ReviewRow) -> tuple[str, ...]:
    """The same of a user that needs a decision; of an approved one, why it needs one."""
    approved = row.user.finding.determination is Determination.APPROVED
    others = [reason for reason in row.reasons if reason not in _SAID_OTHERWISE]
    ground = NEVER_REVIEWED if NEVER_REVIEWED in row.reasons else ""
    return (*_urgent(row.user), *filter(None, (ground if approved else _decided(row.user), *others)))


def _urgent(row: UserRow) -> Iterator[str]:
    found = risks(row.finding.user.access, row.activity)
    yield from (words for change, words in WORDS.items() if change in row.finding.changes and change not in SAID_ONLY)
    yield from (risk.value for risk in found if risk is not Risk.NONE)
    if row.activity.dormant and Risk.DORMANT_KEYS not in found:
        yield "dormant"


def _decided(row: UserRow) -> str:
    approved = row.finding.determination is Determination.APPROVED
    return "approved" if approved else GROUNDS[row.finding.basis]
