"""What `archive push` and `archive pull` say at their end."""

from rich.console import Console
from rich.text import Text

from scanner.archive.transfer import Pulled, Pushed
from scanner.cli.screen.layout import labelled, print_parts
from scanner.report.words import many
from scanner.text import for_terminal


def pushed_document(pushed: Pushed) -> dict[str, object]:
    """For scripts."""
    run = pushed.run
    return {
        "run_id": run.state.run_id,
        "archived_at": pushed.uri,
        "manifest_sha256": run.state.manifest,
        "files": {"total": run.files, "put_now": run.sent, "bytes": run.bytes},
        "ledger_put_now": pushed.ledger,
    }


def pulled_document(pulled: Pulled) -> dict[str, object]:
    """For scripts."""
    run = pulled.run
    return {
        "run_id": run.state.run_id,
        "folder": str(run.folder),
        "archived_at": pulled.uri,
        "manifest_sha256": run.state.manifest,
        "pulled_now": run.new,
        "ledger_pulled_now": pulled.ledger,
    }


def show_pushed(pushed: Pushed, console: Console, *, options: str, quiet: bool) -> None:
    """Say where the run is; with `quiet` nothing but that."""
    if quiet:
        print(pushed.uri)  # noqa: T201  # the result
        return
    run = pushed.run
    files = f"{many(run.files, 'file')}, {run.bytes / 1e6:,.1f} MB"
    if run.sent < run.files:
        before = run.files - run.sent
        files += f"; {before if run.sent else 'all'} of them {'was' if before == 1 else 'were'} there already"
    ledger = "put there, with all decisions so far" if pushed.ledger else "nothing new"
    print_parts(
        console,
        [
            labelled(
                ("Archived", Text(f"run {run.state.run_id}: {files}")),
                ("Place", Text(pushed.uri)),
                ("Ledger", Text(ledger)),
                ("Next", Text("on another machine, this brings it there:")),
            )
        ],
        [f"iam-scanner archive pull {run.state.run_id}{options}"],
    )


def show_pulled(pulled: Pulled, console: Console, *, quiet: bool) -> None:
    """Say where the run is; with `quiet` nothing but that."""
    run = pulled.run
    if quiet:
        print(run.folder)  # noqa: T201  # the result
        return
    downloaded = f"downloaded and verified, {run.bytes / 1e6:,.1f} MB" if run.new else "was here already"
    ledger = "downloaded, with all decisions so far" if pulled.ledger else "nothing new"
    print_parts(
        console,
        [
            labelled(
                ("Run", Text(f"{run.state.run_id}: {downloaded}")),
                ("Folder", Text(for_terminal(str(run.folder)))),
                ("Ledger", Text(ledger)),
                ("Digest", Text(run.state.manifest).append("\nof manifest.json; compare it with the one noted", "dim")),
            )
        ],
    )
