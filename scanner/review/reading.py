"""A workbook that came back → the rows of its Review sheet and the facts of its Evidence sheet.

Columns are found by their heads, and a row is whatever its cells say: people move columns, sort, filter and delete.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openpyxl.utils import get_column_letter
from openpyxl.utils.cell import coordinate_to_tuple, range_boundaries
from openpyxl.workbook import Workbook

from scanner.errors import Fault, FaultsError
from scanner.report.review_rows import DECISION, IDENTITY
from scanner.report.workbook.review_sheet import TITLE
from scanner.review.cells import Cell
from scanner.review.opening import UNTOUCHED, merged, opened, rows

EVIDENCE = "Evidence"
COLUMNS = (*IDENTITY, *(column.key for column in DECISION))


@dataclass(frozen=True, slots=True)
class Row:
    number: int
    cells: Mapping[str, Cell]  # by column


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A workbook as a reviewer sent it back."""

    path: Path
    sha256: str
    facts: Mapping[str, Cell]  # of the Evidence sheet, by their labels
    rows: tuple[Row, ...]
    faults: tuple[Fault, ...]  # of its form, which leave all else to be read

    def fault(self, at: Cell | None, problem: str, remedy: str, sheet: str = TITLE) -> Fault:
        return _fault(self.path, problem, remedy, sheet=sheet, cell=at.at if at else None)


def read(path: Path) -> Filled:
    """Read one workbook; raise `FaultsError` where it is not one of ours, or a sheet or a column is missing."""
    with opened(path) as book:
        if missing := [title for title in (TITLE, EVIDENCE) if title not in book.sheetnames]:
            raise FaultsError([_missing_sheet(path, title, book) for title in missing])
        facts = {str(cells[0].value): cells[1] for cells in _facts(path, book)}
        places, rows_ = _rows(path, book)
        faults = tuple(_merged(path, book, places))
        return Filled(path=path, sha256=_sha256(path), facts=facts, rows=rows_, faults=faults)


def _facts(path: Path, book: Workbook) -> Iterator[tuple[Cell, Cell]]:
    """The label and the value of each line, the last line first: the first of two with the same label counts."""
    found = [
        (_cell(number, 1, cells[0]), _cell(number, 2, cells[1]))
        for number, cells in rows(path, book, EVIDENCE)
        if len(cells) > 1
    ]
    return reversed(found)


def _rows(path: Path, book: Workbook) -> tuple[Mapping[str, int], tuple[Row, ...]]:
    """Where each column stands, and the rows."""
    found = rows(path, book, TITLE)
    number, head = next(found, (0, ()))
    places = _places(path, head if number == 1 else ())
    return places, tuple(
        Row(number, {key: _cell(number, at + 1, _at(cells, at)) for key, at in places.items()})
        for number, cells in found
    )


def _places(path: Path, head: Sequence[Any]) -> Mapping[str, int]:
    """Where each column stands, from 0."""
    heads = [str(cell.value).strip() if cell.value is not None else "" for cell in head]
    faults = []
    for key in COLUMNS:
        if key not in heads:
            problem = f"the column {key} is missing from row 1."
            faults.append(_fault(path, problem, f"Give the column its name again, or: {UNTOUCHED}", sheet=TITLE))
        elif heads.count(key) > 1:
            at = f"{get_column_letter(len(heads) - heads[::-1].index(key))}1"
            faults.append(_fault(path, f"{key} is there twice.", "Keep one of the columns.", sheet=TITLE, cell=at))
    if faults:
        raise FaultsError(faults)
    return {key: heads.index(key) for key in COLUMNS}


def _merged(path: Path, book: Workbook, places: Mapping[str, int]) -> Iterator[Fault]:
    """Only the first of merged cells holds a value: it is not plain whether the others mean the same."""
    for area in merged(book, TITLE):
        left, top, right, bottom = range_boundaries(area)
        touched = [key for key, at in places.items() if (left or 0) <= at + 1 <= (right or 0)]
        if touched and (left, top) != (right, bottom):
            problem = f"Cells are merged here, in column {touched[0]}."
            yield _fault(path, problem, "Split them, and fill in each row.", sheet=TITLE, cell=area)


def in_order(faults: Iterable[Fault], paths: Sequence[Path]) -> list[Fault]:
    """By workbook, sheet, row and column."""
    files = [str(path) for path in paths]

    def place(fault: Fault) -> tuple[int, str, int, int]:
        row, column = coordinate_to_tuple(fault.cell.partition(":")[0]) if fault.cell else (0, 0)
        return files.index(fault.file), fault.sheet or "", row, column

    return sorted(faults, key=place)


def _at(cells: Sequence[Any], place: int) -> Any:
    return cells[place] if place < len(cells) else None


def _cell(row: int, column: int, cell: Any) -> Cell:
    at = f"{get_column_letter(column)}{row}"
    return Cell(at) if cell is None or cell.value is None else Cell(at, cell.value, cell.data_type)


def _missing_sheet(path: Path, title: str, book: Workbook) -> Fault:
    problem = f"there is no sheet {title}; there are {', '.join(book.sheetnames)}."
    return _fault(path, problem, f"Give the sheet its name again, or: {UNTOUCHED}")


def _fault(path: Path, problem: str, remedy: str, sheet: str | None = None, cell: str | None = None) -> Fault:
    return Fault(file=str(path), sheet=sheet, cell=cell, problem=problem, remedy=remedy)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
