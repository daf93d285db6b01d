"""What a person, or a script, reads of the users of a run."""

import io
import json
import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from scanner.audit.assessment import Assessment
from scanner.cli.screen.layout import width_of
from scanner.report.columns import USERS
from scanner.report.review_rows import review_rows
from scanner.report.rows import UserRow
from scanner.report.urgency import why
from scanner.report.user_list import Filters, UserList, notes
from scanner.report.words import many
from scanner.text import for_terminal

SCHEMA_VERSION = 1
HEADS = ("Account", "Name", "User")
WHY = "Why"
LEAST = 26  # columns for the last cell of a row; where there is less room, it stands below the others
INDENT = 4  # there
GAP = "  "


def show(console: Console, assessment: Assessment, listed: UserList, *, quiet: bool) -> None:
    """Print a row for each user, then what a reader must know, and how many of how many; `quiet`: the rows alone.

    In a pipe of unknown width, a row is one whole line, as others look for words in it.
    """
    width = width_of(console, unknown=sys.maxsize)
    for line in _table(assessment, listed.users, width):
        console.print(line, soft_wrap=True)
    if quiet:
        return
    if listed.users:
        console.print()
    for note in notes(assessment, listed):
        console.print(Text(textwrap.fill(note, width), style="bold yellow"), soft_wrap=True)
    shown = f"{len(listed.users):,} of {many(listed.of, 'user')} of run {assessment.record.header.run_id}"
    console.print(Text(textwrap.fill(f"{shown}: {assessment.status}", width), style="bold"), soft_wrap=True)


def show_notes(console: Console, assessment: Assessment, listed: UserList) -> None:
    for note in notes(assessment, listed):
        console.print(Text(f"note: {note}"), soft_wrap=True)


def _table(assessment: Assessment, users: Sequence[UserRow], width: int) -> Iterator[Text]:
    if not users:
        return
    due = {row.user: row.reasons for row in review_rows(assessment, users)}
    rows = [(_who(row), ", ".join(why(row, due.get(row, ())))) for row in users]
    widths = [max(map(cell_len, column)) for column in zip(HEADS, *(who for who, _ in rows), strict=True)]
    left = sum(widths) + len(GAP) * len(widths)
    beside = width - left >= LEAST
    heads = _aligned(HEADS, widths)
    yield Text(f"{heads}{GAP}{WHY}" if beside else heads.rstrip(), style="bold")
    for who, reasons in rows:
        identity = _aligned(who, widths)
        if beside:
            first, *rest = textwrap.wrap(reasons, width - left)
            yield Text(f"{identity}{GAP}{first}")
            yield from (Text(f"{' ' * left}{line}") for line in rest)
        else:
            fits = cell_len(identity.rstrip()) <= width
            lines = [identity.rstrip()] if fits else textwrap.wrap(GAP.join(who), width, subsequent_indent=GAP)
            yield from map(Text, lines)
            margin = " " * INDENT
            below = textwrap.wrap(reasons, width, initial_indent=margin, subsequent_indent=margin)
            yield from (Text(line, style="dim") for line in below)


def _who(row: UserRow) -> tuple[str, str, str]:
    finding = row.finding
    return finding.account.id, for_terminal(finding.account.name), for_terminal(finding.user.user_name)


def _aligned(texts: Sequence[str], widths: Sequence[int]) -> str:
    return GAP.join(set_cell_size(text, width) for text, width in zip(texts, widths, strict=True))


def print_csv(listed: UserList) -> None:
    """Print the rows as iam-users.csv has them, in UTF-8, without its byte order mark: most scripts expect none."""
    from scanner.report.frames import users_frame
    from scanner.report.tables import write_csv_text

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    write_csv_text(USERS, users_frame(listed.users), sys.stdout)


def document(assessment: Assessment, filters: Filters, listed: UserList) -> dict[str, object]:
    """The one JSON document; its users are the rows of iam-users.json."""
    from scanner.report.frames import users_frame
    from scanner.report.tables import write_json

    rows = io.BytesIO()
    write_json(USERS, users_frame(listed.users), rows)
    header = assessment.record.header
    return {
        "schema_version": SCHEMA_VERSION,
        "run_id": header.run_id,
        "status": assessment.status,
        "status_text": assessment.status_text,
        "compared_with": header.previous_run and header.previous_run.run_id,
        "filters": asdict(filters),
        "counts": {
            "users": listed.of,
            "shown": len(listed.users),
            "unknown": dict(listed.unknown),
            "accounts_not_read": listed.not_read,
            "accounts_left_out": listed.left_out,
        },
        "notes": list(notes(assessment, listed)),
        "users": json.loads(rows.getvalue()),
    }
