"""The credential report: by column name, with AWS's words for none and unknown, and joined to the very same user."""

import csv
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.aws.credential_report import parse
from scanner.model import Credentials
from tests.builders import user

CREATED = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
ALICE = user("alice")

NONE = {
    "user": "alice",
    "arn": ALICE.arn,
    "user_creation_time": "2026-01-15T09:30:00+00:00",
    "password_enabled": "false",
    "password_last_used": "N/A",
    "password_last_changed": "N/A",
    "password_next_rotation": "N/A",
    "mfa_active": "false",
    "access_key_1_active": "false",
    "access_key_1_last_rotated": "N/A",
    "access_key_1_last_used_date": "N/A",
    "access_key_1_last_used_region": "N/A",
    "access_key_1_last_used_service": "N/A",
    "access_key_2_active": "false",
    "access_key_2_last_rotated": "N/A",
    "access_key_2_last_used_date": "N/A",
    "access_key_2_last_used_region": "N/A",
    "access_key_2_last_used_service": "N/A",
    "cert_1_active": "false",
    "cert_1_last_rotated": "N/A",
    "cert_2_active": "false",
    "cert_2_last_rotated": "N/A",
}


def report(*rows: dict[str, str]) -> bytes:
    columns = list(rows[0])
    return "\n".join([",".join(columns), *(",".join(row[column] for column in columns) for row in rows)]).encode()


def of_alice(**changes: str) -> Credentials:
    found = parse(report(NONE | changes), None).of(ALICE)
    assert found is not None
    return found


def test_a_user_without_credentials_has_none() -> None:
    found = of_alice()
    assert (found.console_access, found.mfa_active, found.access_keys) == (False, False, ())
    assert (found.password_last_used, found.password_last_changed) == (None, None)


@pytest.mark.parametrize("text", ["2026-02-01T10:00:00+00:00", "2026-02-01T10:00:00Z"])
def test_times_end_in_z_or_in_an_offset(text: str) -> None:
    assert of_alice(password_enabled="true", password_last_used=text).password_last_used == datetime(
        2026, 2, 1, 10, tzinfo=UTC
    )


@pytest.mark.parametrize(("text", "expected"), [("true", True), ("TRUE", True), ("false", False), ("FALSE", False)])
def test_booleans_come_in_either_case(text: str, expected: bool) -> None:
    assert of_alice(mfa_active=text).mfa_active is expected


@pytest.mark.parametrize("text", ["N/A", "no_information", "not_supported", ""])
def test_what_aws_does_not_know_is_unknown_and_not_false(text: str) -> None:
    found = of_alice(mfa_active=text, password_enabled=text, password_last_used=text)
    assert (found.mfa_active, found.console_access, found.password_last_used) == (None, None, None)


def test_a_key_that_was_never_used_is_a_key() -> None:
    (key,) = of_alice(access_key_2_active="true", access_key_2_last_rotated="2026-02-01T10:00:00Z").access_keys
    assert (key.active, key.last_used) == (True, None)


def test_an_inactive_key_is_a_key_too() -> None:
    (key,) = of_alice(access_key_1_last_rotated="2026-02-01T10:00:00Z").access_keys
    assert key.active is False


def test_columns_may_come_in_any_order_and_number() -> None:
    more = {"additional_credentials_info": "x", **dict(reversed(list(NONE.items())))}
    assert parse(report(more), None).of(ALICE) == of_alice()


def test_a_column_that_is_not_read_may_be_gone() -> None:
    without = {name: value for name, value in NONE.items() if name != "cert_1_active"}
    assert parse(report(without), None).of(ALICE) is not None


@pytest.mark.parametrize(
    "column",
    [
        "arn",
        "user_creation_time",
        "password_enabled",
        "password_last_used",
        "mfa_active",
        "access_key_2_active",
        "access_key_1_last_rotated",
        "access_key_1_last_used_date",
    ],
)
def test_without_these_columns_it_is_no_report(column: str) -> None:
    without = {name: value for name, value in NONE.items() if name != column}
    with pytest.raises(ValueError, match=column):
        parse(report(without), None)


