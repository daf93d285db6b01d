"""Plain words for the figures and settings that several sheets show."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from scanner.audit.assessment import Assessment
from scanner.model import Basis
from scanner.record import Header, Record, WhatIf
from scanner.settings import Settings

_WHOLE = "the organization"
# On what ground a user is not approved.
GROUNDS: Mapping[Basis, str] = {
    Basis.NOT_SAFELISTED: "on no safelist",
    Basis.APPROVAL_EXPIRED: "approval expired",
    Basis.APPROVAL_NOT_STARTED: "approval not started yet",
    Basis.APPROVAL_INVALID: "approval breaks the policy",
    Basis.USER_RECREATED: "recreated since approval",
    Basis.REVOKED: "revoked",
}
# Whether a user is an administrator; None: its rights do not tell.
ADMINISTRATOR_WORDS: Mapping[bool | None, str] = {
    True: "administrator",
    False: "not an administrator",
    None: "administrator: not known",
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
    return (
        f"WHAT-IF: run {record.header.run_id}, {otherwise_words(record.header, own)}. "
        "No account was read again, and the run stays as it was decided."
    )


def otherwise_words(header: Header, own: WhatIf) -> str:
    """By what a what-if decides, beside what the run was decided by."""
    other = "its own safelists" if header.safelists == own.safelists else "other safelists than its own"
    day = "as in the run" if header.as_of == own.as_of else f"not on {own.as_of}"
    return f"decided again by {other}, approvals judged on {header.as_of}, {day}"


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


def scope_words(settings: Settings) -> str:
    """The scope in one sentence: what was named, and what was excluded."""
    excluded = (*(one.ou for one in settings.exclude_ou), *(one.account for one in settings.exclude_account))
    words = ", ".join((*settings.ou, *settings.account)) or f"all accounts of {settings.accounts_file or _WHOLE}"
    return f"{words}; without {', '.join(excluded)}" if excluded else words


def settings_words(header: Header) -> Iterator[tuple[str, str]]:
    """Every setting and its value; those that were not set say so."""
    settings = {**header.settings.as_json(), "external_id_given": header.external_id_given}
    for key, value in sorted(settings.items()):
        yield key, "not set" if value in (None, [], (), "") else _plain(value)


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
