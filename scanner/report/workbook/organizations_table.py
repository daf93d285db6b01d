"""The organizations of a workbook on the Summary sheet: what was read in each, and that the numbers add up."""

from dataclasses import replace

from scanner.model import Status
from scanner.report.figures import reconciled
from scanner.report.view import View
from scanner.report.words import many
from scanner.report.workbook.prose import Prose, Span
from scanner.report.workbook.styles import BODY, HEAD, HEAD_RIGHT, NUMBER, PROSE, SECTION, STRONG, STRONG_NUMBER, Style

_HEADS = ("Organization", "Users", "Approved", "Not approved", "Review")
_ALARM = replace(STRONG, wrap=True)


def organizations_table(prose: Prose, view: View) -> None:
    """A line for each run, and one for all of them: users from the second column on, accounts from the seventh."""
    prose.line(Span(1, "Organizations", SECTION, 9), height=20)
    heads = (Span(at, text, HEAD_RIGHT if at > 1 else HEAD) for at, text in enumerate(_HEADS, 1))
    prose.line(*heads, Span(6, "", HEAD), Span(7, "Accounts", HEAD), Span(8, "Status", HEAD), Span(9, "Run", HEAD))
    for run in view.runs:
        prose.line(*_line(run, run.organization_id, run.assessment.record.header.run_id, (BODY, NUMBER, PROSE)))
    in_all = f"In all: {many(len(view.runs), 'organization')}"
    prose.line(*_line(view, in_all, "", (STRONG, STRONG_NUMBER, replace(PROSE, bold=True))))
    prose.gap()


def _line(view: View, name: str, run: str, styles: tuple[Style, Style, Style]) -> tuple[Span, ...]:
    named, counted, told = styles
    totals, complete = view.in_all.totals, view.in_all.status is Status.COMPLETE
    counts = enumerate((totals.users, totals.approved, totals.unapproved, len(view.review)), 2)
    return (
        Span(1, name, named),
        *(Span(at, count, counted) for at, count in counts),
        Span(7, _accounts(view), told),
        Span(8, view.in_all.status, told if complete else _ALARM),
        Span(9, run, told),
    )


def _accounts(view: View) -> str:
    """The equation, without the terms that are nothing; what was read and what failed always stands in it."""
    totals = view.in_all.totals
    terms = (
        (totals.outside_scope, "outside the scope"),
        (totals.excluded, "excluded"),
        (totals.inactive, "inactive"),
    )
    named = [f"{count:,} {what}" for count, what in terms if count]
    words = " + ".join([*named, f"{totals.scanned:,} scanned", f"{totals.failed:,} failed"])
    adds_up = "" if reconciled(totals) == totals.listed else ": DOES NOT ADD UP"
    return f"{totals.listed:,} listed = {words}{adds_up}"
