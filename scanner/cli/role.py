"""`iam-scanner role`: print the least-privilege roles to deploy."""

import sys
from typing import Annotated

import typer

from scanner.cli import options
from scanner.cli.again import typed_options
from scanner.errors import UsageError

_FORMATS = ("cloudformation", "policy")

Caller = Annotated[
    list[str] | None,
    options.option(
        "Access",
        "ARN",
        "Role or user that runs the scan; repeatable.  \\[default: a parameter of the template]",
        "--caller",
    ),
]
RoleName = Annotated[
    str | None,
    options.option(
        "Access", "NAME", "Name of the role in each account; may hold a path.  \\[default: audit/IamScanner]"
    ),
]
ExternalId = Annotated[
    str | None,
    options.option("Access", "ID", "Taken as for scan, and never printed: the role asks for one in any case."),
]
Evidence = Annotated[
    str | None,
    options.choice(
        "Access",
        "What the role may read: full, or basic for ListUsers alone.  \\[default: full]",
        *("full", "basic"),
        name="--evidence",
    ),
]
Remediation = Annotated[
    bool, typer.Option("--remediation", help="Also the role by which remediate removes and quarantines users.")
]
PrintedAs = Annotated[
    str | None,
    options.choice(
        "Output",
        "cloudformation: the template of a StackSet; policy: the bare policies.  \\[default: cloudformation]",
        *_FORMATS,
    ),
]


def role_command(
    context: typer.Context,
    *,
    caller: Caller = None,
    role_name: RoleName = None,
    external_id: ExternalId = None,
    hub_role_arn: options.HubRoleArn = None,
    organizations_role_arn: options.OrganizationsRoleArn = None,
    archive: options.Archive = None,
    archive_role_arn: options.ArchiveRoleArn = None,
    evidence: Evidence = None,
    remediation: Remediation = False,
    printed_as: PrintedAs = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Print the least-privilege roles to deploy, without calling AWS: a CloudFormation template, or the bare policies.

    The settings of the scan fill them in. What to do with them next goes to stderr. With --json, stdout is the template
    as JSON, or an object with each policy under its name.

    Example: iam-scanner role --caller arn:aws:iam::111122223333:role/IamScannerCaller
    """
    from scanner.cli.screen import role_screen as screen
    from scanner.roles.deployment import ADMINISTRATOR, ROLE_NAME, deployment
    from scanner.roles.documents import documents
    from scanner.roles.template import as_yaml, template

    options.log_to_stderr(debug)
    if printed_as not in {None, *_FORMATS}:
        raise UsageError(f"--format: {printed_as!r} is not cloudformation or policy. Write one of them.")
    settings = options.settings(context.params)
    # In the settings, as for a first look, this one says that there is none to deploy yet.
    if role_name is None and settings.role_name == ADMINISTRATOR:
        settings = settings.with_(role_name=ROLE_NAME)
    wanted = deployment(settings, caller or (), remediation=remediation)
    is_template = printed_as != "policy"
    found = (template if is_template else documents)(wanted, remediation=remediation)
    if as_json:
        options.print_json(found)
        return
    typer.echo(as_yaml(found) if is_template else screen.policies(found, wanted), nl=False)
    if not quiet:
        if is_template:
            again = typed_options(context, but={"printed_as"})
            is_saved = not sys.stdout.isatty()
            steps = screen.after_template(wanted, remediation=remediation, is_saved=is_saved, again=again)
        else:
            steps = screen.after_policies(wanted, remediation=remediation)
        typer.echo(steps, err=True, nl=False)
