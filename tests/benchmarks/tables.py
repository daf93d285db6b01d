"""Results as Markdown tables that are aligned for the terminal too."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    title: str
    columns: Sequence[str]  # all but the first hold figures
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = field(default=())


def render(table: Table) -> str:
    """Return the table with its title and notes."""
    widths = [max(map(len, column)) for column in zip(table.columns, *table.rows, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines = [_line(row, widths) for row in (table.columns, rule, *table.rows)]
    return "\n".join([f"### {table.title}", "", *lines, "", *(f"- {note}" for note in table.notes)]).rstrip() + "\n"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *figures = zip(cells, widths, strict=True)
    aligned = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in figures)]
    return f"| {' | '.join(aligned)} |"


def bound(what: str, value: float, limit: float, unit: str) -> str:
    """Return a note that holds a value against what it must stay under."""
    return f"{what}: {value:.3g}{unit}, bound {limit:g}{unit}: {'met' if value < limit else 'NOT MET'}."
