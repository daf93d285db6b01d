"""Organizations and STS of the simulated AWS, asked by the SDK itself."""

import json
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from botocore import UNSIGNED
from botocore.config import Config

from tests.aws_endpoint import (
    DELEGATED_KEY,
    MANAGEMENT_KEY,
    MEMBER_KEY,
    Caller,
    Clock,
    Endpoint,
    InlinePolicy,
    SimulatedAccount,
    SimulatedOrganization,
    SimulatedRole,
    empty_organization,
    organization,
)
from tests.aws_endpoint.sdk_client import ONCE, assume, client, pages, refusal, sizes

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def world() -> SimulatedOrganization:
    return organization(6, 3)


@pytest.fixture
def member(world: SimulatedOrganization) -> SimulatedAccount:
    return world.members[0]


# --- Organizations ----------------------------------------------------------------------------------------------------


async def test_lists_of_organizations_come_in_pages_of_twenty() -> None:
    world = empty_organization()
    for number in range(44):
        world.add_account(f"account-{number}")
        world.add_ou(f"unit-{number}")
    async with Endpoint(world) as endpoint, client(endpoint, "organizations") as aws:
        assert sizes(await pages(aws.list_accounts, "Accounts")) == [20, 20, 5]
        assert sizes(await pages(aws.list_accounts, "Accounts", MaxResults=19)) == [19, 19, 7]
        in_root = await pages(aws.list_accounts_for_parent, "Accounts", ParentId=world.root.id)
        units = await pages(aws.list_organizational_units_for_parent, "OrganizationalUnits", ParentId=world.root.id)
        assert sizes(in_root) == [20, 20, 5]
        assert sizes(units) == [20, 20, 4]
        assert [account["Id"] for page in in_root for account in page] == list(world.accounts)


async def test_the_tree_can_be_walked_and_asked_about(world: SimulatedOrganization, member: SimulatedAccount) -> None:
    async with Endpoint(world) as endpoint, client(endpoint, "organizations") as aws:
        (root,) = (await aws.list_roots())["Roots"]
        units = (await aws.list_organizational_units_for_parent(ParentId=root["Id"]))["OrganizationalUnits"]
        listed = {account for place in [root, *units] for account in await _accounts_of(aws, place["Id"])}
        assert listed == set(world.accounts)
        assert (await aws.list_parents(ChildId=member.id))["Parents"][0]["Id"] == member.parent_id
        assert (await aws.describe_account(AccountId=member.id))["Account"]["State"] == "ACTIVE"
        described = await aws.describe_organizational_unit(OrganizationalUnitId=units[0]["Id"])
        assert described["OrganizationalUnit"]["Name"] == "Unit 0000"
        assert (await aws.describe_organization())["Organization"]["MasterAccountId"] == world.management_account_id


async def _accounts_of(aws: Any, parent: str) -> list[str]:
    return [account["Id"] for account in (await aws.list_accounts_for_parent(ParentId=parent))["Accounts"]]


@pytest.mark.parametrize(
    ("operation", "asked", "code"),
    [
        ("list_accounts_for_parent", {"ParentId": "ou-ex01-99999999"}, "ParentNotFoundException"),
        ("list_organizational_units_for_parent", {"ParentId": "r-none"}, "ParentNotFoundException"),
        ("list_accounts_for_parent", {"ParentId": "Production"}, "InvalidInputException"),
        ("list_parents", {"ChildId": "000000000000"}, "ChildNotFoundException"),
        ("describe_account", {"AccountId": "000000000000"}, "AccountNotFoundException"),
        (
            "describe_organizational_unit",
            {"OrganizationalUnitId": "ou-ex01-99999999"},
            "OrganizationalUnitNotFoundException",
        ),
        ("list_accounts", {"NextToken": "bm9uc2Vuc2U="}, "InvalidInputException"),
        ("list_accounts", {"MaxResults": 21}, "InvalidInputException"),
    ],
)
async def test_organizations_refuses_as_aws_does(operation: str, asked: dict[str, Any], code: str) -> None:
    async with Endpoint(organization(2, 0)) as endpoint, client(endpoint, "organizations") as aws:
        assert (await refusal(getattr(aws, operation)(**asked)))[:2] == (400, code)


