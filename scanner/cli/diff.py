"""`iam-scanner diff`: what changed between two recorded runs."""

from typing import Annotated

import typer

from scanner.cli import options


def diff_command(
    context: typer.Context,
    old: Annotated[str, typer.Argument(metavar="OLD", help="The earlier run: its folder, or its id under --output.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The later run, named in the same way.")],
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
    from scanner.runs import folder as run_folder
    from scanner.runs.stored import compare_runs

    options.log_to_stderr(debug)
    root = options.settings(context.params).output
    compared = compare_runs(run_folder.find(old, root), run_folder.find(new, root))
    if as_json:
        options.print_json(document(compared))
    else:
        show(compared, options.stdout(), quiet=quiet)
