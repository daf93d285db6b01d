"""What is seen while a scan runs: on stderr, and only in a terminal."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from scanner.aws.clients import Meter
from scanner.model import AccountScan, Failed, Scanned
from scanner.report.words import many
from scanner.scan.scope import Placement, Plan


class ScanProgress:
    """Accounts done of those known so far, failures, users, throttled calls, and the time left.

    Outside a terminal it says one line a stage; `quiet` says nothing.
    """

    def __init__(self, console: Console, *, quiet: bool) -> None:
        self._console = console
        self._quiet = quiet
        self._live = console.is_terminal and not quiet
        self._known = 0
        self._users = 0
        self._failed = 0
        self._throttled = 0
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[figures]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(compact=True),
            console=console,
            transient=True,
            disable=not self._live,
            expand=True,
        )
        self._task = self._bar.add_task("Starting", total=None, figures="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.stop()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Take the display away while somebody may be asked for something in the terminal."""
        self._bar.stop()
        try:
            yield
        finally:
            self._bar.start()

    def says(self, text: str) -> None:
        """Begin a stage."""
        if self._live:
            self._bar.update(self._task, description=text)
        elif not self._quiet:
            self._console.print(f"{text} ...")

    def notes(self, text: str) -> None:
        """Say something that should not be missed, and go on."""
        if not self._quiet:
            self._console.print(text)

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
