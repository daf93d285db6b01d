"""`iam-scanner report`: render a recorded run again."""

from typing import Annotated

import typer

from scanner.cli import options
from scanner.errors import UsageError
from scanner.model import SplitBy


def report_command(
    context: typer.Context,
    run_: options.Run,
    *,
    format: options.Formats = None,
    split_by: Annotated[
        SplitBy | None,
        typer.Option(
            metavar="account_owner|ou_path",
            help="Write a report for each owner of accounts, or each OU, on its own accounts alone.",
        ),
    ] = None,
    account_owners: options.AccountOwners = None,
    output: options.Output = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Render a recorded run again, without calling AWS, into DIR/<run id>-report.

    With --split-by, each part has a folder of its own there. --account-owners takes the place of the file of owners
    that the run recorded.

    Example: iam-scanner report 20261123T164100Z-1a2b3c --split-by account_owner --account-owners owners.csv
    """
    from scanner.audit.split import with_owners
    from scanner.cli.screen.scan_outcome import print_outcome
    from scanner.report.render import render_again, render_parts
    from scanner.runs.stored import decide

    options.log_to_stderr(debug)
    settings = options.settings(context.params)
    options.check_installed(settings.format)
    folder = options.find_run(run_, settings.output, quiet=quiet)
    assessment = decide(folder)
    if account_owners is not None:  # and not that of the settings, which is for scans: the same run, the same bytes
        from scanner.account_files import read_owners

        owners = settings.account_owners
        assessment = with_owners(assessment, read_owners(owners), str(owners))
    target = settings.output / f"{folder.resolve().name}-report"
    if split_by is None:
        rendered = render_again(assessment, folder, target, settings.format)
    else:
        if split_by is SplitBy.ACCOUNT_OWNER and not assessment.record.account_owners:
            raise UsageError("The run recorded no owners of accounts. Give them with --account-owners FILE.csv.")
        rendered = render_parts(assessment, folder, target, settings.format, split_by)
    print_outcome(rendered, as_json=as_json, quiet=quiet)
