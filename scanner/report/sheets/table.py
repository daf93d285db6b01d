"""A sheet that is one table: the columns of a column table, the rows of its frame.

Cells are made once a column and filled anew for each row: openpyxl writes a row as it comes, and 100,000 users of
forty columns would otherwise be four million styled cells. Rows with long text get their height here, as LibreOffice
gives none. Booleans are the words true and false, as in the CSV: LibreOffice saves real ones as formulas, and the
conditions on them as conditions on numbers, which no longer hold in Excel.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pandas as pd
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import Cell
from openpyxl.comments import Comment
from openpyxl.formatting.rule import Rule
from openpyxl.styles import Border, Font
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from scanner.errors import ScannerError
from scanner.model import Part
from scanner.report.columns import CellKind, Column
from scanner.report.sheets.page import Book, Changed, Page, open_sheet
from scanner.report.sheets.styles import AS_TEXT, BELOW, BODY, COUNT, DAY, HEAD, MOMENT, NAVY, Style, band
from scanner.report.sheets.words import shortened
from scanner.report.tables import flag, joined
from scanner.text import for_xml, looks_like_formula

WRAP_FROM = 17  # characters: a narrower column holds ids, dates, flags and numbers
CHARACTERS_PER_UNIT = 1.1  # of text of 9 points, to a unit of column width, which is a digit of the default font
MOST_ROWS = 1_048_575  # of a sheet, less the header; what is beyond them a spreadsheet drops
PART_SHOWN = 200  # characters of the words for a part
LINE_HEIGHT, HEADER_HEIGHT, MOST = 11.5, 18.0, 400.0  # points, for text of 9 points; a spreadsheet allows 409 to a row
NOTE_SIZE = (330, 560)  # height and width in pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class Highlight:
    """Cells of a column, or whole rows, that stand out while a condition holds; sorting keeps them right."""

    condition: str  # a formula about row 2, with column names in braces: '{outcome}="FAILED"'
    column: str | None = None  # None: the whole row
    fill: str
    colour: str | None = None
    bold: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How the cells of a column look, empty ones among them, and what a note on its head says."""

    column: str
    fill: str
    border: Border
    head: str = NAVY
    note: str = ""


def write_table(
    book: Book,
    page: Page,
    columns: Sequence[Column[Any]],
    frame: pd.DataFrame,
    marks: Sequence[Highlight | Look] = (),
) -> Worksheet:
    """Write the sheet, and give it back for what else belongs to it."""
    if len(frame) > MOST_ROWS:
        raise ScannerError(f"A sheet holds {MOST_ROWS:,} rows, and {page.title} has {len(frame):,}. Use --format csv.")
    highlights = [each for each in marks if isinstance(each, Highlight)]
    looks = {each.column: each for each in marks if isinstance(each, Look)}
    sheet = open_sheet(book, page, [column.width for column in columns])
    sheet.row_dimensions[1].height = HEADER_HEIGHT
    head = [_header(sheet, column, looks.get(column.key)) for column in columns]
    if book.assessment.part is not None:
        _say_it_is_a_part(head[0], book, book.assessment.part)
    sheet.append(head)
    cells = [_ColumnCells(sheet, column, looks.get(column.key), book) for column in columns]
    values = (frame[column.key] for column in columns)
    for number, row in enumerate(zip(*values, strict=True), 2):
        filled = [cell.filled(value) for cell, value in zip(cells, row, strict=True)]
        _append(sheet, number, filled, max(cell.lines for cell in cells))
    last_row = len(frame) + 1
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(columns))}{last_row}"
    for highlight in highlights:
        _highlight(sheet, highlight, [column.key for column in columns], max(2, last_row))
    if not looks:  # their cells are all written, and have borders of their own
        _rule_off(sheet, len(columns), max(2, last_row))  # last: LibreOffice heeds only the first condition that holds
    return sheet


def _append(sheet: Worksheet, number: int, cells: list[Cell | None], lines: int) -> None:
    if lines > 1:
        sheet.row_dimensions[number].height = min(MOST, lines * LINE_HEIGHT + 3)
    sheet.append(cells)
    sheet.row_dimensions.pop(number, None)  # it is written, and 100,000 of them would fill the memory


def _header(sheet: Worksheet, column: Column[Any], look: Look | None) -> Cell:
    cell = WriteOnlyCell(sheet, column.key)
    (replace(HEAD, fill=look.head) if look else HEAD).dress(cell)
    if look and look.note:
        cell.comment = Comment(look.note, "iam-scanner", *NOTE_SIZE)
    return cell


