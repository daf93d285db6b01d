"""One account, read: its users and their evidence, and each way in which that can go wrong."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from scanner.model import Evidence, FailReason, Scanned
from scanner.scan.account import scan_account
from tests.aws_endpoint import (
    Call,
    Clock,
    Do,
    Endpoint,
    Fault,
    InlinePolicy,
    Raw,
    Refuse,
    SimulatedAccount,
    SimulatedGroup,
    SimulatedKey,
    SimulatedOrganization,
    StoredReport,
    cut,
    deny,
    empty_body,
    empty_page,
    expired_token,
    first,
    hang,
    html,
    http_500,
    http_503,
    missing_user,
    no_marker,
    nth,
    reset,
    same_marker,
    sometimes,
    throttle,
    truncated,
    wrong_account,
)
from tests.program import hurried
from tests.scan.entering import entrance, failed, known, one_account, scanned

__all__ = ["hurried"]

pytestmark = pytest.mark.usefixtures("hurried")

DAY = timedelta(days=1)
CREATED = datetime(2025, 1, 6, 8, 30, 15, tzinfo=UTC)
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


def names(scan: Scanned) -> list[str]:
    return sorted(user.user_name for user in scan.users)


# --- what is read ----------------------------------------------------------------------------------------------------


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
            SimulatedKey(last_rotated=CREATED, last_used=CREATED + 2 * DAY),
            SimulatedKey(active=False, last_rotated=CREATED + DAY),
        ),
    )
    scan = await scanned(world, member)
    found = scan.users[0].credentials
    assert found is not None
    assert (found.console_access, found.mfa_active) == (True, True)
    assert (found.password_last_used, found.password_last_changed) == (CREATED + 3 * DAY, CREATED + DAY)
    assert [(key.active, key.last_rotated, key.last_used) for key in found.access_keys] == [
        (True, CREATED, CREATED + 2 * DAY),
        (False, CREATED + DAY, None),
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
    member.add_user(
        "alice",
        groups=("devs",),
        attached=(f"arn:aws:iam::{member.id}:policy/own",),
        inline=(InlinePolicy.allowing("metrics", "cloudwatch:GetMetricData"),),
        boundary="arn:aws:iam::aws:policy/PowerUserAccess",
        tags=(("team", "R&D <1>"),),
    )
    found = (await scanned(world, member)).users[0].access
    assert found is not None
    assert found.groups == ("devs",)
    assert found.attached_policies == ("own", "ReadOnlyAccess (via devs)")
    assert found.inline_policies == ("metrics", "deploy (via devs)")
    assert found.permissions_boundary == "arn:aws:iam::aws:policy/PowerUserAccess"
    assert found.tags == (("team", "R&D <1>"),)


# --- administrators --------------------------------------------------------------------------------------------------


def _group(**details: Any) -> Callable[[SimulatedAccount], None]:
    def add(member: SimulatedAccount) -> None:
        member.groups.append(SimulatedGroup(name="them", **details))
        member.add_user("alice", groups=("them",))

    return add


def _own(**details: Any) -> Callable[[SimulatedAccount], None]:
    def add(member: SimulatedAccount) -> None:
        member.add_user("alice", **details)

    return add


ALL = (InlinePolicy.allowing("all", "*"),)
OWN_POLICY = "arn:aws:iam::{}:policy/AdministratorAccess"
ADMINISTRATORS = {
    "by AWS's policy": (_own(attached=(ADMINISTRATOR,)), True),
    "by IAMFullAccess": (_own(attached=("arn:aws:iam::aws:policy/IAMFullAccess",)), True),
    "by AWS's policy with its path": (_own(attached=("arn:aws:iam::aws:policy/job/AdministratorAccess",)), True),
    "by AWS's policy on a group": (_group(attached=(ADMINISTRATOR,)), True),
    "by an inline policy": (_own(inline=ALL), True),
    "by a group's inline policy": (_group(inline=ALL), True),
    "by all of IAM": (_own(inline=(InlinePolicy.allowing("iam", "iam:*"),)), True),
    "by one in spite of an unread one": (_own(attached=("arn:aws:iam::1:policy/own", ADMINISTRATOR)), True),
    "unknown: the customer's own policy": (_own(attached=("arn:aws:iam::000000000001:policy/own",)), None),
    "unknown: one that borrows AWS's name": (_own(attached=("arn:aws:iam::000000000001:policy/IAMFullAccess",)), None),
    "unknown: the customer's own policy on a group": (_group(attached=("arn:aws:iam::000000000001:policy/own",)), None),
    "not by another policy of AWS": (_own(attached=("arn:aws:iam::aws:policy/ReadOnlyAccess",)), False),
    "not by an inline policy of less": (_own(inline=(InlinePolicy.allowing("s3", "s3:*"),)), False),
    "not with nothing": (_own(), False),
}


@pytest.mark.parametrize(("add", "expected"), ADMINISTRATORS.values(), ids=ADMINISTRATORS)
async def test_who_is_an_administrator(add: Callable[[SimulatedAccount], None], expected: bool | None) -> None:
    world, member = one_account()
    add(member)
    access = (await scanned(world, member)).users[0].access
    assert access is not None
    assert access.administrator is expected


async def test_it_is_unknown_of_a_member_of_a_group_that_was_not_given() -> None:
    world, member = one_account()
    member.add_user("alice", groups=("vanished",))
    access = (await scanned(world, member)).users[0].access
    assert access is not None
    assert access.administrator is None


# --- evidence that does not come -------------------------------------------------------------------------------------

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


@pytest.mark.parametrize(
    "content", [b"", b"aGVsbG8=", b"dXNlcixhcm4K", b"!!"], ids=["empty", "no report", "no columns", "no base64"]
)
async def test_a_credential_report_that_is_none_costs_the_evidence_and_not_the_account(content: bytes) -> None:
    world, member = one_account("alice")
    body = (
        b'<GetCredentialReportResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><GetCredentialReportResult>'
        b"<Content>" + content + b"</Content></GetCredentialReportResult></GetCredentialReportResponse>"
    )
    scan = await scanned(world, member, Fault("iam:GetCredentialReport", Raw(200, body, "text/xml")))
    assert (names(scan), scan.evidence) == (["alice"], Evidence.PARTIAL)
    assert scan.users[0].credentials is None
    assert "BAD_RESPONSE" in scan.notes[0]


async def test_a_count_that_differs_is_a_note_and_nothing_more() -> None:
    world, member = one_account("alice")
    member.counted_users = 7
    scan = await scanned(world, member)
    assert scan.evidence is Evidence.FULL
    assert scan.notes == ("GetAccountSummary counts 7 users, ListUsers gave 1; it can lag behind.",)


# --- the credential report -------------------------------------------------------------------------------------------


async def test_a_report_in_progress_is_looked_for_again() -> None:
    world, member = one_account("alice", report_polls=4)
    async with Endpoint(world) as endpoint, entrance(endpoint) as way:
        scan = await scan_account(known(member), way, lambda: None)
    assert isinstance(scan, Scanned)
    assert scan.evidence is Evidence.FULL
    assert scan.users[0].credentials is not None
    assert endpoint.counts["iam:GetCredentialReport"] == 5
    assert endpoint.counts["iam:GenerateCredentialReport"] == 1


async def test_a_report_that_is_not_done_in_time_leaves_the_account_scanned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.aws.credential_report.POLL_SECONDS", (0.05,))
    world, member = one_account("alice", report_polls=10_000)
    scan = await scanned(world, member, seconds=1.0)
    assert (names(scan), scan.evidence) == (["alice"], Evidence.PARTIAL)
    (note,) = scan.notes
    assert note.startswith("iam:GetCredentialReport gave no evidence: TIMEOUT. ")


async def test_a_report_that_expires_while_waited_for_is_asked_for_again() -> None:
    world, member = one_account("alice")
    expired = Fault("iam:GetCredentialReport", Refuse(410, "ReportExpired", "Report is expired."), when=first(1))
    async with Endpoint(world, [expired]) as endpoint, entrance(endpoint) as way:
        scan = await scan_account(known(member), way, lambda: None)
    assert isinstance(scan, Scanned)
    assert scan.users[0].credentials is not None
    assert endpoint.counts["iam:GenerateCredentialReport"] == 2


async def test_a_row_of_an_earlier_user_of_the_same_name_does_not_count() -> None:
    """Deleted and created again within the four hours for which AWS gives out the stored report."""
    world, member = one_account()
    earlier = member.add_user("alice", created_at=CREATED, console=True)
    member.report = StoredReport(generated_at=datetime.now(UTC) - timedelta(hours=1), users=(earlier,))
    member.remove_user("alice")
    member.add_user("alice", serial=2, created_at=CREATED + timedelta(seconds=1))
    scan = await scanned(world, member)
    assert scan.users[0].credentials is None
    assert scan.users[0].access is not None
    assert scan.notes == ("1 of 1 users are not in the credential report: it is older than they are.",)


async def test_a_row_of_this_very_user_counts_though_the_report_is_old() -> None:
    world, member = one_account()
    user = member.add_user("alice", mfa=True)
    hours_ago = (datetime.now(UTC) - timedelta(hours=3)).replace(microsecond=0)
    member.report = StoredReport(generated_at=hours_ago, users=(user,))
    scan = await scanned(world, member)
    assert scan.users[0].credentials is not None
    assert scan.credential_report_at == hours_ago


async def test_the_place_is_given_up_while_only_the_report_is_waited_for() -> None:
    world, member = one_account("alice", report_delay=60.0)
    clock = Clock()
    order: list[str] = []

    def release() -> None:
        order.append("released")
        clock.advance(61)

    async with Endpoint(world, clock=clock) as endpoint, entrance(endpoint) as way:
        scan = await scan_account(known(member), way, release)
    assert order == ["released"]
    assert isinstance(scan, Scanned)
    assert scan.users[0].credentials is not None


# --- accounts that cannot be read ------------------------------------------------------------------------------------


async def test_a_refused_list_of_users_fails_the_account() -> None:
    world, member = one_account("alice")
    failure = (await failed(world, member, Fault("iam:ListUsers", deny))).failure
    assert (failure.reason, failure.call, failure.code) == (FailReason.ACCESS_DENIED, "iam:ListUsers", "AccessDenied")
    assert "is not authorized to perform: iam:ListUsers" in failure.detail
    assert failure.remedy


async def test_a_list_that_says_there_is_more_and_not_where_is_incomplete() -> None:
    world, member = one_account("alice", "bob")
    failure = (await failed(world, member, Fault("iam:ListUsers", no_marker))).failure
    assert (failure.reason, failure.call) == (FailReason.INCOMPLETE_LISTING, "iam:ListUsers")


async def test_a_list_that_gives_the_same_marker_again_is_incomplete() -> None:
    world, member = one_account("alice", "bob")
    failure = (await failed(world, member, Fault("iam:ListUsers", same_marker))).failure
    assert failure.reason in {FailReason.INCOMPLETE_LISTING, FailReason.BAD_RESPONSE}


async def test_a_list_without_end_ends_with_the_account_s_time() -> None:
    world, member = one_account("alice")
    failure = (await failed(world, member, Fault("iam:ListUsers", empty_page), seconds=1.0)).failure
    assert failure.reason in {FailReason.TIMEOUT, FailReason.INCOMPLETE_LISTING}


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


async def test_users_of_another_account_are_a_bad_response() -> None:
    world, member = one_account("alice")
    failure = (await failed(world, member, Fault("iam:ListUsers", wrong_account))).failure
    assert failure.reason is FailReason.BAD_RESPONSE
    assert member.id in failure.detail
    assert "999999999999" in failure.detail


async def test_credentials_for_another_account_are_a_bad_response() -> None:
    world, member = one_account("alice")
    body = f"""<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
        <AssumedRoleUser><AssumedRoleId>AROA:x</AssumedRoleId>
        <Arn>arn:aws:sts::{world.management_account_id}:assumed-role/x/y</Arn></AssumedRoleUser>
        <Credentials><AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>
        <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"""
    failure = (await failed(world, member, Fault("sts:AssumeRole", Raw(200, body.encode(), "text/xml")))).failure
    assert (failure.reason, failure.call) == (FailReason.BAD_RESPONSE, "sts:AssumeRole")


async def test_an_assume_role_without_credentials_is_a_bad_response_of_that_call() -> None:
    world, member = one_account("alice")
    body = b'<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult/></AssumeRoleResponse>'
    failure = (await failed(world, member, Fault("sts:AssumeRole", Raw(200, body, "text/xml")))).failure
    assert (failure.reason, failure.call) == (FailReason.BAD_RESPONSE, "sts:AssumeRole")


async def test_two_names_that_differ_by_case_alone_are_a_bad_response() -> None:
    world, member = one_account("alice", "ALICE")
    failure = (await failed(world, member)).failure
    assert failure.reason is FailReason.BAD_RESPONSE
    assert "'alice'" in failure.detail


async def test_html_in_the_place_of_users_is_a_bad_response() -> None:
    world, member = one_account("alice")
    failure = (await failed(world, member, Fault("iam:ListUsers", html))).failure
    assert (failure.reason, failure.call) == (FailReason.BAD_RESPONSE, "iam:ListUsers")
    assert "AWS_ENDPOINT_URL" in failure.remedy
    assert "KeyError" not in failure.detail


async def test_html_is_asked_again_before_it_counts() -> None:
    world, member = one_account("alice")
    assert names(await scanned(world, member, Fault("iam:ListUsers", html, when=first(2)))) == ["alice"]


BROKEN = {"cut": cut, "reset": reset, "truncated": truncated, "500": http_500, "503": http_503, "empty": empty_body}


@pytest.mark.parametrize("effect", BROKEN.values(), ids=BROKEN)
async def test_an_answer_that_breaks_now_and_then_costs_nothing(effect: Any) -> None:
    world, member = one_account("alice")
    scan = await scanned(world, member, Fault("iam:*", effect, when=nth(1, 3, 5)), Fault("sts:*", effect, when=nth(2)))
    assert (names(scan), scan.evidence) == (["alice"], Evidence.FULL)


UNREACHABLE = {"cut": cut, "reset": reset, "truncated": truncated, "500": http_500, "503": http_503}


@pytest.mark.parametrize("effect", UNREACHABLE.values(), ids=UNREACHABLE)
async def test_nothing_but_broken_answers_is_unreachable(effect: Any) -> None:
    world, member = one_account("alice")
    failure = (await failed(world, member, Fault("iam:ListUsers", effect))).failure
    assert (failure.reason, failure.call) == (FailReason.UNREACHABLE, "iam:ListUsers")


async def test_a_session_that_expires_in_mid_account_is_said_so() -> None:
    world, member = one_account("alice")
    failure = (await failed(world, member, Fault("iam:ListUsers", expired_token))).failure
    assert (failure.reason, failure.code) == (FailReason.CREDENTIALS_EXPIRED, "ExpiredToken")


async def test_a_caller_that_expires_in_mid_scan_is_said_so() -> None:
    world, member = one_account("alice")
    failure = (await failed(world, member, Fault("sts:AssumeRole", expired_token))).failure
    assert failure.reason is FailReason.CREDENTIALS_EXPIRED


async def test_throttled_until_the_time_is_up_is_throttled_and_not_a_timeout() -> None:
    world, member = one_account("alice")
    failure = (await failed(world, member, Fault("iam:ListUsers", throttle), seconds=1.0)).failure
    assert (failure.reason, failure.code, failure.detail) == (FailReason.THROTTLED, "Throttling", "Rate exceeded")
    assert "--account-timeout" in failure.remedy


async def test_throttled_by_sts_until_the_time_is_up_is_throttled_too() -> None:
    world, member = one_account("alice")
    failure = (await failed(world, member, Fault("sts:AssumeRole", throttle), seconds=1.0)).failure
    assert (failure.reason, failure.call) == (FailReason.THROTTLED, "sts:AssumeRole")


async def test_a_call_that_hangs_is_a_timeout() -> None:
    world, member = one_account("alice")
    failure = (await failed(world, member, Fault("iam:ListUsers", hang), seconds=1.0)).failure
    assert (failure.reason, failure.call) == (FailReason.TIMEOUT, "iam:ListUsers")


async def test_evidence_that_hangs_is_partial_and_its_users_are_kept() -> None:
    world, member = one_account("alice")
    scan = await scanned(world, member, Fault("iam:GetAccountAuthorizationDetails", hang), seconds=1.0)
    assert (names(scan), scan.evidence) == (["alice"], Evidence.PARTIAL)
    assert any("GetAccountAuthorizationDetails gave no evidence: TIMEOUT" in note for note in scan.notes)


async def test_throttling_now_and_then_costs_nothing() -> None:
    world, member = one_account("alice")
    scan = await scanned(world, member, Fault("*", throttle, when=sometimes(0.3)))
    assert (names(scan), scan.evidence) == (["alice"], Evidence.FULL)


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


async def test_what_the_program_does_not_foresee_costs_one_account(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        await asyncio.sleep(0)
        raise ZeroDivisionError

    monkeypatch.setattr("scanner.aws.iam.list_users", broken)
    world, member = one_account("alice")
    failure = (await failed(world, member)).failure
    assert failure.reason is FailReason.BAD_RESPONSE


# --- accounts beside each other --------------------------------------------------------------------------------------


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


async def test_the_callers_own_account_needs_no_role() -> None:
    world, _ = one_account()
    world.management.add_user("root-helper")
    scan = await scanned(world, world.management)
    assert (names(scan), scan.role_arn) == (["root-helper"], None)


async def test_the_callers_own_evidence_may_be_partial_too() -> None:
    world, _ = one_account()
    world.management.add_user("root-helper")
    scan = await scanned(world, world.management, Fault("iam:GetAccountSummary", deny))
    assert (scan.evidence, scan.role_arn) == (Evidence.PARTIAL, None)


async def test_an_unreachable_own_account_is_not_tried_through_the_role() -> None:
    """The role is for where the caller is denied; a server that does not answer answers no role either."""
    world, _ = one_account()
    world.management.roles = None
    scan = await failed(world, world.management, Fault("iam:ListUsers", http_503))
    assert (scan.failure.reason, scan.role_arn) == (FailReason.UNREACHABLE, None)


async def test_a_role_is_assumed_once_an_account() -> None:
    world, member = one_account("alice")
    async with Endpoint(world) as endpoint, entrance(endpoint) as way:
        await scan_account(known(member), replace(way, seconds=20), lambda: None)
    assert len(endpoint.sessions) == 1
    assert endpoint.sessions[0].role_arn == f"arn:aws:iam::{member.id}:role/OrganizationAccountAccessRole"
