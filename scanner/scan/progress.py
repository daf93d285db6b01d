"""What a scan reports while it runs."""

from typing import Protocol

from scanner.archive import progress as archive
from scanner.aws.clients import Meter
from scanner.model import AccountScan
from scanner.scan.scope import Placement


class ListingProgress(archive.Progress, Protocol):
    """The same as the archive's, and what happens until all accounts are known."""

    def met(self, placement: Placement) -> None: ...

    def listed(self) -> None: ...


class Progress(ListingProgress, Protocol):
    """The same, and what happens to each account."""

    def finished(self, scan: AccountScan, meter: Meter) -> None: ...
