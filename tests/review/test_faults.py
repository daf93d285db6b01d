"""What `review import` refuses as a whole, naming each fault by its cell."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from openpyxl.workbook import Workbook

from tests.review.desk import (
    LATER,
    Desk,
    approve,
    decided,
    fact_of,
    faults,
    head_of,
    remove,
)


def test_every_fault_is_named_by_its_cell_and_nothing_is_written(desk: Desk) -> None:
    tomorrow = desk.today + timedelta(days=2)
    before = desk.state()
    wrong: dict[str, dict[str, Any]] = {
        "core/alice": {"decision": "Approve", "reviewed_on": None},
        "core/bob": decided("Aprove", reviewed_on="24.11.2026"),
        "core/=1+1": approve(owner=None, comment=" ", reviewer="me@example.com"),
        "dev/alice": approve(approve_until=desk.today + timedelta(days=400)),
        "dev/bob": approve(reviewed_on=tomorrow, kind="robot"),
        "dev/=1+1": remove(reviewed_on=desk.today - timedelta(days=1)),
        "sandbox/alice": decided("Defer"),
        "sandbox/bob": decided("Keep"),
        "sandbox/carol": decided("Keep", approve_until=LATER),
        "prod/alice": approve(approve_until=desk.today - timedelta(days=1)),
        "prod/bob": remove(ticket="=1+1"),
        "prod/=1+1": remove(ticket=desk.today),
        "payments-1/alice": remove(comment="a\x85b\x9fc"),
        "payments-1/bob": {"decision": "=A1", "reviewed_on": None},
        "payments-2/alice": {"user_name": "another", "reviewed_on": None},
        "payments-2/bob": {"account_id": 12345, "reviewed_on": None},
        "payments-2/=1+1": {"user_id": "AIDANOBODY", "reviewed_on": None},
        "payments-2/eve": {"user_id": None, "account_id": None, **remove()},
        "prod/eve": approve(),
    }
    found = faults(desk.imported(desk.filled(wrong), "--write"))
    expected = (
        ("core/alice", "reviewer is empty beside a decision. Say who decided."),
        ("core/alice", "reviewed_on is empty beside a decision."),
        ("core/bob", "'Aprove' is unknown. Use one of: Approve, Keep, Remove, Quarantine, Defer."),
        ("core/bob", "'24.11.2026' is not a valid date. Write it as 2027-01-15."),
        ("core/=1+1", "it has no owner. Fill in owner."),
        ("core/=1+1", "it has no reason. Fill in comment."),
        ("core/=1+1", "me@example.com is not among the policy's approvers."),
        ("dev/alice", f"The last day possible is {desk.today + timedelta(days=365)}."),
        ("dev/bob", f"{tomorrow} lies outside the run"),
        ("dev/bob", "'robot' is unknown. Use one of: human, service, break-glass."),
        ("dev/=1+1", "(UTC; one day more, for reviewers ahead of UTC). Give the day of the decision."),
        ("sandbox/alice", "Defer needs a comment."),
        ("sandbox/bob", "Keep: this user is not approved (NOT_SAFELISTED)."),
        ("sandbox/carol", "approve_until stands beside Keep"),
        ("prod/alice", "is before reviewed_on."),
        ("prod/bob", "The cell holds a formula. Put in the value itself."),
        ("prod/=1+1", "is a date, not text."),
        ("payments-1/alice", "which cannot be seen."),
        ("payments-1/bob", "The cell holds a formula."),
        ("payments-2/alice", "user_name was changed: the program wrote 'alice' for this user."),
        ("payments-2/bob", "The account ID is 12345, and an account ID has 12 digits."),
        ("payments-2/=1+1", "The run has no user with the ID AIDANOBODY"),
        ("payments-2/eve", "This row has a decision, but names no user."),
        ("prod/eve", "revokes this user, which beats every approval. Give --supersede"),
    )
    assert [each for each in expected if not any(each[1] in line for line in found)] == []
    assert [line for line in found if not any(part in line for _, part in expected)] == []
    assert all(line.startswith("review.xlsx, Review!") for line in found)
    assert next(line for line in found if "'Aprove'" in line).split(": ")[0].endswith(" (bob in core)")
    assert next(line for line in found if "AIDANOBODY" in line).split(": ")[0].endswith(" (=1+1)")
    assert desk.state() == before


def test_json_has_each_fault_with_file_sheet_and_cell(desk: Desk) -> None:
    done = desk.imported(desk.filled({"dev/bob": remove(reviewer=None)}), "--json")
    (fault,) = done.document["error"]["faults"]
    assert (fault["file"], fault["sheet"]) == ("review.xlsx", "Review")
    assert fault["cell"][1:].isdecimal()
    assert (fault["problem"], fault["remedy"]) == ("reviewer is empty beside a decision.", "Say who decided.")
    assert fault["user"] == "bob in dev"
    assert done.document["error"]["message"].endswith("\n1 fault. Nothing was imported.")


def rename_sheet(book: Workbook) -> None:
    book["Review"].title = "Reviewed"


def rename_column(book: Workbook) -> None:
    head_of(book, "decision").value = "what to do"


def double_column(book: Workbook) -> None:
    head_of(book, "last_comment").value = "comment"


def merge_decisions(book: Workbook) -> None:
    column = head_of(book, "decision").column
    book["Review"].merge_cells(start_row=3, end_row=5, start_column=column, end_column=column)


def double_row(book: Workbook) -> None:
    book["Review"].append([cell.value for cell in book["Review"][3]])


def as_what_if(book: Workbook) -> None:
    book["Evidence"].append(["What this is", "WHAT-IF: decided again by other safelists"])


def forget_run(book: Workbook) -> None:
    fact_of(book, "Run id").value = None


def another_digest(book: Workbook) -> None:
    fact_of(book, "SHA-256 of the journal").value = "0" * 64


def another_run(book: Workbook) -> None:
    fact_of(book, "Run id").value = "20200101T000000Z-000000"


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (rename_sheet, "review.xlsx: there is no sheet Review; there are Guide, Summary, Reviewed, Users"),
        (rename_column, "review.xlsx, Review: the column decision is missing from row 1. Give the column its name"),
        (double_column, "comment is there twice. Keep one of the columns."),
        (merge_decisions, "Cells are merged here, in column decision. Split them"),
        (double_row, "This user has a row already, row 3. Keep one row for each user."),
        (as_what_if, "review.xlsx, Evidence: this is a what-if"),
        (forget_run, "The sheet Evidence has no Run id. Decide in a workbook of the run"),
        (another_digest, "The run's journal has another SHA-256 now"),
        (another_run, "There is no run 'reports/20200101T000000Z-000000'"),
    ],
)
def test_a_workbook_that_cannot_be_trusted_is_refused(desk: Desk, edit: Callable[[Workbook], None], said: str) -> None:
    before = desk.state()
    (fault,) = faults(desk.imported(desk.filled({"dev/bob": remove()}, edit=edit), "--write"))
    assert said in fault
    assert desk.state() == before


def test_a_merge_hides_no_other_fault(desk: Desk) -> None:
    found = faults(desk.imported(desk.filled({"dev/bob": remove(reviewer=None)}, edit=merge_decisions)))
    assert len(found) == 2


def test_workbooks_of_two_runs_are_refused(desk: Desk) -> None:
    one, two = desk.filled({"dev/bob": remove()}), desk.filled({}, "other.xlsx", another_run)
    (fault,) = faults(desk.imported(one, two))
    assert fault.startswith("other.xlsx, Evidence!B")
    assert "is of run 20200101T000000Z-000000, and the first one is of" in fault


def test_two_workbooks_that_disagree_are_refused(desk: Desk) -> None:
    one, two = desk.filled({"dev/bob": remove()}), desk.filled({"dev/bob": approve()}, "two.xlsx")
    (fault,) = faults(desk.imported(one, two))
    assert fault.startswith("two.xlsx, Review!")
    assert "The same user has a different decision in review.xlsx, Review!" in fault
