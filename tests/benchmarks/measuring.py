"""Whole processes, measured by what the operating system charges them with, and the simulated AWS they work with.

This module and the runner import little on purpose: a child's peak memory counts from that of the process it forked
from.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scanner.errors import ExitCode

ROOT = Path(__file__).resolve().parents[2]
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much is measured."""

    accounts: int = 1000
    many_accounts: int = 10_000
    compared_accounts: int = 100  # for the ways that are too slow for all; CPU is compared by account
    users: int = 10  # in each account
    many_users: int = 100  # the same, for the writing of reports
    latency: float = 0.03  # seconds that AWS takes for each answer
    high_latency: float = 0.2
    report_delay: str = "2,20"  # seconds that AWS takes for a credential report, least and most
    rounds: int = 3  # of what takes seconds, and is compared side by side; the median counts
    repeats: int = 7  # of what is over in no time; the median counts
    kills: int = 50  # runs that are killed
    killed: tuple[int, int] = (40, 5)  # accounts of each, and users in an account
    at_once: tuple[int, ...] = (64, 256, 16)  # --concurrency; the first two without a pace, too
    removed: tuple[int, int] = (100, 5)  # accounts, and users in each, that are removed


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    wall: float  # seconds
    cpu: float  # seconds, user and system
    peak: float  # megabytes (of 1,000,000 bytes) of resident memory
    out: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """An empty folder to work in, and the environment that leads to the simulated AWS and nowhere else."""

    folder: Path
    environment: Mapping[str, str]

    @property
    def safelist(self) -> Path:
        """A safelist that approves nobody."""
        return self.folder / "nobody.yaml"

    @property
    def output(self) -> Path:
        return self.folder / "reports"

    def measure(self, module: str, *arguments: str, exit_code: int = 0) -> Measured:
        """Run a module as a process; raise RuntimeError where it ends otherwise than expected."""
        with tempfile.TemporaryFile("w+", encoding="utf-8") as out:
            started = time.perf_counter()
            process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                cwd=self.folder,
                env=self.environment,
            )
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - started
            process.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            said = out.read()
        if process.returncode != exit_code:
            raise RuntimeError(f"{module} ended with {process.returncode}, not {exit_code}: {said}")
        cpu = usage.ru_utime + usage.ru_stime
        return Measured(wall=wall, cpu=cpu, peak=usage.ru_maxrss * _MAXRSS_UNIT / 1e6, out=said)


@contextmanager
def workplace(
    sizes: Sizes, *, full: bool = False, live: bool = False, sts: str = "", report_delay: str = "0,0"
) -> Iterator[Workplace]:
    """Serve an organization of these sizes, with `full` one whose users have keys, groups, policies and tags, and one
    of whom in each account is so young that CloudTrail is asked who made it.

    With `live`, what is done to its users is kept, and the management account comes on top. `sts` is what STS allows
    the caller: "RATE,BURST", calls a second and calls at once.
    """
    options = [
        "--report-delay",
        report_delay,
        *(["--full", "--young"] if full else []),
        *(["--live"] if live else []),
        *(["--sts-bucket", sts] if sts else []),
    ]
    with tempfile.TemporaryDirectory() as folder, _simulated_aws(sizes, options) as (url, key):
        place = Workplace(folder=Path(folder), environment=environment(url, key))
        place.safelist.write_text("version: 1\nglobal: []\n", encoding="utf-8")
        yield place


def environment(url: str, key: str) -> dict[str, str]:
    """Nothing of the environment that the benchmarks were started in reaches what they measure."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@contextmanager
def _simulated_aws(sizes: Sizes, options: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield its URL and the access key to use."""
    size = ["--accounts", str(sizes.accounts), "--users", str(sizes.users), "--latency", str(sizes.latency)]
    command = [sys.executable, "-m", "tests.aws_endpoint", *size, *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        url, key = (process.stdout.readline().strip() for _ in range(2))
        try:
            if not key:  # never on without a URL: the SDK would then call AWS itself
                raise RuntimeError("the simulated AWS did not start")
            yield url, key
        finally:
            process.communicate("")


def scan(
    place: Workplace,
    sizes: Sizes,
    evidence: str,
    *more: str,
    formats: Sequence[str] = ("xlsx", "csv"),
    module: str = "scanner",
) -> tuple[Measured, Mapping[str, Any]]:
    """Measure a scan and its reports, and return its summary too; RuntimeError where it did not read all."""
    options = ["--evidence", evidence, "--safelist", str(place.safelist), "--output", str(place.output), *more]
    options += [option for each in formats for option in ("--format", each)]
    measured = place.measure(module, "scan", *options, "--json", "--quiet", exit_code=ExitCode.UNAPPROVED)
    summary = json.loads(measured.out)
    read = (summary["coverage"]["scanned"], summary["users"]["found"])
    if read != (sizes.accounts, sizes.accounts * sizes.users):
        raise RuntimeError(f"the scan read {read[0]} accounts and {read[1]} users")
    return measured, summary
