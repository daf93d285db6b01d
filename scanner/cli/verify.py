"""`iam-scanner verify`: show that a run is whole."""

from typing import Annotated

import typer

from scanner.cli import options
from scanner.errors import ExitCode


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
    from scanner.cli.screen import verify_outcome as screen
    from scanner.report.verify import verify

    options.log_to_stderr(debug)
    folder = options.find_run(run_, options.settings(context.params).output, quiet=quiet)
    checks = verify(folder, digest)
    whole = all(check.holds is not False for check in checks)
    if as_json:
        options.print_json(screen.document(folder, checks, whole=whole))
    else:
        screen.show(options.stdout(), checks, whole=whole, digest_given=digest is not None, quiet=quiet)
    raise typer.Exit(ExitCode.OK if whole else ExitCode.UNAPPROVED)
