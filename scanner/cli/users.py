"""`iam-scanner users`: the users of a recorded run, the most urgent first."""

from typing import Annotated

import typer

from scanner.cli import completion, options
from scanner.errors import UsageError
from scanner.model import CHANGES_OF_USERS

_FILTERS = "Filters"
_FORMATS = ("table", "csv", "json")


Unapproved = Annotated[
    bool, typer.Option("--unapproved", help="Only users that are not approved.", rich_help_panel=_FILTERS)
]
Administrator = Annotated[bool, typer.Option("--administrator", help="Only administrators.", rich_help_panel=_FILTERS)]
Dormant = Annotated[
    bool,
    typer.Option("--dormant", help="Only users with credentials that work and are not used.", rich_help_panel=_FILTERS),
]
Changes = Annotated[
    list[str] | None,
    options.option(
        _FILTERS,
        "VALUE",
        "Only users that changed so since the previous run, as new or privilege-gained; repeatable.",
        completed_by=completion.one_of(*(change.option for change in CHANGES_OF_USERS)),
    ),
]
Accounts = Annotated[
    list[str] | None,
    options.option(_FILTERS, "ID", "Only this account; repeatable.", "--account", completed_by=completion.accounts),
]
Ous = Annotated[
    list[str] | None,
    options.option(
        _FILTERS, "ID|PATH", "Only this OU and all below it; repeatable.", "--ou", completed_by=completion.ous
    ),
]
Names = Annotated[
    list[str] | None,
    options.option(_FILTERS, "PATTERN", "Only users of this name; * is any letters, ? is one; repeatable.", "--name"),
]
ShownAs = Annotated[
    str | None,
    options.choice("Output", "table for people, csv and json for scripts.  \\[default: table]", *_FORMATS),
]


def users_command(
    context: typer.Context,
    run_: options.Run,
    *,
    unapproved: Unapproved = False,
    administrator: Administrator = False,
    dormant: Dormant = False,
    change: Changes = None,
    accounts: Accounts = None,
    ous: Ous = None,
    names: Names = None,
    shown_as: ShownAs = None,
    output: options.Output = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """List the users of a recorded run, the most urgent first, without calling AWS.

    A user is listed if all filters hold; of a filter that is repeated, one is enough. The CSV has the columns of
    iam-users.csv. --json is the same as --format json.

    Example: iam-scanner users latest --unapproved --administrator --ou Root/Workloads/Prod
    """
    from scanner.cli.screen import users_screen as screen
    from scanner.report.user_list import Filters, choose
    from scanner.runs.stored import decide

    options.log_to_stderr(debug)
    if shown_as not in {None, *_FORMATS}:
        raise UsageError(f"--format: {shown_as!r} is not table, csv or json. Write one of them.")
    if as_json and shown_as not in {None, "json"}:
        raise UsageError(f"--json and --format {shown_as} contradict each other. Give one of them.")
    shown_as = "json" if as_json else shown_as or "table"
    filters = Filters(
        unapproved=unapproved,
        administrator=administrator,
        dormant=dormant,
        change=tuple(change or ()),
        account=tuple(accounts or ()),
        ou=tuple(ous or ()),
        name=tuple(names or ()),
    )
    assessment = decide(options.find_run(run_, options.settings(context.params).output, quiet=quiet))
    listed = choose(assessment, filters)
    if shown_as == "json":
        options.print_json(screen.document(assessment, filters, listed))
    elif shown_as == "csv":
        screen.print_csv(listed)
    else:
        screen.show(options.stdout(), assessment, listed, quiet=quiet)
    if shown_as != "table" or quiet:
        screen.show_notes(options.stderr(), assessment, listed)
