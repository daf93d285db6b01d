"""A run that was recorded by an earlier version, with a journal of schema 1: still read, rendered and compared.

It was recorded of `organization(3, 4)`, before there were the columns named here.
"""

import json
import shutil
from pathlib import Path

import pytest

from tests.aws_endpoint import organization, running
from tests.program import program, scan, table

pytestmark = pytest.mark.usefixtures("workplace", "hurried")

RECORDED = Path(__file__).parents[1] / "runs" / "schema_1"
NEW_COLUMNS = {"created_by", "created_with", "escalation", "last_activity_service", "service_credentials"}


@pytest.fixture
def run() -> Path:
    header = json.loads((RECORDED / "journal.jsonl").read_text(encoding="utf-8").splitlines()[0])
    return Path(shutil.copytree(RECORDED, Path("reports", header["run_id"])))


def test_it_renders_the_same_rows_and_nothing_in_the_new_columns(run: Path) -> None:
    done = program("report", run, "--output", "again", "--format", "csv", "--format", "xlsx", "--format", "json")
    assert done.exit_code == 0, done.err
    (again,) = Path("again").rglob("iam-users.csv")
    old, new = table(RECORDED / "iam-users.csv"), table(again)
    assert new[0].keys() - old[0].keys() == NEW_COLUMNS
    assert [{name: row[name] for name in old[0]} for row in new] == old
    told = {(name, row[name]) for row in new for name in NEW_COLUMNS if row[name]}
    assert told == {("last_activity_service", "console")}  # that is known of old, where the password was used last


def test_it_is_whole_and_not_taken_for_one_that_was_changed(run: Path) -> None:
    done = program("verify", run, "--json")
    assert (done.exit_code, done.document["whole"]) == (0, True)
    assert "rendered by an earlier version" in done.out


def test_nothing_that_did_not_happen_is_a_change(run: Path) -> None:
    """What was not known before is no news."""
    with running(organization(3, 4)) as endpoint:
        done = scan(endpoint, "--previous", run)
    assert done.exit_code == 3
    rows = table(max(Path("reports").iterdir()) / "iam-users.csv")
    assert {row["service_credentials"] for row in rows} == {"none"}
    assert {row["change"] for row in rows} <= {"", "UNCHANGED"}
