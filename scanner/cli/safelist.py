"""`iam-scanner safelist`: check safelists, explain what they say of a user, and add users, without calling AWS."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scanner.cli import completion, options
from scanner.errors import UsageError
from scanner.model import Basis, Kind

if TYPE_CHECKING:
    from scanner.audit.assessment import Assessment
    from scanner.record import SafelistText
    from scanner.settings import Settings

app = typer.Typer(
    cls=options.Group,
    name="safelist",
    help="Check safelists, explain what they say of a user, and add users to them. Does not call AWS.",
    epilog="Example: iam-scanner safelist check",
    no_args_is_help=True,
)


@app.command("check", cls=options.Command)
def check_command(
    context: typer.Context,
    safelist: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATH",
            help="Files or folders.  \\[default: those that a scan would use]",
            autocompletion=completion.safelists,
        ),
    ] = None,
    *,
    run_: Annotated[
        str | None,
        options.option(
            "Options",
            "RUN",
            "Compare them with a recorded run: which entries matched nothing.",
            "--run",
            completed_by=completion.runs,
        ),
    ] = None,
    as_of: options.AsOf = None,
    output: options.Output = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Validate safelists offline: every fault with its file and line.

    With --run, also name the OUs and accounts that the organization did not have in that run, and the entries that
    approved no user in it. Exit code 0 where they can be used, warnings or not; 2 where they cannot.

    Example: iam-scanner safelist check config/safelists/prod.yaml
    """
    from scanner.cli.screen import safelist_answers as screen
    from scanner.safelist.check import check
    from scanner.safelist.entries import parse, read

    options.log_to_stderr(debug)
    settings = options.settings(context.params)
    day = _judged_on(settings)
    texts = read(settings.safelist)
    entries = parse(texts)
    checked = check(entries, day)
    in_run = _in_run(run_, settings, texts, day, quiet=quiet) if run_ else None
    files = [text.path for text in texts]
    if as_json:
        options.print_json(screen.check_document(entries, checked, files, day) | screen.run_document(in_run))
    elif not quiet:
        screen.show_check(options.stdout(), entries, checked, files)
        if in_run is not None:
            screen.show_in_run(options.stdout(), in_run)


def _in_run(
    run: str, settings: "Settings", texts: "tuple[SafelistText, ...]", day: date, *, quiet: bool
) -> "Assessment":
    """A recorded run, decided by these safelists."""
    from scanner.audit.what_if import evaluate
    from scanner.runs.stored import decide

    return evaluate(decide(options.find_run(run, settings.output, quiet=quiet)), texts, day)


