"""The Review sheet: the users that need a decision, and the cells to decide in.

No cell is locked, as Excel cannot sort a range that holds locked ones: that nothing else was changed is for the import
to see. What the lists and checks here allow is a help to the reviewer; the import judges.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.cell_range import MultiCellRange
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from scanner.audit.triage import NOT_APPROVED, Risk
from scanner.model import Choice, Kind
from scanner.report.frames import columns_of, review_table
from scanner.report.review_rows import REVIEW
from scanner.report.view import View
from scanner.report.workbook.page import Book, Page
from scanner.report.workbook.styles import ALARM, BOX, CALM, OCHRE, PAPER, SHADE, WARNING, WHITE, Look
from scanner.report.workbook.table_sheet import Highlight, write_table

_ALARMING = (Risk.API_KEY_USER, Risk.ADMINISTRATOR, Risk.ESCALATION)  # the first risk of a row is the worst
TITLE, SUMMARY = "Review", "Summary"
# The block on Summary that counts for every decided row that leaves these blank: its heading, and names of its cells.
FOR_ALL_HEAD = "For every decided row of Review that leaves these blank; what a row says itself counts"
FOR_ALL = ("reviewer", "reviewed_on", "ticket")
LAST_DAY = date(2099, 12, 31)  # of a review: Excel asks for some end
_ABOUT = {
    "account_name": "Not to be edited: the import refuses a row whose account or user was changed.\n"
    "Filter by account here. A decision filled down (Ctrl+D) goes to the rows shown alone.",
    "suggestion": "A help, never a decision: nobody checked tags and owners. Decide in the yellow cells.",
}

MEANING: Mapping[Choice, str] = {
    Choice.APPROVE: "puts this very user on the safelist until approve_until, with the comment as reason",
    Choice.KEEP: "leaves the approval and its end as they are",
    Choice.REMOVE: "withdraws any approval, and lists it to be deleted, which cannot be undone",
    Choice.QUARANTINE: "withdraws any approval, and lists it to be disabled with all its keys, which can be undone",
    Choice.DEFER: "puts the decision off: nothing changes, and the next review asks again",
}

# The same for a narrow place.
BRIEFLY: Mapping[Choice, str] = {
    Choice.APPROVE: "to be put on the safelist",
    Choice.KEEP: "approval stays as it is",
    Choice.REMOVE: "revoked, and listed to be removed",
    Choice.QUARANTINE: "revoked, and listed to be disabled",
    Choice.DEFER: "put off; asked again",
}

_NOTES = {
    "decision": "\n".join((*(f"{choice}: {words}." for choice, words in MEANING.items()), "Blank: not decided.")),
    "reviewer": "Who decides. Needed with every decision, here or once on Summary.\n"
    "Of an approval, approved_by in the safelist: one of its approvers, as the Guide names them.",
    "reviewed_on": "The day of the decision: from the day of the run to today.\n"
    "Needed with every decision, here or once on Summary.",
    "owner": "Approve: who answers for the user from now on.",
    "kind": "Approve: what kind of user it is.",
    "approve_until": "Approve: the last day of the approval.\nThe safelist may limit how far off it is; see the Guide.",
    "ticket": "The ticket that goes with the decision; here, or once on Summary.",
    "comment": "Why. Needed with Defer.\nApprove: the reason that the safelist will give for the user.",
}


def review_sheet(book: Book) -> None:
    table = review_table(book.view)
    sheet = write_table(
        book,
        Page(title=TITLE, pages_wide=2, repeat_columns="A:B", freeze="C2"),
        table,
        (*(_HIGHLIGHTS if book.view.review else ()), *(_look(column.key) for column in table.columns)),
    )
    if book.view.review:
        _validate(sheet, book.view)


def for_all_name(key: str) -> str:
    """The name of a cell of the block: conditions on another sheet's cells may name it, not its place."""
    return f"for_all_{key}"


def check_day(book: Book, sheet: Worksheet, cell: str) -> None:
    """Have a cell of another sheet take what `reviewed_on` takes."""
    check = _checks(_first_day(book.view))["reviewed_on"]
    check.sqref = MultiCellRange(cell)
    sheet.data_validations.append(check)


def _first_day(view: View) -> date:
    """The day of the run; of several the first one, as the import knows which row is of which."""
    return min(run.assessment.record.header.started_at for run in view.runs).astimezone(UTC).date()


def letter(view: View, key: str) -> str:
    """Where a column stands in the sheet as it is written."""
    return get_column_letter([column.key for column in columns_of(view, REVIEW)].index(key) + 1)


def _look(key: str) -> Look:
    if key in _NOTES:
        return Look(column=key, fill=PAPER, border=BOX, head=OCHRE, note=_NOTES[key])
    return Look(column=key, fill=SHADE, border=BOX, aside=key == "suggestion", note=_ABOUT.get(key, ""))


def _begins(risk: Risk) -> str:
    return f'LEFT({{risk}},{len(risk)})="{risk}"'


def _needed(key: str, condition: str) -> Highlight:
    """A cell without which the decision beside it will be refused."""
    return Highlight(column=key, condition=f'AND({condition},{{{key}}}="")', fill=WARNING)


_HIGHLIGHTS = (
    Highlight(
        column="risk",
        condition=f"OR({','.join(map(_begins, _ALARMING))})",
        fill=SHADE,
        colour=ALARM,
    ),
    Highlight(
        column="decision",
        condition=f'AND({{decision}}="Keep",LEFT({{needs_decision}},{len(NOT_APPROVED)})="{NOT_APPROVED}")',
        fill=ALARM,
        colour=WHITE,
    ),
    Highlight(column="decision", condition='{decision}<>""', fill=CALM),
    *(_needed(key, f'{{decision}}<>"",{for_all_name(key)}=""') for key in FOR_ALL if key != "ticket"),
    _needed("comment", '{decision}="Defer"'),
)


def _checks(run_on: date) -> Mapping[str, DataValidation]:
    """What each column takes, by its key."""
    return {
        "decision": _list_of([*Choice], "Decision", "Leave it blank while it is open. The note on the head explains."),
        "kind": _list_of([*Kind], "Kind", "For Approve: whom the user stands for."),
        "reviewed_on": _explained(
            DataValidation(type="date", operator="between", formula1=_day(run_on), formula2=_day(LAST_DAY)),
            "Day of the decision",
            f"A date from {run_on}, the day of the run, to today.",
        ),
        "approve_until": _explained(
            DataValidation(type="date", operator="greaterThan", formula1=_day(run_on)),
            "Last day of the approval",
            f"For Approve: a date after {run_on}, the day of the run.",
        ),
    }


def _list_of(values: Sequence[str], title: str, prompt: str) -> DataValidation:
    check = DataValidation(type="list", formula1=f'"{",".join(values)}"')
    return _explained(check, title, prompt, f"One of: {', '.join(values)}.")


def _day(day: date) -> str:
    return f"DATE({day.year},{day.month},{day.day})"


def _explained(check: DataValidation, title: str, prompt: str, error: str | None = None) -> DataValidation:
    """The check with what is shown where a cell is chosen, and where it is filled in wrongly."""
    check.allow_blank = check.showInputMessage = check.showErrorMessage = True
    check.errorStyle = "stop"
    check.promptTitle = check.errorTitle = title
    check.prompt, check.error = prompt, error or prompt
    return check


def _validate(sheet: Worksheet, view: View) -> None:
    for key, check in _checks(_first_day(view)).items():
        column = letter(view, key)
        check.sqref = MultiCellRange(f"{column}2:{column}{len(view.review) + 1}")
        sheet.data_validations.append(check)
