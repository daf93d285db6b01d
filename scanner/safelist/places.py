"""Where an entry approves, as an account to decide in: one of a run where there is a run, else one made up."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from scanner.model import Account, AccountId, Entry, OrganizationalUnit, Scope
from scanner.record import Record
from scanner.safelist.explain import ous_known_by
from scanner.safelist.match import ou_keys
from scanner.text import did_you_mean, near_names

_ANYWHERE: Final = Account(id=AccountId(""), name="", state=None, ous=())


def nowhere(entry: Entry) -> Account:
    """An account of which nothing is known but its ID, where the entry says that."""
    return replace(_ANYWHERE, id=AccountId(entry.scope_value)) if entry.scope is Scope.ACCOUNT else _ANYWHERE


class UnknownPlaceError(Exception):
    """The run has no such account or OU, and would know it."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.problem, self.remedy = problem, remedy


class Places:
    """The accounts and OUs of a run; without one, whatever is named."""

    def __init__(self, record: Record | None) -> None:
        listing = record.listing if record else None
        self._run = record.header.run_id if record else ""
        self._is_known = record is not None and record.header.organization is not None and not record.listing.problem
        self._accounts = {account.id: account for account in listing.accounts} if listing else {}
        self._ous = listing.ous if listing else ()

    def find(self, entry: Entry) -> Account:
        """The account to decide in; raise `UnknownPlaceError`."""
        match entry.scope:
            case Scope.GLOBAL:
                return _ANYWHERE
            case Scope.ACCOUNT:
                return self._account(AccountId(entry.scope_value))
            case Scope.OU:
                return replace(_ANYWHERE, ous=tuple(self._ous_to(entry.scope_value)))

    def _account(self, account_id: AccountId) -> Account:
        if account_id in self._accounts or not self._is_known:
            unknown = Account(id=account_id, name=account_id, state=None, ous=())
            return self._accounts.get(account_id, unknown)
        problem = f"The organization had no account {account_id} in run {self._run}."
        raise UnknownPlaceError(problem, _near(account_id, self._accounts, "Correct the account ID."))

    def _ous_to(self, named: str) -> Iterable[OrganizationalUnit]:
        unit = next((unit for unit in self._ous if named in ou_keys(unit)), None)
        if unit is not None:
            return self._above(unit)
        if not self._is_known:
            return ous_known_by(named)
        if any(unit.path == named for unit in self._ous):
            raise UnknownPlaceError(f"{named} does not name one OU alone in run {self._run}.", "Give its ID.")
        problem = f"The organization had no OU {named} in run {self._run}."
        raise UnknownPlaceError(problem, _near(named, (unit.path for unit in self._ous), "Correct the OU."))

    def _above(self, unit: OrganizationalUnit) -> Iterable[OrganizationalUnit]:
        """From the root down to this OU."""
        above = (other for other in self._ous if other is not unit and unit.path.startswith(f"{other.path}/"))
        return *sorted((other for other in above if other.addressable), key=lambda other: len(other.path)), unit


def _near(text: str, known: Iterable[str], otherwise: str) -> str:
    return did_you_mean(near_names(text, known)[:1], otherwise=otherwise).strip()
