"""The users of a recorded run: as a baseline approves them, each for itself in its account; and who is none of them."""

from collections.abc import Collection, Sequence
from functools import cache

from scanner.model import Account, Entry, IamUser, Scanned, Scope, Selector
from scanner.record import Record
from scanner.safelist.match import ou_keys
from scanner.safelist.name_lists import Listed
from scanner.safelist.types import fold, selected_name
from scanner.text import first_invisible, is_blank, near_names


def users_of(record: Record) -> tuple[Listed, ...]:
    """All users that the run read, each as an entry for this very user in its account."""
    return tuple(
        Listed(
            entry=Entry(
                scope=Scope.ACCOUNT,
                scope_value=account.id,
                selector=Selector.USER,
                value=user.user_name,
                user_id=user.user_id,
                file=f"run {record.header.run_id}",
                line=0,
            ),
            arn=user.arn,
            account_owner=_usable(record.account_owners.get(account.id, "")),
        )
        for account, user in _users(record)
    )


def absent(record: Record, entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """The entries whose user was in no account of theirs that the run read; of those that it did not, nobody knows."""
    users_in = {
        account_id: _ids_by_name(scan) for account_id, scan in record.scans.items() if isinstance(scan, Scanned)
    }

    @cache
    def accounts_of(scope: Scope, value: str) -> Sequence[dict[str, set[str]]]:
        listed = [account for account in record.listing.accounts if _is_in(account, scope, value)]
        return [users_in[account.id] for account in listed if account.id in users_in]

    def is_absent(entry: Entry) -> bool:
        accounts = accounts_of(entry.scope, entry.scope_value)
        ids = [users.get(fold(selected_name(entry) or ""), ()) for users in accounts]
        return bool(accounts) and not any(_is_one_of(entry.user_id, found) for found in ids)

    return tuple(entry for entry in entries if is_absent(entry))


def names_like(record: Record, entry: Entry) -> list[str]:
    """The users, of accounts where this entry approves, whom its name may have meant."""
    accounts = {account.id for account in record.listing.accounts if _is_in(account, entry.scope, entry.scope_value)}
    scans = (scan for scan in record.scans.values() if isinstance(scan, Scanned) and scan.account_id in accounts)
    return near_names(selected_name(entry) or "", sorted({user.user_name for scan in scans for user in scan.users}))


def _ids_by_name(scan: Scanned) -> dict[str, set[str]]:
    ids: dict[str, set[str]] = {}
    for user in scan.users:
        ids.setdefault(fold(user.user_name), set()).add(user.user_id)
    return ids


def _is_one_of(user_id: str | None, found: Collection[str]) -> bool:
    return bool(found) if user_id is None else user_id in found


def _is_in(account: Account, scope: Scope, value: str) -> bool:
    match scope:
        case Scope.GLOBAL:
            return True
        case Scope.ACCOUNT:
            return account.id == value
        case Scope.OU:
            return any(value in ou_keys(unit) for unit in account.ous)


def _usable(owner: str) -> str | None:
    """The owner of an account as a safelist can say it; None where it cannot."""
    line = " ".join(owner.split())
    return None if is_blank(line) or first_invisible(line) else line


def _users(record: Record) -> list[tuple[Account, IamUser]]:
    accounts = {account.id: account for account in record.listing.accounts}
    scans = (scan for scan in record.scans.values() if isinstance(scan, Scanned))
    pairs = [(accounts[scan.account_id], user) for scan in scans for user in scan.users]
    return sorted(pairs, key=lambda pair: (pair[0].id, pair[1].user_name, pair[1].user_id))
