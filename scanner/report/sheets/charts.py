"""The two charts of the Summary sheet, each beside the small table that it shows."""

from collections.abc import Sequence
from dataclasses import dataclass

from openpyxl.chart import BarChart, Reference
from openpyxl.chart.axis import ChartLines
from openpyxl.chart.layout import Layout, ManualLayout
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.chart.text import RichText, Text
from openpyxl.chart.title import Title
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.text import CharacterProperties, Paragraph, ParagraphProperties, RegularTextRun
from openpyxl.utils import get_column_letter

from scanner.report.figures import OuFigures
from scanner.report.sheets.page import Book
from scanner.report.sheets.prose import LINE_HEIGHT, Prose, Span
from scanner.report.sheets.styles import (
    CHART_DARK,
    CHART_LIGHT,
    HEAD,
    HEAD_RIGHT,
    NUMBER,
    PROSE,
    RULE,
    SECTION,
    WHITE,
    Style,
)
from scanner.report.sheets.words import many, shortened

OUS_SHOWN = 15
ACCOUNTS_SHOWN = 10
LEAST_ROWS = 12  # lines beside a table shorter than its chart
LABEL_WIDTH = 29  # characters that fit beside a bar on one line
CHART_AT, LAST = 7, 9  # columns of the sheet: the chart's first, and the last
BENEATH = Style(size=7, colour=WHITE)  # of the labels that a chart covers
CHART_WIDTH_CM = 16
ROW_HEIGHT, BAR_HEIGHT = 12.5, 9.5  # points
ABOVE, BELOW, LEFT = 26.0, 58.0, 0.36  # points for the title; for axis and legend; the part of the width for labels
_POINTS_PER_CM = 28.35


@dataclass(frozen=True, slots=True)
class Bar:
    name: str  # whole, for the table
    second: str  # what stands beside it in the table
    label: str  # of the bar, where there is less room
    approved: int
    unapproved: int

    @property
    def users(self) -> int:
        return self.approved + self.unapproved


def ous_block(prose: Prose, book: Book) -> None:
    """Users by OU, those with most unapproved users first; beyond the fifteenth they are added up.

    Every OU with accounts in scope counts, as one of which no account could be read is the last that may be missed.
    """
    prose.line(Span(1, "Users by organizational unit", SECTION, LAST), height=20)
    bars = _ou_bars(book.figures.by_ou)
    if not bars:
        prose.line(Span(1, "No account is in scope.", PROSE, LAST))
        return
    _block(prose, bars, ("Organizational unit", "Accounts read"), "Users approved and not approved")


def accounts_block(prose: Prose, book: Book) -> None:
    prose.line(Span(1, "Accounts with most unapproved users", SECTION, LAST), height=20)
    worst = book.figures.worst[:ACCOUNTS_SHOWN]
    if not worst:
        prose.line(Span(1, "No unapproved user was found.", PROSE, LAST))
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
    title = "Account" if len(bars) == 1 else f"{len(bars)} accounts"
    _block(prose, bars, ("Account", "Its id"), f"{title} with most unapproved users")


def _ou_bars(ous: Sequence[OuFigures]) -> list[Bar]:
    """Those with users come first, as the chart shows these alone; then those with accounts that were not read."""
    ranked = sorted(ous, key=lambda ou: (-ou.unapproved, -ou.users, ou.scanned - ou.accounts, ou.ou_path))
    shown, rest = ranked[:OUS_SHOWN], ranked[OUS_SHOWN:]
    bars = [_ou_bar(ou.ou_path, [ou]) for ou in shown]
    return [*bars, _ou_bar(many(len(rest), "other unit"), rest)] if rest else bars


def _ou_bar(name: str, ous: Sequence[OuFigures]) -> Bar:
    accounts, scanned = sum(ou.accounts for ou in ous), sum(ou.scanned for ou in ous)
    approved, unapproved = sum(ou.approved for ou in ous), sum(ou.unapproved for ou in ous)
    return Bar(name, f"{scanned:,} of {accounts:,}", shortened(name, LABEL_WIDTH), approved, unapproved)


