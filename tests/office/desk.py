"""Work on a workbook in LibreOffice as a person would. Run by the system's Python, to which LibreOffice's own module
belongs: standard library and `uno` alone, and no import of ours.

    python3 desk.py PIPE < work.json

The work is `{"source": PATH, "target": PATH, "password": TEXT, "steps": [{"do": "fill", ...}, ...]}`. Where the source
is empty, the office is closed.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import uno

PATIENCE = 60.0  # seconds that a first start may take, on a machine at work
FILTERS = {
    ".xlsx": "Calc MS Excel 2007 XML",
    ".xlsm": "Calc MS Excel 2007 VBA XML",
    ".xls": "MS Excel 97",
    ".ods": "calc8",
}


def main() -> None:
    work = json.load(sys.stdin)
    desktop = connected(sys.argv[1])
    if not work["source"]:
        desktop.terminate()
        return
    document = desktop.loadComponentFromURL(url(work["source"]), "_blank", 0, (option("Hidden", value=True),))
    try:
        for step in work["steps"]:
            STEPS[step.pop("do")](document, **step)
        how = [option("FilterName", FILTERS[Path(work["target"]).suffix])]
        if work["password"]:
            how.append(option("EncryptionData", encryption(work["password"])))
        document.storeToURL(url(work["target"]), tuple(how))
    finally:
        document.close(True)


def connected(pipe: str) -> Any:
    """The office that listens there; it may just be starting."""
    here = uno.getComponentContext()
    resolver = here.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", here)
    end = time.monotonic() + PATIENCE
    while True:
        try:
            there = resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
            return there.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", there)
        except Exception:  # UNO's own exceptions have no base but this
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def url(path: str) -> str:
    return Path(path).as_uri()


def option(name: str, value: Any) -> Any:
    found = uno.createUnoStruct("com.sun.star.beans.PropertyValue")
    found.Name, found.Value = name, value
    return found


def encryption(password: str) -> Any:
    """What a save with a password asks for, in Microsoft's formats."""
    return uno.Any("[]com.sun.star.beans.NamedValue", (named("OOXPassword", password), named("CryptoType", "Standard")))


def named(name: str, value: str) -> Any:
    found = uno.createUnoStruct("com.sun.star.beans.NamedValue")
    found.Name, found.Value = name, value
    return found


# --- where things are ------------------------------------------------------------------------------------------------


def table(document: Any, sheet: str) -> tuple[Any, dict[str, int], int]:
    """The sheet, its columns by their header, and its last row."""
    found = document.Sheets.getByName(sheet)
    cursor = found.createCursor()
    cursor.gotoEndOfUsedArea(False)
    end = cursor.RangeAddress
    header = found.getCellRangeByPosition(0, 0, end.EndColumn, 0).DataArray[0]
    return found, {str(text): number for number, text in enumerate(header) if text}, end.EndRow


def row_of(document: Any, sheet: str, where: dict[str, str]) -> int:
    """The only row with these values."""
    whole, columns = everything(document, sheet)
    wanted = [(columns[key], value) for key, value in where.items()]
    rows = [
        number
        for number, row in enumerate(whole.DataArray)
        if number and all(str(row[column]) == value for column, value in wanted)
    ]
    if len(rows) != 1:
        raise SystemExit(f"{len(rows)} rows of {sheet} have {where}")
    return rows[0]


def everything(document: Any, sheet: str) -> tuple[Any, dict[str, int]]:
    """The range of the whole table, header included."""
    found, columns, last = table(document, sheet)
    return found.getCellRangeByPosition(0, 0, max(columns.values()), last), columns


# --- what a person does ----------------------------------------------------------------------------------------------


def fill(document: Any, sheet: str, where: dict[str, str], values: dict[str, str]) -> None:
    """Type into the cells of a row: what looks like a date or a formula becomes one, unless the cell is of text."""
    row = row_of(document, sheet, where)
    found, columns, _ = table(document, sheet)
    for key, value in values.items():
        found.getCellByPosition(columns[key], row).setFormula(value)


def paste(document: Any, sheet: str, where: dict[str, str], values: dict[str, str]) -> None:
    """Put text into the cells of a row, whatever it looks like."""
    row = row_of(document, sheet, where)
    found, columns, _ = table(document, sheet)
    for key, value in values.items():
        found.getCellByPosition(columns[key], row).setString(value)


