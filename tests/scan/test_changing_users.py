"""Users that are made, deleted and renamed while their account is read."""

import pytest

from scanner.model import FailReason, Scanned
from scanner.scan.account import scan_account
from tests.aws_endpoint import Call, Do, Endpoint, Fault, first, missing_user, nth
from tests.scan.entering import entrance, failed, known, names, one_account, scanned

pytestmark = pytest.mark.usefixtures("hurried")


async def test_a_user_that_only_the_details_have_is_listed_once_more() -> None:
    world, member = one_account("alice", "bob")
    async with (
        Endpoint(world, [Fault("iam:ListUsers", missing_user, when=first(1))]) as endpoint,
        entrance(endpoint) as way,
    ):
        scan = await scan_account(known(member), way, lambda: None)
    assert isinstance(scan, Scanned)
    assert names(scan) == ["alice", "bob"]
    assert endpoint.counts["iam:ListUsers"] == 2


async def test_a_user_that_only_the_details_have_for_good_is_an_incomplete_listing() -> None:
    world, member = one_account("alice", "bob")
    failure = (await failed(world, member, Fault("iam:ListUsers", missing_user))).failure
    assert (failure.reason, failure.call) == (FailReason.INCOMPLETE_LISTING, "iam:ListUsers")
    assert "bob" in failure.detail


async def test_a_user_created_between_two_calls_is_not_missed() -> None:
    """ListUsers comes first; the details that follow already have the new one."""
    world, member = one_account("alice")

    def create(call: Call) -> None:
        member.add_user("bob")

    scan = await scanned(world, member, Fault("iam:GetAccountAuthorizationDetails", Do(create), when=nth(1)))
    assert names(scan) == ["alice", "bob"]


async def test_a_user_deleted_between_two_calls_has_no_access_and_a_note() -> None:
    world, member = one_account("alice", "bob")

    def delete(call: Call) -> None:
        member.remove_user("bob")

    scan = await scanned(world, member, Fault("iam:GetAccountAuthorizationDetails", Do(delete), when=nth(1)))
    assert names(scan) == ["alice", "bob"]
    assert any("1 of 2 users are not in the authorization details" in note for note in scan.notes)
