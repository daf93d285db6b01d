"""The entrance: `iam-scanner`, and `python -m scanner`."""

import os
import signal
from collections.abc import Callable
from types import FrameType

from scanner.errors import ExitCode

_Handler = Callable[[int, FrameType | None], object]


def main() -> None:
    """Run the program. Ctrl-C and SIGTERM end it at once while it is loaded, and are a KeyboardInterrupt after that."""
    _when_stopped(_leave)
    from scanner.cli.main import main as run  # noqa: PLC0415  # it takes a while, in which Ctrl-C may come

    _when_stopped(signal.default_int_handler)
    run()


def _when_stopped(handler: _Handler) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)


def _leave(*_: object) -> None:
    os.write(2, b"Interrupted before anything was done.\n")
    os._exit(ExitCode.INTERRUPTED)


if __name__ == "__main__":
    main()
