"""Sheets to be read rather than sorted: lines of cells side by side, some of them merged."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import Cell
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.cell_range import CellRange
from openpyxl.worksheet.pagebreak import Break
from openpyxl.worksheet.worksheet import Worksheet

from scanner.report.workbook.page import Book, Page, open_sheet
from scanner.report.workbook.styles import BODY, Style
from scanner.report.workbook.table_sheet import as_text
from scanner.text import looks_like_formula

LINE_HEIGHT = 13.5  # points, for text of 10 points
CHARACTERS_PER_UNIT = 1.06  # of prose, to a unit of column width, which is a digit of the default font
MOST = 400.0  # points: a spreadsheet allows 409 to a row
POINTS_PER_UNIT, POINTS_PER_COLUMN = 5.25, 3.75  # of width, in the default font
# Of a landscape A4 within the margins of `page`, in points; of Letter there is more once both fit the width.
PAPER_WIDTH, PAPER_HEIGHT = 784, 490


@dataclass(frozen=True, slots=True)
class Formula:
    """A count that a spreadsheet makes; as nobody has decided anything yet, all of ours begin with 0."""

    text: str  # with its "="


@dataclass(frozen=True, slots=True)
class Span:
    """A value in a cell, or in several merged ones from column `at` to column `to`."""

    at: int
    value: str | int | float | Formula | None
    style: Style = BODY
    to: int | None = None


class Prose:
    """Writes a sheet line by line, each as high as its longest text needs: merged cells do not grow by themselves."""

    def __init__(self, book: Book, page: Page, widths: Sequence[int]) -> None:
        self._book = book
        self._widths = widths
        self.sheet: Worksheet = open_sheet(book, page, widths)
        self.row = 0  # the last line written
        wide = sum(width * POINTS_PER_UNIT + POINTS_PER_COLUMN for width in widths)
        self._page = PAPER_HEIGHT * wide / PAPER_WIDTH  # height of what a printed page holds
        self._used = 0.0  # since the last page began

    def line(self, *spans: Span, height: float | None = None) -> int:
        """Write a line, and give its row."""
        self.row += 1
        points = height or self.height(*spans)
        self.sheet.row_dimensions[self.row].height = points
        self._used += points
        cells: list[Cell | None] = [None] * len(self._widths)
        for span in spans:
            for column in range(span.at, (span.to or span.at) + 1):
                cells[column - 1] = self._cell(span, column)
            if span.to:
                self.sheet.merged_cells.add(
                    CellRange(min_row=self.row, max_row=self.row, min_col=span.at, max_col=span.to)
                )
        self.sheet.append(cells)
        return self.row

    def lines(self, lines: Iterable[Sequence[Span]]) -> None:
        for spans in lines:
            self.line(*spans)

    def gap(self, height: float = LINE_HEIGHT / 2) -> None:
        self.line(height=height)

    def keep(self, height: float) -> None:
        """Have the next lines, so many points high, on one printed page: on a new one where it is doubtful."""
        if self._used + height > self._page:
            self.new_page()

    def new_page(self) -> None:
        self.sheet.row_breaks.append(Break(id=self.row))
        self._used = 0.0

    def height(self, *spans: Span) -> float:
        """What a line of these needs, in points."""
        return max((self._height(span) for span in spans), default=LINE_HEIGHT)

    def _cell(self, span: Span, column: int) -> Cell:
        """The cell with the value, or one of the empty ones beside it, which carry fill and border of the merged."""
        cell = WriteOnlyCell(self.sheet)
        span.style.dress(cell)
        if column != span.at or span.value in (None, ""):
            return cell
        if isinstance(span.value, Formula):
            cell.value = span.value.text
            return cell
        if isinstance(span.value, int | float):
            cell.value = span.value
            return cell
        cell.quotePrefix = looks_like_formula(span.value)
        where = f"{self.sheet.title}, cell {get_column_letter(column)}{self.row}"
        return as_text(cell, self._book.fit(span.value, where))

    def _height(self, span: Span) -> float:
        scale = span.style.size / 10
        if not (span.style.wrap and isinstance(span.value, str)):
            return LINE_HEIGHT * scale * (1.25 if scale > 1 else 1)
        across = sum(self._widths[span.at - 1 : span.to or span.at]) * CHARACTERS_PER_UNIT / scale
        needed = sum(max(1, math.ceil(len(part) / across)) for part in span.value.split("\n"))
        return min(MOST, needed * LINE_HEIGHT * scale)
