"""`iam-scanner evaluate`: decide a recorded run again, under other safelists or on another day."""

import typer

from scanner.cli import options
from scanner.errors import UsageError


def evaluate_command(
    context: typer.Context,
    run_: options.Run,
    *,
    safelist: options.OtherSafelists = None,
    as_of: options.OtherDay = None,
    format: options.Formats = None,
    output: options.Output = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Try other safelists, or another day, on a recorded run, without calling AWS.

    The run itself stays as it is; the reports go into DIR/<run id>-evaluated-<8 digits>, a folder for each what-if.
    Exit code as of scan.

    Example: iam-scanner evaluate 20261123T164100Z-1a2b3c --safelist config/safelists --as-of 2027-01-15
    """
    from scanner.audit.rule import exit_code
    from scanner.cli.screen.scan_outcome import print_outcome
    from scanner.report.render import render_what_if
    from scanner.safelist.read import read

    options.log_to_stderr(debug)
    if not safelist and as_of is None:
        raise UsageError("Say what is to be other than in the run: give --safelist, --as-of, or both.")
    settings = options.settings(context.params)
    rendered = render_what_if(
        options.find_run(run_, settings.output, quiet=quiet),
        settings.output,
        settings.format,
        safelists=read(settings.safelist) if safelist else None,
        as_of=settings.as_of if as_of else None,
    )
    print_outcome(rendered, as_json=as_json, quiet=quiet)
    raise typer.Exit(exit_code(rendered.assessment))
