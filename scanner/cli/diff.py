"""`iam-scanner diff`: what changed between two recorded runs."""

from typing import Annotated

import typer

from scanner.cli import options


def diff_command(
    context: typer.Context,
    old: Annotated[str, options.run_argument("OLD", "The earlier run")],
    new: Annotated[str, options.run_argument("NEW", "The later run")],
    *,
    output: options.Output = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Show what changed between two recorded runs of one organization, without calling AWS.

    Each run is decided by the safelists that it was made with. A user is gone only where both runs read its account.

    Example: iam-scanner diff 20261123T164100Z-1a2b3c 20270222T081500Z-4d5e6f
    """
    from scanner.cli.screen.changes_screen import document, show
    from scanner.runs.stored import compare_runs

    options.log_to_stderr(debug)
    root = options.settings(context.params).output
    before, after = (options.find_run(run, root, quiet=quiet) for run in (old, new))
    compared = compare_runs(before, after)
    if as_json:
        options.print_json(document(compared))
    else:
        show(compared, options.stdout(), quiet=quiet)
