"""What Ctrl-C and SIGTERM do to a command that calls AWS."""

import asyncio
import signal
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from scanner.errors import InterruptedRunError

T = TypeVar("T")

STOPS = (signal.SIGINT, signal.SIGTERM)


async def stoppable(work: Coroutine[None, None, T], otherwise: str) -> T:
    """Let the first SIGINT or SIGTERM cancel the work, so that it can bring what it began to an end.

    Further ones change nothing. `otherwise` is said where the work was cancelled before it had anything to end.
    """
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in STOPS}

    def stop() -> None:
        for number in STOPS:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)
        loop.set_default_executor(ThreadPoolExecutor())  # a name look-up that hangs in the old one is not waited for
        task.cancel()

    for number in STOPS:
        loop.add_signal_handler(number, stop)
    try:
        return await task
    except asyncio.CancelledError:
        raise InterruptedRunError(f"Interrupted. {otherwise}") from None
    finally:
        if loop.remove_signal_handler(STOPS[0]):  # none came
            for number, handler in before.items():
                loop.remove_signal_handler(number)
                signal.signal(number, handler)
