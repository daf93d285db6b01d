"""AWS Organizations: the tree of OUs, and every account in it exactly once, streamed as found.

The tree is walked top-down (roots, OUs, accounts), gently, as Organizations throttles under mild concurrency. An
account can move between two calls of a walk and be missed or met twice; so ListAccounts runs beside it, and an account
that it has and the walk has not is looked up by its parents.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from scanner.aws.clients import Session
from scanner.aws.failures import CallError, bad_response
from scanner.errors import StartError
from scanner.model import Account, AccountId, Failure, Organization, OrganizationalUnit
from scanner.text import is_account_id

SIDE_BY_SIDE = 3  # parents that are read at once; ListAccounts comes on top
_NO_ACCESS = (
    "Run iam-scanner from the management account or a delegated administrator, give --organizations-role-arn, or list "
    "the accounts yourself with --accounts-file."
)


async def describe(session: Session) -> Organization:
    """Return the organization that the session's account belongs to; raise `StartError` where it cannot be read."""
    try:
        answer = await session.call("organizations", "DescribeOrganization")
    except CallError as error:
        raise no_access(error.failure) from error
    try:
        raw = answer["Organization"]
        return Organization(id=raw["Id"], management_account_id=AccountId(raw["MasterAccountId"]))
    except (KeyError, TypeError) as error:
        raise StartError("AWS Organizations did not say which organization this is.") from error


def no_access(failure: Failure) -> StartError:
    said = f"{failure.code}: {failure.detail}" if failure.code else failure.detail
    return StartError(f"AWS Organizations could not be read ({failure.call}). {said} {_NO_ACCESS}")


async def roots(session: Session) -> tuple[OrganizationalUnit, ...]:
    found = [raw async for page in session.pages("ListRoots") for raw in page.get("Roots", [])]
    return tuple(_unit(raw, None) for raw in found)


async def children(session: Session, parent: OrganizationalUnit) -> tuple[OrganizationalUnit, ...]:
    """List the OUs directly below a root or an OU."""
    pages = session.pages("ListOrganizationalUnitsForParent", ParentId=parent.id)
    raws = [raw async for page in pages for raw in page.get("OrganizationalUnits", [])]
    units = [_unit(raw, parent) for raw in raws]
    names = Counter(unit.name for unit in units)
    return tuple(replace(unit, addressable=False) if names[unit.name] > 1 else unit for unit in units)


async def account_exists(session: Session, account_id: str) -> bool:
    """Ask DescribeAccount; raise `CallError` where it cannot tell."""
    return await _exists(session, "DescribeAccount", "AccountNotFoundException", AccountId=account_id)


async def ou_exists(session: Session, ou_id: str) -> bool:
    """Tell whether the organization has this root or OU; raise `CallError` where that cannot be told."""
    if ou_id.startswith("r-"):
        return any(root.id == ou_id for root in await roots(session))
    missing = "OrganizationalUnitNotFoundException"
    return await _exists(session, "DescribeOrganizationalUnit", missing, OrganizationalUnitId=ou_id)


async def _exists(session: Session, operation: str, missing: str, **parameters: str) -> bool:
    try:
        await session.call("organizations", operation, **parameters)
    except CallError as error:
        if error.failure.code in {missing, "InvalidInputException"}:
            return False
        raise
    return True


async def listed_accounts(session: Session) -> AsyncIterator[Mapping[str, Any]]:
    """Give every account that ListAccounts has."""
    async for page in session.pages("ListAccounts"):
        for raw in _accounts(page):
            yield raw


