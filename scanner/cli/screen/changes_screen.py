"""What a person, or with --json a script, reads of two runs that were compared."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from scanner.audit.assessment import Assessment
from scanner.audit.diff import SAID_ONLY, Difference
from scanner.model import Change
from scanner.report.changes import WORDS, aspects, changed, counts, documents, foremost
from scanner.report.summary import evaluated_from
from scanner.report.words import many, otherwise_words, status_words
from scanner.runs.comparison import Comparison
from scanner.text import for_terminal, iso

SCHEMA_VERSION = 1
INDENT = 6  # of what stands below a user
_STYLES = {
    Change.PRIVILEGE_GAINED: "bold red",
    Change.NEWLY_UNAPPROVED: "bold red",
    Change.RECREATED: "bold yellow",
    Change.NEW: "bold yellow",
}
_BACKWARDS = "The later one was named first; what follows is in order of time."


def show(compared: Comparison, console: Console, *, quiet: bool) -> None:
    """Print both runs, the counts, and the users that changed, those that matter most first; `quiet`: these alone."""
    if not quiet:
        _show_heading(compared, console)
    for change, rows in groupby(changed(compared.differences), key=foremost):
        show_group(console, change, list(rows))


def _show_heading(compared: Comparison, console: Console) -> None:
    if console.is_terminal:
        grid = Table.grid(padding=(0, 2))
        for label, text in _heading(compared):
            grid.add_row(Text(label, style="bold"), Text(text, overflow="fold"))
        console.print(grid)
    else:
        for label, text in _heading(compared):
            console.print(Text(f"{label:<11}{text}"), soft_wrap=True)
    if compared.backwards:
        console.print(Text(_BACKWARDS, style="bold yellow"), soft_wrap=True)


def _heading(compared: Comparison) -> Iterator[tuple[str, str]]:
    yield "Old", for_terminal(_named(compared.old))
    yield "New", for_terminal(_named(compared.new))
    yield from _counted(compared)


def _named(run: Assessment) -> str:
    header, own = run.record.header, run.record.what_if
    what_if = f"WHAT-IF, {otherwise_words(header, own)}: " if own else ""
    return f"{header.run_id}  {header.started_at:%Y-%m-%d}  {what_if}{status_words(run)}"


def _counted(compared: Comparison) -> Iterator[tuple[str, str]]:
    numbers = counts(compared.differences)
    changed_users = [f"{count:,} {WORDS[change]}" for change, count in numbers.items() if change not in SAID_ONLY]
    yield "Changed", ", ".join(changed_users) or "no user"
    yield "Unchanged", many(numbers.get(Change.UNCHANGED, 0), "user")
    left_out = (
        (numbers.get(Change.NOT_PREVIOUSLY_SCANNED, 0), "in accounts that the old run did not read"),
        (compared.outside, "in accounts outside the new run's scope"),
    )
    if any(count for count, _ in left_out):
        yield "Left out", "; ".join(f"{many(count, 'user')} {where}" for count, where in left_out if count)


def show_group(console: Console, change: Change, rows: Sequence[Difference], count: int | None = None) -> None:
    """One line a user where that fits, and in a pipe always; else each thing that changed below it.

    `count` is how many there are, where `rows` are not all of them.
    """
    style = _STYLES.get(change, "bold")
    heading = f"{WORDS[change].capitalize()}: {many(len(rows) if count is None else count, 'user')}"
    console.print(Text(f"\n{heading}", style=style))
    widths = [max(map(cell_len, column)) for column in zip(*map(_who, rows), strict=True)]
    for row in rows:
        who, said = _aligned(_who(row), widths), [for_terminal(str(aspect)) for aspect in aspects(row)]
        line = f"  {who}  {'; '.join(said)}{_besides(row, change)}"
        if not console.is_terminal or cell_len(line) <= console.width:
            console.print(Text(line), soft_wrap=True)
            continue
        console.print(Text(f"  {who.rstrip()}{_besides(row, change)}", overflow="fold"))
        for part in said:
            console.print(Padding(Text(part, overflow="fold"), (0, 0, 0, INDENT), expand=False))


def _who(row: Difference) -> tuple[str, str, str]:
    return row.account_id, for_terminal(row.account_name), for_terminal(row.user.user_name)


def _aligned(texts: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(set_cell_size(text, width) for text, width in zip(texts, widths, strict=True))


def _besides(row: Difference, change: Change) -> str:
    """What else changed of a user, beside what it is listed for."""
    others = [WORDS[other] for other in row.changes if other is not change]
    return f" (also {', '.join(others)})" if others else ""


def document(compared: Comparison) -> dict[str, object]:
    """The one JSON document."""
    return {
        "schema_version": SCHEMA_VERSION,
        "old": _run(compared.old),
        "new": _run(compared.new),
        "old_is_newer": compared.backwards,
        "counts": dict(counts(compared.differences)),
        "users_outside_scope": compared.outside,
        "changes": documents(compared.differences),
    }


def _run(assessment: Assessment) -> dict[str, object]:
    header = assessment.record.header
    return {
        "run_id": header.run_id,
        "evaluated_from": evaluated_from(assessment.record),
        "started_at": iso(header.started_at),
        "as_of": header.as_of.isoformat(),
        "status": assessment.status,
        "status_text": assessment.status_text,
        "accounts_read": assessment.totals.scanned,
        "users": assessment.totals.users,
        "unapproved": assessment.totals.unapproved,
        "journal_sha256": assessment.record.digest,
    }
