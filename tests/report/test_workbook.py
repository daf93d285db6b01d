"""The workbook, read back: what stands in it."""

import io
import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from zipfile import ZipFile

import pytest
from openpyxl import load_workbook
from openpyxl.workbook import Workbook

from scanner.model import AccessKey, Basis, Determination, Kind, Status
from scanner.report.changes import DIFFERENCES
from scanner.report.columns import SAFELIST
from scanner.report.words import status_words
from scanner.safelist.usage import EntryStatus
from tests.builders import (
    START,
    account,
    credentials,
    failed,
    failure,
    scanned,
    skipped,
    user,
)
from tests.report.samples import assessed, entry, finding, sample
from tests.report.workbooks import TABLES, facts, opened, rendered, rows, sheet, table, words


def test_the_sheets_come_in_order(book: Workbook) -> None:
    titles = ["Guide", "Summary", "Review", "Users", "Accounts", "Safelist", "Changes", "Evidence", "Standards"]
    assert book.sheetnames == titles


@pytest.mark.parametrize("title", TABLES)
def test_the_header_row_is_the_column_table(book: Workbook, title: str) -> None:
    head = next(sheet(book, title).iter_rows(max_row=1, values_only=True))
    assert list(head) == [column.key for column in TABLES[title]]


def test_every_user_and_account_and_entry_is_a_row(book: Workbook) -> None:
    assessment = sample()
    assert [row["user_id"] for row in table(book, "Users")] == [each.user.user_id for each in assessment.findings]
    assert len(table(book, "Accounts")) == assessment.totals.in_scope
    assert [row["status"] for row in table(book, "Safelist")] == list(EntryStatus)


def test_dates_are_dates_ids_are_text_and_unknown_is_empty(book: Workbook) -> None:
    row = table(book, "Users")[0]
    assert row["account_id"] == "000000000100"
    assert isinstance(row["created_at"], datetime)
    assert row["approved_on"] == datetime(2026, 10, 1)  # noqa: DTZ001  a workbook knows no time zones
    unread = next(row for row in table(book, "Users") if row["account_id"] == "000000000104")
    assert [unread[name] for name in ("console_access", "mfa_active", "dormant", "days_since_activity")] == [None] * 4


def test_booleans_are_words_which_survive_being_saved_by_any_spreadsheet(book: Workbook) -> None:
    assert {row["console_access"] for row in table(book, "Users")} == {"true", "false", None}


def test_times_are_utc() -> None:
    late = datetime(2026, 1, 1, 23, 30, tzinfo=timezone(timedelta(hours=-5)))
    made = opened(assessed([finding(user(created_at=late))]))
    assert table(made, "Users")[0]["created_at"] == datetime(2026, 1, 2, 4, 30)  # noqa: DTZ001


def test_the_summary_tells_status_result_and_what_could_not_be_read(book: Workbook) -> None:
    text = words(book, "Summary")
    assert "INCOMPLETE: 3 of 15 accounts in scope could not be read" in text
    assert "43 of 62 users are not approved in the accounts that could be read; others may hold more." in text
    assert "claims-prod-3\n000000000111\nROLE_NOT_ASSUMABLE" in text
    assert "in Root/Prod/Claims" in text
    assert "= Sum\n16\nadds up" in text
    assert "Accounts listed\n16" in text
    assert "Acknowledged for management by" in text


def test_a_summary_of_a_clean_run_says_so() -> None:
    text = words(opened(assessed([finding(basis=Basis.SAFELISTED, by=entry())])), "Summary")
    assert "COMPLETE for its scope: 1 of 1 accounts" in text
    assert "No user is unapproved: 1 user found." in text


def test_what_kept_an_account_from_being_read_can_be_mended_from_the_summary(book: Workbook) -> None:
    remedy = "Deploy the role in this account (iam-scanner role prints it), or exclude the account with a reason."
    assert ["ROLE_NOT_ASSUMABLE (1)", remedy] in rows(book, "Summary")
    unread = "not reached before the run ended (1)"
    assert any(line[0] == unread and "--resume" in line[1] for line in rows(book, "Summary") if line)


def test_many_accounts_of_one_reason_have_one_remedy() -> None:
    made = assessed(accounts=[account(n) for n in range(1, 31)], scans=map(failed, range(1, 31)))
    text = words(opened(made), "Summary")
    assert "and 23 accounts more: see Accounts" in text
    assert text.count(failure().remedy) == 1


@pytest.mark.parametrize("title", ["Summary", "Standards"])
def test_who_signs_or_quotes_a_run_that_is_incomplete_reads_so(book: Workbook, title: str) -> None:
    told = "INCOMPLETE: 3 of 15 accounts in scope could not be read"
    lines = [line for line in rows(book, title) if line == [told]]
    assert len(lines) == {"Summary": 2, "Standards": 1}[title]
    if title == "Summary":
        at = rows(book, title).index(["Sign-off"])
        assert rows(book, title)[at + 1] == [told]


