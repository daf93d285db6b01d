"""What a person reads after `review import`: the diff, what was decided, what was written where, and what is next."""

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Console, RenderableType
from rich.text import Text

from scanner.cli.screen.layout import labelled, print_parts
from scanner.cli.screen.next_step import plan_command
from scanner.cli.screen.safelist_edits import edits_document, edits_text, show_diff
from scanner.model import Choice
from scanner.report.words import many
from scanner.review.importing import Imported
from scanner.review.standing import Standing
from scanner.text import for_terminal


def show(imported: Imported, console: Console, *, quiet: bool, options: str = "") -> None:
    """Print the diff, and below it the rest; with `quiet` the diff alone."""
    is_changed = show_diff(imported.changes, console)
    if not quiet:
        print_parts(console, _parts(imported, below_diff=is_changed), _commands(imported, options))


def document(imported: Imported, warnings: Sequence[str]) -> Mapping[str, object]:
    """The one JSON document; `written` tells a preview from an import, and the figures are the same in both."""
    wanted = imported.wanted
    return {
        "written": imported.written,
        "run_id": imported.run_id,
        "journal_sha256": imported.digest,
        "workbooks": [
            {"file": str(book.path), "sha256": book.sha256, "rows": len(book.rows)} for book in imported.books
        ],
        "decisions": {choice: imported.decided.get(choice, 0) for choice in Choice},
        "standing": {standing: imported.standing.get(standing, 0) for standing in Standing},
        "users_due": imported.due,
        "undecided": imported.undecided,
        "rows_begun": imported.begun,
        "safelist": {
            **edits_document(wanted, imported.changes),
            "revocations": len(wanted.revocations),
            "lifted": len(wanted.lifted),
        },
        "removals": {"file": str(imported.removals), "users": imported.to_remove},
        "ledger": {"file": str(imported.ledger), "new": imported.standing.get(Standing.NEW, 0)},
        "notes": list(imported.notes),
        "warnings": list(warnings),
    }


def _parts(imported: Imported, *, below_diff: bool) -> Iterator[RenderableType]:
    if below_diff:
        yield Text()
    title = Text(f"Review of run {imported.run_id}", style="bold")
    yield title if imported.written else title.append(": PREVIEW, nothing was written", style="yellow")
    yield labelled(
        ("Decided", _decided(imported)),
        ("Undecided", _undecided(imported)),
        ("Safelist", edits_text(imported.wanted, imported.changes, written=imported.written)),
        ("Removals", _removals(imported)),
        ("Ledger", _ledger(imported)),
        ("Next", Text("\n".join(map(for_terminal, _advice(imported))))),
    )


def _decided(imported: Imported) -> Text:
    """How many, and what; then what was known already, so that nobody wonders why nothing changed."""
    total = sum(imported.decided.values())
    split = ", ".join(f"{imported.decided[choice]:,} {choice}" for choice in Choice if imported.decided.get(choice))
    text = Text(f"{many(total, 'user')}: {split}" if total else "none: every decision is blank")
    counts = imported.standing
    if recorded := counts.get(Standing.RECORDED, 0):
        text.append(f"\n{recorded:,} of them imported before", style="dim")
    if overtaken := counts.get(Standing.OVERTAKEN, 0):
        text.append(
            f"\n{overtaken:,} of them decided again in the review of another run, which takes precedence", style="dim"
        )
    return text


def _undecided(imported: Imported) -> Text:
    text = Text(f"{imported.undecided:,}", style="bold yellow" if imported.undecided else "")
    text.append(f" of {many(imported.due, 'user')} that the run says need a decision", style="not bold default")
    if imported.begun:
        rows = many(imported.begun, "row is filled in and has", "rows are filled in and have")
        text.append(f"\n{rows} no decision", style="yellow")
    return text


def _removals(imported: Imported) -> Text:
    users = many(imported.to_remove, "user")
    listed = f"{users} listed" if imported.written else f"would list {users}"
    return Text(f"{listed} in {imported.removals.name}: {for_terminal(str(imported.removals.parent))}")


def _ledger(imported: Imported) -> Text:
    added = imported.standing.get(Standing.NEW, 0)
    decisions = many(added, "decision")
    outcome = (f"{decisions} added" if imported.written else f"would add {decisions}") if added else "unchanged"
    text = Text(f"{outcome}: {for_terminal(str(imported.ledger))}")
    for note in imported.notes:
        text.append(f"\n{for_terminal(note)}", style="yellow")
    return text


def _advice(imported: Imported) -> Iterator[str]:
    if not imported.written and (imported.changes or imported.standing.get(Standing.NEW)):
        yield "check all of this, then run the same command with --write; or correct the workbook first"
        return
    if imported.written and imported.changes:
        paths = ", ".join(change.path for change in imported.changes)
        yield f"have the change of {paths} reviewed and merged: that is what approves"
    if imported.undecided:
        yield "import the decisions that are missing, in the same workbook or in others of this run"
    if imported.written and imported.to_remove:
        yield "plan the removals and quarantines, which changes nothing yet; scan again when they are done:"
    else:
        yield "scan again, to see that all of it was carried out"


def _commands(imported: Imported, options: str) -> tuple[str, ...]:
    if not (imported.written and imported.to_remove):
        return ()
    return (for_terminal(plan_command(imported.removals, options)),)