def _beginning(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _block(prose: Prose, bars: Sequence[Bar], heads: tuple[str, str], title: str) -> None:
    """A table, with its chart to the right; `title` is the chart's, whose labels stand beneath it."""
    counts = enumerate(("Approved", "Not approved", "Users"), 3)
    head = prose.line(
        *(Span(at, text, HEAD) for at, text in enumerate(heads, 1)),
        *(Span(at, text, HEAD_RIGHT) for at, text in counts),
        height=ROW_HEIGHT,
    )
    height = ROW_HEIGHT + sum(_row(prose, bar) for bar in bars)
    drawn = sum(bar.users > 0 for bar in bars)
    if not drawn:
        prose.line(Span(1, "No user was found.", PROSE, LAST))
        return
    needed = ABOVE + drawn * BAR_HEIGHT + BELOW
    while height < max(LEAST_ROWS * ROW_HEIGHT, needed):
        prose.line(height=ROW_HEIGHT)
        height += ROW_HEIGHT
    chart = _chart(prose, (head, head + drawn), (heads[0], title))
    chart.height = height / _POINTS_PER_CM
    chart.layout = _plot_area(height)
    prose.sheet.add_chart(chart, f"{get_column_letter(CHART_AT)}{head}")


def _row(prose: Prose, bar: Bar) -> float:
    """Write a row of the table, and give its height. The label of its bar stands where the chart will cover it."""
    counts = enumerate((bar.approved, bar.unapproved, bar.users), 3)
    names = Span(1, bar.name, PROSE), Span(2, bar.second)
    needed = prose.height(*names)
    height = needed if needed > LINE_HEIGHT else ROW_HEIGHT
    label = (Span(CHART_AT, bar.label, BENEATH),) if bar.users else ()
    prose.line(*names, *(Span(at, count, NUMBER) for at, count in counts), *label, height=height)
    return height


def _chart(prose: Prose, rows: tuple[int, int], names: tuple[str, str]) -> BarChart:
    head, last = rows
    chart = BarChart()
    chart.type, chart.grouping, chart.overlap, chart.gapWidth = "bar", "stacked", 100, 45
    chart.add_data(Reference(prose.sheet, min_col=3, max_col=4, min_row=head, max_row=last), titles_from_data=True)
    chart.set_categories(Reference(prose.sheet, min_col=CHART_AT, min_row=head + 1, max_row=last))
    chart.graphical_properties = GraphicalProperties(solidFill=WHITE[2:])  # covers the labels
    for series, colour in zip(chart.series, (CHART_LIGHT, CHART_DARK), strict=True):
        series.graphicalProperties = GraphicalProperties(solidFill=colour)
    chart.title, chart.width = _heading(names[1], 10), CHART_WIDTH_CM
    chart.legend.position = "b"
    _axes(chart, names[0])
    return chart


def _axes(chart: BarChart, category: str) -> None:
    """Both axes shown (openpyxl leaves it open, which newer spreadsheets read as hidden), first category on top."""
    chart.x_axis.delete = chart.y_axis.delete = False
    chart.x_axis.title, chart.y_axis.title = _heading(category, 8), _heading("Users (number)", 8)
    chart.x_axis.scaling.orientation = "maxMin"
    chart.y_axis.crosses = "max"  # the other way round now, so this is the bottom
    chart.y_axis.number_format = "0"
    chart.y_axis.scaling.min = 0
    chart.y_axis.majorGridlines = ChartLines(spPr=GraphicalProperties(ln=LineProperties(solidFill=RULE[2:])))
    chart.x_axis.tickLblSkip = 1  # every bar has its name
    for axis in (chart.x_axis, chart.y_axis):
        axis.txPr = RichText(p=[Paragraph(pPr=_paragraph(7), endParaRPr=CharacterProperties(sz=700))])


def _plot_area(height: float) -> Layout:
    """Where the bars go: left to itself, a spreadsheet gives half of a low chart to its frame."""
    place = ManualLayout(layoutTarget="inner", xMode="edge", yMode="edge", x=LEFT, w=0.96 - LEFT)
    place.y, place.h = ABOVE / height, 1 - (ABOVE + BELOW) / height
    return Layout(manualLayout=place)


def _heading(text: str, size: int) -> Title:
    run = RegularTextRun(rPr=CharacterProperties(sz=size * 100, b=True), t=text)
    paragraph = Paragraph(pPr=_paragraph(size), r=[run])
    return Title(tx=Text(rich=RichText(p=[paragraph])), overlay=False)


def _paragraph(size: int) -> ParagraphProperties:
    return ParagraphProperties(defRPr=CharacterProperties(sz=size * 100))
