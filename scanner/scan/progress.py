"""What a scan reports while it runs."""

from contextlib import AbstractContextManager
from typing import Protocol

from scanner.aws.clients import Meter
from scanner.model import AccountScan
from scanner.scan.scope import Placement


class ListingProgress(Protocol):
    """Receives what happens until all accounts are known; the terminal shows it."""

    def says(self, text: str) -> None: ...

    def notes(self, text: str) -> None:
        """Say something that should not be missed."""
        ...

    def transferred(self, done: int, total: int) -> None:
        """So many bytes are through, of all, to the archive or from it; both 0: that is over."""
        ...

    def met(self, placement: Placement) -> None: ...

    def paused(self) -> AbstractContextManager[None]:
        """No display within it: somebody may be asked for something in the terminal."""
        ...

    def listed(self) -> None: ...


class Progress(ListingProgress, Protocol):
    """The same, and what happens to each account."""

    def finished(self, scan: AccountScan, meter: Meter) -> None: ...
