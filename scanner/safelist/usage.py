"""What became of each entry of the safelists in a run: the hints by which a safelist is kept short."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta

from scanner.model import (
    AccountId,
    Basis,
    Determination,
    Entry,
    EntryStatus,
    EntryUse,
    Finding,
    Listing,
    Record,
    Revocation,
    Scanned,
    Scope,
)
from scanner.safelist.match import Index, ou_keys, scopes, state
from scanner.safelist.types import selected_account

EXPIRING = timedelta(days=90)

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
    is UNMATCHED before all else, as nothing else about it matters.
    """
    counts = _counts(index, findings)
    known = _known_scopes(record.listing)
    uses = [_entry_use(entry, counts[_key(entry)], known, (index, record)) for entry in index.safelist.entries]
    uses += [_revocation_use(each, counts[_key(each)], known) for each in index.safelist.revocations]
    files = {file: number for number, file in enumerate(dict.fromkeys(each.entry.file for each in uses))}
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


def _known_scopes(listing: Listing) -> frozenset[tuple[Scope, str]]:
    """Every scope that the organization has; the OUs without accounts too."""
    known = {scope for account in listing.accounts for scope in scopes(account)}
    known.update((Scope.OU, key) for unit in listing.ous for key in ou_keys(unit))
    return frozenset({*known, (Scope.GLOBAL, "")})


def _entry_use(entry: Entry, users: int, known: frozenset[tuple[Scope, str]], run: tuple[Index, Record]) -> EntryUse:
    index, record = run
    if remark := _unmatched(entry, known, record.listing):
        return EntryUse(entry=entry, status=EntryStatus.UNMATCHED, users=0, remark=remark)
    standing = state(entry, index.as_of)
    if (status := _NOT_VALID.get(standing)) is not None:
        remark = "; ".join(entry.invalid) if status is EntryStatus.INVALID else ""
        return EntryUse(entry=entry, status=status, users=0, remark=remark)
    if users == 0:
        return EntryUse(entry=entry, status=EntryStatus.UNUSED, users=0, remark=_unread(entry, record))
    status = EntryStatus.EXPIRING if ends_soon(entry, index.as_of) else EntryStatus.IN_USE
    return EntryUse(entry=entry, status=status, users=users, remark="")


def _revocation_use(revocation: Revocation, users: int, known: frozenset[tuple[Scope, str]]) -> EntryUse:
    missing = (Scope.ACCOUNT, revocation.account_id) not in known
    remark = "the organization has no such account" if missing else ""
    return EntryUse(entry=revocation, status=EntryStatus.REVOCATION, users=users, remark=remark)


def _unmatched(entry: Entry, known: frozenset[tuple[Scope, str]], listing: Listing) -> str:
    """Why an entry can reach no account; "" where it can."""
    account = selected_account(entry)
    if account is not None and (Scope.ACCOUNT, account) not in known:
        return f"the organization has no account {account}"
    if (entry.scope, entry.scope_value) in known:
        return ""
    if any(unit.path == entry.scope_value for unit in listing.ous):
        return "this path is not one OU's own: use the id"
    return f"the organization has no OU {entry.scope_value}"


def _unread(entry: Entry, record: Record) -> str:
    """Where nobody looked, it says nothing that no user was found."""
    account = selected_account(entry)
    if account is None or isinstance(record.scans.get(AccountId(account)), Scanned):
        return ""
    return "its account was not read in this run"
