"""What changed between two runs, told for people: the same words on the Changes sheet and in `diff`. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from scanner.audit.assessment import Assessment
from scanner.audit.diff import SAID_ONLY, Difference
from scanner.audit.triage import GROUNDS
from scanner.model import Change, Determination, Evidence, Status
from scanner.record import UserState
from scanner.report.columns import CellKind, Column
from scanner.report.words import ADMINISTRATOR_WORDS, decided_words, many, users_named

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
# How a what-if can decide otherwise than the run did.
FLIPS: Mapping[Change, str] = {
    Change.NEWLY_UNAPPROVED: "from approved to unapproved",
    Change.NEWLY_APPROVED: "from unapproved to approved",
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


def flips_words(assessment: Assessment) -> str:
    """How many users a what-if decides otherwise than the run did; "" for a run itself."""
    if assessment.flips is None:
        return ""
    compared = f"compared with run {assessment.record.header.run_id} as it was decided"
    counted = {change: count for change, count in counts(assessment.flips).items() if change in FLIPS}
    match list(counted.items()):
        case []:
            users = assessment.totals.users
            read = many(users, "user was", "users were") if users else "no user was"
            words = f"Nobody flips, {compared}: {read} read."
        case [(change, count)]:
            words = f"{many(count, 'user flips', 'users flip')} {FLIPS[change]}, {compared}."
        case several:
            each = ", ".join(f"{count:,} {FLIPS[change]}" for change, count in several)
            words = f"{len(assessment.flips):,} users flip, {compared}: {each}."
    words += _last_day(assessment)
    complete = assessment.status is Status.COMPLETE
    return words if complete else f"{words} Not all accounts were read: of the others, nothing is known."


def _last_day(assessment: Assessment) -> str:
    """Name the users whose approval ends on the very day that is asked for: they are still approved on it."""
    day = assessment.record.header.as_of
    ending = [
        finding
        for finding in assessment.findings
        if finding.determination is Determination.APPROVED and getattr(finding.entry, "expires_on", None) == day
    ]
    if not ending:
        return ""
    subject = many(len(ending), "approval has", "approvals have")
    return f" {subject} {day} as the last day, on which they still hold: {users_named(ending)}."


class Aspect(NamedTuple):
    """One thing about a user in both runs: `was` and `now` are the same where it did not change."""

    label: str
    was: str
    now: str

    def __str__(self) -> str:
        return f"{self.label}: {self.was}" if self.was == self.now else f"{self.label}: {self.was} -> {self.now}"


def aspects(difference: Difference) -> tuple[Aspect, ...]:
    """What there is to say of a user, each thing by itself, what changed first; approval and rights never in one."""
    said = (*_presence(difference), *_of_the_user(difference), *_decided(difference))
    return tuple(sorted(said, key=lambda aspect: aspect.was == aspect.now))


def _decided(difference: Difference) -> Iterator[Aspect]:
    """Of a user that was to be removed or quarantined, by whom, and what was done about it."""
    if difference.decided:
        words = ", ".join(decided_words(difference.decided))
        yield Aspect("remediation", words, words)


def before(difference: Difference) -> str:
    """How the user was, in plain words, as far as that is otherwise now."""
    if difference.before is None:
        return "account not read" if Change.NOT_PREVIOUSLY_SCANNED in difference.changes else "not there"
    said = _of_the_user(difference)
    return "; ".join(f"{one.label}: {one.was}" for one in said if one.was != one.now or difference.after is None)


def after(difference: Difference) -> str:
    """How the user is now: what is new, and whether it is approved; of one that was to go, what was done about it."""
    decided = [f"{one.label}: {one.now}" for one in _decided(difference)]
    if difference.after is None:
        unread = Change.NOT_RESCANNED in difference.changes
        return "; ".join(("account not read" if unread else "not there any more", *decided))
    said = sorted(_of_the_user(difference), key=lambda aspect: aspect.was == aspect.now)
    return "; ".join((*(f"{one.label}: {one.now}" for one in said), *decided))


def _presence(difference: Difference) -> Iterator[Aspect]:
    """Whether the user is there at all, where one of the runs does not have it."""
    if difference.before is None:
        unread = Change.NOT_PREVIOUSLY_SCANNED in difference.changes
        yield Aspect("account", "not read", "read") if unread else Aspect("user", "not there", "there")
    if difference.after is None:
        unread = Change.NOT_RESCANNED in difference.changes
        yield Aspect("account", "read", "not read") if unread else Aspect("user", "there", "not there any more")


def _of_the_user(difference: Difference) -> tuple[Aspect, ...]:
    """Of a user that one run does not have, both sides are how the other has it."""
    was, now = difference.before or difference.user, difference.user
    return (*_identity(was, now), _approval(was, now, difference.reason), *_rights(was, now))


def _identity(was: UserState, now: UserState) -> Iterator[Aspect]:
    if was.user_name != now.user_name:
        yield Aspect("name", was.user_name, now.user_name)
    if was.user_id != now.user_id:
        yield Aspect("user ID", was.user_id, now.user_id)


def _approval(was: UserState, now: UserState, reason: str | None) -> Aspect:
    decided = _decision(now, reason)
    return Aspect("approval", _decision(was) if was.determination is not now.determination else decided, decided)


def _decision(state: UserState, reason: str | None = None) -> str:
    """Approved or not, and why: in the sentence of the rule, or, where that was not kept, in a few words."""
    if state.determination is Determination.APPROVED:
        return f"approved{(reason or '').removeprefix('Approved')}"
    return f"unapproved ({reason or GROUNDS.get(state.basis, state.basis)})"


def _rights(was: UserState, now: UserState) -> Iterator[Aspect]:
    """Compared only where both runs had all the evidence of the user: else what one lacks would seem to be lost."""
    if not was.evidence is now.evidence is Evidence.FULL:
        return
    if was is now:  # only one of the runs has the user: all that it may do
        yield Aspect("rights", _all_rights(now), _all_rights(now))
    elif _limits(was) != _limits(now) or _ways(was, now) or _ways(now, was):
        yield Aspect("rights", _other_rights(was, now), _other_rights(now, was))


def _limits(state: UserState) -> tuple[object, ...]:
    return state.administrator, frozenset(state.policies), state.boundary, frozenset(state.denied_by)


def _all_rights(state: UserState) -> str:
    """That a user is no administrator goes without saying."""
    administrator = [] if state.administrator is False else [ADMINISTRATOR_WORDS[state.administrator]]
    rights = [*administrator, *_policies(state.policies), *_escalation(_own_ways(state))] or ["none"]
    denied = _denied(state.denied_by)
    return ", ".join((*rights, *(("permissions boundary",) if state.boundary else ()), *denied))


def _other_rights(state: UserState, other: UserState) -> str:
    """Only what the other run has otherwise, so that the change stands out."""
    words: list[str] = []
    if state.administrator is not other.administrator:
        words.append(ADMINISTRATOR_WORDS[state.administrator])
    words += _policies([policy for policy in state.policies if policy not in other.policies])
    lacking = _policies([policy for policy in other.policies if policy not in state.policies])
    if state.administrator is False and not state.policies and not _own_ways(state) and (words or lacking):
        words = ["none"]
    elif lacking and not words:
        words = [f"without {lacking[0]}"]
    words += _escalation(_ways(state, other))
    if state.boundary is not other.boundary:
        words.append("permissions boundary" if state.boundary else "no permissions boundary")
    words += _denied([policy for policy in state.denied_by if policy not in other.denied_by])
    if not words and _ways(other, state):
        words = ["not by these actions" if state.escalation else "cannot make itself administrator"]
    return ", ".join(words or [f"not {denied}" for denied in _denied(other.denied_by)])


def _own_ways(state: UserState) -> tuple[str, ...]:
    """Of an administrator, that it is one says it all."""
    return () if state.administrator else state.escalation or ()


def _ways(state: UserState, other: UserState) -> tuple[str, ...]:
    """Return the actions by which it could become administrator, and the other could not; none where one is unknown."""
    if state.escalation is None or other.escalation is None:
        return ()
    return tuple(action for action in _own_ways(state) if action not in other.escalation)


def _escalation(actions: Sequence[str]) -> list[str]:
    return [f"can make itself administrator by {', '.join(actions)}"] if actions else []


def _denied(names: Sequence[str]) -> list[str]:
    return [f"denied by {', '.join(names)}"] if names else []


def _policies(names: Sequence[str]) -> list[str]:
    return [f"{'policy' if len(names) == 1 else 'policies'} {', '.join(names)}"] if names else []


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
            "reason": difference.reason,
            "decided": list(decided_words(difference.decided)) if difference.decided else None,
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
        "escalation": None if state.escalation is None else list(state.escalation),
        "policies": list(state.policies) if known else None,
        "permissions_boundary": state.boundary if known else None,
        "denied_by": list(state.denied_by) if known else None,
    }
