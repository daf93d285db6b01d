"""What changed between two runs. Pure.

A user is identified by account id and user id, whatever its name. It is gone only where both runs read its account: an
account that one of them did not read is reported as such, and never as a change.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from scanner.audit.carried_out import Decided
from scanner.model import AccountId, Change, Determination, Evidence, Finding, Scanned, SortKey, user_order
from scanner.record import Record, Snapshot, UserKey, UserState
from scanner.safelist.types import fold

TEXTS_SINCE = 2  # the version of the journal since which customer-managed policies are judged by their text
SAID_ONLY = frozenset({Change.UNCHANGED, Change.NOT_PREVIOUSLY_SCANNED})  # said of a user, and no change of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A user in two runs; None in the one that does not have it."""

    account_id: AccountId
    account_name: str
    before: UserState | None
    after: UserState | None
    changes: tuple[Change, ...]
    reason: str | None = None  # why the later run decides as it does, in a sentence; None where it has no such user
    decided: Decided | None = None  # not None: it was to be removed or quarantined

    @property
    def user(self) -> UserState:
        """As it is in the later run, or else in the earlier one."""
        state = self.after or self.before
        assert state is not None
        return state

    @property
    def sort_key(self) -> SortKey:
        return user_order(self.account_id, self.user.user_name, self.user.user_id)


def snapshot(record: Record, findings: Iterable[Finding]) -> Snapshot:
    """Reduce a decided run to what is compared."""
    names = {account.id: account.name for account in record.listing.accounts}
    return Snapshot(
        run_id=record.header.run_id,
        digest=record.digest,
        started_at=record.header.started_at,
        accounts={
            account_id: names.get(account_id, "")
            for account_id, scan in record.scans.items()
            if isinstance(scan, Scanned)
        },
        outside=frozenset(names) - record.listing.in_scope,
        users=tuple(_state(finding) for finding in findings),
        judges_texts=record.header.schema_version >= TEXTS_SINCE,
    )


def compare(
    old: Snapshot,
    new: Snapshot,
    findings: Iterable[Finding] = (),
    decided: Mapping[UserKey, Decided] = MappingProxyType({}),
) -> tuple[Difference, ...]:
    """Every user of both runs, except those in accounts outside the later run's scope, in `user_order`.

    `findings` are those of the later run: they say why it decides as it does, which no snapshot holds. `decided` are
    the users that were to be removed or quarantined, as the later run found them.
    """
    reasons = {(finding.account.id, finding.user.user_id): finding.explanation for finding in findings}
    present = list(_present(old, new, reasons))
    # A recreated user is one difference; its earlier self is not a second one that is gone.
    accounted_for = {_identity(difference.before) for difference in present if difference.before is not None}
    absent = (
        _absent(state, old, new)
        for state in old.users
        if _identity(state) not in accounted_for and state.account_id not in new.outside
    )
    found = (replace(one, decided=_decided(one, decided)) for one in (*present, *absent))
    return tuple(sorted(found, key=lambda difference: difference.sort_key))


def out_of_scope(old: Snapshot, outside: Collection[AccountId]) -> int:
    """How many users of the earlier run are in accounts outside the later run's scope, and so not compared."""
    return sum(state.account_id in outside for state in old.users)


def _decided(difference: Difference, decided: Mapping[UserKey, Decided]) -> Decided | None:
    """Of a user that was recreated, the decision was about its earlier self."""
    states = (difference.before, difference.after)
    return next((decided[key] for state in states if state and (key := _identity(state)) in decided), None)


def _present(old: Snapshot, new: Snapshot, reasons: Mapping[UserKey, str]) -> Iterator[Difference]:
    """The users in the later run."""
    by_id = {_identity(state): state for state in old.users}
    by_name = {(state.account_id, fold(state.user_name)): state for state in old.users}
    learnt = new.judges_texts and not old.judges_texts
    in_both = by_id.keys() & {_identity(state) for state in new.users}
    for state in new.users:
        before = by_id.get(_identity(state))
        if before is None:
            namesake = by_name.get((state.account_id, fold(state.user_name)))
            before = namesake if namesake is not None and _identity(namesake) not in in_both else None
        yield Difference(
            account_id=state.account_id,
            account_name=new.accounts.get(state.account_id, ""),
            before=before,
            after=state,
            changes=_changes(before, state, learnt=learnt)
            if state.account_id in old.accounts
            else (Change.NOT_PREVIOUSLY_SCANNED,),
            reason=reasons.get(_identity(state)),
        )


def _absent(state: UserState, old: Snapshot, new: Snapshot) -> Difference:
    """A user that is not in the later run."""
    return Difference(
        account_id=state.account_id,
        account_name=new.accounts.get(state.account_id) or old.accounts.get(state.account_id, ""),
        before=state,
        after=None,
        changes=(Change.GONE if state.account_id in new.accounts else Change.NOT_RESCANNED,),
    )


def _changes(before: UserState | None, after: UserState, *, learnt: bool) -> tuple[Change, ...]:
    if before is None:
        return (Change.NEW,)
    if before.user_id != after.user_id:
        return (Change.RECREATED,)
    return tuple(_changes_of_one_user(before, after, learnt=learnt)) or (Change.UNCHANGED,)


def _changes_of_one_user(before: UserState, after: UserState, *, learnt: bool) -> Iterator[Change]:
    """What changed of a user that is in both runs."""
    if before.user_name != after.user_name:
        yield Change.RENAMED
    if before.determination is not after.determination:
        approved = after.determination is Determination.APPROVED
        yield Change.NEWLY_APPROVED if approved else Change.NEWLY_UNAPPROVED
    if before.evidence is after.evidence is Evidence.FULL and gained_privilege(before, after, learnt=learnt):
        yield Change.PRIVILEGE_GAINED


def gained_privilege(before: UserState, after: UserState, *, learnt: bool = False) -> bool:
    """Whether a user became, or could newly become, administrator, has a new policy, or lost its boundary or a deny.

    Policy documents are not recorded, so one that was widened in another way is not detected. `learnt`: only the later
    run judged the texts of customer-managed policies, so that an administrator by them may have been one before.
    """
    became = after.administrator is True and before.administrator is not True
    return (
        (became and not (learnt and before.administrator is None))
        or _could_newly_escalate(before, after)
        or not set(after.policies) <= set(before.policies)
        or (before.boundary and not after.boundary)
        or not set(before.denied_by) <= set(after.denied_by)
    )


def _could_newly_escalate(before: UserState, after: UserState) -> bool:
    """Only where both runs know: what one did not read is no change. An administrator could do everything."""
    if before.escalation is None or after.escalation is None or before.administrator:
        return False
    return not set(after.escalation) <= set(before.escalation)


def _state(finding: Finding) -> UserState:
    access = finding.user.access
    policies = [*access.attached_policies, *access.inline_policies] if access else []
    denied_by = access.denied_by if access else ()
    for name in denied_by:
        policies.remove(name)  # once: a policy of the customer's may be called the same
    return UserState(
        account_id=finding.account.id,
        user_id=finding.user.user_id,
        user_name=finding.user.user_name,
        determination=finding.determination,
        basis=finding.basis,
        evidence=finding.evidence,
        administrator=access.administrator if access else None,
        # The group that a policy comes through does not matter for what it allows.
        policies=tuple(sorted({name.partition(" (via ")[0] for name in policies})),
        boundary=access is not None and access.permissions_boundary is not None,
        denied_by=denied_by,
        escalation=access.escalation if access else None,
    )


def _identity(state: UserState) -> UserKey:
    return state.account_id, state.user_id
