"""The Review sheet: who is on it and in which order, what decides it, and the cells that reviewers fill in."""

import io
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, cast
from zipfile import ZipFile

import pytest
from openpyxl.utils import get_column_letter
from openpyxl.workbook import Workbook
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from scanner.audit.assessment import Assessment
from scanner.audit.triage import GROUNDS
from scanner.model import AccessKey, Basis, Choice, Evidence, Finding, IamUser, Kind
from scanner.report.review_rows import DECISION, IDENTITY, REVIEW
from scanner.report.workbook.prose import LINE_HEIGHT
from scanner.settings import Settings
from tests.builders import START, access, account, credentials, user
from tests.report.samples import assessed, decision, entry, finding, reviewed
from tests.report.workbooks import opened, rendered, table

KEYS = [column.key for column in REVIEW]
RUN_ON = START.date()


def review(book: Workbook) -> Worksheet:
    return cast(Worksheet, book["Review"])


@pytest.fixture(scope="module")
def book() -> Workbook:
    return opened(reviewed())


def with_decisions(made: Assessment, *of: tuple[Finding, Choice, date, str | None]) -> Assessment:
    head = replace(made.record.header, decisions=tuple(decision(*each) for each in of))
    return replace(made, record=replace(made.record, header=head))


def key(days: int) -> AccessKey:
    return AccessKey(active=True, last_rotated=START - timedelta(days=days), last_used=START - timedelta(days=days))


def administrator(name: str) -> IamUser:
    return user(name, access=replace(access(), administrator=True), credentials=credentials())


# --- who, and in which order -----------------------------------------------------------------------------------------


def test_only_users_that_need_a_decision_are_on_it() -> None:
    fine = finding(user("fine"), basis=Basis.SAFELISTED, by=entry())
    ends = finding(user("ends"), basis=Basis.SAFELISTED, by=replace(entry(), expires_on=date(2026, 12, 31)))
    told = {
        row["user_name"]: row["needs_decision"] for row in table(opened(assessed([fine, ends, finding()])), "Review")
    }
    assert told == {"alice": "not approved: on no safelist", "ends": "approval ends on 2026-12-31"}


def test_the_days_between_reviews_are_those_of_the_run() -> None:
    fine = finding(basis=Basis.SAFELISTED, by=entry())  # approved 53 days before the run
    made = assessed([fine])
    often = replace(made.record.header, settings=Settings(review_every_days=52))
    assert table(opened(made), "Review") == []
    told = table(opened(replace(made, record=replace(made.record, header=often))), "Review")
    assert [row["needs_decision"] for row in told] == ["approved 53 days ago, not reviewed since"]


def test_the_most_urgent_come_first_and_of_these_the_unapproved() -> None:
    nothing, known = credentials(), access()
    findings = [
        finding(user("a-rest", credentials=nothing, access=known)),
        finding(user("b-unknown")),
        finding(user("c-dormant", credentials=replace(nothing, access_keys=(key(200),)), access=known)),
        finding(user("d-console", credentials=replace(nothing, console_access=True), access=known)),
        finding(administrator("e-approved"), basis=Basis.SAFELISTED, by=replace(entry(), approved_on=None)),
        finding(administrator("g-admin")),
        finding(administrator("f-admin"), at=account(2)),
    ]
    rows = table(opened(assessed(findings)), "Review")
    names = ["g-admin", "f-admin", "e-approved", "d-console", "c-dormant", "b-unknown", "a-rest"]
    assert [row["user_name"] for row in rows] == names
    assert [row["risk"] for row in rows[2:]] == [
        "administrator",
        "console without MFA",
        "dormant with active keys",
        "rights not known; credentials not known",
        "none listed",
    ]


def test_what_decides_it_is_told_in_words() -> None:
    rich = user(
        access=replace(access(), attached_policies=("A", "B (via ops)", "C", "D"), inline_policies=("E",)),
        credentials=replace(credentials(), console_access=True, access_keys=(key(200), key(300))),
    )
    row = table(opened(assessed([finding(rich, basis=Basis.APPROVAL_EXPIRED, by=entry())])), "Review")[0]
    policies = "policies: A, B (via ops), C and 2 more (see Users)"
    use = "service credentials not known; last used 200 days ago"
    approval = "approved by ciso@example.com on 2026-10-01; SEC-139"
    assert row["facts"].splitlines() == [
        "Made 312 days ago; its creator is no longer known.",
        f"Not an administrator; whether it could become one is not known; {policies}.",
        f"Console without MFA; 2 active keys, the oldest set 300 days ago; {use}.",
        f"Nightly export of the ledger to the warehouse; service; owner db@example.com; {approval}.",
    ]


def test_with_basic_evidence_it_says_what_is_not_known() -> None:
    row = table(opened(assessed([finding(evidence=Evidence.BASIC)])), "Review")[0]
    assert row["risk"] == "rights not known; credentials not known"
    assert row["facts"].splitlines() == [
        "Made 312 days ago; its creator is no longer known.",
        "What it may do is not known.",
        "Console and keys not known; service credentials not known; last use not known.",
    ]
    assert row["suggestion"] == "Approve or remove: its use is not known\nAsk: nobody is named"


