"""`init` lays out a repository that the program itself, GitHub and their linters accept as it is."""

import dataclasses
import io
import os
import pty
import re
import signal
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from scanner.cli.main import main
from scanner.own_repository.answers import QUESTIONS, Answers, option
from scanner.own_repository.lay_out import lay_out
from scanner.safelist import starter
from scanner.safelist.entries import parse
from scanner.safelist.read import read
from scanner.settings import Settings, load
from tests.aws_endpoint import running
from tests.program import Done, calling, program, small_world

ROOT = Path(__file__).parents[2]
SETTINGS, SAFELIST = Path("config/scanner.yaml"), Path("config/safelists/safelist.yaml")
WORKFLOW, OWNERS, IGNORED = Path(".github/workflows/safelists.yml"), Path(".github/CODEOWNERS"), Path(".gitignore")
ANSWERS = (
    *("--role-name", "audit/IamScanner", "--ou", "Root/Prod", "--ou", 'Root/"A", B'),
    *("--organization", "o-a1b2c3d4e5", "--approver", "ciso@example.com", "--approver", "Head: of IT"),
    *("--max-days", "90", "--code-owner", "@example/iam-approvers"),
)


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def files() -> set[Path]:
    return {path for path in Path().rglob("*") if path.is_file()}


def test_what_it_writes_is_read_by_a_check_and_by_a_scan() -> None:
    assert program("init").exit_code == 0
    assert files() == {SETTINGS, SAFELIST, WORKFLOW, IGNORED}
    assert load({}, {}) == Settings()
    checked = program("safelist", "check")
    assert (checked.exit_code, checked.out) == (0, "Valid: 0 entries in 1 file.\n")
    with running(small_world()) as endpoint, calling(endpoint):
        scan = program("scan", "--evidence", "basic", "--format", "csv", "--json")
    assert (scan.exit_code, scan.document["users"]["approved"]) == (3, 0)


def test_the_answers_stand_in_the_files() -> None:
    assert program("init", *ANSWERS).exit_code == 0
    settings = load({}, {})
    assert (settings.role_name, settings.ou) == ("audit/IamScanner", ("Root/Prod", 'Root/"A", B'))
    safelist = parse(read([SAFELIST]))
    assert (safelist.organization, safelist.entries) == ("o-a1b2c3d4e5", ())
    assert safelist.policy is not None
    assert (safelist.policy.max_days, safelist.policy.approvers) == (90, ("ciso@example.com", "Head: of IT"))
    assert "/config/ @example/iam-approvers\n" in OWNERS.read_text(encoding="utf-8")


def test_the_safelist_is_the_one_that_a_scan_without_one_offers() -> None:
    program("init")
    assert SAFELIST.read_text(encoding="utf-8").endswith(f"\n\n{starter.text()}")


def test_the_settings_are_the_example_of_the_repository() -> None:
    """So it is also in a wheel, which has no folder `config/`."""
    example = (ROOT / "config/scanner.yaml.example").read_text(encoding="utf-8")
    lay_out(Answers())
    assert SETTINGS.read_text(encoding="utf-8") == example.replace("#role_name:", "role_name:")


def test_nothing_is_overwritten() -> None:
    for path in (SETTINGS, Path("config/safelists/prod.yml"), WORKFLOW, IGNORED):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("version: 1\nglobal: []\n", encoding="utf-8")
    before = {path: path.read_bytes() for path in files()}
    done = program("init", *ANSWERS, "--json")
    assert done.document["written"] == [OWNERS.as_posix()]
    assert set(done.document["left"]) == {path.as_posix() for path in before}
    assert set(done.document["not_used"]) == {*("--role-name", "--ou", "--organization", "--approver", "--max-days")}
    assert f"add the lines reports/ and *.xlsx to {IGNORED}" in done.document["to_do"]
    assert {path: path.read_bytes() for path in files() - {OWNERS}} == before
    again = program("init", "--role-name", "x")
    assert again.exit_code == 0
    assert "so these were not written: --role-name" in again.out


WRONG = {
    "--role-name": ("arn:aws:iam::000000000001:role/x", "is not a valid role name."),
    "--ou": ("", "has no value."),
    "--organization": ("o-1", "is not a valid organization ID."),
    "--approver": ("", "has no value."),
    "--max-days": ("0", "must be a number of days."),
    "--code-owner": ("iam-approvers", "is not a user or a team of GitHub."),
}


def test_every_wrong_answer_is_named_and_nothing_written() -> None:
    done = program("init", *(part for name, (value, _) in WRONG.items() for part in (name, value)))
    assert (done.exit_code, done.out, files()) == (2, "", set())
    for name, (_, problem) in WRONG.items():
        (line,) = (line for line in done.err.splitlines() if line.startswith(f"error: {name}: "))
        assert problem in line


@pytest.mark.parametrize("days", ["365\n  allow_patterns: true", "1e3", "x"])
def test_an_answer_says_nothing_else_in_a_file(days: str) -> None:
    assert program("init", "--max-days", days).exit_code == 2


def test_where_a_file_cannot_be_written_none_is_left() -> None:
    Path(".github").write_text("in the way", encoding="utf-8")
    done = program("init")
    assert done.exit_code == 1
    assert "Correct that, and try again." in done.err
    assert files() == {Path(".github")}
    assert not Path("config").exists()


# --- asking ----------------------------------------------------------------------------------------------------------


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def at_a_terminal(typed: str, *arguments: str) -> Done:
    """Run `init` where a person types this."""
    out, err = io.StringIO(), _Terminal()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "stdin", _Terminal(typed))
        patch.setattr(sys, "argv", ["iam-scanner", "init", *arguments])
        patch.setenv("TERM", "dumb")
        try:
            main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
    return Done(code, out.getvalue(), err.getvalue())


