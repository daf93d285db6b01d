"""The shared clients: whose call it is, when it is tried again, and when it ends."""

import asyncio
import statistics
from datetime import UTC, datetime, timedelta, timezone

import pytest
from botocore.credentials import ReadOnlyCredentials
from hypothesis import given
from hypothesis import strategies as st

from scanner import __version__
from scanner.aws import clients
from scanner.aws.clients import Session, _backoff, _method, _timestamp
from scanner.aws.failures import CallError
from scanner.model import FailReason
from tests.aws.asking import asking, refusal
from tests.aws_endpoint import (
    MANAGEMENT_KEY,
    Drip,
    Fault,
    Refuse,
    deny,
    first,
    hang,
    html,
    http_500,
    nth,
    organization,
    sometimes,
    throttle,
)
from tests.program import hurried, small_world

__all__ = ["hurried"]

pytestmark = pytest.mark.usefixtures("hurried")


# --- whose call it is ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", ["iam", "sts", "organizations"])
async def test_a_call_outside_a_session_raises_and_sends_nothing(service: str) -> None:
    """The credentials in the environment are right there, and are not used: a slip fails closed."""
    methods = {"iam": "list_users", "sts": "get_caller_identity", "organizations": "list_accounts"}
    async with asking(small_world()) as (endpoint, session):
        with pytest.raises(LookupError):
            await getattr(session.clients._clients[service], methods[service])()
    assert endpoint.calls == []
    assert endpoint.rejected == []


async def test_a_call_made_after_one_with_credentials_has_none_left() -> None:
    async with asking(small_world()) as (endpoint, session):
        await session.call("sts", "GetCallerIdentity")
        with pytest.raises(LookupError):
            await session.clients._clients["iam"].list_users()
    assert dict(endpoint.counts) == {"sts:GetCallerIdentity": 1}


async def test_a_call_that_failed_leaves_no_credentials_behind() -> None:
    async with asking(small_world(), [Fault("iam:*", deny)]) as (_, session):
        await refusal(session, "iam", "ListUsers")
        with pytest.raises(LookupError):
            clients._signing.get()


async def test_each_session_signs_with_its_own_credentials() -> None:
    async def stranger() -> ReadOnlyCredentials:
        return ReadOnlyCredentials("AKIASTRANGER00000000", "x", None)

    async with asking(small_world()) as (endpoint, session):
        other = Session(session.clients, stranger)
        found, refused = await asyncio.gather(
            session.call("sts", "GetCallerIdentity"), refusal(other, "sts", "GetCallerIdentity")
        )
    assert found["Account"] == endpoint.world.management_account_id
    assert refused.code == "InvalidClientTokenId"
    assert {call.access_key_id for call in endpoint.calls} == {MANAGEMENT_KEY}


async def test_calls_at_once_stay_within_the_bound() -> None:
    async with asking(organization(1, 0), concurrency=3, latency=0.01) as (endpoint, session):
        await asyncio.gather(*(session.call("iam", "GetAccountSummary") for _ in range(20)))
    assert endpoint.most_concurrent == 3


# --- when it is tried again ------------------------------------------------------------------------------------------


async def test_a_throttled_call_is_made_again_until_it_is_answered() -> None:
    async with asking(small_world(), [Fault("iam:*", throttle, when=first(12))], seconds=20) as (endpoint, session):
        assert (await session.call("iam", "ListUsers"))["Users"]
    assert endpoint.counts["iam:ListUsers"] == 13
    assert session.clients.meter.throttled == 12
    assert session.clients.meter.calls == {"iam:ListUsers": 13}


@pytest.mark.parametrize(
    "code", ["Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded", "SlowDown"]
)
async def test_each_of_aws_s_words_for_throttling_is_understood(code: str) -> None:
    fault = Fault("iam:*", Refuse(400, code, "Slow down"), when=first(8))
    async with asking(small_world(), [fault], seconds=20) as (_, session):
        assert (await session.call("iam", "ListUsers"))["Users"]


async def test_http_429_is_throttling_whatever_its_code() -> None:
    fault = Fault("iam:*", Refuse(429, "Novel", "Slow down"), when=first(8))
    async with asking(small_world(), [fault], seconds=20) as (_, session):
        assert (await session.call("iam", "ListUsers"))["Users"]


@pytest.mark.parametrize("effect", [http_500, html], ids=["500", "html"])
async def test_a_broken_answer_is_tried_a_few_times_and_no_more(effect: object) -> None:
    fault = Fault("iam:*", effect)  # type: ignore[arg-type]
    async with asking(small_world(), [fault], seconds=20) as (endpoint, session):
        await refusal(session, "iam", "ListUsers")
    assert endpoint.counts["iam:ListUsers"] == clients.TRANSIENT_ATTEMPTS


