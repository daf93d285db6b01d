"""Users that are made, deleted, recreated and renamed while their account is read, in every order of events.

ListUsers comes first, then GetAccountAuthorizationDetails, then ListUsers once more where the details have a user that
the first list lacks.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from scanner.model import Evidence, FailReason, Scanned
from scanner.scan.account import scan_account
from tests.aws_endpoint import Call, Do, Endpoint, Fault, SimulatedAccount, first, missing_user, nth
from tests.scan.entering import entrance, failed, known, names, one_account, scanned

pytestmark = pytest.mark.usefixtures("hurried")

LIST = "iam:ListUsers"
DETAILS = "iam:GetAccountAuthorizationDetails"
Event = Callable[[SimulatedAccount], object]


def before(call: str, member: SimulatedAccount, *events: Event, number: int = 1) -> Fault:
    """Let these things happen as this call comes in, before it is answered."""

    def happen(_: Call) -> None:
        for event in events:
            event(member)

    return Fault(call, Do(happen), when=nth(number))


def create(name: str, serial: int = 1) -> Event:
    return lambda member: member.add_user(name, serial=serial)


def delete(name: str) -> Event:
    return lambda member: member.remove_user(name)


def rename(old: str, new: str) -> Event:
    def change(member: SimulatedAccount) -> None:
        member.users = [replace(user, name=new) if user.name == old else user for user in member.users]

    return change


def with_access(scan: Scanned) -> dict[str, bool]:
    return {user.user_name: user.access is not None for user in scan.users}


# --- created ---------------------------------------------------------------------------------------------------------


async def test_a_user_created_before_the_details_is_listed_once_more_and_whole() -> None:
    world, member = one_account("alice")
    scan = await scanned(world, member, before(DETAILS, member, create("bob")))
    assert with_access(scan) == {"alice": True, "bob": True}
    assert scan.evidence is Evidence.FULL


async def test_a_user_created_after_the_details_is_in_the_second_list_without_access() -> None:
    world, member = one_account("alice")
    events = [before(DETAILS, member, create("bob")), before(LIST, member, create("carol"), number=2)]
    scan = await scanned(world, member, *events)
    assert with_access(scan) == {"alice": True, "bob": True, "carol": False}
    assert "Missing from the authorization details: 1 of 3 users." in scan.notes


async def test_a_user_created_after_the_last_list_is_the_next_scan_s() -> None:
    world, member = one_account("alice")
    scan = await scanned(world, member, before("iam:GetAccountSummary", member, create("bob")))
    assert names(scan) == ["alice"]
    assert scan.notes == ("GetAccountSummary counts 2 users, ListUsers gave 1; it can lag behind.",)


# --- deleted ---------------------------------------------------------------------------------------------------------


async def test_a_user_deleted_before_the_details_has_no_access_and_a_note() -> None:
    world, member = one_account("alice", "bob")
    scan = await scanned(world, member, before(DETAILS, member, delete("bob")))
    assert with_access(scan) == {"alice": True, "bob": False}
    assert "Missing from the authorization details: 1 of 2 users." in scan.notes


async def test_a_user_that_only_the_second_list_lacks_is_a_note_and_no_gap() -> None:
    """A vault makes a user every few seconds, and deletes an older one."""
    world, member = one_account("alice", "vault-1")
    events = [before(DETAILS, member, create("vault-2")), before(LIST, member, delete("vault-1"), number=2)]
    async with Endpoint(world, events) as endpoint, entrance(endpoint) as way:
        scan = await scan_account(known(member), way, lambda: None)
    assert isinstance(scan, Scanned)
    assert endpoint.counts[LIST] == 2
    assert "In the first list of users and not in the second, so probably deleted meanwhile: vault-1." in scan.notes
    assert with_access(scan) == {"alice": True, "vault-1": True, "vault-2": True}


async def test_a_user_that_both_the_details_and_the_second_list_lack_is_a_note_too() -> None:
    world, member = one_account("alice", "vault-1")
    scan = await scanned(world, member, before(DETAILS, member, delete("vault-1"), create("vault-2")))
    assert "In the first list of users and not in the second, so probably deleted meanwhile: vault-1." in scan.notes
    assert with_access(scan) == {"alice": True, "vault-1": False, "vault-2": True}


async def test_a_note_names_ten_deleted_users_and_counts_the_others() -> None:
    temporary = [f"vault-{number:02}" for number in range(12)]
    world, member = one_account("alice", *temporary)
    scan = await scanned(world, member, before(DETAILS, member, *map(delete, temporary), create("bob")))
    assert any(note.endswith("vault-08, vault-09 and 2 more.") for note in scan.notes)


async def test_a_user_created_and_deleted_between_the_two_lists_cannot_be_told_from_one_passed_over() -> None:
    world, member = one_account("alice")
    events = [before(DETAILS, member, create("bob")), before(LIST, member, delete("bob"), number=2)]
    failure = (await failed(world, member, *events)).failure
    assert (failure.reason, failure.call) == (FailReason.INCOMPLETE_LISTING, LIST)
    assert failure.detail == "GetAccountAuthorizationDetails has users that ListUsers lacks: bob."


# --- recreated and renamed -------------------------------------------------------------------------------------------


async def test_of_a_user_recreated_between_the_lists_the_new_one_counts_without_the_old_one_s_access() -> None:
    world, member = one_account("alice", "bob")
    old = next(user.user_id for user in member.users if user.name == "alice")
    events = [
        before(DETAILS, member, create("carol")),
        before(LIST, member, delete("alice"), create("alice", serial=2), number=2),
    ]
    scan = await scanned(world, member, *events)
    assert with_access(scan) == {"alice": False, "bob": True, "carol": True}
    assert old not in {user.user_id for user in scan.users}
    assert "Deleted while the account was read, and the name used again: alice." in scan.notes


async def test_a_user_recreated_before_the_details_has_the_access_of_the_new_one() -> None:
    world, member = one_account("alice")
    again = create("Alice", serial=2)
    scan = await scanned(world, member, before(DETAILS, member, delete("alice"), again))
    (user,) = scan.users
    assert user.user_name == "Alice"
    assert user.user_id == member.users[0].user_id
    assert user.access is not None
    assert "Deleted while the account was read, and the name used again: alice." in scan.notes


async def test_a_user_renamed_between_the_lists_is_one_user_under_its_new_name() -> None:
    world, member = one_account("alice")
    events = [before(DETAILS, member, create("bob")), before(LIST, member, rename("alice", "zoe"), number=2)]
    scan = await scanned(world, member, *events)
    assert with_access(scan) == {"bob": True, "zoe": True}
    assert not any("deleted" in note.lower() for note in scan.notes)


async def test_a_user_renamed_before_the_details_is_the_same_user() -> None:
    world, member = one_account("alice")
    scan = await scanned(world, member, before(DETAILS, member, rename("alice", "zoe")))
    assert with_access(scan) == {"alice": True}


async def test_a_user_renamed_while_the_list_is_paged_is_listed_once_more() -> None:
    """From the first page to the second: it would be there twice."""
    world, member = one_account(*(f"user-{number:04}" for number in range(1005)))
    again = before(LIST, member, rename("user-0000", "zoe"), number=2)
    async with Endpoint(world, [again]) as endpoint, entrance(endpoint, evidence="basic") as way:
        scan = await scan_account(known(member), way, lambda: None)
    assert isinstance(scan, Scanned)
    assert len(names(scan)) == len(set(names(scan))) == 1005
    assert "user-0000" not in names(scan)
    assert endpoint.counts[LIST] == 4


async def test_a_user_recreated_while_the_list_is_paged_is_no_pair_of_equal_names() -> None:
    """Old and new are on two pages, as another user that was created moves the list on by one."""
    world, member = one_account(*(f"user-{number:04}" for number in range(1001)))
    events = delete("user-0999"), create("user-0999", serial=2), create("a")
    async with (
        Endpoint(world, [before(LIST, member, *events, number=2)]) as endpoint,
        entrance(endpoint, evidence="basic") as way,
    ):
        scan = await scan_account(known(member), way, lambda: None)
    assert isinstance(scan, Scanned), scan
    assert {user.user_id for user in scan.users} == {user.user_id for user in member.users}
    assert endpoint.counts[LIST] == 4


# --- passed over -----------------------------------------------------------------------------------------------------


async def test_a_user_that_the_list_lacks_once_is_listed_once_more() -> None:
    world, member = one_account("alice", "bob")
    async with (
        Endpoint(world, [Fault(LIST, missing_user, when=first(1))]) as endpoint,
        entrance(endpoint) as way,
    ):
        scan = await scan_account(known(member), way, lambda: None)
    assert isinstance(scan, Scanned)
    assert names(scan) == ["alice", "bob"]
    assert endpoint.counts[LIST] == 2


async def test_a_user_that_the_list_lacks_for_good_is_an_incomplete_listing() -> None:
    world, member = one_account("alice", "bob")
    failure = (await failed(world, member, Fault(LIST, missing_user))).failure
    assert (failure.reason, failure.call) == (FailReason.INCOMPLETE_LISTING, LIST)
    assert "bob" in failure.detail


async def test_a_user_that_only_the_first_list_has_is_kept_as_the_second_one_may_lag_behind() -> None:
    """To say that it is deleted would be a claim; to leave it out could pass over a user."""
    world, member = one_account("alice", "bob")
    lagging = Fault(LIST, missing_user, when=nth(2))  # lacks bob, the last one
    scan = await scanned(world, member, before(DETAILS, member, create("aaron")), lagging)
    assert with_access(scan) == {"aaron": True, "alice": True, "bob": True}
