"""`safelist import`, as a person or a script uses it."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.aws_endpoint import Fault, deny, running
from tests.program import Done, named, program, scan, small_world

SAFELIST = (
    "version: 1\n"
    "policy:\n  require: [owner, reason, approved_by, expires_on]\n  max_days: 365\n"
    "global: []\n"
    "revoked:  # by review\n"
    '  - {account: "%s", user: bob}\n'
)
WHO = ("--owner", "ops@example.com", "--approved-by", "ciso@example.com")
AGENTS = (*WHO, "--reason", "Agents", "--expires-on", str(datetime.now(UTC).date() + timedelta(days=100)))


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a safelist and an incomplete run: dev was not read, and bob is revoked in prod."""
    folder, world = tmp_path_factory.mktemp("import"), small_world()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("scanner.aws.clients.BACKOFF_CAP", 0.002)
        patch.setenv("AWS_REGION", "us-east-1")
        text = SAFELIST % named(world, "prod").id
        Path("own.yaml").write_text(text, encoding="utf-8")
        with running(world, [Fault("sts:AssumeRole", deny, account=named(world, "dev").id)]) as endpoint:
            assert scan(endpoint, "--evidence", "basic", safelist="own.yaml").exit_code == 4
    return folder


@pytest.fixture
def safelist(scanned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The safelist, on its own for each test; beside it the run."""
    monkeypatch.chdir(tmp_path)
    Path("reports").symlink_to(scanned / "reports")
    own = Path("own.yaml")
    own.write_bytes((scanned / own).read_bytes())
    return own


def importing(*arguments: object) -> Done:
    return program("safelist", "import", "--safelist", "own.yaml", *arguments)


def run_id() -> str:
    return program("users", "latest", "--json").document["run_id"]  # type: ignore[no-any-return]


def test_a_preview_writes_nothing_and_shows_what_would_be_written(safelist: Path) -> None:
    before = safelist.read_bytes()
    Path("names.txt").write_text("alice, carol\n", encoding="utf-8")
    shown = importing("names.txt", "--global", *AGENTS)
    assert (shown.exit_code, safelist.read_bytes()) == (0, before)
    assert "+  - user: alice\n" in shown.out
    assert "Import of names.txt: PREVIEW, nothing was written" in shown.out
    assert "2 = 2 new or renewed" in shown.out
    assert "would add 2 approvals: own.yaml" in shown.out
    assert importing("names.txt", "--global", *AGENTS, "--quiet").out == shown.out.partition("\n\nImport")[0] + "\n"


def test_what_is_written_is_valid_and_the_same_import_again_changes_nothing(safelist: Path) -> None:
    Path("names.txt").write_text("alice, carol\n", encoding="utf-8")
    written = importing("names.txt", "--global", *AGENTS, "--write")
    assert "2 approvals added: own.yaml" in written.out
    assert "have the change of own.yaml reviewed and merged" in written.out
    text = safelist.read_bytes()
    assert b"revoked:  # by review\n" in text
    checked = program("safelist", "check", "own.yaml", "--json").document
    assert (checked["entries"], checked["invalid"], checked["duplicates"]) == (2, [], [])
    again = importing("names.txt", "--global", *AGENTS, "--write")
    assert (again.exit_code, safelist.read_bytes()) == (0, text)
    assert "2 = 2 approved already" in again.out


def test_a_baseline_approves_who_is_there_but_not_who_is_revoked(safelist: Path) -> None:
    shown = importing("--baseline", "latest", *WHO, "--write")
    assert shown.exit_code == 0
    assert "12 = 11 new or renewed + 1 refused" in shown.out
    assert re.search(r"Refused +bob in \d{12}: Revoked by own.yaml:7$", shown.out, re.MULTILINE)
    assert "INCOMPLETE" in shown.out
    assert "Users of accounts that it did not read are not among these." in shown.out
    evaluated = program("evaluate", "latest", "--safelist", "own.yaml", "--json")
    users = evaluated.document["users"]
    assert (users["found"], users["approved"], users["unapproved"]) == (12, 11, 1)
    assert evaluated.document["users"]["unapproved_by_basis"]["REVOKED"] == 1
    checked = program("safelist", "check", "own.yaml", "--json").document
    assert (checked["entries"], checked["invalid"], checked["duplicates"]) == (11, [], [])
    text = safelist.read_bytes()
    assert "12 = 11 approved already + 1 refused" in importing("--baseline", "latest", *WHO, "--write").out
    assert safelist.read_bytes() == text


def test_the_command_that_it_ends_with_shows_what_is_decided(safelist: Path) -> None:
    last = importing("--baseline", "latest", *WHO, "--write").out.splitlines()[-1]
    evaluated = program(*last.removeprefix("iam-scanner ").split(), "--json")
    assert evaluated.exit_code == 4
    assert evaluated.document["users"]["approved"] == 11
    assert safelist.exists()


def test_the_users_csv_of_a_run_is_a_list_too(safelist: Path) -> None:
    listed = program("users", "latest", "--unapproved", "--name", "a*", "--format", "csv")
    Path("some.csv").write_text(listed.out, encoding="utf-8")
    added = importing("some.csv", *AGENTS, "--json").document
    assert (added["users"], added["safelist"]["approvals"], added["written"]) == (6, 6, False)
    (change,) = added["safelist"]["changes"]
    assert change["diff"].count("+      user_id: AIDA") == 6
    assert safelist.exists()


def test_scripts_have_one_document(safelist: Path) -> None:
    done = importing("--baseline", "latest", *WHO, "--json")
    document: dict[str, Any] = json.loads(done.out)
    assert document["run_id"] == run_id()
    assert [refused["user_name"] for refused in document["refused"]] == ["bob"]
    assert document["notes"][0].startswith("The run is INCOMPLETE")
    assert safelist.exists()


def test_a_refused_import_names_every_fault_and_writes_nothing(safelist: Path) -> None:
    before = safelist.read_bytes()
    Path("names.txt").write_text("alice\nci-*\na b\n", encoding="utf-8")
    done = importing("names.txt", "--ou", "Root/Workloads/Prd", "--run", "latest", *AGENTS, "--write")
    assert (done.exit_code, done.out, safelist.read_bytes()) == (2, "", before)
    errors = [line for line in done.err.splitlines() if line.startswith("error: ")]
    assert [error.split(": ")[1] for error in errors] == [
        "--ou",
        "names.txt:2",
        "names.txt:3",
        "3 faults. Nothing was imported.",
    ]
    faults = importing("names.txt", "--global", "--json").document["error"]["faults"]
    assert {(fault["file"], fault["line"]) for fault in faults} >= {("names.txt", 2), ("names.txt", 3)}


def test_no_fault_of_a_list_hides_another(safelist: Path) -> None:
    """A wrong place, what the policy asks for, and an unknown account in a row with a fault of its own: all at once."""
    Path("names.txt").write_text("alice\n", encoding="utf-8")
    for ou in ("Root//Prod", "Root/Absent"):
        refused = importing("names.txt", "--ou", ou, "--run", "latest", "--json").document["error"]["faults"]
        said = [(fault["file"], fault["problem"]) for fault in refused]
        assert [file for file, _ in said] == ["--ou", *["names.txt"] * 4], ou
        assert {problem.split(",")[0] for _, problem in said[1:]} == {
            f"1 user has no {name}" for name in ("owner", "reason", "approved_by", "expires_on")
        }
    rows = "account_id,user,expires_on\n000000000007,ci-*,soon\n000000000008,,2027-01-01\n"
    Path("rows.csv").write_text(rows, encoding="utf-8")
    refused = importing("rows.csv", "--run", "latest", "--json").document["error"]["faults"]
    problems = " ".join(fault["problem"] for fault in refused)
    for fault in ("holds a wildcard", "expires_on", "names no user", "no account 000000000007", "account 000000000008"):
        assert fault in problems
    assert safelist.exists()


def test_a_run_of_a_part_says_so(safelist: Path) -> None:
    """The fixture's run is incomplete; so is each baseline of it, and a list that is compared with it."""
    Path("names.txt").write_text("alice\n", encoding="utf-8")
    (note,) = importing("names.txt", "--global", "--run", "latest", *AGENTS, "--json").document["notes"]
    assert note.startswith("The run is INCOMPLETE")
    assert "not among these" not in note
    Path("empty.txt").write_text("alice\n", encoding="utf-8")
    written = importing("empty.txt", "--global", *AGENTS, "--write", "--json").document
    again = importing("empty.txt", "--global", *AGENTS, "--json").document
    assert (len(written["notes"]), again["notes"]) == (1, [])
    assert safelist.exists()


def test_a_name_that_is_no_user_of_the_run_is_named(safelist: Path) -> None:
    Path("names.txt").write_text("alice, alcie\n", encoding="utf-8")
    shown = importing("names.txt", "--global", "--run", "latest", *AGENTS, "--json").document
    assert [one["user_name"] for one in shown["absent"]] == ["alcie"]
    assert "1 new entry names no user of the run there: alcie (did you mean alice?)." in shown["notes"]
    without = importing("names.txt", "--global", *AGENTS, "--json").document
    assert without["absent"] == []
    assert without["notes"] == [
        "Not compared with a run: give --run latest, to see whether these accounts, OUs and users exist."
    ]
    assert safelist.exists()


@pytest.mark.parametrize(
    "arguments",
    [[], ["names.txt", "--baseline", "latest"], ["--run", "latest"], ["--baseline", "latest", "--run", "latest"]],
)
def test_it_is_files_or_a_run(safelist: Path, arguments: list[str]) -> None:
    done = importing(*arguments)
    assert done.exit_code == 2
    assert "Name the files with the users, or a run with --baseline" in done.err
    assert safelist.exists()


def test_of_several_safelists_one_is_named(safelist: Path) -> None:
    Path("other.yaml").write_text("version: 1\nglobal: []\n", encoding="utf-8")
    Path("names.txt").write_text("alice\n", encoding="utf-8")
    both = ("names.txt", "--safelist", "other.yaml", "--global", *AGENTS)
    assert "Say with --into which one takes the changes." in importing(*both).err
    before = safelist.read_bytes()
    assert importing(*both, "--into", "other.yaml", "--write").exit_code == 0
    assert (safelist.read_bytes(), "user: alice" in Path("other.yaml").read_text(encoding="utf-8")) == (before, True)
