"""The OUs and accounts that were named, checked against the organization or the file that stands in for it."""

import difflib
from collections.abc import Iterable
from contextlib import suppress

from scanner.aws import organizations
from scanner.aws.clients import Session
from scanner.aws.failures import CallError
from scanner.errors import UsageError
from scanner.model import AccountId, OrganizationalUnit
from scanner.scan.account_sources import FromFile
from scanner.scan.scope import Selection
from scanner.settings import Settings
from scanner.text import did_you_mean, is_ou_id, near_names


async def select_in_organization(session: Session, settings: Settings) -> Selection:
    """Check every OU and account that is named against the organization; raise `UsageError` with everything wrong."""
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
        await tree.tops()  # a caller that may not list learns it now, not from a run in which nothing was read
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
            near = near_names(text, names)
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
        if is_ou_id(text):
            if await organizations.ou_exists(self._session, text):
                return text
            near = difflib.get_close_matches(text, [str(ou.id) for ou in await self._all()])
            raise UsageError(f"no such OU in the organization.{_did_you_mean(near)}")
        matches = await self._by_path(await self.tops(), text.strip("/"))
        if not matches:
            near = near_names(text, [ou.path for ou in await self._all()])
            raise UsageError(f"no such OU in the organization.{_did_you_mean(near)}")
        if len(matches) > 1 or not matches[0].addressable:
            candidates = ", ".join(f"{ou.id} ({ou.path})" for ou in matches)
            raise UsageError(f"the path is not unique, or a name on it holds a '/'; use the ID: {candidates}.")
        return str(matches[0].id)

    async def _by_path(self, level: Iterable[OrganizationalUnit], rest: str) -> list[OrganizationalUnit]:
        matches = []
        for ou in level:
            if ou.name == rest:
                matches.append(ou)
            elif rest.startswith(ou.name + "/"):
                matches += await self._by_path(await self._below(ou), rest[len(ou.name) + 1 :])
        return matches

    async def _all(self) -> list[OrganizationalUnit]:
        """All that can be read, for suggestions: what may not be read must not hide that a name is wrong."""
        every = list(await self.tops())
        for ou in every:  # grows while it is read: breadth first
            with suppress(CallError):
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
    return did_you_mean(near, otherwise="`iam-scanner accounts` shows what there is.")
