"""Who calls, and the roles on the way: their ARNs, their session policies, and when they are assumed again."""

import asyncio
import json
from types import SimpleNamespace

import pytest

from scanner.aws.credentials import caller_credentials
from scanner.aws.identity import (
    AssumedRole,
    arn_account,
    hub_policy,
    member_policy,
    organizations_policy,
    role_arn,
    who_calls,
)
from scanner.errors import StartError
from tests.aws.asking import asking
from tests.aws_endpoint import Clock, Fault, Refuse, html, organization
from tests.program import named, small_world

pytestmark = pytest.mark.usefixtures("hurried")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Auditor", "arn:aws:iam::123456789012:role/Auditor"),
        ("audit/Auditor", "arn:aws:iam::123456789012:role/audit/Auditor"),
        ("/audit/Auditor", "arn:aws:iam::123456789012:role/audit/Auditor"),
    ],
)
def test_a_role_s_arn_is_built_from_its_name_and_path(name: str, expected: str) -> None:
    assert role_arn("aws", "123456789012", name) == expected


@pytest.mark.parametrize(
    ("arn", "account"),
    [
        ("arn:aws:iam::123456789012:user/a:b", "123456789012"),
        ("arn:aws-cn:sts::000000000001:assumed-role/x/y", "000000000001"),
        ("arn:aws:iam::aws:policy/x", "aws"),
        ("123456789012", ""),
        ("", ""),
    ],
)
def test_the_account_in_an_arn(arn: str, account: str) -> None:
    assert arn_account(arn) == account


POLICIES = {
    "member": member_policy(full=True),
    "member, basic": member_policy(full=False),
    "hub": hub_policy("aws-us-gov", "audit/Auditor"),
    "organizations": organizations_policy(),
}


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_a_session_policy_fits_and_allows_no_pattern_of_actions(policy: str) -> None:
    """STS takes 2,048 characters, and 50 characters of quota are kept for what it adds."""
    (statement,) = json.loads(policy)["Statement"]
    assert len(policy) < 2_000
    assert statement["Effect"] == "Allow"
    assert not any("*" in action for action in statement["Action"])


@pytest.mark.parametrize("name", ["member", "member, basic", "organizations"])
def test_a_session_policy_allows_reads_alone(name: str) -> None:
    """GenerateCredentialReport is the one call that writes: it replaces the account's stored report."""
    actions = set(json.loads(POLICIES[name])["Statement"][0]["Action"]) - {"iam:GenerateCredentialReport"}
    assert all(action.split(":")[1].startswith(("List", "Get", "Describe", "Lookup")) for action in actions)


def test_the_hub_may_assume_the_member_role_of_any_account_and_nothing_else() -> None:
    (statement,) = json.loads(POLICIES["hub"])["Statement"]
    assert statement["Action"] == ["sts:AssumeRole"]
    assert statement["Resource"] == "arn:aws-us-gov:iam::*:role/audit/Auditor"


async def test_the_caller_is_told_with_its_partition() -> None:
    world = organization(1, 0, partition="aws-cn")
    async with asking(world) as (_, session):
        caller = await who_calls(session)
    assert caller.account_id == world.management_account_id
    assert caller.arn == f"arn:aws-cn:iam::{world.management_account_id}:user/auditor"
    assert caller.partition == "aws-cn"


async def test_a_caller_behind_a_login_page_is_no_start() -> None:
    async with asking(small_world(), [Fault("sts:*", html)]) as (_, session):
        with pytest.raises(StartError, match="AWS did not accept the caller"):
            await who_calls(session)


@pytest.mark.parametrize("code", ["RequestExpired", "SignatureDoesNotMatch"])
async def test_a_caller_whose_clock_is_wrong_is_told_to_set_it(code: str) -> None:
    async with asking(small_world(), [Fault("sts:*", Refuse(403, code, "Signature expired"))]) as (_, session):
        with pytest.raises(StartError, match=f"the caller's credentials: {code}: Signature expired .*clock"):
            await who_calls(session)


async def test_credentials_come_from_where_the_sdk_finds_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("aws") / "credentials"
    file.write_text("[audit]\naws_access_key_id = AKIAOFTHEPROFILE0000\naws_secret_access_key = x\n", encoding="utf-8")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    by_option = await (await caller_credentials("audit"))()
    by_environment = await (await caller_credentials(None))()
    assert by_option.access_key == "AKIAOFTHEPROFILE0000"
    assert by_environment.access_key == "AKIABROKENBROKENBROK"


async def test_a_profile_may_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("aws") / "credentials"
    file.write_text("[audit]\naws_access_key_id = AKIAOFTHEPROFILE0000\naws_secret_access_key = x\n", encoding="utf-8")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    monkeypatch.setenv("AWS_PROFILE", "audit")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    assert (await (await caller_credentials(None))()).access_key == "AKIAOFTHEPROFILE0000"


async def test_a_role_is_assumed_once_for_many_calls_at_once() -> None:
    world = small_world()
    async with asking(world) as (endpoint, session):
        role = AssumedRole(session, role_arn("aws", named(world, "dev").id, "Auditor"), session_name="x1", policy=None)
        found = await asyncio.gather(*(role.credentials() for _ in range(20)))
    assert len({credentials.access_key for credentials in found}) == 1
    assert len(endpoint.sessions) == 1


@pytest.mark.parametrize(("seconds", "times"), [(0, 1), (590, 1), (601, 2), (2000, 2)])
async def test_a_role_is_assumed_again_shortly_before_it_expires(
    monkeypatch: pytest.MonkeyPatch, seconds: int, times: int
) -> None:
    now = 1000.0
    monkeypatch.setattr("scanner.aws.identity.time", SimpleNamespace(monotonic=lambda: now))
    world = small_world()
    async with asking(world) as (endpoint, session):
        role = AssumedRole(session, role_arn("aws", named(world, "dev").id, "Auditor"), session_name="x1", policy=None)
        await role.credentials()
        now += seconds
        await role.credentials()
    assert len(endpoint.sessions) == times


@pytest.mark.parametrize("seconds", [-3600, -600, 600, 3600])
async def test_a_clock_that_is_wrong_neither_assumes_a_role_for_every_call_nor_keeps_it_too_long(
    monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    """What AWS gives for 900 seconds ends at a time of day that seems long past here, or far away."""
    now = 1000.0
    monkeypatch.setattr("scanner.aws.identity.time", SimpleNamespace(monotonic=lambda: now))
    world = small_world()
    clock = Clock()
    clock.advance(seconds)
    async with asking(world, clock=clock) as (endpoint, session):
        role = AssumedRole(session, role_arn("aws", named(world, "dev").id, "Auditor"), session_name="x1", policy=None)
        for _ in range(5):
            await role.credentials()
        assert len(endpoint.sessions) == 1
        now += 601
        await role.credentials()
    assert len(endpoint.sessions) == 2
