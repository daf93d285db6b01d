"""What a person reads when a run has ended: the status, numbers that reconcile, what failed and what to do next."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from scanner.audit.assessment import Assessment
from scanner.audit.rule import exit_code
from scanner.cli.options import print_json, stdout
from scanner.cli.screen.layout import labelled, print_parts
from scanner.errors import ExitCode
from scanner.model import RULE_ID, RULE_TITLE, Status
from scanner.report.figures import Figures
from scanner.report.render import Rendered
from scanner.report.rows import AccountRow
from scanner.report.summary import summary
from scanner.report.words import GROUNDS, many, status_words, what_if_words
from scanner.runs import folder as run_folder
from scanner.safelist.usage import NOT_JUDGED, EntryStatus, EntryUse
from scanner.text import for_terminal

SHOWN = 8  # rows of a table; the rest is in the reports
_STYLES = {Status.COMPLETE: "bold green", Status.INCOMPLETE: "bold red", Status.NOTHING_READ: "bold red"}


def print_outcome(rendered: Rendered, *, as_json: bool, quiet: bool) -> None:
    """Print the outcome to stdout: as JSON, as a summary, or with `quiet` the folder's path alone."""
    if as_json:
        print_json(summary(rendered.view) | ({"parts": parts(rendered)} if rendered.parts else {}))
    elif quiet:
        print(rendered.folder)  # noqa: T201  # the result
    else:
        show(rendered, stdout())


def show(rendered: Rendered, console: Console) -> None:
    """Print the outcome of a run."""
    what_if = rendered.assessment.record.what_if is not None  # below who flips: in short
    print_parts(console, _parts(rendered, rendered.view.figures, framed=console.is_terminal and not what_if))


def _parts(rendered: Rendered, counted: Figures, *, framed: bool) -> Iterator[RenderableType]:
    assessment = rendered.assessment
    yield _framed(assessment) if framed else Group(_banner(assessment), Text())
    yield labelled(
        ("Accounts", _coverage(assessment)), ("Users", _users(assessment, counted)), ("Safelist", _safelist(assessment))
    )
    listed = _accounts_file(rendered)
    if counted.failed:
        yield _failed(counted.failed, listed, framed=framed)
    if counted.worst and not assessment.record.what_if:
        yield _worst(counted.worst, listed, framed=framed)
    yield from _listing(assessment)
    yield Text()
    manifest = [("Manifest", _manifest(rendered.manifest_digest))] if rendered.manifest_digest else []
    advice = for_terminal(_advice(rendered))
    yield labelled(("Files", _files(rendered)), *manifest, ("Next", Text(advice)))


def _framed(assessment: Assessment) -> RenderableType:
    colour = _STYLES[assessment.status].removeprefix("bold ")
    return Panel(_banner(assessment), box=box.ROUNDED, border_style=colour)


def _banner(assessment: Assessment) -> Text:
    header = assessment.record.header
    organization = header.organization.id if header.organization else assessment.record.listing.source
    text = Text(f"{for_terminal(status_words(assessment))}\n")
    text.stylize(_STYLES[assessment.status], 0, len(assessment.status))
    if what_if := what_if_words(assessment.record):
        return text.append(what_if, style="bold yellow")
    text.append(f"{RULE_ID} {RULE_TITLE}\n", style="dim")
    return text.append(f"{for_terminal(organization)}, approvals as of {header.as_of}", style="dim")


def _coverage(assessment: Assessment) -> Text:
    """The equation, without the terms that are nothing; what was read and what failed always stands in it."""
    totals = assessment.totals
    terms = (totals.outside_scope, "outside the scope"), (totals.excluded, "excluded"), (totals.inactive, "inactive")
    line = Text(f"{totals.listed:,} listed = ")
    line.append("".join(f"{count:,} {what} + " for count, what in terms if count))
    line.append(f"{totals.scanned:,} scanned + ")
    return line.append(f"{totals.failed:,} failed", style="bold red" if totals.failed else "")


