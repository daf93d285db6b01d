"""What is seen while something long runs: on stderr, and only in a terminal."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, TextColumn, TimeElapsedColumn


class StageProgress:
    """A bar with figures. Outside a terminal it says one line a stage; `quiet` says nothing."""

    def __init__(self, console: Console, *further: ProgressColumn, quiet: bool) -> None:
        self._console = console
        self._quiet = quiet
        self._live = console.is_terminal and not quiet
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[figures]}"),
            TimeElapsedColumn(),
            *further,
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
            self._console.print(text, soft_wrap=True)  # a place in it is to be copied

    def transferred(self, done: int, total: int) -> None:
        """So many bytes are through, of all; both 0: that is over."""
        figures = f"{done / 1e6:,.1f}/{total / 1e6:,.1f} MB" if total else ""
        self._bar.update(self._task, completed=done, total=total or None, figures=figures)
