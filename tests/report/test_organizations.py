"""A report on runs of different organizations: the tables and sheets of each, one below the other, and all in all."""

import csv
import io
import json
from dataclasses import replace
from typing import Any

import pytest
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.workbook import Workbook

from scanner.audit.assessment import Assessment
from scanner.audit.rule import assess
from scanner.model import AccountScan
from scanner.record import SafelistText
from scanner.report.formats import write_accounts_csv, write_users_csv, write_users_json
from scanner.report.summary import summary
from scanner.report.view import View
from scanner.report.workbook.assemble import write_workbook
from scanner.safelist.entries import parse
from tests.builders import ORGANIZATION, failed, header, record, scanned, skipped, user
from tests.report.workbooks import rows, sheet, table, words

LATER = "o-z9y8x7w6v5"
TEXT = SafelistText(path="a.yaml", text="version: 1\nglobal: [alice]\n")
TITLES = ("Review", "Users", "Accounts", "Safelist", "Changes")


def run(organization: str, run_id: str, *scans: AccountScan, digest: str) -> Assessment:
    made = record(*scans, header=replace(header(organization=organization, safelists=(TEXT,)), run_id=run_id))
    return assess(replace(made, digest=digest * 64), parse([TEXT]))


# Account 1 moved from the one to the other between the two runs.
FIRST = run(ORGANIZATION, "20261123T164100Z-000001", scanned(1, user("alice"), user("zoe")), skipped(2), digest="a")
SECOND = run(
    LATER,
    "20261124T164100Z-000002",
    *(scanned(1, user("alice")), scanned(3, user("bob", in_account=3)), failed(4)),
    digest="b",
)
BOTH = View(FIRST, SECOND)


def rendered(*runs: Assessment) -> bytes:
    out = io.BytesIO()
    write_workbook(View(*runs), out)
    return out.getvalue()


@pytest.fixture(scope="module")
def content() -> bytes:
    return rendered(FIRST, SECOND)


@pytest.fixture(scope="module")
def book(content: bytes) -> Workbook:
    return load_workbook(io.BytesIO(content))


