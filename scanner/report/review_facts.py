"""What decides about a user, in short plain sentences: who made it, what it may do, what it is used for. Pure.

What is not known says so. Full values stand on the sheet Users; here names are cut to what a person recognises.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date

from scanner.audit.credential_use import Activity
from scanner.model import Entry, IamUser
from scanner.report.rows import UserRow
from scanner.report.words import ADMINISTRATOR_WORDS, days, many, service_credential
from scanner.safelist.wording import NO_ENTRY

EVENTS_KEPT = 90  # days that CloudTrail keeps events
NAMED = 3  # policies, and IAM actions, of a user; the sheet Users has them all
NOT_MATCHED = (NO_ENTRY, f"{NO_ENTRY}.")  # explanations that say no more than "not approved"

_PRINCIPAL = re.compile(r"arn:[^:]*:(?:iam|sts)::(?P<account>[^:]*):(?P<what>[^/]*)/?(?P<name>.*)", re.DOTALL)
_IDENTITY_CENTER = re.compile(r"AWSReservedSSO_(?P<set>.+)_[0-9a-f]{16}", re.DOTALL)


def facts(row: UserRow, today: date) -> str:
    """A line for each question that a reviewer asks; `today` is the day of the run."""
    return "\n".join(map(_on_one_line, _facts(row, today)))


def _facts(row: UserRow, today: date) -> Iterator[str]:
    yield f"Made {_made(row.finding.user, row.finding.account.id, today)}."
    yield f"{_rights(row.finding.user)}."
    yield f"{_use(row.finding.user, row.activity)}."
    if approval := "; ".join(_approval(row)):
        yield f"{approval}."


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


# --- who made it -----------------------------------------------------------------------------------------------------


def made_on(user: IamUser) -> date:
    return user.created_at.astimezone(UTC).date()


def maker(user: IamUser, account_id: str) -> str | None:
    """Whoever made the user, as a person would name them; None where that is not known."""
    if user.created_by is None:
        return None
    arn = _PRINCIPAL.fullmatch(user.created_by)
    if arn is None:
        return user.created_by
    name, elsewhere = arn["name"].rpartition("/")[2], arn["account"] != account_id
    where = f" of account {arn['account']}" if elsewhere else ""
    match arn["what"]:
        case "root":
            return f"the root user{where}"
        case "assumed-role":
            role, _, session = arn["name"].partition("/")
            person = _IDENTITY_CENTER.fullmatch(role)
            came_by = f"Identity Center, {person['set']}" if person else f"session of role {role}"
            return f"{session} ({came_by}){where}"
        case "user":
            return f"the IAM user {name}{where}"
        case _:
            return user.created_by


def _made(user: IamUser, account_id: str, today: date) -> str:
    on = made_on(user)
    by = maker(user, account_id)
    age = (today - on).days
    ago = f"{days(max(0, age))} ago"
    if by is None:
        return f"{ago}; its creator is {'no longer' if age > EVENTS_KEPT else 'not'} known"
    return f"{on}, {ago}, by {by}{means(user)}"


def means(user: IamUser) -> str:
    """Words for how it was made; "" where that is not known."""
    if user.created_with is None:
        return ""
    return " with the console" if user.created_with == "console" else f" with {user.created_with}"


# --- what it may do --------------------------------------------------------------------------------------------------


def _rights(user: IamUser) -> str:
    access = user.access
    if access is None:
        return "What it may do is not known"
    policies = (*access.attached_policies, *access.inline_policies)
    held = f"policies: {_named(policies)}" if policies else "no policy"
    return f"{_sentence(_rank(user))}; {held}"


def _rank(user: IamUser) -> str:
    access = user.access
    assert access is not None
    words = ADMINISTRATOR_WORDS[access.administrator]
    if access.administrator:
        return words
    if access.escalation:
        return f"could make itself administrator by {_named(access.escalation)}"
    return words if access.escalation is not None else f"{words}; whether it could become one is not known"


def _named(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return f"{', '.join(names[:NAMED])}{f' and {more:,} more (see Users)' if more > 0 else ''}"


# --- what it is used for ---------------------------------------------------------------------------------------------


def _use(user: IamUser, used: Activity) -> str:
    return _sentence("; ".join([*_credentials(user, used), _service_credentials(user), _last_use(user, used)]))


def _credentials(user: IamUser, used: Activity) -> tuple[str, ...]:
    return ("console and keys not known",) if user.credentials is None else (_console(used), _keys(used))


def _console(used: Activity) -> str:
    if not used.console_access:
        return "no console" if used.console_access is False else "console not known"
    return {True: "console with MFA", False: "console without MFA", None: "console, MFA not known"}[used.mfa_active]


def _keys(used: Activity) -> str:
    if not used.active_access_keys:
        return "no active key" if used.active_access_keys == 0 else "keys not known"
    age = used.oldest_active_key_age_days
    old = "" if age is None else f", {'the oldest ' if used.active_access_keys > 1 else ''}set {days(age)} ago"
    return f"{many(used.active_access_keys, 'active key')}{old}"


def _service_credentials(user: IamUser) -> str:
    found = user.service_credentials
    if not found:
        return "no service credential" if found is not None else "service credentials not known"
    return f"service credentials: {', '.join(map(service_credential, found))}"


def _last_use(user: IamUser, used: Activity) -> str:
    if used.days_since_activity is None:
        if user.credentials is None:
            return "last use not known"
        return "no recorded use of password or keys" if user.service_credentials else "no recorded use"
    of = f" ({used.last_activity_service})" if used.last_activity_service else ""
    return f"last used {days(used.days_since_activity)} ago{of}"


# --- what the safelists say ------------------------------------------------------------------------------------------


def _approval(row: UserRow) -> Iterator[str]:
    """The explanation where it says more than that nothing matches, and the entry behind it, approving or not."""
    finding = row.finding
    if finding.explanation not in NOT_MATCHED:
        yield finding.explanation.removesuffix(".")
    entry = finding.entry
    if not isinstance(entry, Entry):
        return
    on = f" on {entry.approved_on}" if entry.approved_on else ""
    words = (
        entry.reason,
        entry.kind,
        entry.owner and f"owner {entry.owner}",
        entry.approved_by and f"approved by {entry.approved_by}{on}",
        entry.ticket,
    )
    yield from (word for word in words if word)
