"""The two charts of the Summary sheet, each beside the small table that it shows."""

import math
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

from scanner.report.figures import OuFigures
from scanner.report.sheets.page import Book
from scanner.report.sheets.prose import Prose, Span
from scanner.report.sheets.styles import BODY, CHART_DARK, CHART_LIGHT, HEAD, HEAD_RIGHT, NUMBER, PROSE, RULE, SECTION
from scanner.report.sheets.words import many, shortened

OUS_SHOWN = 15
ACCOUNTS_SHOWN = 10
LEAST_ROWS = 12  # lines beside a table shorter than its chart
LABEL_WIDTH = 29  # characters that fit the label column on one line
CHART_WIDTH_CM = 16
ROW_HEIGHT, BAR_HEIGHT = 12.5, 9.5  # points
ABOVE, BELOW, LEFT = 26.0, 58.0, 0.36  # points for the title; for axis and legend; the part of the width for labels
_POINTS_PER_CM = 28.35


@dataclass(frozen=True, slots=True)
class Bar:
    label: str
    approved: int
    unapproved: int


def ous_block(prose: Prose, book: Book) -> None:
    """Users by OU, those with most unapproved users first; beyond the fifteenth they are added up."""
    prose.line(Span(1, "Users by organizational unit", SECTION, 8), height=20)
    bars = _ou_bars(book.figures.by_ou)
    if not bars:
        prose.line(Span(1, "No user was found.", PROSE, 8))
        return
    _block(prose, bars, ("Organizational unit", "Users approved and not approved"))


def accounts_block(prose: Prose, book: Book) -> None:
    prose.line(Span(1, "Accounts with most unapproved users", SECTION, 8), height=20)
    worst = book.figures.worst[:ACCOUNTS_SHOWN]
    if not worst:
        prose.line(Span(1, "No unapproved user was found.", PROSE, 8))
        return
    bars = [
        Bar(
            f"{_beginning(row.account.name, LABEL_WIDTH - 13)} {row.account.id}", row.approved or 0, row.unapproved or 0
        )
        for row in worst
    ]
    title = "Account" if len(bars) == 1 else f"{len(bars)} accounts"
    _block(prose, bars, ("Account", f"{title} with most unapproved users"))


def _ou_bars(ous: Sequence[OuFigures]) -> list[Bar]:
    peopled = sorted((ou for ou in ous if ou.users), key=lambda ou: (-ou.unapproved, -ou.users, ou.ou_path))
    shown, rest = peopled[:OUS_SHOWN], peopled[OUS_SHOWN:]
    bars = [Bar(shortened(ou.ou_path, LABEL_WIDTH), ou.approved, ou.unapproved) for ou in shown]
    if rest:
        approved, unapproved = sum(ou.approved for ou in rest), sum(ou.unapproved for ou in rest)
        bars.append(Bar(f"{many(len(rest), 'other unit')}", approved, unapproved))
    return bars


def _beginning(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _block(prose: Prose, bars: Sequence[Bar], names: tuple[str, str]) -> None:
    """A table, with its chart to the right; `names` are those of the category and of the chart."""
    heads = enumerate(("Approved", "Not approved", "Users"), 2)
    head = prose.line(Span(1, names[0], HEAD), *(Span(at, text, HEAD_RIGHT) for at, text in heads), height=ROW_HEIGHT)
    for bar in bars:
        counts = enumerate((bar.approved, bar.unapproved, bar.approved + bar.unapproved), 2)
        prose.line(Span(1, bar.label, BODY), *(Span(at, count, NUMBER) for at, count in counts), height=ROW_HEIGHT)
    last = prose.row
    needed = math.ceil((ABOVE + len(bars) * BAR_HEIGHT + BELOW) / ROW_HEIGHT)
    while prose.row < head + max(LEAST_ROWS, needed) - 1:
        prose.line(height=ROW_HEIGHT)
    chart = _chart(prose, (head, last), names)
    height = (prose.row - head + 1) * ROW_HEIGHT
    chart.height = height / _POINTS_PER_CM
    chart.layout = _plot_area(height)
    prose.sheet.add_chart(chart, f"F{head}")


def _chart(prose: Prose, rows: tuple[int, int], names: tuple[str, str]) -> BarChart:
    head, last = rows
    chart = BarChart()
    chart.type, chart.grouping, chart.overlap, chart.gapWidth = "bar", "stacked", 100, 45
    chart.add_data(Reference(prose.sheet, min_col=2, max_col=3, min_row=head, max_row=last), titles_from_data=True)
    chart.set_categories(Reference(prose.sheet, min_col=1, min_row=head + 1, max_row=last))
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
