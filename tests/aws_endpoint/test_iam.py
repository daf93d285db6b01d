"""IAM of the simulated AWS, asked by the SDK itself."""

import csv
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.aws_endpoint import (
    Clock,
    Endpoint,
    InlinePolicy,
    SimulatedAccount,
    SimulatedGroup,
    SimulatedKey,
    SimulatedOrganization,
    SimulatedPolicy,
    StoredReport,
    empty_organization,
    organization,
)
from tests.aws_endpoint.sdk_client import client, pages, refusal, sizes

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def world() -> SimulatedOrganization:
    return empty_organization()


@pytest.fixture
def account(world: SimulatedOrganization) -> SimulatedAccount:
    return world.management


async def test_users_come_in_pages_in_the_order_of_their_names() -> None:
    async with Endpoint(organization(1, 250, full=False)) as endpoint, client(endpoint, "iam") as iam:
        assert sizes(await pages(iam.list_users, "Users")) == [100, 100, 50]
        by_seven = await pages(iam.list_users, "Users", MaxItems=7)
        assert sizes(by_seven) == [7] * 35 + [5]
        names = [user["UserName"] for page in by_seven for user in page]
        assert names == sorted(names)
        assert len(set(names)) == 250
        assert sizes(await pages(iam.list_users, "Users", MaxItems=1000)) == [250]
        assert (await refusal(iam.list_users(MaxItems=1, Marker="AAAA")))[:2] == (400, "ValidationError")


async def test_a_listed_user_has_what_aws_lists_and_no_more(
    world: SimulatedOrganization, account: SimulatedAccount
) -> None:
    user = account.add_user("cc=x,y", path="/a&b/", password_last_used=NOON, tags=(("k", "v"),))
    account.add_user("other")
    async with Endpoint(world) as endpoint, client(endpoint, "iam") as iam:
        (listed,) = (await iam.list_users(PathPrefix="/a&b/"))["Users"]
    assert listed == {
        "Path": "/a&b/",
        "UserName": "cc=x,y",
        "UserId": user.user_id,
        "Arn": f"arn:aws:iam::{account.id}:user/a&b/cc=x,y",
        "CreateDate": user.created_at,
        "PasswordLastUsed": NOON,
    }


async def test_authorization_details_are_paged_over_users_then_groups() -> None:
    async with Endpoint(organization(1, 5)) as endpoint, client(endpoint, "iam") as iam:
        asked: dict[str, Any] = {"Filter": ["User", "Group"], "MaxItems": 4}
        users = await pages(iam.get_account_authorization_details, "UserDetailList", **asked)
        groups = await pages(iam.get_account_authorization_details, "GroupDetailList", **asked)
        assert (sizes(users), sizes(groups)) == ([4, 1], [0, 2])
        alone = await iam.get_account_authorization_details(Filter=["Group"])
        assert (len(alone["UserDetailList"]), len(alone["GroupDetailList"])) == (0, 2)


