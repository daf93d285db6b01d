"""How what a command found is laid out: labelled lines, in a terminal as wide as that is, elsewhere as plain text."""

import io
import os
from collections.abc import Iterable

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from scanner.cli.options import literal_console

LABEL = 9  # columns of a label, so that those below each other are aligned
WIDTH = 100  # columns, where no terminal says how many it has


def print_parts(console: Console, parts: Iterable[RenderableType], commands: Iterable[str] = ()) -> None:
    """Print; into a file or a pipe as plain lines, without colours and trailing spaces.

    Commands come last, each on one line however long it is: a person is to paste them.
    """
    _print_parts(console, parts)
    for command in commands:
        console.print(Text(command), soft_wrap=True)


def _print_parts(console: Console, parts: Iterable[RenderableType]) -> None:
    if console.is_terminal:
        console.print(Group(*parts))
        return
    plain = literal_console(file=io.StringIO(), width=width_of(console), color_system=None, force_terminal=False)
    with plain.capture() as captured:
        plain.print(Group(*parts))
    console.file.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


def labelled(*lines: tuple[str, Text]) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True, min_width=LABEL)
    grid.add_column(overflow="fold")
    for label, text in lines:
        grid.add_row(label, text)
    return grid


def width_of(console: Console, *, unknown: int = WIDTH) -> int:
    """Columns of the terminal; elsewhere of COLUMNS, or `unknown` where nothing says how many."""
    if console.is_terminal:
        return console.width
    columns = os.environ.get("COLUMNS", "")
    return int(columns) if columns.isdecimal() and int(columns) else unknown
