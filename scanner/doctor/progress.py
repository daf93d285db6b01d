"""What the doctor reports while it examines."""

from typing import Protocol

from scanner.scan.progress import ListingProgress


class Progress(ListingProgress, Protocol):
    """The same as until a scan knows all accounts, and then each account that was checked."""

    def examines(self, accounts: int) -> None: ...

    def examined(self, *, is_missing: bool) -> None:
        """An account was checked; `is_missing`: something is missing in it."""
        ...
