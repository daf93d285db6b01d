"""The entry point: `iam-scanner`, and `python -m scanner`."""

import atexit
import gc
import os
import signal
from collections.abc import Callable
from types import FrameType

from scanner.cli.shells import VARIABLE
from scanner.errors import ExitCode

_Handler = Callable[[int, FrameType | None], object] | signal.Handlers


def main() -> None:
    """Run the program. Ctrl-C and SIGTERM end it at once while it is loaded, and are a KeyboardInterrupt after that.

    Where a shell asks for completions they end it without a word, which would land in the line that is being typed.
    """
    completing = VARIABLE in os.environ
    _when_stopped(signal.SIG_DFL if completing else _leave)
    _collect_garbage_seldom()
    from scanner.cli.main import main as run  # noqa: PLC0415  # it takes a while, in which Ctrl-C may come

    if not completing:
        _when_stopped(signal.default_int_handler)
    run()


def _collect_garbage_seldom() -> None:
    """Look for garbage a tenth as often, and not at the end: an eighth less CPU for a scan, and no more memory.

    A run makes much that stays and little garbage that refers to itself; at the end the system takes it all back.
    """
    gc.set_threshold(20_000, 20, 50)
    atexit.register(gc.freeze)


def _when_stopped(handler: _Handler) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)


def _leave(*_: object) -> None:
    os.write(2, b"Interrupted before anything was done.\n")
    os._exit(ExitCode.INTERRUPTED)


if __name__ == "__main__":
    main()
