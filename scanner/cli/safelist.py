"""`iam-scanner safelist`: check safelists, and explain what they say of a user, without calling AWS."""

import dataclasses
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from scanner.cli import options
from scanner.errors import UsageError
from scanner.model import (
    Account,
    AccountId,
    Basis,
    Determination,
    Entry,
    IamUser,
    OrganizationalUnit,
    Revocation,
    Scope,
    Selector,
    UserId,
)
from scanner.safelist.check import Checked, check
from scanner.safelist.entries import parse, read
from scanner.safelist.match import Decision, Index
from scanner.safelist.types import Safelist, is_ou_id
from scanner.text import for_terminal

DEFAULT = Path("config/safelists")

app = typer.Typer(
    name="safelist", help="Check safelists, and explain what they say of a user. Calls no AWS.", no_args_is_help=True
)

AsOf = Annotated[
    str | None,
    typer.Option("--as-of", metavar="DATE", help="Judge approvals on this day (YYYY-MM-DD); default today, UTC."),
]


@app.command("check")
def check_command(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="[PATH]...", help=f"Files or folders; default {DEFAULT}/.")
    ] = None,
    as_of: AsOf = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Validate safelists offline: every fault with its file and line.

    Exit code 0 where they can be used, warnings or not; 2 where they cannot.

    Example: iam-scanner safelist check config/safelists/prod.yaml
    """
    options.log_to_stderr(debug)
    day = _day(as_of)
    texts = read(paths or [DEFAULT])
    safelist = parse(texts)
    checked = check(safelist, day)
    files = [text.path for text in texts]
    if as_json:
        options.print_json(
            {"valid": True, "as_of": day.isoformat(), "files": files, **_counts(safelist), **_json(checked)}
        )
    elif not quiet:
        _show_check(safelist, checked, files)


@app.command("explain")
def explain_command(
    *,
    account: Annotated[str, typer.Option("--account", metavar="ID", help="The account's id, 12 digits.")],
    user: Annotated[str, typer.Option("--user", metavar="NAME", help="The user's name.")],
    ou: Annotated[
        str | None, typer.Option("--ou", metavar="OU", help="The account's OU, as id or path (Root/Prod).")
    ] = None,
    user_id: Annotated[str | None, typer.Option("--user-id", metavar="ID", help="The user's id (AIDA...).")] = None,
    path: Annotated[str, typer.Option("--path", metavar="PATH", help="The user's path.")] = "/",
    as_of: AsOf = None,
    safelist: Annotated[
        list[Path] | None,
        typer.Option("--safelist", metavar="PATH", help=f"File or folder, repeatable; default {DEFAULT}/."),
    ] = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Show which entry approves a user, or why none does.

    Example: iam-scanner safelist explain --account 123456789012 --user cc-rds-manager --ou Root/Prod
    """
    options.log_to_stderr(debug)
    day = _day(as_of)
    where = _account(account, ou)
    entries = parse(read(safelist or [DEFAULT]))
    who = _user(where, user, user_id, path, entries)
    decision = Index(entries, day).decide(where, who)
    notes = _notes(entries, decision, ou, user_id)
    if as_json:
        asked = {"account_id": where.id, "ou": ou, "user_name": user, "user_id": user_id, "path": path}
        options.print_json({**asked, "as_of": day.isoformat(), **_json(decision), "notes": notes})
    elif quiet:
        typer.echo(decision.determination)
    else:
        _show_decision(decision, notes)


# --- options → values ------------------------------------------------------------------------------------------------


def _day(text: str | None) -> date:
    if text is None:
        return datetime.now(UTC).date()
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            return date.fromisoformat(text)
    except ValueError:
        pass  # no such day, as 2026-02-30
    raise UsageError(f"--as-of {text} is no date. Write it as 2027-01-15.")


def _account(account_id: str, ou: str | None) -> Account:
    """An account in an OU that is known by its id or its path, whichever was given."""
    if not re.fullmatch(r"\d{12}", account_id, re.ASCII):
        raise UsageError(f"--account {account_id} is no account id. Give its 12 digits.")
    ous: list[OrganizationalUnit] = []
    if ou is not None and is_ou_id(ou):
        ous.append(OrganizationalUnit(id=ou, name=ou, path=ou, addressable=False))
    elif ou is not None:
        names = ou.split("/")
        if not all(names):
            raise UsageError(f"--ou {ou} is no path of an OU. Write it as Root/Prod/Payments, or give the OU's id.")
        paths = ["/".join(names[:depth]) for depth in range(1, len(names) + 1)]
        ous += [OrganizationalUnit(id=None, name=at.rpartition("/")[2], path=at) for at in paths]
    return Account(id=AccountId(account_id), name=account_id, state=None, ous=tuple(ous))


