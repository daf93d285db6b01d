"""What became of each entry of the safelists in a run: the hints by which a safelist is kept short."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from scanner.model import (
    Account,
    Basis,
    Determination,
    Entry,
    Finding,
    IamUser,
    Revocation,
    Scanned,
    Scope,
    Skipped,
    SkipReason,
)
from scanner.record import Record
from scanner.safelist.match import Index, ou_keys, scopes, state
from scanner.safelist.types import selected_account


class EntryStatus(StrEnum):
    """What became of an entry of a safelist in this run."""

    IN_USE = "in use"
    EXPIRING = "expiring"  # in use, and ends within 90 days
    UNUSED = "unused"
    EXPIRED = "expired"
    NOT_STARTED = "not started"
    INVALID = "invalid"
    UNMATCHED = "unmatched"  # its OU or account is not in the organization
    REVOCATION = "revocation"  # not an approval: it forbids


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryUse:
    """An entry, what became of it, and how many users it approves."""

    entry: Entry | Revocation
    status: EntryStatus
    users: int  # for a revocation: how many users it holds for
    remark: str  # one sentence where the status alone does not say why; else ""


EXPIRING = timedelta(days=90)

NOT_JUDGED = "not judged: "  # begins the remark of an entry that may well be needed where this run did not look
NO_EFFECT = "no effect: "

_INACTIVE = frozenset(SkipReason) - {SkipReason.EXCLUDED}
_NOT_VALID = {
    Basis.APPROVAL_EXPIRED: EntryStatus.EXPIRED,
    Basis.APPROVAL_NOT_STARTED: EntryStatus.NOT_STARTED,
    Basis.APPROVAL_INVALID: EntryStatus.INVALID,
}


def ends_soon(entry: Entry, as_of: date) -> bool:
    """Whether an entry that has not expired ends within 90 days."""
    return entry.expires_on is not None and as_of <= entry.expires_on <= as_of + EXPIRING


def use(index: Index, findings: Sequence[Finding], record: Record) -> tuple[EntryUse, ...]:
    """Every entry and revocation, in the order of files and lines, with its status and the users it counts for.

    A user counts for each entry that approves it, not only for the one named as the reason: so the numbers may add up
    to more than the approved users, and an entry that others cover is still in use. What is not in the organization
    is UNMATCHED before all else, as nothing else about it matters. An entry that is UNUSED says in its remark whether
    that is known: where not all of its accounts were read, nobody should remove it for being unused.
    """
    counts = _counts(index, findings)
    reach = _Reach(record)
    unused = frozenset(_key(entry) for entry in index.safelist.entries if not counts[_key(entry)])
    obstacles = _obstacles(index, findings, unused)
    uses = []
    for entry in index.safelist.entries:
        why_unused = "" if counts[_key(entry)] else _why_unused(entry, index, reach) or obstacles.get(_key(entry), "")
        uses.append(_entry_use(entry, counts[_key(entry)], (reach.unmatched(entry), why_unused), index.as_of))
    uses += [_revocation_use(revocation, counts[_key(revocation)], reach) for revocation in index.safelist.revocations]
    files = {file: number for number, file in enumerate(dict.fromkeys(use.entry.file for use in uses))}
    return tuple(sorted(uses, key=lambda each: (files[each.entry.file], each.entry.line)))


def _key(entry: Entry | Revocation) -> int:
    """Two entries can be equal in all their fields, on one line even; each is counted for itself."""
    return id(entry)


def _counts(index: Index, findings: Sequence[Finding]) -> Counter[int]:
    counts: Counter[int] = Counter()
    for finding in findings:
        if finding.determination is Determination.APPROVED:
            counts.update(map(_key, index.approving(finding.account, finding.user)))
        elif finding.basis is Basis.REVOKED:
            counts.update(map(_key, index.revocations(finding.account.id, finding.user)))
    return counts


def _entry_use(entry: Entry, users: int, remarks: tuple[str, str], as_of: date) -> EntryUse:
    unmatched, why_unused = remarks
    if unmatched:
        return EntryUse(entry=entry, status=EntryStatus.UNMATCHED, users=0, remark=unmatched)
    if (status := _NOT_VALID.get(state(entry, as_of))) is not None:
        remark = "; ".join(entry.invalid) if status is EntryStatus.INVALID else ""
        return EntryUse(entry=entry, status=status, users=0, remark=remark)
    if users == 0:
        return EntryUse(entry=entry, status=EntryStatus.UNUSED, users=0, remark=why_unused)
    status = EntryStatus.EXPIRING if ends_soon(entry, as_of) else EntryStatus.IN_USE
    return EntryUse(entry=entry, status=status, users=users, remark="")


def _revocation_use(revocation: Revocation, users: int, reach: "_Reach") -> EntryUse:
    remark = reach.no_account(revocation)
    return EntryUse(entry=revocation, status=EntryStatus.REVOCATION, users=users, remark=remark)


def _why_unused(entry: Entry, index: Index, reach: "_Reach") -> str:
    """What is known of an unused entry without a look at the users."""
    if (revocation := index.revoking(entry)) is not None:
        return f"{NO_EFFECT}{revocation.at} revokes it"
    return reach.not_judged(entry)


class _Reach:
    """Which accounts each entry is for, and how much of that this run knows."""

    def __init__(self, record: Record) -> None:
        listing = record.listing
        self._record = record
        self._placeless = sum(not account.ous for account in listing.accounts)
        members: dict[tuple[Scope, str], list[Account]] = {(Scope.GLOBAL, ""): []}
        for account in listing.accounts:
            for scope in scopes(account):
                members.setdefault(scope, []).append(account)
        without_accounts = ((Scope.OU, key) for unit in listing.ous for key in ou_keys(unit))
        self._known = frozenset({*members, *without_accounts})
        self._unread = {scope: self._count_unread(accounts) for scope, accounts in members.items()}

    def unmatched(self, entry: Entry) -> str:
        """Why an entry can reach no account; "" where it can, or where that is not known."""
        if (missing := self._missing(entry)) is None or any(self._doubts(missing[0])):
            return ""
        return self._shared_path(missing) or f"the organization has no {_named(missing)}"

    def not_judged(self, entry: Entry) -> str:
        """Why it says little that no user was found for an entry; "" where all of its accounts were read."""
        missing, account = self._missing(entry), selected_account(entry)
        if missing is not None:
            return self._not_found(missing)
        if account is not None:
            return f"{NOT_JUDGED}its account was not read in this run" if self._unread[Scope.ACCOUNT, account] else ""
        reasons = [*self._doubts(entry.scope)]
        if unread := self._unread.get((entry.scope, entry.scope_value), 0):
            reasons.insert(0, f"{unread:,} of its accounts {'was' if unread == 1 else 'were'} not read in this run")
        return f"{NOT_JUDGED}{'; '.join(reasons)}" if reasons else ""

    def no_account(self, revocation: Revocation) -> str:
        """What to say of a revocation for an account that was not found; "" where it was."""
        account = Scope.ACCOUNT, str(revocation.account_id)
        if account in self._known:
            return ""
        return self._not_found(account) if any(self._doubts(Scope.ACCOUNT)) else "the organization has no such account"

    def _missing(self, entry: Entry) -> tuple[Scope, str] | None:
        account = selected_account(entry)
        if account is not None and (Scope.ACCOUNT, account) not in self._known:
            return Scope.ACCOUNT, account
        scope = entry.scope, entry.scope_value
        return None if scope in self._known else scope

    def _doubts(self, scope: Scope) -> Iterator[str]:
        """Why this run may not know all that belongs to such a scope."""
        if self._record.header.organization is None:
            yield "the accounts came from a supplied list"
        if self._record.listing.problem is not None:
            yield "the listing of accounts broke off"
        if scope is Scope.OU and self._placeless:
            yield f"the OU of {self._placeless:,} account{'' if self._placeless == 1 else 's'} is not known"

    def _not_found(self, missing: tuple[Scope, str]) -> str:
        found = self._shared_path(missing) or f"{_named(missing)} was not found"
        return f"{NOT_JUDGED}{'; '.join([found, *self._doubts(missing[0])])}"

    def _shared_path(self, missing: tuple[Scope, str]) -> str:
        scope, value = missing
        is_shared = scope is Scope.OU and any(unit.path == value for unit in self._record.listing.ous)
        return "this path does not name one OU alone: use its ID" if is_shared else ""

    def _count_unread(self, accounts: Sequence[Account]) -> int:
        """How many were not read. Inactive ones count only where no account was read at all."""
        unread = [
            account_id for account_id in accounts if not isinstance(self._record.scans.get(account_id.id), Scanned)
        ]
        none_read = len(unread) == len(accounts)
        active = sum(not self._is_inactive(account) for account in unread)
        return active or (len(unread) if none_read else 0)

    def _is_inactive(self, account: Account) -> bool:
        scan = self._record.scans.get(account.id)
        return account.state in _INACTIVE or (isinstance(scan, Skipped) and scan.reason in _INACTIVE)


def _named(scope: tuple[Scope, str]) -> str:
    kind, value = scope
    return f"{'OU' if kind is Scope.OU else kind} {value}"


def _obstacles(index: Index, findings: Sequence[Finding], unused: frozenset[int]) -> dict[int, str]:
    """By unused entry, why it does not approve a user that it is about; the first such user stands for all."""
    first: dict[int, str] = {}
    users: Counter[int] = Counter()
    for finding in findings if unused else ():
        for entry, obstacle in index.obstructed(finding.account, finding.user):
            if (key := _key(entry)) in unused:
                users[key] += 1
                if key not in first:
                    first[key] = _obstacle(entry, obstacle, finding.account, finding.user)
    return {key: f"{NO_EFFECT}{why}{_likewise(users[key] - 1)}" for key, why in first.items()}


def _obstacle(entry: Entry, obstacle: Entry | Revocation, account: Account, user: IamUser) -> str:
    who = user.user_name if selected_account(entry) else f"{user.user_name} in account {account.id}"
    if isinstance(obstacle, Revocation):
        return f"{obstacle.at} revokes {who}"
    if obstacle is entry:
        return f"{who} has another user ID, {user.user_id}"
    return f"{obstacle.at} approves {who} for another user ID"


def _likewise(more: int) -> str:
    if not more:
        return ""
    return f"; {more:,} more user{' that it matches is' if more == 1 else 's that it matches are'} not approved either"