def test_what_was_decided_before_stands_beside_the_decision() -> None:
    of = finding()
    told = with_decisions(assessed([of]), (of, Choice.DEFER, date(2026, 8, 24), "asked the owner"))
    row = table(opened(told), "Review")[0]
    assert [row[f"last_{key}"] for key in ("decision", "reviewer", "comment")] == [
        "Defer",
        "j.doe@example.com",
        "asked the owner",
    ]
    assert row["last_reviewed_on"] == datetime(2026, 8, 24)  # noqa: DTZ001  a workbook knows no time zones
    assert row["needs_decision"] == "not approved: on no safelist; deferred on 2026-08-24"


def test_a_decision_about_a_user_is_not_one_about_another_of_that_name() -> None:
    of = finding()
    other = replace(of, user=replace(of.user, user_id=user("bob").user_id))
    row = table(opened(with_decisions(assessed([of]), (other, Choice.KEEP, RUN_ON, None))), "Review")[0]
    assert row["last_decision"] is None


# --- the cells to fill in --------------------------------------------------------------------------------------------


def test_the_reviewers_columns_stand_together_in_order_and_are_empty(book: Workbook) -> None:
    keys = ["decision", "reviewer", "reviewed_on", "owner", "kind", "approve_until", "ticket", "comment"]
    assert [column.key for column in DECISION] == keys
    at = KEYS.index("decision")
    assert KEYS[at : at + len(keys)] == keys
    assert {row[key] for row in table(book, "Review") for key in keys} == {None}
    assert set(IDENTITY) < set(KEYS)
    assert len(set(KEYS)) == len(KEYS)


def checks(book: Workbook) -> dict[str, DataValidation]:
    made = review(book)
    found = {}
    for check in made.data_validations.dataValidation:
        (only,) = check.sqref.ranges
        assert (only.min_row, only.max_row) == (2, made.max_row)
        found[str(made.cell(1, only.min_col).value)] = check
    return found


def test_choices_and_dates_are_checked_with_messages(book: Workbook) -> None:
    made = checks(book)
    assert made["decision"].formula1 == f'"{",".join(Choice)}"'
    assert made["kind"].formula1 == f'"{",".join(Kind)}"'
    day = f"DATE({RUN_ON.year},{RUN_ON.month},{RUN_ON.day})"
    reviewed_on, until = made["reviewed_on"], made["approve_until"]
    assert (reviewed_on.operator, reviewed_on.formula1, reviewed_on.formula2) == ("between", day, "DATE(2099,12,31)")
    assert (until.operator, until.formula1) == ("greaterThan", day)
    assert len(made) == 4
    for check in made.values():
        assert check.showErrorMessage
        assert check.showInputMessage
        assert check.allow_blank
        assert not check.showDropDown  # which hides the arrow
        assert check.error
        assert len(check.prompt or "") <= 255


def test_every_choice_is_explained_where_it_is_made(book: Workbook) -> None:
    notes = {str(cell.value): cell.comment.text for cell in review(book)[1] if cell.comment}
    assert all(f"{choice}: " in notes["decision"] for choice in Choice)
    assert {column.key for column in DECISION} < set(notes)


def test_cells_to_fill_in_look_otherwise_than_those_to_leave(book: Workbook) -> None:
    fills = {key: review(book).cell(2, at).fill.start_color.rgb for at, key in enumerate(KEYS, 1)}
    to_fill = {column.key for column in DECISION}
    assert len({fills[key] for key in to_fill}) == 1
    assert len({fills[key] for key in KEYS if key not in to_fill}) == 1
    assert fills["decision"] != fills["arn"]
    formats = {key: review(book).cell(2, KEYS.index(key) + 1).number_format for key in to_fill}
    assert formats["reviewed_on"] == formats["approve_until"] == "yyyy-mm-dd"
    assert formats["comment"] == formats["ticket"] == "@"


def test_a_reviewer_sees_the_cells_to_fill_in_on_a_screen_of_1440_pixels() -> None:
    """7 pixels to a unit of width; the numbers of rows and the scroll bar take 60."""
    to_the_last = REVIEW[: KEYS.index("comment") + 1]
    assert sum(column.width for column in to_the_last) * 7 <= 1440 - 60


def test_the_block_on_summary_has_names_and_takes_days_as_review_does(book: Workbook) -> None:
    named = {name: each.attr_text for name, each in book.defined_names.items()}
    assert list(named) == ["for_all_reviewer", "for_all_reviewed_on", "for_all_ticket"]
    made = cast(Worksheet, book["Summary"])
    cells = [str(where).split("!")[1].replace("$", "") for where in named.values()]
    assert [made[cell].offset(0, -1).value for cell in cells] == ["reviewer", "reviewed_on", "ticket"]
    assert [made[cell].value for cell in cells] == [None] * 3
    (check,) = made.data_validations.dataValidation
    assert (str(check.sqref), check.formula1) == (cells[1], checks(book)["reviewed_on"].formula1)


