"""What `iam-scanner safelist` answers: how options become values, and how findings are shown.

Apart from the commands themselves, so that --help waits for none of it.
"""

import dataclasses
import textwrap
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime

from rich.console import Console
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
from scanner.safelist.check import Checked
from scanner.safelist.match import Decision, Index
from scanner.safelist.types import Safelist, fold, selected_name
from scanner.settings import Settings
from scanner.text import for_terminal, is_account_id, is_ou_id

GAP = "  "
UNDECIDED = "Not approved, as this cannot be decided without --user-id"
UNEXPLAINED = "Not approved, whatever the user id, and why cannot be told without --user-id"


# --- options → values ------------------------------------------------------------------------------------------------


def judged_on(settings: Settings) -> date:
    return settings.as_of or datetime.now(UTC).date()


def account_of(account_id: str, ou: str | None) -> Account:
    """An account in an OU that is known by its id or its path, whichever was given."""
    if not is_account_id(account_id):
        raise UsageError(f"--account {account_id} is not a valid account ID. Give its 12 digits.")
    ous: list[OrganizationalUnit] = []
    if ou is not None and is_ou_id(ou):
        ous.append(OrganizationalUnit(id=ou, name=ou, path=ou, addressable=False))
    elif ou is not None:
        names = ou.split("/")
        if not all(names):
            raise UsageError(
                f"--ou {ou} is not the path of an OU. Write it as Root/Prod/Payments, or give the OU's ID."
            )
        paths = ["/".join(names[:depth]) for depth in range(1, len(names) + 1)]
        ous += [OrganizationalUnit(id=None, name=at.rpartition("/")[2], path=at) for at in paths]
    return Account(id=AccountId(account_id), name=account_id, state=None, ous=tuple(ous))


def user_of(account: Account, name: str, user_id: str | None, path: str, safelist: Safelist) -> IamUser:
    if not (path.startswith("/") and path.endswith("/")):
        raise UsageError(f"--path {path} is not a valid user path. It begins and ends with /.")
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


def undecided(index: Index, account: Account, user: IamUser) -> Decision | None:
    """What to answer where the user id was not given and the decision depends on it; None where it does not.

    Such a user is not approved, and nothing is said of it that only its id could tell.
    """
    without_id = index.decide(account, user)
    if without_id.basis is Basis.USER_RECREATED and isinstance(without_id.entry, Entry):
        name = fold(user.user_name)
        ids = (entry.user_id for entry in index.safelist.entries if fold(selected_name(entry) or "") == name)
        users = (dataclasses.replace(user, user_id=UserId(user_id)) for user_id in ids if user_id)
        decisions = (index.decide(account, one) for one in users)
        approval = next((one.entry for one in decisions if one.determination is Determination.APPROVED), None)
        start, by = (UNDECIDED, approval) if isinstance(approval, Entry) else (UNEXPLAINED, without_id.entry)
        return dataclasses.replace(without_id, explanation=f"{start}: {by.at} is for user id {by.user_id}", entry=by)
    if without_id.determination is Determination.APPROVED:
        for revocation in index.safelist.revocations:
            if (
                revocation.user_id
                and revocation.account_id == account.id
                and fold(revocation.user) == fold(user.user_name)
            ):
                return Decision(
                    determination=Determination.UNAPPROVED,
                    basis=Basis.REVOKED,
                    explanation=f"{UNDECIDED}: {revocation.at} revokes user id {revocation.user_id}",
                    entry=revocation,
                )
    return None


def notes_on(safelist: Safelist, ou: str | None) -> list[str]:
    """What was not given and could change the answer."""
    notes = []
    if any(entry.scope is Scope.OU for entry in safelist.entries):
        if ou is None:
            notes.append("Entries for OUs were left aside: give the account's --ou.")
        elif is_ou_id(ou):
            notes.append("Entries for the OUs above this one, and by path, were left aside: give --ou as a path too.")
        else:
            notes.append("Entries by OU id were left aside: --ou was given as a path.")
    return notes


# --- output ----------------------------------------------------------------------------------------------------------


def counts(safelist: Safelist) -> dict[str, object]:
    return {
        "entries": len(safelist.entries),
        "revocations": len(safelist.revocations),
        "organization": safelist.organization,
        "warnings": list(safelist.warnings),
    }


def as_document(value: Checked | Decision) -> dict[str, object]:
    return dataclasses.asdict(value)


def show_check(safelist: Safelist, checked: Checked, files: Sequence[str]) -> None:
    console = options.stdout()
    counts = (len(safelist.entries), "entries"), (len(safelist.revocations), "revocations"), (len(files), "files")
    _say(console, f"Valid: {', '.join(f'{what} {number:,}' for number, what in counts)}.")
    rows = [
        *((entry, "breaks the policy", "; ".join(entry.invalid)) for entry in checked.invalid),
        *((entry, "expired", f"ended on {entry.expires_on}") for entry in checked.expired),
        *((entry, "expiring", f"ends on {entry.expires_on}") for entry in checked.expiring),
        *((entry, "not started", f"starts on {entry.approved_on}") for entry in checked.not_started),
        *((group[-1], "duplicate", f"also at {_places(group[:-1])}") for group in checked.duplicates),
    ]
    for line in [*_lines(rows), *safelist.warnings]:
        _say(console, line)


def _places(entries: Sequence[Entry]) -> str:
    return ", ".join(entry.at for entry in entries)


def _lines(rows: Sequence[tuple[Entry, str, str]]) -> Iterator[str]:
    """Place, finding, scope, what is selected, detail."""
    for entry, finding, detail in rows:
        selects = entry.value if entry.selector is Selector.USER else f"{entry.selector} {entry.value}"
        yield GAP.join((entry.at, finding, entry.scope_text, selects, detail))


def _say(console: Console, line: str) -> None:
    """Print text from files: as one line each for grep and for files, and wrapped for people."""
    text = for_terminal(line)
    width = console.width if console.is_terminal else len(text)
    console.print(Text("\n".join(wrapped(text, width))), soft_wrap=True)


def wrapped(text: str, width: int) -> list[str]:
    """The lines of a text, broken at spaces only: a place or a name that is cut in two can be neither copied nor found.

    What is longer than a line is left to the terminal.
    """
    if len(text) <= width:
        return [text]
    return textwrap.wrap(text, width, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)


def show_decision(heading: str, decision: Decision, notes: Sequence[str]) -> None:
    console = options.stdout()
    style = "bold green" if decision.determination is Determination.APPROVED else "bold red"
    console.print(Text(heading, style=style))
    _say(console, f"{decision.explanation}.")
    if decision.entry is not None:
        console.print(_details(decision.entry))
    for note in notes:
        _say(console, f"Note: {note}")


def _details(entry: Entry | Revocation) -> Table:
    table = Table(show_header=False, box=None)
    for name, value in dataclasses.asdict(entry).items():
        if value not in {None, "", ()} and name != "invalid":
            table.add_row(_plain(name), _plain(str(value)))
    return table


def _plain(text: str) -> Text:
    """Text from files, without anything that a terminal or rich would act on."""
    return Text(for_terminal(text))
