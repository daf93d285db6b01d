"""`safelist check` and `safelist explain`, as a person or a script uses them."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from scanner.cli.safelist import app
from scanner.cli.screen.safelist_answers import wrapped
from scanner.errors import ExitCode, FaultsError, UsageError
from scanner.settings import load
from tests.builders import AS_OF
from tests.program import program
from tests.runs.recording import recorded

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


def on_a_terminal(file: object, *, width: int = 400) -> str:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=width, no_color=True, highlight=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("scanner.cli.options.stdout", lambda: console)
        run("check", str(file), "--as-of", "2026-11-23")
    return stream.getvalue()


# --- check -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [10, 11])
def test_many_entries_that_end_on_one_day_are_one_line(tmp_path: Path, count: int) -> None:
    """As those of a baseline, whose days are fewer than those in which an entry is about to end."""
    file = tmp_path / "baseline.yaml"
    rows = "".join(f"  - {{user: user-{number}, expires_on: 2026-12-01}}\n" for number in range(count))
    file.write_text(f"version: 1\nglobal:\n  - {{user: last, expires_on: 2026-12-02}}\n{rows}", encoding="utf-8")
    said = [line.removeprefix(f"{file}:") for line in output("check", str(file), "--as-of", "2026-11-23").splitlines()]
    assert said[1] == "3  expiring  global  last  ends on 2026-12-02"
    together = ["4  expiring  this entry and 10 others of the file  end on 2026-12-01"]
    each = [f"{line}  expiring  global  user-{line - 4}  ends on 2026-12-01" for line in range(4, 4 + count)]
    assert said[2:] == each  # for grep
    shown = on_a_terminal(file).splitlines()
    assert [line.rpartition(f"{file.name}:")[2] for line in shown[2:]] == (each if count == 10 else together)
    assert len(document("check", str(file), "--as-of", "2026-11-23")["expiring"]) == count + 1


def test_check_lists_what_needs_a_look_with_its_place(good: str) -> None:
    shown = output("check", good, "--as-of", "2026-11-23")
    assert "Valid: 8 entries, 1 revocation, in 1 file." in shown
    rows = shown.splitlines()
    for line, finding in ((4, "expiring"), (5, "expired"), (6, "breaks the policy"), (7, "duplicate")):
        assert any(f"good.yaml:{line} " in row and f" {finding} " in row for row in rows), finding


def test_check_prints_a_finding_as_one_line_for_grep(good: str) -> None:
    shown = CliRunner().invoke(app, ["check", good, "--as-of", "2026-11-23"], env={"COLUMNS": "40"}).stdout
    assert shown.splitlines()[1:] == [
        f"{good}:6  breaks the policy  global  carol  it has no owner",
        f"{good}:5  expired  global  bob  ended on 2026-01-01",
        f"{good}:4  expiring  global  alice  ends on 2026-12-01",
        f"{good}:7  duplicate  global  ALICE  also at {good}:4",
    ]


@pytest.mark.parametrize("width", [1, 20, 80, 140])
def test_a_finding_is_broken_at_spaces_only(width: int) -> None:
    finding = "config/safelists/prod-eu.yaml:14  expired  account 123456789012  cc-rds-manager  ended on 2026-01-01"
    lines = wrapped(finding, width)
    assert " ".join(lines).split() == finding.split()
    assert all(len(line) <= width or " " not in line.strip() for line in lines)


def test_a_finding_is_wrapped_on_a_terminal(good: str) -> None:
    shown = on_a_terminal(good, width=30)
    assert f"{good}:5\n    expired  global  bob\n    ended on 2026-01-01\n" in shown


def test_check_prints_one_json_document(good: str) -> None:
    found = document("check", good, "--as-of", "2026-11-23")
    assert (found["valid"], found["entries"], found["revocations"], found["files"]) == (True, 8, 1, [good])
    lines = {name: [entry["line"] for entry in found[name]] for name in ("expired", "expiring", "invalid")}
    assert lines == {"expired": [5], "expiring": [4], "invalid": [6]}
    assert [[entry["line"] for entry in group] for group in found["duplicates"]] == [[4, 7]]
    assert found["expired"][0]["expires_on"] == "2026-01-01"


def test_check_is_silent_when_asked(good: str) -> None:
    assert output("check", good, "--quiet") == ""


HELD = """\
version: 1
global: [alice, nobody]
ous: {Root/Gone: [ci-agent]}
accounts:
  "000000000002": [carol]
  "999999999999": [dave]
revoked:
  - {account: "999999999998", user: erin}
