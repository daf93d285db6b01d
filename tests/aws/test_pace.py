"""The pace: how far it falls and rises, who gets a place and when, and what it makes of a storm."""

import asyncio
from contextlib import AsyncExitStack, suppress

import pytest
from botocore.exceptions import ClientError

from scanner.aws.pace import Pace
from scanner.model import FailReason
from tests.aws.asking import asking, refusal
from tests.aws_endpoint import Fault, first, hang, organization, throttle
from tests.program import hurried, small_world

__all__ = ["hurried"]

THROTTLED = ClientError({"Error": {"Code": "Throttling"}}, "AssumeRole")
DENIED = ClientError({"Error": {"Code": "AccessDenied"}}, "AssumeRole")


async def called(pace: Pace, *, times: int = 1, error: Exception | None = None) -> None:
    """So many calls at once, which all end in this way."""

    async def one() -> None:
        with suppress(ClientError, OSError):
            async with pace.place():
                await everyone.wait()
                if error is not None:
                    raise error

    everyone = asyncio.Barrier(times)
    await asyncio.gather(*(one() for _ in range(times)))


# --- how far it falls and rises --------------------------------------------------------------------------------------


async def test_it_begins_at_the_ceiling_and_stays_there_while_nothing_is_throttled() -> None:
    pace = Pace(floor=1, ceiling=8)
    await called(pace, times=8)
    assert (pace.limit, pace.slowed) == (8, False)


async def test_a_burst_that_is_throttled_is_one_sign() -> None:
    pace = Pace(floor=1, ceiling=8)
    await called(pace, times=8, error=THROTTLED)
    assert (pace.limit, pace.slowed) == (4, True)


async def test_each_round_that_is_throttled_halves_it_down_to_the_floor() -> None:
    pace = Pace(floor=2, ceiling=40)
    found = []
    for _ in range(5):
        await called(pace, times=int(pace.limit), error=THROTTLED)
        found.append(pace.limit)
    assert found == [20, 10, 5, 2.5, 2]


async def test_a_limit_that_is_not_reached_falls_below_what_is_under_way() -> None:
    pace = Pace(floor=1, ceiling=1000)
    await called(pace, times=10, error=THROTTLED)
    assert pace.limit == 5


async def test_each_round_that_is_answered_raises_it_by_about_one_up_to_the_ceiling() -> None:
    pace = Pace(floor=1, ceiling=16)
    await called(pace, times=16, error=THROTTLED)
    for expected in (9, 10, 11):
        await called(pace, times=int(pace.limit))
        assert pace.limit == pytest.approx(expected, abs=0.4)
    for _ in range(10):
        await called(pace, times=int(pace.limit))
    assert (pace.limit, pace.slowed) == (16, False)


@pytest.mark.parametrize("error", [DENIED, OSError("cut")])
async def test_other_errors_move_it_neither_way(error: Exception) -> None:
    pace = Pace(floor=1, ceiling=8)
    await called(pace, times=8, error=THROTTLED)
    await called(pace, times=4, error=error)
    assert pace.limit == 4


async def test_a_floor_above_the_ceiling_gives_way() -> None:
    pace = Pace(floor=4, ceiling=1)
    await called(pace, error=THROTTLED)
    assert pace.limit == 1


# --- who gets a place ------------------------------------------------------------------------------------------------


async def test_places_are_given_in_the_order_in_which_they_are_asked_for() -> None:
    pace, order = Pace(floor=1, ceiling=1), []

    async def one(number: int) -> None:
        async with pace.place():
            await asyncio.sleep(0)
            order.append(number)

    await asyncio.gather(*(one(number) for number in range(5)))
    assert order == [0, 1, 2, 3, 4]


async def test_whoever_gives_up_waiting_leaves_no_gap() -> None:
    """Cancelled while it waits, and cancelled in the moment in which it gets its place."""
    pace = Pace(floor=1, ceiling=1)
    async with AsyncExitStack() as held:
        await held.enter_async_context(pace.place())
        gone, late = (asyncio.create_task(called(pace)) for _ in range(2))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
    late.cancel()  # its place was given to it by the end of the block above
    assert await asyncio.gather(gone, late, return_exceptions=True)
    async with asyncio.timeout(1):
        await called(pace)


# --- over a socket ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("hurried")
async def test_a_storm_slows_the_calls_to_sts_and_costs_none() -> None:
    storm = Fault("sts:*", throttle, when=first(30))
    async with asking(small_world(), [storm], seconds=20, concurrency=50, latency=0.001) as (endpoint, session):
        answers = await asyncio.gather(*(session.call("sts", "GetCallerIdentity") for _ in range(50)))
        assert 2 <= session.clients.paces["sts"].limit < 40
    assert (len(answers), endpoint.counts["sts:GetCallerIdentity"]) == (50, 80)


@pytest.mark.usefixtures("hurried")
async def test_one_account_that_is_throttled_for_ever_slows_no_other_down() -> None:
    world = organization(1, 0)
    async with asking(world, [Fault("iam:*", throttle)], seconds=0.2, concurrency=8) as (_, session):
        await asyncio.gather(*(refusal(session, "iam", "ListUsers") for _ in range(3)))
        assert {service for service, pace in session.clients.paces.items() if pace.slowed} == set()


@pytest.mark.usefixtures("hurried")
async def test_a_call_that_waits_to_be_made_again_holds_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """One place, and a back-off that never ends: the other call is made all the same."""
    backing_off = asyncio.Event()

    def never(tries: int) -> float:
        backing_off.set()
        return 3600

    monkeypatch.setattr("scanner.aws.clients._backoff", never)
    async with asking(small_world(), [Fault("sts:*", throttle, when=first(1))], concurrency=1) as (_, session):
        waiting = asyncio.create_task(session.call("sts", "GetCallerIdentity"))
        await backing_off.wait()
        async with asyncio.timeout(5):
            assert (await session.call("sts", "GetCallerIdentity"))["Account"]
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)


async def test_whose_turn_does_not_come_because_of_throttling_is_throttled_and_not_a_timeout() -> None:
    async with asking(small_world(), [Fault("sts:*", hang)], seconds=1) as (endpoint, session):
        session.clients.paces["sts"].limit = 1  # as after a storm
        hung, queued = await asyncio.gather(*(refusal(session, "sts", "GetCallerIdentity") for _ in range(2)))
    assert hung.reason is FailReason.TIMEOUT
    assert (queued.reason, queued.call) == (FailReason.THROTTLED, "sts:GetCallerIdentity")
    assert "before the call could be made" in queued.detail
    assert endpoint.counts["sts:GetCallerIdentity"] <= 1
