"""One quarter on the demo's own emulator, by the commands that people type: scan, review, plan, apply, undo, scan."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest

from scanner.demo import Demo, sample
from tests.demo_expected import utc_today
from tests.program import Done, program, table
from tests.review.desk import Desk, decided

# Long unused, each with other things that hang on it: a policy of its own; a group; a key in use and a policy.
CHOICES = {
    "core-data-prod/tableau-extract": "Remove",
    "core-data-prod/b.okafor": "Remove",
    "sandbox-ml/notebook-shared": "Quarantine",
}
EXECUTE = ("--execute", "--yes")


@pytest.fixture
def demo(workplace: Path) -> Iterator[Demo]:
    """An emulator of its own, as users are removed from it."""
    pytest.importorskip("moto")
    with sample(utc_today()) as demo:
        files = demo.write_files(Path("sample"))
        Path("safelists").mkdir()
        shutil.copy(files.safelist, "safelists/prod.yaml")
        with demo.applied():
            yield demo


def said(*arguments: object, code: int = 0) -> Done:
    done = program(*arguments)
    assert done.exit_code == code, done.out + done.err
    return done


def scanned(*options: str) -> Path:
    """Scan; return the run's folder."""
    return Path(said("scan", "--safelist", "safelists", "--quiet", *options, code=3).out.strip())


def users(run: Path) -> dict[str, dict[str, str]]:
    return {row["user_name"]: row for row in table(run / "iam-users.csv")}


def changes(old: Path, new: Path) -> dict[str, list[str]]:
    rows = said("diff", old, new, "--json").document["changes"]
    return {row["user_name"]: row["change"] for row in rows}


def fates(run: Path) -> dict[str, int]:
    found: dict[str, int] = json.loads((run / "summary.json").read_bytes())["remediation"]
    return found


def last_actions(run: Path) -> dict[str, str]:
    """What the sheet Review says was done about each user."""
    workbook = openpyxl.load_workbook(run / "iam-users.xlsx", read_only=True)
    heads, *rows = workbook["Review"].iter_rows(values_only=True)
    workbook.close()
    name, action = heads.index("user_name"), heads.index("last_action")
    return {str(row[name]): str(row[action]) for row in rows}


def apart_from_the_decision(row: dict[str, str]) -> dict[str, str]:
    """What a review, and the time of the scan, do not change."""
    return {key: row[key] for key in ("attached_policies", "active_access_keys", "inline_policies", "user_id", "arn")}


def test_a_quarter_ends_with_the_removed_gone_and_diff_says_that_and_nothing_else(demo: Demo) -> None:
    first = scanned()
    desk = Desk(first)
    book = desk.filled({user: decided(choice, ticket="SEC-140") for user, choice in CHOICES.items()})
    assert desk.imported(book, "--write").exit_code == 0
    plan = said("remediate", "plan", desk.removals, "--safelist", "safelists", "--json").document["plan_id"]
    shown = said("remediate", "apply", plan, "--safelist", "safelists")
    assert "Nothing was changed." in shown.out
    said("remediate", "apply", plan, *EXECUTE, "--user", "notebook-shared", "--safelist", "safelists")
    quarantined = scanned("--format", "csv")
    assert changes(first, quarantined) == {}, "a quarantine changes no decision"
    assert "AWSDenyAll" in users(quarantined)["notebook-shared"]["attached_policies"]
    assert users(quarantined)["notebook-shared"]["active_access_keys"] == "0"
    assert fates(quarantined) == {"decided": 3, "gone": 0, "quarantined": 1, "still_there": 2, "not_read": 0}
    said("remediate", "undo", plan, *EXECUTE)
    said("remediate", "apply", plan, *EXECUTE, "--safelist", "safelists")
    last = scanned()
    assert changes(first, last) == {"tableau-extract": ["GONE"], "b.okafor": ["GONE"]}
    assert apart_from_the_decision(users(first)["notebook-shared"]) == apart_from_the_decision(
        users(last)["notebook-shared"]
    )
    assert fates(last) == {"decided": 3, "gone": 2, "quarantined": 0, "still_there": 1, "not_read": 0}
    (gone, _) = said("diff", first, last, "--json").document["changes"]
    assert re.fullmatch(
        rf"Remove decided by .* on [\d-]+, removed on [\d-]+ by plan {plan}", ", ".join(gone["decided"])
    )
    assert re.fullmatch(rf"quarantine undone on [\d-]+ by plan {plan}", last_actions(last)["notebook-shared"])
    for name in (first.name, last.name, plan):
        said("verify", name)
