"""Accounts that cannot be read: each fails with its reason, and none is reported as having no users."""

from typing import Any

import pytest

from scanner.model import AccountScan, Evidence, Failed, FailReason, Scanned
from tests.aws_endpoint import (
    Fault,
    Raw,
    Refuse,
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
    no_marker,
    nth,
    reset,
    same_marker,
    sometimes,
    throttle,
    truncated,
    wrong_account,
)
from tests.scan.entering import failed, names, one_account, read, scanned, xml

pytestmark = pytest.mark.usefixtures("hurried")

# --- lists that are not whole -----------------------------------------------------------------------------------------


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


@pytest.mark.parametrize(
    "end",
    ["", "<Marker>abc</Marker>", "<IsTruncated>false</IsTruncated><Marker>abc</Marker>"],
    ids=["neither", "a marker alone", "an end and a marker"],
)
async def test_a_list_that_does_not_say_plainly_that_it_ends_is_incomplete(end: str) -> None:
    world, member = one_account()
    failure = (await failed(world, member, Fault("iam:ListUsers", xml("ListUsers", f"<Users/>{end}")))).failure
    assert failure.reason is FailReason.INCOMPLETE_LISTING


# --- answers that cannot be true --------------------------------------------------------------------------------------


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


ALICE = {
    "UserName": "alice",
    "UserId": "AIDAALICE",
    "Path": "/",
    "CreateDate": "2025-01-06T08:30:15Z",
    "Arn": "arn:aws:iam::{}:user/alice",
}


async def list_of(user: dict[str, str]) -> AccountScan:
    """Read an account whose only user comes like this."""
    world, member = one_account()
    fields = "".join(f"<{name}>{value.format(member.id)}</{name}>" for name, value in user.items())
    answer = f"<Users><member>{fields}</member></Users><IsTruncated>false</IsTruncated>"
    return await read(world, member, Fault("iam:ListUsers", xml("ListUsers", answer)), evidence="basic")


@pytest.mark.parametrize("field", ALICE)
async def test_a_user_without_one_of_these_fails_its_account(field: str) -> None:
    whole = await list_of(ALICE)
    assert isinstance(whole, Scanned)
    assert names(whole) == ["alice"]
    scan = await list_of({name: value for name, value in ALICE.items() if name != field})
    assert isinstance(scan, Failed)
    assert scan.failure.reason is FailReason.BAD_RESPONSE


async def test_a_time_outside_the_calendar_fails_its_account_alone() -> None:
    scan = await list_of(ALICE | {"CreateDate": "0001-01-01T00:00:00+14:00"})
    assert isinstance(scan, Failed)
    assert scan.failure.reason is FailReason.BAD_RESPONSE


# --- refused ----------------------------------------------------------------------------------------------------------


async def test_a_refused_list_of_users_fails_the_account() -> None:
    world, member = one_account("alice")
    failure = (await failed(world, member, Fault("iam:ListUsers", deny))).failure
    assert (failure.reason, failure.call, failure.code) == (FailReason.ACCESS_DENIED, "iam:ListUsers", "AccessDenied")
    assert "is not authorized to perform: iam:ListUsers" in failure.detail
    assert failure.remedy


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("AccessDenied", FailReason.ACCESS_DENIED),
        ("InvalidClientTokenId", FailReason.CREDENTIALS_EXPIRED),
        ("ExpiredToken", FailReason.CREDENTIALS_EXPIRED),
        ("ValidationError", FailReason.BAD_RESPONSE),
    ],
)
async def test_what_aws_refuses_goes_by_its_code(code: str, reason: FailReason) -> None:
    world, member = one_account("alice")
    assert (await failed(world, member, Fault("iam:ListUsers", Refuse(403, code, "No.")))).failure.reason is reason


async def test_a_session_that_expires_in_mid_account_is_said_so() -> None:
    world, member = one_account("alice")
    failure = (await failed(world, member, Fault("iam:ListUsers", expired_token))).failure
    assert (failure.reason, failure.code) == (FailReason.CREDENTIALS_EXPIRED, "ExpiredToken")


async def test_a_caller_that_expires_in_mid_scan_is_said_so() -> None:
    world, member = one_account("alice")
    failure = (await failed(world, member, Fault("sts:AssumeRole", expired_token))).failure
    assert failure.reason is FailReason.CREDENTIALS_EXPIRED


async def test_the_external_id_is_struck_out_of_what_aws_says() -> None:
    world, member = one_account("alice")
    echo = Refuse(400, "ValidationError", "Value 'planted-external-id' at 'externalId' failed")
    scan = await failed(world, member, Fault("sts:AssumeRole", echo), external_id="planted-external-id")
    assert "planted" not in repr(scan)
    assert "(external id)" in repr(scan)


# --- broken, slow, throttled ------------------------------------------------------------------------------------------

BROKEN = {"cut": cut, "reset": reset, "truncated": truncated, "500": http_500, "503": http_503, "empty": empty_body}


@pytest.mark.parametrize("effect", BROKEN.values(), ids=BROKEN)
async def test_an_answer_that_breaks_now_and_then_costs_nothing(effect: Any) -> None:
    world, member = one_account("alice")
    scan = await scanned(world, member, Fault("iam:*", effect, when=nth(1, 3, 5)), Fault("sts:*", effect, when=nth(2)))
    assert (names(scan), scan.evidence) == (["alice"], Evidence.FULL)


PASSING = ("RequestTimeout", "RequestTimeoutException", "RequestTimedOut", "ServiceFailure", "InternalError")


@pytest.mark.parametrize("code", PASSING)
@pytest.mark.parametrize("call", ["sts:AssumeRole", "iam:ListUsers", "iam:GetAccountAuthorizationDetails"])
async def test_an_error_that_says_nothing_against_the_request_is_asked_again(call: str, code: str) -> None:
    world, member = one_account("alice")
    scan = await scanned(world, member, Fault(call, Refuse(400, code, "Try again."), when=first(3)))
    assert (names(scan), scan.evidence) == (["alice"], Evidence.FULL)


UNREACHABLE = {"cut": cut, "reset": reset, "truncated": truncated, "500": http_500, "503": http_503}


@pytest.mark.parametrize("effect", UNREACHABLE.values(), ids=UNREACHABLE)
async def test_nothing_but_broken_answers_is_unreachable(effect: Any) -> None:
    world, member = one_account("alice")
    failure = (await failed(world, member, Fault("iam:ListUsers", effect))).failure
    assert (failure.reason, failure.call) == (FailReason.UNREACHABLE, "iam:ListUsers")


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


async def test_throttling_now_and_then_costs_nothing() -> None:
    world, member = one_account("alice")
    scan = await scanned(world, member, Fault("*", throttle, when=sometimes(0.3)))
    assert (names(scan), scan.evidence) == (["alice"], Evidence.FULL)