def number(document: Any, sheet: str, where: dict[str, str], column: str, value: float) -> None:
    """Put a number into a cell, as a spreadsheet does where it takes an id for one."""
    row = row_of(document, sheet, where)
    found, columns, _ = table(document, sheet)
    found.getCellByPosition(columns[column], row).setValue(value)


def sort(document: Any, sheet: str, column: str) -> None:
    """Sort by a column, from the largest down."""
    found, columns = everything(document, sheet)
    field = uno.createUnoStruct("com.sun.star.table.TableSortField")
    field.Field, field.IsAscending = columns[column], False
    fields = uno.Any("[]com.sun.star.table.TableSortField", (field,))
    found.sort((option("SortFields", fields), option("ContainsHeader", value=True)))


def only(document: Any, sheet: str, column: str, value: str) -> None:
    """Filter: show the rows with this value alone."""
    found, columns = everything(document, sheet)
    field = uno.createUnoStruct("com.sun.star.sheet.TableFilterField")
    field.Field, field.IsNumeric, field.StringValue = columns[column], False, value
    field.Operator = uno.Enum("com.sun.star.sheet.FilterOperator", "EQUAL")
    asked = found.createFilterDescriptor(True)
    asked.ContainsHeader = True
    asked.setFilterFields((field,))
    found.filter(asked)


def fill_down(document: Any, sheet: str, values: dict[str, str]) -> None:
    """Type into the first row that is shown, and fill down to the last row: rows that a filter hides are left out."""
    found, columns, last = table(document, sheet)
    down = uno.Enum("com.sun.star.sheet.FillDirection", "TO_BOTTOM")
    simple = uno.Enum("com.sun.star.sheet.FillMode", "SIMPLE")
    by_day = uno.Enum("com.sun.star.sheet.FillDateMode", "FILL_DATE_DAY")
    for key, value in values.items():
        below = found.getCellRangeByPosition(columns[key], 1, columns[key], last)
        first = below.queryVisibleCells().RangeAddresses[0].StartRow
        found.getCellByPosition(columns[key], first).setFormula(value)
        filled = found.getCellRangeByPosition(columns[key], first, columns[key], last)
        filled.fillSeries(down, simple, by_day, 0, 0)


def name_once(document: Any, values: dict[str, str]) -> None:
    """Type into cells by the names that the workbook gives them."""
    for name, value in values.items():
        document.NamedRanges.getByName(name).ReferredCells.getCellByPosition(0, 0).setFormula(value)


def insert_column(document: Any, sheet: str, before: str, header: str, text: str) -> None:
    """Add a column of one's own, with the same text in each row."""
    found, columns, last = table(document, sheet)
    found.Columns.insertByIndex(columns[before], 1)
    for row in range(last + 1):
        found.getCellByPosition(columns[before], row).setString(text if row else header)


def delete_column(document: Any, sheet: str, column: str) -> None:
    found, columns, _ = table(document, sheet)
    found.Columns.removeByIndex(columns[column], 1)


def delete_row(document: Any, sheet: str, where: dict[str, str]) -> None:
    row = row_of(document, sheet, where)
    document.Sheets.getByName(sheet).Rows.removeByIndex(row, 1)


def double_row(document: Any, sheet: str, where: dict[str, str]) -> None:
    """Copy a row, below the last one."""
    row = row_of(document, sheet, where)
    found, columns, last = table(document, sheet)
    whole = found.getCellRangeByPosition(0, row, max(columns.values()), row)
    found.copyRange(found.getCellByPosition(0, last + 1).CellAddress, whole.RangeAddress)


def merge(document: Any, sheet: str, column: str, rows: int) -> None:
    """Merge the first cells of a column below its header."""
    found, columns, _ = table(document, sheet)
    found.getCellRangeByPosition(columns[column], 1, columns[column], rows).merge(True)


def retitle(document: Any, sheet: str, column: str, to: str) -> None:
    """Give a column another header."""
    found, columns, _ = table(document, sheet)
    found.getCellByPosition(columns[column], 0).setString(to)


def rename(document: Any, sheet: str, to: str) -> None:
    document.Sheets.getByName(sheet).Name = to


def delete_sheet(document: Any, sheet: str) -> None:
    document.Sheets.removeByName(sheet)


STEPS = {
    step.__name__: step
    for step in (
        fill,
        paste,
        number,
        sort,
        only,
        fill_down,
        name_once,
        insert_column,
        delete_column,
        delete_row,
        double_row,
        merge,
        retitle,
        rename,
        delete_sheet,
    )
}

if __name__ == "__main__":
    main()
