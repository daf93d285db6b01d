"""AWS Organizations: the tree of OUs, and every account in it exactly once, streamed as found.

The tree is walked top-down (roots, OUs, accounts), gently, as Organizations throttles under mild concurrency. An
account can move between two calls of a walk and be missed or met twice, and an OU may not be readable; so ListAccounts
runs beside the walk, and an account that it has and the walk has not is located by its parents (ListParents).
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from scanner.aws.clients import Session
from scanner.aws.failures import CallError, bad_response
from scanner.errors import StartError
from scanner.model import Account, AccountId, FailReason, Failure, Organization, OrganizationalUnit
from scanner.text import is_account_id, is_blank

Chain = tuple[OrganizationalUnit, ...]  # from the root down

SIDE_BY_SIDE = 3  # parents that are read at once; ListAccounts comes on top
PATIENCE = 3  # calls that end without an answer, retries included; then the walk ends, or the search after it
SHOWN = 10  # of what could not be read, in a note
_NO_ANSWER = frozenset(  # a refusal is an answer, and so is a bad one
    {FailReason.THROTTLED, FailReason.TIMEOUT, FailReason.UNREACHABLE, FailReason.CREDENTIALS_EXPIRED}
)
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
    return StartError(f"AWS Organizations could not be read ({failure.call}). {said}", _NO_ACCESS)


async def roots(session: Session) -> tuple[OrganizationalUnit, ...]:
    raws = [raw async for page in session.pages("ListRoots") for raw in page.get("Roots", [])]
    return tuple(_unit(raw, None, "ListRoots") for raw in raws)


async def children(session: Session, parent: OrganizationalUnit) -> tuple[OrganizationalUnit, ...]:
    """List the OUs directly below a root or an OU."""
    pages = session.pages("ListOrganizationalUnitsForParent", ParentId=parent.id)
    raws = [raw async for page in pages for raw in page.get("OrganizationalUnits", [])]
    units = [_unit(raw, parent, "ListOrganizationalUnitsForParent") for raw in raws]
    names = Counter(unit.name for unit in units)
    return tuple(replace(unit, addressable=False) if names[unit.name] > 1 else unit for unit in units)


async def account_exists(session: Session, account_id: str) -> bool:
    """Ask DescribeAccount; raise `CallError` where it cannot tell."""
    return await _exists(session, "DescribeAccount", "AccountNotFoundException", AccountId=account_id)


async def ou_exists(session: Session, ou_id: str) -> bool:
    """Whether the organization has this root or OU; raise `CallError` where that cannot be told."""
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


async def tag_of(session: Session, account_id: AccountId, key: str) -> str | None:
    """Return the account's tag of this key, upper and lower case told apart; None where it has none or a blank one.

    Raises `CallError`.
    """
    async for page in session.pages("ListTagsForResource", ResourceId=account_id):
        for tag in page.get("Tags") or ():
            if tag["Key"] == key:
                value = str(tag["Value"])
                return None if is_blank(value) else value.strip()
    return None


class Walk:
    """One enumeration of the organization. Iterate `accounts()` to its end, then read the rest.

    `first` are ids of OUs whose part of the tree is walked before the others, as its accounts are waited for.
    """

    def __init__(self, session: Session, first: frozenset[str] = frozenset()) -> None:
        self._session = session
        self._first = first
        self._side_by_side = asyncio.Semaphore(SIDE_BY_SIDE)
        self._queue: asyncio.Queue[Account | None] = asyncio.Queue()
        self._seen: set[AccountId] = set()
        self._chains: dict[str, Chain] = {}
        self._unlocated: set[str] = set()  # ids of OUs that ListParents did not locate
        self._unread: list[str] = []  # what the walk could not read, and why
        self._unanswered = Counter[str]()  # calls, of the walk down and of the search up
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
            while (account := await self._queue.get()) is not None:
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
            self._queue.put_nowait(None)

    async def _control(self) -> dict[AccountId, Mapping[str, Any]]:
        listed: dict[AccountId, Mapping[str, Any]] = {}
        try:
            async for raw in listed_accounts(self._session):
                listed[AccountId(raw["Id"])] = raw
        except CallError as error:
            self.problem = error.failure
        return listed

    # --- down: roots, OUs, accounts

    async def _walk(self) -> None:
        try:
            tops = await roots(self._session)
        except CallError as error:
            self._could_not_read("the root", error.failure)
            return
        await self._visit_all((top,) for top in tops)

    async def _visit_all(self, chains: Iterable[Chain]) -> None:
        async with asyncio.TaskGroup() as group:
            for chain in chains:
                group.create_task(self._visit(group, chain))

    async def _visit(self, group: asyncio.TaskGroup, chain: Chain) -> None:
        """Read one parent: its OUs, which are visited in turn, and its accounts. Either may be refused by itself."""
        self._chains[str(chain[-1].id)] = chain
        async with self._side_by_side:
            for read in (self._read_ous, self._read_accounts):
                if self._unanswered["down"] >= PATIENCE:
                    return
                try:
                    await read(group, chain)
                except CallError as error:
                    # An OU that was deleted since it was listed has no accounts; those that it had are found elsewhere.
                    if len(chain) == 1 or error.failure.code != "ParentNotFoundException":
                        self._could_not_read(chain[-1].path, error.failure)

    async def _read_ous(self, group: asyncio.TaskGroup, chain: Chain) -> None:
        below = await children(self._session, chain[-1])
        for ou in sorted(below, key=lambda ou: (ou.id not in self._first, ou.path)):
            if ou.id not in self._chains:  # else it would lie in itself
                group.create_task(self._visit(group, (*chain, ou)))

    async def _read_accounts(self, _: asyncio.TaskGroup, chain: Chain) -> None:
        async for page in self._session.pages("ListAccountsForParent", ParentId=chain[-1].id):
            for raw in _accounts(page):
                self._emit(raw, chain)

    def _emit(self, raw: Mapping[str, Any], chain: Chain) -> None:
        account = _account(raw, chain)
        if account.id not in self._seen:
            self._seen.add(account.id)
            self._queue.put_nowait(account)

    def _could_not_read(self, what: str, failure: Failure) -> None:
        why = f"{failure.code}: {failure.detail}" if failure.code else failure.detail
        self._unread.append(f"{what} ({failure.call}; {why})")
        self._unanswered["down"] += failure.reason in _NO_ANSWER

    # --- up: what ListAccounts has and the walk has not

    async def _reconcile(self, listed: Mapping[AccountId, Mapping[str, Any]]) -> None:
        """Add the accounts that the walk has not: they moved meanwhile, or lie where it could not read."""
        gone = len(self._seen - listed.keys())
        missed = [account_id for account_id in listed if account_id not in self._seen]
        if self._unanswered["down"] >= PATIENCE:
            self._unread.append("the OUs that were not reached by then")
        unplaced = 0
        for account_id in missed:
            if account_id not in self._seen:  # else it was met below an OU that was found on the way
                chain = await self._chain_of(account_id)
                unplaced += not chain
                self._emit(listed[account_id], chain)
        if self._unread:
            more = len(self._unread) - SHOWN
            what = "; ".join(self._unread[:SHOWN]) + (f"; and {more:,} more" if more > 0 else "")
            self.notes.append(
                f"AWS Organizations could not be read completely: {what}. Of {len(missed):,} accounts outside "
                f"the OUs read, ListParents located {len(missed) - unplaced:,}."
            )
        if gone and self.problem is None:
            self.notes.append(
                f"{gone:,} of the accounts found in the OUs were not in ListAccounts; they are counted as listed."
            )

    async def _chain_of(self, child: str) -> Chain:
        """Find where an account is by its parents, and theirs; empty where that cannot be told.

        An OU that is met on the way and that the walk did not know is walked too: what lies in it need not be asked.
        """
        chain, unknown = await self._climb(child)
        for place, ou_id in enumerate(unknown):
            if ou_id not in self._chains:
                unit = await self._described(ou_id, chain[-1])
                if unit is None:
                    self._unlocated.update(unknown[place:])
                    return ()
                await self._visit_all([(*chain, unit)])
            chain = self._chains[ou_id]
        return chain

    async def _climb(self, child: str) -> tuple[Chain, list[str]]:
        """Return the nearest OU above that is known, and the ids of those between it and the child, downwards."""
        passed: list[str] = []
        parent = await self._parent_of(child)
        while parent is not None and parent not in self._chains:
            passed.append(parent)
            parent = None if parent in self._unlocated else await self._parent_of(parent)
            if parent in passed:  # OUs that are said to lie in one another
                parent = None
        if parent is None:
            self._unlocated.update(passed)
            return (), []
        return self._chains[parent], passed[::-1]

    async def _parent_of(self, child: str) -> str | None:
        if not self._chains or self._unanswered["up"] >= PATIENCE:
            return None
        try:
            pages = self._session.pages("ListParents", ChildId=child)
            parents = [raw.get("Id") async for page in pages for raw in page.get("Parents", [])]
        except CallError as error:
            self._unanswered["up"] += error.failure.reason in _NO_ANSWER
            return None
        return parents[0] if parents and isinstance(parents[0], str) else None

    async def _described(self, ou_id: str, parent: OrganizationalUnit) -> OrganizationalUnit | None:
        operation = "DescribeOrganizationalUnit"
        try:
            answer = await self._session.call("organizations", operation, OrganizationalUnitId=ou_id)
            unit = _unit(answer.get("OrganizationalUnit", {}), parent, operation)
        except CallError as error:
            self._unanswered["up"] += error.failure.reason in _NO_ANSWER
            return None
        return unit if unit.id == ou_id else None


def _unit(raw: Mapping[str, Any], parent: OrganizationalUnit | None, operation: str) -> OrganizationalUnit:
    name = raw.get("Name")
    if not isinstance(name, str) or not isinstance(raw.get("Id"), str):
        raise bad_response(f"organizations:{operation}", "An OU has no name or no ID.")
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