@app.command("explain", cls=options.Command)
def explain_command(
    context: typer.Context,
    *,
    account_id: Annotated[
        str,
        typer.Option(
            "--account", metavar="ID", help="The account's ID, 12 digits.", autocompletion=completion.accounts
        ),
    ],
    user_name: Annotated[str, typer.Option("--user", metavar="NAME", help="The user's name.")],
    account_ou: Annotated[
        str | None,
        typer.Option(
            "--ou", metavar="OU", help="The account's OU, as ID or path (Root/Prod).", autocompletion=completion.ous
        ),
    ] = None,
    user_id: Annotated[str | None, typer.Option("--user-id", metavar="ID", help="The user's ID (AIDA...).")] = None,
    path: Annotated[str, typer.Option("--path", metavar="PATH", help="The user's path.")] = "/",
    as_of: options.AsOf = None,
    safelist: options.Safelists = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Show which entry approves a user, or why none does.

    Example: iam-scanner safelist explain --account 123456789012 --user cc-rds-manager --ou Root/Prod
    """
    from scanner.cli.screen import safelist_answers as screen
    from scanner.safelist.entries import parse, read
    from scanner.safelist.explain import Question, explain

    options.log_to_stderr(debug)
    settings = options.settings(context.params)
    day = _judged_on(settings)
    question = Question(account_id=account_id, ou=account_ou, user_name=user_name, user_id=user_id, path=path)
    explanation = explain(question, parse(read(settings.safelist)), day)
    if as_json:
        options.print_json(screen.explanation_document(question, explanation, day))
    elif quiet:
        typer.echo(explanation.decision.determination)
    else:
        screen.show_explanation(options.stdout(), explanation)


_WHERE, _ENTRY = "Where they are approved", "Fields of entries that have none of their own"


@app.command("import", cls=options.Command)
def import_command(
    context: typer.Context,
    lists: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help="Lists: names, one a line or with commas between, or a CSV (.csv)."),
    ] = None,
    *,
    baseline: Annotated[
        str | None,
        options.option(
            "Options",
            "RUN",
            "In place of files: the unapproved users of a recorded run.",
            "--baseline",
            completed_by=completion.runs,
        ),
    ] = None,
    run_: Annotated[
        str | None,
        options.option(
            "Options",
            "RUN",
            "Compare files with a recorded run: unknown accounts and OUs are faults, unknown users are named.",
            "--run",
            completed_by=completion.runs,
        ),
    ] = None,
    in_account: Annotated[
        str | None, options.option(_WHERE, "ID", "In this account.", "--account", completed_by=completion.accounts)
    ] = None,
    in_ou: Annotated[
        str | None,
        options.option(
            _WHERE, "OU", "In this OU and all below it, as ID or path.", "--ou", completed_by=completion.ous
        ),
    ] = None,
    everywhere: Annotated[
        bool, typer.Option("--global", help="In every account.", rich_help_panel=_WHERE, show_default=False)
    ] = False,
    owner: Annotated[str | None, options.option(_ENTRY, "TEXT", "Who answers for the users.")] = None,
    reason: Annotated[str | None, options.option(_ENTRY, "TEXT", "Why they may exist.")] = None,
    approved_by: Annotated[str | None, options.option(_ENTRY, "TEXT", "Who approves them.")] = None,
    expires_on: Annotated[
        str | None,
        options.option(
            _ENTRY, "DATE", "Last day of the approval, YYYY-MM-DD.  \\[default: none; of a baseline, in 100 days]"
        ),
    ] = None,
    kind: Annotated[str | None, options.choice(_ENTRY, "What kind of users they are.", *Kind, name="--kind")] = None,
    ticket: Annotated[str | None, options.option(_ENTRY, "TEXT", "Ticket of the approval.")] = None,
    safelist: options.Safelists = None,
    into: options.Into = None,
    write: options.Write = False,
    output: options.Output = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Turn lists of users into safelist entries: show them as a diff; with --write, add them.

    A CSV has a column user, user_name or arn, and as you need them account_id and the fields of an entry; iam-users.csv
    of a run is one. With --baseline, each unapproved user of a run becomes an entry for its user ID in its account,
    approved until a date and marked as in need of review.

    Who is approved already is not added again; who is revoked or was recreated is not approved. Exit code: 0 shown or
    written, 2 refused and nothing written, 1 could not write.

    Example: iam-scanner safelist import names.txt --ou Root/Prod --owner ci@example.com --reason Agents
    """
    from scanner.cli.screen import safelist_import as screen
    from scanner.cli.screen.next_step import options_of
    from scanner.report.columns import USERS
    from scanner.runs import ledger
    from scanner.runs.stored import decide
    from scanner.safelist.additions import additions
    from scanner.safelist.import_request import Request
    from scanner.safelist.read import read, rewrite

    options.log_to_stderr(debug)
    if bool(lists) == (baseline is not None) or (baseline and run_):
        raise UsageError("Name the files with the users, or a run with --baseline; --run goes with files.")
    settings = options.settings(context.params)
    named = baseline or run_
    run = decide(options.find_run(named, settings.output, quiet=quiet)) if named else None
    # Of reviews since that run, too: their revocations may stand in a change that is not merged yet.
    decided = (*(run.record.header.decisions if run else ()), *ledger.read(settings.output, []))
    fields = {"owner": owner, "reason": reason, "approved_by": approved_by, "expires_on": expires_on}
    request = Request(
        lists=tuple(lists or ()),
        is_baseline=baseline is not None,
        record=run.record if run else None,
        account=in_account,
        ou=in_ou,
        everywhere=everywhere,
        fields={key: text for key, text in {**fields, "kind": kind, "ticket": ticket}.items() if text is not None},
        decisions=ledger.latest(decided),
        forbidden={
            (finding.account.id, finding.user.user_id): finding.explanation
            for finding in (run.findings if run else ())
            if finding.basis in {Basis.REVOKED, Basis.USER_RECREATED}
        },
        columns={column.key for column in USERS},
    )
    added = additions(request, read(settings.safelist), into, datetime.now(UTC).date())
    for change in added.changes if write else ():
        rewrite(change.before, change.after)
    imported = screen.Imported(additions=added, request=request, run=run, written=write)
    if as_json:
        options.print_json(screen.document(imported))
    else:
        screen.show(imported, options.stdout(), quiet=quiet, options=options_of(settings, "safelist"))


def _judged_on(settings: "Settings") -> date:
    return settings.as_of or datetime.now(UTC).date()
