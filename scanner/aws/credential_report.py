"""The IAM credential report: how AWS is asked for it, and what it says of each user.

It is read by column name, as the number and order of its columns have changed before. Sources:
GenerateCredentialReport, GetCredentialReport; for the columns the IAM user guide, "Getting credential reports".
"""

import asyncio
import csv
import io
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from scanner.aws.clients import Session
from scanner.aws.failures import CallError, bad_response, failure
from scanner.model import AccessKey, Credentials, FailReason, Failure, IamUser

# AWS generates no new report while the stored one is younger than four hours. To that is added how much a clock may be
# off before AWS refuses what it signs.
FRESH = timedelta(hours=4) + timedelta(minutes=15)
POLL_SECONDS = (1.0, 2.0, 3.0, 5.0)  # between two looks at a report in the making; the last one repeats
ASKING = 0.8  # of the time that is left may go to one GenerateCredentialReport; the rest is for what is stored

_CALL = "iam:GetCredentialReport"
NOT_READY = frozenset({"ReportInProgress", "ReportNotPresent", "ReportExpired"})
_NO_CAPACITY = frozenset({"LimitExceeded", "LimitExceededException"})  # "No more capacity to launch new ... tasks"
_MAY_PASS = frozenset({FailReason.THROTTLED, FailReason.TIMEOUT, FailReason.UNREACHABLE})
_COLUMNS = frozenset(  # those that are read; without one of them, unknown would pass for none
    {
        "user",
        "arn",
        "user_creation_time",
        "password_enabled",
        "password_last_used",
        "password_last_changed",
        "mfa_active",
        *(f"access_key_{number}_{what}" for number in "12" for what in ("active", "last_rotated", "last_used_date")),
    }
)
_UNKNOWN = frozenset({"", "N/A", "no_information", "not_supported"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialReport:
    """An account's report: who is in it, and when AWS generated it."""

    generated_at: datetime | None
    rows: Mapping[tuple[str, datetime], Credentials]  # (ARN, creation time to the second) → the user's row
    unreadable: tuple[str, ...] = ()  # names of users whose rows could not be read
    not_renewed: Failure | None = None  # why AWS did not generate a new one; this is the one that it had stored

    def of(self, user: IamUser) -> Credentials | None:
        """Return the row of this very user, not that of an earlier one with the same name."""
        return self.rows.get((user.arn, user.created_at.replace(microsecond=0)))

    def age(self, now: datetime) -> timedelta | None:
        """How old it is; None where AWS does not say when it was generated."""
        return None if self.generated_at is None else max(timedelta(0), now - self.generated_at)

    def is_fresh(self, now: datetime) -> bool:
        """Whether AWS would have generated no newer one."""
        age = self.age(now)
        return age is not None and age <= FRESH


async def credential_report(session: Session) -> CredentialReport:
    """Have the report generated, wait for it, and read it; the session's deadline bounds the wait.

    Generating one replaces the account's stored report, unless that is younger than four hours: then AWS gives that
    one. Where AWS generates none, for lack of capacity just now or for good, the stored report is read; one that is
    older than four hours only if no new one comes in time. Raises `CallError` where there is neither.
    """
    refusal: Failure | None = None  # the last answer to GenerateCredentialReport, where it was one
    old: CredentialReport | None = None
    generate = True
    for pause in itertools.chain(POLL_SECONDS, itertools.repeat(POLL_SECONDS[-1])):
        if generate:
            refusal = await _refusal_to_generate(session, refusal)
        final = refusal is not None and refusal.reason not in _MAY_PASS
        try:
            report = replace(await stored_report(session), not_renewed=refusal)
        except CallError as error:
            why = error.failure
            generate = why.code != "ReportInProgress"  # it expired while we waited, or was never begun
            if why.code not in NOT_READY or (final and generate):
                if old is not None:
                    return old
                raise CallError(refusal if refusal and (final or why.reason in _MAY_PASS) else why) from None
        else:
            if refusal is None or final or report.is_fresh(datetime.now(UTC)):
                return report
            old, generate = report, True
        if not session.time_left(pause):
            break
        await asyncio.sleep(pause)
    if old is not None:
        return old
    raise CallError(refusal or failure(FailReason.TIMEOUT, _CALL, "AWS did not finish the report in time."))


async def _refusal_to_generate(session: Session, last: Failure | None) -> Failure | None:
    """Ask AWS to generate a report; return why it does not: `last` again, where it said nothing this time."""
    try:
        await session.within(ASKING).call("iam", "GenerateCredentialReport")
    except CallError as error:
        refused = error.failure
        if refused.code in _NO_CAPACITY:
            return failure(FailReason.THROTTLED, refused.call, refused.detail, code=refused.code)
        return refused if refused.code or last is None else last
    return None


async def stored_report(session: Session) -> CredentialReport:
    """Read the report that IAM has now, and have none generated; raise `CallError` where there is none."""
    answer = await session.call("iam", "GetCredentialReport")
    try:
        return parse(answer["Content"], answer.get("GeneratedTime"))
    except (KeyError, ValueError, csv.Error) as error:
        raise bad_response(_CALL, "The report could not be read as a credential report.") from error


def parse(content: bytes, generated_at: datetime | None) -> CredentialReport:
    """Parse a report; raise ValueError where it is not one. A row that cannot be read costs its user alone."""
    reader = csv.DictReader(io.StringIO(content.decode("utf-8")))
    missing = _COLUMNS - set(reader.fieldnames or ())
    if missing:
        raise ValueError(f"no column {', '.join(sorted(missing))}")
    rows: dict[tuple[str, datetime], Credentials] = {}
    unreadable: list[str] = []
    for row in reader:
        if row["user"] == "<root_account>":
            continue
        try:
            identity = _identity(row)
            rows[identity] = _credentials(row)
        except ValueError:
            unreadable.append(row["user"] or "a user without a name")
    return CredentialReport(generated_at=generated_at, rows=rows, unreadable=tuple(unreadable))


def _identity(row: Mapping[str, str]) -> tuple[str, datetime]:
    """Return the ARN and the creation time, which every user has; raise ValueError where the row is cut short."""
    created = _time(row["user_creation_time"])
    if created is None or any(row[column] is None for column in _COLUMNS):
        raise ValueError("a row that lacks something")
    return row["arn"], created.replace(microsecond=0)


def _credentials(row: Mapping[str, str]) -> Credentials:
    return Credentials(
        console_access=_boolean(row["password_enabled"]),
        password_last_used=_time(row["password_last_used"]),
        password_last_changed=_time(row["password_last_changed"]),
        mfa_active=_boolean(row["mfa_active"]),
        access_keys=tuple(key for key in (_access_key(row, "1"), _access_key(row, "2")) if key is not None),
    )


def _access_key(row: Mapping[str, str], number: str) -> AccessKey | None:
    """Return the key of this number; None where there is none, which shows as never rotated and not active."""
    active = _boolean(row[f"access_key_{number}_active"])
    rotated = _time(row[f"access_key_{number}_last_rotated"])
    if active is False and rotated is None:
        return None
    return AccessKey(
        active=active,
        last_rotated=rotated,
        last_used=_time(row[f"access_key_{number}_last_used_date"]),
        last_used_service=_word(row.get(f"access_key_{number}_last_used_service")),
        last_used_region=_word(row.get(f"access_key_{number}_last_used_region")),
    )


def _boolean(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text.lower())


def _word(text: str | None) -> str | None:
    return None if text is None or text in _UNKNOWN else text


def _time(text: str | None) -> datetime | None:
    """Parse a time that ends in Z or +00:00; None for AWS's words for none and unknown. Raise ValueError otherwise."""
    return None if text is None or text in _UNKNOWN else in_utc(datetime.fromisoformat(text))


def in_utc(value: datetime) -> datetime:
    """Return the time in UTC; raise ValueError for one without a zone, or outside the calendar."""
    if value.tzinfo is None:
        raise ValueError("a time without zone")
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("a time outside the calendar") from error