async def test_a_token_serves_only_the_list_that_it_came_from() -> None:
    async with Endpoint(organization(30, 0)) as endpoint, client(endpoint, "organizations") as aws:
        token = (await aws.list_accounts())["NextToken"]
        code = (await refusal(aws.list_accounts_for_parent(ParentId="r-ex01", NextToken=token)))[1]
        assert code == "InvalidInputException"


async def test_only_management_and_delegated_administrators_read_the_organization(world: SimulatedOrganization) -> None:
    world.delegated_administrators.append(world.members[2].id)
    async with Endpoint(world) as endpoint:
        async with client(endpoint, "organizations", DELEGATED_KEY) as aws:
            assert len((await aws.list_accounts())["Accounts"]) == 6
        async with client(endpoint, "organizations", MEMBER_KEY) as aws:
            assert (await aws.describe_organization())["Organization"]["Id"] == world.id
            assert (await refusal(aws.list_accounts()))[:2] == (400, "AccessDeniedException")
            world.in_use = False
            assert (await refusal(aws.describe_organization()))[1] == "AWSOrganizationsNotInUseException"


@pytest.mark.parametrize("members", [("State",), ("Status",), ("State", "Status"), ()])
async def test_an_account_has_the_state_members_that_the_world_says(members: tuple[str, ...]) -> None:
    world = organization(1, 0)
    world.state_members = members
    world.management.name = 'line\nbreak, "quotes" and ünïcode'
    async with Endpoint(world) as endpoint, client(endpoint, "organizations") as aws:
        (account,) = (await aws.list_accounts())["Accounts"]
        assert {"State", "Status"} & set(account) == set(members)
        assert account["Name"] == world.management.name


# --- callers and roles ------------------------------------------------------------------------------------------------


async def test_each_key_stands_for_its_caller(world: SimulatedOrganization, member: SimulatedAccount) -> None:
    extra = Caller(
        access_key_id="ASIAEXTRA", account_id=member.id, arn=f"arn:aws:iam::{member.id}:user/x", session_token="t"
    )
    async with Endpoint(world, callers=[extra]) as endpoint:
        for key, token, account in [
            (MANAGEMENT_KEY, None, world.management_account_id),
            (MEMBER_KEY, None, member.id),
            ("ASIAEXTRA", "t", member.id),
        ]:
            async with client(endpoint, "sts", key, aws_session_token=token) as sts:
                assert (await sts.get_caller_identity())["Account"] == account


async def test_an_assumed_role_reads_its_own_account(world: SimulatedOrganization) -> None:
    async with Endpoint(world) as endpoint:
        for account in world.members:
            session = await assume(endpoint, account.id, role="audit/readers/auditor")
            async with client(endpoint, "iam", **session) as iam, client(endpoint, "sts", **session) as sts:
                users = (await iam.list_users())["Users"]
                identity = await sts.get_caller_identity()
            assert {user["Arn"].split(":")[4] for user in users} == {account.id}
            assert identity["Arn"] == f"arn:aws:sts::{account.id}:assumed-role/auditor/review"
        assert [call.account_id for call in endpoint.calls_to("sts:AssumeRole")] == [a.id for a in world.members]
        assert endpoint.counts["iam:ListUsers"] == 5


async def test_credentials_that_are_not_good_are_refused(world: SimulatedOrganization) -> None:
    async with Endpoint(world) as endpoint:
        session = await assume(endpoint, world.members[0].id)
        async with client(endpoint, "iam", "AKIAUNKNOWN") as iam:
            assert (await refusal(iam.list_users()))[:2] == (403, "InvalidClientTokenId")
        async with client(endpoint, "organizations", "AKIAUNKNOWN") as aws:
            assert (await refusal(aws.list_roots()))[:2] == (400, "UnrecognizedClientException")
        async with client(endpoint, "iam", session["key"]) as iam:
            assert (await refusal(iam.list_users()))[:2] == (403, "InvalidClientTokenId")
        async with client(endpoint, "iam", config=Config(signature_version=UNSIGNED, retries=ONCE)) as iam:
            assert (await refusal(iam.list_users()))[:2] == (403, "MissingAuthenticationToken")
        assert len(endpoint.rejected) == 4


