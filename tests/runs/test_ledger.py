"""The ledger: what is appended is read back, it only grows, and a broken line is named."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from scanner.errors import FaultsError, UsageError
from scanner.model import AccountId, Choice, Kind, UserId
from scanner.record import ReviewDecision
from scanner.runs.ledger import LEDGER, LedgerLine, append, latest, locked, read

DECIDED = ReviewDecision(
    run_id="20261123T164100Z-1a2b3c",
    account_id=AccountId("000000000001"),
    user_id=UserId("AIDAALICE"),
    choice=Choice.APPROVE,
    reviewer="ciso@example.com",
    reviewed_on=date(2026, 11, 24),
    owner="db@example.com",
    kind=Kind.SERVICE,
    approve_until=date(2027, 5, 1),
    ticket="SEC-1",
    comment='=cmd|"calc"\r\nsecond line, "quoted"',
)


def line(decision: ReviewDecision = DECIDED) -> LedgerLine:
    return LedgerLine(
        decision=decision,
        account_name="=1+1",
        user_name="+alice",
        arn="arn:aws:iam::000000000001:user/+alice",
        journal_sha256="0" * 64,
        workbook="review.xlsx",
        workbook_sha256="1" * 64,
        imported_at=datetime(2026, 11, 25, 8, 0, tzinfo=UTC),
        imported_by="auditor",
    )


def test_without_a_ledger_nothing_was_decided(tmp_path: Path) -> None:
    assert read(tmp_path) == ()


def test_decisions_are_read_back_as_they_were(tmp_path: Path) -> None:
    bare = replace(DECIDED, choice=Choice.KEEP, owner=None, kind=None, approve_until=None, ticket=None, comment=None)
    append(tmp_path, [line()])
    append(tmp_path, [line(bare)])
    assert read(tmp_path) == (DECIDED, bare)
    assert latest(read(tmp_path)) == {(DECIDED.account_id, DECIDED.user_id): bare}


def test_a_spreadsheet_runs_nothing_of_it(tmp_path: Path) -> None:
    append(tmp_path, [line()])
    text = (tmp_path / LEDGER).read_bytes().decode("utf-8-sig")
    assert ",'=1+1," in text
    assert ",'+alice," in text
    assert "\"'=cmd|" in text


def test_it_only_grows_and_is_for_its_owner_alone(tmp_path: Path) -> None:
    append(tmp_path, [line()])
    before = (tmp_path / LEDGER).read_bytes()
    append(tmp_path, [line(replace(DECIDED, choice=Choice.REMOVE))])
    assert (tmp_path / LEDGER).read_bytes().startswith(before)
    assert (tmp_path / LEDGER).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("000000000001,", "1,", "decisions.csv:3"),
        ("Approve", "Perhaps", "decisions.csv:3"),
        ("2026-11-24", "24.11.2026", "decisions.csv:3"),
        ("reviewer", "who", "decisions.csv:1"),
        ("auditor,", 'auditor,"x"y,', "decisions.csv:"),
    ],
)
def test_a_line_that_was_changed_is_named(tmp_path: Path, old: str, new: str, named: str) -> None:
    append(tmp_path, [line()])
    text = (tmp_path / LEDGER).read_bytes().decode()
    (tmp_path / LEDGER).write_bytes(text.replace(old, new, 1).encode())
    with pytest.raises(FaultsError, match=named):
        read(tmp_path)


def test_a_line_that_was_cut_off_is_no_decision(tmp_path: Path) -> None:
    append(tmp_path, [line()])
    (tmp_path / LEDGER).write_bytes((tmp_path / LEDGER).read_bytes()[:-2])
    with pytest.raises(FaultsError, match="cut off"):
        read(tmp_path)


def test_two_imports_do_not_mix(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(UsageError, match="Another import"), locked(tmp_path):
        pass
