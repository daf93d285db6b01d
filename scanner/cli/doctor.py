"""`iam-scanner doctor`: what is missing before a scan can be complete, and how to get it."""

from typing import Annotated

import typer

from scanner.cli import options
from scanner.cli.again import typed
from scanner.errors import ExitCode, FaultsError


def doctor_command(
    context: typer.Context,
    *,
    every: Annotated[
        bool, typer.Option("--all", help="Check every account that a scan would read, not one of each OU.")
    ] = False,
    ou: options.Ou = None,
    exclude_ou: options.ExcludeOu = None,
    account: options.AccountIds = None,
    exclude_account: options.ExcludeAccount = None,
    accounts_file: options.AccountsFile = None,
    profile: options.Profile = None,
    role_name: options.RoleName = None,
    external_id: options.ExternalId = None,
    session_name: options.SessionName = None,
    organizations_role_arn: options.OrganizationsRoleArn = None,
    hub_role_arn: options.HubRoleArn = None,
    no_session_policy: options.NoSessionPolicy = False,
    evidence: options.Evidence = None,
    safelist: options.Safelists = None,
    output: options.Output = None,
    account_owners: options.AccountOwners = None,
    account_owner_tag: options.AccountOwnerTag = None,
    archive: options.Archive = None,
    archive_role_arn: options.ArchiveRoleArn = None,
    archive_kms_key: options.ArchiveKmsKey = None,
    concurrency: options.Concurrency = None,
    account_timeout: options.AccountTimeout = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Say what is missing before a scan can be complete, and how to get it.

    Checks settings, safelists, output folder, credentials and AWS Organizations; then, in one account of each OU, the
    role and each call of a scan. It changes nothing, and generates no credential report.

    Exit code: 0 nothing is missing, 5 something is.

    Example: iam-scanner doctor --profile audit --role-name audit/IamScanner
    """
    import asyncio

    from scanner.cli.screen import doctor_screen as screen
    from scanner.cli.stopping import stoppable
    from scanner.doctor.examine import examine, without_settings
    from scanner.settings import DEFAULT_FILE

    options.log_to_stderr(debug)
    with screen.DoctorProgress(options.stderr(), quiet=quiet or as_json) as progress:
        try:
            settings = options.settings(context.params)
        except FaultsError as error:
            diagnosis = without_settings(error, progress)
        else:
            work = examine(settings, config or DEFAULT_FILE, progress, every=every)
            diagnosis = asyncio.run(stoppable(work, "Nothing was changed."))
    if as_json:
        options.print_json(screen.document(diagnosis))
    else:
        screen.show(diagnosis, options.stdout(), again=typed(context), quiet=quiet)
    raise typer.Exit(ExitCode.OK if diagnosis.is_ready else ExitCode.CANNOT_START)
