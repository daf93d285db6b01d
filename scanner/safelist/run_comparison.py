"""New entries beside a recorded run: whose user was not there, and of whom the run knows nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from scanner.model import AccountId, Entry, IamUser, Scanned, Scope, Selector
from scanner.record import Record
from scanner.safelist.match import scopes
from scanner.safelist.types import fold, selected_name
from scanner.text import near_names


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The entries that name no user of the run."""

    absent: tuple[Entry, ...] = ()  # no account of theirs that it read has such a user
    unread: tuple[Entry, ...] = ()  # it read no account of theirs, so nobody knows


class RunUsers:
    """The users that a run read, by the places where entries approve."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._there: dict[tuple[Scope, str], _There] = {}
        self._read = {account_id: scan.users for account_id, scan in record.scans.items() if isinstance(scan, Scanned)}

    def compared(self, entries: Iterable[Entry]) -> Compared:
        absent, unread = [], []
        for entry in entries:
            there = self._users_there(entry)
            if not there.is_read:
                unread.append(entry)
            elif not any(_is(entry, user) for user in there.named(entry)):
                absent.append(entry)
        return Compared(absent=tuple(absent), unread=tuple(unread))

    def named(self, entry: Entry) -> Sequence[IamUser]:
        """The users of that name, where the entry approves."""
        return self._users_there(entry).named(entry)

    def meant(self, entry: Entry) -> str | None:
        """What may have been meant by an entry that is for nobody: an ARN for an ARN, else a name."""
        there = self._users_there(entry)
        if entry.selector is Selector.ARN and (alike := there.named(entry)):
            return alike[0].arn
        near = near_names(selected_name(entry) or "", there.names)
        return near[0] if near and not there.named(entry) else None

    def _users_there(self, entry: Entry) -> "_There":
        place = entry.scope, entry.scope_value
        if place not in self._there:
            ids = self._accounts_in.get(place, ())
            read = [self._read[account_id] for account_id in ids if account_id in self._read]
            self._there[place] = _There(read)
        return self._there[place]

    @cached_property
    def _accounts_in(self) -> dict[tuple[Scope, str], list[AccountId]]:
        found: dict[tuple[Scope, str], list[AccountId]] = {}
        for account in self._record.listing.accounts:
            for place in scopes(account):
                found.setdefault(place, []).append(account.id)
        return found


class _There:
    """The users of the accounts of one place."""

    def __init__(self, read: Sequence[Sequence[IamUser]]) -> None:
        self.is_read = bool(read)
        self._by_name: dict[str, list[IamUser]] = {}
        for users in read:
            for user in users:
                self._by_name.setdefault(fold(user.user_name), []).append(user)

    def named(self, entry: Entry) -> Sequence[IamUser]:
        return self._by_name.get(fold(selected_name(entry) or ""), ())

    @cached_property
    def names(self) -> Sequence[str]:
        return [users[0].user_name for _, users in sorted(self._by_name.items())]


def _is(entry: Entry, user: IamUser) -> bool:
    is_same = entry.value == user.arn if entry.selector is Selector.ARN else True  # the name is the same
    return is_same and entry.user_id in {None, user.user_id}
