"""`iam-scanner diff`: what changed between two recorded runs, or would between a run and an evaluation of it."""

from typing import Annotated

import typer

from scanner.cli import options


def diff_command(
    context: typer.Context,
    old: Annotated[str, options.run_argument("OLD", "The earlier run")],
    new: Annotated[str, options.run_argument("NEW", "The later run, or an evaluation of OLD")],
    *,
    output: options.Output = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Show what changed between two recorded runs of one organization, without calling AWS.

    Each run is decided by the safelists that it was made with. A user is gone only where both runs read its account.
    Whichever is named first, changes are in order of time. NEW may be what evaluate wrote of OLD: that shows who flips.

    Example: iam-scanner diff 20261123T164100Z-1a2b3c 20270222T081500Z-4d5e6f
    """
    from scanner.cli.screen.changes_screen import document, show
    from scanner.runs import evaluation
    from scanner.runs.comparison import compare_runs

    options.log_to_stderr(debug)
    root = options.settings(context.params).output
    first, second = (evaluation.find(name, root) or options.find_run(name, root, quiet=quiet) for name in (old, new))
    compared = compare_runs(first, second, root)
    if as_json:
        options.print_json(document(compared))
    else:
        show(compared, options.stdout(), quiet=quiet)
