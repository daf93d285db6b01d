"""The Changes sheet: the users that changed since the run that this one is compared with, what matters most first.

Users that are as they were are not repeated here: the column `change` of Users has them all. A what-if has a sheet
Flips too: the users that are decided otherwise than in the run that it was made from.
"""

from collections.abc import Callable, Iterable

import pandas as pd

from scanner.audit.diff import Difference
from scanner.report.changes import DIFFERENCES, changed, flips_words
from scanner.report.frames import differences_frame, table
from scanner.report.view import View
from scanner.report.workbook.page import Book, Page
from scanner.report.workbook.styles import ALARM, CALM, PALE, WARNING, WHITE
from scanner.report.workbook.table_sheet import Highlight, write_table

COMPARED_WITH_NONE = "This run is compared with no earlier one"
NO_CHANGE = "No user changed since the run that this one is compared with."


def flips_sheet(book: Book) -> None:
    if any(run.assessment.flips is not None for run in book.view.runs):
        _write(book, "Flips", lambda run: _frame(run.assessment.flips or (), flips_words(run.assessment)))


def changes_sheet(book: Book) -> None:
    _write(book, "Changes", _since_previous)


def _since_previous(run: View) -> pd.DataFrame:
    differences, why = run.assessment.differences, run.assessment.record.header.previous_why
    none = NO_CHANGE if differences is not None else f"{COMPARED_WITH_NONE}{why and f': {why}'}."
    return _frame(differences or (), none)


def _write(book: Book, title: str, frame_of: Callable[[View], pd.DataFrame]) -> None:
    write_table(
        book,
        Page(title=title, pages_wide=1, repeat_columns="A:D", freeze="E2", gridlines=True),
        table(book.view, DIFFERENCES, frame_of),
        (
            Highlight(column="change", condition=_says("PRIVILEGE_GAINED"), fill=ALARM, colour=WHITE),
            Highlight(column="change", condition=_says("NEWLY_UNAPPROVED"), fill=ALARM, colour=WHITE),
            Highlight(column="change", condition='OR({change}="NEW",{change}="RECREATED")', fill=WARNING),
            Highlight(column="change", condition=_says("NEWLY_APPROVED"), fill=CALM),
            Highlight(condition='OR({change}="GONE",{change}="NOT_RESCANNED")', fill=PALE, bold=False),
        ),
    )


def _says(change: str) -> str:
    """One of several values in a cell."""
    return f'ISNUMBER(SEARCH("{change}",{{change}}))'


def _frame(differences: Iterable[Difference], none: str) -> pd.DataFrame:
    """The users that changed; where there are none, that alone is said."""
    if rows := changed(differences):
        return differences_frame(rows)
    return pd.DataFrame(
        {column.key: pd.Series([(none,) if column.key == "change" else None]) for column in DIFFERENCES}
    )
