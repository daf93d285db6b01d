"""Plain words for the figures and settings that several sheets show."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from scanner.audit.assessment import Assessment
from scanner.model import Basis
from scanner.record import Record

# On what ground a user is not approved.
GROUNDS: Mapping[Basis, str] = {
    Basis.NOT_SAFELISTED: "on no safelist",
    Basis.APPROVAL_EXPIRED: "approval expired",
    Basis.APPROVAL_NOT_STARTED: "approval not started yet",
    Basis.APPROVAL_INVALID: "approval breaks the policy",
    Basis.USER_RECREATED: "recreated since approval",
    Basis.REVOKED: "approval revoked",
}


def status_words(assessment: Assessment) -> str:
    """The status, and the text that says more without saying the status again: "INCOMPLETE: 2 of 14 accounts ..."."""
    status, text = assessment.status, assessment.status_text
    if text[: len(status)].upper() == status:
        return f"{status}{text[len(status) :]}"
    return f"{status}: {text}"


def run_words(record: Record) -> str:
    return f"{'what-if of ' if record.what_if else ''}run {record.header.run_id}"


def what_if_words(record: Record) -> str:
    """That this is not how the run was decided; "" where it is."""
    own = record.what_if
    if own is None:
        return ""
    header = record.header
    other = "its own safelists" if header.safelists == own.safelists else "other safelists than its own"
    day = "as in the run" if header.as_of == own.as_of else f"not on {own.as_of}"
    return (
        f"WHAT-IF: run {header.run_id}, decided again by {other}, approvals judged on {header.as_of}, {day}. "
        "No account was read again, and the run stays as it was decided."
    )


def moment(value: datetime) -> str:
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def window(start: datetime, end: datetime) -> str:
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    return f"{start:%Y-%m-%d %H:%M:%S} to {end:{'%H:%M:%S' if start.date() == end.date() else '%Y-%m-%d %H:%M:%S'}} UTC"


def many(count: int, thing: str, things: str | None = None) -> str:
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {things or f'{thing}s'}"


def days(count: int) -> str:
    return many(count, "day")


def shortened(text: str, limit: int) -> str:
    """The end of a text, which tells OUs of one tree apart."""
    return text if len(text) <= limit else f"…{text[1 - limit :]}"


def scope_words(settings: Mapping[str, object]) -> str:
    """The scope in one sentence: what was asked for, and how much was left out on purpose."""
    asked = (*named(settings, "ou"), *named(settings, "account"))
    left_out = (*named(settings, "exclude_ou"), *named(settings, "exclude_account"))
    words = ", ".join(asked) if asked else "all accounts of the organization"
    if settings.get("accounts_file"):
        words = ", ".join(asked) if asked else f"all accounts of {settings['accounts_file']}"
    return f"{words}; without {', '.join(each.split(' (', 1)[0] for each in left_out)}" if left_out else words


def named(settings: Mapping[str, object], key: str) -> tuple[str, ...]:
    """What a setting names, each with the reason given for it: "Root/Sandbox (throw-away accounts)"."""
    values = settings.get(key) or ()
    return tuple(_named(value) for value in values) if isinstance(values, list | tuple) else (str(values),)


def _named(value: object) -> str:
    if not isinstance(value, Mapping):
        return str(value)
    what = next((str(value[key]) for key in ("ou", "account") if value.get(key)), "")
    return f"{what} ({value['reason']})" if value.get("reason") else f"{what} (no reason given)"


def settings_words(settings: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Every setting and its value; those that were not set say so."""
    for key, value in sorted(settings.items()):
        yield key, "not set" if value in (None, [], (), "") else _plain(value)


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
