"""`iam-scanner remediate`: remove or quarantine users; planned, confirmed, journaled, reversible where AWS allows."""

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from scanner.cli import completion, options
from scanner.cli.again import typed
from scanner.errors import ExitCode, UsageError
from scanner.remediation.limits import MAX_USERS

if TYPE_CHECKING:
    from scanner.remediation.apply import Ended, Pending
    from scanner.remediation.limits import Allowances
    from scanner.remediation.remediation_journal import Doing
    from scanner.remediation.targets import Part
    from scanner.settings import Settings

app = typer.Typer(
    cls=options.Group,
    name="remediate",
    help="Remove or quarantine users that a review decided about. Changes nothing without --execute.",
    epilog="Example: iam-scanner remediate plan reports/20261123T164100Z-1a2b3c-review/removals.json",
    no_args_is_help=True,
)

Plan = Annotated[
    str,
    typer.Argument(
        metavar="PLAN", help="A plan's folder, or its ID, or the beginning of that.", autocompletion=completion.plans
    ),
]
Accounts = Annotated[
    list[str] | None,
    typer.Option("--account", metavar="ID", help="Only this account; repeatable.", autocompletion=completion.accounts),
]
Users = Annotated[list[str] | None, typer.Option("--user", metavar="NAME", help="Only users of this name; repeatable.")]
MaxUsers = Annotated[int, typer.Option("--max-users", metavar="N", help="Refuse to touch more users than that.")]
Role = Annotated[
    str | None,
    typer.Option(
        "--role-name",
        metavar="NAME",
        help="Role to assume in each account; may hold a path.  \\[default: IamScannerRemediation, or the plan's]",
        show_default=False,
    ),
]
IncludeActive = Annotated[
    bool,
    typer.Option(
        "--include-active", help="Remove also users whose credentials were used in the last 30 days, or may have been."
    ),
]
IncludeLast = Annotated[
    bool,
    typer.Option("--include-last-administrator", help="Touch also the last usable administrator of an account."),
]
Execute = Annotated[bool, typer.Option("--execute", help="Make the calls; without it they are only shown.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask for the number of users.")]


