"""Where the accounts come from: AWS Organizations, or a file of accounts; and the check of all that is named."""

import csv
import difflib
import io
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from scanner.aws import organizations
from scanner.aws.clients import Session
from scanner.aws.failures import CallError
from scanner.errors import Fault, FaultsError, UsageError
from scanner.model import Account, AccountId, Listing, OrganizationalUnit, is_account_id
from scanner.scan.scope import Plan, Selection, place
from scanner.settings import Settings

_OU_ID = re.compile(r"r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}")


class Source(Protocol):
    """Gives every account once; what it found in all can be read when it has ended."""

    def accounts(self) -> AsyncIterator[Account]: ...

    def listing(self, accounts: Iterable[Account], selection: Selection) -> Listing: ...


class FromOrganizations:
    """The accounts of AWS Organizations."""

    def __init__(self, session: Session, selection: Selection) -> None:
        self._walk = organizations.Walk(session, selection.ous)

    def accounts(self) -> AsyncIterator[Account]:
        return self._walk.accounts()

    def listing(self, accounts: Iterable[Account], selection: Selection) -> Listing:
        shared = _shared_paths(self._walk.ous)
        listed = tuple(
            replace(account, ous=tuple(_unless_shared(ou, shared) for ou in account.ous))
            for account in sorted(accounts, key=lambda account: account.id)
        )
        return Listing(
            source="AWS Organizations",
            ous=tuple(_unless_shared(ou, shared) for ou in self._walk.ous),
            accounts=listed,
            in_scope=_in_scope(listed, selection),
            problem=self._walk.problem,
            notes=tuple(self._walk.notes),
        )


class FromFile:
    """The accounts of a CSV file, for callers without access to AWS Organizations."""

    def __init__(self, path: Path, text: str | None = None) -> None:
        """Take the accounts from the text, where the file was read before; else read it. Raises `FaultsError`."""
        self._path = path
        self.text = _read(path) if text is None else text
        self.rows = _accounts(path, self.text)

    @property
    def ous(self) -> tuple[OrganizationalUnit, ...]:
        return tuple(sorted({ou for account in self.rows for ou in account.ous}, key=lambda ou: ou.path))

    async def accounts(self) -> AsyncIterator[Account]:
        for account in self.rows:
            yield account

    def listing(self, accounts: Iterable[Account], selection: Selection) -> Listing:
        listed = tuple(sorted(accounts, key=lambda account: account.id))
        return Listing(
            source=str(self._path),
            ous=self.ous,
            accounts=listed,
            in_scope=_in_scope(listed, selection),
            problem=None,
            notes=("The list of accounts was supplied; it was not checked against AWS Organizations.",),
        )


def _shared_paths(ous: Iterable[OrganizationalUnit]) -> frozenset[str]:
    """Return the paths that more than one OU has, as one can where a name holds a "/"; such a path names neither."""
    return frozenset(path for path, count in Counter(ou.path for ou in ous).items() if count > 1)


def _unless_shared(ou: OrganizationalUnit, shared: frozenset[str]) -> OrganizationalUnit:
    return replace(ou, addressable=False) if ou.path in shared else ou


def _in_scope(accounts: Iterable[Account], selection: Selection) -> frozenset[AccountId]:
    return frozenset(one.id for one in accounts if place(one, selection).plan is not Plan.OUTSIDE)


# --- names, checked --------------------------------------------------------------------------------------------------


async def select_in_organization(session: Session, settings: Settings) -> Selection:
    """Check every OU and account that is named against the organization; raise `UsageError` with all that is wrong."""
    problems: list[str] = []
    tree = _Tree(session)

    async def ou(option: str, text: str) -> str:
        try:
            return await tree.find(text)
        except UsageError as error:
            problems.append(f"{option} {text}: {error}")
            return text

    async def account(option: str, text: str) -> AccountId:
        if not await organizations.account_exists(session, text):
            near = await _near_accounts(session, text)
            problems.append(f"{option} {text}: no such account in the organization.{_did_you_mean(near)}")
        return AccountId(text)

    try:
        await tree.tops()  # whoever may not list is told now, and not by a run in which nothing was read
        selection = Selection(
            ous=frozenset([await ou("--ou", text) for text in settings.ou]),
            accounts=frozenset([await account("--account", text) for text in settings.account]),
            excluded_ous={await ou("--exclude-ou", one.ou): one.reason for one in settings.exclude_ou},
            excluded_accounts={
                await account("--exclude-account", one.account): one.reason for one in settings.exclude_account
            },
        )
    except CallError as error:
        raise organizations.no_access(error.failure) from error
    if problems:
        raise UsageError("\n".join(problems))
    return selection


def select_in_file(source: FromFile, settings: Settings) -> Selection:
    """The same against a file of accounts, whose OUs have paths and no ids."""
    problems: list[str] = []
    paths = {ou.path for ou in source.ous}
    ids = {account.id for account in source.rows}

    def known(option: str, text: str, names: Iterable[str], what: str) -> str:
        if text not in names:
            near = difflib.get_close_matches(text, list(names))
            problems.append(f"{option} {text}: the file of accounts has no such {what}.{_did_you_mean(near)}")
        return text

    selection = Selection(
        ous=frozenset(known("--ou", text.strip("/"), paths, "OU path") for text in settings.ou),
        accounts=frozenset(AccountId(known("--account", text, ids, "account")) for text in settings.account),
        excluded_ous={
            known("--exclude-ou", one.ou.strip("/"), paths, "OU path"): one.reason for one in settings.exclude_ou
        },
        excluded_accounts={
            AccountId(known("--exclude-account", one.account, ids, "account")): one.reason
            for one in settings.exclude_account
        },
    )
    if problems:
        raise UsageError("\n".join(problems))
    return selection


