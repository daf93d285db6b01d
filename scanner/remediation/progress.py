"""What remediation reports while it runs."""

from contextlib import AbstractContextManager
from typing import Protocol

from scanner.aws.clients import Meter


class Progress(Protocol):
    """Is told what happens; the terminal shows it."""

    def says(self, text: str) -> None: ...

    def notes(self, text: str) -> None:
        """Say something that should not be missed."""
        ...

    def paused(self) -> AbstractContextManager[None]:
        """No display within it: somebody may be asked for something in the terminal."""
        ...

    def expects(self, users: int) -> None: ...

    def finished(self, word: str, meter: Meter) -> None:
        """Show that a user is through: "planned", "DONE", "REFUSED", ..."""
        ...