"""


@pytest.fixture
def held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A safelist, and a run that read alice in one account and failed in the other."""
    monkeypatch.chdir(tmp_path)
    folder = Path("reports/20261123T164100Z-1a2b3c")
    folder.mkdir(parents=True)
    recorded(folder)
    Path("held.yaml").write_text(HELD, encoding="utf-8")
    return folder


def test_check_names_what_a_recorded_run_has_nothing_of(held: Path) -> None:
    shown = output("check", "held.yaml", "--run", held.name)
    assert shown.splitlines() == [
        "Valid: 5 entries, 1 revocation, in 1 file.",
        f"Compared with run {held.name}: 5 findings.",
        "held.yaml:2  not judged  global  nobody  1 of its accounts was not read in this run",
        "held.yaml:3  unmatched  ou Root/Gone  ci-agent  the organization has no OU Root/Gone",
        "held.yaml:5  not judged  account 000000000002  carol  its account was not read in this run",
        "held.yaml:6  unmatched  account 999999999999  dave  the organization has no account 999999999999",
        "held.yaml:8  unmatched  account 999999999998  erin  the organization has no such account",
    ]


def test_check_prints_what_became_of_each_entry_in_a_run(held: Path) -> None:
    found = document("check", "held.yaml", "--run", held.name)
    assert found["run"] == held.name
    assert [(each["line"], each["status"], each["users"]) for each in found["in_run"]][:2] == [
        (2, "in use", 1),
        (2, "unused", 0),
    ]
    assert document("check", "held.yaml")["in_run"] is None


def test_check_refuses_safelists_of_another_organization_than_the_run_s(held: Path) -> None:
    Path("held.yaml").write_text(f"organization: o-otherother\n{HELD}", encoding="utf-8")
    error = run("check", "held.yaml", "--run", held.name).exception
    assert isinstance(error, FaultsError)
    assert "the safelists are for o-otherother" in str(error)


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
        "column": None,
        "sheet": None,  # a workbook has these
        "cell": None,
        "user": None,
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
    assert explain(good, "erin")["notes"] == ["Entries for OUs were left aside: give the account's --ou."]
    assert explain(good, "alice", "--ou", "Root")["notes"] == [
        "Entries by OU ID were left aside: --ou was given as a path."
    ]


PINNED = """\
version: 1
accounts:
  "123456789012":
    - {user: erin, user_id: AIDA1, expires_on: 2026-01-01}
    - {user: erin, user_id: AIDA2}
    - {user: late, user_id: AIDA3, expires_on: 2026-01-01}
    - mallory
    - trent
revoked:
  - {account: "123456789012", user: MALLORY, user_id: AIDA4}
  - {account: "999999999999", user: trent, user_id: AIDA5}
  - {account: "123456789012", user: other, user_id: AIDA6}
"""
UNDECIDED = "Not approved, as this cannot be decided without --user-id"
UNEXPLAINED = "Not approved, whatever the user ID; why is not known without --user-id"


@pytest.fixture
def pinned(tmp_path: Path) -> str:
    file = tmp_path / "pinned.yaml"
    file.write_text(PINNED, encoding="utf-8")
    return str(file)


@pytest.mark.parametrize(
    ("name", "sentence", "line"),
    [
        ("erin", f"{UNDECIDED}: FILE:5 is for user ID AIDA2", 5),
        ("late", f"{UNEXPLAINED}: FILE:6 is for user ID AIDA3", 6),
        ("mallory", f"{UNDECIDED}: FILE:10 revokes user ID AIDA4", 10),
    ],
)
def test_explain_states_nothing_that_only_a_user_id_could_tell(
    pinned: str, name: str, sentence: str, line: int
) -> None:
    found = explain(pinned, name)
    assert found["determination"] == "UNAPPROVED"
    assert found["explanation"] == sentence.replace("FILE", pinned)
    assert found["entry"]["line"] == line
    shown = output("explain", "--account", "123456789012", "--user", name, "--safelist", pinned)
    assert shown.splitlines()[0] == "UNAPPROVED"
    assert "recreated" not in shown.lower()
    assert "not given" not in shown


def test_explain_decides_without_a_user_id_where_none_matters_and_with_one_where_it_does(pinned: str) -> None:
    assert explain(pinned, "trent")["determination"] == "APPROVED"
    assert explain(pinned, "mallory", "--user-id", "AIDA9")["determination"] == "APPROVED"
    assert explain(pinned, "mallory", "--user-id", "AIDA4")["basis"] == "REVOKED"
    recreated = explain(pinned, "erin", "--user-id", "AIDA9")
    assert recreated["explanation"] == f"{pinned}:4 approves user ID AIDA1, and this is AIDA9: it was recreated"


