"""The charts of users by OU and by account on the Summary sheet, each beside the small table that it shows."""

from collections.abc import Sequence

from scanner.report.figures import OuFigures
from scanner.report.view import View
from scanner.report.words import many, shortened
from scanner.report.workbook.drawing import (
    LAST,
    LEAST_HEIGHT,
    Bar,
    heading,
    place,
    plot_area,
    section,
    show_axes,
    stacked_bars,
    table,
    table_height,
)
from scanner.report.workbook.prose import LINE_HEIGHT, Prose, Span
from scanner.report.workbook.styles import PROSE

OUS_SHOWN = 15
ACCOUNTS_SHOWN = 10
LABEL_WIDTH = 29  # characters that fit beside a bar on one line
BAR_HEIGHT = 9.5  # points
ABOVE, BELOW, LEFT = 26.0, 58.0, 0.36  # points for the title; for axis and legend; the part of the width for labels


def organizations_block(prose: Prose, view: View) -> None:
    """Users by organization; their OUs are in the reports of each run."""
    bars = [
        Bar(
            run.organization_id,
            f"{run.in_all.totals.scanned:,} of {run.in_all.totals.in_scope:,}",
            run.organization_id if run.in_all.totals.users else "",
            run.in_all.totals.approved,
            run.in_all.totals.unapproved,
        )
        for run in sorted(view.runs, key=lambda run: (-run.in_all.totals.unapproved, -run.in_all.totals.users))
    ]
    heads = ("Organization", "Accounts read")
    _block(prose, "Users by organization", bars, heads, "Users approved and not approved")


def ous_block(prose: Prose, view: View) -> None:
    """Users by OU, those with most unapproved users first; beyond the fifteenth they are added up.

    Every OU with accounts in scope counts, as one of which no account could be read is the last that may be missed.
    """
    title = "Users by organizational unit"
    bars = _ou_bars(view.figures.by_ou)
    if not bars:
        _nothing(prose, title, "No account is in scope.")
        return
    _block(prose, title, bars, ("Organizational unit", "Accounts read"), "Users approved and not approved")


def accounts_block(prose: Prose, view: View) -> None:
    title = "Accounts with the most unapproved users"
    worst = view.figures.worst[:ACCOUNTS_SHOWN]
    if not worst:
        _nothing(prose, title, "No unapproved user was found.")
        return
    bars = [
        Bar(
            row.account.name,
            row.account.id,
            f"{_beginning(row.account.name, LABEL_WIDTH - 13)} {row.account.id}",
            row.approved or 0,
            row.unapproved or 0,
        )
        for row in worst
    ]
    which = "Account" if len(bars) == 1 else f"{len(bars)} accounts"
    _block(prose, title, bars, ("Account", "Account ID"), f"{which} with the most unapproved users")


def _ou_bars(ous: Sequence[OuFigures]) -> list[Bar]:
    """Those with users come first, as the chart shows these alone; then those with accounts that were not read."""
    ranked = sorted(ous, key=lambda ou: (-ou.unapproved, -ou.users, ou.scanned - ou.accounts, ou.ou_path))
    shown, rest = ranked[:OUS_SHOWN], ranked[OUS_SHOWN:]
    bars = [_ou_bar(ou.ou_path, [ou]) for ou in shown]
    return [*bars, _ou_bar(many(len(rest), "other unit"), rest)] if rest else bars


def _ou_bar(name: str, ous: Sequence[OuFigures]) -> Bar:
    accounts, scanned = sum(ou.accounts for ou in ous), sum(ou.scanned for ou in ous)
    approved, unapproved = sum(ou.approved for ou in ous), sum(ou.unapproved for ou in ous)
    label = shortened(name, LABEL_WIDTH) if approved or unapproved else ""
    return Bar(name, f"{scanned:,} of {accounts:,}", label, approved, unapproved)


def _beginning(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _nothing(prose: Prose, title: str, words: str) -> None:
    section(prose, title, LINE_HEIGHT)
    prose.line(Span(1, words, PROSE, LAST))


def _block(prose: Prose, title: str, bars: Sequence[Bar], heads: tuple[str, str], caption: str) -> None:
    """A table, with its chart to the right."""
    drawn = sum(bar.users > 0 for bar in bars)
    least = max(LEAST_HEIGHT, ABOVE + drawn * BAR_HEIGHT + BELOW) if drawn else 0
    height = table_height(prose, bars, least)
    section(prose, title, height)
    head = table(prose, heads, bars, least)
    if not drawn:
        prose.line(Span(1, "No user was found.", PROSE, LAST))
        return
    chart = stacked_bars(prose, head, drawn)
    chart.type = "bar"
    chart.x_axis.title = heading(heads[0], 8)
    chart.x_axis.scaling.orientation = "maxMin"  # first category on top
    chart.y_axis.crosses = "max"  # the other way round now, so this is the bottom
    chart.x_axis.tickLblSkip = 1  # every bar has its name
    show_axes(chart.x_axis, chart.y_axis)
    chart.layout = plot_area(LEFT, ABOVE / height, 0.96 - LEFT, 1 - (ABOVE + BELOW) / height)
    place(prose, chart, caption, head, height)
