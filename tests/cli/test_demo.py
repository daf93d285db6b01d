"""`demo`: the very same scan on the embedded emulator, and the emulator to play with."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest
from openpyxl import load_workbook

from tests.demo_expected import APPROVED_USERS, EXPECTED, UNAPPROVED_USERS
from tests.program import Done, program, table

OWN_REPOSITORY = ("mkdir mine && cd mine && iam-scanner init --yes --json", "iam-scanner safelist check")
CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def demo(place: Path) -> Done:
    """One demonstration for the tests of this file."""
    pytest.importorskip("moto")
    return program("demo", "--output", place, "--json")


def folder(demo: Done, place: Path) -> Path:
    return place / str(demo.document["run_id"])


def test_the_demo_ends_well_though_it_shows_unapproved_users(demo: Done) -> None:
    assert demo.exit_code == 0
    assert demo.document["status"] == "COMPLETE"
    assert demo.document["users"]["unapproved"] == UNAPPROVED_USERS
    assert demo.document["users"]["approved"] == APPROVED_USERS


def test_the_demo_leaves_a_workbook(demo: Done, place: Path) -> None:
    book = load_workbook(folder(demo, place) / "iam-users.xlsx", read_only=True)
    assert book.active is not None
    assert (book.sheetnames[0], book.active.title) == ("Guide", "Summary")
    assert "Users" in book.sheetnames
    book.close()


def test_the_demo_s_users_are_those_of_the_sample(demo: Done, place: Path) -> None:
    rows = table(folder(demo, place) / "iam-users.csv")
    assert {row["account_id"] for row in rows} == {account for account, users in EXPECTED.items() if users}
    assert {row["evidence"] for row in rows} == {"FULL"}


def test_the_demo_leaves_its_safelist_to_play_with(demo: Done, place: Path) -> None:
    (safelist,) = place.rglob("safelist.yaml")
    assert program("safelist", "check", safelist).exit_code == 0


def test_the_demo_says_on_stderr_that_it_starts_an_emulator(demo: Done) -> None:
    assert "emulator" in demo.err
    assert "emulator" not in demo.out


def test_the_demo_leaves_the_environment_as_it_was(demo: Done) -> None:
    assert os.environ["AWS_ACCESS_KEY_ID"].startswith("AKIABROKEN")
    assert os.environ["AWS_ENDPOINT_URL"].endswith(":9")


def test_the_demo_is_not_led_astray_by_the_user_s_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("moto")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "scanner.yaml").write_text("ou: [Root/Absent]\n", encoding="utf-8")
    monkeypatch.setenv("IAM_SCANNER_OU", '["Root/Absent"]')
    monkeypatch.setenv("AWS_PROFILE", "absent")
    done = program("demo", "--quiet")
    assert done.exit_code == 0
    assert done.err == ""
    assert Path(done.out.strip()).is_dir()


def test_what_serve_prints_works_in_another_shell_until_ctrl_c(tmp_path: Path) -> None:
    """Every line as it is printed, in a folder whose settings would lead astray, without the program on the PATH."""
    pytest.importorskip("moto")
    command = [sys.executable, "-m", "scanner", "demo", "--serve", "--quiet", "--output", "it's here"]
    environment = os.environ | {"PYTHONPATH": str(CHECKOUT), "PYTHONUNBUFFERED": "1", "IAM_SCANNER_OU": '["Root/No"]'}
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "config").mkdir(parents=True)
    (elsewhere / "config/scanner.yaml").write_text("ou: [Root/Absent]\n", encoding="utf-8")
    with subprocess.Popen(
        command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        try:
            to_paste, to_try = _printed(process.stderr)
            steps = [*to_try, *OWN_REPOSITORY]
            script = "\n".join([*to_paste, *(f"{line}; echo ended with $?" for line in steps)])
            plain = environment | {"PATH": os.defpath, "COLUMNS": "400"}
            shell = subprocess.run(
                ["sh", "-c", script], cwd=elsewhere, env=plain, capture_output=True, text=True, check=True
            )
            assert process.poll() is None
            process.send_signal(signal.SIGINT)
            process.wait(20)
        finally:
            process.kill()
    assert process.returncode == 0
    assert [shlex.split(line)[:2] for line in to_try] == [
        ["iam-scanner", "accounts"],
        ["iam-scanner", "doctor"],
        ["iam-scanner", "scan"],
        ["iam-scanner", "safelist"],
    ]
    accounts, doctor, scan, explained, _, checked, _ = re.split(r"ended with (?:0|3)\n", shell.stdout)
    assert "14 accounts listed" in accounts, shell.stderr
    assert "nothing is missing" in doctor
    assert "COMPLETE for its scope: 4 of 14 accounts" in scan
    assert str(tmp_path / "it's here") in scan
    assert "one letter away from cc-rds-manager" in explained
    assert "Valid: 0 entries" in checked  # not those of the sample
    (url,) = re.findall("AWS_ENDPOINT_URL=(.*)", "\n".join(to_paste))
    with pytest.raises(OSError, match="refused"):
        _connect(url)


def _printed(stream: IO[str]) -> tuple[list[str], list[str]]:
    """The lines to paste and the commands to try, both indented, each group with an empty line before and after it."""
    groups: list[list[str]] = [[]]
    for line in stream:
        if line.startswith("  "):
            groups[-1].append(line.strip())
        elif groups[-1] and line == "\n":
            groups.append([])
            if len(groups) == 3:
                break
    to_paste, to_try, _ = groups
    return to_paste, to_try


def _connect(url: str) -> None:
    found = re.fullmatch(r"http://(.*):(\d+)", url)
    assert found is not None
    socket.create_connection((found[1], int(found[2]))).close()


def test_without_its_packages_the_demo_says_how_to_install_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scanner.demo.emulator.find_spec", lambda name: None)
    done = program("demo", "--output", tmp_path, "--json")
    assert done.exit_code == 1
    assert "pip install 'PATH[demo]'" in json.loads(done.out)["error"]["message"]
