"""`iam-scanner scan`: the main job."""

import os

import typer

from scanner.cli import options


def scan_command(
    context: typer.Context,
    *,
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
    as_of: options.AsOf = None,
    dormant_days: options.DormantDays = None,
    output: options.Output = None,
    format: options.Formats = None,
    account_owners: options.AccountOwners = None,
    concurrency: options.Concurrency = None,
    account_timeout: options.AccountTimeout = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Find the unapproved IAM users of all accounts, and write the workbook and the CSV.

    Exit code: 0 every user is approved, 3 some are not, 4 an account could not be read, 2 something given is wrong,
    5 could not start, 1 the program failed, 130 interrupted.

    Example: iam-scanner scan --ou Root/Workloads/Prod
    """
    from scanner.cli.scanning import run_scan
    from scanner.settings import load

    options.log_to_stderr(debug)
    settings = load(options.given(context.params), os.environ, config)
    raise typer.Exit(run_scan(settings, as_json=as_json, quiet=quiet).exit_code)
