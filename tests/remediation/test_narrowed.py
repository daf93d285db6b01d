"""What the program would do by mistake, IAM refuses: each session is held to one user's plan, by the endpoint."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from scanner.aws.call_answers import CallAnswer
from scanner.aws.clients import Clients, Session
from scanner.aws.user_changes import change
from scanner.model import AccountId, Choice
from scanner.remediation.connection import READS, connect
from scanner.remediation.session_policy import grants, reading_policy
from tests.aws_endpoint.iam_state import LiveAccount
from tests.remediation.site import Quiet, Site, furnish
from tests.remediation.users import DENY_ALL

NO_SESSION_POLICY = "because no session policy allows the iam:{} action"


@asynccontextmanager
async def session_of_alice(site: Site, prod: LiveAccount, *, policy: str | None = None) -> AsyncIterator[Session]:
    """The session under which alice is removed; or one under another policy."""
    if policy is None:
        (user,) = (await asyncio.to_thread(site.plan)).plan.users
        split = grants(user.calls)
        assert split is not None
        assert len(split) == 1
        policy = split[0].policy
    async with Clients(profile=None, concurrency=4) as clients:
        connection = await connect(clients, site.settings, Quiet())
        yield connection.changing(AccountId(prod.id), policy)


def tried(site: Site, prod: LiveAccount, action: str, **parameters: str) -> CallAnswer:
    async def go() -> CallAnswer:
        async with session_of_alice(site, prod) as session:
            return await change(session, action, parameters)

    return asyncio.run(go())


@pytest.fixture
def prod(site: Site) -> LiveAccount:
    prod = site.account()
    furnish(prod)
    furnish(prod, "bob", groups=["admins"])
    prod.group("users")
    prod.kept.users["alice"].groups.append("users")
    prod.sync()
    site.decide({"alice": Choice.REMOVE})
    return prod


MISTAKES = {
    "another user of the account": ("DeleteAccessKey", {"UserName": "bob", "AccessKeyId": "AKIABOB1"}),
    "another user's policy": (
        "AttachUserPolicy",
        {"UserName": "bob", "PolicyArn": "arn:aws:iam::aws:policy/AWSDenyAll"},
    ),
    "another user, to be deleted": ("DeleteUser", {"UserName": "bob"}),
    "a group that was not planned": ("RemoveUserFromGroup", {"UserName": "bob", "GroupName": "admins"}),
    "another policy attached": (
        "AttachUserPolicy",
        {"UserName": "alice", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"},
    ),
    "another policy detached": (
        "DetachUserPolicy",
        {"UserName": "alice", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"},
    ),
    "another user's device": ("DeleteVirtualMFADevice", {"SerialNumber": "arn:aws:iam::{account}:mfa/bob"}),
    "another action on the planned user": (
        "UpdateSigningCertificate",
        {"UserName": "alice", "CertificateId": "CERTALICE", "Status": "Active"},
    ),
}


def test_the_endpoint_refuses_what_is_not_planned(site: Site, prod: LiveAccount) -> None:
    before = prod.snapshot()

    async def go() -> list[CallAnswer]:
        async with session_of_alice(site, prod) as session:
            return [
                await change(session, action, {name: value.format(account=prod.id) for name, value in given.items()})
                for action, given in MISTAKES.values()
            ]

    with site.serving():
        answers = asyncio.run(go())
    for (case, (action, _)), answer in zip(MISTAKES.items(), answers, strict=True):
        assert (answer.result, answer.code) == ("FAILED", "AccessDenied"), case
        assert str(answer.detail).endswith(NO_SESSION_POLICY.format(action)), case
    assert prod.kept == before


def test_the_same_session_allows_what_is_planned(site: Site, prod: LiveAccount) -> None:
    """So that the refusals above are those of the policy."""
    with site.serving():
        assert tried(site, prod, "DeleteAccessKey", UserName="alice", AccessKeyId="AKIAALICE1").result == "DONE"


@pytest.mark.parametrize(
    ("action", "more"),
    [
        ("UpdateAccessKey", {"AccessKeyId": "AKIAALICE1", "Status": "Inactive"}),
        ("DeleteUser", {}),
        ("AttachUserPolicy", {"PolicyArn": DENY_ALL}),
    ],
)
def test_the_session_that_reads_can_change_nothing(
    site: Site, prod: LiveAccount, action: str, more: dict[str, str]
) -> None:
    async def go() -> CallAnswer:
        async with session_of_alice(site, prod, policy=reading_policy(READS)) as session:
            return await change(session, action, {"UserName": "alice", **more})

    with site.serving():
        assert asyncio.run(go()).code == "AccessDenied"


async def test_no_call_is_made_that_does_not_name_its_user() -> None:
    session = Session.__new__(Session)  # nothing of it is used: the call is refused before
    for parameters in ({}, {"UserName": ""}, {"AccessKeyId": "AKIA1"}):
        with pytest.raises(ValueError, match="names the user"):
            await change(session, "DeleteAccessKey", parameters)
    with pytest.raises(ValueError, match="CreateUser"):
        await change(session, "CreateUser", {"UserName": "alice"})
