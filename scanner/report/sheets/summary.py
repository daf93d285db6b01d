"""The Summary sheet: the run on two printed pages, in plain words, with a place to sign."""

from collections.abc import Sequence
from itertools import zip_longest

from openpyxl.worksheet.pagebreak import Break

from scanner.model import RISK_LEVEL, RULE_ID, RULE_TITLE, Basis, Status
from scanner.report.figures import reconciled
from scanner.report.rows import AccountRow, dormant_days
from scanner.report.sheets.charts import accounts_block, ous_block
from scanner.report.sheets.page import Book, Page
from scanner.report.sheets.prose import Prose, Span
from scanner.report.sheets.styles import (
    BAD,
    FORM,
    GOOD,
    HEAD,
    LABEL,
    MUTE,
    NUMBER,
    PROSE,
    SECTION,
    STRONG,
    STRONG_NUMBER,
    TITLE,
    Style,
)
from scanner.report.sheets.words import days, many, moment, scope_words, window

FAILED_SHOWN = 10
# Left: what (A), figures (B to D). E parts. Right: what (F), figure or reason (G), remark (H).
WIDTHS = (30, 15, 15, 15, 3, 33, 22, 33)
LAST = len(WIDTHS)

_GROUNDS = {
    Basis.NOT_SAFELISTED: "on no safelist",
    Basis.APPROVAL_EXPIRED: "approval expired",
    Basis.APPROVAL_NOT_STARTED: "approval not started yet",
    Basis.APPROVAL_INVALID: "approval breaks the policy",
    Basis.USER_RECREATED: "recreated since approval",
    Basis.REVOKED: "approval revoked",
}

Line = tuple[Span, ...]


def summary_sheet(book: Book) -> None:
    prose = Prose(book, Page(title="Summary", repeat_header=False, freeze=None), WIDTHS)
    _title(prose, book)
    _beside(prose, ("What was asked", _asked(book)), ("Accounts: do the numbers add up?", _coverage(book)))
    prose.gap()
    _beside(prose, ("Users", _users(book)), ("Accounts that could not be read", _failed(book)))
    prose.sheet.row_breaks.append(Break(id=prose.row))
    ous_block(prose, book)
    prose.gap()
    accounts_block(prose, book)
    prose.gap()
    _sign_off(prose, book)


def _title(prose: Prose, book: Book) -> None:
    record = book.assessment.record
    organization = record.header.organization
    whose = f"organization {organization.id}" if organization else f"accounts listed in {record.listing.source}"
    prose.line(Span(1, "IAM users that nobody approved", TITLE, LAST), height=28)
    prose.line(
        Span(1, f"Review of {whose}, {moment(record.header.started_at)}, run {record.header.run_id}", LABEL, LAST)
    )
    prose.gap()
    status = book.assessment.status
    complete = status is Status.COMPLETE
    prose.line(Span(1, f"{status}: {book.assessment.status_text}", GOOD if complete else BAD, LAST), height=22)
    prose.line(Span(1, *_verdict(book), LAST), height=22)
    if record.listing.problem:
        words = f"The list of accounts broke off, so it is unknown how many there are: {record.listing.problem.detail}"
        prose.line(Span(1, words, STRONG, LAST))
    prose.gap()


def _verdict(book: Book) -> tuple[str, Style]:
    totals, status = book.assessment.totals, book.assessment.status
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
    prose.line(Span(1, left[0], SECTION, 4), Span(6, right[0], SECTION, LAST), height=20)
    for lines in zip_longest(left[1], right[1], fillvalue=()):
        prose.line(*(span for line in lines for span in line))


def _asked(book: Book) -> list[Line]:
    record = book.assessment.record
    header, figures = record.header, book.figures
    read = "none was read"
    if figures.read_from and figures.read_until:
        read = window(figures.read_from, figures.read_until)
    facts = (
        ("Rule", f"{RULE_ID} {RULE_TITLE}"),
        ("Risk level", RISK_LEVEL),
        ("Accounts known from", record.listing.source),
        ("Approvals judged on", header.as_of.isoformat()),
        ("Run started", moment(header.started_at)),
        ("Accounts were read", read),
        ("Run by", header.caller.arn),
        ("Scope", scope_words(header.settings)),
    )
    return [(Span(1, label, LABEL), Span(2, value, PROSE, 4)) for label, value in facts]