class _Tree:
    """Finds OUs by id or path, reading only the levels that the path names; all of them for suggestions."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._roots: tuple[OrganizationalUnit, ...] | None = None
        self._children: dict[str, tuple[OrganizationalUnit, ...]] = {}

    async def find(self, text: str) -> str:
        """Return the id of the one OU that `text` names; raise `UsageError` where there is none, or more."""
        if _OU_ID.fullmatch(text):
            if await organizations.ou_exists(self._session, text):
                return text
            near = difflib.get_close_matches(text, [str(ou.id) for ou in await self._all()])
            raise UsageError(f"no such OU in the organization.{_did_you_mean(near)}")
        found = await self._by_path(await self.tops(), text.strip("/"))
        if not found:
            near = difflib.get_close_matches(text, [ou.path for ou in await self._all()])
            raise UsageError(f"no such OU in the organization.{_did_you_mean(near)}")
        if len(found) > 1 or not found[0].addressable:
            candidates = ", ".join(f"{ou.id} ({ou.path})" for ou in found)
            raise UsageError(f"the path is not unique, or a name on it holds a '/'; use the id: {candidates}.")
        return str(found[0].id)

    async def _by_path(self, level: Iterable[OrganizationalUnit], rest: str) -> list[OrganizationalUnit]:
        found = []
        for ou in level:
            if ou.name == rest:
                found.append(ou)
            elif rest.startswith(ou.name + "/"):
                found += await self._by_path(await self._below(ou), rest[len(ou.name) + 1 :])
        return found

    async def _all(self) -> list[OrganizationalUnit]:
        every = list(await self.tops())
        for ou in every:  # grows while it is read: breadth first
            every += await self._below(ou)
        return every

    async def tops(self) -> tuple[OrganizationalUnit, ...]:
        if self._roots is None:
            self._roots = await organizations.roots(self._session)
        return self._roots

    async def _below(self, parent: OrganizationalUnit) -> tuple[OrganizationalUnit, ...]:
        key = str(parent.id)
        if key not in self._children:
            self._children[key] = await organizations.children(self._session, parent)
        return self._children[key]


async def _near_accounts(session: Session, text: str) -> list[str]:
    names = {raw["Id"]: str(raw.get("Name", "")) async for raw in organizations.listed_accounts(session)}
    return [f"{near} ({names[near]})" for near in difflib.get_close_matches(text, list(names))]


def _did_you_mean(near: list[str]) -> str:
    return f" Did you mean {' or '.join(near)}?" if near else " `iam-scanner accounts` shows what there is."


# --- files -----------------------------------------------------------------------------------------------------------


def read_owners(path: Path | None) -> Mapping[str, str]:
    """Read `--account-owners`: account_id, account_owner; raise `FaultsError` naming each bad line."""
    if path is None:
        return {}
    rows = _rows(path, _read(path), ("account_id", "account_owner"))
    return {row["account_id"]: row["account_owner"] for row in rows}


def _accounts(path: Path, text: str) -> tuple[Account, ...]:
    rows = _rows(path, text, ("account_id", "account_name", "ou_path"))
    return tuple(
        Account(id=AccountId(row["account_id"]), name=row["account_name"], state=None, ous=_chain(row["ou_path"]))
        for row in rows
    )


def _chain(path: str) -> tuple[OrganizationalUnit, ...]:
    names = path.strip("/").split("/")
    return tuple(
        OrganizationalUnit(id=None, name=name, path="/".join(names[: depth + 1])) for depth, name in enumerate(names)
    )


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, getattr(error, "strerror", None)) from error


def _rows(path: Path, text: str, columns: tuple[str, ...]) -> list[dict[str, str]]:
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""))
        if not set(columns) <= set(reader.fieldnames or ()):
            remedy = f"Begin it with the line {','.join(columns)}."
            raise FaultsError([Fault(file=str(path), line=1, problem="columns are missing.", remedy=remedy)])
        rows = [(reader.line_num, {name: row[name] or "" for name in columns}) for row in reader]
    except csv.Error as error:
        raise _unreadable(path, None) from error
    _check_rows(path, rows)
    return [row for _, row in rows]


def _unreadable(path: Path, why: str | None) -> FaultsError:
    reason = why or "it is no UTF-8 text with comma-separated values"
    return FaultsError([Fault(file=str(path), line=None, problem=f"cannot be read: {reason}.", remedy="")])


def _check_rows(path: Path, rows: list[tuple[int, dict[str, str]]]) -> None:
    faults: list[Fault] = []

    def fault(line: int, problem: str, remedy: str) -> None:
        faults.append(Fault(file=str(path), line=line, problem=problem, remedy=remedy))

    seen: set[str] = set()
    for line, row in rows:
        account_id = row["account_id"]
        if not is_account_id(account_id):
            fault(line, f"{account_id!r} is no account id.", "Write 12 digits; spreadsheets drop leading zeros.")
        if account_id in seen:
            fault(line, f"account {account_id} is here a second time.", "Remove one of the two lines.")
        seen.add(account_id)
        if row.get("ou_path") == "":
            fault(line, f"account {account_id} has no ou_path.", 'Write at least the root\'s name: "Root".')
    if not rows:
        fault(1, "there is not one account in it.", "Add a line for each account.")
    if faults:
        raise FaultsError(faults)
