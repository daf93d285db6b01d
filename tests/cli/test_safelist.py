"""`safelist check` and `safelist explain`, as a person or a script uses them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from scanner.cli.safelist import app
from scanner.errors import ExitCode, FaultsError, UsageError
from tests.program import program

GOOD = """\
version: 1
policy: {require: [owner], allow_patterns: true}
global:
  - {user: alice, owner: x, expires_on: 2026-12-01}
  - {user: bob, owner: x, expires_on: 2026-01-01}
  - carol
  - {user: ALICE, owner: x}
ous:
  Root/Prod: [{pattern: "ci-*", owner: x}]
  ou-abcd-12345678: [{user: dave, owner: x}]
accounts:
  "123456789012":
    - {user: erin, user_id: AIDA1, owner: "a [bold]b"}
    - {arn: "arn:aws-cn:iam::123456789012:user/ops/frank", owner: x}
revoked:
  - {account: "123456789012", user: mallory, ticket: SEC-1}
"""


@pytest.fixture
def good(tmp_path: Path) -> str:
    file = tmp_path / "good.yaml"
    file.write_text(GOOD, encoding="utf-8")
    return str(file)


@pytest.fixture
def bad(tmp_path: Path) -> str:
    file = tmp_path / "bad.yaml"
    file.write_text("version: 1\nglobal:\n  - yes\nacounts: {}\n", encoding="utf-8")
    return str(file)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, env={"COLUMNS": "400", "NO_COLOR": "1"})


def output(*arguments: str) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def document(*arguments: str) -> dict[str, Any]:
    found = json.loads(output(*arguments, "--json"))
    assert isinstance(found, dict)
    return found


def explain(good: str, name: str, *more: str) -> dict[str, Any]:
    where = ("--account", "123456789012", "--user", name, "--safelist", good, "--as-of", "2026-11-23")
    return document("explain", *where, *more)


# --- check -----------------------------------------------------------------------------------------------------------


def test_check_lists_what_needs_a_look_with_its_place(good: str) -> None:
    shown = output("check", good, "--as-of", "2026-11-23")
    assert "Valid: entries 8, revocations 1, files 1." in shown
    rows = shown.splitlines()
    for line, finding in ((4, "expiring"), (5, "expired"), (6, "breaks the policy"), (7, "duplicate")):
        assert any(f"good.yaml:{line} " in row and f" {finding} " in row for row in rows), finding


def test_check_prints_one_json_document(good: str) -> None:
    found = document("check", good, "--as-of", "2026-11-23")
    assert (found["valid"], found["entries"], found["revocations"], found["files"]) == (True, 8, 1, [good])
    lines = {name: [entry["line"] for entry in found[name]] for name in ("expired", "expiring", "invalid")}
    assert lines == {"expired": [5], "expiring": [4], "invalid": [6]}
    assert [[entry["line"] for entry in group] for group in found["duplicates"]] == [[4, 7]]
    assert found["expired"][0]["expires_on"] == "2026-01-01"


def test_check_is_silent_when_asked(good: str) -> None:
    assert output("check", good, "--quiet") == ""


def test_check_refuses_with_every_fault(bad: str) -> None:
    error = run("check", bad).exception
    assert isinstance(error, FaultsError)
    assert error.exit_code is ExitCode.USAGE
    assert [fault.line for fault in error.faults] == [3, 4]


def test_check_prints_the_faults_as_one_json_document(bad: str) -> None:
    done = program("safelist", "check", bad, "--json")
    assert done.exit_code == 2
    assert json.loads(done.out)["error"]["faults"][0] == {
        "file": bad,
        "line": 3,
        "problem": "user: yes without quotes is not text to YAML, but true or false.",
        "remedy": 'Write "yes".',
    }


def test_check_reads_the_default_folder(tmp_path: Path, good: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "config/safelists"
    folder.mkdir(parents=True)
    Path(good).rename(folder / "good.yaml")
    monkeypatch.chdir(tmp_path)
    assert document("check")["files"] == ["config/safelists/good.yaml"]


def test_a_control_character_of_a_file_name_does_not_reach_the_terminal(tmp_path: Path) -> None:
    file = tmp_path / "a\x1b[31m.yaml"
    file.write_text("version: 1\nglobal: [{user: bob, expires_on: 2020-01-01}]\n", encoding="utf-8")
    shown = output("check", str(file))
    assert "\x1b" not in shown
    assert r"\x1b[31m" in shown.replace("\n", "")


# --- explain ---------------------------------------------------------------------------------------------------------


def test_explain_shows_decision_sentence_and_entry(good: str) -> None:
    shown = output(
        "explain", "--account", "123456789012", "--user", "alice", "--safelist", good, "--as-of", "2026-12-01"
    )
    assert "APPROVED (SAFELISTED)" in shown
    assert f"Approved for all accounts by {good}:4 until 2026-12-01." in shown
    assert re.search(r"expires_on +2026-12-01", shown)


def test_explain_shows_text_of_files_as_it_is(good: str) -> None:
    where = ("--account", "123456789012", "--user", "erin", "--user-id", "AIDA1")
    assert "a [bold]b" in output("explain", *where, "--safelist", good)


@pytest.mark.parametrize(
    ("name", "options", "basis"),
    [
        ("alice", (), "SAFELISTED"),
        ("alice", ("--as-of", "2026-12-02"), "SAFELISTED"),
        ("bob", (), "APPROVAL_EXPIRED"),
        ("carol", (), "APPROVAL_INVALID"),
        ("mallory", (), "REVOKED"),
        ("nobody", (), "NOT_SAFELISTED"),
        ("ci-1", (), "NOT_SAFELISTED"),
        ("ci-1", ("--ou", "Root/Prod/Payments"), "SAFELISTED"),
        ("ci-1", ("--ou", "Root/Test"), "NOT_SAFELISTED"),
        ("dave", ("--ou", "ou-abcd-12345678"), "SAFELISTED"),
        ("erin", ("--user-id", "AIDA1"), "SAFELISTED"),
        ("erin", ("--user-id", "AIDA2"), "USER_RECREATED"),
        ("frank", ("--path", "/ops/"), "SAFELISTED"),
        ("frank", (), "NOT_SAFELISTED"),
    ],
)
def test_explain_decides_as_a_scan_would(good: str, name: str, options: tuple[str, ...], basis: str) -> None:
    found = explain(good, name, *options)
    assert found["basis"] == basis
    assert found["determination"] == ("APPROVED" if basis == "SAFELISTED" else "UNAPPROVED")


def test_explain_says_what_was_not_given_and_could_change_the_answer(good: str) -> None:
    assert explain(good, "erin")["notes"] == [
        "Entries for OUs were left aside: give the account's --ou.",
        "The name is approved for one user id only: give --user-id.",
    ]
    assert explain(good, "alice", "--ou", "Root")["notes"] == [
        "Entries by OU id were left aside: --ou was given as a path."
    ]


def test_explain_prints_the_determination_alone_when_asked(good: str) -> None:
    where = ("--account", "123456789012", "--user", "mallory", "--safelist", good)
    assert output("explain", *where, "--quiet") == "UNAPPROVED\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--account", "12345", "--user", "a"), "--account 12345 is no account id"),
        (("--account", "123456789012", "--user", "a", "--as-of", "2026-02-30"), "--as-of 2026-02-30 is no date"),
        (("--account", "123456789012", "--user", "a", "--path", "x"), "--path x is no path"),
        (("--account", "123456789012", "--user", "a", "--ou", "/Root"), "--ou /Root is no path of an OU"),
    ],
)
def test_a_wrong_option_is_a_usage_error(good: str, options: tuple[str, ...], message: str) -> None:
    error = run("explain", *options, "--safelist", good).exception
    assert isinstance(error, UsageError)
    assert message in str(error)


@pytest.mark.parametrize("command", ["check", "explain"])
def test_help_shows_an_example(command: str) -> None:
    assert f"Example: iam-scanner safelist {command}" in output(command, "--help")
