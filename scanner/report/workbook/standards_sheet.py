"""The Standards sheet: which clauses this review supports, what it found for each, and where that stands."""

from scanner.report.standards import CLAUSES, NOTE
from scanner.report.workbook.page import Book, Page
from scanner.report.workbook.prose import Prose, Span
from scanner.report.workbook.status_band import status_band
from scanner.report.workbook.styles import FORM, HEAD, MUTE, Style

WIDTHS = (24, 34, 56, 32, 34)
_CELL = Style(wrap=True, border=FORM.border)
_NAME = Style(wrap=True, bold=True, border=FORM.border)


def standards_sheet(book: Book) -> None:
    prose = Prose(book, Page(title="Standards", repeat_rows="1:2", freeze="A3"), WIDTHS)
    last = len(WIDTHS)
    status_band(prose, book.view, last)
    found = "Found in these runs" if book.view.by_organization else "Found in this run"
    heads = ("Standard", "Clause", "Why this review answers it", found, "Where in this workbook")
    prose.line(*(Span(at, head, HEAD) for at, head in enumerate(heads, 1)), height=20)
    for clause in CLAUSES:
        texts = (clause.clauses, clause.why, clause.found(book.view), clause.where)
        prose.line(Span(1, clause.standard, _NAME), *(Span(at, text, _CELL) for at, text in enumerate(texts, 2)))
    prose.gap()
    prose.line(Span(1, NOTE, MUTE, last))