@pytest.mark.parametrize("content", [b"", b"hello", b"<html></html>", b"\xff\xfe", b"user,arn\n"])
def test_other_things_are_no_report(content: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  ours, or the decoder's
        parse(content, None)


UNREADABLE = {
    "a time without a zone": {"password_last_used": "2026-02-01T10:00:00"},
    "a time in words": {"access_key_2_active": "true", "access_key_2_last_used_date": "yesterday"},
    "a time outside the calendar": {"access_key_1_last_rotated": "0001-01-01T00:00:00+14:00"},
    "no time of creation": {"user_creation_time": "N/A"},
    "a creation in words": {"user_creation_time": "yesterday"},
}


@pytest.mark.parametrize("changes", UNREADABLE.values(), ids=UNREADABLE)
def test_a_row_that_cannot_be_read_costs_its_user_alone(changes: dict[str, str]) -> None:
    bob = user("bob")
    read = parse(report(NONE | changes, NONE | {"user": "bob", "arn": bob.arn}), None)
    assert (read.of(ALICE), read.unreadable) == (None, ("alice",))
    assert read.of(bob) is not None


@pytest.mark.parametrize("fields", range(1, 16))
def test_a_row_that_is_cut_costs_its_user(fields: int) -> None:
    """The last column that is read is the 16th."""
    head, row = report(NONE).decode().split("\n")
    read = parse(f"{head}\n{','.join(row.split(',')[:fields])}".encode(), None)
    assert (read.of(ALICE), read.unreadable) == (None, ("alice",))


def test_a_cut_row_need_not_name_its_user() -> None:
    head, row = report({"arn": NONE["arn"], **NONE}).decode().split("\n")
    read = parse(f"{head}\n{row.split(',')[0]}".encode(), None)
    assert read.unreadable == ("a user without a name",)


def test_more_fields_than_columns_are_left_unread() -> None:
    assert parse(report(NONE) + b",x,y", None).of(ALICE) == of_alice()


@given(st.integers(0, 1000), st.integers(0, 60), st.text(max_size=8))
def test_a_damaged_report_is_refused_or_costs_rows_and_breaks_nothing(start: int, length: int, instead: str) -> None:
    whole = report(NONE, NONE | {"user": "bob", "arn": user("bob").arn}).decode()
    damaged = whole[:start] + instead + whole[start + length :]
    try:
        read = parse(damaged.encode(), None)
    except (ValueError, csv.Error):
        return
    assert len(read.rows) + len(read.unreadable) <= damaged.count("\n") + damaged.count("\r") + 1


# --- how old it is ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "fresh"),
    [
        (timedelta(0), True),
        (timedelta(hours=4), True),
        (timedelta(hours=4, minutes=14), True),  # by a clock that is ahead
        (timedelta(hours=4, minutes=16), False),
        (timedelta(days=4000), False),
        (-timedelta(minutes=10), True),  # by a clock that is behind
    ],
)
def test_a_report_is_fresh_for_the_four_hours_for_which_aws_generates_no_other(age: timedelta, fresh: bool) -> None:
    now = datetime(2026, 11, 23, 16, 41, tzinfo=UTC)
    read = parse(report(NONE), now - age)
    assert read.is_fresh(now) is fresh
    assert read.age(now) == max(age, timedelta(0))


def test_a_report_without_its_time_has_no_age_and_is_not_fresh() -> None:
    read = parse(report(NONE), None)
    assert (read.age(CREATED), read.is_fresh(CREATED)) == (None, False)


# --- whose row it is -------------------------------------------------------------------------------------------------


def test_root_is_no_user() -> None:
    root = NONE | {"user": "<root_account>", "user_creation_time": "not_supported"}
    read = parse(report(root, NONE), None)
    assert read.rows.keys() == {(ALICE.arn, CREATED)}
    assert read.unreadable == ()


def test_a_row_belongs_to_a_user_by_arn_and_creation_to_the_second() -> None:
    found = parse(report(NONE), None)
    assert found.of(ALICE) is not None
    assert found.of(user("alice", created_at=CREATED + timedelta(microseconds=999_999))) is not None
    assert found.of(user("alice", created_at=CREATED + timedelta(seconds=1))) is None
    assert found.of(user("alice", created_at=CREATED - timedelta(seconds=1))) is None


def test_a_row_of_another_path_or_account_belongs_to_another_user() -> None:
    found = parse(report(NONE), None)
    assert found.of(user("alice", path="/ops/")) is None
    assert found.of(user("alice", in_account=2)) is None


def test_the_same_moment_in_another_zone_is_the_same_moment() -> None:
    row = NONE | {"user_creation_time": "2026-01-15T11:30:00+02:00"}
    assert parse(report(row), None).of(ALICE) is not None


def test_a_name_with_a_comma_is_quoted_and_read() -> None:
    odd = user("a,b")
    row = NONE | {"user": '"a,b"', "arn": f'"{odd.arn}"'}
    assert parse(report(row), None).of(odd) is not None


def test_when_it_was_made_is_kept() -> None:
    assert parse(report(NONE), CREATED).generated_at == CREATED


@given(
    st.fixed_dictionaries(
        {
            "mfa_active": st.sampled_from(["true", "false", "N/A", ""]),
            "password_enabled": st.sampled_from(["true", "false", "not_supported"]),
            "access_key_1_active": st.sampled_from(["true", "false"]),
            "access_key_1_last_rotated": st.sampled_from(["N/A", "2026-02-01T10:00:00Z"]),
            "access_key_2_active": st.sampled_from(["true", "false"]),
            "access_key_2_last_rotated": st.sampled_from(["N/A", "2026-02-01T10:00:00Z"]),
        }
    )
)
def test_every_mix_of_values_is_read_and_no_active_key_is_lost(changes: dict[str, str]) -> None:
    found = of_alice(**changes)
    active = sum(changes[f"access_key_{number}_active"] == "true" for number in (1, 2))
    assert sum(key.active is True for key in found.access_keys) == active
