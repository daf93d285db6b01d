"""Which users of a run a list has, in which order, and what it says of those that it may lack."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from scanner.audit.assessment import Assessment
from scanner.audit.diff import snapshot
from scanner.audit.rule import assess
from scanner.errors import UsageError
from scanner.model import AccountScan, Credentials, Evidence, FailReason, IamUser
from scanner.record import SafelistText
from scanner.report.user_list import Filters, UserList, choose, notes
from scanner.report.view import View
from scanner.safelist.entries import parse
from tests.builders import (
    START,
    access,
    account,
    account_id,
    credentials,
    failed,
    failure,
    header,
    listing,
    ou_id,
    record,
    scanned,
    skipped,
    user,
)
from tests.report.samples import reviewed

SAFELIST = parse([SafelistText(path="a.yaml", text="version: 1\nglobal: [approved, approved-admin]\n")])
DORMANT = replace(credentials(), console_access=True, mfa_active=True, password_last_used=START.replace(year=2025))


def rights(*, administrator: bool | None) -> Any:
    return replace(access(), administrator=administrator)


def known(name: str, used: Credentials | None = None, *, administrator: bool | None = False, at: int = 1) -> IamUser:
    held = rights(administrator=administrator)
    return user(name, credentials=used or credentials(), access=held, in_account=at)


PROD, DEV, SANDBOX = (
    account(1, name="payments-prod", ou_path="Root/Workloads/Prod"),
    account(2, name="payments-dev", ou_path="Root/Workloads/Dev"),
    account(3, name="sandbox", ou_path="Root/Sandbox"),
)


def assessed(*scans: AccountScan, before: Sequence[AccountScan] | None = None, **changes: Any) -> Assessment:
    """A run of three accounts, compared with another of `before`; `changes` are of its listing."""
    listed = replace(listing(PROD, DEV, SANDBOX), **changes)
    head = header()
    if before is not None:
        earlier = assess(record(*before, listing=listed), SAFELIST)
        head = replace(head, previous_run=snapshot(earlier.record, earlier.findings))
    return assess(record(*scans, listing=listed, header=head), SAFELIST)


def listed(assessment: Assessment, **filters: Any) -> UserList:
    return choose(assessment, Filters(**filters))


def names(assessment: Assessment, **filters: Any) -> list[str]:
    return [row.finding.user.user_name for row in listed(assessment, **filters).users]


def said(assessment: Assessment, **filters: Any) -> list[str]:
    return list(notes(assessment, listed(assessment, **filters)))


@pytest.fixture(scope="module")
def run() -> Assessment:
    return assessed(
        scanned(1, known("approved"), known("approved-admin", administrator=True), known("admin", administrator=True)),
        scanned(2, known("old", DORMANT, at=2), known("old-admin", DORMANT, administrator=True, at=2)),
        scanned(3, user("dark", in_account=3)),
    )


# --- order and filters -----------------------------------------------------------------------------------------------


def test_the_most_urgent_come_first_and_of_these_the_unapproved(run: Assessment) -> None:
    assert names(run) == ["admin", "old-admin", "approved-admin", "dark", "old", "approved"]


def test_the_order_is_that_of_the_review_sheet() -> None:
    assessment = reviewed()
    due = [row.user.finding.sort_key for row in View(assessment).review]
    mine = [row.finding.sort_key for row in listed(assessment).users]
    assert len(due) > 20
    assert [key for key in mine if key in due] == due


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"unapproved": True}, ["admin", "old-admin", "dark", "old"]),
        ({"administrator": True}, ["admin", "old-admin", "approved-admin"]),
        ({"dormant": True}, ["old-admin", "old"]),
        ({"account": (account_id(2),)}, ["old-admin", "old"]),
        ({"account": (account_id(2), account_id(3))}, ["old-admin", "dark", "old"]),
        ({"ou": ("Root/Workloads",)}, ["admin", "old-admin", "approved-admin", "old", "approved"]),
        ({"ou": ("/Root/Workloads/Prod/",)}, ["admin", "approved-admin", "approved"]),
        ({"ou": (ou_id("Root/Workloads/Dev"), "Root/Sandbox")}, ["old-admin", "dark", "old"]),
        ({"ou": ("Root/Workloads",), "account": (account_id(3),)}, []),
        ({"name": ("OLD*", "dar?")}, ["old-admin", "dark", "old"]),
        ({"name": ("old",)}, ["old"]),
        ({"name": ("l",)}, []),
        ({"name": ("[ao]*",)}, []),
        ({"unapproved": True, "administrator": True, "ou": ("Root/Workloads/Prod",)}, ["admin"]),
    ],
    ids=str,
)
def test_all_filters_must_hold_and_of_one_a_value(run: Assessment, filters: Any, expected: list[str]) -> None:
    assert names(run, **filters) == expected
    assert listed(run, **filters).of == 6


# --- what is not known -----------------------------------------------------------------------------------------------


def test_a_user_whose_rights_are_not_known_is_counted_and_not_listed(run: Assessment) -> None:
    found = listed(run, administrator=True)
    assert found.unknown == {"administrator": 1}
    (note,) = said(run, administrator=True)
    assert note.startswith("1 more user may belong here: their rights could not be read")
    assert listed(run, dormant=True).unknown == {"dormant": 1}
    assert "their credentials could not be read" in said(run, dormant=True)[0]


def test_only_users_that_the_other_filters_leave_are_counted(run: Assessment) -> None:
    assert listed(run, administrator=True, ou=("Root/Workloads",)).unknown == {}
    assert listed(run, administrator=True, name=("approved",)).unknown == {}
    assert listed(run, administrator=True, dormant=True, unapproved=True).unknown == {"administrator": 1, "dormant": 1}


def test_an_account_that_was_not_read_is_said_where_it_belongs() -> None:
    run = assessed(scanned(1, known("alice")), failed(2))
    missing = "2 accounts were not read; their users are missing here."
    assert said(run) == [missing], "one failed, and one was not reached"
    assert said(run, ou=("Root",)) == [missing]
    assert said(run, account=(account_id(1),)) == []
    assert said(run, ou=("Root/Sandbox",)) == ["1 account was not read; its users are missing here."]


def test_an_account_whose_place_is_not_known_may_be_in_any_ou() -> None:
    lost = account(3, ou_path=None)
    run = assessed(scanned(1, known("alice")), scanned(2), failed(3, FailReason.OU_UNKNOWN), accounts=(PROD, DEV, lost))
    assert said(run, ou=("Root/Workloads/Dev",)) == ["1 account was not read; its users are missing here."]


def test_what_was_asked_for_and_not_to_be_read_is_said() -> None:
    run = assessed(scanned(1, known("alice")), skipped(2), in_scope=frozenset({PROD.id, DEV.id}))
    assert said(run) == []
    left_out = "left out of the run (outside its scope, excluded or inactive)"
    assert said(run, account=(DEV.id,)) == [f"1 account was {left_out}; its users are missing here."]
    assert said(run, ou=("Root",)) == [f"2 accounts were {left_out}; their users are missing here."]
    assert said(run, ou=("Root/Workloads/Prod",)) == []


def test_a_listing_that_broke_off_is_said_whatever_is_asked_for() -> None:
    run = assessed(scanned(1), scanned(2), scanned(3), problem=failure())
    assert said(run, account=(PROD.id,))[0].startswith("The listing of accounts broke off")


# --- changes ---------------------------------------------------------------------------------------------------------


BEFORE = scanned(1, known("approved"), known("gainer"), user("half-read", access=rights(administrator=False)))
AFTER = scanned(1, known("approved"), known("gainer", administrator=True), user("half-read"), known("newcomer"))


@pytest.mark.parametrize("value", ["privilege-gained", "PRIVILEGE_GAINED", "Privilege-Gained"])
def test_a_change_is_written_as_an_option_or_as_in_the_column(value: str) -> None:
    run = assessed(AFTER, before=[BEFORE], accounts=(PROD,))
    assert names(run, change=(value,)) == ["gainer"]
    assert names(run, change=(value, "new")) == ["gainer", "newcomer"]


def test_rights_that_one_run_did_not_read_may_have_grown() -> None:
    run = assessed(AFTER, before=[BEFORE], accounts=(PROD,))
    assert [finding.evidence for finding in run.findings if finding.user.user_name == "half-read"] == [Evidence.PARTIAL]
    assert listed(run, change=("privilege-gained",)).unknown == {"change": 1}
    assert listed(run, change=("new",)).unknown == {}


def test_users_of_an_account_that_the_earlier_run_did_not_read_may_be_new() -> None:
    run = assessed(AFTER, scanned(2, known("old", at=2)), scanned(3), before=[BEFORE, failed(2), scanned(3)])
    assert names(run, change=("new",)) == ["newcomer"]
    assert said(run, change=("new",)) == [
        "1 more user may belong here: one of the two runs did not read their account, or not their rights."
    ]
    assert names(run, change=("not-previously-scanned",)) == ["old"]
    assert said(run, change=("not-previously-scanned",)) == []


def test_without_an_earlier_run_no_change_is_known_and_that_is_said(run: Assessment) -> None:
    assert names(run, change=("new",)) == []
    assert said(run, change=("new",)) == ["The run is compared with no earlier one: what changed is not known."]


# --- names that the run does not have --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"account": ("000000000009",)}, "--account 000000000009: no such account in the run. Did you mean 000000000"),
        ({"account": ("payments-prod",)}, "no such account in the run. Did you mean 000000000001 (payments-prod)"),
        ({"account": ("zzz",)}, "There are: 000000000001 (payments-prod), 000000000002 (payments-dev), 000000000003"),
        ({"ou": ("Root/Workload",)}, "--ou Root/Workload: no such OU in the run. Did you mean Root/Workloads"),
        ({"ou": ("Prod",)}, "--ou Prod: no such OU in the run. Did you mean Root/Workloads/Prod?"),
        ({"ou": ("root/sandbox",)}, "Did you mean Root/Sandbox"),
        ({"ou": ("ou-abcd-00000000",)}, "--ou ou-abcd-00000000: no such OU in the run."),
        ({"change": ("newly-unaproved",)}, "--change newly-unaproved: no such change. Did you mean newly-unapproved"),
        ({"change": ("x",)}, "--change x: no such change. There are: new, newly-approved, newly-unapproved"),
        ({"change": ("gone",)}, "--change gone: such users are not in the run. `iam-scanner diff` shows them."),
        ({"name": (" ",)}, "--name is empty."),
    ],
    ids=str,
)
def test_a_name_that_the_run_does_not_have_is_refused_with_candidates(
    run: Assessment, filters: Any, message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        listed(run, **filters)
    assert message in str(caught.value)


def test_all_that_is_wrong_is_said_at_once(run: Assessment) -> None:
    with pytest.raises(UsageError) as caught:
        listed(run, account=("x", "y"), ou=("z",), change=("gone",))
    assert len(str(caught.value).splitlines()) == 4


def test_a_path_that_two_ous_share_is_refused_with_their_ids() -> None:
    (root, shared) = account(2, ou_path="Root/Shared").ous
    one = replace(DEV, ous=(root, replace(shared, addressable=False)))
    two = replace(SANDBOX, ous=(root, replace(shared, id="ou-abcd-22222222", addressable=False)))
    run = assessed(scanned(1), scanned(2, known("old", at=2)), scanned(3), accounts=(PROD, one, two))
    with pytest.raises(UsageError) as caught:
        listed(run, ou=("Root/Shared",))
    assert "the path is not unique" in str(caught.value)
    assert f"use the ID: ou-abcd-22222222 (Root/Shared), {shared.id} (Root/Shared)." in str(caught.value)
    assert names(run, ou=(shared.id,)) == ["old"]
