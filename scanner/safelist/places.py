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


class Places:
    """The accounts and OUs of a run; without one, whatever is named."""

    def __init__(self, record: Record | None) -> None:
        listing = record.listing if record else None
        self._run = record.header.run_id if record else ""
        self._is_known = record is not None and record.header.organization is not None and not record.listing.problem
        self._accounts = {account.id: account for account in listing.accounts} if listing else {}
        self._ous = listing.ous if listing else ()

    def find(self, entry: Entry) -> tuple[Account | None, str, str]:
        """The account; or None, and what is wrong and what to do."""
        match entry.scope:
            case Scope.GLOBAL:
                return _ANYWHERE, "", ""
            case Scope.ACCOUNT:
                return self._account(AccountId(entry.scope_value))
            case Scope.OU:
                return self._ou(entry.scope_value)

    def _account(self, account_id: AccountId) -> tuple[Account | None, str, str]:
        if account_id in self._accounts or not self._is_known:
            unknown = Account(id=account_id, name=account_id, state=None, ous=())
            return self._accounts.get(account_id, unknown), "", ""
        near = did_you_mean(near_names(account_id, self._accounts)[:1], otherwise="Correct the account ID.").strip()
        return None, f"The organization had no account {account_id} in run {self._run}.", near

    def _ou(self, named: str) -> tuple[Account | None, str, str]:
        unit = next((unit for unit in self._ous if named in ou_keys(unit)), None)
        if unit is None and self._is_known:
            shared = any(unit.path == named for unit in self._ous)
            if shared:
                return None, f"{named} does not name one OU alone in run {self._run}.", "Give its ID."
            near = did_you_mean(near_names(named, (unit.path for unit in self._ous))[:1], otherwise="Correct the OU.")
            return None, f"The organization had no OU {named} in run {self._run}.", near.strip()
        ous = ous_known_by(named) if unit is None else tuple(self._above(unit))
        return replace(_ANYWHERE, ous=ous), "", ""

    def _above(self, unit: OrganizationalUnit) -> Iterable[OrganizationalUnit]:
        """From the root down to this OU."""
        above = (other for other in self._ous if other is not unit and unit.path.startswith(f"{other.path}/"))
        return *sorted((other for other in above if other.addressable), key=lambda other: len(other.path)), unit
