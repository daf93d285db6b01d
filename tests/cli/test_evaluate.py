"""`evaluate`: a recorded run decided again, under other safelists or on another day; the run stays as it was."""

import io
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from openpyxl.workbook import Workbook

from tests.aws_endpoint import Fault, deny, running
from tests.program import Done, Scanned, named, program, scan, small_world, table

ALICE = "version: 1\nglobal: [{user: alice, approved_on: 2026-01-01, expires_on: 2099-01-01}]\n"
BOTH = "version: 1\nglobal: [alice, bob]\n"


@pytest.fixture
def done(workplace: Path, hurried: None) -> Scanned:
    """A run in which alice is approved until 2099, and bob is not."""
    Path("alice.yaml").write_text(ALICE, encoding="utf-8")
    Path("both.yaml").write_text(BOTH, encoding="utf-8")
    with running(small_world()) as endpoint:
        ended = scan(endpoint, safelist="alice.yaml")
    assert ended.exit_code == 3
    return ended


def evaluate(done: Scanned, *arguments: object) -> Done:
    return program("evaluate", done.folder.name, "--format", "csv", *arguments)


def folders(done: Scanned, output: Path = Path("reports")) -> list[Path]:
    return sorted(output.glob(f"{done.folder.name}-evaluated-*"))


