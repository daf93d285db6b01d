"""The Changes sheet: the users that changed since the run that this one is compared with, what matters most first.

Users that are as they were are not repeated here: the column `change` of Users has them all.
"""

import pandas as pd

from scanner.report.changes import DIFFERENCES, changed
from scanner.report.frames import differences_frame
from scanner.report.workbook.page import Book, Page
from scanner.report.workbook.styles import ALARM, CALM, PALE, WARNING, WHITE
from scanner.report.workbook.table_sheet import Highlight, write_table

COMPARED_WITH_NONE = "This run is compared with no earlier one"
NO_CHANGE = "No user changed since the run that this one is compared with."


def changes_sheet(book: Book) -> None:
    write_table(
        book,
        Page(title="Changes", pages_wide=1, repeat_columns="A:D", freeze="E2", gridlines=True),
        DIFFERENCES,
        _frame(book),
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


def _frame(book: Book) -> pd.DataFrame:
    differences = book.assessment.differences
    if rows := changed(differences or ()):
        return differences_frame(rows)
    why = book.assessment.record.header.previous_why
    said = (f"{COMPARED_WITH_NONE}{why and f': {why}'}." if differences is None else NO_CHANGE,)
    return pd.DataFrame({column.key: pd.Series([said if column.key == "change" else None]) for column in DIFFERENCES})
