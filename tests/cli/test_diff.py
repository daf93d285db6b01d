"""`diff`: two recorded runs, compared for people and for scripts; the Changes sheet and the CSV agree with it."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, Self

import pytest
from openpyxl import load_workbook
from rich.console import Console

from scanner.cli.screen.changes_screen import show
from scanner.runs.comparison import compare_runs
from tests.aws_endpoint import Fault, deny, running
from tests.program import Done, ids, named, program, scan, small_world, table

HOSTILE = "core\x1b[2J\u202e"  # of an account: IAM's XML holds no such thing, the JSON of AWS Organizations does
POLICY = "arn:aws:iam::aws:policy/AdministratorAccess"


@dataclass(frozen=True)
class Quarter:
    """Two runs, and what happened in between."""

    old: Path
    new: Path

    def diff(self, *arguments: object) -> Done:
        return program("diff", self.old, self.new, *arguments)


@pytest.fixture(scope="module")
def quarter(tmp_path_factory: pytest.TempPathFactory) -> Quarter:
    """Of each change one user; two accounts were not read by one of the runs."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("quarter")
        patch.chdir(folder)
        patch.setenv("AWS_REGION", "us-east-1")
        patch.setattr("scanner.aws.credential_report.POLL_SECONDS", (0.0,))
        patch.setattr("scanner.aws.clients.BACKOFF_CAP", 0.002)
        Path("old.yaml").write_text("version: 1\nglobal: [lost, recreated]\n", encoding="utf-8")
        Path("new.yaml").write_text("version: 1\nglobal: [alice]\n", encoding="utf-8")
        old, new = _two_runs(patch)
    return Quarter(folder / "reports" / old, folder / "reports" / new)


def _two_runs(patch: pytest.MonkeyPatch) -> tuple[str, str]:
    world = small_world(users=["alice"])
    core, dev, sandbox = (named(world, name) for name in ("core", "dev", "sandbox"))
    core.name = HOSTILE
    for name in ("gainer", "recreated", "renamed", "gone", "lost"):
        core.add_user(name)
    with running(world, [Fault("sts:AssumeRole", deny, account=dev.id)]) as endpoint:
        old = scan(endpoint, "--json", safelist="old.yaml").document["run_id"]
        endpoint.faults.rules[:] = [Fault("sts:AssumeRole", deny, account=sandbox.id)]
        _let_time_pass(core)
        patch.setattr("scanner.scan.scan.datetime", _Later)
        new = scan(endpoint, "--json", "--format", "xlsx", "--previous", old, safelist="new.yaml").document["run_id"]
    return old, new


