"""A sheet of a workbook, as the program itself reads what was sent back."""

from pathlib import Path

from openpyxl.cell.cell import Cell

from scanner.review.opening import opened, rows


def sheet(path: Path, title: str) -> list[dict[str, Cell]]:
    """The rows of a table, each cell under the head of its column."""
    with opened(path) as book:
        (_, header), *rest = rows(path, book, title)
        keys = [str(cell.value) for cell in header if cell.value is not None]
        return [dict(zip(keys, row, strict=False)) for _, row in rest]
