"""Who flips in a what-if: on the screen, in its files, and by `diff`, always the same users."""

import io
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from rich.console import Console

from scanner.cli.screen import flips_screen
from scanner.report.render import render_what_if
from scanner.safelist.read import read
from tests.aws_endpoint import running
from tests.program import Done, program, scan, small_world, table

OWN = """version: 1
global:
- {user: alice, expires_on: 2026-12-31}
- {user: bob, approved_on: 2027-01-15}
"""
AS_OF = ("--as-of", "2027-01-31")
ACCOUNTS = 7
ENDED = "approval: approved -> unapproved (The approval at own.yaml:3 ended on 2026-12-31)"
BEGAN = "approval: unapproved (approval not started yet) -> approved for all accounts by own.yaml:4 without an end date"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs, their ids in `first` and `second`: alice is approved until the end of the year, and bob not yet."""
    folder = tmp_path_factory.mktemp("recorded")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("AWS_REGION", "us-east-1")
        Path("own.yaml").write_text(OWN, encoding="utf-8")
        Path("bob.yaml").write_text("version: 1\nglobal: [bob]\n", encoding="utf-8")
        with running(small_world()) as endpoint:
            scan_arguments = ("--as-of", "2026-11-23", "--evidence", "basic", "--previous", "none", "--json")
            for name in ("first", "second"):
                run_id = scan(endpoint, *scan_arguments, safelist="own.yaml").document["run_id"]
                Path(name).write_text(run_id, encoding="utf-8")
    return folder


@pytest.fixture
def place(recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same for one test to work in."""
    place = shutil.copytree(recorded, tmp_path / "place")
    monkeypatch.chdir(place)
    return place


def run_id(name: str = "first") -> str:
    return Path(name).read_text(encoding="utf-8")


def evaluate(*arguments: object, run: str = "first") -> Done:
    return program("evaluate", run_id(run), "--format", "csv", *arguments)


def evaluation(*arguments: object, run: str = "first") -> Path:
    """The folder of a new evaluation."""
    done = evaluate("--quiet", *arguments, run=run)
    assert done.exit_code in {0, 3}, done.err
    return Path(done.out.strip())