class _Later(datetime):
    """A quarter after today."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return super().now(tz) + timedelta(days=91)


def _let_time_pass(core: Any) -> None:
    core.remove_user("gone")
    core.remove_user("recreated")
    core.add_user("recreated", serial=2)
    core.add_user("newcomer")
    new: dict[str, Any] = {"gainer": {"attached": (POLICY,)}, "renamed": {"name": "other-name"}}
    core.users = [replace(user, **new.get(user.name, {})) for user in core.users]


def changes(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [("; ".join(row["change"]), row["user_name"]) for row in document["changes"]]


EXPECTED = [
    ("PRIVILEGE_GAINED", "gainer"),
    ("NEWLY_UNAPPROVED", "lost"),
    ("RECREATED", "recreated"),
    ("NEW", "newcomer"),
    ("RENAMED", "other-name"),
    *[("NEWLY_APPROVED", "alice")] * 5,
    ("GONE", "gone"),
    ("NOT_RESCANNED", "alice"),
]


def test_the_users_that_changed_come_with_what_matters_most_first(quarter: Quarter) -> None:
    done = quarter.diff("--json")
    assert done.exit_code == 0
    assert changes(done.document) == EXPECTED
    assert done.document["counts"]["NOT_PREVIOUSLY_SCANNED"] == 1
    assert [done.document[which]["run_id"] for which in ("old", "new")] == [quarter.old.name, quarter.new.name]
    assert [done.document[which]["status"] for which in ("old", "new")] == ["INCOMPLETE", "INCOMPLETE"]
    assert done.document["old_is_newer"] is False


def test_before_and_after_are_objects(quarter: Quarter) -> None:
    rows = {row["user_name"]: row for row in quarter.diff("--json").document["changes"]}
    gainer = rows["gainer"]
    assert (gainer["before"]["administrator"], gainer["after"]["administrator"]) == (False, True)
    assert (gainer["before"]["policies"], gainer["after"]["policies"]) == ([], ["AdministratorAccess"])
    assert rows["newcomer"]["before"] is None
    assert rows["gone"]["after"] is None
    assert rows["lost"]["reason"] == "No entry matches"
    assert rows["gone"]["reason"] is None
    assert rows["recreated"]["before"]["user_id"] != rows["recreated"]["after"]["user_id"]


def test_the_sheet_the_column_and_diff_agree(quarter: Quarter) -> None:
    document = quarter.diff("--json").document
    sheet = load_workbook(quarter.new / "iam-users.xlsx")["Changes"]
    head, *rows = sheet.iter_rows(values_only=True)
    by_row = [dict(zip(head, row, strict=True)) for row in rows]
    assert [(row["change"], row["user_name"]) for row in by_row] == changes(document)

    in_csv = {(row["account_id"], row["user_id"]): row["change"] for row in table(quarter.new / "iam-users.csv")}
    of_users = {key: change for key, change in in_csv.items() if change not in {"UNCHANGED", "NOT_PREVIOUSLY_SCANNED"}}
    in_diff = {
        (row["account_id"], row["user_id"]): "; ".join(row["change"]) for row in document["changes"] if row["after"]
    }
    assert of_users == in_diff
    counted = {
        change: sum(change in changed.split("; ") for changed in in_csv.values()) for change in document["counts"]
    }
    assert {**counted, "GONE": 1, "NOT_RESCANNED": 1} == document["counts"]


def test_summary_and_evidence_say_what_it_was_compared_with(quarter: Quarter) -> None:
    book = load_workbook(quarter.new / "iam-users.xlsx")
    facts = {str(row[0]): str(row[1]) for row in book["Evidence"].iter_rows(values_only=True)}
    digest = quarter.diff("--json").document["old"]["journal_sha256"]
    why = "the run that --previous names"
    assert facts["Compared with"] == f"{quarter.old.name}, SHA-256 of its journal {digest}; {why}"
    lines = [" ".join(str(value) for value in row if value) for row in book["Summary"].iter_rows(values_only=True)]
    (line,) = (line for line in lines if line.startswith("Since "))
    assert "1 privilege gained, 1 newly unapproved, 1 recreated, 1 new, 1 renamed, 5 newly approved, 1 gone" in line
    assert quarter.old.name in line


def test_in_a_pipe_each_user_is_one_whole_line(quarter: Quarter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    done = quarter.diff()
    assert done.exit_code == 0
    lines = done.out.splitlines()
    (gained,) = (line for line in lines if "gainer" in line)
    rights = "rights: none -> administrator, policy AdministratorAccess"
    expected = f"{rights}; approval: unapproved (No entry matches)"
    assert gained.endswith(f"  gainer  {expected}")
    assert "Privilege gained: 1 user" in lines
    assert sum(" -> " in line for line in lines) == len(EXPECTED)
    assert lines[0].startswith(f"Old        {quarter.old.name}  ")
    assert "Left out   1 user in accounts that the old run did not read" in lines
    assert [line for line in lines if line != line.rstrip()] == []


def test_what_others_wrote_does_not_reach_the_terminal_raw(quarter: Quarter) -> None:
    out = quarter.diff().out
    assert "\x1b" not in out
    assert r"core\x1b[2J\u202e" in out


@pytest.mark.parametrize("width", [80, 140])
def test_on_a_terminal_nothing_is_cut_and_nothing_runs_over(quarter: Quarter, width: int) -> None:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None, highlight=False)
    with console.capture() as captured:
        show(compare_runs(quarter.old, quarter.new, Path()), console, quiet=True)
    lines = captured.get().splitlines()
    assert max(map(len, lines)) <= width
    gained = lines.index("Privilege gained: 1 user")
    if width == 80:
        assert lines[gained + 1].split()[1:] == [r"core\x1b[2J\u202e", "gainer"]
        assert lines[gained + 2 : gained + 4] == [
            "      rights: none -> administrator, policy AdministratorAccess",
            "      approval: unapproved (No entry matches)",
        ]
    recreated = lines.index("Recreated: 1 user")
    assert "      approval: approved -> unapproved (No entry matches)" in lines[recreated:]


def test_quiet_prints_the_users_alone(quarter: Quarter) -> None:
    out = quarter.diff("--quiet").out
    assert quarter.old.name not in out
    assert out.lstrip().startswith("Privilege gained: 1 user\n")


def test_whichever_is_named_first_the_same_changed_in_order_of_time(quarter: Quarter) -> None:
    """Nobody is gone who came afterwards."""
    done, forth = program("diff", quarter.new, quarter.old), quarter.diff()
    assert done.exit_code == 0
    notice = "The later one was named first; what follows is in order of time."
    assert [line for line in done.out.splitlines() if line != notice] == forth.out.splitlines()
    assert notice in done.out.splitlines()
    back = program("diff", quarter.new, quarter.old, "--json").document
    assert back == {**quarter.diff("--json").document, "old_is_newer": True}


def test_a_run_does_not_differ_from_itself(quarter: Quarter) -> None:
    done = program("diff", quarter.new, quarter.new)
    assert done.exit_code == 0
    assert "Changed    no user" in done.out
    assert " -> " not in done.out


def test_users_outside_the_later_scope_are_counted_and_not_compared(workplace: Path) -> None:
    world = small_world()
    with running(world) as endpoint:
        old = scan(endpoint, "--json", "--evidence", "basic").document["run_id"]
        new = scan(endpoint, "--json", "--evidence", "basic", "--ou", "Root/Sandbox").document["run_id"]
    done = program("diff", old, new)
    assert f"Left out   {2 * len(ids(world)) - 2} users in accounts outside the new run's scope" in done.out
    assert program("diff", old, new, "--json").document["users_outside_scope"] == 2 * len(ids(world)) - 2


def test_runs_of_two_organizations_are_refused(quarter: Quarter, workplace: Path) -> None:
    other = small_world()
    other.id = "o-another001"
    with running(other) as endpoint:
        stranger = scan(endpoint, "--json", "--evidence", "basic").document["run_id"]
    done = program("diff", quarter.old, stranger)
    assert done.exit_code == 2
    assert "o-another001" in done.err
    assert "Give two runs of one organization" in done.err


def test_a_first_run_says_on_its_sheet_that_there_is_nothing_to_compare_with(workplace: Path) -> None:
    with running(small_world()) as endpoint:
        first = scan(endpoint, "--format", "xlsx", "--json").document["run_id"]
        again = scan(endpoint, "--format", "xlsx", "--json").document["run_id"]
    assert text_of_changes(workplace / "reports" / first) == (
        "This run is compared with no earlier one: no earlier finished run of this organization in reports."
    )
    assert (
        text_of_changes(workplace / "reports" / again)
        == "No user changed since the run that this one is compared with."
    )


def text_of_changes(folder: Path) -> str:
    return str(load_workbook(folder / "iam-users.xlsx")["Changes"].cell(2, 1).value)
