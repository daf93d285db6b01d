"""Why a user stands where it does in a list, the most urgent first: in a few words, the same in every list. Pure."""

from collections.abc import Iterator, Sequence

from scanner.audit.diff import SAID_ONLY
from scanner.audit.triage import CHANGED, GROUNDS, NOT_APPROVED, Risk, risks
from scanner.model import Change, Determination
from scanner.report.changes import WORDS
from scanner.report.rows import UserRow

GRAVE = (Change.PRIVILEGE_GAINED, Change.RECREATED, Change.NEWLY_UNAPPROVED)


def why(row: UserRow, reasons: Sequence[str] = ()) -> tuple[str, ...]:
    """What changed, what makes it urgent, whether it is approved or on what ground not, and what is still to be done.

    `reasons` are those for which it needs a decision.
    """
    return tuple(_why(row, reasons))


def _why(row: UserRow, reasons: Sequence[str]) -> Iterator[str]:
    found = risks(row.finding.user, row.activity)
    yield from (words for change, words in WORDS.items() if change in row.finding.changes and change not in SAID_ONLY)
    yield from (risk.value for risk in found if risk is not Risk.NONE)
    if row.activity.dormant and Risk.DORMANT_KEYS not in found:
        yield "dormant"
    approved = row.finding.determination is Determination.APPROVED
    yield "approved" if approved else GROUNDS[row.finding.basis]
    said = (NOT_APPROVED, *CHANGED.values())
    yield from (reason for reason in reasons if not reason.startswith(said))
