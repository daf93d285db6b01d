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

import boto3
import pytest
from openpyxl import load_workbook

from tests.demo_expected import APPROVED_USERS, EXPECTED, UNAPPROVED_USERS
from tests.program import Done, program, table

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
    assert book.sheetnames[0] == "Summary"
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


def test_serve_prints_the_environment_and_stays_up_until_ctrl_c(tmp_path: Path) -> None:
    pytest.importorskip("moto")
    command = [sys.executable, "-m", "scanner", "demo", "--serve", "--quiet", "--output", str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": str(CHECKOUT), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        try:
            given = _exports(process.stderr)
            users = _users_of_management(given)
            assert process.poll() is None
            process.send_signal(signal.SIGINT)
            process.wait(20)
        finally:
            process.kill()
    assert users == set(EXPECTED["210987654321"])
    assert process.returncode == 0
    with pytest.raises(OSError, match="refused"):
        _connect(given["AWS_ENDPOINT_URL"])


def _exports(stream: IO[str]) -> dict[str, str]:
    """Read the lines to paste, up to the last of them."""
    given: dict[str, str] = {}
    for line in stream:
        words = shlex.split(line)
        if words[:1] == ["export"]:
            name, _, value = words[1].partition("=")
            given[name] = value
        elif given and not words:
            break
    return given


def _users_of_management(given: dict[str, str]) -> set[str]:
    iam = boto3.client(
        "iam",
        endpoint_url=given["AWS_ENDPOINT_URL"],
        aws_access_key_id=given["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=given["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=given["AWS_SESSION_TOKEN"],
    )
    names = {user["UserName"] for user in iam.list_users()["Users"]}
    iam.close()
    return names


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
    assert "pipx install --force '.[demo]'" in json.loads(done.out)["error"]["message"]
