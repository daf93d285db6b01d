"""A disk that is full, a folder that cannot be written to: exit 1 with the cause, no half file, the journal kept."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scanner.runs import folder as run_folder
from tests.aws_endpoint import SimulatedOrganization, running
from tests.program import calling, hurried, program, scan, small_world, table, workplace
from tests.subject import NO_ROOM, PROGRAM, ROOT, Subject

__all__ = ["hurried", "workplace"]
pytestmark = pytest.mark.usefixtures("workplace", "hurried")

Environment = Callable[..., dict[str, str]]
SCAN = ("scan", "--safelist", "nobody.yaml")


@pytest.fixture
def world() -> SimulatedOrganization:
    return small_world()


def journal_of(world: SimulatedOrganization) -> bytes:
    """What a scan of this world writes into its journal, but for times and ids."""
    with running(world) as endpoint:
        scan(endpoint, "--output", "other")
    (journal,) = Path("other").glob("*/journal.jsonl")
    return journal.read_bytes()


def test_a_disk_that_gets_full_in_the_middle_of_a_scan(
    endpoint_environment: Environment, world: SimulatedOrganization
) -> None:
    """The journal has room for its header, an account or two, and a part of the next."""
    lines = journal_of(world).splitlines(keepends=True)
    room = len(lines[0]) + len(lines[1]) + len(lines[2]) // 2
    with running(world) as endpoint:
        ended = Subject().run(endpoint_environment(endpoint.url), room, *SCAN, before=NO_ROOM)
        (folder,) = Path("reports").iterdir()
        assert ended.returncode == 1, ended.stderr
        assert f"{folder / run_folder.JOURNAL} cannot be written: File too large." in ended.stderr
        assert f"resume with: iam-scanner scan --resume {folder}" in ended.stderr
        assert "Traceback" not in ended.stderr
        assert [file.name for file in folder.iterdir()] == [run_folder.JOURNAL]
        assert (folder / run_folder.JOURNAL).stat().st_size == room
        with calling(endpoint):
            again = program("scan", "--resume", folder, "--format", "csv")
    assert again.exit_code == 3, again.err
    assert "cut off" in again.err
    assert {row["outcome"] for row in table(folder / "accounts.csv")} == {"SCANNED"}
    assert program("verify", folder).exit_code == 0


def test_a_disk_that_gets_full_while_the_reports_are_written(
    endpoint_environment: Environment, world: SimulatedOrganization
) -> None:
    """There is room for the journal, and none for the workbook."""
    room = len(journal_of(world)) + 500
    temporary = Path("temporary")
    temporary.mkdir()
    with running(world) as endpoint:
        environment = endpoint_environment(endpoint.url, TMPDIR=str(temporary.resolve()))
        ended = Subject().run(environment, room, *SCAN, before=NO_ROOM)
    assert not list(temporary.iterdir())
    (folder,) = Path("reports").iterdir()
    assert ended.returncode == 1, ended.stderr
    assert f"Cannot write {folder / 'iam-users.xlsx'}: File too large." in ended.stderr
    assert f"Write the reports with: iam-scanner scan --resume {folder}" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert [file.name for file in folder.iterdir()] == [run_folder.JOURNAL]
    assert program("scan", "--resume", folder).exit_code == 3
    assert program("verify", folder).exit_code == 0


@pytest.mark.parametrize(
    "kind",
    [
        "below a file",  # this root cannot write to either
        pytest.param(
            "read-only", marks=pytest.mark.skipif(os.geteuid() == 0, reason="root may write to read-only folders")
        ),
    ],
)
def test_an_output_folder_that_cannot_be_written_to(world: SimulatedOrganization, kind: str) -> None:
    """It is found before any account is entered."""
    output = Path("output")
    if kind == "read-only":
        output.mkdir(mode=0o500)
    else:
        output.write_text("a file", encoding="utf-8")
    with running(world) as endpoint, calling(endpoint):
        ended = program(*SCAN, "--output", output, "--json")
        assert not endpoint.calls_to("sts:AssumeRole")
        assert not endpoint.calls_to("iam:ListUsers")
    assert ended.exit_code == 1
    assert "cannot be made" in ended.document["error"]["message"]
    assert "--output" in ended.err


def test_an_output_folder_that_cannot_be_locked(world: SimulatedOrganization, without_locks: None) -> None:
    """It is found before any account is entered, and nothing is left there."""
    with running(world) as endpoint, calling(endpoint):
        ended = program(*SCAN, "--json")
        assert not endpoint.calls_to("sts:AssumeRole")
        assert not endpoint.calls_to("iam:ListUsers")
    assert ended.exit_code == 1
    assert "cannot be locked" in ended.document["error"]["message"]
    assert "--output" in ended.err
    assert list(Path("reports").iterdir()) == []


@pytest.mark.parametrize("arguments", [["--json"], ["--quiet"], []], ids=str)
def test_a_result_that_did_not_get_out_is_no_success(world: SimulatedOrganization, arguments: list[str]) -> None:
    with running(world) as endpoint:
        folder = scan(endpoint).folder
    command = [sys.executable, "-c", PROGRAM, "report", str(folder), "--format", "csv", *arguments]
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        ended = subprocess.run(
            command,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=False,
        )
    assert ended.returncode == 1
    assert "No space left on device" in ended.stderr
    assert "Traceback" not in ended.stderr