def table_of(write: Any, view: View) -> list[list[str]]:
    out = io.BytesIO()
    write(view, out)
    return list(csv.reader(io.StringIO(out.getvalue().decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("write", [write_users_csv, write_accounts_csv])
def test_a_csv_has_the_rows_of_each_run_behind_its_organization(write: Any) -> None:
    head, *found = table_of(write, BOTH)
    heads, first = table_of(write, View(FIRST))[0], table_of(write, View(FIRST))[1:]
    second = table_of(write, View(SECOND))[1:]
    assert head == ["organization_id", *heads]
    assert found == [[ORGANIZATION, *row] for row in first] + [[LATER, *row] for row in second]


def test_an_account_that_moved_is_in_both_and_its_users_are_kept_apart() -> None:
    found = [(row[0], row[5]) for row in table_of(write_users_csv, BOTH)[1:] if row[1] == "000000000001"]
    assert found == [(ORGANIZATION, "alice"), (ORGANIZATION, "zoe"), (LATER, "alice")]


def test_json_has_the_organization_first() -> None:
    out = io.BytesIO()
    write_users_json(BOTH, out)
    found = json.loads(out.getvalue())
    assert [next(iter(row.items())) for row in found] == [
        ("organization_id", ORGANIZATION),
        ("organization_id", ORGANIZATION),
        ("organization_id", LATER),
        ("organization_id", LATER),
    ]


def test_the_summary_has_what_all_come_to_and_the_document_of_each_run() -> None:
    found: Any = json.loads(json.dumps(summary(BOTH)))
    assert (found["status"], found["exit_code"]) == ("INCOMPLETE", 4)
    assert found["status_text"].startswith("incomplete: 1 of 2 organizations. o-z9y8x7w6v5: incomplete: 1 of 3")
    assert found["users"] | {"found": 4, "approved": 2, "unapproved": 2} == found["users"]
    assert found["coverage"]["reconciles"]
    for key in ("listed", "scanned", "failed", "inactive"):
        assert found["coverage"][key] == sum(run["coverage"][key] for run in found["runs"])
    for document, of_run in zip(found["runs"], (FIRST, SECOND), strict=True):
        organization = document.pop("organization_id")
        assert document == json.loads(json.dumps(summary(View(of_run))))
        assert organization == document["organization"]["id"]


@pytest.mark.parametrize("title", TITLES)
def test_each_table_says_first_which_organization_a_row_is_of(book: Workbook, title: str) -> None:
    found = table(book, title)
    assert next(iter(found[0])) == "organization_id"
    organizations = [row["organization_id"] for row in found]
    assert set(organizations) == {ORGANIZATION, LATER}
    assert organizations == sorted(organizations)


def test_the_workbook_of_one_run_has_no_such_column() -> None:
    alone = load_workbook(io.BytesIO(rendered(FIRST)))
    assert not any("organization_id" in table(alone, title)[0] for title in TITLES)


def test_the_columns_that_stay_in_sight_are_the_same_and_the_organization(book: Workbook) -> None:
    assert {title: sheet(book, title).freeze_panes for title in TITLES} == {
        "Review": "D2",
        "Users": "G2",
        "Accounts": "D2",
        "Safelist": "A2",
        "Changes": "F2",
    }
    assert sheet(book, "Users").print_title_cols == "$A:$F"


def test_the_lists_to_choose_from_stand_where_the_columns_are(book: Workbook) -> None:
    review = sheet(book, "Review")
    heads = {str(cell.value): get_column_letter(number) for number, cell in enumerate(review[1], 1)}
    ranges = {check.promptTitle: str(check.sqref) for check in review.data_validations.dataValidation}
    last = len(BOTH.review) + 1
    assert ranges["Decision"] == f"{heads['decision']}2:{heads['decision']}{last}"
    column = heads["decision"]
    assert f'COUNTIF(Review!${column}:${column},"Approve")' in words(book, "Summary")


def test_summary_adds_up_for_each_organization_and_for_all(book: Workbook) -> None:
    lines: dict[Any, list[Any]] = {}
    for line in filter(None, rows(book, "Summary")):
        lines.setdefault(line[0], line[1:])  # the first: below the charts stand some of these again
    due = [len(View(one).review) for one in (FIRST, SECOND)]
    run_ids = [one.record.header.run_id for one in (FIRST, SECOND)]
    first = "2 listed = 1 inactive + 1 scanned + 0 failed"
    assert lines[ORGANIZATION] == [2, 1, 1, due[0], first, "COMPLETE", run_ids[0]]
    second = "3 listed = 2 scanned + 1 failed"
    assert lines[LATER][:6] == [2, 1, 1, due[1], second, "INCOMPLETE"]
    in_all = "5 listed = 1 inactive + 3 scanned + 1 failed"
    assert lines["In all: 2 organizations"] == [4, 2, 2, sum(due), in_all, "INCOMPLETE"]


@pytest.mark.parametrize("title", ["Summary", "Standards"])
def test_one_incomplete_run_keeps_the_whole_from_being_complete(book: Workbook, title: str) -> None:
    said = next(line[0] for line in rows(book, title) if line and str(line[0]).startswith(("INCOMPLETE", "COMPLETE")))
    assert said.startswith("INCOMPLETE: 1 of 2 organizations. o-z9y8x7w6v5: ")
    assert "No user is unapproved" not in words(book, title)


def test_where_all_that_was_read_is_approved_but_one_run_is_incomplete_it_is_not_called_clean() -> None:
    clean = run(ORGANIZATION, "20261123T164100Z-000001", scanned(1, user("alice")), digest="a")
    unread = run(LATER, "20261124T164100Z-000002", failed(4), digest="b")
    said = words(load_workbook(io.BytesIO(rendered(clean, unread))), "Summary")
    assert "in the accounts that could be read; others may hold more" in said
    assert "INCOMPLETE: 1 of 2 organizations. o-z9y8x7w6v5: nothing read" in said


def test_evidence_names_each_run_with_its_digest(book: Workbook) -> None:
    facts = [(line[0], line[1]) for line in rows(book, "Evidence") if len(line) > 1]
    assert [value for label, value in facts if label == "Run id"] == [
        "20261123T164100Z-000001",
        "20261124T164100Z-000002",
    ]
    assert [value for label, value in facts if label == "SHA-256 of the journal"] == ["a" * 64, "b" * 64]
    overview = {label: value for label, value in facts if label.startswith("Organization o-")}
    assert list(overview) == [f"Organization {ORGANIZATION}", f"Organization {LATER}"]
    assert overview[f"Organization {LATER}"].splitlines() == [
        "run 20261124T164100Z-000002; INCOMPLETE: 1 of 3 accounts in scope could not be read",
        "3 listed; 0 outside the scope + 0 excluded + 0 inactive + 2 scanned + 1 failed = 3",
        "1 approved + 1 unapproved = 2; 2 found",
        "accounts read 2026-11-23 16:41:00 to 16:41:00 UTC",
        f"SHA-256 of its journal {'b' * 64}",
    ]
    assert "this workbook included" not in words(book, "Evidence")  # it is no file of a run, and verify does not see it


def test_runs_in_which_nobody_was_found_are_a_report_too() -> None:
    empty = [
        run(one, f"2026112{n}T164100Z-000001", failed(n), digest="c") for n, one in enumerate([ORGANIZATION, LATER])
    ]
    book = load_workbook(io.BytesIO(rendered(*empty)))
    assert [table(book, title) for title in ("Users", "Review")] == [[], []]
    assert words(book, "Summary").count("No account was read: nothing can be said about users.") == 1


def test_the_sign_off_names_all_runs(book: Workbook) -> None:
    assert f"(runs 20261123T164100Z-000001 of {ORGANIZATION}, 20261124T164100Z-000002 of {LATER})" in words(
        book, "Summary"
    )


def test_each_page_says_of_how_many_organizations_it_is(book: Workbook) -> None:
    for each in book.worksheets:
        assert "Runs of 2 organizations, see Summary" in str(each.HeaderFooter.oddHeader)
        assert "Journal SHA-256 of each run: see Evidence" in str(each.HeaderFooter.oddFooter)


def test_the_same_runs_give_the_same_bytes(content: bytes) -> None:
    assert rendered(FIRST, SECOND) == content


def test_the_guide_asks_for_whatever_one_of_the_policies_asks_for() -> None:
    policies = ("{require: [owner], approvers: [a@example.com]}", "{max_days: 30, approvers: [b@example.com]}")
    texts = [SafelistText(path="a.yaml", text=f"version: 1\npolicy: {policy}\nglobal: []\n") for policy in policies]
    runs = [
        assess(replace(one.record, header=replace(one.record.header, safelists=(text,))), parse([text]))
        for one, text in zip((FIRST, SECOND), texts, strict=True)
    ]
    lines = {line[0]: line[1:] for line in rows(load_workbook(io.BytesIO(rendered(*runs))), "Guide") if line}
    assert lines["owner"][0] == "Approve"
    assert lines["approve_until"] == [
        "Approve",
        "the last day of the approval, as a date, at most 30 days after reviewed_on",
    ]
    assert lines["reviewer"][1] == (
        f"your name or e-mail address; to approve in {ORGANIZATION}, one of: a@example.com; "
        f"to approve in {LATER}, one of: b@example.com"
    )