def test_it_asks_for_what_was_not_given_and_no_answer_is_the_default() -> None:
    typed = "Root/Prod, Root/Dev\no-bad\no-a1b2c3d4e5\nanybody\n\n@example/approvers\n"
    done = at_a_terminal(typed, "--role-name", "audit/IamScanner")
    assert done.exit_code == 0, done.err
    asked = re.findall(r"\[(.+?)\]: ", done.err)
    assert asked == ["all", "any", "any", "anybody", "365", "none yet"]
    assert "'o-bad' is not a valid organization ID." in done.err
    assert load({}, {}).ou == ("Root/Prod", "Root/Dev")
    safelist = parse(read([SAFELIST]))
    assert safelist.policy is not None
    assert (safelist.organization, safelist.policy.max_days, safelist.policy.approvers) == ("o-a1b2c3d4e5", 365, None)
    assert OWNERS.exists()


def test_it_does_not_ask_for_what_is_left_as_it_is() -> None:
    program("init")
    assert "[" not in at_a_terminal("\n", "--code-owner", "@example").err


@pytest.mark.parametrize("switch", ["--yes", "--json", "--quiet"])
def test_it_does_not_ask_where_that_is_not_wanted(switch: str) -> None:
    done = at_a_terminal("", switch)
    assert (done.exit_code, done.err) == (0, "")
    assert SAFELIST.exists()


def test_questions_that_nobody_answers_leave_nothing_written() -> None:
    done = at_a_terminal("\n\n")
    assert (done.exit_code, files()) == (2, set())
    assert "nothing was written. Give --yes to take the defaults." in " ".join(done.err.split())


def test_ctrl_c_leaves_nothing_written() -> None:
    """A process of its own, at a terminal of its own."""
    ours, its = pty.openpty()
    command = [sys.executable, "-m", "scanner", "init"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "dumb"}
    with subprocess.Popen(command, stdin=its, stdout=its, stderr=its, env=environment) as process:
        os.close(its)
        shown = _until(ours, b"[OrganizationAccountAccessRole]: ")
        os.write(ours, b"\n")
        shown += _until(ours, b"[all]: ")
        process.send_signal(signal.SIGINT)
        shown += _until(ours, b"")
        assert process.wait(30) == 130
    os.close(ours)
    assert files() == set()
    assert b"Traceback" not in shown


def _until(terminal: int, text: bytes) -> bytes:
    """What the terminal shows until this text; until its end for none."""
    shown = b""
    while not text or text not in shown:
        try:
            shown += (read_now := os.read(terminal, 4096))
        except OSError:  # Linux says so that nobody is at the other end
            break
        if not read_now:
            break
    assert text in shown, shown
    return shown


# --- GitHub's own rules ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["check-jsonschema", "--builtin-schema", "vendor.github-workflows"], id="schema"),
        pytest.param(["zizmor", "--offline", "--pedantic", "--quiet"], id="security"),
    ],
)
def test_the_job_passes_a_linter(command: list[str]) -> None:
    tool = Path(sys.executable).with_name(command[0])
    program("init", *ANSWERS)
    done = subprocess.run([tool, *command[1:], WORKFLOW], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_job_runs_the_check_and_may_do_no_more_than_read() -> None:
    lay_out(Answers())
    text = WORKFLOW.read_text(encoding="utf-8")
    assert text.rstrip().splitlines()[-1].strip() == "run: iam-scanner safelist check"
    assert re.findall(r"permissions:.*|\w+: (?:read|write).*", text) == [
        "permissions: {}",
        "permissions:",
        "contents: read # to check out what is to be merged",
    ]


def test_it_says_what_the_job_installs_until_it_is_there() -> None:
    lay_out(Answers())
    for path in (named := re.findall(r"vendor/\S+", WORKFLOW.read_text(encoding="utf-8"))):
        assert Path(path).parent == Path("vendor")
    assert "vendor/requirements.txt" in named
    WORKFLOW.unlink()
    assert "into vendor/, for the job" in program("init").out
    WORKFLOW.unlink()
    Path("vendor").mkdir()
    Path("vendor/requirements.txt").touch()
    assert "put the wheel" not in program("init").out


def test_it_says_what_the_shell_puts_before_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as those of another repository; the external ID is a secret, and meant to come from there."""
    monkeypatch.setenv("IAM_SCANNER_EXTERNAL_ID", "secret")
    assert "unset" not in program("init", "--yes").out
    monkeypatch.setenv("IAM_SCANNER_SAFELIST", '["other.yaml"]')
    monkeypatch.setenv("IAM_SCANNER_OUTPUT", "elsewhere")
    said = program("init", "--yes", "--json").document["to_do"]
    assert f"unset IAM_SCANNER_OUTPUT IAM_SCANNER_SAFELIST: in this shell, that goes before {SETTINGS}" in said


def test_git_ignores_what_runs_leave() -> None:
    lay_out(Answers())
    subprocess.run(["git", "init", "--quiet"], check=True)
    for path in ("reports/decisions.csv", "reports/1/journal.jsonl", "review.xlsx", SAFELIST, SETTINGS):
        ignored = subprocess.run(["git", "check-ignore", "--quiet", path], check=False).returncode == 0
        assert ignored == (Path(path).suffix != ".yaml"), path


def test_every_answer_has_a_question_and_an_option() -> None:
    names = {question.name for questions in QUESTIONS.values() for question in questions}
    assert names == {field.name for field in dataclasses.fields(Answers)}
    shown = program("init", "--help").out
    assert all(option(name) in shown for name in names)
