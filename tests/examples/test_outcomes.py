"""What each exit code comes to in the scheduled jobs: their shell is run, with stand-ins for what it calls."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from scanner.errors import ExitCode
from tests.examples.reading import build, step

RUN = "20261123T164100Z-1a2b3c"
CODES = [*ExitCode, 99]
PASS = {ExitCode.OK, ExitCode.UNAPPROVED}


@dataclass(frozen=True)
class Job:
    """How a script ended, what it printed, and which other programs it called."""

    code: int
    out: str
    outputs: str
    summary: str
    called: dict[str, str]


@dataclass(frozen=True)
class Shell:
    """A folder to run scripts in, where the scan ends as it is told."""

    folder: Path

    def stand_in(self, name: str, *lines: str) -> None:
        program = self.folder / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(
            "\n".join(["#!/bin/sh", f'printf "%s\\n" "$@" > called-{name}', *lines, ""]), encoding="utf-8"
        )
        program.chmod(0o755)

    def scan_ends(self, code: int, run: str = f"reports/{RUN}", due: int = 0) -> None:
        summary = self.folder / "reports" / RUN / "summary.json"
        summary.parent.mkdir(parents=True, exist_ok=True)
        summary.write_text(f'{{\n  "users_due": {due},\n  "users": {{}}\n}}\n', encoding="utf-8")
        self.stand_in("iam-scanner", f'[ -z "{run}" ] || echo "{run}"', f"exit {code}")

    def runs(self, script: str, *options: str, **variables: str) -> Job:
        path = os.pathsep.join((str(self.folder / "bin"), os.defpath))
        done = subprocess.run(
            ["/bin/sh", *options, "-c", script],
            cwd=self.folder,
            env={"PATH": path, "GITHUB_OUTPUT": "outputs.txt", "GITHUB_STEP_SUMMARY": "summary.md", **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr == ""
        files = {file.name: file.read_text(encoding="utf-8") for file in self.folder.iterdir() if file.is_file()}
        called = {name.removeprefix("called-"): text for name, text in files.items() if name.startswith("called-")}
        outputs, summary = files.get("outputs.txt", ""), files.get("summary.md", "")
        return Job(done.returncode, done.stdout, outputs, summary, called)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    shell = Shell(tmp_path)
    for name in ("gh", "aws"):
        shell.stand_in(name)
    return shell


ARCHIVE = "s3://bucket/iam-users"


def scan_step(shell: Shell) -> Job:
    assert step("Scan")["shell"] == "sh"  # which GitHub runs as `sh -e`
    return shell.runs(step("Scan")["run"], "-e", ARCHIVE=ARCHIVE)


@pytest.mark.parametrize("code", CODES)
def test_the_workflow_passes_on_findings_and_fails_on_anything_else(shell: Shell, code: int) -> None:
    shell.scan_ends(code)
    job = scan_step(shell)
    assert job.called["iam-scanner"].split() == ["scan", "--quiet", "--archive", ARCHIVE]
    assert job.code == (0 if code in PASS else code)
    level = {0: "notice", 3: "warning"}.get(code, "error")
    assert job.out.startswith(f"::{level} title=IAM users::")
    assert f"Exit code {code}, run {RUN}." in job.out
    assert ("ALARM" in job.out) == (code == ExitCode.INCOMPLETE)
    assert job.summary.rstrip() in job.out
    assert ("review=true" in job.outputs.splitlines()) == (code == ExitCode.UNAPPROVED)
    assert f"run={RUN}" in job.outputs.splitlines()


def test_each_exit_code_has_words_of_its_own_in_both_jobs(shell: Shell) -> None:
    for run in (scan_step, build_runs):
        words = set()
        for code in CODES:
            shell.scan_ends(code)
            words.add(run(shell).out.split("Exit code")[0])
        assert len(words) == len(CODES)


def test_who_needs_a_decision_is_told_of_whatever_the_exit_code(shell: Shell) -> None:
    """As a backlog that fail_on leaves out, or approvals of a baseline: nobody may read that all is well."""
    shell.scan_ends(0, due=63)
    job, mail = scan_step(shell), build_runs(shell).called["aws"]
    assert (job.code, job.out.startswith("::warning ")) == (0, True)
    assert "review=true" in job.outputs.splitlines()
    assert "--subject\nIAM users: to review\n" in mail
    for told in (job.out, mail):
        assert "63 users need a decision" in told
        assert "approved" not in told


def test_an_issue_is_opened_for_the_review_and_names_nobody(shell: Shell) -> None:
    opening = step("Open an issue")
    assert opening["if"] == "steps.scan.outputs.review == 'true'"
    assert opening["env"]["RUN"] == "${{ steps.scan.outputs.run }}"
    job = shell.runs(opening["run"], "-e", RUN=RUN, ARCHIVE=ARCHIVE)
    assert job.code == 0
    said = job.called["gh"]
    assert said.startswith(f"issue\ncreate\n--title\nReview the IAM users of run {RUN}\n--body\nThe scan is complete")
    assert f"1. Fetch the run: `iam-scanner archive pull {RUN} --archive {ARCHIVE}`\n" in said


def build_runs(shell: Shell) -> Job:
    return shell.runs(build(), ARCHIVE=ARCHIVE, TOPIC="arn:aws:sns:eu-west-1:111122223333:topic")


@pytest.mark.parametrize("code", CODES)
def test_the_build_tells_of_findings_and_fails_on_anything_else(shell: Shell, code: int) -> None:
    shell.scan_ends(code)
    job = build_runs(shell)
    assert job.called["iam-scanner"].split() == ["scan", "--quiet", "--archive", ARCHIVE]
    assert job.code == (0 if code in PASS else code)
    subjects = {0: "IAM users: all approved", 3: "IAM users: to review"}
    if code in PASS:
        assert f"--subject\n{subjects[code]}\n" in job.called["aws"]
        assert f"archive pull {RUN} --archive {ARCHIVE}" in job.called["aws"]
    else:
        assert "aws" not in job.called, "a failed build is told of by the rule"
    assert ("ALARM" in job.out) == (code == ExitCode.INCOMPLETE)


def test_a_finding_that_nobody_could_be_told_of_fails_the_build(shell: Shell) -> None:
    shell.scan_ends(3)
    shell.stand_in("aws", "exit 254")
    assert build_runs(shell).code == 1


@pytest.mark.parametrize("code", [1, 2, 5])
def test_a_scan_that_left_no_run_is_told_of_too(shell: Shell, code: int) -> None:
    shell.scan_ends(code, run="")
    for run in (scan_step, build_runs):
        job = run(shell)
        assert job.code == code
        assert f"Exit code {code}, run none." in job.out