async def test_throttled_tries_do_not_count_as_broken_ones() -> None:
    faults = [Fault("iam:*", throttle, when=first(10)), Fault("iam:*", http_500, when=nth(11))]
    async with asking(small_world(), faults, seconds=20) as (endpoint, session):
        assert (await session.call("iam", "ListUsers"))["Users"]
    assert endpoint.counts["iam:ListUsers"] == 12


async def test_a_refusal_is_not_tried_again() -> None:
    async with asking(small_world(), [Fault("iam:*", deny)], seconds=20) as (endpoint, session):
        failure = await refusal(session, "iam", "ListUsers")
    assert (failure.reason, failure.code) == (FailReason.ACCESS_DENIED, "AccessDenied")
    assert endpoint.counts["iam:ListUsers"] == 1


async def test_the_sdk_itself_tries_once() -> None:
    """Its retries share one quota a client, and would give up in a storm: ours are the only ones."""
    async with asking(small_world(), [Fault("iam:*", throttle)], seconds=20) as (endpoint, session):
        with pytest.raises(Exception, match="Throttling"):
            await session.clients.attempt("iam", "ListUsers", await session.credentials(), {})
    assert endpoint.counts["iam:ListUsers"] == 1


async def test_a_storm_over_many_calls_is_outlasted() -> None:
    storm = Fault("iam:*", throttle, when=sometimes(0.7))
    async with asking(organization(1, 0), [storm], seconds=30, concurrency=50) as (endpoint, session):
        answers = await asyncio.gather(*(session.call("iam", "GetAccountSummary") for _ in range(100)))
    assert len(answers) == 100
    assert endpoint.counts["iam:GetAccountSummary"] > 200


def test_back_off_grows_and_has_a_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "BACKOFF_CAP", 10.0)
    means = [statistics.mean(_backoff(tries) for _ in range(300)) for tries in (1, 3, 5)]
    assert means[0] < means[1] < means[2]
    assert max(_backoff(30) for _ in range(300)) <= 10.0


def test_back_off_has_full_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "BACKOFF_CAP", 10.0)
    waits = [_backoff(10) for _ in range(300)]
    assert min(waits) < 1.0
    assert max(waits) > 9.0


# --- when it ends ----------------------------------------------------------------------------------------------------


async def test_a_call_that_hangs_ends_with_the_deadline() -> None:
    async with asking(small_world(), [Fault("iam:*", hang)], seconds=0.2) as (_, session):
        failure = await refusal(session, "iam", "ListUsers")
    assert (failure.reason, failure.code) == (FailReason.TIMEOUT, None)


async def test_an_answer_that_drips_ends_with_the_deadline() -> None:
    """Each byte comes in time, so that the SDK would wait for ever."""
    async with asking(small_world(), [Fault("iam:*", Drip(0.05))], seconds=0.3) as (_, session):
        failure = await refusal(session, "iam", "ListUsers")
    assert failure.reason is FailReason.TIMEOUT


async def test_throttled_at_the_deadline_is_throttled() -> None:
    async with asking(small_world(), [Fault("iam:*", throttle)], seconds=0.2) as (_, session):
        failure = await refusal(session, "iam", "ListUsers")
    assert (failure.reason, failure.code) == (FailReason.THROTTLED, "Throttling")


async def test_a_call_after_the_deadline_is_not_made() -> None:
    async with asking(small_world()) as (endpoint, session):
        past = session.until(asyncio.get_running_loop().time() - 1)
        failure = await refusal(past, "iam", "ListUsers")
    assert failure.reason is FailReason.TIMEOUT
    assert endpoint.counts["iam:ListUsers"] == 0


async def test_credentials_that_do_not_come_end_with_the_deadline_too() -> None:
    async def never() -> ReadOnlyCredentials:
        await asyncio.Event().wait()
        raise AssertionError

    async with asking(small_world()) as (_, session):
        stuck = Session(session.clients, never, asyncio.get_running_loop().time() + 0.1)
        failure = await refusal(stuck, "iam", "ListUsers")
    assert failure.reason is FailReason.TIMEOUT


async def test_a_session_without_a_deadline_gives_each_call_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "ORGANIZATIONS_SECONDS", 0.2)
    async with asking(small_world(), [Fault("organizations:*", hang)]) as (_, session):
        failure = await refusal(session, "organizations", "DescribeOrganization")
    assert failure.reason is FailReason.TIMEOUT


async def test_no_connection_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    async with asking(small_world(), seconds=20) as (endpoint, session):
        await endpoint.__aexit__()
        failure = await refusal(session, "iam", "ListUsers")
        endpoint._connections.clear()
    assert failure.reason is FailReason.UNREACHABLE
    assert "network" in failure.remedy


