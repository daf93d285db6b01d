"""Each fault, as it reaches a user of the SDK."""

import asyncio
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    PaginationError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError

from tests.aws_endpoint import (
    MEMBER_KEY,
    Bucket,
    Clock,
    Delay,
    Do,
    Drip,
    Endpoint,
    Fault,
    Refuse,
    SimulatedOrganization,
    after,
    clipped,
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
    organization,
    reset,
    same_marker,
    sometimes,
    throttle,
    truncated,
    wrong_account,
)
from tests.aws_endpoint.faults import Effect
from tests.aws_endpoint.sdk_client import ONCE, assume, client, pages, refusal

LIST = "iam:ListUsers"


@pytest.fixture
def world() -> SimulatedOrganization:
    return organization(4, 3)


@pytest.mark.parametrize(
    ("effect", "iam_error", "organizations_error"),
    [
        (throttle, (400, "Throttling"), (400, "TooManyRequestsException")),
        (deny, (403, "AccessDenied"), (400, "AccessDeniedException")),
        (expired_token, (403, "ExpiredToken"), (400, "ExpiredTokenException")),
        (http_500, (500, "ServiceFailure"), (500, "ServiceException")),
        (http_503, (503, "ServiceUnavailable"), (503, "ServiceUnavailableException")),
        (Refuse(409, "LimitExceeded", "No more."), (409, "LimitExceeded"), (409, "LimitExceeded")),
    ],
)
async def test_errors_are_in_the_words_of_each_service(
    world: SimulatedOrganization,
    effect: Effect,
    iam_error: tuple[int, str],
    organizations_error: tuple[int, str],
) -> None:
    async with Endpoint(world, [Fault("*", effect)]) as endpoint:
        async with client(endpoint, "iam") as iam:
            assert (await refusal(iam.list_users()))[:2] == iam_error
        async with client(endpoint, "organizations") as aws:
            assert (await refusal(aws.list_roots()))[:2] == organizations_error


async def test_a_denial_names_who_what_and_where(world: SimulatedOrganization) -> None:
    target = world.members[0].id
    async with Endpoint(world, [Fault("sts:AssumeRole", deny, account=target)]) as endpoint:
        message = (await refusal(assume(endpoint, target)))[2]
        assert message.endswith(f"to perform: sts:AssumeRole on resource: arn:aws:iam::{target}:role/auditor")
        await assume(endpoint, world.members[1].id)


# --- which calls are picked -------------------------------------------------------------------------------------------


async def _throttled(endpoint: Endpoint, times: int) -> list[int]:
    """Which of so many calls, counted from 1, were refused."""
    refused = []
    async with client(endpoint, "iam") as iam:
        for number in range(1, times + 1):
            try:
                await iam.list_users()
            except ClientError:
                refused.append(number)
    return refused


async def test_rules_pick_calls_by_their_number(world: SimulatedOrganization) -> None:
    for when, expected in [(first(2), [1, 2]), (nth(2, 4), [2, 4]), (after(3), [4, 5, 6])]:
        async with Endpoint(world, [Fault(LIST, throttle, when=when)]) as endpoint:
            assert await _throttled(endpoint, 6) == expected


async def test_chance_is_the_same_in_every_run(world: SimulatedOrganization) -> None:
    async with Endpoint(world, [Fault(LIST, throttle, when=sometimes(0.5, seed=1))]) as endpoint:
        once = await _throttled(endpoint, 20)
    async with Endpoint(world, [Fault(LIST, throttle, when=sometimes(0.5, seed=1))]) as endpoint:
        assert await _throttled(endpoint, 20) == once
    assert 4 < len(once) < 16


async def test_rules_pick_calls_by_account_and_parameters(world: SimulatedOrganization) -> None:
    one, other = (account.id for account in world.members[:2])
    unit = next(iter(world.ous))
    faults = [
        Fault("iam:*", throttle, when=first(1), each_account=True),
        Fault("organizations:*", deny, params={"ParentId": unit}),
    ]
    async with Endpoint(world, faults) as endpoint:
        for account in (one, other):
            async with client(endpoint, "iam", **await assume(endpoint, account)) as iam:
                assert (await refusal(iam.list_users()))[1] == "Throttling"
                await iam.list_users()
        async with client(endpoint, "organizations") as aws:
            assert (await refusal(aws.list_accounts_for_parent(ParentId=unit)))[1] == "AccessDeniedException"
            await aws.list_accounts_for_parent(ParentId=world.root.id)


async def test_a_bucket_throttles_each_account_by_itself(world: SimulatedOrganization) -> None:
    clock = Clock(world.management.users[0].created_at)
    async with Endpoint(world, [Fault("iam:*", Bucket(rate=1, burst=3))], clock=clock) as endpoint:
        assert await _throttled(endpoint, 5) == [4, 5]
        clock.advance(2)
        assert await _throttled(endpoint, 5) == [3, 4, 5]
        async with client(endpoint, "iam", **await assume(endpoint, world.members[0].id)) as iam:
            await iam.list_users()


async def test_a_bucket_may_count_the_calls_of_a_caller_whichever_account_they_are_about(
    world: SimulatedOrganization,
) -> None:
    clock = Clock(world.management.users[0].created_at)
    async with Endpoint(world, [Fault("sts:*", Bucket(1, 2, by="caller"))], clock=clock) as endpoint:
        for account in world.members[:2]:
            await assume(endpoint, account.id)
        assert (await refusal(assume(endpoint, world.members[2].id)))[1] == "Throttling"
        async with client(endpoint, "sts", MEMBER_KEY) as sts:
            await sts.get_caller_identity()
        clock.advance(1)
        await assume(endpoint, world.members[2].id)


