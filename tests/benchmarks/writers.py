"""Writes the tables of a recorded run once, as the program does or in the plainest way, and measures only the writing.

python -m tests.benchmarks.writers RUN WAY prints the CPU seconds and the number of cells, as JSON.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd
from openpyxl.workbook import Workbook

from scanner.report.columns import ACCOUNTS, USERS, CellKind, Column
from scanner.report.frames import accounts_frame, users_frame
from scanner.report.tables import flag, joined, write_csv
from scanner.report.view import View
from scanner.report.workbook.assemble import write_workbook
from scanner.report.workbook.cell_xml import naive_utc
from scanner.runs.stored import decide

Write = Callable[[BinaryIO], object]


def plain_workbook(view: View) -> Write:
    """The same values in the two large tables, without styles, widths, other sheets, or a look at the text."""
    tables = {
        "Users": _values(USERS, users_frame(view.users)),
        "Accounts": _values(ACCOUNTS, accounts_frame(view.accounts)),
    }

    def write(out: BinaryIO) -> None:
        workbook = Workbook(write_only=True)
        for title, rows in tables.items():
            sheet = workbook.create_sheet(title)
            for row in rows:
                sheet.append(row)
        workbook.save(out)

    return write


def _values(columns: tuple[Column[Any], ...], frame: pd.DataFrame) -> list[tuple[Any, ...]]:
    """What the program writes into the cells, made before it is measured how long plain openpyxl takes to write it."""
    columnwise = ([_value(column, value) for value in frame[column.key]] for column in columns)
    return [tuple(column.key for column in columns), *zip(*columnwise, strict=True)]


def _value(column: Column[Any], value: Any) -> Any:
    if value is None or value == "":
        return None
    if column.kind is CellKind.LIST:
        return joined(column, value) or None
    if column.kind is CellKind.BOOL:
        return flag(value)
    return naive_utc(value) if column.kind is CellKind.DATETIME else value


def csv(view: View) -> Write:
    frame = users_frame(view.users)
    return lambda out: write_csv(USERS, frame, out)


def plain_csv(view: View) -> Write:
    """pandas itself, of the same frame: no guard against formulas, times and lists as Python prints them."""
    frame = users_frame(view.users)
    return lambda out: frame.to_csv(out, index=False)


WAYS: Mapping[str, Callable[[View], Write]] = {
    "workbook": lambda view: lambda out: write_workbook(view, out),
    "plain-workbook": plain_workbook,
    "csv": csv,
    "plain-csv": plain_csv,
}


def main(run: str, way: str) -> None:
    write = WAYS[way](View(decide(Path(run))))
    with Path(f"written-{way}").open("wb") as out:
        before = time.process_time()
        write(out)
        print(json.dumps({"cpu": time.process_time() - before}))


if __name__ == "__main__":
    main(*sys.argv[1:])
