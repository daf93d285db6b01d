"""Which accounts a scan is about, and what it would do with each. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from scanner.model import Account, AccountId, SkipReason

_INACTIVE = {
    "SUSPENDED": SkipReason.SUSPENDED,
    "CLOSED": SkipReason.CLOSED,
    "PENDING_ACTIVATION": SkipReason.PENDING_ACTIVATION,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What was named, after it was checked: OUs by id (by path where accounts come from a file), accounts by id."""

    ous: frozenset[str] = frozenset()
    accounts: frozenset[AccountId] = frozenset()
    excluded_ous: Mapping[str, str]  # OU → the reason to show
    excluded_accounts: Mapping[AccountId, str]

    @property
    def whole(self) -> bool:
        return not self.ous and not self.accounts


class Plan(StrEnum):
    """What a scan does with an account."""

    SCAN = "scan"
    EXCLUDED = "excluded"
    INACTIVE = "inactive"
    OU_UNKNOWN = "OU unknown"  # whether it is in scope is not known: it fails, and is not passed over
    OUTSIDE = "outside the scope"


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """What a scan does with an account, and why it skips it."""

    plan: Plan
    skip: SkipReason | None = None
    detail: str = ""

    @property
    def in_scope(self) -> bool:
        return self.plan is not Plan.OUTSIDE


@dataclass(frozen=True, slots=True)
class Placed:
    """An account, and what a scan does with it."""

    account: Account
    placement: Placement


def place(account: Account, selection: Selection) -> Placement:
    """Decide what a scan does with an account.

    Exclusion wins over selection. Every state but three is attempted, unknown and missing ones too.
    """
    by_id_alone = bool(selection.accounts) and not selection.ous  # then it does not matter where an account is
    if (account.ous or by_id_alone) and not _selected(account, selection):
        return Placement(plan=Plan.OUTSIDE)
    excluded = _exclusion(account, selection)
    if excluded is not None:
        return Placement(plan=Plan.EXCLUDED, skip=SkipReason.EXCLUDED, detail=excluded)
    if not account.ous:
        return Placement(plan=Plan.OU_UNKNOWN)
    if account.state in _INACTIVE:
        detail = f"AWS Organizations gives its state as {account.state}."
        return Placement(plan=Plan.INACTIVE, skip=_INACTIVE[account.state], detail=detail)
    return Placement(plan=Plan.SCAN)


def _exclusion(account: Account, selection: Selection) -> str | None:
    by_ou = (selection.excluded_ous[key] for key in _keys(account) if key in selection.excluded_ous)
    return selection.excluded_accounts.get(account.id) or next(by_ou, None)


def _selected(account: Account, selection: Selection) -> bool:
    if selection.whole or account.id in selection.accounts:
        return True
    return any(key in selection.ous for key in _keys(account))


def _keys(account: Account) -> list[str]:
    return [ou.id or ou.path for ou in account.ous]
