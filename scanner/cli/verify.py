"""`iam-scanner verify`: show that a run is whole."""

import dataclasses
from typing import Annotated

import typer
from rich.text import Text

from scanner.cli import options
from scanner.errors import ExitCode

_WORDS = {True: ("ok", "green"), False: ("MISMATCH", "bold red"), None: ("not checked", "yellow")}


def verify_command(
    context: typer.Context,
    run_: options.Run,
    *,
    digest: Annotated[
        str | None,
        typer.Option(metavar="SHA256", help="The manifest's digest, as it was noted elsewhere when the run ended."),
    ] = None,
    output: options.Output = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Show that a run is whole: its files, the chain of its journal, and its CSVs rendered again.

    Only --digest shows that nobody rewrote all of it. Exit code: 0 all holds, 3 something does not, 2 the run was never
    finished.

    Example: iam-scanner verify 20261123T164100Z-1a2b3c
    """
    from scanner.report.verify import verify
    from scanner.runs import folder as run_folder
    from scanner.text import for_terminal

    options.log_to_stderr(debug)
    folder = run_folder.find(run_, options.settings(context.params).output)
    checks = verify(folder, digest)
    whole = all(check.holds is not False for check in checks)
    if as_json:
        options.print_json(
            {"run": str(folder), "whole": whole, "checks": [dataclasses.asdict(check) for check in checks]}
        )
    else:
        for check in checks:
            word, style = _WORDS[check.holds]
            if not (quiet and check.holds):
                line = Text.assemble((f"{word:<11} ", style), for_terminal(f"{check.what} {check.detail}"))
                options.stdout().print(line, soft_wrap=True)
        if not quiet:
            said = "The run is whole." if whole else "The run is NOT what it was when it ended."
            options.stdout().print(Text(said, style="bold"))
            if digest is None:
                options.stdout().print("Without --digest this does not show that nobody rewrote all of it.")
    raise typer.Exit(ExitCode.OK if whole else ExitCode.UNAPPROVED)
