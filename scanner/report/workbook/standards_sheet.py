"""The Standards sheet: which clauses this review supports, what it found for each, and where that stands."""

from scanner.model import Status
from scanner.report.standards import CLAUSES, NOTE
from scanner.report.words import status_words
from scanner.report.workbook.page import Book, Page
from scanner.report.workbook.prose import Prose, Span
from scanner.report.workbook.styles import BAD, FORM, GOOD, HEAD, MUTE, Style

WIDTHS = (24, 34, 56, 32, 34)
_CELL = Style(wrap=True, border=FORM.border)
_NAME = Style(wrap=True, bold=True, border=FORM.border)


def standards_sheet(book: Book) -> None:
    prose = Prose(book, Page(title="Standards", repeat_rows="1:2", freeze="A3"), WIDTHS)
    last = len(WIDTHS)
    complete = book.assessment.status is Status.COMPLETE
    prose.line(Span(1, status_words(book.assessment), GOOD if complete else BAD, last), height=22)
    heads = ("Standard", "Clause", "Why this review answers it", "Found in this run", "Where in this workbook")
    prose.line(*(Span(at, head, HEAD) for at, head in enumerate(heads, 1)), height=20)
    for clause in CLAUSES:
        texts = (clause.clauses, clause.why, clause.found(book), clause.where)
        prose.line(Span(1, clause.standard, _NAME), *(Span(at, text, _CELL) for at, text in enumerate(texts, 2)))
    prose.gap()
    prose.line(Span(1, NOTE, MUTE, last))
