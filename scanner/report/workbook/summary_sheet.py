"""The Summary sheet: the run on one printed page, in plain words, with a place to sign; then its charts."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest

from openpyxl.utils import get_column_letter
from openpyxl.workbook.defined_name import DefinedName

from scanner.audit.triage import GROUNDS
from scanner.model import RISK_LEVEL, RULE_ID, RULE_TITLE, Choice, Status
from scanner.report.changes import counts_words, flips_words
from scanner.report.figures import UNPLACED, reconciled
from scanner.report.rows import AccountRow
from scanner.report.view import View
from scanner.report.words import (
    fates_words,
    many,
    moment,
    scope_words,
    what_if_words,
    window,
)
from scanner.report.workbook.charts import accounts_block, organizations_block, ous_block
from scanner.report.workbook.organizations_table import organizations_table
from scanner.report.workbook.page import Book, Page
from scanner.report.workbook.prose import LINE_HEIGHT, Formula, Prose, Span
from scanner.report.workbook.review_sheet import (
    BRIEFLY,
    FOR_ALL,
    FOR_ALL_HEAD,
    SUMMARY,
    check_day,
    for_all_name,
    letter,
)
from scanner.report.workbook.review_sheet import TITLE as REVIEW_TITLE
from scanner.report.workbook.status_band import BAND_HEIGHT, status_band
from scanner.report.workbook.styles import (
    AS_TEXT,
    BAD,
    BODY,
    DAY,
    FORM,
    GOOD,
    HEAD,
    LABEL,
    MUTE,
    NUMBER,
    PAPER,
    PROSE,
    SECTION,
    STRONG,
    STRONG_NUMBER,
    TITLE,
    Style,
)
from scanner.report.workbook.trend_chart import trend_block

FAILED_SHOWN = 7
SIGNATURE_HEIGHT, SECTION_HEIGHT = 24.0, 20.0  # points
# Left: what (A), an id or a figure (B), figures (C to E). F parts. Right: what (G), figure or id (H), remark (I).
WIDTHS = (34, 15, 11, 14, 9, 3, 33, 18, 33)
LEFT, RIGHT, LAST = 5, 7, len(WIDTHS)

OF_ALL = "Of all users, approved or not"
STRONG_LABELS = ("Not approved", OF_ALL)

Line = tuple[Span, ...]


def summary_sheet(book: Book) -> None:
    prose, view = Prose(book, Page(title=SUMMARY, repeat_rows=None, freeze=None), WIDTHS), book.view
    _title(prose, view)
    if view.by_organization:
        organizations_table(prose, view)
    _beside(prose, ("What was asked", _asked(view)), ("Accounts: do the numbers add up?", _coverage(view)))
    prose.gap()
    first = prose.row + 2  # below the heading
    progress = _progress(view)
    right = ("Review: decided so far", [*progress, *_for_all(view), *_failed(view)])
    _beside(prose, ("Users", _users(view)), right)
    if view.review:
        _name_for_all(prose, book, first + len(progress) + 2)
    _since(prose, view)
    _carried_out(prose, view)
    _remedies(prose, view)
    prose.gap()
    _sign_off(prose, view)
    prose.gap()
    _charts(prose, view)


def _charts(prose: Prose, view: View) -> None:
    (organizations_block if view.by_organization else ous_block)(prose, view)
    prose.gap()
    accounts_block(prose, view)
    prose.gap()
    for run in view.runs:
        trend_block(prose, run, f", organization {run.organization_id}" if view.by_organization else "")
        prose.gap()


def _title(prose: Prose, view: View) -> None:
    prose.line(Span(1, "IAM users that nobody approved", TITLE, LAST), height=28)
    prose.line(Span(1, f"Review of {_whose(view)}", LABEL, LAST))
    for run in view.runs:
        if run.assessment.record.what_if:
            prose.line(Span(1, what_if_words(run.assessment.record), BAD, LAST))
            prose.line(Span(1, f"{flips_words(run.assessment)} See Flips.", BAD, LAST))
    prose.gap()
    status_band(prose, view, LAST)
    prose.line(Span(1, *_verdict(view), LAST), height=BAND_HEIGHT)
    for run in view.runs:
        if problem := run.assessment.record.listing.problem:
            whose = f" of {run.organization_id}" if view.by_organization else ""
            words = f"The list of accounts{whose} broke off, so it is unknown how many there are: {problem.detail}"
            prose.line(Span(1, words, STRONG, LAST))
    prose.gap()


def _whose(view: View) -> str:
    """What the sheet is about, in a line; of several runs there is a table below."""
    if view.by_organization:
        return f"the runs of {many(len(view.runs), 'organization')}, which are named below"
    record = view.assessment.record
    organization = record.header.organization
    whose = f"organization {organization.id}" if organization else f"accounts listed in {record.listing.source}"
    return f"{whose}, {moment(record.header.started_at)}, run {record.header.run_id}"


def _verdict(view: View) -> tuple[str, Style]:
    totals, status = view.in_all.totals, view.in_all.status
    if status is Status.NOTHING_READ:
        return "No account was read: nothing can be said about users.", BAD
    read = "" if status is Status.COMPLETE else " in the accounts that could be read; others may hold more"
    if totals.unapproved:
        verb = "is" if totals.unapproved == 1 else "are"
        return f"{totals.unapproved:,} of {many(totals.users, 'user')} {verb} not approved{read}.", BAD
    words = f"No user is unapproved: {many(totals.users, 'user')} found{read}."
    return words, GOOD if status is Status.COMPLETE else BAD


def _beside(prose: Prose, left: tuple[str, Sequence[Line]], right: tuple[str, Sequence[Line]]) -> None:
    """Two blocks side by side, each under its heading."""
    prose.line(Span(1, left[0], SECTION, LEFT), Span(RIGHT, right[0], SECTION, LAST), height=SECTION_HEIGHT)
    for lines in zip_longest(left[1], right[1], fillvalue=()):
        prose.line(*(span for line in lines for span in line))


def _asked(view: View) -> list[Line]:
    started = [run.assessment.record.header.started_at for run in view.runs]
    read, part = "none was read", view.in_all.part
    if view.figures.read_from and view.figures.read_until:
        read = window(view.figures.read_from, view.figures.read_until)
    facts = (
        ("Rule", f"{RULE_ID} {RULE_TITLE}, risk {RISK_LEVEL}"),
        ("Accounts known from", view.of_each(lambda run: run.assessment.record.listing.source)),
        ("Approvals judged on", view.of_each(lambda run: run.assessment.record.header.as_of.isoformat())),
        ("Run started", moment(*started) if len(started) == 1 else window(min(started), max(started))),
        ("Accounts were read", read),
        ("Run by", view.of_each(lambda run: run.assessment.record.header.caller.arn)),
        ("Scope", view.of_each(lambda run: scope_words(run.assessment.record.header.settings))),
        *((("Part of the run", part.words),) if part else ()),
    )
    return [(Span(1, label, LABEL), Span(2, value, PROSE, LEFT)) for label, value in facts]


def _coverage(view: View) -> list[Line]:
    totals = view.in_all.totals
    parts = (
        ("Outside the scope", totals.outside_scope, "not asked for"),
        ("+ Excluded", totals.excluded, "left out on purpose, see Accounts"),
        ("+ Inactive", totals.inactive, "suspended, closed, or not yet active"),
        ("+ Scanned", totals.scanned, "read completely"),
        ("+ Failed", totals.failed, "could not be read" if totals.failed else ""),
    )
    adds_up = reconciled(totals) == totals.listed
    check = "adds up" if adds_up else "DOES NOT ADD UP"
    return [
        *(_sum(label, count, remark, (BODY, NUMBER, MUTE)) for label, count, remark in parts),
        _sum("= Sum", reconciled(totals), check, (STRONG, STRONG_NUMBER, STRONG)),
        _sum("Accounts listed", totals.listed, "", (STRONG, STRONG_NUMBER, MUTE)),
    ]


def _sum(label: str, count: int | Formula, remark: str, styles: tuple[Style, Style, Style]) -> Line:
    named, counted, remarked = styles
    return Span(RIGHT, label, named), Span(RIGHT + 1, count, counted), Span(LAST, remark, remarked)


def _users(view: View) -> list[Line]:
    totals, figures = view.in_all.totals, view.figures
    grounds = ((f"    {GROUNDS.get(basis, basis)}", count, "") for basis, count in figures.by_basis.items())
    usage = f"not known of {figures.usage_unknown:,}" if figures.usage_unknown else ""
    open_rights = figures.unapproved_rights_unknown
    rights = f"rights not known of {open_rights:,} of them" if open_rights else ""
    of_those = f"of the {totals.unapproved:,}:"
    counts: tuple[tuple[str, int | None, str], ...] = (
        ("Found", totals.users, ""),
        ("Approved", totals.approved, ""),
        ("Not approved", totals.unapproved, ""),
        *grounds,
        (f"    {of_those} administrators", figures.unapproved_administrators, rights),
        (f"    {of_those} console, no MFA", figures.unapproved_console_without_mfa, ""),
        (f"    {of_those} dormant", figures.unapproved_dormant, ""),
        (OF_ALL, None, ""),
        ("    console access without MFA", figures.console_without_mfa, usage),
        (f"    dormant (unused for {view.unused_for})", figures.dormant, usage),
    )
    return [
        (
            Span(1, label, STRONG if label in STRONG_LABELS else PROSE),
            Span(2, count, NUMBER),
            Span(3, remark, MUTE, LEFT),
        )
        for label, count, remark in counts
    ]


def _progress(view: View) -> list[Line]:
    """What the reviewers decided, counted by the spreadsheet on the Review sheet, wherever its columns have moved."""
    if not view.review:
        return [(Span(RIGHT, "No user needs a decision.", PROSE, LAST),)]
    column = letter(view, "decision")
    counts = {choice: f'COUNTIF({REVIEW_TITLE}!${column}:${column},"{choice}")' for choice in Choice}
    total = many(len(view.review), "user that needs a decision", "users that need a decision")
    return [
        _sum("Decided", Formula(f"={'+'.join(counts.values())}"), f"of {total}", (STRONG, STRONG_NUMBER, STRONG)),
        *(
            _sum(f"    {choice}", Formula(f"={count}"), BRIEFLY[choice], (BODY, NUMBER, MUTE))
            for choice, count in counts.items()
        ),
    ]


def _for_all(view: View) -> list[Line]:
    """What a reviewer would write into each row alike; the import reads it by heading and labels."""
    if not view.review:
        return []
    return [
        (),
        (Span(RIGHT, FOR_ALL_HEAD, STRONG, LAST),),
        *((Span(RIGHT, key, BODY), Span(RIGHT + 1, None, _filled(key), LAST)) for key in FOR_ALL),
    ]


def _filled(key: str) -> Style:
    """How a cell of the block looks: as its column on Review does."""
    return replace(FORM, fill=PAPER, across="left", number_format=DAY if key == "reviewed_on" else AS_TEXT)


def _name_for_all(prose: Prose, book: Book, row: int) -> None:
    """Give the cells of the block, the first of them in this row, the names that conditions on Review use."""
    column = get_column_letter(RIGHT + 1)
    for at, key in enumerate(FOR_ALL, row):
        named = DefinedName(for_all_name(key), attr_text=f"{SUMMARY}!${column}${at}")
        book.workbook.defined_names[named.name] = named
        if key == "reviewed_on":
            check_day(book, prose.sheet, f"{column}{at}")


def _failed(view: View) -> list[Line]:
    failed = view.figures.failed
    lines: list[Line] = [(), (Span(RIGHT, "Accounts that could not be read", SECTION, LAST),)]
    if not failed:
        return [*lines, (Span(RIGHT, "None.", PROSE, LAST),)]
    lines += [line for row in failed[:FAILED_SHOWN] for line in _failure(row)]
    if len(failed) > FAILED_SHOWN:
        words = f"and {many(len(failed) - FAILED_SHOWN, 'account')} more: see Accounts"
        lines.append((Span(RIGHT, words, STRONG, LAST),))
    return lines


def _failure(row: AccountRow) -> tuple[Line, Line]:
    name = (Span(RIGHT, row.account.name, PROSE), Span(RIGHT + 1, row.account.id), Span(LAST, _why(row), PROSE))
    return name, (Span(RIGHT, f"in {row.account.ou_path or UNPLACED}", MUTE, LAST),)


def _why(row: AccountRow) -> str:
    return row.reason or row.detail or ""


def _since(prose: Prose, view: View) -> None:
    """What changed, in one line for each run; nothing where there is no earlier run to say it of."""
    for run in view.runs:
        previous, differences = run.assessment.record.header.previous_run, run.assessment.differences
        if previous is None or differences is None:
            continue
        label = f"Since {previous.started_at:%Y-%m-%d}"
        whose = f"{run.organization_id}: " if view.by_organization else ""
        words = f"{whose}{counts_words(differences)} (run {previous.run_id}; see Changes)"
        prose.line(Span(1, label, STRONG), Span(2, words, PROSE, LAST))


def _carried_out(prose: Prose, view: View) -> None:
    """What became of the users that were to go, in one line; nothing where there were none."""
    if words := fates_words([one for run in view.runs for one in run.decided.values()]):
        prose.line(Span(1, "Carried out", STRONG), Span(2, f"{words} (see Review and Changes)", PROSE, LAST))


def _remedies(prose: Prose, view: View) -> None:
    """What to do, once for each reason: most accounts fail for the same one."""
    remedies = Counter((_why(row), row.remedy) for row in view.figures.failed)
    if not remedies:
        return
    prose.gap()
    prose.line(Span(1, "What to do about accounts that could not be read", SECTION, LAST), height=SECTION_HEIGHT)
    for (why, remedy), count in remedies.most_common():
        if remedy:
            prose.line(Span(1, f"{why} ({count:,})", LABEL), Span(2, remedy, PROSE, LAST))


def _sign_off(prose: Prose, view: View) -> None:
    run = ", ".join(_signed(run, beside_others=view.by_organization) for run in view.runs)
    if any(run.assessment.record.what_if for run in view.runs):
        prose.line(Span(1, "Sign-off", SECTION, LAST), height=SECTION_HEIGHT)
        prose.line(Span(1, f"A what-if is not signed. Sign run {run}, or a new scan with these safelists.", BAD, LAST))
        return
    part = view.in_all.part
    what = f"{'run' if len(view.runs) == 1 else 'runs'} {run}{f'; {part.words}' if part else ''}"
    words = (
        f"I have read this review ({what}). I acknowledge its results, the accounts that it does not cover, and "
        "that each user who is not approved is to be decided on: removed, quarantined, or put on a safelist."
    )
    statement = Span(1, words, PROSE, LAST)
    complete = view.in_all.status is Status.COMPLETE
    needed = SECTION_HEIGHT + prose.height(statement) + LINE_HEIGHT + 2 * SIGNATURE_HEIGHT
    prose.keep(needed if complete else needed + BAND_HEIGHT)
    prose.line(Span(1, "Sign-off", SECTION, LAST), height=SECTION_HEIGHT)
    if not complete:
        status_band(prose, view, LAST)
    prose.line(statement)
    heads = ((1, "", None), (2, "Name", 6), (7, "Role", None), (8, "Date", None), (9, "Signature", None))
    prose.line(*(Span(at, text, HEAD, to) for at, text, to in heads))
    for who in ("Reviewed by", "Acknowledged for management by"):
        blanks = (Span(at, None, FORM, to) for at, _, to in heads[1:])
        prose.line(Span(1, who, FORM), *blanks, height=SIGNATURE_HEIGHT)


def _signed(run: View, *, beside_others: bool) -> str:
    run_id = run.assessment.record.header.run_id
    return f"{run_id} of {run.organization_id}" if beside_others else run_id
