from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from scanner.audit.credential_use import UNKNOWN, Activity, activity
from scanner.model import AccessKey, Credentials
from tests.builders import START, credentials

CREATED = START - timedelta(days=400)


def days_ago(days: int) -> datetime:
    return START - timedelta(days=days)


def key(*, active: bool | None = True, rotated: int | None = None, used: int | None = None) -> AccessKey:
    return AccessKey(
        active=active,
        last_rotated=None if rotated is None else days_ago(rotated),
        last_used=None if used is None else days_ago(used),
    )


def password(*, used: int | None = None, changed: int | None = None) -> Credentials:
    return replace(
        credentials(),
        console_access=True,
        password_last_used=None if used is None else days_ago(used),
        password_last_changed=None if changed is None else days_ago(changed),
    )


def of(given: Credentials | None, dormant_days: int = 45) -> Activity:
    return activity(given, CREATED, dormant_days, START)


def test_without_a_row_of_the_report_nothing_is_known() -> None:
    assert of(None) == UNKNOWN


def test_a_user_without_credentials_is_known_to_have_none() -> None:
    assert of(credentials()) == Activity(
        console_access=False, mfa_active=False, active_access_keys=0, stale_credentials=(), dormant=False
    )


@pytest.mark.parametrize(("used", "dormant"), [(0, False), (44, False), (45, True), (400, True)])
def test_a_password_is_stale_from_the_day_on(used: int, dormant: bool) -> None:
    found = of(password(used=used))
    assert found.dormant is dormant
    assert found.stale_credentials == (("password",) if dormant else ())
    assert found.days_since_activity == used


def test_a_password_never_used_counts_from_when_it_was_set() -> None:
    assert of(password(changed=10)).dormant is False
    assert of(password(changed=50)).dormant is True


def test_a_password_of_which_nothing_is_known_counts_from_the_user() -> None:
    assert of(password()).stale_credentials == ("password",)


def test_one_credential_in_use_keeps_the_user_awake_but_not_the_other_from_being_stale() -> None:
    found = of(replace(password(used=3), access_keys=(key(rotated=300, used=200),)))
    assert found.dormant is False
    assert found.stale_credentials == ("access key of 2026-01-27",)
    assert found.last_activity_at == days_ago(3)


def test_a_key_that_is_off_is_not_stale_yet_its_use_was_activity() -> None:
    found = of(replace(credentials(), access_keys=(key(active=False, rotated=300, used=100),)))
    assert (found.active_access_keys, found.stale_credentials, found.dormant) == (0, (), False)
    assert found.days_since_activity == 100
    assert found.oldest_active_key_age_days is None


def test_the_oldest_active_key_counts() -> None:
    keys = (key(rotated=20, used=1), key(rotated=90, used=1), key(active=False, rotated=900))
    found = of(replace(credentials(), access_keys=keys))
    assert (found.active_access_keys, found.oldest_active_key_age_days) == (2, 90)


def test_an_age_that_may_be_higher_is_not_told() -> None:
    keys = (key(rotated=20, used=1), key(used=1))
    assert of(replace(credentials(), access_keys=keys)).oldest_active_key_age_days is None


@pytest.mark.parametrize(
    "unclear",
    [
        replace(credentials(), console_access=None),
        replace(credentials(), access_keys=(key(active=None, rotated=100, used=100),)),
    ],
)
def test_where_it_is_open_what_is_enabled_nothing_is_said(unclear: Credentials) -> None:
    found = of(unclear)
    assert found.dormant is None
    assert found.stale_credentials is None


def test_ages_are_utc_days_and_never_negative() -> None:
    late = datetime(2026, 11, 22, 23, 30, tzinfo=timezone(timedelta(hours=-3)))  # 02:30 on the 23rd in UTC
    after = START + timedelta(days=1)
    for used in (late, after):
        found = of(replace(password(), password_last_used=used))
        assert found.days_since_activity == 0
    assert datetime(2026, 11, 23, tzinfo=UTC).date() == START.date()
