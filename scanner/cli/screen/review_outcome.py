"""What a person reads after `review import`: the diff, what was decided, what was written where, and what is next."""

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Console, RenderableType
from rich.text import Text

from scanner.cli.screen.layout import labelled, print_parts
from scanner.cli.screen.next_step import options_of, plan_command, repeated
from scanner.cli.screen.safelist_edits import edits_document, edits_text, show_diff
from scanner.model import Choice
from scanner.report.words import many
from scanner.review.importing import Imported, OfRun
from scanner.review.removals import REMOVALS
from scanner.review.standing import Standing
from scanner.settings import Settings
from scanner.text import for_terminal


def show(imported: Imported, console: Console, *, quiet: bool, settings: Settings | None = None) -> None:
    """Print the diff, and below it the rest; with `quiet` the diff alone."""
    is_changed = show_diff(imported.changes, console)
    if not quiet:
        print_parts(console, _parts(imported, below_diff=is_changed), _commands(imported, settings or Settings()))


def document(imported: Imported, warnings: Sequence[str]) -> Mapping[str, object]:
    """The one JSON document; `written` tells a preview from an import, and the figures are the same in both."""
    wanted, only = imported.wanted, imported.runs[0] if len(imported.runs) == 1 else None
    return {
        "written": imported.written,
        "run_id": only and only.run_id,
        "journal_sha256": only and only.digest,
        "workbooks": [
            {"file": str(book.path), "sha256": book.sha256, "rows": len(book.rows)} for book in imported.books
        ],
        "decisions": {choice: imported.decided[choice] for choice in Choice},
        "standing": {standing: imported.standing[standing] for standing in Standing},
        "users_due": imported.due,
        "undecided": imported.undecided,
        "rows_begun": imported.begun,
        "safelist": {
            **edits_document(wanted, imported.changes),
            "revocations": len(wanted.revocations),
            "lifted": len(wanted.lifted),
        },
        "removals": {"file": only and str(only.removals), "users": imported.to_remove},
        "ledger": {"file": str(imported.ledger), "new": imported.standing.get(Standing.NEW, 0)},
        "notes": list(imported.notes),
        "warnings": list(warnings),
        **({} if only else {"runs": [_of_run(run) for run in imported.runs]}),
    }


def _of_run(run: OfRun) -> Mapping[str, object]:
    """What of it is for one of several runs; their safelists may be the same files."""
    return {
        "organization_id": run.organization_id,
        "run_id": run.run_id,
        "journal_sha256": run.digest,
        "decisions": {choice: run.decided.get(choice, 0) for choice in Choice},
        "standing": {standing: run.standing.get(standing, 0) for standing in Standing},
        "users_due": run.due,
        "undecided": run.undecided,
        "removals": {"file": str(run.removals), "users": run.to_remove},
    }


def _parts(imported: Imported, *, below_diff: bool) -> Iterator[RenderableType]:
    if below_diff:
        yield Text()
    what = many(len(imported.runs), "organization") if len(imported.runs) > 1 else f"run {imported.runs[0].run_id}"
    title = Text(f"Review of {what}", style="bold")
    yield title if imported.written else title.append(": PREVIEW, nothing was written", style="yellow")
    yield labelled(
        *((("Runs", _runs(imported)),) if len(imported.runs) > 1 else ()),
        ("Decided", _decided(imported)),
        ("Undecided", _undecided(imported)),
        ("Safelist", _safelist(imported)),
        ("Removals", _removals(imported)),
        ("Ledger", _ledger(imported)),
        ("Next", Text("\n".join(map(for_terminal, _advice(imported))))),
    )


def _runs(imported: Imported) -> Text:
    """What was decided in each of several runs."""
    lines = [
        f"{for_terminal(run.organization_id)} {run.run_id}: {sum(run.decided.values()):,} decided, "
        f"{run.undecided:,} of {run.due:,} undecided"
        for run in imported.runs
    ]
    return Text("\n".join(lines))


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
    says = "the run says need" if len(imported.runs) == 1 else "the runs say need"
    text.append(f" of {many(imported.due, 'user')} that {says} a decision", style="not bold default")
    if imported.begun:
        rows = many(imported.begun, "row is filled in and has", "rows are filled in and have")
        text.append(f"\n{rows} no decision", style="yellow")
    return text


def _safelist(imported: Imported) -> Text:
    text = edits_text(imported.wanted, imported.changes, written=imported.written)
    removals = sum(imported.decided.get(choice, 0) for choice in (Choice.REMOVE, Choice.QUARANTINE))
    before = removals - len(imported.wanted.revocations)
    if imported.changes and before > 0 and not imported.standing.get(Standing.OVERTAKEN):
        are = "is" if before == 1 else "are"
        text.append(f"\n{before:,} of the removals and quarantines {are} revoked there already", style="dim")
    return text


def _removals(imported: Imported) -> Text:
    users = many(imported.to_remove, "user")
    listed = f"{users} listed" if imported.written else f"would list {users}"
    runs = [run for run in imported.runs if run.to_remove] or imported.runs[:1]
    if len(imported.runs) > 1 and not imported.to_remove:
        return Text(f"{listed} in any {REMOVALS}")
    places = [for_terminal(str(run.removals.parent)) for run in runs]
    return Text(
        f"{listed} in {REMOVALS}: {places[0]}" if len(places) == 1 else "\n".join([f"{listed} in {REMOVALS}:", *places])
    )


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
        which = "this run" if len(imported.runs) == 1 else "these runs"
        yield f"import the decisions that are missing, in the same workbook or in others of {which}"
    if imported.written and imported.to_remove:
        yield "plan the removals and quarantines, which changes nothing yet; scan again when they are done:"
    else:
        yield "scan again, to see that all of it was carried out"


def _commands(imported: Imported, settings: Settings) -> Iterator[str]:
    """A plan is for one organization, by the safelists of that one."""
    for run in imported.runs:
        if imported.written and run.to_remove:
            own = repeated("safelist", run.safelists) if len(imported.runs) > 1 else options_of(settings, "safelist")
            yield for_terminal(plan_command(run.removals, f"{own}{options_of(settings, 'output')}"))
