"""`scan --resume`: goes on where a run stopped, and ends as if it had never stopped."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from scanner import run
from tests.aws_endpoint import Endpoint, Fault, SimulatedOrganization, deny, hang, running
from tests.program import Done, Scanned, calling, hurried, ids, named, program, scan, small_world, table, workplace

__all__ = ["hurried", "workplace"]
pytestmark = pytest.mark.usefixtures("workplace", "hurried")


def resume(endpoint: Endpoint, run_: object, *arguments: object) -> Done:
    with calling(endpoint):
        return program("scan", "--resume", run_, "--format", "csv", *arguments)


def cut(done: Scanned, length: int) -> Path:
    """A run that stopped when its journal had that many bytes, as SIGKILL leaves it."""
    journal = (done.folder / run.JOURNAL).read_bytes()[:length]
    shutil.rmtree(done.folder)
    done.folder.mkdir()
    (done.folder / run.JOURNAL).write_bytes(journal)
    return done.folder


def entered(endpoint: Endpoint) -> set[str | None]:
    return {call.account_id for call in endpoint.calls_to("iam:ListUsers")}


@pytest.fixture
def world() -> SimulatedOrganization:
    return small_world()


def test_a_run_with_a_failed_account_goes_on_with_that_account_alone(world: SimulatedOrganization) -> None:
    broken = named(world, "core").id
    with running(world, [Fault("sts:AssumeRole", deny, account=broken)]) as endpoint:
        first = scan(endpoint)
        assert (first.exit_code, first.with_outcome("FAILED")) == (4, {broken})
        endpoint.faults.rules.clear()
        endpoint.calls.clear()
        again = resume(endpoint, first.folder.name)
    assert again.exit_code == 3
    assert entered(endpoint) == {broken}
    resumed = Scanned(again.exit_code, again.out, again.err, first.output)
    assert resumed.with_outcome("SCANNED") == ids(world)
    assert len(resumed.record.resumptions) == 1
    assert resumed.summary["times"]["resumed_at"]


def test_wherever_a_run_stopped_it_ends_with_the_same_users(world: SimulatedOrganization) -> None:
    with running(world) as endpoint:
        done = scan(endpoint)
        whole = (done.folder / run.JOURNAL).read_bytes()
        users = (done.folder / "iam-users.csv").read_bytes()
        header = whole.index(b"\n") + 1
        ends = [at + 1 for at, byte in enumerate(whole) if byte == 0x0A]
        torn = [at - 7 for at in ends if at > header]
        for length in sorted({*ends[:-1], *torn}):
            cut(done, length)
            (done.folder / run.JOURNAL).write_bytes(whole[:length])
            again = resume(endpoint, done.folder.name)
            assert again.exit_code == 3, again.err
            assert ("cut off" in again.err) == (length in torn)
            assert (done.folder / "iam-users.csv").read_bytes() == users
            assert {row["outcome"] for row in table(done.folder / "accounts.csv")} == {"SCANNED"}
            assert run.is_sealed(done.folder)


def test_a_run_that_lacks_only_its_reports_gets_them_without_a_call(world: SimulatedOrganization) -> None:
    with running(world) as endpoint:
        done = scan(endpoint)
        users = (done.folder / "iam-users.csv").read_bytes()
        cut(done, 10**9)
        endpoint.calls.clear()
        again = resume(endpoint, done.folder)
    assert again.exit_code == 3
    assert endpoint.calls == []
    assert (done.folder / "iam-users.csv").read_bytes() == users


def test_a_complete_run_is_not_gone_on_with(world: SimulatedOrganization) -> None:
    with running(world) as endpoint:
        done = scan(endpoint)
        again = resume(endpoint, done.folder.name)
    assert again.exit_code == 2
    assert "nothing to go on with" in again.err


@pytest.mark.parametrize(
    "option", [("--ou", "Root/Workloads"), ("--safelist", "nobody.yaml"), ("--evidence", "basic"), ("--role-name", "x")]
)
def test_what_a_run_was_begun_with_cannot_be_changed(world: SimulatedOrganization, option: tuple[str, str]) -> None:
    with running(world, [Fault("sts:AssumeRole", deny, account=named(world, "core").id)]) as endpoint:
        done = scan(endpoint)
        endpoint.calls.clear()
        again = resume(endpoint, done.folder.name, *option)
    assert again.exit_code == 2
    assert option[0] in again.err
    assert endpoint.calls == []


def test_the_external_id_must_be_given_again(world: SimulatedOrganization) -> None:
    with running(world, [Fault("sts:AssumeRole", deny, account=named(world, "core").id)]) as endpoint:
        done = scan(endpoint, "--external-id", "planted-secret")
        without = resume(endpoint, done.folder.name)
        endpoint.faults.rules.clear()
        again = resume(endpoint, done.folder.name, "--external-id", "planted-secret")
    assert (without.exit_code, again.exit_code) == (2, 3)
    assert "--external-id again" in without.err
    assert endpoint.sessions[-1].external_id == "planted-secret"


def test_a_run_is_gone_on_with_by_its_own_organization(world: SimulatedOrganization) -> None:
    with running(world, [Fault("sts:AssumeRole", deny, account=named(world, "core").id)]) as endpoint:
        done = scan(endpoint)
    before = (done.folder / run.JOURNAL).read_bytes()
    world.id = "o-another0001"
    with running(world) as endpoint:
        again = resume(endpoint, done.folder.name)
    assert again.exit_code == 2
    assert "another organization" in again.err
    assert (done.folder / run.JOURNAL).read_bytes() == before


def test_after_seven_days_it_refuses(world: SimulatedOrganization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.scan.use_case.RESUMABLE", timedelta(seconds=-1))
    with running(world, [Fault("sts:AssumeRole", deny, account=named(world, "core").id)]) as endpoint:
        done = scan(endpoint)
        again = resume(endpoint, done.folder.name)
    assert again.exit_code == 2
    assert "seven days" in again.err


def test_two_processes_cannot_be_at_one_run(world: SimulatedOrganization) -> None:
    with running(world, [Fault("sts:AssumeRole", deny, account=named(world, "core").id)]) as endpoint:
        done = scan(endpoint)
        with run.Journal(done.folder, run.read_begun(done.folder)):
            again = resume(endpoint, done.folder.name)
    assert again.exit_code == 2
    assert "Another process" in again.err


def test_a_changed_line_is_refused_and_not_repaired(world: SimulatedOrganization) -> None:
    with running(world, [Fault("sts:AssumeRole", deny, account=named(world, "core").id)]) as endpoint:
        done = scan(endpoint)
        journal = done.folder / run.JOURNAL
        changed = journal.read_bytes().replace(b'"user_name":"alice"', b'"user_name":"mallo"', 1)
        journal.write_bytes(changed)
        again = resume(endpoint, done.folder.name)
    assert again.exit_code == 1
    assert "the journal was changed" in again.err
    assert journal.read_bytes() == changed


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_scan_says_how_to_go_on_and_does(
    endpoint_environment: Callable[..., dict[str, str]], world: SimulatedOrganization, number: signal.Signals
) -> None:
    """All accounts but one are read; that one hangs until the signal comes."""
    stuck = named(world, "core").id
    command = [sys.executable, "-m", "scanner", "scan", "--safelist", "nobody.yaml", "--format", "csv"]
    with running(world, [Fault("iam:ListUsers", hang, account=stuck)]) as endpoint:
        environment = endpoint_environment(endpoint.url, PYTHONPATH=str(Path(__file__).parents[2]))
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
            try:
                folder = _until_all_but_one_are_read(len(ids(world)) - 1, process)
                process.send_signal(number)
                _, said = process.communicate(timeout=20)
            finally:
                process.kill()
        assert process.returncode == 130
        assert f"--resume {folder}" in said.decode()
        assert run.read(folder).footer.interrupted
        endpoint.faults.rules.clear()
        endpoint.calls.clear()
        again = resume(endpoint, folder)
    assert again.exit_code == 3
    assert entered(endpoint) == {stuck}


def _until_all_but_one_are_read(accounts: int, process: "subprocess.Popen[bytes]") -> Path:
    while process.poll() is None:
        for journal in Path("reports").glob("*/journal.jsonl"):
            if journal.read_bytes().count(b'{"type":"account"') >= accounts:
                return journal.parent
    raise AssertionError("the scan ended before it was stopped")


def test_an_interrupted_run_is_reported_as_incomplete(world: SimulatedOrganization) -> None:
    with running(world) as endpoint:
        done = scan(endpoint)
    lines = (done.folder / run.JOURNAL).read_bytes().splitlines(keepends=True)
    footer = json.loads(lines[-1]) | {"interrupted": True}
    (done.folder / run.JOURNAL).write_bytes(
        b"".join(lines[:-1]) + json.dumps(footer, separators=(",", ":")).encode() + b"\n"
    )
    again = program("report", done.folder.name, "--json")
    assert again.document["status"] == "INCOMPLETE"
