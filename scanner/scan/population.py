"""The accounts of an organization or a file, as they are found: each is placed once, and carries its placement."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from scanner.record import Listing
from scanner.scan.account_sources import Source
from scanner.scan.progress import ListingProgress
from scanner.scan.scope import Placed, Selection, place


class Population:
    """One enumeration. Iterate `accounts()` to its end, then ask for `listing()`."""

    def __init__(self, source: Source, selection: Selection, progress: ListingProgress) -> None:
        self._source = source
        self._selection = selection
        self._progress = progress
        self.placed: list[Placed] = []  # those found so far

    async def accounts(self) -> AsyncGenerator[Placed, None]:
        """Every account as it is found, in scope or not."""
        async with aclosing(self._source.accounts()) as accounts:
            async for account in accounts:
                placed = Placed(account, place(account, self._selection))
                self.placed.append(placed)
                self._progress.met(placed.placement)
                yield placed
        self._progress.listed()

    def listing(self) -> Listing:
        """What was found, up to now where the enumeration did not come to its end."""
        return self._source.listing(self.placed)