def _users(assessment: Assessment, counted: Figures) -> Text:
    totals = assessment.totals
    line = Text(f"{totals.users:,} found = {totals.approved:,} approved + ")
    line.append(f"{totals.unapproved:,} unapproved", style="bold red" if totals.unapproved else "")
    if counted.by_basis:
        why = ", ".join(f"{count:,} {GROUNDS.get(basis, basis)}" for basis, count in counted.by_basis.items())
        line.append(f"\n{why}", style="dim")
    if assessment.record.what_if:
        return line
    return line.append(_among(totals.unapproved, counted), style="dim")


def _among(unapproved: int, counted: Figures) -> str:
    """What makes some of the unapproved users more urgent than others."""
    remarks = (
        (counted.unapproved_administrators, "administrator", "administrators"),
        (counted.unapproved_console_without_mfa, "with console access and no MFA", "with console access and no MFA"),
        (counted.unapproved_dormant, "dormant", "dormant"),
    )
    if unapproved == 1:
        urgent = ", ".join(one for count, one, _ in remarks if count)
        return f"\nthat one: {urgent}" if urgent else ""
    urgent = ", ".join(many(count, one, several) for count, one, several in remarks if count)
    return f"\nof the {unapproved:,}: {urgent}" if urgent else ""


def _table(title: str, *columns: str, framed: bool) -> Table:
    look = box.SIMPLE_HEAD if framed else None
    table = Table(title=title, title_justify="left", title_style="bold", box=look, pad_edge=False)
    table.padding = (0, 1) if framed else (0, 2, 0, 0)
    for column in columns:
        is_number = column in {"Unapproved", "Users"}
        table.add_column(
            column, justify="right" if is_number else "left", no_wrap=column == "Account" or is_number, overflow="fold"
        )
    return table


def _worst(rows: Sequence[AccountRow], listed: str, *, framed: bool) -> RenderableType:
    table = _table("\nMost unapproved users", "Account", "Name", "OU", "Unapproved", "Users", framed=framed)
    for row in rows[:SHOWN]:
        path = _Path(for_terminal(row.account.ou_path or ""))
        table.add_row(
            row.account.id, for_terminal(row.account.name), path, f"{row.unapproved or 0:,}", f"{row.users or 0:,}"
        )
    return Group(table, *_more(len(rows), listed))


class _Path:
    """The path of an OU, which breaks after a "/" rather than in a name."""

    def __init__(self, path: str) -> None:
        *above, last = path.split("/")
        self._names = [*(f"{name}/" for name in above), last]

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        widths = [cell_len(name) for name in self._names]
        return Measurement(max(widths), sum(widths)).with_maximum(options.max_width)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        line = ""
        for name in self._names:
            if line and cell_len(line + name) > options.max_width:
                yield Text(line, overflow="fold")
                line = ""
            line += name
        yield Text(line, overflow="fold")


def _failed(rows: Sequence[AccountRow], listed: str, *, framed: bool) -> RenderableType:
    table = _table("\nNot read", "Account", "Name", "Reason", "What happened", framed=framed)
    for row in rows[:SHOWN]:
        what = " ".join(part for part in (row.failed_call, row.error_code, row.detail) if part)
        table.add_row(row.account.id, for_terminal(row.account.name), str(row.reason or ""), for_terminal(what))
    remedies = Counter((str(row.reason or row.detail or ""), row.remedy or "") for row in rows)
    lines = [
        Padding(Text.assemble((f"{for_terminal(why)} ({count:,}): ", "bold"), for_terminal(remedy)), (0, 0, 0, 2))
        for (why, remedy), count in remedies.most_common()
        if remedy
    ]
    return Group(table, *_more(len(rows), listed), *lines)


def _more(count: int, listed: str) -> list[Text]:
    return [Text(f"  and {count - SHOWN:,} more: see {listed}", style="dim")] if count > SHOWN else []


def _accounts_file(rendered: Rendered) -> str:
    """Where all accounts are listed; accounts.csv comes with every report."""
    return "the Accounts sheet" if _workbook(rendered) else "accounts.csv"


def _workbook(rendered: Rendered) -> bool:
    return any(file.suffix == ".xlsx" for file in rendered.files)