def test_a_complete_run_is_signed_without_a_warning() -> None:
    made = opened(assessed([finding()]))
    at = rows(made, "Summary").index(["Sign-off"])
    assert rows(made, "Summary")[at + 1][0].startswith("I have read this review")


def test_a_unit_of_which_nothing_could_be_read_is_in_the_table_of_units() -> None:
    """And one that holds no user: it is known to be empty."""
    homes = [account(1, ou_path="Root/A"), account(2, ou_path="Root/B"), account(3, ou_path="Root/C")]
    homes.append(account(4, ou_path="Root/C"))
    made = assessed(
        [finding(at=homes[0])], accounts=homes, scans=[scanned(1, user()), failed(2), scanned(3), failed(4)]
    )
    lines = rows(opened(made), "Summary")
    at = lines.index(["Organizational unit", "Accounts read", "Approved", "Not approved", "Users"])
    assert lines[at + 1] == ["Root/A", "1 of 1", 0, 1, 1, "Root/A"]  # the last is the label of its bar
    assert lines[at + 2] == ["Root/B", "0 of 1", 0, 0, 0]
    assert lines[at + 3] == ["Root/C", "1 of 2", 0, 0, 0]


def test_the_charts_leave_out_units_without_users() -> None:
    homes = [account(1, ou_path="Root/A"), account(2, ou_path="Root/B")]
    made = rendered(assessed([finding(at=homes[0])], accounts=homes, scans=[scanned(1, user()), failed(2)]))
    head = next(
        at for at, line in enumerate(rows(load_workbook(io.BytesIO(made)), "Summary"), 1) if "Accounts read" in line
    )
    with ZipFile(io.BytesIO(made)) as archive:
        drawn = archive.read("xl/charts/chart1.xml").decode()
    assert f"'Summary'!$G${head + 1}</" in drawn or f"'Summary'!$G${head + 1}:$G${head + 1}<" in drawn


def test_names_are_whole_in_the_tables_and_short_in_the_charts() -> None:
    name, path = "an-account-with-a-name-of-fifty-characters-no-less-x", "Root/" + "/".join(["Division"] * 6)
    made = rows(opened(assessed([finding(at=account(1, name=name, ou_path=path))])), "Summary")
    assert [name, "000000000001", 0, 1, 1, "an-account-with… 000000000001"] in made
    assert [path, "1 of 1", 0, 1, 1, "…n/Division/Division/Division"] in made


def test_figures_of_all_users_are_not_taken_for_those_of_the_unapproved(book: Workbook) -> None:
    lines = rows(book, "Summary")
    all_users = lines.index(next(line for line in lines if line[:1] == ["Of all users, approved or not"]))
    labels = [str(line[0]) for line in lines[all_users + 1 : all_users + 3]]
    assert labels == ["    console access without MFA", "    dormant (unused for 45 days)"]
    assert all(at < all_users for at, line in enumerate(lines) if "of the " in str(line[:1]))


def test_rights_that_are_not_known_are_counted_among_the_unapproved(book: Workbook) -> None:
    unapproved = [each for each in sample().findings if each.determination is Determination.UNAPPROVED]
    unknown = sum(each.user.access is None or each.user.access.administrator is None for each in unapproved)
    line = next(each for each in rows(book, "Summary") if ": administrators" in str(each[:1]))
    assert line[2] == f"rights not known of {unknown} of them"
    assert (
        0 < unknown < sum(not each.user.access or each.user.access.administrator is None for each in sample().findings)
    )


def test_an_exclusion_without_a_reason_is_not_said_to_have_one(book: Workbook) -> None:
    assert "with a reason" not in " ".join(str(line) for line in rows(book, "Summary") if "+ Excluded" in line)


def test_totals_that_do_not_reconcile_are_cried_out() -> None:
    wrong = replace(sample(), totals=replace(sample().totals, listed=99))
    assert "DOES NOT ADD UP" in words(opened(wrong), "Summary")


def test_the_evidence_sheet_answers_the_five_questions(book: Workbook) -> None:
    text = words(book, "Evidence")
    headings = re.findall(r"^\d\. .*$", text, re.MULTILINE)
    assert [heading.split(":")[0] for heading in headings] == [
        "1. Source",
        "2. Scope and filters",
        "3. Completeness",
        "4. Accuracy",
        "5. Not edited after extraction",
    ]
    told = facts(book)
    assert told["SHA-256 of the journal"] == sample().record.digest
    assert told["Control total of accounts"].endswith("11 scanned + 3 failed = 16")
    assert told["Excluded accounts"] == "000000000113 (being closed, SEC-77)"
    assert told["Read through"].endswith("the caller's own credentials in 000000000100")
    assert "iam:ListUsers" in told["member"]
    assert "The run was interrupted" in told
    assert told["config/safelists/global.yaml"].startswith("SHA-256 ")
    assert {"Root users", "Identity Center users", "Roles", "Other credentials"} <= set(told)


