"""The users of a recorded run, as a baseline approves them: each for itself, in its account."""

from scanner.model import Account, Entry, IamUser, Scanned, Scope, Selector
from scanner.record import Record
from scanner.safelist.name_lists import Listed
from scanner.text import first_invisible, is_blank


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


def _usable(owner: str) -> str | None:
    """The owner of an account as a safelist can say it; None where it cannot."""
    line = " ".join(owner.split())
    return None if is_blank(line) or first_invisible(line) else line


def _users(record: Record) -> list[tuple[Account, IamUser]]:
    accounts = {account.id: account for account in record.listing.accounts}
    scans = (scan for scan in record.scans.values() if isinstance(scan, Scanned))
    pairs = [(accounts[scan.account_id], user) for scan in scans for user in scan.users]
    return sorted(pairs, key=lambda pair: (pair[0].id, pair[1].user_name, pair[1].user_id))
