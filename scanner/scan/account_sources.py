"""Where the accounts come from: AWS Organizations, or a file of accounts."""

from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from scanner.account_files import ACCOUNT_COLUMNS, account_rows, ou_names
from scanner.aws import organizations
from scanner.aws.clients import Session
from scanner.files import read_text
from scanner.model import Account, AccountId, OrganizationalUnit
from scanner.record import Listing
from scanner.scan.scope import Placed


class Source(Protocol):
    """Gives every account once, and when it has ended the listing of these."""

    def accounts(self) -> AsyncGenerator[Account, None]: ...

    def listing(self, placed: Sequence[Placed]) -> Listing: ...


class FromOrganizations:
    """The accounts of AWS Organizations."""

    def __init__(self, session: Session, first: frozenset[str]) -> None:
        """`first` are ids of OUs whose accounts are waited for."""
        self._walk = organizations.Walk(session, first)

    def accounts(self) -> AsyncGenerator[Account, None]:
        return self._walk.accounts()

    def listing(self, placed: Sequence[Placed]) -> Listing:
        shared = _shared_paths(self._walk.ous)
        return Listing(
            source="AWS Organizations",
            ous=tuple(_unless_shared(ou, shared) for ou in self._walk.ous),
            accounts=tuple(
                replace(account, ous=tuple(_unless_shared(ou, shared) for ou in account.ous))
                for account in _by_id(placed)
            ),
            in_scope=_in_scope(placed),
            problem=self._walk.problem,
            notes=tuple(self._walk.notes),
        )


class FromFile:
    """The accounts of a CSV file, for callers without access to AWS Organizations."""

    def __init__(self, path: Path, text: str | None = None) -> None:
        """Take the accounts from the text, where the file was read before; else read it. Raises `FaultsError`."""
        self._path = path
        self.text = read_text(path) if text is None else text
        self.rows = _accounts(path, self.text)

    @property
    def ous(self) -> tuple[OrganizationalUnit, ...]:
        return tuple(sorted({ou for account in self.rows for ou in account.ous}, key=lambda ou: ou.path))

    async def accounts(self) -> AsyncGenerator[Account, None]:
        for account in self.rows:
            yield account

    def listing(self, placed: Sequence[Placed]) -> Listing:
        return Listing(
            source=str(self._path),
            ous=self.ous,
            accounts=_by_id(placed),
            in_scope=_in_scope(placed),
            problem=None,
            notes=("The list of accounts was supplied; it was not checked against AWS Organizations.",),
        )


def _by_id(placed: Iterable[Placed]) -> tuple[Account, ...]:
    return tuple(sorted((one.account for one in placed), key=lambda account: account.id))


def _in_scope(placed: Iterable[Placed]) -> frozenset[AccountId]:
    return frozenset(one.account.id for one in placed if one.placement.in_scope)


def _shared_paths(ous: Iterable[OrganizationalUnit]) -> frozenset[str]:
    """Return the paths that more than one OU has, as one can where a name holds a "/"; such a path names neither."""
    return frozenset(path for path, count in Counter(ou.path for ou in ous).items() if count > 1)


def _unless_shared(ou: OrganizationalUnit, shared: frozenset[str]) -> OrganizationalUnit:
    return replace(ou, addressable=False) if ou.path in shared else ou


def _accounts(path: Path, text: str) -> tuple[Account, ...]:
    return tuple(
        Account(id=AccountId(row["account_id"]), name=row["account_name"], state=None, ous=_chain(row["ou_path"]))
        for row in account_rows(path, text, ACCOUNT_COLUMNS)
    )


def _chain(path: str) -> tuple[OrganizationalUnit, ...]:
    names = ou_names(path)
    return tuple(
        OrganizationalUnit(id=None, name=name, path="/".join(names[: depth + 1])) for depth, name in enumerate(names)
    )
