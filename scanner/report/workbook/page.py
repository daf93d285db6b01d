"""The workbook under construction, and how each of its sheets is opened and printed."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from tempfile import TemporaryFile
from typing import BinaryIO, cast

from openpyxl.utils import column_index_from_string, get_column_letter
from openpyxl.utils.cell import coordinate_from_string
from openpyxl.workbook import Workbook
from openpyxl.worksheet.header_footer import HeaderFooterItem
from openpyxl.worksheet.page import PageMargins
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from scanner.audit.assessment import Part
from scanner.model import RULE_ID
from scanner.report.view import View
from scanner.report.words import many, run_words, shortened
from scanner.report.workbook.shared_strings import SharedStrings
from scanner.text import Change, for_terminal, for_xml

A3, A4 = 8, 9
PART_SHOWN = 80  # characters; a spreadsheet has room for 255 in all


@dataclass(frozen=True, slots=True)
class Changed:
    """A text that could not go into the sheet as it was."""

    where: str  # "Users, row 14, user_name"
    changes: tuple[Change, ...]


@dataclass(slots=True)
class Book:
    """The workbook, what it is made of, and what had to be changed on the way."""

    workbook: Workbook
    view: View
    changed: list[Changed] = field(default_factory=list)
    rows: dict[str, BinaryIO] = field(default_factory=dict)  # by sheet: the rows below its header, as XML
    files: ExitStack = field(default_factory=ExitStack)  # closes them
    strings: SharedStrings = field(init=False)

    def __post_init__(self) -> None:
        self.strings = SharedStrings(self.files.enter_context(TemporaryFile()))  # noqa: SIM115  # closed with the book

    def fit(self, text: str, where: str) -> str:
        """The text as a cell can hold it; a change is kept for the Evidence sheet."""
        fitting, changes = for_xml(text)
        if changes:
            self.changed.append(Changed(where, changes))
        return fitting


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Landscape, as wide as `pages_wide` sheets of paper, as long as it takes."""

    title: str
    paper: int = A4
    pages_wide: int = 1
    repeat_rows: str | None = "1:1"  # the header
    repeat_columns: str | None = None  # "A:E"
    freeze: str | None = "A2"
    gridlines: bool = False


def beside_organization(page: Page, view: View) -> Page:
    """The page with one column more on its left that stays in sight, where the rows say their organization first."""
    if not view.by_organization:
        return page
    first, last = (page.repeat_columns or "A:A").split(":")
    column, row = coordinate_from_string(page.freeze or "A2")
    frozen = column_index_from_string(column) > 1
    return replace(
        page,
        repeat_columns=page.repeat_columns and f"{first}:{_next(last)}",
        freeze=f"{_next(column)}{row}" if frozen else page.freeze,
    )


def _next(column: str) -> str:
    return get_column_letter(column_index_from_string(column) + 1)


def open_sheet(book: Book, page: Page, widths: Sequence[int]) -> Worksheet:
    """A new sheet, set up; all of this must come before its first row."""
    # A write-only sheet has the collections of a worksheet; its type stubs do not say so.
    sheet = cast(Worksheet, book.workbook.create_sheet(page.title))
    for number, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    sheet.sheet_view.showGridLines = page.gridlines
    sheet.freeze_panes = page.freeze
    _set_up_print(sheet, page)
    _set_up_margins(sheet, book)
    return sheet


def _set_up_print(sheet: Worksheet, page: Page) -> None:
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = page.paper
    sheet.page_setup.fitToWidth = page.pages_wide
    sheet.page_setup.fitToHeight = 0
    sheet.print_title_rows = page.repeat_rows
    sheet.print_title_cols = page.repeat_columns


def _set_up_margins(sheet: Worksheet, book: Book) -> None:
    """Each printed page says of which run it is: pages get separated. Of several there is no room for all."""
    sheet.page_margins = PageMargins(left=0.4, right=0.4, top=0.6, bottom=0.6, header=0.3, footer=0.3)
    view = book.view
    words = runs_words(view)
    title = f"{RULE_ID} IAM user review{_of_part(view.in_all.part)}"
    sheet.HeaderFooter.oddHeader = _margin(title, "&A", words[0].upper() + words[1:])
    digests = "of each run: see Evidence" if view.by_organization else view.assessment.record.digest
    sheet.HeaderFooter.oddFooter = _margin(f"Journal SHA-256 {digests}", "", "Page &P of &N")


def runs_words(view: View) -> str:
    """Of which run the workbook is, or of how many."""
    if view.by_organization:
        return f"runs of {many(len(view.runs), 'organization')}, see Summary"
    return run_words(view.assessment.record)


def _of_part(part: Part | None) -> str:
    """The end of its words, which has the numbers. An ampersand would be a command, here."""
    if part is None:
        return ""
    return f", a part: {for_terminal(shortened(part.words, PART_SHOWN))}".replace("&", "+")


def _margin(left: str, center: str, right: str) -> HeaderFooterItem:
    item = HeaderFooterItem()
    for part, text in ((item.left, left), (item.center, center), (item.right, right)):
        part.text, part.size = text or None, 8
    return item
