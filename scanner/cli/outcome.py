"""What a person reads when a run has ended: the status, numbers that reconcile, what failed and what to do next."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from scanner.errors import ExitCode
from scanner.model import RULE_ID, RULE_TITLE, Assessment, EntryStatus, Status
from scanner.publish import Published
from scanner.report.figures import Figures, figures
from scanner.report.rows import AccountRow, account_rows, user_rows
from scanner.rule import exit_code
from scanner.text import for_terminal

SHOWN = 8  # rows of a table; the rest is in the workbook
_STYLES = {Status.COMPLETE: "bold green", Status.INCOMPLETE: "bold red", Status.NOTHING_READ: "bold red"}
_STALE = (EntryStatus.EXPIRED, EntryStatus.INVALID, EntryStatus.UNMATCHED, EntryStatus.UNUSED, EntryStatus.EXPIRING)


def show(published: Published, console: Console) -> None:
    """Print the outcome of a run."""
    assessment = published.assessment
    counted = figures(assessment, tuple(user_rows(assessment)), tuple(account_rows(assessment)))
    console.print(Group(*_parts(published, counted)))


def _parts(published: Published, counted: Figures) -> Iterator[RenderableType]:
    assessment = published.assessment
    yield _banner(assessment)
    yield _labelled(
        ("Accounts", _coverage(assessment)), ("Users", _users(assessment, counted)), ("Safelist", _safelist(assessment))
    )
    if counted.worst:
        yield _worst(counted.worst)
    if counted.failed:
        yield _failed(counted.failed)
    yield from _listing(assessment)
    yield Text()
    manifest = [("Manifest", _manifest(published.manifest_digest))] if published.manifest_digest else []
    advice = for_terminal(_advice(assessment, published.run_folder))
    yield _labelled(("Files", _files(published)), *manifest, ("Next", Text(advice)))


def _labelled(*lines: tuple[str, Text]) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for label, text in lines:
        grid.add_row(label, text)
    return grid


def _banner(assessment: Assessment) -> RenderableType:
    header = assessment.record.header
    organization = header.organization.id if header.organization else assessment.record.listing.source
    text = Text()
    text.append(assessment.status, style=_STYLES[assessment.status])
    text.append(f"  {for_terminal(assessment.status_text)}\n")
    text.append(f"{RULE_ID} {RULE_TITLE}\n", style="dim")
    text.append(f"{for_terminal(organization)}, approvals as of {header.as_of}", style="dim")
    return Panel(text, box=box.ROUNDED, border_style=_STYLES[assessment.status].removeprefix("bold "))


def _coverage(assessment: Assessment) -> Text:
    totals = assessment.totals
    line = Text(f"{totals.listed:,} listed = {totals.outside_scope:,} outside the scope + {totals.excluded:,} excluded")
    line.append(f" + {totals.inactive:,} inactive + {totals.scanned:,} scanned + ")
    return line.append(f"{totals.failed:,} failed", style="bold red" if totals.failed else "")


def _users(assessment: Assessment, counted: Figures) -> Text:
    totals = assessment.totals
    line = Text(f"{totals.users:,} found = {totals.approved:,} approved + ")
    line.append(f"{totals.unapproved:,} unapproved", style="bold red" if totals.unapproved else "")
    if counted.by_basis:
        why = ", ".join(f"{count:,} {basis}" for basis, count in counted.by_basis.items())
        line.append(f"\n{why}", style="dim")
    remarks = [
        (counted.unapproved_administrators, "unapproved administrators"),
        (counted.console_without_mfa, "with console access and no MFA"),
        (counted.dormant, "dormant"),
    ]
    told = ", ".join(f"{count:,} {what}" for count, what in remarks if count)
    return line.append(f"\n{told}" if told else "", style="dim")


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in {"Unapproved", "Users"} else "left", overflow="fold")
    return table


def _worst(rows: Sequence[AccountRow]) -> RenderableType:
    table = _table("\nMost unapproved users", "Account", "Name", "OU", "Unapproved", "Users")
    for row in rows[:SHOWN]:
        table.add_row(
            row.account.id,
            for_terminal(row.account.name),
            for_terminal(row.account.ou_path or ""),
            f"{row.unapproved:,}",
            f"{row.users:,}",
        )
    return Group(table, *_more(len(rows)))


def _failed(rows: Sequence[AccountRow]) -> RenderableType:
    table = _table("\nNot read", "Account", "Name", "Reason", "What AWS said")
    for row in rows[:SHOWN]:
        said = " ".join(part for part in (row.failed_call, row.error_code, row.detail) if part)
        table.add_row(row.account.id, for_terminal(row.account.name), str(row.reason or ""), for_terminal(said))
    remedies = Counter((str(row.reason or ""), row.remedy or "") for row in rows)
    lines = [
        Padding(Text.assemble((f"{reason} ({count:,}): ", "bold"), for_terminal(remedy)), (0, 0, 0, 2))
        for (reason, remedy), count in remedies.most_common()
        if remedy
    ]
    return Group(table, *_more(len(rows)), *lines, Text())


def _more(count: int) -> list[Text]:
    return [Text(f"  and {count - SHOWN:,} more: see the Accounts sheet", style="dim")] if count > SHOWN else []


def _listing(assessment: Assessment) -> Iterator[RenderableType]:
    problem = assessment.record.listing.problem
    if problem is not None:
        said = f"The listing of accounts broke off at {problem.call}: {problem.detail} {problem.remedy}"
        yield Text(for_terminal(said), style="bold red")
    for note in assessment.record.listing.notes:
        yield Text(f"Note: {for_terminal(note)}", style="dim")


def _safelist(assessment: Assessment) -> Text:
    counts = Counter(use.status for use in assessment.safelist)
    told = ", ".join(f"{counts[status]:,} {status}" for status in _STALE if counts[status])
    return Text(f"{len(assessment.safelist):,} entries" + (f": {told}" if told else ""))


def _files(published: Published) -> Text:
    return Text("\n".join(str(file) for file in _most_wanted_first(published.files)))


def _most_wanted_first(files: Sequence[Path]) -> list[Path]:
    return sorted(files, key=lambda file: (file.suffix != ".xlsx", file.suffix != ".csv", file.name))


def _manifest(digest: str) -> Text:
    return Text(digest).append(
        "\nits SHA-256; note it elsewhere, to show later that nobody rewrote this run", style="dim"
    )


def _advice(assessment: Assessment, folder: Path) -> str:
    match exit_code(assessment):
        case ExitCode.INCOMPLETE:
            return (
                "nothing is known of the users in accounts that were not read. Mend what kept them from it; then: "
                f"iam-scanner scan --resume {folder}"
            )
        case ExitCode.UNAPPROVED:
            return "open the workbook; for each unapproved user: remove it, or approve it in a safelist and scan again."
        case _:
            return "every user is approved; keep the workbook as evidence."
