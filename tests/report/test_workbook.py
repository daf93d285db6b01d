"""The workbook, read back: what stands in it, that it opens whatever the text, and how it is set up for people."""

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any, cast
from zipfile import ZipFile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from openpyxl.cell.cell import Cell
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from scanner.audit.assessment import Assessment
from scanner.audit.diff import Difference
from scanner.model import AccessKey, Basis, Change, Choice, Determination, Evidence, Kind, Scanned, Status
from scanner.record import SafelistText, UserState
from scanner.report.changes import DIFFERENCES
from scanner.report.columns import ACCOUNTS, SAFELIST, USERS, Column
from scanner.report.review_rows import REVIEW
from scanner.report.view import View
from scanner.report.words import status_words
from scanner.report.workbook.assemble import write_workbook
from scanner.safelist.usage import EntryStatus, EntryUse
from scanner.settings import ExcludedOu, Settings
from scanner.text import CELL_LIMIT, CUT_MARK, for_utf8
from tests.builders import (
    AS_OF,
    START,
    access,
    account,
    credentials,
    failed,
    failure,
    header,
    listing,
    scanned,
    skipped,
    user,
)
from tests.report.samples import assessed, decision, entry, finding, sample

TABLES: dict[str, Sequence[Column[Any]]] = {
    "Review": REVIEW,
    "Users": USERS,
    "Accounts": ACCOUNTS,
    "Safelist": SAFELIST,
    "Changes": DIFFERENCES,
}


def rendered(assessment: Assessment) -> bytes:
    out = io.BytesIO()
    write_workbook(View(assessment), out)
    return out.getvalue()


def opened(assessment: Assessment) -> Workbook:
    return load_workbook(io.BytesIO(rendered(assessment)))


@pytest.fixture(scope="module")
def book() -> Workbook:
    return opened(sample())


def sheet(book: Workbook, title: str) -> Worksheet:
    return cast(Worksheet, book[title])


def table(book: Workbook, title: str) -> list[dict[str, Any]]:
    head, *rows = sheet(book, title).iter_rows(values_only=True)
    return [dict(zip((str(key) for key in head), row, strict=True)) for row in rows]


def cells(book: Workbook) -> Iterator[Cell]:
    for each in book.worksheets:
        for row in each.iter_rows():
            yield from (cell for cell in row if isinstance(cell, Cell) and cell.value is not None)


def words(book: Workbook, title: str) -> str:
    values = (value for row in sheet(book, title).iter_rows(values_only=True) for value in row)
    return "\n".join(str(value) for value in values if value is not None)


def facts(book: Workbook) -> dict[str, str]:
    return {str(row[0]): str(row[1]) for row in sheet(book, "Evidence").iter_rows(values_only=True) if row[0]}


# --- what stands in it -----------------------------------------------------------------------------------------------


def test_the_sheets_come_in_order(book: Workbook) -> None:
    titles = ["Summary", "Review", "Users", "Accounts", "Safelist", "Changes", "Evidence", "Standards"]
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


def rows(book: Workbook, title: str) -> list[list[Any]]:
    """What stands in each line of a sheet, empty cells left out."""
    lines = sheet(book, title).iter_rows(values_only=True)
    return [[value for value in line if value is not None] for line in lines]


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
    assert all(at < all_users for at, line in enumerate(lines) if "among them" in str(line[:1]))


def test_rights_that_are_not_known_are_counted_among_the_unapproved(book: Workbook) -> None:
    unapproved = [each for each in sample().findings if each.determination is Determination.UNAPPROVED]
    unknown = sum(each.user.access is None or each.user.access.administrator is None for each in unapproved)
    line = next(each for each in rows(book, "Summary") if "administrators among them" in str(each[:1]))
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
    assert "which holds each row against the journal" in told["Their decisions"]


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


# --- whatever the text -----------------------------------------------------------------------------------------------

HOSTILE = [
    "=1+1",
    '=HYPERLINK("http://x")',
    "+1",
    "-1",
    "@SUM(A1)",
    "#N/A",
    "#REF!",
    "000123",
    "\x00\x1b[2J",
    "\ud800 \ufffe",
    "user_x000D_y",
    "a\r\nb",
    "</t><x>",
    "&A &P",
    "{0} {x} %s",
    "😀" * 20,
]


