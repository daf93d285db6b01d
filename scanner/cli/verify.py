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
        typer.Option(metavar="SHA256", help="Digest of the manifest, or of the plan, as it was noted elsewhere."),
    ] = None,
    output: options.Output = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Check that a run is whole: its files, the chain of its journal, and its CSVs rendered again.

    A plan of remediate, by its folder or its ID, is checked in the same way: plan, journal and results.

    Only --digest shows that nobody rewrote all of it. Exit code: 0 all holds, 3 something does not, 2 the run was never
    finished.

    Example: iam-scanner verify 20261123T164100Z-1a2b3c
    """
    from scanner.cli.screen import verify_outcome as screen
    from scanner.remediation import plan_folder
    from scanner.remediation.verify_plan import verify_plan
    from scanner.report.verify import verify

    options.log_to_stderr(debug)
    reports = options.settings(context.params).output
    if plan_folder.is_plan(run_, reports):
        what, folder = "plan", plan_folder.find(run_, reports)
        checks = verify_plan(folder, digest)
    else:
        what, folder = "run", options.find_run(run_, reports, quiet=quiet)
        checks = verify(folder, digest)
    whole = all(check.holds is not False for check in checks)
    if as_json:
        options.print_json(screen.document(what, folder, checks, whole=whole))
    else:
        screen.show(what, options.stdout(), checks, whole=whole, digest_given=digest is not None, quiet=quiet)
    raise typer.Exit(ExitCode.OK if whole else ExitCode.UNAPPROVED)
