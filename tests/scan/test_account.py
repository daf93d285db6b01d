"""One account, read: its users and their evidence, and what one account means for the others."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from scanner.model import Evidence, FailReason, Scanned
from scanner.scan.account import scan_account
from tests.aws_endpoint import (
    Endpoint,
    Fault,
    InlinePolicy,
    SimulatedAccount,
    SimulatedGroup,
    SimulatedKey,
    SimulatedOrganization,
    SimulatedPolicy,
    deny,
    empty_page,
    first,
    hang,
    html,
    sometimes,
    throttle,
    wrong_account,
)
from tests.scan.entering import entrance, failed, known, names, one_account, scanned, xml

pytestmark = pytest.mark.usefixtures("hurried")

DAY = timedelta(days=1)
CREATED = datetime(2025, 1, 6, 8, 30, 15, tzinfo=UTC)

# --- what is read -----------------------------------------------------------------------------------------------------


async def test_users_come_with_what_list_users_says() -> None:
    world, member = one_account()
    simulated = member.add_user("alice", path="/ops/eu/")
    (user,) = (await scanned(world, member)).users
    assert (user.user_id, user.user_name, user.path) == (simulated.user_id, "alice", "/ops/eu/")
    assert user.arn == f"arn:aws:iam::{member.id}:user/ops/eu/alice"
    assert user.created_at == CREATED


async def test_all_pages_of_users_are_read() -> None:
    world, member = one_account(*(f"user-{number}" for number in range(1005)))
    assert len((await scanned(world, member, evidence="basic")).users) == 1005


async def test_an_empty_page_is_not_the_end() -> None:
    world, member = one_account("alice")
    scan = await scanned(world, member, Fault("iam:ListUsers", empty_page, when=first(2)))
    assert names(scan) == ["alice"]


@pytest.mark.parametrize("name", ["=1+1", "NA", "null", "True", "000123", "1e5", "a@b.c", "user_x000D_y"])
async def test_a_name_that_looks_like_something_else_stays_a_name(name: str) -> None:
    world, member = one_account(name)
    assert names(await scanned(world, member)) == [name]


async def test_an_account_without_users_is_scanned_and_has_none() -> None:
    world, member = one_account()
    scan = await scanned(world, member)
    assert (scan.users, scan.evidence) == ((), Evidence.FULL)


async def test_full_evidence_of_credentials() -> None:
    world, member = one_account()
    member.add_user(
        "alice",
        console=True,
        password_last_used=CREATED + 3 * DAY,
        password_last_changed=CREATED + DAY,
        mfa=True,
        keys=(
            SimulatedKey(last_rotated=CREATED, last_used=CREATED + 2 * DAY, used_for=("N/A", "iam")),
            SimulatedKey(active=False, last_rotated=CREATED + DAY),
        ),
    )
    scan = await scanned(world, member)
    credentials = scan.users[0].credentials
    assert credentials is not None
    assert (credentials.console_access, credentials.mfa_active) == (True, True)
    assert (credentials.password_last_used, credentials.password_last_changed) == (CREATED + 3 * DAY, CREATED + DAY)
    assert [(key.active, key.last_rotated, key.last_used) for key in credentials.access_keys] == [
        (True, CREATED, CREATED + 2 * DAY),
        (False, CREATED + DAY, None),
    ]
    assert [(key.last_used_service, key.last_used_region) for key in credentials.access_keys] == [
        ("iam", None),
        (None, None),
    ]
    assert scan.credential_report_at is not None
    assert (scan.evidence, scan.notes) == (Evidence.FULL, ())


async def test_full_evidence_of_access() -> None:
    world, member = one_account()
    member.groups.append(
        SimulatedGroup(
            name="devs",
            attached=("arn:aws:iam::aws:policy/ReadOnlyAccess",),
            inline=(InlinePolicy.allowing("deploy", "s3:PutObject"),),
        )
    )
    member.policies.append(SimulatedPolicy(name="own", document=InlinePolicy.allowing("own", "sqs:*").document))
    member.add_user(
        "alice",
        groups=("devs",),
        attached=(f"arn:aws:iam::{member.id}:policy/own",),
        inline=(InlinePolicy.allowing("metrics", "cloudwatch:GetMetricData"),),
        boundary="arn:aws:iam::aws:policy/PowerUserAccess",
        tags=(("team", "R&D <1>"),),
    )
    access = (await scanned(world, member)).users[0].access
    assert access is not None
    assert access.groups == ("devs",)
    assert access.attached_policies == ("own", "ReadOnlyAccess (via devs)")
    assert access.inline_policies == ("metrics", "deploy (via devs)")
    assert access.permissions_boundary == "arn:aws:iam::aws:policy/PowerUserAccess"
    assert access.tags == (("team", "R&D <1>"),)


# --- evidence that does not come --------------------------------------------------------------------------------------


REFUSABLE = {
    "iam:GetAccountAuthorizationDetails": "access",
    "iam:GenerateCredentialReport": "credentials",
    "iam:GetCredentialReport": "credentials",
    "iam:GetAccountSummary": None,
}

EITHER = {"access", "credentials"}


@pytest.mark.parametrize(("call", "lost"), REFUSABLE.items(), ids=list(REFUSABLE))
async def test_evidence_that_is_refused_leaves_its_columns_empty_and_a_note(call: str, lost: str | None) -> None:
    world, member = one_account("alice")
    scan = await scanned(world, member, Fault(call, deny))
    assert names(scan) == ["alice"]
    assert scan.evidence is Evidence.PARTIAL
    (note,) = scan.notes
    assert note.startswith(f"{call} gave no evidence: ACCESS_DENIED (AccessDenied). User: ")
    for part in EITHER:
        assert (getattr(scan.users[0], part) is None) == (part == lost), part
    assert (scan.credential_report_at is None) == (lost == "credentials")


async def test_all_evidence_refused_still_gives_the_users() -> None:
    world, member = one_account("alice", "bob")
    scan = await scanned(world, member, *(Fault(call, deny) for call in REFUSABLE))
    assert (names(scan), scan.evidence, len(scan.notes)) == (["alice", "bob"], Evidence.PARTIAL, 3)


async def test_unreadable_evidence_costs_the_evidence_and_not_the_account() -> None:
    world, member = one_account("alice")
    scan = await scanned(world, member, Fault("iam:GetAccountAuthorizationDetails", html))
    assert (names(scan), scan.evidence) == (["alice"], Evidence.PARTIAL)


async def test_evidence_of_another_account_is_no_evidence() -> None:
    world, member = one_account("alice")
    scan = await scanned(world, member, Fault("iam:GetAccountAuthorizationDetails", wrong_account))
    assert scan.evidence is Evidence.PARTIAL
    assert scan.users[0].access is None
    assert "BAD_RESPONSE" in scan.notes[0]


LACKING = {
    "iam:GetAccountAuthorizationDetails": "<IsTruncated>false</IsTruncated>",
    "iam:GetAccountSummary": "<SummaryMap/>",
}


@pytest.mark.parametrize(("call", "answer"), LACKING.items(), ids=list(LACKING))
async def test_an_answer_that_lacks_what_was_asked_for_is_no_evidence(call: str, answer: str) -> None:
    world, member = one_account("alice")
    scan = await scanned(world, member, Fault(call, xml(call.removeprefix("iam:"), answer)))
    assert scan.evidence is Evidence.PARTIAL
    (note,) = scan.notes
    assert note.startswith(f"{call} gave no evidence: BAD_RESPONSE. ")


async def test_evidence_that_hangs_is_partial_and_its_users_are_kept() -> None:
    world, member = one_account("alice")
    scan = await scanned(world, member, Fault("iam:GetAccountAuthorizationDetails", hang), seconds=1.0)
    assert (names(scan), scan.evidence) == (["alice"], Evidence.PARTIAL)
    assert any("GetAccountAuthorizationDetails gave no evidence: TIMEOUT" in note for note in scan.notes)


async def test_a_count_that_differs_is_a_note_and_nothing_more() -> None:
    world, member = one_account("alice")
    member.counted_users = 7
    scan = await scanned(world, member)
    assert scan.evidence is Evidence.FULL
    assert scan.notes == ("GetAccountSummary counts 7 users, ListUsers gave 1; it can lag behind.",)


# --- accounts beside each other ---------------------------------------------------------------------------------------


async def test_hundreds_of_accounts_at_once_and_none_gets_another_s_users() -> None:
    """The contract with the SDK: one shared client, and each call signed with its own account's credentials."""
    world, members = _many(300)
    async with Endpoint(world, latency=0.02) as endpoint, entrance(endpoint, evidence="basic", concurrency=300) as way:
        scans = await asyncio.gather(*(scan_account(known(member), way, lambda: None) for member in members))
    assert endpoint.most_concurrent > 100
    for member, scan in zip(members, scans, strict=True):
        assert isinstance(scan, Scanned)
        assert names(scan) == [f"of-{member.id}"]
        assert scan.users[0].arn.split(":")[4] == member.id
    assert endpoint.rejected == []


