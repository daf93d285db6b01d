"""A workbook that came back → the rows of its Review sheet and the facts of its Evidence sheet.

Columns are found by their heads, and a row is whatever its cells say: people move columns, sort, filter and delete.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from openpyxl.utils import get_column_letter
from openpyxl.utils.cell import coordinate_to_tuple, range_boundaries

from scanner.errors import Fault, FaultsError
from scanner.files import sha256
from scanner.report.columns import ORGANIZATION
from scanner.report.review_rows import DECISION, IDENTITY
from scanner.report.workbook.review_sheet import FOR_ALL, FOR_ALL_HEAD, SUMMARY, TITLE
from scanner.review.cells import Cell, is_empty
from scanner.review.opening import UNTOUCHED, opened, rows
from scanner.review.sheet_reader import Row as Line
from scanner.review.sheet_reader import Workbook, merged_cells
from scanner.runs.folder import is_run_id

EVIDENCE = "Evidence"
HEAD_WITHIN = 20  # rows
BLOCK_WITHIN = len(FOR_ALL) + 1  # rows below its heading: one may have been put between
ALIKE = 3  # faults in rows below each other that become one
RUN_ID, DIGEST = "Run id", "SHA-256 of the journal"  # labels there
COLUMNS = (*IDENTITY, *(column.key for column in DECISION))


class OfRun(NamedTuple):
    """What a workbook says of a run that it is of."""

    run_id: Cell
    digest: Cell


@dataclass(frozen=True, slots=True)
class Row:
    number: int
    cells: Mapping[str, Cell]  # by column


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A workbook as a reviewer sent it back."""

    path: Path
    sha256: str
    facts: tuple[Cell, ...]  # of the Evidence sheet: the values beside the labels
    runs: tuple[OfRun, ...]  # one, or those of several organizations; each row then says which of them it is of
    rows: tuple[Row, ...]
    faults: tuple[Fault, ...]  # of its form, which leave all else to be read

    def fault(
        self, at: Cell | None, problem: str, remedy: str, sheet: str = TITLE, *, user: str | None = None
    ) -> Fault:
        """A cell that counts for many rows is about nobody in particular: its faults are the same in each."""
        if at is not None and at.sheet is not None:
            return _fault(self.path, problem, remedy, sheet=at.sheet, cell=at.at)
        return replace(_fault(self.path, problem, remedy, sheet=sheet, cell=at.at if at else None), user=user)


def read(path: Path) -> Filled:
    """Read one workbook; raise `FaultsError` where it is not one of ours, or a sheet or a column is missing."""
    with opened(path) as book:
        if missing := [title for title in (TITLE, EVIDENCE) if title not in book.sheets]:
            raise FaultsError([_missing_sheet(path, title, book) for title in missing])
        facts = tuple(_facts(path, book))
        runs = _runs(facts)
        columns = (ORGANIZATION.key, *COLUMNS) if len(runs) > 1 else COLUMNS
        places, found = _rows(path, book, columns)
        for_all = _for_all(path, book)
        rows_ = tuple(_with(for_all, row) for row in found) if for_all else found
        faults = (*_merged(path, book, places), *_in_copies(path, book))
        values = tuple(value for _, value in facts)
        return Filled(path=path, sha256=sha256(path), facts=values, runs=runs, rows=rows_, faults=faults)


def _facts(path: Path, book: Workbook) -> Iterator[tuple[str, Cell]]:
    """The label and the value of each line."""
    return ((str(cells[1].value), cells[2]) for _, cells in rows(path, book, EVIDENCE) if 1 in cells and 2 in cells)


def _runs(facts: Sequence[tuple[str, Cell]]) -> tuple[OfRun, ...]:
    """The runs, each with the first digest below its ID.

    A safelist may have such a label for a name, and stand on the sheet: a value that is not an ID is not a run. Where
    none is, the first one with the label is at fault, or the place where it would stand.
    """
    ids = [at for at, (label, cell) in enumerate(facts) if label == RUN_ID and is_run_id(str(cell.value))]
    if not ids:
        named = next((cell for label, cell in facts if label == RUN_ID), Cell("B1"))
        return (OfRun(named, Cell("B1")),)
    blocks = [facts[start:end] for start, end in zip(ids, [*ids[1:], len(facts)], strict=True)]
    return tuple(
        OfRun(block[0][1], next((cell for label, cell in block if label == DIGEST), Cell("B1"))) for block in blocks
    )


def _for_all(path: Path, book: Workbook) -> Mapping[str, Cell]:
    """What Summary says once for all decided rows, by column; nothing where it is blank, or not there."""
    lines = rows(path, book, SUMMARY) if SUMMARY in book.sheets else iter(())
    for _, cells in lines:
        at = next((at for at, cell in cells.items() if cell.value == FOR_ALL_HEAD), None)
        if at is not None:
            below = islice(lines, BLOCK_WITHIN)
            named = {str(line[at].value).strip(): line.get(at + 1) for _, line in below if at in line}
            values = {key: named.get(key) for key in FOR_ALL}
            return {key: replace(cell, sheet=SUMMARY) for key, cell in values.items() if cell and not is_empty(cell)}
    return {}


def _with(for_all: Mapping[str, Cell], row: Row) -> Row:
    """The row with these in place of its blank cells, where it is decided; a cell of its own wins."""
    if is_empty(row.cells["decision"]):
        return row
    return replace(row, cells={**row.cells, **{key: cell for key, cell in for_all.items() if is_empty(row.cells[key])}})