def users(rows: list[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    found = [(row["account_id"], row["user_name"], row["change"]) for row in rows]
    return [
        (account, name, change if isinstance(change, str) else "; ".join(change)) for account, name, change in found
    ]


# --- the screen ------------------------------------------------------------------------------------------------------


def test_the_screen_says_first_who_flips_from_what_to_what_and_why(place: Path) -> None:
    done = evaluate(*AS_OF)
    assert done.exit_code == 3
    first, _, heading, *lines = done.out.splitlines()
    assert first == (
        f"14 users flip, compared with run {run_id()} as it was decided: "
        "7 from approved to unapproved, 7 from unapproved to approved."
    )
    assert heading == "Newly unapproved: 7 users"
    assert sum(line.endswith(f"  alice  {ENDED}") for line in lines[:ACCOUNTS]) == ACCOUNTS
    assert lines[ACCOUNTS + 1] == "Newly approved: 7 users"
    assert sum(line.endswith(f"  bob  {BEGAN}") for line in lines) == ACCOUNTS
    assert next(line for line in lines if line.startswith("COMPLETE")) in lines[2 * ACCOUNTS :]
    assert "Most unapproved users" not in done.out


def test_one_way_is_one_sentence_and_so_is_nobody(place: Path) -> None:
    compared = f"compared with run {run_id()} as it was decided"
    lost = evaluate("--as-of", "2027-01-01").out.splitlines()
    assert lost[0] == f"7 users flip from approved to unapproved, {compared}."
    none = evaluate("--as-of", "2026-11-24").out.splitlines()
    assert none[0] == f"Nobody flips, {compared}: 14 users were read."
    assert not any(" -> " in line for line in none)


def test_an_approval_that_ends_on_that_very_day_is_named_though_it_still_holds(place: Path) -> None:
    """Who asks for January asks for its last day, too."""
    text = " ".join(evaluate("--as-of", "2026-12-31").out.split())
    assert "7 approvals have 2026-12-31 as the last day, on which they still hold: alice (" in text
    assert "and 4 more." in text
    assert "as the last day" not in evaluate("--as-of", "2026-12-30").out


def test_a_terminal_gets_the_first_of_many_and_where_all_are_and_a_pipe_gets_all(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flips_screen, "SHOWN", ACCOUNTS + 2)
    safelists, output = read((Path("bob.yaml"),)), Path("reports")
    rendered = render_what_if(output / run_id(), output, ["csv"], safelists=safelists, as_of=None)
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None, highlight=False)
    with console.capture() as captured:
        flips_screen.show_flips(rendered, console)
    lines = captured.get().splitlines()
    assert [line for line in lines if line.startswith("Newly")] == [
        "Newly unapproved: 7 users",
        "Newly approved: 7 users",
    ]
    assert sum(line.endswith("  alice") or "  alice  " in line for line in lines) == ACCOUNTS
    assert sum(line.endswith("  bob") or "  bob  " in line for line in lines) == 2
    assert f"  and 5 more: see {rendered.folder}/flips.csv" in lines
    assert len(table(rendered.folder / "flips.csv")) == 2 * ACCOUNTS
    piped = evaluate("--safelist", "bob.yaml").out
    assert piped.count(" -> ") == 2 * ACCOUNTS
    assert "more: see" not in piped


# --- the files, and diff ---------------------------------------------------------------------------------------------


def test_screen_json_csv_sheet_and_diff_name_the_same_users(place: Path) -> None:
    document = evaluate(*AS_OF, "--format", "xlsx", "--json").document["flips"]
    folder = evaluation(*AS_OF, "--format", "xlsx")
    assert document["counts"] == {"NEWLY_UNAPPROVED": ACCOUNTS, "NEWLY_APPROVED": ACCOUNTS}
    assert json.loads((folder / "summary.json").read_bytes())["flips"] == document
    flips = users(document["users"])
    assert len(set(flips)) == 2 * ACCOUNTS
    assert users([*table(folder / "flips.csv")]) == flips
    workbook = load_workbook(folder / "iam-users.xlsx")
    head, *rows = workbook["Flips"].iter_rows(values_only=True)
    assert users([dict(zip(map(str, head), row, strict=True)) for row in rows]) == flips
    assert "14 users flip" in "".join(str(row[0]) for row in workbook["Summary"].iter_rows(values_only=True))
    assert program("diff", run_id(), folder, "--json").document["changes"] == document["users"]


def test_a_run_has_no_flips(place: Path) -> None:
    folder = Path("reports") / run_id()
    assert json.loads((folder / "summary.json").read_bytes())["flips"] is None
    assert not (folder / "flips.csv").exists()


def test_a_workbook_says_where_nobody_flips(place: Path) -> None:
    folder = evaluation("--as-of", "2026-11-24", "--format", "xlsx")
    workbook = load_workbook(folder / "iam-users.xlsx")
    assert str(workbook["Flips"].cell(2, 1).value).startswith("Nobody flips")


def test_a_run_and_its_evaluation_are_compared_whichever_is_named_first(place: Path) -> None:
    folder = evaluation(*AS_OF)
    forth = program("diff", run_id(), folder.name, "--json").document
    back = program("diff", folder, run_id(), "--json").document
    assert back == {**forth, "old_is_newer": True}
    assert forth["old"]["evaluated_from"] is None
    assert forth["new"]["evaluated_from"]["as_of"] == forth["old"]["as_of"] == "2026-11-23"
    assert forth["new"]["as_of"] == "2027-01-31"
    shown = program("diff", run_id(), folder).out
    assert f"New        {run_id()}  " in shown
    assert (
        "  WHAT-IF, decided again by its own safelists, approvals judged on 2027-01-31, not on 2026-11-23: C" in shown
    )
    assert sum(ENDED in line for line in shown.splitlines()) == ACCOUNTS


def test_it_is_decided_by_what_the_safelists_said_then(place: Path) -> None:
    folder = evaluation("--safelist", "bob.yaml")
    Path("bob.yaml").unlink()
    document = program("diff", run_id(), folder, "--json").document
    assert document["counts"] == {"NEWLY_UNAPPROVED": ACCOUNTS, "NEWLY_APPROVED": ACCOUNTS}


def test_two_evaluations_of_one_run(place: Path) -> None:
    old, new = evaluation("--safelist", "bob.yaml"), evaluation(*AS_OF)
    document = program("diff", old, new, "--json").document
    assert document["counts"] == {"UNCHANGED": 2 * ACCOUNTS}
    assert document["old_is_newer"] is False


# --- what is refused -------------------------------------------------------------------------------------------------


def refused(*arguments: object) -> str:
    done = program("diff", *arguments)
    assert done.exit_code == 2, done.out
    return done.err


def test_an_evaluation_of_another_run(place: Path) -> None:
    folder = evaluation(*AS_OF)
    message = refused(run_id("second"), folder)
    assert f"{folder} is an evaluation of run {run_id()}, and not of run {run_id('second')}" in message
    assert f"iam-scanner diff {run_id()} {folder}" in message
    assert "and not of run" in refused(folder, evaluation(*AS_OF, run="second"))


def test_an_evaluation_of_a_run_that_is_not_the_same_any_more(place: Path) -> None:
    folder = evaluation(*AS_OF)
    file = folder / "evaluation.json"
    noted = json.loads(file.read_bytes())
    file.write_text(json.dumps({**noted, "journal_sha256": "0" * 64}), encoding="utf-8")
    message = refused(run_id(), folder)
    assert "is not the one that" in message
    assert noted["journal_sha256"] in message


def test_evaluations_whose_run_is_not_there(place: Path) -> None:
    folder = evaluation(*AS_OF)
    (Path("reports") / run_id()).rename("moved")
    assert f"run {run_id()}, which is neither beside it nor under reports" in refused(folder, folder)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "it is not a JSON object"),
        ("[" * 100_000, "it is not a JSON object"),
        ("[]", "it is not a JSON object"),
        ("{}", '"schema_version" in it is missing'),
        ('{"schema_version": 2}', '"schema_version" in it is missing or not valid'),
    ],
    ids=["broken", "deep", "list", "empty", "later"],
)
def test_an_evaluation_that_this_program_did_not_write(place: Path, text: str, why: str) -> None:
    folder = evaluation(*AS_OF)
    (folder / "evaluation.json").write_text(text, encoding="utf-8")
    message = refused(run_id(), folder)
    assert why in message
    assert "Evaluate the run again" in message