def _say_it_is_a_part(cell: Cell, book: Book, part: Part) -> None:
    """As a note on the first heading: the rows are a table's, and leave no room for a sentence."""
    words = book.fit(f"A part of the run: {shortened(part.words, PART_SHOWN)}", f"{cell.parent.title}, note")
    notes = [words, *([cell.comment.text] if cell.comment else [])]
    cell.comment = Comment("\n".join(notes), "iam-scanner", height=60 * len(notes), width=320)


class _ColumnCells:
    """The cells of one column, one row after the other: each call gives the same cell with another value."""

    def __init__(self, sheet: Worksheet, column: Column[Any], look: Look | None, book: Book) -> None:
        self._column = column
        self._book = book
        self._at = f"{sheet.title}, row {{}}, {column.key}"
        self._row = 1
        self.lines = 1  # that the value filled in last takes
        style = _style(column)
        self._empty = None
        if look:
            style = replace(style, fill=look.fill, border=look.border)
            self._empty = WriteOnlyCell(sheet)
            style.dress(self._empty)
        self._cell = WriteOnlyCell(sheet)
        self._quoted = WriteOnlyCell(sheet)  # for what looks like a formula: stays text when edited
        style.dress(self._cell)
        style.dress(self._quoted)
        self._quoted.quotePrefix = True
        self._wraps_at = int(column.width * CHARACTERS_PER_UNIT) if style.wrap else None

    def filled(self, value: Any) -> Cell | None:
        self._row += 1
        self.lines = 1
        return self._empty if value in (None, "") else self._holding(value)

    def _holding(self, value: Any) -> Cell | None:
        kind = self._column.kind
        if kind is CellKind.TEXT:
            return self._text(value)
        if kind is CellKind.LIST:
            return self._text(joined(self._column, value))
        if kind is CellKind.BOOL:
            return as_text(self._cell, flag(value))
        self._cell.value = naive_utc(value) if kind is CellKind.DATETIME else value
        return self._cell

    def _text(self, text: str) -> Cell | None:
        if not text:
            return self._empty
        fitting, changes = for_xml(text)
        if changes:
            self._book.changed.append(Changed(self._at.format(self._row), changes))
        if self._wraps_at and (len(fitting) > self._wraps_at or "\n" in fitting):
            self.lines = sum(-(-max(1, len(part)) // self._wraps_at) for part in fitting.split("\n"))
        return as_text(self._quoted if looks_like_formula(text) else self._cell, fitting)


def as_text(cell: Cell, text: str) -> Cell:
    """The cell with this text, which openpyxl alone would take for a formula or an error where it looks like one."""
    cell.value = str(text)
    cell.data_type = "s"
    return cell


def naive_utc(moment: datetime) -> datetime:
    """A workbook knows no time zones: all its times are UTC."""
    return moment.astimezone(UTC).replace(tzinfo=None)


_FORMATS = {
    CellKind.TEXT: AS_TEXT,
    CellKind.DATE: DAY,
    CellKind.DATETIME: MOMENT,
    CellKind.INT: COUNT,
    CellKind.BOOL: AS_TEXT,
}
_ACROSS = {CellKind.DATE: "left", CellKind.DATETIME: "left", CellKind.BOOL: "center", CellKind.INT: "center"}


def _style(column: Column[Any]) -> Style:
    kind = column.kind
    is_text = kind in (CellKind.TEXT, CellKind.LIST)
    return replace(
        BODY,
        size=9,
        wrap=is_text and column.width >= WRAP_FROM,
        across=_ACROSS.get(kind, "left"),
        number_format=_FORMATS.get(kind, BODY.number_format),
    )


def _rule_off(sheet: Worksheet, columns: int, last_row: int) -> None:
    """A fine line below each row, under empty cells too, which have no style of their own."""
    rule = Rule(type="expression", formula=["TRUE"], dxf=DifferentialStyle(border=BELOW))
    sheet.conditional_formatting.add(f"A2:{get_column_letter(columns)}{last_row}", rule)


def _highlight(sheet: Worksheet, highlight: Highlight, keys: Sequence[str], last_row: int) -> None:
    letters = {key: get_column_letter(number) for number, key in enumerate(keys, 1)}
    column = letters[highlight.column] if highlight.column else None
    first, last = (column, column) if column else ("A", get_column_letter(len(keys)))
    formula = highlight.condition.format(**{key: f"${letter}2" for key, letter in letters.items()})
    font = Font(bold=highlight.bold, color=highlight.colour)
    look = DifferentialStyle(font=font, fill=band(highlight.fill), border=BELOW)
    rule = Rule(type="expression", formula=[formula], dxf=look)
    sheet.conditional_formatting.add(f"{first}2:{last}{last_row}", rule)
