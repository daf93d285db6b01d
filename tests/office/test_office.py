"""What a real spreadsheet program does to the workbook in opening and saving it: nothing that a reviewer would miss."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from scanner.model import UserId
from scanner.report.view import View
from scanner.report.workbook.assemble import write_workbook
from scanner.review.opening import opened, rows
from scanner.review.sheet_reader import merged_cells
from tests.builders import user
from tests.office import (
    Office,
    delete_column,
    delete_row,
    delete_sheet,
    double_row,
    fill,
    insert_column,
    merge,
    only,
    paste,
    rename,
    sort,
)
from tests.office.reading import sheet as read_sheet
from tests.report.samples import finding, sample

pytestmark = pytest.mark.office

# Names that a spreadsheet may take for something else.
NAMES = (
    "alice",
    "000123",
    "1E5",
    "=1+1",
    "+1",
    "@sum",
    "'quoted",
    "user_x000D_y",
    "2026-11-24",
    "TRUE",
    "#N/A",
    "a\tb",
    "a  b ",
)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workbook of a sample organization, with users of odd names."""
    made = sample()
    odd = [finding(replace(user("x"), user_name=name, user_id=UserId(f"AIDA{at:04}"))) for at, name in enumerate(NAMES)]
    path = tmp_path_factory.mktemp("written") / "iam-users.xlsx"
    with path.open("w+b") as out:
        write_workbook(View(replace(made, findings=(*odd, *made.findings))), out)
    return path


@pytest.fixture(scope="module")
def before(written: Path) -> Workbook:
    return load_workbook(written)


@pytest.fixture(scope="module")
def saved(office: Office, written: Path) -> Path:
    """The same, opened and saved: opened in its turn as what a reviewer sent."""
    return office.work(written, written.with_name("saved.xlsx"))


@pytest.fixture(scope="module")
def after(saved: Path) -> Workbook:
    return load_workbook(saved)


def sheet(book: Workbook, title: str) -> Worksheet:
    found = book[title]
    assert isinstance(found, Worksheet)
    return found


def table(path: Path) -> list[dict[str, tuple[str, Any]]]:
    """The rows of the sheet Users, each cell as its type and value."""
    return [{key: (cell.kind, cell.value) for key, cell in row.items()} for row in read_sheet(path, "Users")]


def test_every_cell_is_read_back_as_it_was(saved: Path, written: Path) -> None:
    with opened(written) as one, opened(saved) as other:
        assert list(one.sheets) == list(other.sheets)
        for title in one.sheets:
            assert list(rows(saved, other, title)) == list(rows(written, one, title)), title


def test_no_text_became_a_number_a_formula_or_a_date(saved: Path) -> None:
    assert {row["user_name"] for row in table(saved)} >= {("s", name) for name in NAMES}


def test_what_guides_the_reader_is_kept(before: Workbook, after: Workbook) -> None:
    """Not the frozen panes: a headless LibreOffice drops them."""
    for title in before.sheetnames:
        was, now = sheet(before, title), sheet(after, title)
        assert now.auto_filter.ref == was.auto_filter.ref
        assert now.print_title_rows == was.print_title_rows
        assert (now.page_setup.orientation, now.page_setup.fitToWidth) == ("landscape", was.page_setup.fitToWidth)
        assert str(now.oddFooter) == str(was.oddFooter)
        assert len(now._charts) == len(was._charts)  # type: ignore[attr-defined]
        assert widths(now) == pytest.approx(widths(was), abs=0.5), title


def widths(of: Worksheet) -> dict[int, float]:
    """By column: neighbours of the same width are kept as one."""
    return {
        number: column.width
        for column in of.column_dimensions.values()
        for number in range(column.min or 0, min(column.max or 0, of.max_column) + 1)
    }


def conditions(of: Worksheet) -> Mapping[str, list[str]]:
    """By range; always true is written in two ways."""
    return {
        str(each.sqref): [rule.formula[0].replace("TRUE", "1") for rule in each.rules]
        for each in of.conditional_formatting
    }


def test_colours_and_validations_are_kept(before: Workbook, after: Workbook) -> None:
    for title in before.sheetnames:
        was, now = sheet(before, title), sheet(after, title)
        assert conditions(now) == conditions(was), title
        assert [
            (each.type, each.formula1, str(each.sqref), each.allow_blank, each.error, each.prompt)
            for each in now.data_validations.dataValidation
        ] == [
            (each.type, each.formula1, str(each.sqref), each.allow_blank, each.error, each.prompt)
            for each in was.data_validations.dataValidation
        ]


def notes(of: Worksheet) -> dict[str, str]:
    return {cell.coordinate: cell.comment.text for cell in of[1] if cell.comment}


def test_notes_are_kept(before: Workbook, after: Workbook) -> None:
    for title in before.sheetnames:
        assert notes(sheet(after, title)) == notes(sheet(before, title))


# --- the driver itself: what the tests of the import rely on ---------------------------------------------------------


def test_a_person_s_work_is_done(office: Office, written: Path, tmp_path: Path) -> None:
    """Each step shows in the file."""
    count = len(table(written))
    done = office.work(
        written,
        tmp_path / "worked.xlsx",
        fill({"created_at": "2026-11-24", "owner": "=1+1", "kind": "1"}, sheet="Users", user_name="alice"),
        paste({"created_at": "2026-11-24", "owner": "=1+1"}, sheet="Users", user_name="1E5"),
        insert_column("owner", "mine", "seen", sheet="Users"),
        delete_column("tags", sheet="Users"),
        delete_row(sheet="Users", user_name="000123"),
        sort("user_name", sheet="Users"),
        only("determination", "UNAPPROVED", sheet="Users"),
        rename("Accounts", "Konten"),
        delete_sheet("Standards"),
    )
    found = {row["user_name"][1]: row for row in table(done)}
    assert next(iter(found)) == "user_x000D_y"
    assert len(table(done)) == count - 1
    assert "000123" not in found
    assert {row["mine"] for row in found.values()} == {("s", "seen")}
    assert "tags" not in found["alice"]
    moment = datetime(2026, 11, 24)  # noqa: DTZ001  a workbook knows no time zones
    typed, pasted = found["alice"], found["1E5"]
    assert [typed[key] for key in ("created_at", "owner", "kind")] == [("d", moment), ("f", "=1+1"), ("n", 1)]
    assert [pasted[key] for key in ("created_at", "owner")] == [("s", "2026-11-24"), ("s", "=1+1")]
    with opened(done) as book:
        assert "Konten" in book.sheets
        assert "Standards" not in book.sheets
    users = sheet(load_workbook(done), "Users")
    assert any(each.hidden for each in users.row_dimensions.values())


def test_rows_can_be_doubled_and_cells_merged(office: Office, written: Path, tmp_path: Path) -> None:
    doubled = double_row(sheet="Users", user_name="alice")
    done = office.work(written, tmp_path / "odd.xlsx", doubled, merge("owner", 3, sheet="Users"))
    names = [row["user_name"][1] for row in table(done)]
    assert names.count("alice") == 2
    assert names[-1] == "alice"
    with opened(done) as book:
        assert merged_cells(book, "Users") == ("L2:L4",)
