"""What decisions change in the safelists: which entry an approval takes the place of."""

from datetime import date
from pathlib import Path

import pytest

from scanner.model import Choice
from scanner.record import SafelistText
from scanner.review.decisions import Decided
from scanner.review.reading import Filled, Row
from scanner.review.safelist_changes import wanted
from scanner.safelist.entries import parse
from scanner.safelist.file_changes import Shelf, changes
from scanner.safelist.match import Index
from tests.builders import account, user
from tests.report.samples import decision, finding

TODAY = date(2027, 1, 4)
HEAD = "version: 1\n"
BOOK = Filled(path=Path("a.xlsx"), sha256="", facts=(), runs=(), rows=(), faults=())


def approved(name: str, user_id: str) -> Decided:
    of = finding(user(name, user_id=user_id), at=account(1))
    return Decided(decision=decision(of, Choice.APPROVE, TODAY), finding=of, book=BOOK, row=Row(2, {}))


def after(entries: str, *decided: Decided) -> str:
    """The file after these approvals, without its head."""
    text = SafelistText(path="a.yaml", text=HEAD + entries)
    shelf = Shelf(texts=(text,), wanted=wanted(decided, Index(parse([text]), TODAY)))
    (change,) = changes([shelf], [text], [])
    return change.after.removeprefix(HEAD)


def here(*entries: str) -> str:
    return "accounts:\n  '000000000001':\n" + "".join(f"    - {entry}\n" for entry in entries)


RENEWED = "user_id: AIDA1, approved_by: j.doe@example.com, approved_on: 2027-01-04}"


@pytest.mark.parametrize(
    ("before", "entries"),
    [
        (["Bob"], ["{user: Bob, " + RENEWED]),
        (["{user: bob, user_id: AIDA1}"], ["{user: bob, " + RENEWED]),
        (
            ["{arn: 'arn:aws:iam::000000000001:user/bob'}"],
            ["{arn: 'arn:aws:iam::000000000001:user/bob', " + RENEWED],
        ),
        (  # pinned before unpinned
            ["bob", "{user: bob, user_id: AIDA1}"],
            ["bob", "{user: bob, " + RENEWED],
        ),
        (  # of several, the one that ends last
            [
                "{user: bob, user_id: AIDA1, expires_on: 2026-12-31}",
                "{user: bob, user_id: AIDA1, expires_on: 2026-06-30}",
            ],
            ["{user: bob, " + RENEWED, "{user: bob, user_id: AIDA1, expires_on: 2026-06-30}"],
        ),
    ],
)
def test_an_approval_takes_the_place_of_the_entry_for_this_user(before: list[str], entries: list[str]) -> None:
    assert after(here(*before), approved("bob", "AIDA1")) == here(*entries)


@pytest.mark.parametrize(
    "others",
    [
        "global:\n  - bob\n",
        "global:\n  - {arn: 'arn:aws:iam::000000000001:user/bob'}\n",
        "ous:\n  Root/Prod:\n    - bob\n",
        "accounts:\n  '000000000002':\n    - bob\n",
        here("{arn: 'arn:aws:iam::000000000001:user/ops/bob'}"),
        here("{arn: 'arn:aws:iam::000000000001:user/BOB'}"),
        here("{pattern: bob*}", "{path: /bob/}", "{user: bob, user_id: AIDA2}", "bobby"),
    ],
)
def test_an_approval_takes_the_place_of_no_entry_that_is_for_others_too(others: str) -> None:
    result = after(others, approved("bob", "AIDA1"))
    assert [line for line in others.splitlines() if line not in result.splitlines()] == []
    assert "user_id: AIDA1" in result


def test_two_users_of_one_name_share_no_entry() -> None:
    """A user that was deleted and made again, decided in two workbooks."""
    result = after(here("bob"), approved("bob", "AIDA1"), approved("bob", "AIDA2"))
    assert result == here("{user: bob, " + RENEWED, "{user: bob, " + RENEWED.replace("AIDA1", "AIDA2"))
