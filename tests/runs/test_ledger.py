"""The ledger: what is appended is read back, it only grows, and a broken line is named."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from scanner.errors import FaultsError, OutputError, UsageError
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
    assert read(tmp_path, []) == ()


def test_decisions_are_read_back_as_they_were(tmp_path: Path) -> None:
    bare = replace(DECIDED, choice=Choice.KEEP, owner=None, kind=None, approve_until=None, ticket=None, comment=None)
    append(tmp_path, [line()])
    append(tmp_path, [line(bare)])
    assert read(tmp_path, []) == (DECIDED, bare)
    assert latest(read(tmp_path, [])) == {(DECIDED.account_id, DECIDED.user_id): bare}


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
        ("2026-11-24", "20261124", "decisions.csv:3"),
        ("2027-05-01", "2027-02-30", "decisions.csv:3"),
        ("SEC-1,", "SEC-1,more,", "decisions.csv:3"),
        ("SEC-1,", "", "decisions.csv:3"),
        ("reviewer", "who", "decisions.csv:1"),
        ("auditor,", 'auditor,"x"y,', "decisions.csv:"),
    ],
)
def test_a_line_that_was_changed_is_named(tmp_path: Path, old: str, new: str, named: str) -> None:
    append(tmp_path, [line()])
    text = (tmp_path / LEDGER).read_bytes().decode()
    (tmp_path / LEDGER).write_bytes(text.replace(old, new, 1).encode())
    with pytest.raises(FaultsError, match=named):
        read(tmp_path, [])


# --- a line that was cut off -----------------------------------------------------------------------------------------

BARE = replace(DECIDED, choice=Choice.KEEP, owner=None, kind=None, approve_until=None, ticket=None, comment=None)


def test_a_last_line_that_was_cut_off_anywhere_is_left_out_and_reported(tmp_path: Path) -> None:
    """But where a line end in the comment makes half a line look whole: that is refused."""
    append(tmp_path, [line(BARE)])
    whole = (tmp_path / LEDGER).read_bytes()
    append(tmp_path, [line()])
    data = (tmp_path / LEDGER).read_bytes()
    inside = data.index(b"\r\nsecond line") + 2
    for length in range(len(whole) + 1, len(data)):
        (tmp_path / LEDGER).write_bytes(data[:length])
        notes: list[str] = []
        if length == inside:
            with pytest.raises(FaultsError, match=r"decisions\.csv:3: .* a quote is not closed"):
                read(tmp_path, notes)
        else:
            assert read(tmp_path, notes) == (BARE,)
            (note,) = notes
            assert note.startswith(f"The last line of {tmp_path / LEDGER} was cut off")


def test_the_next_import_goes_on_behind_the_last_whole_line(tmp_path: Path) -> None:
    append(tmp_path, [line(BARE), line()])
    data = (tmp_path / LEDGER).read_bytes()
    for length in range(len(data) + 1):
        (tmp_path / LEDGER).write_bytes(data[:length])
        if data[:length].endswith(b"\r\n") and length < len(data) and data[length:].startswith(b"second"):
            continue  # refused, see above
        before = read(tmp_path, [])
        append(tmp_path, [line(DECIDED)])
        notes: list[str] = []
        assert read(tmp_path, notes) == (*before, DECIDED)
        assert notes == []


def test_a_ledger_that_was_cut_off_in_its_header_holds_no_decision(tmp_path: Path) -> None:
    (tmp_path / LEDGER).write_bytes(b"\xef\xbb\xbfimported_at,imp")
    notes: list[str] = []
    assert read(tmp_path, notes) == ()
    assert len(notes) == 1
    (tmp_path / LEDGER).write_bytes(b"")
    assert read(tmp_path, []) == ()


@pytest.mark.parametrize("cut", [0, 20])
def test_a_stray_quote_does_not_take_the_decisions_after_it_for_a_line_that_was_cut_off(
    tmp_path: Path, cut: int
) -> None:
    append(tmp_path, [line(BARE), line(BARE), line(BARE)])
    data = (tmp_path / LEDGER).read_bytes()
    at = data.index(b"auditor")
    broken = data[:at] + b'"' + data[at:]
    (tmp_path / LEDGER).write_bytes(broken[: len(broken) - cut])
    with pytest.raises(FaultsError, match=r"decisions\.csv:2: .* a quote is not closed"):
        read(tmp_path, [])
    with pytest.raises(FaultsError):
        append(tmp_path, [line()])
    assert (tmp_path / LEDGER).read_bytes() == broken[: len(broken) - cut]


# --- locks -----------------------------------------------------------------------------------------------------------


def test_two_imports_do_not_mix(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(UsageError, match="Another import"), locked(tmp_path):
        pass


def test_without_locks_nothing_is_imported(tmp_path: Path, without_locks: None) -> None:
    with pytest.raises(OutputError, match=r"cannot be locked: .*--output"), locked(tmp_path):
        pytest.fail("it went on")
