"""Reviewer, day and ticket said once on Summary, for every decided row that leaves them blank; and many rows."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl.workbook import Workbook

from scanner.model import Choice
from scanner.report.view import View
from scanner.report.workbook.review_sheet import FOR_ALL_HEAD
from scanner.review.decisions import Judged, Rules, judge, shown
from scanner.review.reading import read
from scanner.safelist.types import Policy
from tests.builders import START, user
from tests.report.samples import assessed, finding
from tests.report.workbooks import rendered
from tests.review.desk import Desk, approve, decided, faults, remove, rows_of
from tests.review.packages import part_of, with_parts

BLANK: dict[str, Any] = {"reviewer": None, "reviewed_on": None, "ticket": None}


def said_once(**values: Any) -> Callable[[Workbook], object]:
    """Fill in the block on Summary."""

    def fill(book: Workbook) -> None:
        for key, value in values.items():
            (where,) = book.defined_names[f"for_all_{key}"].destinations
            book[where[0]][where[1].replace("$", "")].value = value

    return fill


def test_what_is_said_once_counts_where_a_row_is_silent(desk: Desk) -> None:
    day = desk.today.isoformat()
    once = said_once(reviewer="head@example.com", reviewed_on=day, ticket="SEC-7")
    rows = {"prod/alice": approve(**BLANK), "dev/bob": remove(), "core/bob": {**BLANK, "comment": "looked at"}}
    done = desk.imported(desk.filled(rows, edit=once), "--write", "--json")
    assert done.exit_code == 0, done.err
    told = {row["user_name"]: (row["reviewer"], row["reviewed_on"], row["ticket"]) for row in rows_of(desk.ledger)}
    assert told == {
        "alice": ("head@example.com", day, "SEC-7"),
        "bob": ("ciso@example.com", day, "SEC-140"),
    }
    assert "head@example.com" in desk.safelist.read_text(encoding="utf-8")


def test_without_it_a_row_still_needs_its_own(desk: Desk) -> None:
    found = faults(desk.imported(desk.filled({"prod/alice": remove(**BLANK)}, edit=said_once(ticket="SEC-7"))))
    assert len(found) == 2
    assert all("is empty beside a decision" in fault for fault in found)


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("reviewed_on", "24.11.2026", "'24.11.2026' is not a valid date"),
        ("reviewed_on", timedelta(days=-1), "lies outside the run's day"),
        ("reviewer", "=A1", "The cell holds a formula"),
        ("reviewer", "nobody@example.com", "approve"),
    ],
)
def test_what_is_wrong_there_is_one_fault_of_that_cell(desk: Desk, key: str, value: Any, problem: str) -> None:
    given = desk.today + value if isinstance(value, timedelta) else value
    once = said_once(**{"reviewer": "head@example.com", "reviewed_on": desk.today, key: given})
    rows = {name: approve(**BLANK) for name in ("prod/alice", "dev/bob", "core/bob")}
    (fault,) = faults(desk.imported(desk.filled(rows, edit=once)))
    assert re.search(r"Summary!H\d+: ", fault)
    assert problem in fault
    assert "alice" not in fault


def heading_gone(book: Workbook) -> None:
    said_once(reviewer="head@example.com", reviewed_on="2026-01-01")(book)
    for row in book["Summary"].iter_rows():
        for cell in row:
            if cell.value == FOR_ALL_HEAD:
                cell.value = None


def test_a_block_that_is_not_there_counts_for_nothing(desk: Desk) -> None:
    rows = {"prod/alice": decided("Remove", reviewer=None, reviewed_on=None)}
    assert len(faults(desk.imported(desk.filled(rows, edit=heading_gone)))) == 2
    assert len(faults(desk.imported(desk.filled(rows, edit=lambda book: book.remove(book["Summary"]))))) == 2


MANY = 5_000


def test_five_thousand_decided_rows_are_read(tmp_path: Path) -> None:
    """Each decided, and nothing else filled in: as after a fill down, with reviewer and day said once."""
    made = assessed([finding(user(f"user-{number:04}")) for number in range(MANY)])
    plain = tmp_path / "plain.xlsx"
    plain.write_bytes(rendered(made))
    texts = b' t="inlineStr"><is><t>%b</t></is></c>'
    review = re.sub(
        rb'(<c r="G\d+" s="\d+") />', rb"\1" + texts % b"Remove", part_of(plain, "xl/worksheets/sheet3.xml")
    )
    at = {key: b"H%d" % row for key, row in _block(plain).items()}
    summary = part_of(plain, "xl/worksheets/sheet2.xml")
    for key, value in (("reviewer", b"ciso@example.com"), ("reviewed_on", START.date().isoformat().encode())):
        summary, count = re.subn(
            rb'(<c r="%b" s="\d+")(?: t="n")? ?(?:/>|></c>)' % at[key], rb"\1" + texts % value, summary
        )
        assert count == 1
    book = read(with_parts(plain, {"xl/worksheets/sheet3.xml": review, "xl/worksheets/sheet2.xml": summary}))
    judged, today = Judged(), START.date()
    users = shown(View(made).users)
    rules = Rules(run_id="r", organization_id="", users=users, run_on=today, today=today, policy=Policy())
    judge(book, [rules], judged)
    assert judged.faults == []
    said = {(one.decision.choice, one.decision.reviewer, one.decision.reviewed_on) for one in judged.decided.values()}
    assert (len(judged.decided), said) == (MANY, {(Choice.REMOVE, "ciso@example.com", today)})


def _block(path: Path) -> dict[str, int]:
    names = part_of(path, "xl/workbook.xml").decode()
    return {key: int(row) for key, row in re.findall(r'name="for_all_(\w+)">Summary!\$H\$(\d+)<', names)}
