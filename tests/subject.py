"""The program in a process of its own, to be stopped and killed at moments that a test picks, without waiting for them.

subject = Subject()
with running(world, [Fault("iam:ListUsers", Do(subject.gets(signal.SIGINT)), when=nth(3))]) as endpoint:
    ended = subject.run(endpoint_environment(endpoint.url), "scan")
assert ended.returncode == 130
"""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROGRAM = "from scanner.__main__ import main\nmain()\n"

# What stands before the program where it is to get the signal (argv 1) at a moment of its own (argv 2).
AT_FSYNC = """
import os, signal, sys
number, left = int(sys.argv.pop(1)), int(sys.argv.pop(1))
bare = os.fsync
def fsync(descriptor):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), number)
    bare(descriptor)
os.fsync = fsync
"""
AT_IMPORT = """
import os, signal, sys
number, module = int(sys.argv.pop(1)), sys.argv.pop(1)
class Finder:
    def find_spec(self, name, *_):
        if name == module:
            os.kill(os.getpid(), number)
sys.meta_path.insert(0, Finder())
"""
AT_LOOK_UP = """
import os, signal, socket, sys, threading
number, host = int(sys.argv.pop(1)), sys.argv.pop(1)
def getaddrinfo(*_, **__):
    os.kill(os.getpid(), number)
    threading.Event().wait()
socket.getaddrinfo = getaddrinfo
"""
# No file may grow beyond so many bytes (argv 1): what a full disk does, with "File too large" as the reason.
NO_ROOM = """
import resource, sys
room = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
"""


class Subject:
    """One process."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None
        self.signalled = 0.0  # when it got its signal

    def gets(self, number: signal.Signals) -> Callable[[object], None]:
        """Return what sends it this signal, to be called back by the endpoint."""

        def send(_: object) -> None:
            assert self.process
            self.signalled = time.monotonic()
            self.process.send_signal(number)

        return send

    def run(
        self,
        environment: Mapping[str, str],
        *arguments: object,
        before: str = "",
        hammered: bool = False,
        encoding: str | None = None,
        folder: Path | None = None,
    ) -> "subprocess.CompletedProcess[str]":
        """Run the program to its end, in the current folder or this one, and read what it prints in this encoding.

        `hammered`: with one Ctrl-C after the other, once it has got its signal.
        """
        command = [sys.executable, "-c", before + PROGRAM, *map(str, arguments)]
        with subprocess.Popen(
            command,
            env={**environment, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding=encoding,
            cwd=folder,
        ) as self.process:
            try:
                while hammered and self.process.poll() is None:
                    if self.signalled:
                        self.process.send_signal(signal.SIGINT)
                    with suppress(subprocess.TimeoutExpired):
                        self.process.wait(0.01)
                out, err = self.process.communicate(timeout=60)
            finally:
                self.process.kill()
        return subprocess.CompletedProcess(command, self.process.returncode, out, err)

    @property
    def seconds(self) -> float:
        """How long ago it got its signal."""
        assert self.signalled, "it got none"
        return time.monotonic() - self.signalled
