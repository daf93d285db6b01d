"""A sheet of a workbook, as the program itself reads what was sent back."""

from pathlib import Path

from scanner.review.cells import Cell
from scanner.review.opening import opened, rows


def sheet(path: Path, title: str) -> list[dict[str, Cell]]:
    """The rows of a table, each cell under the head of its column."""
    with opened(path) as book:
        (_, header), *rest = rows(path, book, title)
        return [{str(head.value): row.get(at, Cell("")) for at, head in header.items()} for _, row in rest]
