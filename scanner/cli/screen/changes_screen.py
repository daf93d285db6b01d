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
from scanner.report.changes import WORDS, after, before, changed, counts, documents, foremost
from scanner.report.tables import iso
from scanner.report.words import many, status_words
from scanner.runs.stored import Comparison
from scanner.text import for_terminal

SCHEMA_VERSION = 1
INDENT = 6  # of what stands below a user
_STYLES = {
    Change.PRIVILEGE_GAINED: "bold red",
    Change.NEWLY_UNAPPROVED: "bold red",
    Change.RECREATED: "bold yellow",
    Change.NEW: "bold yellow",
}
_BACKWARDS = "OLD is the newer run of the two: what follows is the way back."


def show(compared: Comparison, console: Console, *, quiet: bool) -> None:
    """Print both runs, the counts, and the users that changed, those that matter most first; `quiet`: these alone."""
    if not quiet:
        _show_heading(compared, console)
    for change, rows in groupby(changed(compared.differences), key=foremost):
        _show_group(console, change, list(rows))


def _show_heading(compared: Comparison, console: Console) -> None:
    if console.is_terminal:
        grid = Table.grid(padding=(0, 2))
        for label, told in _heading(compared):
            grid.add_row(Text(label, style="bold"), Text(told, overflow="fold"))
        console.print(grid)
    else:
        for label, told in _heading(compared):
            console.print(Text(f"{label:<11}{told}"), soft_wrap=True)
    if compared.backwards:
        console.print(Text(_BACKWARDS, style="bold yellow"), soft_wrap=True)


def _heading(compared: Comparison) -> Iterator[tuple[str, str]]:
    for label, run in (("Old", compared.old), ("New", compared.new)):
        header = run.record.header
        yield label, for_terminal(f"{header.run_id}  {header.started_at:%Y-%m-%d}  {status_words(run)}")
    yield from _counted(compared)


def _counted(compared: Comparison) -> Iterator[tuple[str, str]]:
    found = counts(compared.differences)
    told = [f"{count:,} {WORDS[change]}" for change, count in found.items() if change not in SAID_ONLY]
    yield "Changed", ", ".join(told) or "no user"
    yield "Unchanged", many(found.get(Change.UNCHANGED, 0), "user")
    left_out = (
        (found.get(Change.NOT_PREVIOUSLY_SCANNED, 0), "in accounts that OLD did not read"),
        (compared.outside, "in accounts outside NEW's scope"),
    )
    if any(count for count, _ in left_out):
        yield "Left out", "; ".join(f"{many(count, 'user')} {where}" for count, where in left_out if count)


def _show_group(console: Console, change: Change, rows: Sequence[Difference]) -> None:
    """One line a user where that fits, and in a pipe always; else what it was and is below it."""
    style = _STYLES.get(change, "bold")
    console.print(Text(f"\n{WORDS[change].capitalize()}: {many(len(rows), 'user')}", style=style))
    widths = [max(map(cell_len, column)) for column in zip(*map(_who, rows), strict=True)]
    lines = [(_aligned(_who(row), widths), *_sides(row), _besides(row, change)) for row in rows]
    on_one = [f"  {who}  {was} -> {now}{besides}" for who, was, now, besides in lines]
    if not console.is_terminal or max(map(cell_len, on_one)) <= console.width:
        for line in on_one:
            console.print(Text(line.rstrip()), soft_wrap=True)
        return
    for who, was, now, besides in lines:
        console.print(Text(f"  {who.rstrip()}{besides}", overflow="fold"))
        fits = cell_len(f"{was} -> {now}") + INDENT <= console.width
        for line in (f"{was} -> {now}",) if fits else (f"was {was}", f"now {now}"):
            console.print(Padding(Text(line, overflow="fold"), (0, 0, 0, INDENT), expand=False))


def _who(row: Difference) -> tuple[str, str, str]:
    return row.account_id, for_terminal(row.account_name), for_terminal(row.user.user_name)


def _aligned(texts: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(set_cell_size(text, width) for text, width in zip(texts, widths, strict=True))


def _sides(row: Difference) -> tuple[str, str]:
    return for_terminal(before(row)), for_terminal(after(row))


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
        "started_at": iso(header.started_at),
        "as_of": header.as_of.isoformat(),
        "status": assessment.status,
        "status_text": assessment.status_text,
        "accounts_read": assessment.totals.scanned,
        "users": assessment.totals.users,
        "unapproved": assessment.totals.unapproved,
        "journal_sha256": assessment.record.digest,
    }