async def test_the_world_can_change_between_two_calls(world: SimulatedOrganization) -> None:
    account, unit = world.members[0], list(world.ous)[-1]
    move = Fault("organizations:*", Do(lambda call: world.move(account.id, unit)), when=nth(2))
    async with Endpoint(world, [move]) as endpoint, client(endpoint, "organizations") as aws:
        before = (await aws.list_parents(ChildId=account.id))["Parents"][0]["Id"]
        now = (await aws.list_parents(ChildId=account.id))["Parents"][0]["Id"]
    assert before != now == unit


# --- the connection ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("effect", "error"),
    [(cut, ConnectionClosedError), (reset, EndpointConnectionError), (truncated, ConnectionClosedError)],
)
async def test_a_broken_connection_is_an_error_of_the_client(
    world: SimulatedOrganization, effect: Effect, error: type[Exception]
) -> None:
    async with Endpoint(world, [Fault(LIST, effect, when=first(1))]) as endpoint, client(endpoint, "iam") as iam:
        with pytest.raises(error):
            await iam.list_users()
        assert len((await iam.list_users())["Users"]) == 3


@pytest.mark.parametrize(
    ("effect", "error"), [(html, KeyError), (empty_body, ResponseParserError), (clipped, ResponseParserError)]
)
async def test_what_is_not_an_answer_does_not_parse(
    world: SimulatedOrganization, effect: Effect, error: type[Exception]
) -> None:
    async with Endpoint(world, [Fault(LIST, effect)]) as endpoint, client(endpoint, "iam") as iam:
        with pytest.raises(error):
            await iam.list_users()


async def test_a_hanging_call_ends_by_the_clients_patience(world: SimulatedOrganization) -> None:
    impatient = Config(read_timeout=0.05, retries=ONCE)
    async with Endpoint(world, [Fault(LIST, hang)]) as endpoint:
        async with client(endpoint, "iam", config=impatient) as iam:
            with pytest.raises(ReadTimeoutError):
                await iam.list_users()
        assert endpoint.counts[LIST] == 1


async def test_a_dripping_answer_outlasts_the_read_timeout(world: SimulatedOrganization) -> None:
    impatient = Config(read_timeout=0.2, retries=ONCE)
    async with Endpoint(world, [Fault(LIST, Drip(0.01))]) as endpoint, client(endpoint, "iam", config=impatient) as iam:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.4):
                await iam.list_users()


async def test_calls_that_take_their_time_are_open_together(world: SimulatedOrganization) -> None:
    latency = {LIST: 0.05, "*": 0.0}
    async with Endpoint(world, [Fault(LIST, Delay(0.01))], latency=latency) as endpoint:
        async with client(endpoint, "iam") as iam:
            await asyncio.gather(*(iam.list_users() for _ in range(8)))
        assert endpoint.most_concurrent == 8


# --- lies -------------------------------------------------------------------------------------------------------------


async def test_a_list_that_is_truncated_without_a_marker(world: SimulatedOrganization) -> None:
    async with Endpoint(world, [Fault(LIST, no_marker)]) as endpoint, client(endpoint, "iam") as iam:
        answer = await iam.list_users(MaxItems=2)
    assert (len(answer["Users"]), answer["IsTruncated"], "Marker" in answer) == (2, True, False)


@pytest.mark.parametrize(
    ("service", "paginator"),
    [("iam", "list_users"), ("iam", "get_account_authorization_details"), ("organizations", "list_accounts")],
)
async def test_a_list_that_never_gets_on(world: SimulatedOrganization, service: str, paginator: str) -> None:
    async with Endpoint(world, [Fault("*", same_marker)]) as endpoint, client(endpoint, service) as aws:
        with pytest.raises(PaginationError):
            await _all(aws.get_paginator(paginator).paginate())


@pytest.mark.parametrize(
    ("service", "operation", "member"),
    [("iam", "list_users", "Users"), ("organizations", "list_accounts", "Accounts")],
)
async def test_an_empty_page_is_not_the_last_one(
    world: SimulatedOrganization, service: str, operation: str, member: str
) -> None:
    fault = Fault("*", empty_page, when=first(2))
    async with Endpoint(world, [fault]) as endpoint, client(endpoint, service) as aws:
        found = await pages(getattr(aws, operation), member)
    assert [bool(page) for page in found] == [False, False, True]


async def test_users_that_claim_to_be_of_another_account(world: SimulatedOrganization) -> None:
    async with Endpoint(world, [Fault("iam:*", wrong_account)]) as endpoint, client(endpoint, "iam") as iam:
        users = (await iam.list_users())["Users"]
        await iam.generate_credential_report()
        report = (await iam.get_credential_report())["Content"].decode()
    assert {user["Arn"].split(":")[4] for user in users} == {"999999999999"}
    assert world.management_account_id not in report


async def test_a_user_that_one_call_has_and_another_lacks(world: SimulatedOrganization) -> None:
    async with Endpoint(world, [Fault(LIST, missing_user)]) as endpoint, client(endpoint, "iam") as iam:
        listed = {user["UserName"] for user in (await iam.list_users())["Users"]}
        details = await iam.get_account_authorization_details(Filter=["User"])
    assert {user["UserName"] for user in details["UserDetailList"]} - listed == {"user-0002"}


async def _all(found: Any) -> list[Any]:
    return [page async for page in found]