async def test_retries_are_signed_with_the_same_account_s_credentials() -> None:
    world, members = _many(40)
    storm = Fault("*", throttle, when=sometimes(0.3))
    async with Endpoint(world, [storm]) as endpoint, entrance(endpoint, evidence="basic") as way:
        scans = await asyncio.gather(*(scan_account(known(member), way, lambda: None) for member in members))
    assert [names(scan) for scan in scans if isinstance(scan, Scanned)] == [[f"of-{member.id}"] for member in members]


def _many(count: int) -> tuple[SimulatedOrganization, list[SimulatedAccount]]:
    world, _ = one_account()
    members = [world.add_account(f"account-{number}") for number in range(count)]
    for member in members:
        member.add_user(f"of-{member.id}")
    return world, members


async def test_a_role_is_assumed_once_an_account() -> None:
    world, member = one_account("alice")
    async with Endpoint(world) as endpoint, entrance(endpoint) as way:
        await scan_account(known(member), replace(way, seconds=20), lambda: None)
    assert len(endpoint.sessions) == 1
    assert endpoint.sessions[0].role_arn == f"arn:aws:iam::{member.id}:role/OrganizationAccountAccessRole"


async def test_what_the_program_does_not_foresee_costs_one_account(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        await asyncio.sleep(0)
        raise ZeroDivisionError

    monkeypatch.setattr("scanner.aws.iam.list_users", broken)
    world, member = one_account("alice")
    failure = (await failed(world, member)).failure
    assert failure.reason is FailReason.BAD_RESPONSE