def test_the_evidence_sheet_says_where_every_column_comes_from(book: Workbook) -> None:
    told = facts(book)
    assert all(column.source in told[column.key] for column in DIFFERENCES)  # the last to use a name
    assert {column.key for columns in TABLES.values() for column in columns} <= set(told)


def test_accounts_that_were_not_attempted_are_named() -> None:
    known = [account(n) for n in range(1, 26)]
    told = facts(opened(assessed(accounts=known, scans=[skipped(n) for n in range(1, 26)])))["Not attempted"]
    assert told.startswith("25 accounts: 000000000001 (account-1), 000000000002")
    assert told.endswith(
        "000000000020 (account-20), and 5 more: see Accounts\nSUSPENDED: AWS reports the account as SUSPENDED"
    )


def test_evidence_says_how_decisions_are_read_back(book: Workbook) -> None:
    told = facts(book)
    assert "which checks each row against the journal" in told["Their decisions"]


def test_the_status_is_not_said_twice() -> None:
    done = assessed([finding()])
    assert status_words(done) == "COMPLETE for its scope: 1 of 1 accounts"
    assert done.status_text.startswith("complete for")  # as summary.json has it
    halted = replace(done, status=Status.NOTHING_READ, status_text="nothing read: not one of 2 accounts in scope")
    assert status_words(halted) == "NOTHING READ: not one of 2 accounts in scope"
    assert facts(opened(done))["Status"] == status_words(done)


def found_for(book: Workbook, standard: str) -> str:
    return next(str(line[3]) for line in rows(book, "Standards") if str(line[:1]).find(standard) > 0)


def test_the_clause_on_people_says_how_many_users_are_people() -> None:
    kinds = [Kind.HUMAN, Kind.HUMAN, Kind.SERVICE, Kind.BREAK_GLASS]
    made = [finding(user(f"u{n}"), basis=Basis.SAFELISTED, by=entry(kind=kind)) for n, kind in enumerate(kinds)]
    told = opened(assessed([*made, finding(user("nobody"))]))
    assert found_for(told, "managed centrally") == "Users: 2 human, 1 service, 1 break-glass, 1 unlabelled"


def test_the_clause_on_ninety_days_counts_by_ninety_days() -> None:
    def key(days: int | None, *, active: bool = True) -> AccessKey:
        used = None if days is None else START - timedelta(days=days)
        return AccessKey(active=active, last_rotated=START - timedelta(days=300), last_used=used)

    old, new = START - timedelta(days=90), START - timedelta(days=89)
    users = [
        user("used-lately", credentials=replace(credentials(), access_keys=(key(89),))),
        user("unused-for-long", credentials=replace(credentials(), access_keys=(key(90),))),
        user("disabled", credentials=replace(credentials(), access_keys=(key(200, active=False),))),
        user("never-used", credentials=replace(credentials(), console_access=True), created_at=old),
        user("just-made", credentials=replace(credentials(), console_access=True), created_at=new),
        user("unknown", created_at=old),
    ]
    told = next(
        str(line[3])
        for line in rows(opened(assessed([finding(each) for each in users])), "Standards")
        if len(line) > 1 and "8.2.6" in str(line[1])
    )
    assert told.startswith("2 users with a credential that works and no activity for 90 days")
    assert told.endswith("not known of 1")


def test_the_standards_sheet_keeps_its_header_under_the_status(book: Workbook) -> None:
    made = sheet(book, "Standards")
    assert (made.freeze_panes, made.print_title_rows) == ("A3", "$1:$2")
    assert rows(book, "Standards")[-1][0].startswith("Note: ")


def test_an_entry_that_nobody_could_judge_is_not_marked_as_unused(book: Workbook) -> None:
    keys = [column.key for column in SAFELIST]
    assert keys[:3] == ["status", "users", "remark"]
    rules = [rule.formula[0] for each in sheet(book, "Safelist").conditional_formatting for rule in each.rules]
    assert any('AND($A2="unused",LEFT($C2,12)<>"not judged: ")' in rule for rule in rules)


def test_a_user_id_stands_on_one_line() -> None:
    """Capitals are wider than the digits that a column's width counts."""
    assert next(column.width for column in SAFELIST if column.key == "user_id") >= 21 * 1.3


def test_the_standards_sheet_keeps_the_clause_numbers(book: Workbook) -> None:
    text = words(book, "Standards")
    for clause in ("v3.0 1.21, v4.0 1.21, v5.0 1.20, v6.0 2.20, v7.0 2.19", "7.2.4", "CC6.2", "AC-2(d)(1)", "A.5.18"):
        assert clause in text
