"""What a person reads after `report` on runs of several organizations: the status in all, then a line for each."""

from collections.abc import Sequence

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from scanner.cli.screen.layout import labelled, print_parts, width_of
from scanner.cli.screen.scan_tables import WIDE
from scanner.model import RULE_ID, RULE_TITLE, Status
from scanner.report.view import View
from scanner.report.words import many, status_words
from scanner.text import for_terminal

STATUS_STYLES = {Status.COMPLETE: "bold green", Status.INCOMPLETE: "bold red", Status.NOTHING_READ: "bold red"}


def show_organizations(view: View, files: Text, console: Console, step: tuple[str, Sequence[str]]) -> None:
    """Print the outcome of a report on several runs."""
    words, commands = step
    table = _table(view, named=width_of(console) >= WIDE)
    parts: list[RenderableType] = [_banner(view), table, labelled(("Files", files), ("Next", Text(words)))]
    print_parts(console, parts, [for_terminal(command) for command in commands])


def _banner(view: View) -> Text:
    text = Text(f"{for_terminal(status_words(view.in_all))}\n")
    text.stylize(STATUS_STYLES[view.in_all.status], 0, len(view.in_all.status))
    return text.append(f"{RULE_ID} {RULE_TITLE}: {many(len(view.runs), 'organization')}", style="dim")


def _table(view: View, *, named: bool) -> Table:
    """The numbers below each other, the last line is what they come to; where there is room, with each run's ID."""
    table = Table.grid(padding=(0, 2, 0, 0))
    heads = ("Organization", "Status", "Accounts read", "Users", "Unapproved", "Run")[: 6 if named else 5]
    table.add_column(overflow="fold")
    for number in range(1, len(heads)):
        table.add_column(justify="right" if number in {2, 3, 4} else "left", no_wrap=True)
    table.add_row(*(Text(head, style="bold") for head in heads))
    for run in view.runs:
        table.add_row(*_row(run, run.organization_id, run.assessment.record.header.run_id)[: len(heads)])
    table.add_row(*_row(view, "In all", "")[: len(heads)])
    return table


def _row(view: View, name: str, run_id: str) -> list[Text]:
    totals, status = view.in_all.totals, view.in_all.status
    return [
        Text(for_terminal(name)),
        Text(status, style=STATUS_STYLES[status]),
        Text(f"{totals.scanned:,} of {totals.in_scope:,}"),
        Text(f"{totals.users:,}"),
        Text(f"{totals.unapproved:,}", style="bold red" if totals.unapproved else ""),
        Text(run_id),
    ]
