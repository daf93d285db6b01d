"""What changed between two runs, told for people: the same words on the Changes sheet and in `diff`. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from scanner.audit.diff import SAID_ONLY, Difference
from scanner.model import Change, Evidence
from scanner.record import UserState
from scanner.report.columns import CellKind, Column
from scanner.report.words import ADMINISTRATOR_WORDS, decision_words

# What matters most comes first; what is no change, last.
WORDS: Mapping[Change, str] = {
    Change.PRIVILEGE_GAINED: "privilege gained",
    Change.NEWLY_UNAPPROVED: "newly unapproved",
    Change.RECREATED: "recreated",
    Change.NEW: "new",
    Change.RENAMED: "renamed",
    Change.NEWLY_APPROVED: "newly approved",
    Change.GONE: "gone",
    Change.NOT_RESCANNED: "not read again",
    Change.NOT_PREVIOUSLY_SCANNED: "not read before",
    Change.UNCHANGED: "unchanged",
}
_RANK = {change: rank for rank, change in enumerate(WORDS)}


def changed(differences: Iterable[Difference]) -> tuple[Difference, ...]:
    """The users of which there is something to say, those that matter most first; then by account and name."""
    told = (difference for difference in differences if not SAID_ONLY.issuperset(difference.changes))
    return tuple(sorted(told, key=lambda difference: _RANK[foremost(difference)]))


def foremost(difference: Difference) -> Change:
    """What matters most of all that changed of a user."""
    return min(difference.changes, key=_RANK.__getitem__)


def counts(differences: Iterable[Difference]) -> Mapping[Change, int]:
    """How many users each change is said of: one with several counts for each. What matters most comes first."""
    found = Counter(change for difference in differences for change in difference.changes)
    return {change: found[change] for change in WORDS if found[change]}


def counts_words(differences: Iterable[Difference]) -> str:
    """The same in words: "1 privilege gained, 2 new, 45 unchanged"."""
    return ", ".join(f"{count:,} {WORDS[change]}" for change, count in counts(differences).items()) or "no user"


def before(difference: Difference) -> str:
    """How the user was, in plain words: whether it was approved only where that is otherwise now."""
    if difference.before is not None:
        decision, rest = _decision(difference.before), _rest(difference.before, difference.after)
        kept = difference.after is not None and decision == _decision(difference.after)
        return "; ".join(rest if kept and rest else (decision, *rest))
    return "account not read" if Change.NOT_PREVIOUSLY_SCANNED in difference.changes else "not there"


def after(difference: Difference) -> str:
    """How the user is now: whether it is approved, and what else is new."""
    if difference.after is not None:
        return "; ".join((_decision(difference.after), *_rest(difference.after, difference.before)))
    return "account not read" if Change.NOT_RESCANNED in difference.changes else "not there any more"


def _decision(state: UserState) -> str:
    return decision_words(state.determination, state.basis)


def _rest(state: UserState, other: UserState | None) -> tuple[str, ...]:
    """Of names and rights only what the other run has not, so that the change stands out."""
    return (*_identity(state, other), *_rights(state, other))


def _identity(state: UserState, other: UserState | None) -> Iterator[str]:
    if other is not None and state.user_name != other.user_name:
        yield f"called {state.user_name}"
    if other is not None and state.user_id != other.user_id:
        yield f"user id {state.user_id}"


def _rights(state: UserState, other: UserState | None) -> Iterator[str]:
    """Compared only where both runs had all the evidence of the user: else what one lacks would seem to be lost."""
    compared = (state,) if other is None else (state, other)
    if not all(difference.evidence is Evidence.FULL for difference in compared):
        return
    if state.administrator is not (other.administrator if other else False):
        yield ADMINISTRATOR_WORDS[state.administrator]
    only = [policy for policy in state.policies if other is None or policy not in other.policies]
    if only:
        yield f"{'policy' if len(only) == 1 else 'policies'} {', '.join(only)}"
    if state.boundary is not (other is not None and other.boundary):
        yield "permissions boundary" if state.boundary else "no permissions boundary"


_BOTH = "the journals of both runs"

DIFFERENCES: tuple[Column[Difference], ...] = (
    Column("change", CellKind.LIST, 26, "What changed", _BOTH, lambda row: row.changes),
    Column("account_id", CellKind.TEXT, 14, "Account", _BOTH, lambda row: row.account_id),
    Column("account_name", CellKind.TEXT, 20, "Its name", _BOTH, lambda row: row.account_name),
    Column("user_name", CellKind.TEXT, 24, "User, by its name now", _BOTH, lambda row: row.user.user_name),
    Column("before", CellKind.TEXT, 44, "How it was, as far as that differs", "the previous run", before),
    Column("after", CellKind.TEXT, 44, "Whether it is approved, and what else is new", "this run", after),
    Column("user_id", CellKind.TEXT, 28, "Unique id, the one now", _BOTH, lambda row: row.user.user_id),
)


def documents(differences: Iterable[Difference]) -> list[dict[str, object]]:
    """The users that changed, for scripts, in the same order; None for the run that has no such user."""
    return [
        {
            "change": list(difference.changes),
            "account_id": difference.account_id,
            "account_name": difference.account_name,
            "user_name": difference.user.user_name,
            "user_id": difference.user.user_id,
            "before": _document(difference.before),
            "after": _document(difference.after),
        }
        for difference in changed(differences)
    ]


def _document(state: UserState | None) -> dict[str, object] | None:
    """What is compared; rights are None where not all evidence was there."""
    if state is None:
        return None
    known = state.evidence is Evidence.FULL
    return {
        "user_name": state.user_name,
        "user_id": state.user_id,
        "determination": state.determination,
        "basis": state.basis,
        "evidence": state.evidence,
        "administrator": state.administrator,
        "policies": list(state.policies) if known else None,
        "permissions_boundary": state.boundary if known else None,
    }
