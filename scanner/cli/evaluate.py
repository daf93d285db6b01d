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
    """Show who flips under other safelists, or on another day, in a recorded run, without calling AWS.

    First come the users that are approved in the run and would not be, or the other way round, each with the reason:
    on another day, those whose approval ends by then. The run itself stays as it is; the reports go into
    DIR/<run id>-evaluated-<8 digits>, a folder for each what-if. Exit code as for scan.

    Example: iam-scanner evaluate 20261123T164100Z-1a2b3c --as-of 2027-01-31
    """
    from scanner.audit.rule import exit_code
    from scanner.cli.screen.flips_screen import show_flips
    from scanner.cli.screen.scan_outcome import print_outcome
    from scanner.report.render import render_what_if
    from scanner.safelist.read import read

    options.log_to_stderr(debug)
    if not safelist and as_of is None:
        raise UsageError("Say what is to be other than in the run: give --safelist, --as-of, or both.")
    settings = options.settings(context.params)
    options.check_installed(settings.format)
    rendered = render_what_if(
        options.find_run(run_, settings.output, quiet=quiet),
        settings.output,
        settings.format,
        safelists=read(settings.safelist) if safelist else None,
        as_of=settings.as_of if as_of else None,
    )
    if not (as_json or quiet):
        show_flips(rendered, options.stdout())
    print_outcome(rendered, as_json=as_json, quiet=quiet)
    raise typer.Exit(exit_code(rendered.assessment))
