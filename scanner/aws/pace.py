"""How many calls to one service may be under way at once: fewer when it throttles, more when it does not.

What AWS counts decides what is paced together. STS and Organizations count all of a scan's calls against the account
that makes them, so each has one pace. IAM counts against the account that is asked, by action: throttling in one says
nothing of the others, and the back-off of that one account's calls is answer enough.

The limit falls by half when a call is throttled, and rises by one with each round of calls that are answered. A burst
is throttled as one: an answer to a call that began before the last fall is no news.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from scanner.aws.failures import is_throttled

FALL = 0.5


class Pace:
    """Places for calls, between `floor` and `ceiling` of them, given in the order in which they are asked for."""

    def __init__(self, *, floor: int, ceiling: int) -> None:
        self.limit = float(ceiling)
        self._ceiling = ceiling
        self._floor = min(floor, ceiling)
        self._falls = 0
        self._under_way = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def slowed(self) -> bool:
        return self.limit < self._ceiling

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Wait for a place and hold it; how the call in it ends moves the limit."""
        await self._enter()
        falls = self._falls
        try:
            yield
        except Exception as error:
            if is_throttled(error) and falls == self._falls:
                self._fall()
            raise
        else:
            self._rise()
        finally:
            self._leave()

    def _fall(self) -> None:
        """Fall below what is under way now, as a limit that is far from reached holds nobody back."""
        self._falls += 1
        self.limit = max(self._floor, min(self.limit, self._under_way) * FALL)

    def _rise(self) -> None:
        self.limit = min(self._ceiling, self.limit + 1 / self.limit)

    async def _enter(self) -> None:
        if self._under_way < int(self.limit):  # then nobody waits
            self._under_way += 1
            return
        place = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if not place.cancelled():  # it was given in the same moment
                self._leave()
            raise

    def _leave(self) -> None:
        self._under_way -= 1
        while self._waiting and self._under_way < int(self.limit):
            place = self._waiting.popleft()
            if not place.done():  # else whoever waited for it has gone
                self._under_way += 1
                place.set_result(None)
