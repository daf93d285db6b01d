"""CloudTrail of the simulated AWS: one Region, pages of 50, two calls a second, and the session policy."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.aws_endpoint import Clock, Endpoint, SimulatedEvent, empty_organization
from tests.aws_endpoint.sdk_client import assume, client, pages, refusal, sizes

NOW = datetime(2026, 11, 23, tzinfo=UTC)
ASKED: dict[str, Any] = {"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "CreateUser"}]}


def an_endpoint(events: int) -> Endpoint:
    world = empty_organization()
    times = [NOW - timedelta(hours=number) for number in range(events)]
    world.management.events += [SimulatedEvent(time=time) for time in times]
    world.management.events.append(SimulatedEvent(time=NOW, name="DeleteUser"))
    return Endpoint(world, clock=Clock(NOW))


async def test_it_pages_the_newest_events_first_in_the_region_of_iam() -> None:
    async with an_endpoint(60) as endpoint, client(endpoint, "cloudtrail", region_name="us-east-1") as cloudtrail:
        found = await pages(cloudtrail.lookup_events, "Events", **ASKED)
    assert sizes(found) == [50, 10]
    assert found[0][0]["EventTime"] == NOW


async def test_another_region_has_no_events_of_iam() -> None:
    async with an_endpoint(1) as endpoint, client(endpoint, "cloudtrail", region_name="eu-west-1") as cloudtrail:
        assert (await cloudtrail.lookup_events(**ASKED))["Events"] == []


async def test_it_answers_two_calls_a_second_and_account() -> None:
    async with an_endpoint(1) as endpoint, client(endpoint, "cloudtrail") as cloudtrail:
        for _ in range(2):
            await cloudtrail.lookup_events(**ASKED)
        assert await refusal(cloudtrail.lookup_events(**ASKED)) == (400, "ThrottlingException", "Rate exceeded")
        endpoint.clock.advance(0.5)
        await cloudtrail.lookup_events(**ASKED)


async def test_a_session_policy_may_not_allow_it() -> None:
    policy = '{"Statement": [{"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*"}]}'
    world = empty_organization()
    member = world.add_account("member")
    async with Endpoint(world) as endpoint:
        session = await assume(endpoint, member.id, Policy=policy)
        async with client(endpoint, "cloudtrail", session.pop("key"), **session) as cloudtrail:
            status, code, _ = await refusal(cloudtrail.lookup_events(**ASKED))
    assert (status, code) == (400, "AccessDeniedException")