def _rows(path: Path, book: Workbook, columns: Sequence[str]) -> tuple[Mapping[str, int], tuple[Row, ...]]:
    """Where each column stands, and the rows."""
    lines = rows(path, book, TITLE)
    number, head = next(lines, (0, {}))
    places = _places(path, book, head if number == 1 else {}, columns)
    return places, tuple(
        Row(number, {key: cells.get(at) or Cell(f"{get_column_letter(at)}{number}") for key, at in places.items()})
        for number, cells in lines
    )


def _places(path: Path, book: Workbook, head: Line, columns: Sequence[str]) -> Mapping[str, int]:
    """Where each column stands, from 1."""
    heads = _heads(head)
    names = list(heads.values())
    if not set(COLUMNS) & set(names) and (lower := _head_below(path, book)):
        problem = f"the names of the columns are in row {lower}, and not in row 1."
        raise FaultsError([_fault(path, problem, "Delete the rows above them.", sheet=TITLE)])
    faults = []
    for key in columns:
        if key not in names:
            problem = f"the column {key} is missing from row 1."
            faults.append(_fault(path, problem, f"Give the column its name again, or: {UNTOUCHED}", sheet=TITLE))
        elif names.count(key) > 1:
            at = f"{get_column_letter(max(at for at, name in heads.items() if name == key))}1"
            faults.append(_fault(path, f"{key} is there twice.", "Keep one of the columns.", sheet=TITLE, cell=at))
    if faults:
        raise FaultsError(faults)
    return {name: at for at, name in heads.items() if name in columns}


def _heads(line: Line) -> dict[int, str]:
    """The names that a line gives to its columns."""
    return {at: str(cell.value).strip() for at, cell in line.items()}


def _head_below(path: Path, book: Workbook) -> int | None:
    """The row that the names of the columns were moved down to, by a title above them."""
    for number, cells in islice(rows(path, book, TITLE), HEAD_WITHIN):
        if set(COLUMNS) <= set(_heads(cells).values()):
            return number
    return None


def _in_copies(path: Path, book: Workbook) -> Iterator[Fault]:
    """Decisions in another sheet that looks like this one would be lost without a word."""
    for title in (title for title in book.sheets if title != TITLE):
        lines = rows(path, book, title)
        _, head = next(lines, (0, {}))
        heads = _heads(head)
        if not {"decision", *IDENTITY} <= set(heads.values()):
            continue
        at = next(at for at, name in heads.items() if name == "decision")
        if (first := next((cells[at] for _, cells in lines if at in cells), None)) is not None:
            problem = f"there are decisions in this sheet, and only those in {TITLE} are read."
            yield _fault(path, problem, f"Move them to {TITLE}, and delete this sheet.", sheet=title, cell=first.at)


def _merged(path: Path, book: Workbook, places: Mapping[str, int]) -> Iterator[Fault]:
    """Only the first of merged cells holds a value: it is not plain whether the others mean the same."""
    for area in merged_cells(book, TITLE):
        left, top, right, bottom = range_boundaries(area)
        touched = [key for key, at in places.items() if (left or 0) <= at <= (right or 0)]
        if touched and (left, top) != (right, bottom):
            problem = f"Cells are merged here, in column {touched[0]}."
            yield _fault(path, problem, "Split them, and fill in each row.", sheet=TITLE, cell=area)


def in_order(faults: Iterable[Fault], paths: Sequence[Path]) -> list[Fault]:
    """By workbook, sheet, row and column. The same fault in rows below each other is one: a decision filled down."""
    files = [str(path) for path in paths]

    def place(fault: Fault) -> tuple[int, str, int, int]:
        row, column = coordinate_to_tuple(fault.cell.partition(":")[0]) if fault.cell else (0, 0)
        return files.index(fault.file), fault.sheet or "", row, column

    return sorted(_together(sorted(dict.fromkeys(faults), key=place)), key=place)


def _together(faults: Iterable[Fault]) -> Iterator[Fault]:
    """One fault for each range of cells; `faults` come by row."""
    runs: dict[tuple[object, ...], list[Fault]] = {}  # those that the next row may go on
    for fault in faults:
        if fault.cell is None or ":" in fault.cell:
            yield fault
            continue
        row, column = coordinate_to_tuple(fault.cell)
        key = (fault.file, fault.sheet, column, fault.problem, fault.remedy)
        run = runs.setdefault(key, [])
        if run and coordinate_to_tuple(str(run[-1].cell))[0] != row - 1:
            yield from _as_range(run)
            run.clear()
        run.append(fault)
    for run in runs.values():
        yield from _as_range(run)


def _as_range(run: Sequence[Fault]) -> Iterable[Fault]:
    if len(run) < ALIKE:
        return list(run)
    first, last = run[0], run[-1]
    users = f"{first.user} to {last.user}" if first.user and last.user else None
    return [
        replace(first, cell=f"{first.cell}:{last.cell}", user=users, problem=f"{first.problem} ({len(run):,} rows)")
    ]


def _missing_sheet(path: Path, title: str, book: Workbook) -> Fault:
    problem = f"there is no sheet {title}; there are {', '.join(book.sheets)}."
    return _fault(path, problem, f"Give the sheet its name again, or: {UNTOUCHED}")


def _fault(path: Path, problem: str, remedy: str, sheet: str | None = None, cell: str | None = None) -> Fault:
    return Fault(file=str(path), sheet=sheet, cell=cell, problem=problem, remedy=remedy)
