"""`collect`: side by side, within its bound, and as the items arrive."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing

import pytest

from scanner.scan.collect import collect

Release = Callable[[], None]


async def given(items: Iterable[int]) -> AsyncGenerator[int, None]:
    for item in items:
        yield item


class Work:
    """Counts who is inside at once; each waits until `enough` have come, or for a few turns of the loop."""

    def __init__(self) -> None:
        self.inside = 0
        self.most = 0

    async def __call__(self, item: int, release: Release) -> int:
        self.inside += 1
        self.most = max(self.most, self.inside)
        for _ in range(3):
            await asyncio.sleep(0)
        self.inside -= 1
        return item


@pytest.mark.parametrize(("items", "at_once"), [(1, 1), (5, 1), (20, 4), (4, 20)])
async def test_work_is_side_by_side_and_within_the_bound(items: int, at_once: int) -> None:
    work = Work()
    results = [result async for result in collect(given(range(items)), work, at_once)]
    assert sorted(results) == list(range(items))
    assert work.most == min(items, at_once)


async def test_all_that_may_be_at_once_are_at_once() -> None:
    """Nobody gets on until five have come: fewer at once would never end."""
    meeting = asyncio.Barrier(5)

    async def work(item: int, release: Release) -> int:
        await meeting.wait()
        return item

    async with asyncio.timeout(5):
        results = [result async for result in collect(given(range(10)), work, 5)]
    assert len(results) == 10


async def test_without_items_there_are_no_results() -> None:
    assert [result async for result in collect(given([]), Work(), 3)] == []


async def test_results_come_as_they_are_ready_and_not_in_order() -> None:
    go = asyncio.Event()

    async def work(item: int, release: Release) -> int:
        if item == 0:
            await go.wait()
        return item

    results = []
    async for result in collect(given(range(3)), work, 3):
        results.append(result)
        if len(results) == 2:
            go.set()
    assert results == [1, 2, 0]


async def test_work_begins_before_the_last_item_has_arrived() -> None:
    begun = asyncio.Event()

    async def items() -> AsyncGenerator[int, None]:
        yield 0
        async with asyncio.timeout(5):
            await begun.wait()
        yield 1

    async def work(item: int, release: Release) -> int:
        begun.set()
        return item

    assert [result async for result in collect(items(), work, 2)] == [0, 1]


async def test_a_place_given_up_early_is_taken_by_the_next() -> None:
    """One place: the first gives it up and waits for the second, which else would never begin."""
    second = asyncio.Event()

    async def work(item: int, release: Release) -> int:
        if item == 0:
            release()
            await second.wait()
        else:
            second.set()
        return item

    async with asyncio.timeout(5):
        assert [result async for result in collect(given(range(2)), work, 1)] == [1, 0]


async def test_a_place_given_up_twice_is_one_place() -> None:
    work = Work()

    async def twice(item: int, release: Release) -> int:
        done = await work(item, release)
        release()
        release()
        return done

    results = [result async for result in collect(given(range(30)), twice, 3)]
    assert len(results) == 30
    assert work.most == 3


async def test_a_place_is_free_again_after_its_work_whether_given_up_or_not() -> None:
    async def work(item: int, release: Release) -> int:
        if item % 2:
            release()
        return item

    async with asyncio.timeout(5):
        assert len([result async for result in collect(given(range(50)), work, 2)]) == 50


async def test_what_the_items_end_with_is_raised() -> None:
    async def items() -> AsyncGenerator[int, None]:
        yield 0
        raise LookupError("the disk is full")

    with pytest.raises((LookupError, ExceptionGroup)):
        async for _ in collect(items(), Work(), 2):
            pass


async def test_whoever_stops_listening_stops_the_work() -> None:
    cancelled = asyncio.Event()

    async def work(item: int, release: Release) -> int:
        if item == 0:
            return item
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return item

    results = collect(given(range(2)), work, 2)
    assert await anext(results) == 0
    await asyncio.sleep(0)
    await results.aclose()
    assert cancelled.is_set()


async def test_whoever_stops_listening_closes_what_the_items_come_from() -> None:
    """Also while the next item waits for a place, and nobody waits for the items."""
    closed = False

    async def items() -> AsyncGenerator[int, None]:
        nonlocal closed
        try:
            for item in range(3):
                yield item
        finally:
            closed = True

    async def work(item: int, release: Release) -> int:
        if item:
            await asyncio.Event().wait()
        return item

    async with aclosing(collect(items(), work, 1)) as results:
        assert await anext(results) == 0
        for _ in range(5):
            await asyncio.sleep(0)
    assert closed


async def test_what_goes_wrong_in_the_listing_comes_out_as_it_is() -> None:
    async def full_disk() -> AsyncGenerator[int, None]:
        yield 1
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        _ = [result async for result in collect(full_disk(), Work(), 2)]