def _user(account: Account, name: str, user_id: str | None, path: str, safelist: Safelist) -> IamUser:
    if not (path.startswith("/") and path.endswith("/")):
        raise UsageError(f"--path {path} is no path of a user. It begins and ends with /.")
    return IamUser(
        user_id=UserId(user_id or "(not given)"),
        user_name=name,
        path=path,
        arn=f"arn:{_partition(safelist)}:iam::{account.id}:user{path}{name}",
        created_at=datetime.min.replace(tzinfo=UTC),  # no decision depends on it
    )


def _partition(safelist: Safelist) -> str:
    """The partition that the safelist's own ARNs name: an organization lies in one."""
    arns = (entry.value for entry in safelist.entries if entry.selector is Selector.ARN)
    return next(arns, "arn:aws").split(":")[1]


def _notes(safelist: Safelist, decision: Decision, ou: str | None, user_id: str | None) -> list[str]:
    """What was not given and could change the answer."""
    notes = []
    if any(entry.scope is Scope.OU for entry in safelist.entries):
        if ou is None:
            notes.append("Entries for OUs were left aside: give the account's --ou.")
        elif is_ou_id(ou):
            notes.append("Entries for the OUs above this one, and by path, were left aside: give --ou as a path too.")
        else:
            notes.append("Entries by OU id were left aside: --ou was given as a path.")
    if user_id is None and decision.basis is Basis.USER_RECREATED:
        notes.append("The name is approved for one user id only: give --user-id.")
    return notes


# --- output ----------------------------------------------------------------------------------------------------------


def _counts(safelist: Safelist) -> dict[str, object]:
    return {
        "entries": len(safelist.entries),
        "revocations": len(safelist.revocations),
        "organization": safelist.organization,
        "warnings": list(safelist.warnings),
    }


def _json(value: Checked | Decision) -> dict[str, object]:
    return dataclasses.asdict(value)


def _show_check(safelist: Safelist, checked: Checked, files: Sequence[str]) -> None:
    console = options.stdout()
    counts = (len(safelist.entries), "entries"), (len(safelist.revocations), "revocations"), (len(files), "files")
    console.print(_plain(f"Valid: {', '.join(f'{what} {number:,}' for number, what in counts)}."))
    rows = [
        *((entry, "breaks the policy", "; ".join(entry.invalid)) for entry in checked.invalid),
        *((entry, "expired", f"ended on {entry.expires_on}") for entry in checked.expired),
        *((entry, "expiring", f"ends on {entry.expires_on}") for entry in checked.expiring),
        *((entry, "not started", f"starts on {entry.approved_on}") for entry in checked.not_started),
        *((group[-1], "duplicate", f"also at {_places(group[:-1])}") for group in checked.duplicates),
    ]
    if rows:
        console.print(_table(rows))
    for warning in safelist.warnings:
        console.print(_plain(warning), soft_wrap=True)


def _places(entries: Sequence[Entry]) -> str:
    return ", ".join(entry.at for entry in entries)


def _table(rows: Sequence[tuple[Entry, str, str]]) -> Table:
    table = Table()
    for title in ("entry", "scope", "selects", "finding", "detail"):
        table.add_column(title, overflow="fold")  # a place that is cut short cannot be found
    for entry, finding, detail in rows:
        cells = entry.at, entry.scope_text, f"{entry.selector} {entry.value}", finding, detail
        table.add_row(*map(_plain, cells))
    return table


def _show_decision(decision: Decision, notes: Sequence[str]) -> None:
    console = options.stdout()
    style = "bold green" if decision.determination is Determination.APPROVED else "bold red"
    console.print(Text(f"{decision.determination} ({decision.basis})", style=style))
    console.print(_plain(f"{decision.explanation}."), soft_wrap=True)
    if decision.entry is not None:
        console.print(_details(decision.entry))
    for note in notes:
        console.print(_plain(f"Note: {note}"), soft_wrap=True)


def _details(entry: Entry | Revocation) -> Table:
    table = Table(show_header=False, box=None)
    for name, value in dataclasses.asdict(entry).items():
        if value not in {None, "", ()} and name != "invalid":
            table.add_row(_plain(name), _plain(str(value)))
    return table


def _plain(text: str) -> Text:
    """Text from files, without anything that a terminal or rich would act on."""
    return Text(for_terminal(text))
