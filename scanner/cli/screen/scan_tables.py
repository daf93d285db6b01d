"""The tables of a run's outcome: who is most urgent, which accounts have most to decide, and which were not read."""

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from scanner.cli.screen.layout import width_of
from scanner.report.failed_accounts import FailureGroup, likely_cause
from scanner.report.rows import AccountRow
from scanner.report.summary import MOST_ACCOUNTS
from scanner.report.urgency import why
from scanner.report.view import View
from scanner.report.words import many, shortened
from scanner.text import for_terminal

NAMED = 3  # accounts of a group of failures
WIDE = 100  # columns from which account ids are shown beside the names
LONGEST = 24  # columns of a name
GAP = 2


def urgent_users(view: View, console: Console, most: int) -> Iterator[RenderableType]:
    """The first users that need a decision, as on the sheet Review: account, user and why."""
    rows = view.review[:most]
    if not rows:
        return
    rest = f" (iam-scanner users {view.assessment.record.header.run_id})"
    yield Text.assemble((f"Most urgent of {len(view.review):,} to review", "bold"), (rest, "dim"))
    lines = [
        (
            row.user.finding.account.id,
            for_terminal(row.user.finding.account.name),
            for_terminal(row.user.finding.user.user_name),
            for_terminal(", ".join(why(row.user, row.reasons))),
        )
        for row in rows
    ]
    width = width_of(console)
    yield _table(lines if width >= WIDE else [line[1:] for line in lines], width, cut=console.is_terminal)


def _table(lines: Sequence[Sequence[str]], width: int, *, cut: bool) -> Table:
    """Columns as wide as their texts; the last one has the rest, and may be cut there."""
    table, rest = _columns([line[:-1] for line in lines], width)
    table.add_column(width=rest, no_wrap=cut, overflow="ellipsis" if cut else "fold")
    for line in lines:
        table.add_row(*line)
    return table


def _columns(lines: Sequence[Sequence[str]], width: int) -> tuple[Table, int]:
    """A table of columns as wide as their texts, a name at most `LONGEST`, and the width of what is left."""
    table = Table.grid(padding=(0, GAP, 0, 0))
    widths = [min(LONGEST, max(map(cell_len, column))) for column in zip(*lines, strict=True)]
    for number in widths:
        table.add_column(width=number, overflow="fold")
    return table, max(width - sum(widths) - GAP * (len(widths) + 1), LONGEST)


def accounts_table(view: View, console: Console) -> Iterator[RenderableType]:
    """The accounts with the most unapproved users."""
    rows = view.figures.worst[:MOST_ACCOUNTS]
    if not rows:
        return
    more = len(view.figures.worst) - len(rows)
    yield Text.assemble(
        ("Most unapproved users", "bold"), (f"; {many(more, 'more account')} in accounts.csv" if more else "", "dim")
    )
    lines = [
        (row.account.id, for_terminal(row.account.name), f"{row.unapproved or 0:,} of {many(row.users or 0, 'user')}")
        for row in rows
    ]
    table, rest = _columns(lines, width_of(console))
    table.add_column(width=rest)
    for line, row in zip(lines, rows, strict=True):
        table.add_row(*line, shortened(for_terminal(row.account.ou_path or ""), rest))
    yield table


def failures(view: View, *, brief: bool) -> Iterator[RenderableType]:
    """The accounts that were not read: one entry for all that failed alike, with one remedy.

    Where it has to be `brief`, without AWS's own message, which accounts.csv has.
    """
    if not view.failures:
        return
    yield Text(f"Not read: {many(len(view.figures.failed), 'account')}", style="bold red")
    if cause := likely_cause(view.assessment, view.failures):
        yield Text(for_terminal(cause), style="bold")
    for group in view.failures[:MOST_ACCOUNTS]:
        yield _failure(group, brief=brief)
    if (more := len(view.failures) - MOST_ACCOUNTS) > 0:
        yield Text(f"{many(more, 'more reason')}: see accounts.csv", style="dim")


def _failure(group: FailureGroup, *, brief: bool) -> RenderableType:
    first, count = group.first, len(group.accounts)
    text = Text.assemble((many(count, "account"), "bold"), f": {_named(group.accounts)}")
    text.append(f"\n{for_terminal(group.why)}", style="red")
    if first.failed_call and first.detail and not brief:
        of = f" (of {for_terminal(first.account.name or first.account.id)})" if count > 1 else ""
        text.append(f"{of}: {for_terminal(first.detail)}")
    if first.remedy:
        text.append(f"\n{for_terminal(first.remedy)}", style="dim")
    return Padding(text, (0, 0, 0, 2))


def _named(accounts: Sequence[AccountRow]) -> str:
    names = [f"{row.account.name} {row.account.id}".strip() for row in accounts[:NAMED]]
    more = f" and {len(accounts) - NAMED:,} more, see accounts.csv" if len(accounts) > NAMED else ""
    return for_terminal(", ".join(names)) + more
