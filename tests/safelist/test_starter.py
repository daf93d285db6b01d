"""Where there is no safelist, the message has the commands that write a first one; they work as they are printed."""

import re
import subprocess
from pathlib import Path

import pytest

from scanner.safelist.entries import parse, read
from scanner.safelist.fields import REQUIRABLE
from tests.program import program


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def printed(message: str) -> list[str]:
    """The commands below the faults."""
    faults, *lines = message.splitlines()
    assert faults.startswith("error: ")
    return [line.strip() for line in lines if line.startswith("  ")]


def paste(commands: list[str]) -> None:
    subprocess.run(["sh", "-e", "-c", "\n".join(commands)], check=True, timeout=10)


@pytest.mark.parametrize(
    ("looked_for", "written"),
    [
        (None, "config/safelists/safelist.yaml"),
        ("ours", "ours/safelist.yaml"),
        ("a/b/ours.yaml", "a/b/ours.yaml"),
        ("ours.YML", "ours.YML"),
        ("it's $HOME/`a` & b", "it's $HOME/`a` & b/safelist.yaml"),
        ("~/100%/żółw.yaml", "~/100%/żółw.yaml"),
        ("-p.yaml", "-p.yaml"),
    ],
)
def test_the_commands_write_the_safelist_that_was_looked_for(looked_for: str | None, written: str) -> None:
    command = ["safelist", "check", *([] if looked_for is None else ["--", looked_for])]
    missing = program(*command)
    assert missing.exit_code == 2
    paste(printed(missing.err))
    assert Path(written).is_file()
    checked = program(*command)
    assert (checked.exit_code, checked.err) == (0, "")
    assert checked.out.startswith("Valid: 0 entries in 1 file.")


def test_a_folder_without_safelists_gets_one_beside_its_examples() -> None:
    folder = Path("config/safelists")
    folder.mkdir(parents=True)
    (folder / "safelist.yaml.example").touch()
    missing = program("scan")
    assert missing.exit_code == 2
    assert "error: config/safelists: The folder holds no safelist (*.yaml, *.yml)." in missing.err
    paste(printed(missing.err))
    assert program("safelist", "check").exit_code == 0


def test_it_approves_nobody_and_no_approval_that_lacks_who_why_or_until_when_would_count() -> None:
    paste(printed(program("scan").err))
    file = Path("config/safelists/safelist.yaml")
    text = file.read_text(encoding="utf-8")
    safelist = parse(read([file]))
    assert (safelist.entries, safelist.revocations, safelist.warnings) == ((), (), ())
    assert safelist.policy is not None
    assert {"owner", "reason", "approved_by", "expires_on"} == set(safelist.policy.require) <= set(REQUIRABLE)
    assert safelist.policy.approvers is None
    assert not safelist.policy.allow_patterns

    fields = "owner: a, reason: b, approved_by: ciso@example.com, approved_on: 2026-10-01"
    entries = (
        f"[bare, {{user: good, {fields}, expires_on: 2027-10-01}}, {{user: long, {fields}, expires_on: 2027-10-02}}]"
    )
    file.write_text(text.replace("# approvers", "approvers").replace("[]", entries), encoding="utf-8")
    assert [entry.value for entry in parse(read([file])).entries if not entry.invalid] == ["good"]


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["a.yaml", "b.yaml"], id="two places: a policy may stand in one of them"),
        pytest.param(["a\nb"], id="a name that cannot be pasted"),
        pytest.param(["safelist.yaml.example"], id="an example"),
        pytest.param(["typo"], id="a safelist under a name that is not read"),
    ],
)
def test_elsewhere_the_faults_stand_alone_each_on_one_line(arguments: list[str]) -> None:
    Path("typo").mkdir()
    Path("typo/prod.yaml.txt").touch()
    done = program("safelist", "check", *arguments)
    assert done.exit_code == 2
    assert re.fullmatch("(error: .*\n)+", done.err)


def test_scripts_have_the_fault_alone_and_the_commands_in_the_message() -> None:
    error = program("scan", "--json").document["error"]
    (fault,) = error["faults"]
    assert (fault["file"], fault["line"]) == ("config/safelists", None)
    assert "\n" not in fault["problem"] + fault["remedy"]
    paste([line for line in error["message"].splitlines() if line.startswith("  ")])
    assert program("safelist", "check").exit_code == 0