def determinations(folder: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in table(folder / "iam-users.csv"):
        found.setdefault(row["user_name"], set()).add(row["determination"])
    return found


def test_other_safelists_decide_otherwise_and_the_exit_code_says_so(done: Scanned) -> None:
    again = evaluate(done, "--safelist", "both.yaml")
    assert again.exit_code == 0, again.err
    (folder,) = folders(done)
    assert determinations(folder) == {"alice": {"APPROVED"}, "bob": {"APPROVED"}}
    assert determinations(done.folder) == {"alice": {"APPROVED"}, "bob": {"UNAPPROVED"}}


def test_another_day_decides_by_the_run_s_own_safelists_whatever_the_files_say_today(done: Scanned) -> None:
    Path("alice.yaml").unlink()
    again = evaluate(done, "--as-of", "2099-01-02")
    assert again.exit_code == 3
    (folder,) = folders(done)
    rows = table(folder / "iam-users.csv")
    assert {row["basis"] for row in rows if row["user_name"] == "alice"} == {"APPROVAL_EXPIRED"}


def test_the_day_is_the_run_s_own_where_none_is_given(workplace: Path, hurried: None) -> None:
    Path("alice.yaml").write_text(ALICE, encoding="utf-8")
    with running(small_world()) as endpoint:
        done = scan(endpoint, "--as-of", "2099-01-02")
    evaluate(done, "--safelist", "alice.yaml")
    assert determinations(folders(done)[0])["alice"] == {"UNAPPROVED"}


def test_the_run_itself_is_as_it_was(done: Scanned) -> None:
    before = {file.name: file.read_bytes() for file in done.folder.iterdir()}
    evaluate(done, "--safelist", "both.yaml", "--format", "xlsx", "--format", "json")
    assert {file.name: file.read_bytes() for file in done.folder.iterdir()} == before
    assert program("verify", done.folder.name).exit_code == 0


def test_each_what_if_has_its_folder_and_the_same_one_always_the_same(done: Scanned) -> None:
    evaluate(done, "--safelist", "both.yaml")
    (first,) = folders(done)
    written = {file.name: file.read_bytes() for file in first.iterdir()}
    evaluate(done, "--safelist", "both.yaml")
    assert folders(done) == [first]
    assert {file.name: file.read_bytes() for file in first.iterdir()} == written
    evaluate(done, "--safelist", "both.yaml", "--as-of", "2027-01-15")
    evaluate(done, "--safelist", "alice.yaml")
    assert len(folders(done)) == 3


def test_an_incomplete_run_stays_incomplete(workplace: Path, hurried: None) -> None:
    Path("both.yaml").write_text(BOTH, encoding="utf-8")
    world = small_world()
    with running(world, [Fault("sts:AssumeRole", deny, account=named(world, "core").id)]) as endpoint:
        done = scan(endpoint)
    again = evaluate(done, "--safelist", "both.yaml")
    assert again.exit_code == 4
    assert again.out.splitlines()[0].endswith(" Not all accounts were read: of the others, nothing is known.")


def test_it_needs_neither_credentials_nor_a_network(done: Scanned, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("a recorded run is decided without calling anyone")

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(socket.socket, "connect", refused)
    assert evaluate(done, "--safelist", "both.yaml").exit_code == 0


# --- it says what it is ----------------------------------------------------------------------------------------------


@pytest.fixture
def workbook(done: Scanned) -> Iterator[Workbook]:
    evaluate(done, "--safelist", "both.yaml", "--as-of", "2027-01-15", "--format", "xlsx")
    book = load_workbook(io.BytesIO((folders(done)[0] / "iam-users.xlsx").read_bytes()))
    yield book
    book.close()


def text(workbook: Workbook, title: str) -> str:
    rows = workbook[title].iter_rows(values_only=True)
    return "\n".join(str(value) for row in rows for value in row if value is not None)


def test_every_page_of_the_workbook_says_so(done: Scanned, workbook: Workbook) -> None:
    for sheet in workbook.worksheets:
        assert sheet.oddHeader
        assert sheet.oddHeader.right.text == f"What-if of run {done.folder.name}"
    assert f"WHAT-IF: run {done.folder.name}, decided again" in text(workbook, "Summary")
    assert "what-if" in workbook.properties.title


def test_nobody_signs_a_what_if(workbook: Workbook) -> None:
    assert "I have read this review" not in text(workbook, "Summary")
    assert "A what-if is not signed" in text(workbook, "Summary")


def test_evidence_has_the_safelists_of_the_run_and_those_used(done: Scanned, workbook: Workbook) -> None:
    evidence = text(workbook, "Evidence")
    own, used = (file["sha256"] for file in (*done.summary["safelist"]["files"], *_summary(done)["safelist"]["files"]))
    assert own != used
    assert {own, used} <= set(evidence.replace(";", "").split())
    assert f"2027-01-15; in the run: {done.record.header.as_of}" in evidence
    assert done.record.digest in evidence
    assert "no file, this workbook included" not in evidence


def _summary(done: Scanned) -> dict[str, Any]:
    return program("evaluate", done.folder.name, "--safelist", "both.yaml", "--format", "csv", "--json").document


def test_the_summary_names_the_run_and_how_that_was_decided(done: Scanned) -> None:
    found = _summary(done)
    assert found["evaluated_from"] == {
        "run_id": done.folder.name,
        "journal_sha256": done.record.digest,
        "as_of": done.record.header.as_of.isoformat(),
        "safelist_files": done.summary["safelist"]["files"],
    }
    assert done.summary["evaluated_from"] is None


def test_the_terminal_says_so(done: Scanned) -> None:
    again = evaluate(done, "--safelist", "both.yaml")
    assert f"WHAT-IF: run {done.folder.name}, decided again by other safelists" in again.out
    assert "Manifest" not in again.out
    assert "WHAT-IF" not in done.out


# --- what is refused -------------------------------------------------------------------------------------------------


def refused(done: Scanned, *arguments: object) -> str:
    """The message; nothing is written."""
    before = sorted(Path("reports").rglob("*"))
    again = program("evaluate", *arguments)
    assert again.exit_code == 2, again.err
    assert sorted(Path("reports").rglob("*")) == before
    return again.err


def test_safelists_of_another_organization(done: Scanned) -> None:
    Path("other.yaml").write_text("version: 1\norganization: o-another0001\nglobal: []\n", encoding="utf-8")
    message = refused(done, done.folder.name, "--safelist", "other.yaml")
    assert "o-another0001" in message
    assert str(done.summary["organization"]["id"]) in message


def test_safelists_with_faults_each_by_its_line(done: Scanned) -> None:
    Path("bad.yaml").write_text("version: 1\nglobal:\n- {user: a, owener: b}\n", encoding="utf-8")
    assert "bad.yaml:3" in refused(done, done.folder.name, "--safelist", "bad.yaml")


def test_to_change_nothing(done: Scanned) -> None:
    assert "--safelist, --as-of, or both" in refused(done, done.folder.name)


def test_to_write_into_the_run(done: Scanned) -> None:
    message = refused(done, done.folder, "--safelist", "both.yaml", "--output", done.folder)
    assert "the run's own folder" in message


@pytest.mark.parametrize(
    "command", [["verify"], ["report"], ["evaluate", "--as-of", "2027-01-15"], ["scan", "--resume"]], ids=" ".join
)
def test_a_what_if_is_not_taken_for_a_run(done: Scanned, command: list[str]) -> None:
    evaluate(done, "--safelist", "both.yaml")
    (folder,) = folders(done)
    for named_so in (folder, folder.name):
        again = program(*command, named_so)
        assert again.exit_code == 2
        assert f"{folder} is not a run: it is an evaluation of one" in again.err
        assert "iam-scanner diff RUN EVALUATION" in again.err


# --- notes on what could not be checked ------------------------------------------------------------------------------


def test_a_note_on_the_organization_is_about_the_safelists_that_decide(workplace: Path, hurried: None) -> None:
    """Without AWS Organizations it cannot be checked; of safelists that did not decide, there is nothing to say."""
    world = small_world()
    lines = [f"{account.id},{account.name},Root" for account in world.accounts.values()]
    Path("accounts.csv").write_text("\n".join(["account_id,account_name,ou_path", *lines]), encoding="utf-8")
    for name in ("first", "second"):
        content = f"version: 1\norganization: o-{name}00000\nglobal: []\n"
        Path(f"{name}.yaml").write_text(content, encoding="utf-8")
    with running(world) as endpoint:
        done = scan(endpoint, "--accounts-file", "accounts.csv", safelist="first.yaml")
    assert "o-first00000" in str(done.summary["notes"])
    notes = str(program("evaluate", done.folder, "--safelist", "second.yaml", "--json").document["notes"])
    assert "o-second00000" in notes
    assert "o-first00000" not in notes
    assert "not checked against AWS Organizations" in notes
