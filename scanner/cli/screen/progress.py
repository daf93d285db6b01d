"""What is seen while a scan runs: accounts, users, failures and the time left."""

from rich.console import Console
from rich.progress import TimeRemainingColumn

from scanner.aws.clients import Meter
from scanner.cli.screen.stage_progress import StageProgress
from scanner.model import AccountScan, Failed, Scanned
from scanner.report.words import many
from scanner.scan.scope import Placement, Plan


class ScanProgress(StageProgress):
    """Accounts done of those known so far, failures, users, throttled calls, and the time left."""

    def __init__(self, console: Console, *, quiet: bool) -> None:
        super().__init__(console, TimeRemainingColumn(compact=True), quiet=quiet)
        self._known = 0
        self._users = 0
        self._failed = 0
        self._throttled = 0

    def met(self, placement: Placement) -> None:
        """An account was found; those outside the scope are not waited for."""
        if placement.plan is not Plan.OUTSIDE:
            self._known += 1
            self._show()

    def listed(self) -> None:
        """All accounts are known: from now on the time left is known."""
        self._bar.update(self._task, total=self._known)

    def finished(self, scan: AccountScan, meter: Meter) -> None:
        self._failed += isinstance(scan, Failed)
        self._users += len(scan.users) if isinstance(scan, Scanned) else 0
        self._throttled = meter.throttled
        self._bar.advance(self._task)
        self._show()

    def _show(self) -> None:
        task = self._bar.tasks[0]
        figures = f"{int(task.completed):,}/{self._known:,} accounts, {many(self._users, 'user')}"
        if self._failed:
            figures += f", {self._failed:,} failed"
        if self._throttled:
            figures += f", {self._throttled:,} throttled"
        self._bar.update(self._task, figures=figures)
