"""A sheet that is one table: the columns of a column table, the rows of its frame.

Rows with long text get their height here, as LibreOffice gives none. Booleans are the words true and false, as in the
CSV: LibreOffice saves real ones as formulas, and the conditions on them as conditions on numbers, which no longer hold
in Excel.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import Cell
from openpyxl.comments import Comment
from openpyxl.formatting.rule import Rule
from openpyxl.styles import Font
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from scanner.audit.assessment import Part
from scanner.errors import ScannerError
from scanner.report.columns import Column
from scanner.report.frames import Table
from scanner.report.words import shortened
from scanner.report.workbook.cell_xml import write_rows
from scanner.report.workbook.page import Book, Page, beside_organization, open_sheet
from scanner.report.workbook.styles import BELOW, HEAD, Look, band

MOST_ROWS = 1_048_575  # of a sheet, less the header; what is beyond them a spreadsheet drops
HEADER_HEIGHT = 18.0  # points
PART_SHOWN = 200  # characters of the words for a part
NOTE_SIZE = (330, 560)  # height and width in pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class Highlight:
    """Cells of a column, or whole rows, that stand out while a condition holds; sorting keeps them right."""

    condition: str  # a formula about row 2, with column names in braces: '{outcome}="FAILED"'
    column: str | None = None  # None: the whole row
    fill: str
    colour: str | None = None
    bold: bool = True


def write_table(
    book: Book,
    page: Page,
    table: Table,
    marks: Sequence[Highlight | Look] = (),
) -> Worksheet:
    """Write the sheet, and give it back for what else belongs to it."""
    columns, frame = table
    if len(frame) > MOST_ROWS:
        raise ScannerError(f"A sheet holds {MOST_ROWS:,} rows, and {page.title} has {len(frame):,}. Use --format csv.")
    highlights = [mark for mark in marks if isinstance(mark, Highlight)]
    looks = {mark.column: mark for mark in marks if isinstance(mark, Look)}
    sheet = open_sheet(book, beside_organization(page, book.view), [column.width for column in columns])
    sheet.row_dimensions[1].height = HEADER_HEIGHT
    head = [_header(sheet, column, looks.get(column.key)) for column in columns]
    if (part := book.view.in_all.part) is not None:
        _say_it_is_a_part(head[0], book, part)
    sheet.append(head)
    rows = zip(*(frame[column.key] for column in columns), strict=True)
    book.rows[page.title] = write_rows(book, sheet, columns, rows, looks)
    last_row = len(frame) + 1
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(columns))}{last_row}"
    for highlight in highlights:
        _highlight(sheet, highlight, [column.key for column in columns], max(2, last_row))
    if not looks:  # their cells are all written, and have borders of their own
        _rule_off(sheet, len(columns), max(2, last_row))  # last: LibreOffice heeds only the first condition that holds
    return sheet


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


def as_text(cell: Cell, text: str) -> Cell:
    """The cell with this text, which openpyxl alone would take for a formula or an error where it looks like one."""
    cell.value = str(text)
    cell.data_type = "s"
    return cell


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
