"""How a user's credentials are used, from its row of the credential report. Pure: the day is passed in.

A value is `None` where the report has no row for this very user, or does not say what the value depends on. Ages are
whole days in UTC and never negative: a run may read a credential that was used after the run started.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from scanner.model import AccessKey, Credentials


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    console_access: bool | None = None
    mfa_active: bool | None = None
    active_access_keys: int | None = None
    oldest_active_key_age_days: int | None = None  # None also where no key is active
    stale_credentials: tuple[str, ...] | None = None  # which ones; () where it is known that none is
    last_activity_at: datetime | None = None  # None also where no credential was ever used
    last_activity_service: str | None = None  # "console", "s3 (us-east-1)"
    days_since_activity: int | None = None
    dormant: bool | None = None

    @property
    def console_without_mfa(self) -> bool | None:
        if self.console_access is False or self.mfa_active is True:
            return False
        return None if self.console_access is None or self.mfa_active is None else True

    @property
    def dormant_with_keys(self) -> bool | None:
        """Dormant with an active access key: nobody would miss the key, and whoever holds it can use it."""
        if self.dormant is False or self.active_access_keys == 0:
            return False
        return None if self.dormant is None or self.active_access_keys is None else True


UNKNOWN = Activity()


def activity(
    credentials: Credentials | None, created_at: datetime, dormant_days: int, started_at: datetime
) -> Activity:
    """The activity of a user as of the day on which the run started.

    A credential's age counts from its last use, else from when it was set, else from when the user was created. That
    may overstate the age, which sends a person to look; understating it would hide the credential.
    """
    if credentials is None:
        return UNKNOWN
    today = _day(started_at)
    enabled = _enabled(credentials, created_at)
    stale = None if enabled is None else tuple(one for one in enabled if _age(one.counts_from, today) >= dormant_days)
    last = _last_used(credentials)
    return Activity(
        console_access=credentials.console_access,
        mfa_active=credentials.mfa_active,
        active_access_keys=_active_keys(credentials.access_keys),
        oldest_active_key_age_days=_oldest_active_key(credentials.access_keys, today),
        stale_credentials=None if stale is None else tuple(credential.name for credential in stale),
        last_activity_at=last,
        last_activity_service=_last_service(credentials, last),
        days_since_activity=None if last is None else _age(last, today),
        dormant=None if enabled is None or stale is None else bool(enabled) and len(stale) == len(enabled),
    )


@dataclass(frozen=True, slots=True)
class _Credential:
    name: str
    counts_from: datetime


def _enabled(credentials: Credentials, created_at: datetime) -> tuple[_Credential, ...] | None:
    """The enabled credentials; None where the report does not say of one of them."""
    if credentials.console_access is None or any(key.active is None for key in credentials.access_keys):
        return None
    password = _Credential(
        "password", credentials.password_last_used or credentials.password_last_changed or created_at
    )
    keys = (
        _Credential(_key_name(key), key.last_used or key.last_rotated or created_at)
        for key in credentials.access_keys
        if key.active
    )
    return (*((password,) if credentials.console_access else ()), *keys)


def _key_name(key: AccessKey) -> str:
    """A key is named by the day it was set, which the console shows too: the report does not have key ids."""
    return "access key" if key.last_rotated is None else f"access key of {_day(key.last_rotated)}"


def _active_keys(keys: tuple[AccessKey, ...]) -> int | None:
    return None if any(key.active is None for key in keys) else sum(key.active is True for key in keys)


def _oldest_active_key(keys: tuple[AccessKey, ...], today: date) -> int | None:
    """In days; None where no key is active, or where a key of unknown age may be older."""
    if any(key.active is not False and (key.active is None or key.last_rotated is None) for key in keys):
        return None
    return max((_age(key.last_rotated, today) for key in keys if key.active and key.last_rotated), default=None)


def _last_used(credentials: Credentials) -> datetime | None:
    """The newest use of password or access keys, disabled ones included."""
    uses = (credentials.password_last_used, *(key.last_used for key in credentials.access_keys))
    return max((use for use in uses if use is not None), default=None)


def _last_service(credentials: Credentials, last: datetime | None) -> str | None:
    """What the newest use was of; of uses at the same time, the key's says more."""
    for key in credentials.access_keys:
        if last is not None and key.last_used == last and key.last_used_service is not None:
            region = f" ({key.last_used_region})" if key.last_used_region else ""
            return f"{key.last_used_service}{region}"
    return "console" if last is not None and credentials.password_last_used == last else None


def _age(then: datetime, today: date) -> int:
    return max(0, (today - _day(then)).days)


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()