def test_what_a_decision_still_lacks_stands_out(book: Workbook) -> None:
    rules = {
        rule.formula[0]: each.sqref
        for each in review(book).conditional_formatting
        for rule in each.rules
        if rule.formula
    }
    at = {key: get_column_letter(KEYS.index(key) + 1) for key in KEYS}
    lacking = (("reviewer", '<>"",for_all_reviewer=""'), ("reviewed_on", '<>"",for_all_reviewed_on=""'))
    for key, condition in (*lacking, ("comment", '="Defer"')):
        where = rules[f'AND(${at["decision"]}2{condition},${at[key]}2="")']
        assert str(where) == f"{at[key]}2:{at[key]}{review(book).max_row}"
    assert f'AND(${at["decision"]}2="Keep",LEFT(${at["needs_decision"]}2,12)="not approved")' in rules


def test_nothing_is_locked(book: Workbook) -> None:
    assert not any(each.protection.sheet for each in book.worksheets)


def test_a_run_in_which_nobody_needs_a_decision_says_so() -> None:
    made = opened(assessed([finding(basis=Basis.SAFELISTED, by=entry())]))
    assert table(made, "Review") == []
    assert not review(made).data_validations.dataValidation
    assert "No user needs a decision." in summary(made)


# --- Summary ---------------------------------------------------------------------------------------------------------


def summary(book: Workbook) -> dict[Any, list[Any]]:
    """What stands to the right of each text."""
    told = {}
    for row in cast(Worksheet, book["Summary"]).iter_rows(values_only=True):
        for at, value in enumerate(row):
            told[value.strip() if isinstance(value, str) else value] = [
                each for each in row[at + 1 :] if each is not None
            ]
    return told


def test_progress_counts_the_decisions_wherever_they_stand(book: Workbook) -> None:
    told = summary(book)
    column = get_column_letter(KEYS.index("decision") + 1)
    for choice in Choice:
        assert told[choice][0] == f'=COUNTIF(Review!${column}:${column},"{choice}")'
        assert told[choice][0][1:] in told["Decided"][0]
    assert told["Decided"][1] == f"of {len(table(book, 'Review'))} users that need a decision"


def test_who_only_looks_sees_that_nothing_is_decided_yet() -> None:
    """A viewer that does not calculate shows what is written beside the formula."""
    with ZipFile(io.BytesIO(rendered(reviewed()))) as archive:
        made = archive.read("xl/worksheets/sheet2.xml").decode()
    assert made.count("</f>") == made.count("</f><v>0</v>") == 1 + len(Choice)


def charts(assessment: Assessment) -> list[str]:
    with ZipFile(io.BytesIO(rendered(assessment))) as archive:
        return [
            archive.read(name).decode() for name in sorted(archive.namelist()) if name.startswith("xl/charts/chart")
        ]


def test_the_trend_shows_earlier_runs_and_this_one(book: Workbook) -> None:
    told = summary(book)
    assert told["2025-11-24 16:41:00 UTC"][:4] == ["11 of 13", 14, 40, 54]
    assert told["2026-11-23 16:41:00 UTC"][:4] == ["11 of 14", 19, 43, 62]
    made = charts(reviewed())[-1]
    assert "Users by run, and accounts read" in made
    assert "Users (number)" in made
    assert "Accounts read (%)" in made
    assert made.count('delete val="0"') == 3


def test_the_trend_goes_back_twelve_runs() -> None:
    made = reviewed()
    first = made.record.header.trend[0]
    points = tuple(replace(first, started_at=START - timedelta(days=30 - number)) for number in range(20))
    many = replace(made, record=replace(made.record, header=replace(made.record.header, trend=points)))
    told = {day[:10] for day in summary(opened(many)) if isinstance(day, str) and day.endswith("16:41:00 UTC")}
    shown = {f"{START - timedelta(days=30 - number):%Y-%m-%d}" for number in range(9, 20)}
    assert told == {*shown, str(RUN_ON)}


def test_a_first_run_has_no_trend() -> None:
    made = assessed([finding()])
    assert "Trend over the runs" not in summary(opened(made))
    assert len(charts(made)) == 2


def test_a_clean_run_is_signed_on_its_first_page() -> None:
    made = cast(Worksheet, opened(assessed([finding()]))["Summary"])
    sign_off = next(cell.row for row in made.iter_rows() for cell in row if cell.value == "Sign-off")
    assert sign_off is not None
    assert sign_off < min(each.id for each in made.row_breaks.brk)


def test_each_ground_of_not_being_approved_is_one_line_so_that_the_sign_off_stays_on_the_first_page() -> None:
    each = [finding(user(f"u-{number}"), basis=basis) for number, basis in enumerate(GROUNDS)]
    made = cast(Worksheet, opened(assessed(each))["Summary"])
    rows = enumerate(made.iter_rows(max_col=1, values_only=True), 1)
    heights = {str(words).strip(): made.row_dimensions[number].height for number, (words,) in rows}
    assert {heights[words] for words in GROUNDS.values()} == {LINE_HEIGHT}