async def test_an_error_s_text_names_the_call_and_is_aws_s_own() -> None:
    async with asking(small_world(), [Fault("iam:*", deny)]) as (_, session):
        with pytest.raises(CallError, match=r"^iam:ListUsers: ACCESS_DENIED \(AccessDenied\): User: arn:") as caught:
            await session.call("iam", "ListUsers")
    assert "An error occurred" not in str(caught.value)


# --- small parts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "method"),
    [
        ("ListUsers", "list_users"),
        ("GetAccountAuthorizationDetails", "get_account_authorization_details"),
        ("ListOrganizationalUnitsForParent", "list_organizational_units_for_parent"),
    ],
)
def test_operations_are_named_as_the_sdk_names_them(operation: str, method: str) -> None:
    assert _method(operation) == method


@given(
    st.datetimes(
        min_value=datetime(1980, 1, 1),  # noqa: DTZ001  the zone is drawn beside it
        max_value=datetime(2100, 1, 1),  # noqa: DTZ001
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=2)), timezone(-timedelta(hours=9, minutes=30))]),
    )
)
def test_times_are_read_as_they_were_written(moment: datetime) -> None:
    assert _timestamp(moment.isoformat()) == moment
    if moment.tzinfo is UTC:
        assert _timestamp(moment.isoformat().replace("+00:00", "Z")) == moment


@pytest.mark.parametrize("value", [1768469400, "1768469400", "Thu, 15 Jan 2026 09:30:00 GMT"])
def test_other_spellings_of_a_time_go_to_the_sdk_s_parser_and_have_a_zone(value: object) -> None:
    found = _timestamp(value)
    assert found == datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
    assert found.tzinfo is not None


# --- refusals of AssumeRole ------------------------------------------------------------------------------------------

REFUSALS = {
    "PackedPolicyTooLarge": (400, "--no-session-policy"),
    "MalformedPolicyDocument": (400, "--no-session-policy"),
    "RegionDisabledException": (403, "set AWS_REGION"),
    "InvalidClientTokenId": (403, "set AWS_REGION"),
    "RequestExpired": (400, "clock"),
    "SignatureDoesNotMatch": (403, "clock"),
    "ExpiredToken": (400, "Sign in again"),
    "ValidationError": (400, "--session-name"),
    "AccessDenied": (403, "that the role exists"),
}


@pytest.mark.parametrize("code", REFUSALS)
async def test_each_refusal_of_assume_role_has_the_remedy_that_helps(code: str) -> None:
    status, remedy = REFUSALS[code]
    world = small_world()
    async with asking(world, [Fault("sts:AssumeRole", Refuse(status, code, "AWS says why."))]) as (_, session):
        failure = await refusal(session, "sts", "AssumeRole", RoleArn="arn:aws:iam::1:role/x", RoleSessionName="xx")
    assert (failure.code, failure.detail) == (code, "AWS says why.")
    assert remedy in failure.remedy
    assert code == "AccessDenied" or "that the role exists" not in failure.remedy


REFUSALS_ELSEWHERE = {
    ("iam", "ListUsers", "InvalidClientTokenId"): "a session made without MFA",
    ("iam", "ListUsers", "RequestTimeTooSkewed"): "clock",
    ("organizations", "ListRoots", "InvalidSignatureException"): "clock",
    ("iam", "ListUsers", "ExpiredToken"): "Sign in again",
}


@pytest.mark.parametrize(("service", "operation", "code"), REFUSALS_ELSEWHERE)
async def test_credentials_that_a_service_refuses_have_the_remedy_that_helps(
    service: str, operation: str, code: str
) -> None:
    fault = Fault(f"{service}:*", Refuse(403, code, "AWS says why."))
    async with asking(small_world(), [fault]) as (_, session):
        failure = await refusal(session, service, operation)
    assert failure.reason is FailReason.CREDENTIALS_EXPIRED
    assert REFUSALS_ELSEWHERE[service, operation, code] in failure.remedy


async def test_what_helps_against_assume_role_is_not_said_of_other_calls() -> None:
    fault = Fault("iam:*", Refuse(400, "ValidationError", "AWS says why."))
    async with asking(small_world(), [fault]) as (_, session):
        failure = await refusal(session, "iam", "ListUsers")
    assert "--session-name" not in failure.remedy


async def test_the_program_names_itself_and_its_version_to_aws() -> None:
    async with asking(small_world()) as (endpoint, session):
        await session.call("sts", "GetCallerIdentity")
    agent = endpoint.calls[0].user_agent
    assert agent.startswith(f"iam-scanner/{__version__} aiobotocore/")
    assert "Python/" in agent