@pytest.mark.parametrize("day", ["20261123", "2026-W48-1", "2026-327", "2026-02-30", "\u0662026-01-01", "today"])
@pytest.mark.parametrize("command", ["check", "explain"])
def test_a_day_is_written_as_in_a_scan(good: str, command: str, day: str) -> None:
    options = {"check": (good,), "explain": ("--account", "123456789012", "--user", "a", "--safelist", good)}
    error = run(command, *options[command], "--as-of", day).exception
    assert isinstance(error, UsageError)
    with pytest.raises(FaultsError) as refused:
        load({"as_of": day}, {})
    assert str(error) == f"--as-of: {day!r} is not a valid date. Write it as 2027-01-15."
    assert str(error) in str(refused.value)
    assert output(command, *options[command], "--as-of", "2026-11-23")
    assert load({"as_of": "2026-11-23"}, {}).as_of == AS_OF


def test_explain_prints_the_determination_alone_when_asked(good: str) -> None:
    where = ("--account", "123456789012", "--user", "mallory", "--safelist", good)
    assert output("explain", *where, "--quiet") == "UNAPPROVED\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--account", "12345", "--user", "a"), "--account 12345 is not a valid account ID"),
        (
            ("--account", "123456789012", "--user", "a", "--as-of", "2026-02-30"),
            "--as-of: '2026-02-30' is not a valid date",
        ),
        (("--account", "123456789012", "--user", "a", "--path", "x"), "--path x is not a valid user path"),
        (("--account", "123456789012", "--user", "a", "--ou", "/Root"), "--ou /Root is not the path of an OU"),
    ],
)
def test_a_wrong_option_is_a_usage_error(good: str, options: tuple[str, ...], message: str) -> None:
    error = run("explain", *options, "--safelist", good).exception
    assert isinstance(error, UsageError)
    assert message in str(error)


@pytest.mark.parametrize("command", ["check", "explain"])
def test_help_shows_an_example(command: str) -> None:
    assert f"Example: iam-scanner safelist {command}" in output(command, "--help")


# --- the safelist that a scan would use ------------------------------------------------------------------------------

APPROVES = "version: 1\nglobal: [alice]\n"
EXPLAIN = ("safelist", "explain", "--account", "123456789012", "--user", "alice", "--json")
WAYS = {
    "the default": ({}, "", "config/safelists/a.yaml"),
    "the settings file": ({}, "safelist: [ours.yaml]\n", "ours.yaml"),
    "the environment": ({"IAM_SCANNER_SAFELIST": '["ours.yaml"]'}, "safelist: [other.yaml]\n", "ours.yaml"),
    "another settings file": ({}, "config", "ours.yaml"),
}


@pytest.mark.parametrize(("environment", "settings", "file"), WAYS.values(), ids=WAYS)
def test_check_and_explain_look_at_the_safelist_that_a_scan_would_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], settings: str, file: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config/safelists").mkdir(parents=True)
    for name in ("config/safelists/a.yaml", "ours.yaml"):
        Path(name).write_text(APPROVES if name == file else "version: 1\nglobal: []\n", encoding="utf-8")
    config = ["--config", "elsewhere.yaml"] if settings == "config" else []
    Path("elsewhere.yaml" if config else "config/scanner.yaml").write_text(
        "safelist: [ours.yaml]\n" if config else settings, encoding="utf-8"
    )
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    checked = program("safelist", "check", "--json", *config)
    assert json.loads(checked.out)["files"] == [file]
    assert json.loads(program(*EXPLAIN, *config).out)["determination"] == "APPROVED"


def test_a_day_in_the_settings_counts_for_check_and_explain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_text("version: 1\nglobal: [{user: alice, expires_on: 2026-12-31}]\n", encoding="utf-8")
    monkeypatch.setenv("IAM_SCANNER_AS_OF", "2027-01-01")
    assert json.loads(program("safelist", "check", "a.yaml", "--json").out)["as_of"] == "2027-01-01"
    assert json.loads(program(*EXPLAIN, "--safelist", "a.yaml").out)["basis"] == "APPROVAL_EXPIRED"


def test_a_fault_in_the_settings_is_said_as_for_a_scan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IAM_SCANNER_SAFELISTS", "[]")
    done = program("safelist", "check")
    assert done.exit_code == 2
    assert "Did you mean IAM_SCANNER_SAFELIST?" in done.err
