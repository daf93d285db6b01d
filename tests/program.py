"""The program, run in this process: its exit code, what it prints, and what it leaves behind.

    with running(world) as endpoint:
        done = scan(endpoint, "--ou", "Root/Prod")
    assert done.exit_code == 4
    assert done.accounts["000000000001"]["reason"] == "ACCESS_DENIED"

Use it with the fixture `workplace`: an empty folder to work in, with a safelist that approves nobody.
"""

import atexit
import csv
import io
import json
import logging
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import botocore
import pytest
from botocore.loaders import create_loader

from scanner.cli.main import main
from scanner.record import Record
from scanner.runs import folder as run_folder
from tests.aws_endpoint import (
    MANAGEMENT_KEY,
    Call,
    Endpoint,
    SimulatedAccount,
    SimulatedOrganization,
    empty_organization,
)

_loader = cache(create_loader)


@cache
def _one_certificate() -> str:
    """A file with one certificate of the many that the SDK would read for each client, and no test needs."""
    text = (Path(botocore.__file__).parent / "cacert.pem").read_text(encoding="utf-8")
    with tempfile.NamedTemporaryFile("w", suffix=".pem", delete=False) as file:
        file.write(
            text[text.index("-----BEGIN") :].split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n"
        )
    atexit.register(os.unlink, file.name)
    return file.name


NOBODY = "version: 1\nglobal: []\n"


@dataclass(frozen=True)
class Done:
    """How a run of the program ended."""

    exit_code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """Stdout as the one JSON document that `--json` promises."""
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found


@dataclass(frozen=True)
class Scanned(Done):
    """The same of a scan, with the run that it left."""

    output: Path

    @cached_property
    def folder(self) -> Path:
        (found,) = (path for path in self.output.iterdir() if (path / run_folder.JOURNAL).exists())
        return found

    @cached_property
    def record(self) -> Record:
        return run_folder.read(self.folder)

    @cached_property
    def accounts(self) -> dict[str, dict[str, str]]:
        return {row["account_id"]: row for row in table(self.folder / "accounts.csv")}

    @cached_property
    def users(self) -> list[dict[str, str]]:
        return table(self.folder / "iam-users.csv")

    @cached_property
    def summary(self) -> dict[str, Any]:
        found = json.loads((self.folder / "summary.json").read_bytes())
        assert isinstance(found, dict)
        return found

    def user(self, name: str) -> dict[str, str]:
        (found,) = (row for row in self.users if row["user_name"] == name)
        return found

    def with_outcome(self, outcome: str) -> set[str]:
        return {account for account, row in self.accounts.items() if row["outcome"] == outcome}


def table(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


class Narrow(io.TextIOWrapper):
    """A stream that can show what its encoding has, and is strict about the rest, as PYTHONIOENCODING makes stdout."""

    def __init__(self, encoding: str) -> None:
        super().__init__(io.BytesIO(), encoding, "strict", newline="\n", write_through=True)

    def getvalue(self) -> str:
        self.flush()
        self.seek(0)
        return self.read()


def program(*arguments: object, encoding: str | None = None) -> Done:
    """Run the command line in this process and environment, on streams that can show all or what this encoding has."""
    out, err = (Narrow(encoding) if encoding else io.StringIO() for _ in range(2))
    with pytest.MonkeyPatch.context() as patch, _own_logging(), redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["iam-scanner", *map(str, arguments)])
        patch.setenv("COLUMNS", "400")
        patch.setenv("NO_COLOR", "1")
        try:
            main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
    return Done(code, out.getvalue(), err.getvalue())


def scan(endpoint: Endpoint, *arguments: object, key: str = MANAGEMENT_KEY, safelist: str = "nobody.yaml") -> Scanned:
    """Scan the endpoint's world as the holder of this access key, into `reports` in the current folder."""
    output = Path("reports")
    with calling(endpoint, key):
        done = program("scan", "--safelist", safelist, "--output", output, "--format", "csv", *arguments)
    return Scanned(done.exit_code, done.out, done.err, output)


@contextmanager
def calling(endpoint: Endpoint, key: str = MANAGEMENT_KEY) -> Iterator[None]:
    """Point the AWS SDK in this process at the endpoint, as the holder of this access key."""
    with calling_at(endpoint.url, key):
        yield


@contextmanager
def calling_at(url: str, key: str) -> Iterator[None]:
    """Do the same with an endpoint in another process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.session.create_loader", _loader)  # parse the SDK's data once, not once a scan
        patch.delenv("AWS_SESSION_TOKEN", raising=False)
        patch.setenv("AWS_CA_BUNDLE", _one_certificate())
        patch.setenv("AWS_ENDPOINT_URL", url)
        patch.setenv("AWS_ACCESS_KEY_ID", key)
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        yield


@contextmanager
def _own_logging() -> Iterator[None]:
    """Put the program's log back to how it was, as a process of its own would by ending."""
    log = logging.getLogger("scanner")
    level, handlers, propagate = log.level, list(log.handlers), log.propagate
    try:
        yield
    finally:
        log.setLevel(level)
        log.handlers[:] = handlers
        log.propagate = propagate


# --- a world ---------------------------------------------------------------------------------------------------------


def small_world(users: Sequence[str] = ("alice", "bob")) -> SimulatedOrganization:
    """Seven accounts, each with these users.

    Root                   management
    ├── Workloads
    │   ├── Prod           prod
    │   │   ├── Payments   payments-1, payments-2
    │   │   └── Core       core
    │   └── Dev            dev
    └── Sandbox            sandbox
    """
    world = empty_organization()
    workloads, sandbox = world.add_ou("Workloads"), world.add_ou("Sandbox")
    prod, dev = world.add_ou("Prod", workloads.id), world.add_ou("Dev", workloads.id)
    payments, core = world.add_ou("Payments", prod.id), world.add_ou("Core", prod.id)
    places = {
        "prod": prod,
        "payments-1": payments,
        "payments-2": payments,
        "core": core,
        "dev": dev,
        "sandbox": sandbox,
    }
    for name, unit in places.items():
        world.add_account(name, unit.id)
    for account in world.accounts.values():
        for user in users:
            account.add_user(user)
    return world


PROD = ("prod", "payments-1", "payments-2", "core")  # the accounts of Root/Workloads/Prod and below


def named(world: SimulatedOrganization, name: str) -> SimulatedAccount:
    (found,) = (account for account in world.accounts.values() if account.name == name)
    return found


def ids(world: SimulatedOrganization, *names: str) -> set[str]:
    """The ids of the accounts of these names; without names, of all."""
    return {named(world, name).id for name in names} if names else set(world.accounts)


def unit(world: SimulatedOrganization, name: str) -> str:
    """The id of the only OU of this name."""
    (found,) = (ou.id for ou in world.ous.values() if ou.name == name)
    return found


def accounts_asked(calls: Sequence[Call]) -> set[str]:
    return {call.account_id for call in calls}
