"""`iam-scanner safelist`: check safelists, and explain what they say of a user, without calling AWS."""

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from scanner.cli import completion, options

if TYPE_CHECKING:
    from scanner.audit.assessment import Assessment
    from scanner.record import SafelistText
    from scanner.settings import Settings

app = typer.Typer(
    cls=options.Group,
    name="safelist",
    help="Check safelists, and explain what they say of a user. Does not call AWS.",
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


def _judged_on(settings: "Settings") -> date:
    return settings.as_of or datetime.now(UTC).date()
