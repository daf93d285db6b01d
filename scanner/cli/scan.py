"""`iam-scanner scan`: the main job."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from scanner.cli import options
from scanner.errors import ScannerError, UsageError

if TYPE_CHECKING:
    from scanner.settings import Settings

# What may differ on a resume: how AWS is reached and how fast, and what is written.
CHANGEABLE = frozenset(
    {"profile", "external_id", "concurrency", "account_timeout", "output", "format"}
    | {"archive", "archive_role_arn", "archive_kms_key"}
)


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
    fail_on: options.FailOnValues = None,
    output: options.Output = None,
    format: options.Formats = None,
    account_owners: options.AccountOwners = None,
    account_owner_tag: options.AccountOwnerTag = None,
    previous: options.Previous = None,
    archive: options.Archive = None,
    archive_role_arn: options.ArchiveRoleArn = None,
    archive_kms_key: options.ArchiveKmsKey = None,
    concurrency: options.Concurrency = None,
    account_timeout: options.AccountTimeout = None,
    resume: options.Resume = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Find the unapproved IAM users of all accounts, and write the workbook and the CSV.

    Exit code: 0 every user is approved, 3 some are not (or what --fail-on names), 4 an account could not be read,
    2 something given is wrong, 5 could not start, 1 the program failed, 130 interrupted.

    Example: iam-scanner scan --ou Root/Workloads/Prod
    """
    from scanner.audit.rule import exit_code
    from scanner.cli.scan_to_reports import archive_scan, resume_scan, run_scan

    options.log_to_stderr(debug)
    changes: dict[str, Any] = {}
    if resume is None:
        rendered = run_scan(_settings(context.params, quiet=quiet), quiet=quiet)
    else:
        folder, changes = _resumption(context.params, resume, quiet=quiet)
        rendered = resume_scan(folder, changes, quiet=quiet)

    from scanner.cli.screen.scan_outcome import print_outcome  # by now it is loaded

    try:
        archive_scan(rendered, changes, quiet=quiet)
    except ScannerError:
        if not as_json:  # then stdout is one document: that of the error
            print_outcome(rendered, as_json=False, quiet=quiet)
        raise
    print_outcome(rendered, as_json=as_json, quiet=quiet)
    raise typer.Exit(exit_code(rendered.assessment))


def _settings(parameters: Mapping[str, Any], *, quiet: bool) -> "Settings":
    """The settings of a new run, in which --previous is the very run that it names today, unless it may be archived."""
    from scanner.scan.baseline import NONE

    settings = options.settings(parameters)
    if settings.previous in (None, NONE) or settings.archive is not None:
        return settings
    return settings.with_(previous=str(options.find_run(settings.previous, settings.output, quiet=quiet)))


def _resumption(parameters: Mapping[str, Any], resume: str, *, quiet: bool) -> tuple[Path, dict[str, Any]]:
    """Find the run, and the settings that may differ from its own; raise `UsageError` for any other option."""
    from scanner.settings import option_name

    given = options.given(parameters)
    fixed = sorted(given.keys() - CHANGEABLE)
    if fixed:
        names = ", ".join(option_name(key) for key in fixed)
        raise UsageError(
            f"A resumed run keeps the settings that it was started with; leave out {names}, or start a new run."
        )
    settings = options.settings(parameters)
    changes = {key: getattr(settings, key) for key in given}
    if settings.external_id:  # it may come from the environment or the settings file, as for a new run
        changes["external_id"] = settings.external_id
    return options.find_run(resume, settings.output, quiet=quiet, finished=False), changes
