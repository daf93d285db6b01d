"""Many accounts at once, within a bound; within one account, one user after the other."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

A = TypeVar("A")


async def over_accounts(accounts: Iterable[A], work: Callable[[A], Awaitable[None]], at_once: int) -> None:
    """Do the work of each account, on at most `at_once` of them; the first error ends all of it and is raised."""
    places = asyncio.Semaphore(at_once)

    async def one(account: A) -> None:
        async with places:
            await work(account)

    tasks = [asyncio.create_task(one(account)) for account in accounts]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
