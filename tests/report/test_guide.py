"""The Guide: what a reviewer is told to fill in is what the import of the review asks for."""

from dataclasses import replace
from typing import cast

from openpyxl.worksheet.worksheet import Worksheet

from scanner.model import Choice
from scanner.report.workbook.prose import PAPER_HEIGHT, PAPER_WIDTH, POINTS_PER_COLUMN, POINTS_PER_UNIT
from scanner.safelist.types import Policy
from tests.report.samples import assessed, finding
from tests.report.workbooks import opened

STRICT = Policy(
    require=("owner", "reason", "ticket"), max_days=365, approvers=tuple(f"{n}@example.com" for n in "abcdefg")
)


def guide(policy: Policy | None) -> Worksheet:
    return cast(Worksheet, opened(replace(assessed([finding()]), policy=policy))["Guide"])


def lines(policy: Policy | None) -> dict[str, tuple[str, str]]:
    rows = guide(policy).iter_rows(min_col=1, max_col=3, values_only=True)
    return {str(name): (str(when), str(words)) for name, when, words in rows if name}


def needed(policy: Policy | None) -> set[str]:
    return {name for name, (when, _) in lines(policy).items() if when.endswith("Approve")}


def test_it_names_what_the_policy_of_the_safelist_requires_of_an_approval() -> None:
    assert needed(None) == set()
    assert needed(STRICT) == {"owner", "ticket", "comment", "approve_until"}
    told = lines(STRICT)
    assert told["approve_until"][1].endswith("at most 365 days after reviewed_on")
    assert told["reviewer"][1].endswith(
        "to approve, one of: a@example.com, b@example.com, c@example.com and 4 more, as the safelist has them"
    )
    assert "one of" not in lines(None)["reviewer"][1]


def test_it_says_of_each_decision_when_to_choose_it_and_what_it_does() -> None:
    told = lines(None)
    assert all(all(told[choice]) for choice in Choice)


def test_it_is_one_page() -> None:
    made = guide(STRICT)
    high = sum(made.row_dimensions[row].height or 0 for row in range(1, made.max_row + 1))
    widths = [made.column_dimensions[letter].width for letter in "ABCD"]
    wide = sum(width * POINTS_PER_UNIT + POINTS_PER_COLUMN for width in widths)
    assert high <= PAPER_HEIGHT * wide / PAPER_WIDTH