async def test_authorization_details_tell_what_a_user_may_do(
    world: SimulatedOrganization, account: SimulatedAccount
) -> None:
    policy = InlinePolicy.allowing("own & <only>", "s3:*")
    boundary = account.arn("policy", "/", "limits")
    text = "R&D <1>\r\n\u2028ü"
    account.add_user("ann", groups=("devs",), inline=(policy,), boundary=boundary, tags=(("note", text),))
    account.groups.append(SimulatedGroup(name="devs", attached=("arn:aws:iam::aws:policy/AdministratorAccess",)))
    account.policies.append(SimulatedPolicy(name="limits", document=policy.document))
    async with Endpoint(world) as endpoint, client(endpoint, "iam") as iam:
        details = await iam.get_account_authorization_details()
    (user,), (group,), (managed,) = details["UserDetailList"], details["GroupDetailList"], details["Policies"]
    assert user["UserPolicyList"][0]["PolicyName"] == "own & <only>"
    assert user["UserPolicyList"][0]["PolicyDocument"]["Statement"][0]["Action"] == ["s3:*"]
    assert user["GroupList"] == ["devs"]
    assert user["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary
    assert user["Tags"] == [{"Key": "note", "Value": text}]
    assert group["AttachedManagedPolicies"][0]["PolicyName"] == "AdministratorAccess"
    assert managed["PolicyVersionList"][0]["Document"]["Statement"][0]["Action"] == ["s3:*"]


async def test_the_summary_counts_users_or_claims_to(world: SimulatedOrganization, account: SimulatedAccount) -> None:
    account.add_user("ann")
    async with Endpoint(world) as endpoint, client(endpoint, "iam") as iam:
        assert (await iam.get_account_summary())["SummaryMap"]["Users"] == 1
        account.counted_users = 7
        summary = (await iam.get_account_summary())["SummaryMap"]
    assert (summary["Users"], summary["UsersQuota"]) == (7, 5000)


# --- the credential report --------------------------------------------------------------------------------------------


async def test_a_credential_report_is_begun_made_kept_and_expires(
    world: SimulatedOrganization, account: SimulatedAccount
) -> None:
    account.add_user("ann")
    account.report_polls = 2
    async with Endpoint(world, clock=Clock(NOON)) as endpoint, client(endpoint, "iam") as iam:
        assert (await refusal(iam.get_credential_report()))[:2] == (410, "ReportNotPresent")
        assert await _generated(iam) == "STARTED"
        assert await _generated(iam) == "INPROGRESS"
        assert (await refusal(iam.get_credential_report()))[:2] == (404, "ReportInProgress")
        assert await _generated(iam) == "COMPLETE"
        account.add_user("bob")  # too late for this report
        endpoint.clock.advance(3.9 * 3600)
        assert await _generated(iam) == "COMPLETE"
        assert await _reported(iam) == ["<root_account>", "ann"]
        endpoint.clock.advance(0.1 * 3600)
        assert (await refusal(iam.get_credential_report()))[:2] == (410, "ReportExpired")
        account.report_polls = 0
        assert await _generated(iam) == "STARTED"
        assert await _reported(iam) == ["<root_account>", "ann", "bob"]


async def test_a_report_takes_the_time_that_the_account_says(
    world: SimulatedOrganization, account: SimulatedAccount
) -> None:
    account.report_delay = 30
    async with Endpoint(world, clock=Clock(NOON)) as endpoint, client(endpoint, "iam") as iam:
        assert [await _generated(iam), await _generated(iam)] == ["STARTED", "INPROGRESS"]
        endpoint.clock.advance(30)
        assert await _generated(iam) == "COMPLETE"


async def test_a_stored_report_may_tell_of_other_users(world: SimulatedOrganization, account: SimulatedAccount) -> None:
    gone = account.add_user("gone")
    account.remove_user("gone")
    account.add_user("gone", serial=2)
    account.report = StoredReport(generated_at=NOON - timedelta(hours=3), users=(gone,))
    async with Endpoint(world, clock=Clock(NOON)) as endpoint, client(endpoint, "iam") as iam:
        assert await _generated(iam) == "COMPLETE"
        answer = await iam.get_credential_report()
        assert answer["GeneratedTime"] == NOON - timedelta(hours=3)
        assert (await iam.list_users())["Users"][0]["UserId"] != gone.user_id


async def test_a_report_has_the_columns_and_the_words_of_aws(
    world: SimulatedOrganization, account: SimulatedAccount
) -> None:
    used, unused = SimulatedKey(last_rotated=NOON, last_used=NOON), SimulatedKey(active=False, last_rotated=NOON)
    account.add_user("Zoe", console=True, mfa=True, created_at=NOON, keys=(used, unused))
    account.add_user("ann,b", console=True, password_last_used=NOON)
    async with Endpoint(world) as endpoint, client(endpoint, "iam") as iam:
        await _generated(iam)
        text = (await iam.get_credential_report())["Content"].decode()
    root, ann, zoe = csv.DictReader(text.splitlines())
    assert len(root) == 22
    assert not text.endswith("\n")
    assert (root["password_enabled"], root["arn"]) == ("not_supported", f"arn:aws:iam::{account.id}:root")
    assert (ann["user"], ann["password_last_used"]) == ("ann,b", "2026-03-01T12:00:00+00:00")
    assert (zoe["password_last_used"], zoe["mfa_active"]) == ("no_information", "true")
    assert (zoe["access_key_1_active"], zoe["access_key_1_last_used_date"]) == ("true", "2026-03-01T12:00:00+00:00")
    assert (zoe["access_key_2_active"], zoe["access_key_2_last_used_date"]) == ("false", "N/A")


async def _generated(iam: Any) -> str:
    state: str = (await iam.generate_credential_report())["State"]
    return state


async def _reported(iam: Any) -> list[str]:
    content: bytes = (await iam.get_credential_report())["Content"]
    return [line.partition(",")[0] for line in content.decode().splitlines()[1:]]
