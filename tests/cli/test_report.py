"""`report`: a recorded run, rendered again without AWS."""

import json
import os
import socket
from pathlib import Path

import pytest

from tests.aws_endpoint import Fault, deny, running
from tests.program import Scanned, named, program, scan, small_world


@pytest.fixture
def done(workplace: Path) -> Scanned:
    """A run with approved and unapproved users, and an account that failed."""
    Path("alice.yaml").write_text("version: 1\nglobal: [{user: alice, owner: ops@example.com}]\n", encoding="utf-8")
    world = small_world(users=["alice", "=1+1"])
    with running(world, [Fault("sts:AssumeRole", deny, account=named(world, "core").id)]) as endpoint:
        ended = scan(endpoint, "--format", "json", safelist="alice.yaml")
    assert ended.exit_code == 4
    return ended


def rendered(run: Scanned) -> Path:
    return run.output / f"{run.folder.name}-report"


def test_the_same_run_gives_the_same_bytes(done: Scanned) -> None:
    again = program("report", done.folder.name, "--format", "csv", "--format", "json")
    assert again.exit_code == 0
    for name in ("iam-users.csv", "accounts.csv", "iam-users.json", "summary.json"):
        assert (rendered(done) / name).read_bytes() == (done.folder / name).read_bytes(), name


def test_it_is_the_same_without_the_safelist_that_the_run_was_decided_by(done: Scanned) -> None:
    """The journal holds its text; what the file says today does not count."""
    Path("alice.yaml").write_text("version: 1\nglobal: ['=1+1']\n", encoding="utf-8")
    program("report", done.folder.name, "--format", "csv")
    assert (rendered(done) / "iam-users.csv").read_bytes() == (done.folder / "iam-users.csv").read_bytes()


def test_a_run_may_be_named_by_its_folder(done: Scanned) -> None:
    assert program("report", done.folder, "--format", "csv").exit_code == 0
    assert (rendered(done) / "iam-users.csv").exists()


def test_of_a_run_that_was_moved_the_next_step_names_the_place_where_it_is(workplace: Path) -> None:
    with running(small_world()) as endpoint:
        folder = scan(endpoint).folder
    Path("my runs").mkdir()
    folder.rename(Path("my runs") / folder.name)
    told = program("report", folder.name, "--output", "my runs").out
    assert told.endswith("iam-scanner review import review.xlsx --safelist nobody.yaml --output 'my runs'\n")


def test_it_needs_neither_credentials_nor_a_network(done: Scanned, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("a recorded run is rendered without calling anyone")

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(socket.socket, "connect", refused)
    assert program("report", done.folder.name).exit_code == 0


def test_by_default_the_workbook_and_the_csv_come(done: Scanned) -> None:
    program("report", done.folder.name)
    assert {"iam-users.xlsx", "iam-users.csv"} <= {file.name for file in rendered(done).iterdir()}
    assert not (rendered(done) / "iam-users.json").exists()


def test_a_folder_holds_one_rendering(done: Scanned) -> None:
    """A workbook of today beside a CSV of last month, under other versions of the program, would contradict it."""
    program("report", done.folder.name, "--format", "csv", "--format", "xlsx")
    (rendered(done) / "notes.txt").write_text("mine", encoding="utf-8")
    program("report", done.folder.name, "--format", "json")
    assert {file.name for file in rendered(done).iterdir()} == {
        "iam-users.json",
        "accounts.csv",
        "summary.json",
        "notes.txt",
    }


def test_it_writes_outside_the_run_s_folder_and_seals_nothing(done: Scanned) -> None:
    before = {file.name: file.read_bytes() for file in done.folder.iterdir()}
    program("report", done.folder.name)
    assert {file.name: file.read_bytes() for file in done.folder.iterdir()} == before
    assert not (rendered(done) / "manifest.json").exists()


def test_it_may_write_elsewhere(done: Scanned) -> None:
    assert program("report", done.folder, "--output", "elsewhere", "--format", "csv").exit_code == 0
    assert (Path("elsewhere") / rendered(done).name / "iam-users.csv").exists()


def test_json_is_the_run_s_summary(done: Scanned) -> None:
    assert program("report", done.folder.name, "--json").document == done.summary


def test_a_journal_that_was_changed_is_refused(done: Scanned) -> None:
    journal = done.folder / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    row = next(at for at, line in enumerate(lines) if b'"alice"' in line and b'"account_id"' in line)
    lines[row] = lines[row].replace(b'"alice"', b'"adele"')
    journal.write_bytes(b"".join(lines))
    again = program("report", done.folder.name, "--json")
    assert again.exit_code == 1
    message = again.document["error"]["message"]
    assert message.startswith(f"reports/{done.folder.name}: journal line {row + 2} does not follow line {row + 1}")
    assert not rendered(done).exists()


def test_a_run_that_is_not_there_is_refused_with_the_newest(done: Scanned) -> None:
    again = program("report", "20200101T000000Z-000000")
    assert again.exit_code == 2
    assert done.folder.name in again.err


def test_a_run_that_was_interrupted_before_its_end_is_refused(done: Scanned) -> None:
    journal = done.folder / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-1]))
    assert json.loads(lines[-1])["type"] == "footer"
    again = program("report", done.folder.name)
    assert again.exit_code == 2
    assert "the journal has no end" in again.err


def test_it_looks_where_the_settings_say_that_scans_write(done: Scanned, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = done.folder.name
    done.output.rename("elsewhere")
    monkeypatch.setenv("IAM_SCANNER_OUTPUT", "elsewhere")
    assert program("report", run_id).exit_code == 0
