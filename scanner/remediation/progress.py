"""What remediation reports while it runs."""

from typing import Protocol

from scanner.aws.clients import Meter


class Progress(Protocol):
    """Is told what happens; the terminal shows it."""

    def says(self, text: str) -> None: ...

    def expects(self, users: int) -> None: ...

    def finished(self, word: str, meter: Meter) -> None:
        """Show that a user is through: "planned", "DONE", "REFUSED", ..."""
        ...
