"""What a reviewer's cell holds, whatever a spreadsheet made of it; refused where that is not plain. Pure.

Blank is what a person sees as blank, and blanks around a text do not count. A number is as good as its digits. A
formula is nothing that anybody decided.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import TypeVar

from scanner.text import first_invisible, for_utf8, from_csv, is_blank, parse_day

FORMULA, ERROR = "f", "e"  # kinds of cells, as the workbook has them

_E = TypeVar("_E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a row; where it is empty, the place where its value would stand."""

    at: str  # "N14"
    value: object = None
    kind: str = ""
    sheet: str | None = None  # where that is not the sheet of decisions


class CellError(Exception):
    """A cell does not hold what its column is for."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy


def is_empty(cell: Cell | None) -> bool:
    """Whether a person sees nothing in the cell."""
    return cell is None or cell.value is None or is_blank(str(cell.value))


def raw(cell: Cell) -> str | None:
    """What a person sees in the cell; None where that is nothing."""
    if cell.kind == FORMULA:
        raise CellError("The cell holds a formula.", "Put in the value itself.")
    if cell.kind == ERROR:
        raise CellError(f"The cell holds an error, {cell.value}.", "Put in the value itself, or clear it.")
    value = cell.value
    if isinstance(value, datetime | date | time | timedelta):
        raise CellError(f"{value} is a date, not text.", "Format the cell as text, and write it again.")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return None if value is None or is_blank(str(value)) else str(value).strip()


def text(cell: Cell) -> str | None:
    """A text, on as many lines as it has; a quote that only guards it from being run as a formula is no part of it."""
    shown = raw(cell)
    if shown is None:
        return None
    shown = "\n".join(shown.splitlines())  # whichever kind of line end was pasted: the ledger has one
    if invisible := first_invisible(shown):
        raise CellError(f"The text holds {invisible[1]}, which cannot be seen.", "Write it again.")
    if for_utf8(shown) != shown:
        raise CellError("The text holds half a character.", "Write it again.")
    return from_csv(shown).strip() or None


def line(cell: Cell) -> str | None:
    """A text on one line."""
    written = text(cell)
    return None if written is None else one_line(written)


def one_line(written: str) -> str:
    return " ".join(written.split())


def day(cell: Cell) -> date | None:
    """A date, or its text in ISO 8601."""
    if isinstance(cell.value, datetime):
        return cell.value.date()
    if isinstance(cell.value, date):
        return cell.value
    shown = str(cell.value) if isinstance(cell.value, time | timedelta) else raw(cell)
    if shown is None:
        return None
    written = parse_day(shown) if isinstance(cell.value, str) else None
    if written is None:
        raise CellError(f"{shown!r} is not a valid date.", "Write it as 2027-01-15.")
    return written


def one_of(cell: Cell, choices: type[_E]) -> _E | None:
    """One of the values, without regard to case."""
    written = line(cell)
    if written is None:
        return None
    for choice in choices:
        if choice.casefold() == written.casefold():
            return choice
    raise CellError(f"{written!r} is unknown.", f"Use one of: {', '.join(choices)}.")
