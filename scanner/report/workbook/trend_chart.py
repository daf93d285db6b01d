"""The trend over the runs so far, on the Summary sheet: users, those not approved, and how many accounts were read."""

from dataclasses import replace

from openpyxl.chart import LineChart, Reference
from openpyxl.chart.marker import Marker
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.drawing.line import LineProperties

from scanner.audit.assessment import Assessment
from scanner.record import TrendPoint
from scanner.report.view import View
from scanner.report.words import moment
from scanner.report.workbook.drawing import (
    BENEATH,
    CHART_AT,
    LEAST_HEIGHT,
    Bar,
    heading,
    labels,
    place,
    plot_area,
    section,
    show_axes,
    stacked_bars,
    table,
    table_height,
)
from scanner.report.workbook.prose import Prose, Span
from scanner.report.workbook.styles import INK

RUNS_SHOWN = 12
COVERAGE_AT = CHART_AT + 1
ABOVE, BELOW = 26.0, 44.0  # points for the title; for days and legend
_SHARE = replace(BENEATH, number_format="0%")


def trend_block(prose: Prose, run: View, of: str = "") -> None:
    """The last twelve runs, this one among them; nothing where this is the first one. `of`: which organization's."""
    earlier = run.assessment.record.header.trend
    if not earlier:
        return
    bars = [_bar(point) for point in (*earlier, _this(run.assessment))[-RUNS_SHOWN:]]
    height = table_height(prose, bars, LEAST_HEIGHT)
    section(prose, f"Trend over the runs{of}", height)
    head = table(
        prose, ("Run started", "Accounts read"), bars, LEAST_HEIGHT, Span(COVERAGE_AT, "Accounts read", BENEATH)
    )
    chart = stacked_bars(prose, head, len(bars))
    chart.type = "col"
    show_axes(chart.x_axis, chart.y_axis)
    chart += _coverage(prose, head, len(bars))
    chart.layout = plot_area(0.1, ABOVE / height, 0.78, 1 - (ABOVE + BELOW) / height)
    place(prose, chart, f"Users by run, and accounts read{of}", head, height)


def _this(assessment: Assessment) -> TrendPoint:
    totals, header = assessment.totals, assessment.record.header
    return TrendPoint(
        run_id=header.run_id,
        started_at=header.started_at,
        status=assessment.status,
        users=totals.users,
        unapproved=totals.unapproved,
        scanned=totals.scanned,
        active=totals.scanned + totals.failed,
    )


def _bar(point: TrendPoint) -> Bar:
    started = moment(point.started_at)
    return Bar(
        started,
        f"{point.scanned:,} of {point.active:,}",
        started[:10],
        point.users - point.unapproved,
        point.unapproved,
        (Span(COVERAGE_AT, point.scanned / point.active if point.active else 0.0, _SHARE),),
    )


def _coverage(prose: Prose, head: int, count: int) -> LineChart:
    """The share of accounts that were read, against an axis of its own on the right."""
    chart = LineChart()
    share = Reference(prose.sheet, min_col=COVERAGE_AT, min_row=head, max_row=head + count)
    chart.add_data(share, titles_from_data=True)
    chart.set_categories(labels(prose, head, count))
    series = chart.series[0]
    series.graphicalProperties = GraphicalProperties(ln=LineProperties(solidFill=INK[2:], w=15_000, prstDash="sysDash"))
    series.marker = Marker(symbol="diamond", size=6, spPr=GraphicalProperties(solidFill=INK[2:]))
    series.smooth = False
    axis = chart.y_axis
    axis.axId, axis.crosses, axis.majorGridlines = 200, "max", None
    axis.scaling.min, axis.scaling.max, axis.majorUnit = 0, 1, 0.25
    axis.title, axis.number_format = heading("Accounts read (%)", 8), "0%"
    show_axes(axis)
    return chart
