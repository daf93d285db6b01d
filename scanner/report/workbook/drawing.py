"""What the charts of the Summary sheet share: a table of users with a chart beside it, and how that is dressed."""

from collections.abc import Sequence
from dataclasses import dataclass

from openpyxl.chart import BarChart, Reference
from openpyxl.chart.axis import ChartLines, NumericAxis, TextAxis
from openpyxl.chart.layout import Layout, ManualLayout
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.chart.text import RichText, Text
from openpyxl.chart.title import Title
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.text import CharacterProperties, Paragraph, ParagraphProperties, RegularTextRun
from openpyxl.utils import get_column_letter

from scanner.report.workbook.prose import LINE_HEIGHT, Prose, Span
from scanner.report.workbook.styles import (
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

TABLE_LAST, CHART_AT, LAST = 5, 7, 9  # columns of the sheet: the table's last, the chart's first, and the last
BENEATH = Style(size=7, colour=WHITE)  # of what a chart shows and covers
CHART_WIDTH_CM = 16
HEADING_HEIGHT, ROW_HEIGHT = 20.0, 12.5  # points
LEAST_HEIGHT = 12 * ROW_HEIGHT  # lines beside a table shorter than its chart
_POINTS_PER_CM = 28.35


@dataclass(frozen=True, slots=True)
class Bar:
    name: str  # whole, for the table
    second: str  # what stands beside it in the table
    label: str  # of the bar, where there is less room
    approved: int
    unapproved: int
    beneath: tuple[Span, ...] = ()  # what else the chart shows of it, and covers

    @property
    def users(self) -> int:
        return self.approved + self.unapproved


def section(prose: Prose, heading: str, height: float) -> None:
    """Begin a block of that height below its heading, on a new page where this one has no room for it."""
    prose.keep(HEADING_HEIGHT + height)
    prose.line(Span(1, heading, SECTION, TABLE_LAST), height=HEADING_HEIGHT)


def table_height(prose: Prose, bars: Sequence[Bar], least: float) -> float:
    rows = ROW_HEIGHT + sum(_row_height(prose, bar) for bar in bars)
    return rows + max(0, -(-(least - rows) // ROW_HEIGHT)) * ROW_HEIGHT


def table(prose: Prose, heads: tuple[str, str], bars: Sequence[Bar], least: float, *beneath: Span) -> int:
    """Write the table, and lines below it up to the least height; give the row of its head.

    The label of a bar stands where the chart will cover it, as do the spans `beneath`, beside the heads.
    """
    counts = enumerate(("Approved", "Not approved", "Users"), 3)
    head = prose.line(
        *(Span(at, text, HEAD) for at, text in enumerate(heads, 1)),
        *(Span(at, text, HEAD_RIGHT) for at, text in counts),
        *beneath,
        height=ROW_HEIGHT,
    )
    for bar in bars:
        figures = enumerate((bar.approved, bar.unapproved, bar.users), 3)
        label = (Span(CHART_AT, bar.label, BENEATH), *bar.beneath) if bar.label else ()
        prose.line(
            *_names(bar), *(Span(at, count, NUMBER) for at, count in figures), *label, height=_row_height(prose, bar)
        )
    written = ROW_HEIGHT + sum(_row_height(prose, bar) for bar in bars)
    while written < least:
        prose.line(height=ROW_HEIGHT)
        written += ROW_HEIGHT
    return head


def _names(bar: Bar) -> tuple[Span, Span]:
    return Span(1, bar.name, PROSE), Span(2, bar.second)


def _row_height(prose: Prose, bar: Bar) -> float:
    needed = prose.height(*_names(bar))
    return needed if needed > LINE_HEIGHT else ROW_HEIGHT


# --- charts ----------------------------------------------------------------------------------------------------------


def stacked_bars(prose: Prose, head: int, count: int) -> BarChart:
    """Users approved and not approved, of the first rows below this head."""
    chart = BarChart()
    chart.grouping, chart.overlap, chart.gapWidth = "stacked", 100, 45
    users = Reference(prose.sheet, min_col=3, max_col=4, min_row=head, max_row=head + count)
    chart.add_data(users, titles_from_data=True)
    chart.set_categories(labels(prose, head, count))
    for series, colour in zip(chart.series, (CHART_LIGHT, CHART_DARK), strict=True):
        series.graphicalProperties = GraphicalProperties(solidFill=colour)
    count_axis(chart.y_axis, "Users (number)")
    return chart


def labels(prose: Prose, head: int, count: int) -> Reference:
    return Reference(prose.sheet, min_col=CHART_AT, min_row=head + 1, max_row=head + count)


def place(prose: Prose, chart: BarChart, title: str, head: int, height: float) -> None:
    """Put a chart beside its table, from the row of its head on, `height` points high."""
    chart.graphical_properties = GraphicalProperties(solidFill=WHITE[2:])  # covers the labels
    chart.title, chart.width, chart.height = heading(title, 10), CHART_WIDTH_CM, height / _POINTS_PER_CM
    chart.legend.position = "b"
    prose.sheet.add_chart(chart, f"{get_column_letter(CHART_AT)}{head}")


def show_axes(*axes: TextAxis | NumericAxis) -> None:
    """Say that axes are shown: openpyxl leaves it open, which newer spreadsheets read as hidden."""
    for axis in axes:
        axis.delete = False
        axis.txPr = RichText(p=[Paragraph(pPr=_paragraph(7), endParaRPr=CharacterProperties(sz=700))])


def count_axis(axis: NumericAxis, title: str) -> None:
    axis.title, axis.number_format, axis.scaling.min = heading(title, 8), "0", 0
    axis.majorGridlines = ChartLines(spPr=GraphicalProperties(ln=LineProperties(solidFill=RULE[2:])))


def plot_area(x: float, y: float, w: float, h: float) -> Layout:
    """Where the plot goes, in parts of the chart.

    Left to itself, a spreadsheet gives half of a low chart to its frame.
    """
    return Layout(manualLayout=ManualLayout(layoutTarget="inner", xMode="edge", yMode="edge", x=x, y=y, w=w, h=h))


def heading(text: str, size: int) -> Title:
    run = RegularTextRun(rPr=CharacterProperties(sz=size * 100, b=True), t=text)
    paragraph = Paragraph(pPr=_paragraph(size), r=[run])
    return Title(tx=Text(rich=RichText(p=[paragraph])), overlay=False)


def _paragraph(size: int) -> ParagraphProperties:
    return ParagraphProperties(defRPr=CharacterProperties(sz=size * 100))
