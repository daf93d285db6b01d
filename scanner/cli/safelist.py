"""`iam-scanner safelist`: check safelists, and explain what they say of a user, without calling AWS."""

from pathlib import Path
from typing import Annotated

import typer

from scanner.cli import options

app = typer.Typer(
    cls=options.Group,
    name="safelist",
    help="Check safelists, and explain what they say of a user. Does not call AWS.",
    no_args_is_help=True,
)


@app.command("check", cls=options.Command)
def check_command(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PATH]...", help="Files or folders.  \\[default: those that a scan would use]"),
    ] = None,
    *,
    as_of: options.AsOf = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Validate safelists offline: every fault with its file and line.

    Exit code 0 where they can be used, warnings or not; 2 where they cannot.

    Example: iam-scanner safelist check config/safelists/prod.yaml
    """
    from scanner.cli.screen import safelist_answers as answers
    from scanner.safelist.check import check
    from scanner.safelist.entries import parse, read

    options.log_to_stderr(debug)
    settings = options.settings({"safelist": paths, "as_of": as_of, "config": config})
    day = answers.judged_on(settings)
    texts = read(settings.safelist)
    safelist = parse(texts)
    checked = check(safelist, day)
    files = [text.path for text in texts]
    if as_json:
        options.print_json(
            {
                "valid": True,
                "as_of": day.isoformat(),
                "files": files,
                **answers.counts(safelist),
                **answers.as_document(checked),
            }
        )
    elif not quiet:
        answers.show_check(safelist, checked, files)


@app.command("explain", cls=options.Command)
def explain_command(
    *,
    account: Annotated[str, typer.Option("--account", metavar="ID", help="The account's id, 12 digits.")],
    user: Annotated[str, typer.Option("--user", metavar="NAME", help="The user's name.")],
    ou: Annotated[
        str | None, typer.Option("--ou", metavar="OU", help="The account's OU, as id or path (Root/Prod).")
    ] = None,
    user_id: Annotated[str | None, typer.Option("--user-id", metavar="ID", help="The user's id (AIDA...).")] = None,
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
    from scanner.cli.screen import safelist_answers as answers
    from scanner.safelist.entries import parse, read
    from scanner.safelist.match import Index

    options.log_to_stderr(debug)
    settings = options.settings({"safelist": safelist, "as_of": as_of, "config": config})
    day = answers.judged_on(settings)
    where = answers.account_of(account, ou)
    entries = parse(read(settings.safelist))
    who = answers.user_of(where, user, user_id, path, entries)
    index = Index(entries, day)
    undecided = None if user_id else answers.undecided(index, where, who)
    decision = undecided or index.decide(where, who)
    notes = answers.notes_on(entries, ou)
    if as_json:
        asked = {"account_id": where.id, "ou": ou, "user_name": user, "user_id": user_id, "path": path}
        options.print_json({**asked, "as_of": day.isoformat(), **answers.as_document(decision), "notes": notes})
    elif quiet:
        typer.echo(decision.determination)
    else:
        heading = f"{decision.determination}" if undecided else f"{decision.determination} ({decision.basis})"
        answers.show_decision(heading, decision, notes)