def _coverage(book: Book) -> list[Line]:
    totals = book.assessment.totals
    parts = (
        ("Outside the scope", totals.outside_scope, "not asked for"),
        ("+ Excluded", totals.excluded, "named with a reason, see Evidence"),
        ("+ Inactive", totals.inactive, "suspended, closed, or not yet active"),
        ("+ Scanned", totals.scanned, "read completely"),
        ("+ Failed", totals.failed, "could not be read" if totals.failed else ""),
    )
    adds_up = reconciled(totals) == totals.listed
    check = "adds up" if adds_up else "DOES NOT ADD UP"
    return [
        *((Span(6, label), Span(7, count, NUMBER), Span(8, remark, MUTE)) for label, count, remark in parts),
        (Span(6, "= Sum", STRONG), Span(7, reconciled(totals), STRONG_NUMBER), Span(8, check, STRONG)),
        (Span(6, "Accounts listed", STRONG), Span(7, totals.listed, STRONG_NUMBER), Span(8, "", MUTE)),
    ]


def _users(book: Book) -> list[Line]:
    totals, figures = book.assessment.totals, book.figures
    unused = days(dormant_days(book.assessment.record))
    grounds = ((f"    {_GROUNDS.get(basis, basis)}", count, "") for basis, count in figures.by_basis.items())
    usage = f"not known of {figures.usage_unknown:,}" if figures.usage_unknown else ""
    rights = f"rights not known of {many(figures.rights_unknown, 'user')}" if figures.rights_unknown else ""
    counts = (
        ("Found", totals.users, ""),
        ("Approved", totals.approved, ""),
        ("Not approved", totals.unapproved, ""),
        *grounds,
        ("    administrators among them", figures.unapproved_administrators, rights),
        ("    dormant among them", figures.unapproved_dormant, ""),
        ("Console access without MFA", figures.console_without_mfa, usage),
        (f"Dormant (not used for {unused})", figures.dormant, usage),
    )
    return [
        (Span(1, label, STRONG if label == "Not approved" else PROSE), Span(2, count, NUMBER), Span(3, remark, MUTE, 4))
        for label, count, remark in counts
    ]


def _failed(book: Book) -> list[Line]:
    failed = book.figures.failed
    if not failed:
        return [(Span(6, "None.", PROSE, LAST),)]
    lines: list[Line] = [_failure(row) for row in failed[:FAILED_SHOWN]]
    if len(failed) > FAILED_SHOWN:
        lines.append((Span(6, f"and {many(len(failed) - FAILED_SHOWN, 'account')} more: see Accounts", STRONG, LAST),))
    return lines


def _failure(row: AccountRow) -> Line:
    return (
        Span(6, f"{row.account.id} {row.account.name}", PROSE),
        Span(7, row.reason or row.detail, PROSE, LAST),
    )


def _sign_off(prose: Prose, book: Book) -> None:
    run = book.assessment.record.header.run_id
    prose.line(Span(1, "Sign-off", SECTION, LAST), height=20)
    words = (
        f"I have read this review (run {run}). I acknowledge its results, the accounts that it does not cover, and "
        "that each user who is not approved is to be removed, or to be put on a safelist after review."
    )
    prose.line(Span(1, words, PROSE, LAST))
    heads = ((1, "", None), (2, "Name", 5), (6, "Role", None), (7, "Date", None), (8, "Signature", None))
    prose.line(*(Span(at, text, HEAD, to) for at, text, to in heads))
    for who in ("Reviewed by", "Acknowledged for management by"):
        blanks = (Span(at, None, FORM, to) for at, _, to in heads[1:])
        prose.line(Span(1, who, FORM), *blanks, height=26)
