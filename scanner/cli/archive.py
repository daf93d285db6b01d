"""`iam-scanner archive`: finished runs and the ledger, put into a bucket in S3 and downloaded from it."""

from typing import Annotated

import typer

from scanner.cli import options

app = typer.Typer(
    cls=options.Group,
    name="archive",
    help="Put finished runs and the ledger into a bucket in S3, or download them from it.",
    epilog="Example: iam-scanner archive pull latest --archive s3://example-audit/iam-058",
    no_args_is_help=True,
)


@app.command("push", cls=options.Command)
def push_command(
    context: typer.Context,
    run_: options.Run,
    *,
    archive: options.Archive = None,
    archive_role_arn: options.ArchiveRoleArn = None,
    archive_kms_key: options.ArchiveKmsKey = None,
    profile: options.Profile = None,
    output: options.Output = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Put a finished run into the archive, and the ledger of --output with it.

    What is there already stays as it is, and only what is missing is put: push again after an interruption.

    Exit code: 0 all is there, 2 the archive holds something else in its place, 5 it cannot be used, 1 an upload failed.

    Example: iam-scanner archive push latest --archive s3://example-audit/iam-058
    """
    import asyncio

    from scanner.archive.transfer import check_whole, push
    from scanner.cli.screen import archive_outcome as screen
    from scanner.cli.screen.next_step import options_of
    from scanner.cli.screen.stage_progress import StageProgress
    from scanner.cli.stopping import stoppable

    options.log_to_stderr(debug)
    settings = options.settings(context.params)
    folder = options.find_run(run_, settings.output, quiet=quiet)
    check_whole(folder)
    with StageProgress(options.stderr(), quiet=quiet) as progress:
        work = push(settings, folder, settings.output, progress)
        pushed = asyncio.run(stoppable(work, "Run the same command again to put the rest there."))
    if as_json:
        options.print_json(screen.pushed_document(pushed))
    else:
        screen.show_pushed(
            pushed, options.stdout(), options=options_of(settings, "archive", "archive_role_arn"), quiet=quiet
        )


@app.command("pull", cls=options.Command)
def pull_command(
    context: typer.Context,
    run_: Annotated[
        str, typer.Argument(metavar="RUN", help="The run: its ID in the archive or how that begins, or latest.")
    ],
    *,
    archive: options.Archive = None,
    archive_role_arn: options.ArchiveRoleArn = None,
    profile: options.Profile = None,
    output: options.Output = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Download a run from the archive, verified, and the ledger with it, into the folder of --output.

    Exit code: 0 it is there, 2 there is no such run or something else has its place, 5 the archive cannot be used, 1 it
    could not be downloaded, or is not what was archived.

    Example: iam-scanner archive pull latest --archive s3://example-audit/iam-058
    """
    import asyncio

    from scanner.archive.transfer import pull
    from scanner.cli.screen import archive_outcome as screen
    from scanner.cli.screen.stage_progress import StageProgress
    from scanner.cli.stopping import stoppable

    options.log_to_stderr(debug)
    settings = options.settings(context.params)
    with StageProgress(options.stderr(), quiet=quiet) as progress:
        pulled = asyncio.run(stoppable(pull(settings, run_, progress), "The run was not downloaded."))
    if as_json:
        options.print_json(screen.pulled_document(pulled))
    else:
        screen.show_pulled(pulled, options.stdout(), quiet=quiet)
