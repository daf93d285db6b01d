"""The Guide: one printed page for a reviewer who has never seen such a workbook."""

from scanner.model import Choice
from scanner.report.words import many, what_if_words
from scanner.report.workbook.page import Book, Page
from scanner.report.workbook.prose import Prose, Span
from scanner.report.workbook.review_sheet import MEANING, SUMMARY, TITLE
from scanner.report.workbook.styles import (
    ALARM,
    BOX,
    CALM,
    INK,
    LABEL,
    MUTED,
    PAPER,
    PROSE,
    SECTION,
    SHADE,
    STRONG,
    WARNING,
    Style,
)
from scanner.report.workbook.styles import TITLE as TITLE_STYLE

INDENTED = Style(wrap=True, across="left", indent=1)
WIDTHS = (16, 34, 90)
LAST = len(WIDTHS)

WHAT = (
    "This workbook lists the IAM users (people and programs with a permanent sign-in) of an AWS organization. Each "
    f"needs somebody who answers for it. The sheet {TITLE} asks about those that nobody approved, or whose approval "
    "is due. Nothing in AWS changes when you fill it in: your decisions are read back, checked, and carried out by "
    "others."
)
_ALIKE = (
    "Choose a decision in its yellow cell, and fill in what the table below says. For many rows alike: fill in one, "
    "select it and the cells below, and press Ctrl+D; with a filter on, only the rows shown are filled."
)
_ONCE = (
    f"On the sheet {SUMMARY}, in its yellow cells, give your name, the day and the ticket once for all your rows. Save "
    "as .xlsx, and send the file back to whoever sent it."
)
STEPS = (
    f"Work in a copy of this file. Open the sheet {TITLE}.",
    "Show your accounts: the arrow on account_name, then tick them. All other rows may stay undecided.",
    "Read a row from left to right: risk, facts, why it needs a decision, a suggestion. Ask whoever is named there.",
    _ALIKE,
    _ONCE,
)
NEEDS = {
    Choice.APPROVE: "owner, kind, approve_until, comment; the safelist may ask for less",
    Choice.KEEP: "nothing more",
    Choice.REMOVE: "nothing more",
    Choice.QUARANTINE: "nothing more",
    Choice.DEFER: "comment",
}
COLOURS = (
    ("Yellow", "to be filled in by you", Style(fill=PAPER, border=BOX)),
    ("Grey", "written by the program; not to be changed", Style(fill=SHADE, border=BOX)),
    ("Grey, slanting", "a suggestion: a help that counts for nothing", Style(italic=True, colour=MUTED, fill=SHADE)),
    ("Dark red", "administrator, or not approved: look at these first", Style(bold=True, colour=ALARM, fill=SHADE)),
    ("Green", "decided", Style(bold=True, colour=INK, fill=CALM, border=BOX)),
    ("Orange", "still needed for the decision in this row", Style(bold=True, fill=WARNING, border=BOX)),
)
LEAVE = (
    "Account, user name, ARN and IDs, the names of columns in the first row, the names of sheets, and the sheet "
    "Evidence. What was changed there is refused, cell by cell. You may sort, filter, hide and move "
    "columns, add your own, and delete rows."
)
ASK = (
    "About a user: who made it, its owner tag, or the owner of its account, as the suggestion names them; nobody has "
    "checked those. About this review: whoever sent you this file."
)


def guide_sheet(book: Book) -> None:
    prose = Prose(book, Page(title="Guide", repeat_rows=None, freeze=None), WIDTHS)
    prose.line(Span(1, "How to review IAM users in this workbook", TITLE_STYLE, LAST), height=28)
    prose.line(Span(1, WHAT, PROSE, LAST))
    part, runs = book.view.in_all.part, book.view.runs
    several = ""
    if book.view.by_organization:
        several = f"It is of {many(len(runs), 'organization')}: the column organization_id says which a row is of."
    what_if = what_if_words(runs[0].assessment.record)
    for words in (several, f"This workbook is a part of the run: {part.words}." if part else "", what_if):
        if words:
            prose.line(Span(1, words, STRONG, LAST))
    _section(prose, "In five steps")
    for number, step in enumerate(STEPS, 1):
        prose.line(Span(1, f"Step {number}", STRONG), Span(2, step, PROSE, LAST))
    _section(prose, "What each decision needs, beside reviewer and reviewed_on, and what it does")
    for choice, words in MEANING.items():
        prose.line(Span(1, choice, STRONG), Span(2, NEEDS[choice], PROSE), Span(3, _sentence(words), PROSE))
    prose.line(Span(1, "Blank", STRONG), Span(2, "", PROSE), Span(3, "Not decided: nothing happens.", PROSE))
    _section(prose, "What the colours mean")
    for name, words, style in COLOURS:
        prose.line(Span(1, name, style), Span(2, words, INDENTED, LAST))
    _section(prose, "Good to know")
    for label, words in (("Leave as it is", LEAVE), ("Whom to ask", ASK)):
        prose.line(Span(1, label, LABEL), Span(2, words, PROSE, LAST))


def _section(prose: Prose, words: str) -> None:
    prose.gap()
    prose.line(Span(1, words, SECTION, LAST), height=20)


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."
