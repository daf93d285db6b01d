"""The status in one coloured line across a sheet: of several runs in as many as it takes."""

from dataclasses import replace

from scanner.model import Status
from scanner.report.view import View
from scanner.report.words import status_words
from scanner.report.workbook.prose import Prose, Span
from scanner.report.workbook.styles import BAD, GOOD

BAND_HEIGHT = 22.0  # points


def status_band(prose: Prose, view: View, last: int) -> None:
    look = GOOD if view.in_all.status is Status.COMPLETE else BAD
    band = Span(1, status_words(view.in_all), replace(look, wrap=view.by_organization), last)
    prose.line(band, height=max(BAND_HEIGHT, prose.height(band)))