def _listing(assessment: Assessment) -> Iterator[RenderableType]:
    problem = assessment.record.listing.problem
    if problem or assessment.record.listing.notes:
        yield Text()
    if problem is not None:
        broke_off = f"The listing of accounts broke off at {problem.call}: {problem.detail} {problem.remedy}"
        yield Text(for_terminal(broke_off), style="bold red")
    for note in assessment.record.listing.notes:
        yield Text(f"Note: {for_terminal(note)}", style="dim")


def _safelist(assessment: Assessment) -> Text:
    """How many entries, and what became of all of them: the numbers add up."""
    counts = Counter(map(_became, assessment.safelist))
    order = [*EntryStatus, NOT_JUDGED]
    by_status = ", ".join(_entries(counts[status], status) for status in order if counts[status])
    total = many(len(assessment.safelist), "entry", "entries")
    return Text(f"{total}: {by_status}" if by_status else total)


def _became(use: EntryUse) -> str:
    """Where nobody could look, an entry is not called unused."""
    unjudged = use.status is EntryStatus.UNUSED and use.remark.startswith(NOT_JUDGED)
    return NOT_JUDGED if unjudged else use.status


def _entries(count: int, became: str) -> str:
    if became == EntryStatus.REVOCATION:
        return many(count, "revocation")
    return f"{count:,} {became.rstrip(': ')}"


def parts(rendered: Rendered) -> list[dict[str, object]]:
    """Each part for scripts: whose it is, where it lies, and its figures."""
    return [
        {
            "value": part.value,
            "folder": str(part.folder),
            "status": part.status,
            "accounts": part.totals.listed,
            "users": part.totals.users,
            "unapproved": part.totals.unapproved,
        }
        for part in rendered.parts
    ]


def _files(rendered: Rendered) -> Text:
    if rendered.parts:
        return _parts_by_name(rendered)
    if rendered.assessment.record.what_if:
        return Text(for_terminal(f"{rendered.folder}: {', '.join(sorted(file.name for file in rendered.files))}"))
    return Text("\n".join(for_terminal(str(file)) for file in _most_wanted_first(rendered.files)))


def _parts_by_name(rendered: Rendered) -> Text:
    text = Text(f"{many(len(rendered.parts), 'part')} in {for_terminal(str(rendered.folder))}:")
    width = max(len(part.folder.name) for part in rendered.parts)
    for part in rendered.parts:
        totals = part.totals
        text.append(f"\n{part.folder.name:<{width}}", style="bold")
        users = f"{many(totals.users, 'user')}, {totals.unapproved:,} unapproved"
        text.append(f"  {many(totals.listed, 'account')}, {users}")
    return text


def _most_wanted_first(files: Sequence[Path]) -> list[Path]:
    order = [".xlsx", "iam-users.csv", "iam-users.json"]
    return sorted(files, key=lambda file: (*(not file.name.endswith(suffix) for suffix in order), file.name))


def _manifest(digest: str) -> Text:
    return Text(digest).append(
        "\nits SHA-256; note it elsewhere, to show later that nobody rewrote this run", style="dim"
    )


def _advice(rendered: Rendered) -> str:
    assessment = rendered.assessment
    code = exit_code(assessment)
    if assessment.record.what_if:
        return "the run stays as it was decided. To have it otherwise, change the safelists, and scan again."
    if code is ExitCode.INCOMPLETE:
        return _advice_on_the_rest(assessment, rendered.run_folder)
    opened = "the workbook" if _workbook(rendered) else _most_wanted_first(rendered.files)[0].name
    if code is ExitCode.UNAPPROVED:
        return f"open {opened}. Unapproved users: remove them, or approve them in a safelist; then scan again."
    if not assessment.totals.users:
        return "no IAM user was found; keep the reports as evidence."
    return f"every user is approved; keep {opened} as evidence."


def _advice_on_the_rest(assessment: Assessment, folder: Path) -> str:
    record = assessment.record
    if not (assessment.totals.failed or record.listing.problem or record.footer.interrupted):
        return "the scope left nothing to scan; widen it."
    return (
        "nothing is known of the users in accounts that were not read. Fix the cause; then: "
        f"{run_folder.resume_command(folder)}"
    )
