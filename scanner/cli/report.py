"""`iam-scanner report`: render a recorded run again."""

import os
from typing import Annotated

import typer

from scanner.cli import options


def report_command(
    context: typer.Context,
    run_: Annotated[str, typer.Argument(metavar="RUN", help="A run's folder, or a run id under --output.")],
    *,
    format: options.Formats = None,
    output: options.Output = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Render a recorded run again, without calling AWS, into DIR/<run id>-report.

    Example: iam-scanner report 20261123T164100Z-1a2b3c --format json
    """
    from scanner import run
    from scanner.cli.scanning import show
    from scanner.publish import publish_again
    from scanner.settings import load

    options.log_to_stderr(debug)
    settings = load(options.given(context.params), os.environ, config)
    root = settings.output
    folder = run.find(run_, root)
    published = publish_again(folder, root / f"{folder.resolve().name}-report", settings.format)
    show(published, as_json=as_json, quiet=quiet)