@app.command("plan", cls=options.Command)
def plan_command(
    context: typer.Context,
    sources: Annotated[
        list[str], typer.Argument(metavar="SOURCE", help="removals.json of a review; with --quarantine, a run.")
    ],
    *,
    quarantine: Annotated[
        bool, typer.Option("--quarantine", help="Quarantine the unapproved users of a run, which nobody decided about.")
    ] = False,
    account: Accounts = None,
    user: Users = None,
    max_users: MaxUsers = MAX_USERS,
    remediation_role_name: Role = None,
    external_id: options.ExternalId = None,
    include_active: IncludeActive = False,
    include_last_administrator: IncludeLast = False,
    safelist: options.Safelists = None,
    profile: options.Profile = None,
    organizations_role_arn: options.OrganizationsRoleArn = None,
    concurrency: options.Concurrency = None,
    output: options.Output = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Look at the users live, and plan each call that removes or quarantines them. Changes nothing in AWS.

    Exit code: 0 all are planned, 3 some are refused, 4 some could not be read, 2 something given is wrong.

    Example: iam-scanner remediate plan reports/20261123T164100Z-1a2b3c-review/removals.json
    """
    import asyncio

    from scanner.cli.screen import remediation_screen as screen
    from scanner.cli.screen.remediation_progress import RemediationProgress
    from scanner.cli.stopping import stoppable
    from scanner.remediation.make_plan import PlanRequest, ask, make_plan

    settings = _settings(context)
    asked = ask(
        PlanRequest(
            sources=tuple(sources),
            quarantine=quarantine,
            settings=settings,
            now=datetime.now(UTC),
            part=_part(context),
            max_users=max_users,
            allowances=_allowances(context, settings),
        )
    )
    with RemediationProgress(options.stderr(), quiet=quiet or as_json) as progress:
        made = asyncio.run(stoppable(make_plan(asked, progress), "Nothing was changed, and nothing written."))
    if as_json:
        options.print_json(screen.plan_document(made))
    elif quiet:
        typer.echo(made.folder)
    else:
        screen.show_plan(made, options.stdout(), again=typed(context, but={"account", "user"}))  # the plan has those
    raise typer.Exit(made.exit_code)


@app.command("apply", cls=options.Command)
def apply_command(
    context: typer.Context,
    plan: Plan,
    *,
    execute: Execute = False,
    yes: Yes = False,
    account: Accounts = None,
    user: Users = None,
    max_users: MaxUsers = MAX_USERS,
    remediation_role_name: Role = None,
    external_id: options.ExternalId = None,
    include_active: IncludeActive = False,
    include_last_administrator: IncludeLast = False,
    safelist: options.Safelists = None,
    profile: options.Profile = None,
    organizations_role_arn: options.OrganizationsRoleArn = None,
    concurrency: options.Concurrency = None,
    output: options.Output = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Show each call of a plan; with --execute, check every user again and make the calls.

    What was done already is not done again: after an interruption or a failure, give the same command again.

    Exit code: 0 all are done, or shown, 3 some were refused, 4 some failed, 2 something given is wrong,
    5 could not start, 130 interrupted.

    Example: iam-scanner remediate apply 20261124T101500Z-4d5e6f --execute
    """
    from scanner.remediation.remediation_journal import Doing

    _carry_out(context, Doing.APPLY, plan, _Run(execute=execute, yes=yes, as_json=as_json, quiet=quiet))


@app.command("undo", cls=options.Command)
def undo_command(
    context: typer.Context,
    plan: Plan,
    *,
    execute: Execute = False,
    yes: Yes = False,
    account: Accounts = None,
    user: Users = None,
    max_users: MaxUsers = MAX_USERS,
    remediation_role_name: Role = None,
    external_id: options.ExternalId = None,
    profile: options.Profile = None,
    organizations_role_arn: options.OrganizationsRoleArn = None,
    concurrency: options.Concurrency = None,
    output: options.Output = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Put a quarantine back exactly as it was; what somebody changed since is left and named.

    Exit code: as for apply.

    Example: iam-scanner remediate undo 20261124T101500Z-4d5e6f --execute
    """
    from scanner.remediation.remediation_journal import Doing

    _carry_out(context, Doing.UNDO, plan, _Run(execute=execute, yes=yes, as_json=as_json, quiet=quiet))


@app.command("status", cls=options.Command)
def status_command(
    context: typer.Context,
    plan: Plan,
    *,
    output: options.Output = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Say what was done by a plan, and what may still be valid of its users. Does not call AWS.

    Exit code: 0 all are done or planned, 3 some were refused, 4 some failed.

    Example: iam-scanner remediate status 20261124T101500Z-4d5e6f
    """
    from scanner.cli.screen import remediation_outcomes as screen
    from scanner.remediation import plan_folder
    from scanner.remediation.outcome import exit_code
    from scanner.remediation.status import status

    settings = _settings(context)
    plan_status = status(plan_folder.find(plan, settings.output))
    now = datetime.now(UTC)
    if as_json:
        options.print_json(screen.status_document(plan_status, now))
    elif not quiet:
        screen.show_status(plan_status, now, options.stdout())
    raise typer.Exit(exit_code([outcome.word for outcome in plan_status.outcomes]))


# --- what apply and undo share ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """How apply or undo is to go."""

    execute: bool
    yes: bool
    as_json: bool
    quiet: bool


def _carry_out(context: typer.Context, doing: "Doing", plan: str, run: _Run) -> None:
    from scanner.cli.screen import remediation_screen as screen
    from scanner.remediation.apply import ApplyRequest, prepare

    settings = _settings(context)
    pending = prepare(
        ApplyRequest(
            doing=doing,
            plan=plan,
            settings=settings,
            now=datetime.now(UTC),
            role_name=context.params["remediation_role_name"],
            part=_part(context),
            max_users=context.params["max_users"],
            allowances=_allowances(context, settings),
        )
    )
    if not run.execute:
        if run.as_json:
            options.print_json(screen.pending_document(pending))
        else:
            screen.show_pending(pending, options.stdout(), again=typed(context), quiet=run.quiet)
        raise typer.Exit(ExitCode.OK)
    ended = _execute(pending, run)
    if run.as_json:
        options.print_json(screen.ended_document(ended))
    elif run.quiet:
        typer.echo(ended.results)
    else:
        where = typed(context, only={"output", "config"})
        screen.show_ended(ended, options.stdout(), again=typed(context), where=where)
    raise typer.Exit(ended.exit_code)


def _execute(pending: "Pending", run: _Run) -> "Ended":
    import asyncio

    from scanner.cli.screen import remediation_screen as screen
    from scanner.cli.screen.remediation_progress import RemediationProgress
    from scanner.cli.stopping import stoppable
    from scanner.remediation.apply import execute

    if pending.todo and not run.yes:
        screen.ask_for_number(pending, options.stderr())
        if sys.stdin.readline().strip() != str(len(pending.todo)):
            raise UsageError("The number was not confirmed: nothing was changed. Give --yes where nobody can type it.")
    with RemediationProgress(options.stderr(), quiet=run.quiet or run.as_json) as progress:
        return asyncio.run(stoppable(execute(pending, progress), "No user was begun, and nothing was changed."))


def _part(context: typer.Context) -> "Part":
    from scanner.remediation.targets import Part

    return Part(accounts=tuple(context.params["account"] or ()), users=tuple(context.params["user"] or ()))


def _allowances(context: typer.Context, settings: "Settings") -> "Allowances":
    from scanner.remediation.limits import Allowances

    return Allowances(
        include_active=context.params.get("include_active", False),
        include_last_administrator=context.params.get("include_last_administrator", False),
        removal_after_quarantine_days=settings.removal_after_quarantine_days,
    )


def _settings(context: typer.Context) -> "Settings":
    """Read the settings; the scope of a scan is none of them here."""
    options.log_to_stderr(context.params["debug"])
    return options.settings({key: value for key, value in context.params.items() if key != "account"})
