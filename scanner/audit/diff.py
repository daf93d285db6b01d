"""What changed between two runs. Pure.

A user is known by account id and user id, whatever it is called. It is gone only where both runs read its account; what
one of them did not look at is said to be so, and never taken for a change.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from scanner.model import AccountId, Change, Determination, Evidence, Finding, Scanned, UserId
from scanner.record import Record, Snapshot, UserState
from scanner.safelist.types import fold

SAID_ONLY = frozenset({Change.UNCHANGED, Change.NOT_PREVIOUSLY_SCANNED})  # said of a user, and no change of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A user in two runs; None in the one that does not have it."""

    account_id: AccountId
    account_name: str
    before: UserState | None
    after: UserState | None
    changes: tuple[Change, ...]

    @property
    def user(self) -> UserState:
        """As the later run has it, or where that has it not, the earlier one."""
        state = self.after or self.before
        assert state is not None
        return state


def snapshot(record: Record, findings: Iterable[Finding]) -> Snapshot:
    """Reduce a decided run to what is compared."""
    names = {account.id: account.name for account in record.listing.accounts}
    return Snapshot(
        run_id=record.header.run_id,
        digest=record.digest,
        started_at=record.header.started_at,
        accounts={each: names.get(each, "") for each, scan in record.scans.items() if isinstance(scan, Scanned)},
        outside=frozenset(names) - record.listing.in_scope,
        users=tuple(_state(finding) for finding in findings),
    )


def compare(old: Snapshot, new: Snapshot) -> tuple[Difference, ...]:
    """Every user of both runs, but for those in accounts that are outside the later one's scope.

    By account id, user name and user id.
    """
    met = list(_met(old, new))
    # A user that was recreated is one difference, and its earlier self not another one that is gone.
    told = {_key(each.before) for each in met if each.before is not None}
    lost = (_lost(state, old, new) for state in old.users if _key(state) not in told)
    within = (each for each in lost if each.account_id not in new.outside)
    return tuple(sorted((*met, *within), key=_order))


def out_of_scope(old: Snapshot, outside: Collection[AccountId]) -> int:
    """How many users of the earlier run are in accounts outside the later one's scope: they are not compared."""
    return sum(state.account_id in outside for state in old.users)


def _met(old: Snapshot, new: Snapshot) -> Iterator[Difference]:
    """The users that the later run has."""
    by_id = {_key(state): state for state in old.users}
    by_name = {(state.account_id, fold(state.user_name)): state for state in old.users}
    kept = by_id.keys() & {_key(state) for state in new.users}
    for state in new.users:
        before = by_id.get(_key(state))
        if before is None:
            namesake = by_name.get((state.account_id, fold(state.user_name)))
            before = namesake if namesake is not None and _key(namesake) not in kept else None
        yield Difference(
            account_id=state.account_id,
            account_name=new.accounts.get(state.account_id, ""),
            before=before,
            after=state,
            changes=_changes(before, state) if state.account_id in old.accounts else (Change.NOT_PREVIOUSLY_SCANNED,),
        )


def _lost(state: UserState, old: Snapshot, new: Snapshot) -> Difference:
    """A user that the later run has not."""
    return Difference(
        account_id=state.account_id,
        account_name=new.accounts.get(state.account_id) or old.accounts.get(state.account_id, ""),
        before=state,
        after=None,
        changes=(Change.GONE if state.account_id in new.accounts else Change.NOT_RESCANNED,),
    )


def _changes(before: UserState | None, after: UserState) -> tuple[Change, ...]:
    if before is None:
        return (Change.NEW,)
    if before.user_id != after.user_id:
        return (Change.RECREATED,)
    return tuple(_kept(before, after)) or (Change.UNCHANGED,)


def _kept(before: UserState, after: UserState) -> Iterator[Change]:
    """What changed of a user that both runs have."""
    if before.user_name != after.user_name:
        yield Change.RENAMED
    if before.determination is not after.determination:
        approved = after.determination is Determination.APPROVED
        yield Change.NEWLY_APPROVED if approved else Change.NEWLY_UNAPPROVED
    if before.evidence is after.evidence is Evidence.FULL and gained_privilege(before, after):
        yield Change.PRIVILEGE_GAINED


def gained_privilege(before: UserState, after: UserState) -> bool:
    """Whether a user may do more: as an administrator, by a policy that it had not, or without its boundary.

    What a policy says is not recorded; that it now says more is not seen here.
    """
    return (
        (after.administrator is True and before.administrator is not True)
        or not set(after.policies) <= set(before.policies)
        or (before.boundary and not after.boundary)
    )


def _state(finding: Finding) -> UserState:
    access = finding.user.access
    held = (*access.attached_policies, *access.inline_policies) if access else ()
    return UserState(
        account_id=finding.account.id,
        user_id=finding.user.user_id,
        user_name=finding.user.user_name,
        determination=finding.determination,
        basis=finding.basis,
        evidence=finding.evidence,
        administrator=access.administrator if access else None,
        # By which group a policy comes does not matter for what it allows.
        policies=tuple(sorted({name.partition(" (via ")[0] for name in held})),
        boundary=access is not None and access.permissions_boundary is not None,
    )


def _key(state: UserState) -> tuple[AccountId, UserId]:
    return state.account_id, state.user_id


def _order(difference: Difference) -> tuple[str, str, str]:
    return difference.account_id, difference.user.user_name, difference.user.user_id
