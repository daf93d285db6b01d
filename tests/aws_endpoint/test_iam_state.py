"""The account that keeps state behaves as IAM does: what it refuses, in whose words, and what it lets through."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.aws_endpoint import Endpoint, empty_organization
from tests.aws_endpoint.iam_permissions import rights
from tests.aws_endpoint.iam_state import LiveAccount, LiveKey, live_account
from tests.aws_endpoint.sdk_client import assume, client, refusal

Take = Callable[[Any], Awaitable[Any]]
ALICE = {"UserName": "alice"}
KEY, SSH_KEY, SERVICE = "AKIAALICE00000000001", "APKAALICE00000000001", "ACCAALICE00000000001"
CERTIFICATE = "CERTALICE000000000000001"


@pytest.fixture
def prod() -> LiveAccount:
    return live_account(empty_organization(), "prod")


def endpoint_of(account: LiveAccount) -> Endpoint:
    world = empty_organization()
    world.accounts[account.id] = account
    return Endpoint(world)


CASES: dict[str, tuple[dict[str, Any], str, Take]] = {
    "login profile": (
        {"password": True},
        "must delete login profile first.",
        lambda iam: iam.delete_login_profile(**ALICE),
    ),
    "access key": (
        {"keys": {KEY: LiveKey()}},
        "must delete access keys first.",
        lambda iam: iam.delete_access_key(**ALICE, AccessKeyId=KEY),
    ),
    "signing certificate": (
        {"certificates": {CERTIFICATE: LiveKey()}},
        "must delete certificates first.",
        lambda iam: iam.delete_signing_certificate(**ALICE, CertificateId=CERTIFICATE),
    ),
    "SSH key": (
        {"ssh_keys": {SSH_KEY: LiveKey()}},
        "must remove referenced objects first.",
        lambda iam: iam.delete_ssh_public_key(**ALICE, SSHPublicKeyId=SSH_KEY),
    ),
    "service-specific credential": (
        {"service_credentials": {SERVICE: LiveKey()}},
        "must remove referenced objects first.",
        lambda iam: iam.delete_service_specific_credential(**ALICE, ServiceSpecificCredentialId=SERVICE),
    ),
    "MFA device": (
        {"mfa": ["GAHT12345678"]},
        "must delete MFA device first.",
        lambda iam: iam.deactivate_mfa_device(**ALICE, SerialNumber="GAHT12345678"),
    ),
    "inline policy": (
        {"inline": {"deploy": '{"Statement":[]}'}},
        "must delete policies first.",
        lambda iam: iam.delete_user_policy(**ALICE, PolicyName="deploy"),
    ),
    "attached policy": (
        {"attached": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]},
        "must detach all policies first.",
        lambda iam: iam.detach_user_policy(**ALICE, PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess"),
    ),
    "group": (
        {"groups": ["devs"]},
        "must remove users from group first.",
        lambda iam: iam.remove_user_from_group(**ALICE, GroupName="devs"),
    ),
}


@pytest.mark.parametrize(("details", "message", "take"), CASES.values(), ids=CASES)
async def test_a_user_is_not_deleted_while_something_hangs_on_it(
    prod: LiveAccount, details: dict[str, Any], message: str, take: Take
) -> None:
    prod.user("alice", **details)
    async with endpoint_of(prod) as endpoint, client(endpoint, "iam", **await assume(endpoint, prod.id)) as iam:
        assert await refusal(iam.delete_user(**ALICE)) == (409, "DeleteConflict", f"Cannot delete entity, {message}")
        await take(iam)
        await iam.delete_user(**ALICE)
        assert (await refusal(iam.get_user(**ALICE)))[:2] == (404, "NoSuchEntity")
    assert prod.kept.users == {}


async def test_a_virtual_device_outlives_its_user_and_is_not_deleted_while_it_is_active(prod: LiveAccount) -> None:
    serial = prod.device("alice")
    prod.user("alice", mfa=[serial])
    async with endpoint_of(prod) as endpoint, client(endpoint, "iam", **await assume(endpoint, prod.id)) as iam:
        assert (await refusal(iam.delete_virtual_mfa_device(SerialNumber=serial)))[:2] == (409, "DeleteConflict")
        await iam.deactivate_mfa_device(**ALICE, SerialNumber=serial)
        assert prod.kept.devices == {serial}
        await iam.delete_virtual_mfa_device(SerialNumber=serial)
        assert prod.kept.devices == set()
        assert (await refusal(iam.delete_virtual_mfa_device(SerialNumber=serial)))[1] == "NoSuchEntity"


async def test_a_call_without_user_name_fails_the_test(prod: LiveAccount) -> None:
    async def ask() -> None:
        async with endpoint_of(prod) as endpoint, client(endpoint, "iam", **await assume(endpoint, prod.id)) as iam:
            with pytest.raises(ClientError):
                await iam.list_access_keys()

    with pytest.raises(RuntimeError, match="ListAccessKeys without UserName would act on the caller"):
        await ask()


async def test_reads_are_behind_for_as_many_as_the_lag_says(prod: LiveAccount) -> None:
    prod.user("alice", keys={KEY: LiveKey()})
    prod.lag = 2
    async with endpoint_of(prod) as endpoint, client(endpoint, "iam", **await assume(endpoint, prod.id)) as iam:
        await iam.update_access_key(**ALICE, AccessKeyId=KEY, Status="Inactive")
        seen = [(await iam.list_access_keys(**ALICE))["AccessKeyMetadata"][0]["Status"] for _ in range(3)]
    assert seen == ["Active", "Active", "Inactive"]


async def test_a_deletion_is_refused_while_iam_still_shows_what_was_taken_off(prod: LiveAccount) -> None:
    prod.user("alice", keys={KEY: LiveKey()})
    prod.lag = 1
    async with endpoint_of(prod) as endpoint, client(endpoint, "iam", **await assume(endpoint, prod.id)) as iam:
        await iam.delete_access_key(**ALICE, AccessKeyId=KEY)
        assert (await refusal(iam.delete_user(**ALICE)))[1] == "DeleteConflict"
        await iam.delete_user(**ALICE)


async def test_an_eleventh_managed_policy_is_not_attached(prod: LiveAccount) -> None:
    prod.user("alice", attached=[prod.aws_policy(f"Policy{number}") for number in range(10)])
    async with endpoint_of(prod) as endpoint, client(endpoint, "iam", **await assume(endpoint, prod.id)) as iam:
        found = await refusal(iam.attach_user_policy(**ALICE, PolicyArn=prod.aws_policy("AWSDenyAll")))
    assert found == (409, "LimitExceeded", "Cannot exceed quota for PoliciesPerUser: 10")


def session_policy(action: str, resource: str, **condition: object) -> str:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource, **condition}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


async def test_a_session_policy_holds_a_call_to_its_resource_and_its_conditions(prod: LiveAccount) -> None:
    prod.user("alice")
    prod.user("bob")
    deny, admin = prod.aws_policy("AWSDenyAll"), prod.aws_policy("AdministratorAccess")
    condition = {"Condition": {"ArnEquals": {"iam:PolicyARN": deny}}}
    policy = session_policy("iam:AttachUserPolicy", f"arn:aws:iam::{prod.id}:user/alice", **condition)
    async with endpoint_of(prod) as endpoint:
        session = await assume(endpoint, prod.id, Policy=policy)
        async with client(endpoint, "iam", **session) as iam:
            await iam.attach_user_policy(**ALICE, PolicyArn=deny)
            for refused in ({**ALICE, "PolicyArn": admin}, {"UserName": "bob", "PolicyArn": deny}):
                status, code, message = await refusal(iam.attach_user_policy(**refused))
                assert (status, code) == (403, "AccessDenied")
                assert message.endswith("because no session policy allows the iam:AttachUserPolicy action")
    assert prod.kept.users["alice"].attached == [deny]
    assert prod.kept.users["bob"].attached == []


def test_rights_are_what_policies_groups_and_boundary_come_to(prod: LiveAccount) -> None:
    prod.group("admins", attached=[prod.aws_policy("AdministratorAccess")])
    alice = prod.user("alice", groups=["admins"])
    assert rights(prod, prod.kept, alice) == {"s3:GetObject", "ec2:RunInstances", "iam:CreateUser", "dynamodb:Scan"}
    alice.boundary = prod.aws_policy("ReadOnlyAccess")
    assert rights(prod, prod.kept, alice) == {"s3:GetObject", "dynamodb:Scan"}
    alice.attached.append(prod.aws_policy("AWSDenyAll"))
    assert rights(prod, prod.kept, alice) == frozenset()


async def test_names_are_found_without_regard_to_case_and_answered_as_they_are(prod: LiveAccount) -> None:
    prod.user("Alice")
    async with endpoint_of(prod) as endpoint, client(endpoint, "iam", **await assume(endpoint, prod.id)) as iam:
        assert (await iam.get_user(**ALICE))["User"]["UserName"] == "Alice"