async def test_a_signature_for_another_service_is_refused(world: SimulatedOrganization) -> None:
    scope = f"AWS4-HMAC-SHA256 Credential={MANAGEMENT_KEY}/20260301/us-east-1/sts/aws4_request, Signature=0"
    form = {"Action": "ListUsers", "Version": "2010-05-08"}
    async with Endpoint(world) as endpoint, aiohttp.ClientSession(headers={"Authorization": scope}) as http:
        answer = await http.post(endpoint.url, data=form)
        assert answer.status == 403
        assert "<Code>SignatureDoesNotMatch</Code>" in await answer.text()


async def test_a_session_ends_when_its_time_is_up(world: SimulatedOrganization, member: SimulatedAccount) -> None:
    async with Endpoint(world, clock=Clock(NOON)) as endpoint:
        session = await assume(endpoint, member.id)
        async with client(endpoint, "iam", **session) as iam, client(endpoint, "organizations", **session) as aws:
            endpoint.clock.advance(899)
            assert (await iam.list_users())["Users"]
            endpoint.clock.advance(1)
            assert (await refusal(iam.list_users()))[:2] == (403, "ExpiredToken")
            assert (await refusal(aws.list_roots()))[:2] == (400, "ExpiredTokenException")


async def test_assume_role_refuses_as_sts_does(world: SimulatedOrganization, member: SimulatedAccount) -> None:
    closed, strict = world.members[1:3]
    closed.state = "SUSPENDED"
    strict.roles = [
        SimulatedRole(name="auditor", external_id="open-sesame"),
        SimulatedRole(name="theirs", trusted=("arn:aws:iam::*:role/other",)),
    ]
    async with Endpoint(world) as endpoint:
        denied = f"is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::{strict.id}:role/auditor"
        status, code, message = await refusal(assume(endpoint, strict.id))
        assert (status, code) == (403, "AccessDenied")
        assert message == f"User: arn:aws:iam::{world.management_account_id}:user/auditor {denied}"
        for refused in [
            assume(endpoint, closed.id),
            assume(endpoint, "000000000000"),
            assume(endpoint, strict.id, role="theirs"),
            assume(endpoint, strict.id, role="missing"),
            assume(endpoint, strict.id, ExternalId="wrong"),
        ]:
            assert (await refusal(refused))[:2] == (403, "AccessDenied")
        for invalid in [
            assume(endpoint, member.id, DurationSeconds=50_000),
            assume(endpoint, member.id, DurationSeconds=7200),
            assume(endpoint, member.id, RoleSessionName="bad name"),
            assume(endpoint, member.id, Policy=InlinePolicy.allowing("", "x" * 2048).document),
        ]:
            assert (await refusal(invalid))[:2] == (400, "ValidationError")
        assert (await refusal(assume(endpoint, member.id, Policy="{}")))[1] == "MalformedPolicyDocument"
        assert endpoint.sessions == []
        await assume(endpoint, strict.id, ExternalId="open-sesame")
        assert endpoint.sessions[0].external_id == "open-sesame"


async def test_a_role_is_reached_through_a_hub_for_an_hour_at_most(world: SimulatedOrganization) -> None:
    hub, spoke = world.members[:2]
    spoke.roles = [SimulatedRole(name="auditor", trusted=("*:assumed-role/hub/*",), max_session=43_200)]
    async with Endpoint(world) as endpoint:
        assert (await refusal(assume(endpoint, spoke.id)))[1] == "AccessDenied"
        through = await assume(endpoint, hub.id, role="hub")
        chain = {"key": through["key"], "token": through["aws_session_token"]}
        too_long = await refusal(assume(endpoint, spoke.id, DurationSeconds=3601, **chain))
        assert too_long[1] == "ValidationError"
        await assume(endpoint, spoke.id, DurationSeconds=3600, **chain)
        assert endpoint.sessions[-1].caller_arn == f"arn:aws:sts::{hub.id}:assumed-role/hub/review"


async def test_a_session_policy_limits_the_session(world: SimulatedOrganization, member: SimulatedAccount) -> None:
    policy = InlinePolicy.allowing("", "iam:List*").document
    async with Endpoint(world) as endpoint:
        session = await assume(endpoint, member.id, Policy=policy)
        async with client(endpoint, "iam", **session) as iam:
            assert len((await iam.list_users())["Users"]) == 3
            status, code, message = await refusal(iam.get_account_summary())
        assert (status, code) == (403, "AccessDenied")
        assert message.endswith("because no session policy allows the iam:GetAccountSummary action")
        assert json.loads(endpoint.sessions[0].policy or "")["Statement"][0]["Action"] == ["iam:List*"]