def hostile(text: str) -> Assessment:
    """This text wherever other people may put theirs."""
    rights = replace(access(), groups=(text,), attached_policies=(text,), tags=((text, text),))
    where = account(1, name=text)
    where = replace(where, ous=tuple(replace(each, name=text, path=text) for each in where.ous), state=text)
    by = replace(entry(), value=text, owner=text, reason=text, approved_by=text, ticket=text, file=text)
    who = replace(user(access=rights), user_name=text, path=text, arn=text)
    found = finding(who, at=where, basis=Basis.SAFELISTED, by=by, explanation=text)
    other = [account(2, name=text), account(3, name=text)]
    told = replace(failed(2), failure=replace(failure(), detail=text, remedy=text, code=text))
    read = Scanned(
        account_id=where.id,
        users=(who,),
        evidence=found.evidence,
        notes=(text,),
        role_arn=text,
        scanned_at=who.created_at,
    )
    made = assessed(
        [found],
        accounts=[where, *other],
        scans=[read, told, replace(skipped(3), detail=text)],
        uses=[EntryUse(entry=by, status=EntryStatus.IN_USE, users=1, remark=text)],
    )
    as_given = for_utf8(text)  # what is no Unicode is refused in settings
    head = header(
        safelists=(SafelistText(path=text, text=text),),
        settings=Settings(ou=(as_given,), exclude_ou=(ExcludedOu(ou=as_given, reason=as_given),), profile=as_given),
        account_owners={where.id: text},
    )
    last = replace(decision(found, Choice.DEFER, AS_OF, text), reviewer=text)
    head = replace(head, session_policies={text: text}, versions={text: text}, decisions=(last,))
    state = UserState(
        account_id=where.id,
        user_id=who.user_id,
        user_name=text,
        determination=found.determination,
        basis=found.basis,
        evidence=Evidence.FULL,
        administrator=None,
        policies=(text,),
        boundary=False,
    )
    changed = Difference(account_id=where.id, account_name=text, before=None, after=state, changes=(Change.NEW,))
    listed = listing(where, *other, source=text, notes=(text,), problem=replace(failure(), detail=text))
    return replace(
        made, status_text=text, differences=(changed,), record=replace(made.record, header=head, listing=listed)
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_becomes_a_formula_or_an_error(text: str) -> None:
    """Those there are count decisions, and nothing of others' text is in them."""
    made = opened(hostile(text))
    formulas = [str(cell.value) for cell in cells(made) if cell.data_type == "f"]
    assert all(re.fullmatch(r'[=+]?(?:\+?COUNTIF\(Review!\$K:\$K,"[A-Z][a-z]+"\))+', each) for each in formulas)
    assert len(formulas) == 1 + len(Choice)
    assert {cell.data_type for cell in cells(made)} <= {"s", "n", "d", "f"}
    assert table(made, "Users")[0]["account_id"] == "000000000001"


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(st.characters(), min_size=1, max_size=30))
def test_any_text_gives_a_workbook_that_opens(text: str) -> None:
    assert opened(hostile(text)).sheetnames[0] == "Summary"


def test_a_name_that_looks_like_a_formula_stays_text_when_edited() -> None:
    made = opened(assessed([finding(user("=1+1")), finding(user("alice"))]))
    plain, quoted = (sheet(made, "Users").cell(row, 5) for row in (3, 2))
    assert (quoted.value, quoted.quotePrefix, plain.quotePrefix) == ("=1+1", True, False)
    assert quoted.number_format == plain.number_format == "@"


def test_text_that_had_to_be_changed_is_listed_on_evidence() -> None:
    told = facts(opened(assessed([finding(replace(user("user_x000D_y"), path="/\x00/"), explanation="x" * 40_000)])))
    assert "escaped" in told["Users, row 2, user_name"]
    assert "U+FFFD" in told["Users, row 2, path"]
    assert "cut" in told["Users, row 2, explanation"]


def test_a_long_text_is_cut_with_a_mark() -> None:
    made = table(opened(assessed([finding(explanation="x" * 40_000)])), "Users")[0]["explanation"]
    assert len(made) == CELL_LIMIT
    assert made.endswith(CUT_MARK)


def test_where_nothing_had_to_be_changed_that_is_said(book: Workbook) -> None:
    assert words(book, "Evidence").endswith("Text that had to be changed to fit a workbook\nNone")


def test_no_text_cell_is_written_without_text() -> None:
    with ZipFile(io.BytesIO(rendered(sample()))) as archive:
        sheets = [archive.read(name).decode() for name in archive.namelist() if name.startswith("xl/worksheets/sheet")]
    assert not any(re.search(r'<c [^>]*t="inlineStr" ?/>', each) for each in sheets)


