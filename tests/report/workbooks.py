"""The workbook of an assessment, read back."""

import io
from collections.abc import Iterator, Sequence
from typing import Any, cast

from openpyxl import load_workbook
from openpyxl.cell.cell import Cell
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from scanner.audit.assessment import Assessment
from scanner.report.changes import DIFFERENCES
from scanner.report.columns import ACCOUNTS, SAFELIST, USERS, Column
from scanner.report.review_rows import REVIEW
from scanner.report.view import View
from scanner.report.workbook.assemble import write_workbook

TABLES: dict[str, Sequence[Column[Any]]] = {
    "Review": REVIEW,
    "Users": USERS,
    "Accounts": ACCOUNTS,
    "Safelist": SAFELIST,
    "Changes": DIFFERENCES,
}


def rendered(assessment: Assessment) -> bytes:
    out = io.BytesIO()
    write_workbook(View(assessment), out)
    return out.getvalue()


def opened(assessment: Assessment) -> Workbook:
    return load_workbook(io.BytesIO(rendered(assessment)))


def sheet(book: Workbook, title: str) -> Worksheet:
    return cast(Worksheet, book[title])


def table(book: Workbook, title: str) -> list[dict[str, Any]]:
    head, *rows = sheet(book, title).iter_rows(values_only=True)
    return [dict(zip((str(key) for key in head), row, strict=True)) for row in rows]


def cells(book: Workbook) -> Iterator[Cell]:
    for each in book.worksheets:
        for row in each.iter_rows():
            yield from (cell for cell in row if isinstance(cell, Cell) and cell.value is not None)


def words(book: Workbook, title: str) -> str:
    values = (value for row in sheet(book, title).iter_rows(values_only=True) for value in row)
    return "\n".join(str(value) for value in values if value is not None)


def facts(book: Workbook) -> dict[str, str]:
    return {str(row[0]): str(row[1]) for row in sheet(book, "Evidence").iter_rows(values_only=True) if row[0]}


def rows(book: Workbook, title: str) -> list[list[Any]]:
    """What stands in each line of a sheet, empty cells left out."""
    lines = sheet(book, title).iter_rows(values_only=True)
    return [[value for value in line if value is not None] for line in lines]
