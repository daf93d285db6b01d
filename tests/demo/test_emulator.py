"""The emulator's process: ready when entered, gone afterwards, whatever happens to the parent, and quiet."""

import json
import os
import select
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from scanner.demo import Demo, EmulatorNotInstalledError, EmulatorNotStartedError, sample
from scanner.demo.emulator import Emulator, start
from tests.demo.clients import client

DAY = date(2026, 11, 23)


def wait_for_end(pid: int, seconds: int = 10) -> None:
    """Until a process that need not be ours has ended. (Linux: a descriptor that becomes readable.)"""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        ended, _, _ = select.select([descriptor], [], [], seconds)
    finally:
        os.close(descriptor)
    assert ended, f"process {pid} lives on"


def test_it_is_ready_and_the_caller_is_in_the_management_account(sample_organization: Demo) -> None:
    identity = client("sts", sample_organization.emulator).get_caller_identity()

    assert identity["Account"] == "210987654321"
    assert identity["Arn"] == "arn:aws:sts::210987654321:assumed-role/IamScannerCaller/demo"


def test_it_listens_on_loopback_only_and_no_web_page_may_read_it(sample_organization: Demo) -> None:
    running = sample_organization.emulator

    assert running.url.startswith("http://127.0.0.1:")
    answer = client("sts", running).get_caller_identity()["ResponseMetadata"]["HTTPHeaders"]
    assert not [name for name in answer if name.startswith("access-control-")]


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs pidfd_open (Linux) to wait for a foreign process")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_when_its_parent_is_killed(how: signal.Signals, tmp_path: Path) -> None:
    (tmp_path / "scanner").mkdir()  # a folder of that name where the command is run must not get in the way
    (tmp_path / "scanner" / "__init__.py").write_text("raise RuntimeError('the wrong scanner')")
    program = (
        "import json, sys; sys.path[:] = json.loads(sys.argv[1])\n"
        "from datetime import date; from scanner.demo.emulator import start\n"
        "with start(date(2026, 11, 23)) as running: print(running.pid, flush=True); sys.stdin.read()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-P", "-c", program, json.dumps([path for path in sys.path if path])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=tmp_path,
    )
    with parent:
        assert parent.stdout is not None
        emulator_pid = int(parent.stdout.readline())
        os.kill(parent.pid, how)

    wait_for_end(emulator_pid)


def test_it_ends_with_the_context_even_by_an_exception() -> None:
    with pytest.raises(ZeroDivisionError), start(DAY) as running:
        raise ZeroDivisionError

    with pytest.raises(ProcessLookupError):
        os.kill(running.pid, 0)


def test_it_writes_nothing_to_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    with start(DAY) as running:
        client("sts", running).get_caller_identity()

    assert capfd.readouterr() == ("", "")


def test_two_run_side_by_side(sample_organization: Demo) -> None:
    with sample(DAY) as other:
        assert other.emulator.url != sample_organization.emulator.url


def test_missing_packages_are_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.demo.emulator._PACKAGES", ("moto_is_missing", "json"))

    with pytest.raises(EmulatorNotInstalledError, match=r"moto-is-missing\. .*'PATH\[demo\]'"), start(DAY):
        pass


def test_a_start_that_fails_tells_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.demo.emulator._BOOT", "raise SystemExit('the port is on strike')")

    with pytest.raises(EmulatorNotStartedError, match="the port is on strike"), start(DAY):
        pass


def test_a_start_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.demo.emulator._BOOT", "import sys; sys.stdin.read()")
    monkeypatch.setattr("scanner.demo.emulator._PATIENCE", 0)

    with pytest.raises(EmulatorNotStartedError, match="not ready after 0 seconds"), start(DAY):
        pass


# --- the environment that points at it -------------------------------------------------------------------------------

RUNNING = Emulator(
    url="http://127.0.0.1:1234",
    credentials={"AWS_ACCESS_KEY_ID": "ASIA", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "to ken"},
    pid=1,
)


def test_the_environment_keeps_none_of_the_users_own_aws_settings() -> None:
    base = {"AWS_PROFILE": "prod", "AWS_ENDPOINT_URL_IAM": "https://iam", "AWS_USE_FIPS_ENDPOINT": "true", "HOME": "/h"}

    assert RUNNING.environment(base) == {
        "HOME": "/h",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1234",
        "AWS_ACCESS_KEY_ID": "ASIA",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "to ken",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


def test_a_proxy_is_bypassed_beside_what_already_bypasses_it() -> None:
    environment = RUNNING.environment({"HTTP_PROXY": "http://proxy:3128", "no_proxy": ".corp"})

    assert environment["no_proxy"] == environment["NO_PROXY"] == ".corp,127.0.0.1,localhost"
    assert environment["HTTP_PROXY"] == "http://proxy:3128"


def test_applied_puts_the_environment_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "prod")
    before = dict(os.environ)

    with RUNNING.applied():
        assert os.environ["AWS_ENDPOINT_URL"] == RUNNING.url
        assert "AWS_PROFILE" not in os.environ

    assert dict(os.environ) == before


def test_the_shell_lines_have_the_same_effect_as_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "prod")
    monkeypatch.setenv("IAM_SCANNER_OU", '["Root/Absent"]')
    script = "\n".join([*RUNNING.shell_lines(), "env"])

    shell = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True, env=dict(os.environ))

    ours = ("AWS_", "IAM_SCANNER_")
    seen = dict(line.split("=", 1) for line in shell.stdout.splitlines() if line.startswith(ours))
    assert seen == {name: value for name, value in RUNNING.environment({}).items() if name.startswith(ours)}
