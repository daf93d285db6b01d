"""What is reported while something goes to the archive, or comes from it."""

from contextlib import AbstractContextManager
from typing import Protocol


class Progress(Protocol):
    """Receives what happens; the terminal shows it."""

    def says(self, text: str) -> None: ...

    def notes(self, text: str) -> None:
        """Say something that should not be missed."""
        ...

    def paused(self) -> AbstractContextManager[None]:
        """No display within it: somebody may be asked for something in the terminal."""
        ...

    def transferred(self, done: int, total: int) -> None:
        """So many bytes are through, of all; both 0: that is over."""
        ...
