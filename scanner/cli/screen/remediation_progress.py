"""What is seen while remediation runs: users, and how they ended."""

from collections import Counter

from rich.console import Console

from scanner.aws.clients import Meter
from scanner.cli.screen.stage_progress import StageProgress


class RemediationProgress(StageProgress):
    """Users through of those there are, by how they ended, and throttled responses."""

    def __init__(self, console: Console, *, quiet: bool) -> None:
        super().__init__(console, quiet=quiet)
        self._words: Counter[str] = Counter()
        self._users = 0

    def expects(self, users: int) -> None:
        self._users = users
        self._bar.update(self._task, total=users)

    def finished(self, word: str, meter: Meter) -> None:
        """Show that a user is through."""
        self._words[word] += 1
        figures = f"{sum(self._words.values()):,}/{self._users:,} users"
        figures += "".join(f" · {count:,} {name}" for name, count in self._words.items())
        if meter.throttled:
            figures += f" · {meter.throttled:,} throttled"
        self._bar.update(self._task, advance=1, figures=figures)
