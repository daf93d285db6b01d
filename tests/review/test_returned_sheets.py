"""What reviewers and their spreadsheets do to the Review sheet before it comes back."""

import re
from datetime import timedelta

import pytest
from openpyxl.workbook import Workbook

from scanner.review.decisions import _comparable
from scanner.safelist.entries import parse
from scanner.safelist.read import read as read_safelists
from tests.review.desk import LATER, Desk, approve, decided, faults, head_of, remove, verdicts


def test_rows_and_columns_may_stand_anywhere(desk: Desk) -> None:
    def disturb(book: Workbook) -> None:
        sheet = book["Review"]
        head, *rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
        user = head.index("user_name")
        kept = [row for row in rows if row[user] in {"alice", "bob"}]
        sheet.delete_rows(1, sheet.max_row)
        for row in (head, *reversed(kept)):
            sheet.append([None, "mine", *reversed(row)])
        sheet.append([])
        sheet.append(["a note below"])

    done = desk.imported(desk.filled({"sandbox/bob": remove(), "prod/alice": approve()}, edit=disturb), "--write")
    assert done.exit_code == 0, done.err
    assert (verdicts(desk)["sandbox/bob"], verdicts(desk)["prod/alice"]) == ("REVOKED", "SAFELISTED")


def test_names_that_a_spreadsheet_escapes_are_still_the_same(desk: Desk) -> None:
    users = ("=1+1", "user_x000D_y", "a_x005F_bx005F_")
    done = desk.imported(desk.filled({f"prod/{user}": approve() for user in users}), "--write")
    assert done.exit_code == 0, done.err
    assert {verdicts(desk)[f"prod/{user}"] for user in users} == {"SAFELISTED"}


@pytest.mark.parametrize("written", [" ", "\u3164", "\u200b"])
def test_a_name_of_which_nothing_is_seen_may_come_back_as_an_empty_cell(written: str) -> None:
    assert _comparable(written) == _comparable("")


def test_dates_may_be_text_and_account_ids_numbers(desk: Desk) -> None:
    def numbers(book: Workbook) -> None:
        at = head_of(book, "account_id").column
        for (cell,) in book["Review"].iter_rows(min_row=2, min_col=at, max_col=at):
            if not str(cell.value).startswith("0"):
                cell.value = int(str(cell.value))

    later, today = LATER.isoformat(), f" {desk.today.isoformat()} "
    book = desk.filled({"prod/alice": approve(approve_until=later, reviewed_on=today)}, edit=numbers)
    assert desk.imported(book).exit_code == 0


def fill_down(book: Workbook) -> None:
    sheet = book["Review"]
    at = head_of(book, "decision").column
    for row in range(sheet.max_row + 1, 20_001):
        sheet.cell(row, at).value = "Remove"


def test_a_decision_filled_down_far_below_the_users_is_one_fault(desk: Desk) -> None:
    (fault,) = faults(desk.imported(desk.filled({"dev/bob": remove()}, edit=fill_down)))
    assert re.search(r"Review![A-Z]+\d+:[A-Z]+20000: This row has a decision, but names no user\.", fault)
    assert re.search(r"\([\d,]+ rows\)", fault)


def put_title_above(book: Workbook) -> None:
    book["Review"].insert_rows(1, 2)
    book["Review"]["A1"].value = "Quarterly review"


def test_a_title_above_the_columns_is_said_so(desk: Desk) -> None:
    (fault,) = faults(desk.imported(desk.filled({}, edit=put_title_above)))
    assert "the names of the columns are in row 3, and not in row 1. Delete the rows above them." in fault


def decide_in_a_copy(book: Workbook) -> None:
    copy = book.copy_worksheet(book["Review"])
    copy.title = "Review (2)"
    copy.cell(2, head_of(book, "decision").column).value = "Remove"


def test_decisions_in_a_copy_of_the_sheet_are_not_lost_without_a_word(desk: Desk) -> None:
    (fault,) = faults(desk.imported(desk.filled({}, edit=decide_in_a_copy)))
    assert "Review (2)!" in fault
    assert "there are decisions in this sheet, and only those in Review are read. Move them to Review" in fault


def test_a_reviewer_ahead_of_utc_may_type_the_local_day(desk: Desk) -> None:
    book = desk.filled({"dev/bob": remove(reviewed_on=desk.today + timedelta(days=1))})
    assert desk.imported(book).exit_code == 0


@pytest.mark.parametrize("blank", ["\u200b", "\u00a0", "\u2060 ", "\u3164"])
def test_a_field_that_looks_blank_is_not_filled_in(desk: Desk, blank: str) -> None:
    assert "it has no owner" in faults(desk.imported(desk.filled({"dev/bob": approve(owner=blank)})))[0]
    assert (
        "Defer needs a comment" in faults(desk.imported(desk.filled({"dev/bob": decided("Defer", comment=blank)})))[0]
    )
    assert "reviewer is empty" in faults(desk.imported(desk.filled({"dev/bob": remove(reviewer=blank)})))[0]


def test_what_a_spreadsheet_stored_as_an_escape_is_read_as_what_it_stands_for(desk: Desk) -> None:
    book = desk.filled({"dev/bob": approve(owner="db@example.com_x000D_", ticket="SEC_x002D_7", comment="a_x000A_b")})
    assert desk.imported(book, "--write").exit_code == 0
    (entry,) = (entry for entry in parse(read_safelists([desk.safelist])).entries if entry.value == "bob")
    assert (entry.owner, entry.ticket, entry.reason) == ("db@example.com", "SEC-7", "a b")