class Walk:
    """One enumeration of the organization. Iterate `accounts()` to its end, then read the rest.

    `first` are ids of OUs whose part of the tree is walked before the others, as its accounts are waited for.
    """

    def __init__(self, session: Session, first: frozenset[str] = frozenset()) -> None:
        self._session = session
        self._first = first
        self._side_by_side = asyncio.Semaphore(SIDE_BY_SIDE)
        self._found: asyncio.Queue[Account | None] = asyncio.Queue()
        self._seen: set[AccountId] = set()
        self._chains: dict[str, tuple[OrganizationalUnit, ...]] = {}
        self._broken: Failure | None = None
        self.problem: Failure | None = None  # ListAccounts broke off: how many accounts there are is not known
        self.notes: list[str] = []

    @property
    def ous(self) -> tuple[OrganizationalUnit, ...]:
        """Every root and OU that was met, by path."""
        return tuple(sorted((chain[-1] for chain in self._chains.values()), key=lambda ou: (ou.path, ou.id or "")))

    async def accounts(self) -> AsyncGenerator[Account, None]:
        """Give every account once, as found. Never raises for a call that failed: see `problem` and empty `ous`."""
        task = asyncio.create_task(self._enumerate())
        try:
            while (account := await self._found.get()) is not None:
                yield account
            await task
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _enumerate(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                control = group.create_task(self._control())
                group.create_task(self._walk())
            await self._reconcile(control.result())
        finally:
            self._found.put_nowait(None)

    async def _control(self) -> dict[AccountId, Mapping[str, Any]]:
        listed: dict[AccountId, Mapping[str, Any]] = {}
        try:
            async for raw in listed_accounts(self._session):
                listed[AccountId(raw["Id"])] = raw
        except CallError as error:
            self.problem = error.failure
        return listed

    async def _walk(self) -> None:
        try:
            tops = await roots(self._session)
        except CallError as error:
            self._broken = error.failure
            return
        async with asyncio.TaskGroup() as group:
            for top in tops:
                group.create_task(self._visit(group, (top,)))

    async def _visit(self, group: asyncio.TaskGroup, chain: tuple[OrganizationalUnit, ...]) -> None:
        """Read one parent: its OUs, which are visited in turn, and its accounts."""
        async with self._side_by_side:
            if self._broken is not None:
                return
            self._chains[str(chain[-1].id)] = chain
            try:
                below = await children(self._session, chain[-1])
                for ou in sorted(below, key=lambda ou: (ou.id not in self._first, ou.path)):
                    group.create_task(self._visit(group, (*chain, ou)))
                async for page in self._session.pages("ListAccountsForParent", ParentId=chain[-1].id):
                    for raw in _accounts(page):
                        self._emit(raw, chain)
            except CallError as error:
                # An OU that was deleted since it was listed has no accounts; those that it had are found elsewhere.
                if len(chain) == 1 or error.failure.code != "ParentNotFoundException":
                    self._broken = error.failure

    def _emit(self, raw: Mapping[str, Any], chain: tuple[OrganizationalUnit, ...]) -> None:
        account = _account(raw, chain)
        if account.id not in self._seen:
            self._seen.add(account.id)
            self._found.put_nowait(account)

    async def _reconcile(self, listed: Mapping[AccountId, Mapping[str, Any]]) -> None:
        """Add what ListAccounts has and the walk has not: accounts that moved meanwhile, or lie where it broke off."""
        if self._broken is not None:
            self.notes.append(f"The walk through the OUs broke off at {self._broken.call}: {self._broken.detail}")
        gone = len(self._seen - listed.keys())
        if gone and self.problem is None:
            self.notes.append(
                f"{gone} accounts that the walk met were not in ListAccounts; they are counted as listed."
            )
        for account_id, raw in listed.items():
            if account_id not in self._seen:
                self._emit(raw, () if self._broken else await self._chain_of(account_id))

    async def _chain_of(self, child: str) -> tuple[OrganizationalUnit, ...]:
        """Find where an account or OU is by its parents (ListParents); empty where that cannot be told."""
        try:
            pages = self._session.pages("ListParents", ChildId=child)
            parents = [raw["Id"] async for page in pages for raw in page.get("Parents", [])]
        except CallError:
            return ()
        return self._chains.get(parents[0], ()) if parents else ()


def _unit(raw: Mapping[str, Any], parent: OrganizationalUnit | None) -> OrganizationalUnit:
    name = raw.get("Name")
    if not isinstance(name, str) or not isinstance(raw.get("Id"), str):
        raise bad_response("organizations:ListOrganizationalUnitsForParent", "An OU has no name or no id.")
    if parent is None:
        return OrganizationalUnit(id=raw["Id"], name=name, path=name, addressable="/" not in name)
    path = f"{parent.path}/{name}"
    return OrganizationalUnit(id=raw["Id"], name=name, path=path, addressable=parent.addressable and "/" not in name)


def _accounts(page: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    raws: list[Mapping[str, Any]] = page.get("Accounts", [])
    for raw in raws:
        if not is_account_id(raw.get("Id", "")):
            raise bad_response("organizations:ListAccounts", f"{raw.get('Id')!r} is not a valid account ID.")
    return raws


def _account(raw: Mapping[str, Any], chain: tuple[OrganizationalUnit, ...]) -> Account:
    """Take State, and the retired Status only where State is absent: by Status alone, an organization looks empty."""
    state = raw.get("State") or raw.get("Status")
    return Account(id=AccountId(raw["Id"]), name=raw.get("Name", ""), state=state, ous=chain)
