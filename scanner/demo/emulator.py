"""The embedded AWS emulator: a child process on a loopback port of the kernel's choice, that ends with this one."""

import json
import os
import select
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from scanner.demo.sample_organization import REGION
from scanner.errors import ScannerError
from scanner.settings import PREFIX

_PACKAGES = ("moto", "flask", "flask_cors")
_PATIENCE = 60  # seconds until a start counts as failed; it takes two
_LOOPBACK = "127.0.0.1,localhost"
_SHIELD = {  # nothing of the user's own configuration, and no call to an instance's metadata
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
# The path comes from the parent, as `-m` would take `scanner` from the current folder. (`-P`: nor does Python add it.)
_BOOT = "import json, sys; sys.path[:] = json.loads(sys.argv.pop()); from scanner.demo.server import main; main()"


class EmulatorNotInstalledError(ScannerError):
    """The packages of the extra `demo` are missing."""

    def __init__(self, missing: list[str]) -> None:
        super().__init__(
            f"The demo needs packages that are not installed: {', '.join(missing)}. "
            "Install iam-scanner again, with its extra demo beside those that it has: pipx install --force "
            "'PATH[demo,ocsf]' or python -m pip install 'PATH[demo]', where PATH is its wheel or its source folder."
        )


class EmulatorNotStartedError(ScannerError):
    """The emulator's process ended, or said nothing in time."""

    def __init__(self, errors: str) -> None:
        last = errors.strip().rpartition("\n")[2] or f"it was not ready after {_PATIENCE} seconds"
        super().__init__(f"The AWS emulator of the demo did not start: {last}. Reinstall it with the extra 'demo'.")


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running emulator and how to reach it."""

    url: str
    credentials: Mapping[str, str]  # of the management account
    pid: int

    def environment(self, base: Mapping[str, str]) -> dict[str, str]:
        """`base`, with the AWS SDKs and the AWS CLI pointed at the emulator, and none of its own AWS settings left.

        All of them go, not only those set anew: a profile, an endpoint for one service or a FIPS switch would win.
        """
        bypass = ",".join(filter(None, [base.get("no_proxy") or base.get("NO_PROXY"), _LOOPBACK]))
        return {
            **{name: value for name, value in base.items() if not name.startswith("AWS_")},
            "AWS_ENDPOINT_URL": self.url,
            **self.credentials,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            **_SHIELD,
            "NO_PROXY": bypass,
            "no_proxy": bypass,
        }

    def shell_lines(self) -> list[str]:
        """What to paste into a POSIX shell for the same effect there, with no settings of this program left in it."""
        own = self.environment({name: value for name, value in os.environ.items() if name.lower() == "no_proxy"})
        forget = sorted({name for name in os.environ if name.startswith(("AWS_", PREFIX))} - set(own))
        exports = [f"export {name}={shlex.quote(value)}" for name, value in own.items()]
        return [f"unset {' '.join(forget)}", *exports] if forget else exports

    @contextmanager
    def applied(self) -> Iterator[None]:
        """This process's environment pointed at the emulator, and put back afterwards."""
        before = dict(os.environ)
        _replace_environment(self.environment(before))
        try:
            yield
        finally:
            _replace_environment(before)


@contextmanager
def start(today: date) -> Iterator[Emulator]:
    """An emulator filled with the sample organization as of `today`; ready when entered, gone when left.

    Raises EmulatorNotInstalledError, EmulatorNotStartedError.
    """
    if missing := [name.replace("_", "-") for name in _PACKAGES if find_spec(name) is None]:
        raise EmulatorNotInstalledError(missing)
    with tempfile.TemporaryFile() as errors, _child(today, errors) as process:
        try:
            yield _wait_until_ready(process, errors)
        finally:
            process.kill()


def _child(today: date, errors: IO[bytes]) -> "subprocess.Popen[bytes]":
    root = str(Path(__file__).parents[2])
    path = [entry or root for entry in sys.path]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MOTO_"))}
    return subprocess.Popen(  # noqa: S603 — our own module, under the interpreter that runs us
        [sys.executable, "-P", "-c", _BOOT, today.isoformat(), json.dumps(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        env={**environment, **_SHIELD, "MOTO_DISABLE_GLOBAL_CORS": "1"},  # no web page may read it
        start_new_session=True,  # Ctrl-C is for the scan, which then still needs the emulator to finish
    )


def _wait_until_ready(process: "subprocess.Popen[bytes]", errors: IO[bytes]) -> Emulator:
    assert process.stdout is not None
    readable, _, _ = select.select([process.stdout], [], [], _PATIENCE)
    line = process.stdout.readline() if readable else b""
    if not line:
        errors.seek(0)
        raise EmulatorNotStartedError(errors.read().decode(errors="replace"))
    ready = json.loads(line)
    return Emulator(url=ready["url"], credentials=ready["credentials"], pid=process.pid)


def _replace_environment(environment: Mapping[str, str]) -> None:
    for name in set(os.environ) - set(environment):
        del os.environ[name]
    os.environ.update(environment)
