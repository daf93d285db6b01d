"""Runs of different organizations side by side: which may stand together, and what they come to."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from scanner.audit.assessment import Assessment
from scanner.audit.rule import assess
from scanner.audit.split import restrict
from scanner.audit.together import in_all, side_by_side, with_owners_of_all
from scanner.errors import UsageError
from scanner.model import AccountScan, SplitBy, Status
from scanner.record import Record
from scanner.safelist.types import Safelist
from tests.builders import account, account_id, failed, header, listing, record, scanned, skipped, user

READ, UNREAD = scanned(1, user("alice"), user("bob")), failed(2)


def run(organization: str | None, *scans: AccountScan, run_id: str = "20261123T164100Z-000001") -> Assessment:
    own = replace(header(organization=organization), run_id=run_id)
    source = "AWS Organizations" if organization else "accounts.csv"
    accounts = [account(scan.account_id) for scan in scans]
    return assess(record(*scans, header=own, listing=listing(*accounts, source=source)), Safelist())


def ids(assessments: Iterable[Assessment]) -> list[str]:
    return [str(one.record.header.organization and one.record.header.organization.id) for one in assessments]


def test_runs_stand_in_the_order_of_their_organizations() -> None:
    assert ids(side_by_side([run("o-b", READ), run("o-c", READ), run("o-a", READ)])) == ["o-a", "o-b", "o-c"]


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ([("o-a", "run-1")], "Run run-1 is given twice. Name each run once."),
        (
            [("o-b", "run-2"), ("o-a", "run-3")],
            (
                "Runs run-1 and run-3 are both of organization o-a. Give one run of each organization; to see what "
                "changed between the two: iam-scanner diff run-1 run-3"
            ),
        ),
        ([("o-b", "run-2"), ("o-b", "run-2")], "Run run-2 is given twice. Name each run once."),
        (
            [(None, "run-2")],
            (
                "Run run-2 read its accounts from accounts.csv and not from AWS Organizations, so it is not known "
                "which organization it is of. Report it by itself."
            ),
        ),
    ],
)
def test_what_would_count_users_twice_is_refused(others: list[tuple[str | None, str]], said: str) -> None:
    runs = [run("o-a", READ, run_id="run-1"), *(run(name, READ, run_id=run_id) for name, run_id in others)]
    with pytest.raises(UsageError) as refused:
        side_by_side(runs)
    assert str(refused.value) == said


@pytest.mark.parametrize(
    ("second", "status", "text"),
    [
        ([READ, skipped(3)], Status.COMPLETE, "complete for 2 organizations: 2 of 3 accounts (1 inactive)"),
        (
            [READ, UNREAD],
            Status.INCOMPLETE,
            "incomplete: 1 of 2 organizations. o-b: incomplete: 1 of 2 accounts in scope could not be read",
        ),
        (
            [UNREAD],
            Status.INCOMPLETE,
            (
                "incomplete: 1 of 2 organizations. o-b: nothing read: not one of 1 account in scope; "
                "1 of 1 account in scope could not be read"
            ),
        ),
    ],
)
def test_all_is_complete_only_where_each_run_is(second: list[AccountScan], status: Status, text: str) -> None:
    concluded = in_all([run("o-a", READ), run("o-b", *second)])
    assert (concluded.status, concluded.status_text) == (status, text)


def test_where_nothing_was_read_in_any_nothing_was_read() -> None:
    concluded = in_all([run("o-a", UNREAD), run("o-b", UNREAD)])
    assert (concluded.status, concluded.status_text[:39]) == (
        Status.NOTHING_READ,
        "nothing read: 2 of 2 organizations. o-a",
    )


def test_totals_add_up_in_all() -> None:
    totals = in_all([run("o-a", READ, skipped(3)), run("o-b", READ, UNREAD)]).totals
    assert (totals.listed, totals.inactive, totals.scanned, totals.failed) == (4, 1, 2, 1)
    assert (totals.users, totals.approved, totals.unapproved) == (4, 0, 4)


def test_a_part_of_several_runs_says_of_how_many_accounts_of_all() -> None:
    def part(assessment: Assessment, *numbers: int) -> Assessment:
        accounts = frozenset(account_id(number) for number in numbers)
        return restrict(assessment, SplitBy.ACCOUNT_OWNER, "ops", accounts)

    concluded = in_all([part(run("o-a", READ, UNREAD), 1), part(run("o-b", READ, scanned(5)), 1, 5)])
    assert concluded.status_text == (
        "complete for 2 organizations: 3 of 3 accounts; this is a part: accounts of owner ops: 3 of 4 in the runs"
    )


def test_an_owner_of_an_account_that_another_run_knows_is_not_called_unknown() -> None:
    owners = {str(account_id(1)): "ops", str(account_id(2)): "ops", "999999999999": "nobody"}
    records: list[Record] = [
        one.record for one in with_owners_of_all([run("o-a", scanned(1)), run("o-b", scanned(2))], owners, "owners.csv")
    ]
    assert [dict(one.header.account_owners).get(account_id(1)) for one in records] == ["ops", None]
    for one in records:
        assert one.listing.notes == ("Account owners: 1 account ID is not in the organization: 999999999999.",)
