"""`users`: the users of a recorded run, for people and for scripts."""

import asyncio
import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from scanner.cli.screen.users_screen import show
from scanner.report.render import render_run
from scanner.report.user_list import Filters, choose
from scanner.runs import folder as run_folder
from scanner.runs.stored import decide
from tests.builders import START, access, account, credentials, failed, header, listing, record, scanned, user
from tests.program import Done, program, table
from tests.runs.recording import append

RUN = "20261123T164100Z-1a2b3c"
LONG = "x" * 64  # the longest that IAM allows
HOSTILE = "shop\x1b[2J\u202e"
ADMINISTRATOR = replace(access(), administrator=True, attached_policies=("AdministratorAccess",))
CONSOLE = replace(
    credentials(), console_access=True, mfa_active=False, password_last_used=START, password_last_changed=START
)


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one run: two accounts were read, and two were not."""
    output = tmp_path_factory.mktemp("runs")
    accounts = (account(1, name=HOSTILE), account(2), account(3, ou_path="Root/Sandbox"), account(4))
    first = (
        user("alice", credentials=credentials(), access=access()),
        user("=1+1", credentials=CONSOLE, access=access()),
        user(LONG, credentials=CONSOLE, access=ADMINISTRATOR),
    )
    run = record(
        scanned(1, *first),
        scanned(2, user("Zoë", in_account=2)),
        failed(3),
        header=header(),
        listing=listing(*accounts),
    )
    folder = run_folder.create(output, RUN)
    asyncio.run(append(folder, [run.header, *run.scans.values(), run.listing, run.footer]))
    render_run(folder, ("csv", "json"))
    return output


def users(output: Path, *arguments: object) -> Done:
    return program("users", "latest", "--output", output, *arguments)


def test_a_table_names_the_users_the_most_urgent_first_and_how_many_they_are(output: Path) -> None:
    done = users(output)
    assert done.exit_code == 0
    heads, *rows = done.out.splitlines()
    assert heads.split() == ["Account", "Name", "User", "Why"]
    assert [row.split()[2] for row in rows[:4]] == [LONG, "=1+1", "Zoë", "alice"]
    assert rows[0].endswith(f"{LONG}  administrator, console without MFA, on no safelist")
    assert rows[2].endswith("rights not known, credentials not known, on no safelist")
    assert rows[4:] == [
        "",
        "2 accounts were not read; their users are missing here.",
        f"4 of 4 users of run {RUN}: INCOMPLETE",
    ]
    assert done.err == f"latest is run {RUN}.\n"


@pytest.mark.parametrize(("columns", "lines"), [(None, 5), ("100", 9)])
def test_in_a_pipe_a_user_is_one_whole_line_unless_columns_are_set(
    output: Path, monkeypatch: pytest.MonkeyPatch, columns: str | None, lines: int
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns:
        monkeypatch.setenv("COLUMNS", columns)
    assessment, printed = decide(output / RUN), io.StringIO()
    show(Console(file=printed), assessment, choose(assessment, Filters()), quiet=True)
    assert len(printed.getvalue().splitlines()) == lines


def test_quiet_prints_the_rows_alone_and_still_says_what_is_missing(output: Path) -> None:
    done = users(output, "--quiet", "--name", "alice")
    assert len(done.out.splitlines()) == 2
    assert done.err == "note: 2 accounts were not read; their users are missing here.\n"


def test_no_user_is_no_table_and_no_error(output: Path) -> None:
    done = users(output, "--name", "nobody")
    assert done.exit_code == 0
    assert done.out.splitlines()[-1] == f"0 of 4 users of run {RUN}: INCOMPLETE"
    assert "Account" not in done.out


def test_what_others_wrote_does_not_reach_the_terminal_raw(output: Path) -> None:
    out = users(output).out
    assert "\x1b" not in out
    assert r"shop\x1b[2J\u202e" in out


@pytest.mark.parametrize("width", [40, 80, 140])
def test_on_a_terminal_nothing_is_cut_and_nothing_runs_over(output: Path, width: int) -> None:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None, highlight=False)
    assessment = decide(output / RUN)
    with console.capture() as captured:
        show(console, assessment, choose(assessment, Filters()), quiet=False)
    lines = captured.get().splitlines()
    assert max(map(len, lines)) <= width
    everything = "".join("".join(lines).split())
    for row in table(output / RUN / "iam-users.csv"):
        name = r"shop\x1b[2J\u202e" if row["account_name"] == HOSTILE else row["account_name"]
        assert row["account_id"] + name + row["user_name"].removeprefix("'") in everything


def test_the_csv_has_the_rows_of_iam_users_csv_in_order_of_urgency(output: Path) -> None:
    done = users(output, "--format", "csv")
    assert done.exit_code == 0
    written = (output / RUN / "iam-users.csv").read_bytes().decode("utf-8-sig").split("\r\n")
    printed = done.out.split("\r\n")
    assert printed[0] == written[0], "and no byte order mark, which few scripts expect"
    assert sorted(printed) == sorted(written)
    assert [row["user_name"] for row in csv.DictReader(io.StringIO(done.out))] == [LONG, "'=1+1", "Zoë", "alice"]
    assert "note: 2 accounts were not read; their users are missing here." in done.err.splitlines()


@pytest.mark.parametrize("option", [["--json"], ["--format", "json"], ["--json", "--format", "json"]], ids=str)
def test_json_is_one_document_with_the_rows_of_iam_users_json(output: Path, option: list[str]) -> None:
    done = users(output, *option, "--unapproved", "--name", "=*", "--name", "a*")
    document = done.document
    rows = {row["user_name"]: row for row in json.loads((output / RUN / "iam-users.json").read_bytes())}
    assert document.pop("users") == [rows["=1+1"], rows["alice"]]
    assert document == {
        "schema_version": 1,
        "run_id": RUN,
        "status": "INCOMPLETE",
        "status_text": "incomplete: 1 of 4 accounts in scope could not be read; "
        "1 of 4 accounts in scope was not reached before the run ended",
        "compared_with": None,
        "filters": {
            "unapproved": True,
            "administrator": False,
            "dormant": False,
            "change": [],
            "account": [],
            "ou": [],
            "name": ["=*", "a*"],
        },
        "counts": {"users": 4, "shown": 2, "unknown": {}, "accounts_not_read": 2, "accounts_left_out": 0},
        "notes": ["2 accounts were not read; their users are missing here."],
    }
    assert "note: 2 accounts were not read" in done.err


def test_the_scope_of_scans_in_the_settings_is_no_filter(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IAM_SCANNER_ACCOUNT", '["000000000002"]')
    monkeypatch.setenv("IAM_SCANNER_OU", '["Root/Elsewhere"]')
    monkeypatch.setenv("IAM_SCANNER_FORMAT", '["xlsx"]')
    assert users(output).out.splitlines()[-1].startswith("4 of 4 users")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--account", "000000000009"], "error: --account 000000000009: no such account in the run. Did you mean"),
        (["--ou", "Root/Prd"], "error: --ou Root/Prd: no such OU in the run. Did you mean Root/Prod"),
        (["--change", "gone"], "error: --change gone: such users are not in the run."),
        (["--format", "xlsx"], "error: --format: 'xlsx' is not table, csv or json."),
        (["--json", "--format", "csv"], "error: --json and --format csv contradict each other."),
    ],
    ids=str,
)
def test_what_is_wrong_is_said_and_nothing_is_printed(output: Path, arguments: Any, message: str) -> None:
    done = users(output, *arguments)
    assert done.exit_code == 2
    assert message in done.err
    assert done.out == "" or "error" in done.document


def test_a_run_that_was_never_finished_is_refused(tmp_path: Path) -> None:
    folder = run_folder.create(tmp_path, RUN)
    asyncio.run(append(folder, [header()]))
    done = program("users", RUN, "--output", tmp_path)
    assert done.exit_code == 2
    assert "is not finished" in done.err
