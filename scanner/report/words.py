"""Plain words for the figures and settings that several sheets show."""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from scanner.audit.assessment import Assessment
from scanner.audit.carried_out import Decided, Fate
from scanner.audit.together import InAll
from scanner.model import Choice, Finding, ServiceCredential
from scanner.record import Header, Record, Remediation, RemediationOutcome, WhatIf
from scanner.settings import Settings

NAMED = 3  # users in a sentence
_WHOLE = "the organization"
# Whether a user is an administrator; None: its rights do not tell.
ADMINISTRATOR_WORDS: Mapping[bool | None, str] = {
    True: "administrator",
    False: "not an administrator",
    None: "administrator: not known",
}


def status_words(concluded: Assessment | InAll) -> str:
    """The status, and the text that says more without saying the status again: "INCOMPLETE: 2 of 14 accounts ..."."""
    status, text = concluded.status, concluded.status_text
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


def remediation_words(done: Remediation) -> str:
    """What a plan made of a user: "quarantined on 2026-11-24 by plan 20261124T101500Z-4d5e6f"."""
    removal = done.choice is Choice.REMOVE
    thing = "removal" if removal else "quarantine"
    words = {
        RemediationOutcome.DONE: "removed" if removal else "quarantined",
        RemediationOutcome.UNDONE: "quarantine undone",
        RemediationOutcome.REFUSED: f"{thing} refused",
        RemediationOutcome.FAILED: f"{thing} failed",
    }[done.outcome]
    reason = f" ({done.reason})" if done.reason else ""
    return f"{words} on {done.at.astimezone(UTC):%Y-%m-%d} by plan {done.plan_id}{reason}"


def decided_words(decided: Decided) -> tuple[str, ...]:
    """What was decided about a user that was to go, and what was done about it."""
    last = decided.decision
    decision = (f"{last.choice} decided by {last.reviewer} on {last.reviewed_on}",) if last else ()
    return (*decision, *map(remediation_words, decided.done))


def fates_words(decided: Collection[Decided]) -> str:
    """What became of those that were to be removed or quarantined, in numbers; "" where there are none."""
    fates = Counter(one.fate for one in decided)
    named = ", ".join(f"{fates[fate]:,} {fate}" for fate in Fate if fates[fate])
    return f"Of {many(len(decided), 'user')} to be removed or quarantined: {named}" if decided else ""


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


def users_named(findings: Sequence[Finding]) -> str:
    """The first of some users, with their accounts, and how many there are beside them."""
    first = ", ".join(f"{finding.user.user_name} ({finding.account.name})" for finding in findings[:NAMED])
    return f"{first} and {len(findings) - NAMED:,} more" if len(findings) > NAMED else first


def service_credential(credential: ServiceCredential) -> str:
    """The service, and its end where it has one: "bedrock until 2026-12-01"."""
    end = credential.expires_at
    return f"{credential.service} until {end.astimezone(UTC):%Y-%m-%d}" if end else credential.service


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
