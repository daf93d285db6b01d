"""How the workbook is set up for people: widths, filters, print, colour."""

import io
from zipfile import ZipFile

import pytest
from openpyxl.workbook import Workbook

from scanner.audit.assessment import Assessment
from scanner.report.columns import USERS
from tests.builders import (
    account,
    failed,
    user,
)
from tests.report.samples import assessed, finding, sample
from tests.report.workbooks import TABLES, opened, rendered, sheet, table, words


@pytest.mark.parametrize(
    ("title", "frozen"),
    [("Review", "C2"), ("Users", "F2"), ("Accounts", "C2"), ("Safelist", "A2"), ("Changes", "E2")],
)
def test_tables_freeze_and_repeat_their_header_and_filter(book: Workbook, title: str, frozen: str) -> None:
    made = sheet(book, title)
    assert made.freeze_panes == frozen
    assert made.print_title_rows == "$1:$1"
    assert made.auto_filter.ref == made.dimensions


def test_every_sheet_prints_landscape_and_fits_the_width(book: Workbook) -> None:
    for made in book.worksheets:
        assert made.page_setup.orientation == "landscape"
        assert made.sheet_properties.pageSetUpPr is not None
        assert made.sheet_properties.pageSetUpPr.fitToPage
        assert made.page_setup.fitToHeight == 0
        assert made.HeaderFooter.oddHeader is not None
        assert made.HeaderFooter.oddHeader.right.text == f"Run {sample().record.header.run_id}"
        assert made.HeaderFooter.oddFooter is not None
        assert made.HeaderFooter.oddFooter.right.text == "Page &P of &N"


def test_no_header_is_wider_than_its_column() -> None:
    assert [column.key for columns in TABLES.values() for column in columns if column.width < len(column.key) + 1] == []


def test_missing_mfa_stands_out_only_where_there_is_console_access(book: Workbook) -> None:
    rules = [rule.formula[0] for each in sheet(book, "Users").conditional_formatting for rule in each.rules]
    assert 'AND($R2="true",$S2="false")' in rules
    assert [column.key for column in USERS][17:19] == ["console_access", "mfa_active"]


def test_the_charts_show_their_axes(book: Workbook) -> None:
    with ZipFile(io.BytesIO(rendered(sample()))) as archive:
        charts = [archive.read(name).decode() for name in archive.namelist() if name.startswith("xl/charts/chart")]
    assert len(charts) == 2
    for chart in charts:
        assert chart.count('<delete val="0"') == 2 or chart.count('delete val="0"') == 2
        assert "Users (number)" in chart


def test_thirty_units_do_not_break_the_summary() -> None:
    spread = [finding(user(in_account=n), at=account(n, ou_path=f"Root/Unit {n:02}")) for n in range(1, 31)]
    text = words(opened(assessed(spread)), "Summary")
    assert "15 other units" in text


@pytest.mark.parametrize("empty", [assessed(), assessed(accounts=[account(1)], scans=[failed(1)])])
def test_a_run_without_users_still_renders(empty: Assessment) -> None:
    made = opened(empty)
    assert "No unapproved user was found." in words(made, "Summary")
    assert table(made, "Users") == []


def test_the_same_assessment_gives_the_same_workbook() -> None:
    assert rendered(sample()) == rendered(sample())


def test_its_properties_are_those_of_the_run(book: Workbook) -> None:
    started = sample().record.header.started_at.replace(tzinfo=None)
    assert book.properties.creator == "iam-scanner"
    assert (book.properties.created, book.properties.modified) == (started, started)
    assert sample().record.header.run_id in str(book.properties.title)
