"""What a person reads first of an evaluation: who flips."""

from itertools import groupby

from rich.console import Console
from rich.text import Text

from scanner.cli.screen.changes_screen import show_group
from scanner.report.changes import changed, counts, flips_words, foremost
from scanner.report.formats import FLIPS
from scanner.report.render import Rendered
from scanner.text import for_terminal

SHOWN = 20  # users on a terminal; flips.csv has all, and so has a pipe


def show_flips(rendered: Rendered, console: Console) -> None:
    """Print how many users flip, and each with what it was, what it is and why."""
    console.print(Text(flips_words(rendered.assessment), style="bold"), soft_wrap=not console.is_terminal)
    flips = changed(rendered.assessment.flips or ())
    shown = flips[:SHOWN] if console.is_terminal else flips
    counted = counts(flips)
    for change, users in groupby(shown, key=foremost):
        show_group(console, change, list(users), counted[change])
    if len(shown) < len(flips):
        listed = for_terminal(str(rendered.folder / FLIPS))
        console.print(Text(f"  and {len(flips) - len(shown):,} more: see {listed}", style="dim"), soft_wrap=True)
    console.print()
