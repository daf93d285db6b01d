"""Many accounts at once, within a bound. The only place with concurrency over accounts."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar

A = TypeVar("A")
R = TypeVar("R")


async def collect(
    items: AsyncGenerator[A, None], work: Callable[[A, Callable[[], None]], Awaitable[R]], at_once: int
) -> AsyncGenerator[R, None]:
    """Give each item's result as it comes; work on at most `at_once` items, starting on each as it arrives.

    `work` gets the item and a function that gives its place to the next one early: for work that only waits. Whoever
    may stop before the end closes this generator (`aclosing`): then all work has ended, and `items` is closed too.
    """
    places = asyncio.Semaphore(at_once)
    results: asyncio.Queue[R | None] = asyncio.Queue()

    async def one(item: A) -> None:
        release = _once(places.release)
        try:
            results.put_nowait(await work(item, release))
        finally:
            release()

    async def feed() -> None:
        try:
            async with aclosing(items), asyncio.TaskGroup() as group:
                async for item in items:
                    await places.acquire()
                    group.create_task(one(item))
        finally:
            results.put_nowait(None)

    feeding = asyncio.create_task(feed())
    try:
        while (result := await results.get()) is not None:
            yield result
        await _plainly(feeding)
    finally:
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)


async def _plainly(task: "asyncio.Task[None]") -> None:
    """Wait for the task; raise what went wrong, out of the groups that wrap it on its way here."""
    try:
        await task
    except ExceptionGroup as group:
        error: Exception = group
        while isinstance(error, ExceptionGroup):
            error = error.exceptions[0]
        raise error from group


def _once(action: Callable[[], None]) -> Callable[[], None]:
    done = False

    def call() -> None:
        nonlocal done
        if not done:
            done = True
            action()

    return call
