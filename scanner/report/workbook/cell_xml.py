"""The rows of a table as the XML of a sheet, put together as text.

openpyxl builds an element for each cell and takes it apart again: 100,000 users of forty columns take it more than
twice as long as this. It still makes all else of the sheet; `workbook` puts these rows where it ends its own.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cached_property
from tempfile import TemporaryFile
from typing import Any, BinaryIO

from openpyxl.cell import WriteOnlyCell
from openpyxl.compat import safe_string
from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import to_excel
from openpyxl.worksheet.worksheet import Worksheet

from scanner.report.columns import CellKind, Column
from scanner.report.tables import flag, joined
from scanner.report.workbook.page import Book, Changed
from scanner.report.workbook.styles import AS_TEXT, BODY, COUNT, DAY, MOMENT, MUTED, Look, Style
from scanner.text import for_xml, looks_like_formula

TEXTS = (CellKind.TEXT, CellKind.LIST)
WRAP_FROM = 17  # characters: a narrower column holds ids, dates, flags and numbers
CHARACTERS_PER_UNIT = 1.1  # of text of 9 points, to a unit of column width, which is a digit of the default font
LINE_HEIGHT, MOST = 11.5, 400.0  # points, for text of 9 points; a spreadsheet allows 409 to a row


def write_rows(
    book: Book,
    sheet: Worksheet,
    columns: Sequence[Column[Any]],
    rows: Iterable[tuple[Any, ...]],
    looks: Mapping[str, Look],
) -> BinaryIO:
    """Write the rows below the header into a file of their own, and return that; `looks` by column."""
    out: BinaryIO = book.files.enter_context(TemporaryFile())  # noqa: SIM115  # closed with the book
    cells = [
        _ColumnCells(book, sheet, column, number, looks.get(column.key)) for number, column in enumerate(columns, 1)
    ]
    for number, row in enumerate(rows, 2):
        filled = "".join([cell.xml(value, number) for cell, value in zip(cells, row, strict=True)])
        lines = max([cell.lines for cell in cells])
        height = f' ht="{min(MOST, lines * LINE_HEIGHT + 3):g}" customHeight="1"' if lines > 1 else ""
        out.write(f'<row r="{number}"{height}>{filled}</row>'.encode())
    return out


class _ColumnCells:
    """The cells of one column, one row after the other."""

    def __init__(self, book: Book, sheet: Worksheet, column: Column[Any], number: int, look: Look | None) -> None:
        self._book = book
        self._column = column
        self._sheet = sheet
        self._letter = get_column_letter(number)
        self._look = _style(column)
        if look:  # a table whose columns have looks is read row by row: narrow columns, tall rows
            is_text = column.kind in TEXTS
            self._look = replace(self._look, fill=look.fill, border=look.border, wrap=is_text)
        if look and look.aside:
            self._look = replace(self._look, italic=True, colour=MUTED)
        self._writes_empty = look is not None
        self._wraps_at = int(column.width * CHARACTERS_PER_UNIT) if self._look.wrap else None
        self._filled = self._ways()[column.kind]
        self.lines = 1  # that the value filled in last takes

    def xml(self, value: Any, row: int) -> str:
        """The cell with this value; where there is none, "", or an empty one where the column has a look of its own."""
        self.lines = 1
        return self._empty(row) if value is None else self._filled(value, row)

    def _empty(self, row: int) -> str:
        return f'<c r="{self._letter}{row}" s="{self._style}" />' if self._writes_empty else ""

    @cached_property
    def _style(self) -> int:
        return _style_id(self._sheet, self._look)

    @cached_property
    def _quoted(self) -> int:
        """For what looks like a formula: stays text when edited."""
        return _style_id(self._sheet, self._look, quoted=True)

    def _ways(self) -> dict[CellKind, Callable[[Any, int], str]]:
        return {
            CellKind.TEXT: self._text,
            CellKind.LIST: lambda values, row: self._text(joined(self._column, values), row),
            CellKind.BOOL: lambda value, row: self._shared(self._style, flag(value), row),
            CellKind.INT: self._number,
            CellKind.DATE: lambda day, row: self._number(_serial(day), row),
            CellKind.DATETIME: lambda moment, row: self._number(_serial(naive_utc(moment)), row),
        }

    def _text(self, text: str, row: int) -> str:
        if not text:
            return self._empty(row)
        fitting, changes = for_xml(text)
        if changes:
            self._book.changed.append(Changed(f"{self._sheet.title}, row {row}, {self._column.key}", changes))
        if self._wraps_at and (len(fitting) > self._wraps_at or "\n" in fitting):
            self.lines = sum(-(-max(1, len(part)) // self._wraps_at) for part in fitting.split("\n"))
        return self._shared(self._quoted if looks_like_formula(text) else self._style, fitting, row)

    def _shared(self, style: int, text: str, row: int) -> str:
        """Text as text, whatever it looks like."""
        return f'<c r="{self._letter}{row}" s="{style}" t="s"><v>{self._book.strings.number(text)}</v></c>'

    def _number(self, value: float, row: int) -> str:
        return f'<c r="{self._letter}{row}" s="{self._style}" t="n"><v>{safe_string(value)}</v></c>'


def _serial(moment: date) -> float:
    """A day or a time as a spreadsheet counts it."""
    days: float = to_excel(moment)  # type: ignore[no-untyped-call]  # its type stubs have no types
    return days


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
    return replace(
        BODY,
        size=9,
        wrap=kind in TEXTS and column.width >= WRAP_FROM,
        across=_ACROSS.get(kind, "left"),
        number_format=_FORMATS.get(kind, BODY.number_format),
    )


def _style_id(sheet: Worksheet, style: Style, *, quoted: bool = False) -> int:
    """Have openpyxl keep the style, and return the number that cells name it by."""
    cell = WriteOnlyCell(sheet)
    style.dress(cell)
    cell.quotePrefix = quoted
    return cell.style_id
