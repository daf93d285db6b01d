"""The IAM credential report: parsed by column name, as the number and order of its columns have changed before.

Source: GetCredentialReport; its columns are described in the IAM user guide, "Getting credential reports".
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from scanner.model import AccessKey, Credentials, IamUser

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
    """An account's report: who is in it, and when AWS made it (it may be four hours old)."""

    generated_at: datetime | None
    rows: Mapping[tuple[str, datetime], Credentials]  # (ARN, creation time to the second) → the user's row

    def of(self, user: IamUser) -> Credentials | None:
        """Return the row of this very user, not that of an earlier one with the same name."""
        return self.rows.get((user.arn, user.created_at.replace(microsecond=0)))


def parse(content: bytes, generated_at: datetime | None) -> CredentialReport:
    """Parse a report; raise ValueError where it is not one. Rows without a creation time (root) belong to no user."""
    reader = csv.DictReader(io.StringIO(content.decode("utf-8")))
    missing = _COLUMNS - set(reader.fieldnames or ())
    if missing:
        raise ValueError(f"no column {', '.join(sorted(missing))}")
    rows: dict[tuple[str, datetime], Credentials] = {}
    for row in reader:
        created = _time(row["user_creation_time"])
        if created is not None and row["user"] != "<root_account>":
            rows[row["arn"], created.replace(microsecond=0)] = _credentials(row)
    return CredentialReport(generated_at=generated_at, rows=rows)


def _credentials(row: Mapping[str, str]) -> Credentials:
    return Credentials(
        console_access=_boolean(row.get("password_enabled")),
        password_last_used=_time(row.get("password_last_used")),
        password_last_changed=_time(row.get("password_last_changed")),
        mfa_active=_boolean(row.get("mfa_active")),
        access_keys=tuple(key for key in (_access_key(row, "1"), _access_key(row, "2")) if key is not None),
    )


def _access_key(row: Mapping[str, str], number: str) -> AccessKey | None:
    """Return the key of this number; None where there is none, which shows as never rotated and not active."""
    active = _boolean(row.get(f"access_key_{number}_active"))
    rotated = _time(row.get(f"access_key_{number}_last_rotated"))
    if active is False and rotated is None:
        return None
    return AccessKey(
        active=active, last_rotated=rotated, last_used=_time(row.get(f"access_key_{number}_last_used_date"))
    )


def _boolean(text: str | None) -> bool | None:
    return {"true": True, "false": False}.get((text or "").lower())


def _time(text: str | None) -> datetime | None:
    """Parse a time that ends in Z or +00:00; None for AWS's words for none and unknown. Raise ValueError otherwise."""
    if text is None or text in _UNKNOWN:
        return None
    try:
        return in_utc(datetime.fromisoformat(text))
    except OverflowError as error:
        raise ValueError(f"a time outside the calendar: {text!r}") from error


def in_utc(value: datetime) -> datetime:
    """Return the time in UTC; raise ValueError for one without a zone, OverflowError for one out of the calendar."""
    if value.tzinfo is None:
        raise ValueError("a time without zone")
    return value.astimezone(UTC)