def test_spaces_at_the_ends_of_a_text_are_kept() -> None:
    """A spreadsheet drops them where the XML does not ask for them."""
    with ZipFile(io.BytesIO(rendered(hostile(" two  ")))) as archive:
        assert b'<t xml:space="preserve"> two  </t>' in archive.read("xl/sharedStrings.xml")


def test_every_text_is_a_shared_string_as_apple_numbers_and_previews_ask_for() -> None:
    with ZipFile(io.BytesIO(rendered(sample()))) as archive:
        names = [name for name in archive.namelist() if name.startswith("xl/worksheets/sheet")]
        sheets = {name: archive.read(name) for name in names}
        texts = archive.read("xl/sharedStrings.xml").count(b"<si>")
        types = archive.read("[Content_Types].xml")
    assert len(sheets) == 8
    assert not any(b"inlineStr" in sheet or b"<is>" in sheet for sheet in sheets.values())
    numbers = {int(found) for sheet in sheets.values() for found in re.findall(rb't="s"[^>]*><v>(\d+)</v>', sheet)}
    assert numbers == set(range(texts))
    assert types.count(b"sharedStrings+xml") == 1


# --- how it is set up ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "frozen"),
    [("Review", "D2"), ("Users", "F2"), ("Accounts", "C2"), ("Safelist", "A2"), ("Changes", "E2")],
)
def test_tables_freeze_and_repeat_their_header_and_filter(book: Workbook, title: str, frozen: str) -> None:
    made = sheet(book, title)
    assert made.freeze_panes == frozen
    assert made.print_title_rows == "$1:$1"
    assert made.auto_filter.ref == made.dimensions


def test_every_sheet_prints_landscape_and_fits_the_width(book: Workbook) -> None:
    for made in book.worksheets:
        assert made.page_setup.orientation == "landscape"
        assert made.sheet_properties.pageSetUpPr is not None
        assert made.sheet_properties.pageSetUpPr.fitToPage
        assert made.page_setup.fitToHeight == 0
        assert made.HeaderFooter.oddHeader is not None
        assert made.HeaderFooter.oddHeader.right.text == f"Run {sample().record.header.run_id}"
        assert made.HeaderFooter.oddFooter is not None
        assert made.HeaderFooter.oddFooter.right.text == "Page &P of &N"


def test_no_header_is_wider_than_its_column() -> None:
    assert [column.key for columns in TABLES.values() for column in columns if column.width < len(column.key) + 1] == []


def test_missing_mfa_stands_out_only_where_there_is_console_access(book: Workbook) -> None:
    rules = [rule.formula[0] for each in sheet(book, "Users").conditional_formatting for rule in each.rules]
    assert 'AND($R2="true",$S2="false")' in rules
    assert [column.key for column in USERS][17:19] == ["console_access", "mfa_active"]


def test_the_charts_show_their_axes(book: Workbook) -> None:
    with ZipFile(io.BytesIO(rendered(sample()))) as archive:
        charts = [archive.read(name).decode() for name in archive.namelist() if name.startswith("xl/charts/chart")]
    assert len(charts) == 2
    for chart in charts:
        assert chart.count('<delete val="0"') == 2 or chart.count('delete val="0"') == 2
        assert "Users (number)" in chart


def test_thirty_units_do_not_break_the_summary() -> None:
    spread = [finding(user(in_account=n), at=account(n, ou_path=f"Root/Unit {n:02}")) for n in range(1, 31)]
    text = words(opened(assessed(spread)), "Summary")
    assert "15 other units" in text


@pytest.mark.parametrize("empty", [assessed(), assessed(accounts=[account(1)], scans=[failed(1)])])
def test_a_run_without_users_still_renders(empty: Assessment) -> None:
    made = opened(empty)
    assert "No unapproved user was found." in words(made, "Summary")
    assert table(made, "Users") == []


def test_the_same_assessment_gives_the_same_workbook() -> None:
    assert rendered(sample()) == rendered(sample())


def test_its_properties_are_those_of_the_run(book: Workbook) -> None:
    started = sample().record.header.started_at.replace(tzinfo=None)
    assert book.properties.creator == "iam-scanner"
    assert (book.properties.created, book.properties.modified) == (started, started)
    assert sample().record.header.run_id in str(book.properties.title)
