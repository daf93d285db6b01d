"""The sentence that a reviewer reads beside a decision: plain words, the entry's place, no full stop."""

from collections.abc import Sequence

from scanner.model import Entry, IamUser, Revocation, Scope, Selector
from scanner.safelist.types import selected_account

NO_ENTRY = "No entry matches"
CONSOLE_MADE = "named like a console-made user (Bedrock API key); unverified"


def approved(entry: Entry) -> str:
    until = f"until {entry.expires_on}" if entry.expires_on else "without an end date"
    return f"Approved {_reach(entry)} by {_named(entry)} {until}"


def revoked(revocation: Revocation) -> str:
    on = f" on {revocation.on}" if revocation.on else ""
    ticket = f" ({revocation.ticket})" if revocation.ticket else ""
    return f"Revoked by {revocation.at}{on}{ticket}"


def recreated(entry: Entry, user: IamUser) -> str:
    other = "" if entry.scope is Scope.ACCOUNT else ", or is another user of that name"
    return f"{entry.at} approves user ID {entry.user_id}, and this is {user.user_id}: it was recreated{other}"


def expired(entry: Entry) -> str:
    return f"The approval at {entry.at} ended on {entry.expires_on}"


def not_started(entry: Entry) -> str:
    return f"The approval at {entry.at} starts on {entry.approved_on}"


def invalid(entry: Entry) -> str:
    return f"The approval at {entry.at} breaks the policy: {'; '.join(entry.invalid)}"


def elsewhere(entries: Sequence[Entry]) -> str:
    return f"{NO_ENTRY}; the name is approved {places(entries)}, but not here"


def other_arn(entry: Entry) -> str:
    return f"{NO_ENTRY}; {entry.at} approves {entry.value}, which is not this user's ARN"


def near(relation: str, name: str, entries: Sequence[Entry], revoked_in: int) -> str:
    """`revoked_in` accounts revoke that name: they are no news where the entries name accounts, and otherwise are."""
    wider = any(selected_account(entry) is None for entry in entries)
    but = f", and revoked in {revoked_in:,} account{'' if revoked_in == 1 else 's'}" if wider and revoked_in else ""
    return f"{NO_ENTRY}; {relation} {name}, which is approved {places(entries)}{but}"


def places(entries: Sequence[Entry]) -> str:
    """Where entries approve: "for all accounts", "in account 1234...", "in 3 accounts and 2 OUs"."""
    accounts = {account for entry in entries if (account := selected_account(entry)) is not None}
    wider = [entry for entry in entries if selected_account(entry) is None]
    if any(entry.scope is Scope.GLOBAL for entry in wider):
        return "for all accounts"
    ous = {entry.scope_value for entry in wider}
    return "in " + " and ".join(
        _counted(sorted(names), what) for names, what in ((accounts, "account"), (ous, "OU")) if names
    )


def _counted(names: Sequence[str], what: str) -> str:
    return f"{what} {names[0]}" if len(names) == 1 else f"{len(names):,} {what}s"


def _reach(entry: Entry) -> str:
    match entry.scope:
        case Scope.ACCOUNT:
            return "for this account"
        case Scope.OU:
            return f"for OU {entry.scope_value}"
        case Scope.GLOBAL:
            return "for all accounts"


def _named(entry: Entry) -> str:
    if entry.selector in {Selector.PATTERN, Selector.PATH}:
        return f"the {entry.selector} {entry.value} at {entry.at}"
    return entry.at
