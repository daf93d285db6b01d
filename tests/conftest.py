"""For every test: credentials that work nowhere, settings that come from nowhere, and no network but loopback."""

import errno
import fcntl
import ipaddress
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from scanner.demo import Demo, sample
from tests.demo_expected import utc_today
from tests.program import NOBODY

# A busy machine is no fault of the code that is tested; pytest-timeout ends what hangs.
settings.register_profile("scanner", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("scanner")

REFUSED = "http://127.0.0.1:9"  # nothing listens there

# Variables that begin so, and all proxies, are unset. The last one would have each subprocess compile the program anew.
FOREIGN = ("AWS_", "IAM_SCANNER_", "REQUESTS_CA_BUNDLE", "PYTHONDONTWRITEBYTECODE")

BROKEN_AWS = {
    "AWS_ACCESS_KEY_ID": "AKIABROKENBROKENBROK",
    "AWS_SECRET_ACCESS_KEY": "broken",
    "AWS_SESSION_TOKEN": "broken",
    "AWS_CONFIG_FILE": "/nonexistent/aws/config",
    "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent/aws/credentials",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_ENDPOINT_URL": REFUSED,
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
}


class OutsideConnectionError(BaseException):
    """A test went for an address that is not loopback; not an Exception, lest the program take it for an outage."""


@pytest.fixture(autouse=True)
def broken_environment() -> Iterator[None]:
    """Nothing of the environment that the tests were started in reaches the program, also not in a subprocess."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(FOREIGN) or name.lower().endswith("_proxy"):
                patch.delenv(name)
        for name, value in BROKEN_AWS.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(autouse=True)
def loopback_only() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", _guarded(socket.socket.connect))
        patch.setattr(socket.socket, "connect_ex", _guarded(socket.socket.connect_ex))
        patch.setattr(socket, "getaddrinfo", _guarded_lookup(socket.getaddrinfo))
        yield


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder as the current one, with `nobody.yaml`: a safelist that approves nobody."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nobody.yaml").write_text(NOBODY, encoding="utf-8")
    return tmp_path


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits: back-off and the looks at a credential report come at once."""
    monkeypatch.setattr("scanner.aws.clients.BACKOFF_CAP", 0.002)
    monkeypatch.setattr("scanner.aws.credential_report.POLL_SECONDS", (0.0,))


@pytest.fixture(params=[errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS])
def without_locks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that cannot lock, as some that are reached over a network."""

    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr(fcntl, "flock", refuse)


@pytest.fixture(scope="session")
def sample_organization() -> Iterator[Demo]:
    """The emulator with the sample organization, one for the whole session. Tests must not change what it holds."""
    pytest.importorskip("moto")
    with sample(utc_today()) as demo:
        yield demo


@pytest.fixture
def endpoint_environment() -> Callable[..., dict[str, str]]:
    """The environment for a subprocess that is to work with the simulated AWS at this URL, as this access key."""
    return _endpoint_environment


def _endpoint_environment(url: str, key: str = "AKIAMANAGEMENT000000", **more: str) -> dict[str, str]:
    environment = dict(os.environ)
    del environment["AWS_SESSION_TOKEN"]
    environment |= {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": "secret"}
    return environment | more


def _guarded(connect: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family != socket.AF_UNIX:
            _check(address[0])
        return connect(self, address)

    return guarded


def _guarded_lookup(lookup: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(host: Any, *arguments: Any, **options: Any) -> Any:
        _check(host)
        return lookup(host, *arguments, **options)

    return guarded


def _check(host: str | bytes | None) -> None:
    name = host.decode() if isinstance(host, bytes) else host or "localhost"
    if not _is_loopback(name):
        raise OutsideConnectionError(f"a test tried to reach {name}; tests may reach loopback addresses only")


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"
