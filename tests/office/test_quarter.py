"""One whole quarter on the sample organization, from scan to signed-off evidence, as people and scripts go through it.

Scan; decide in LibreOffice; import; scan again; compare. What was decided is carried out in the safelist, and nothing
else changed.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from openpyxl import load_workbook

from scanner.demo import Demo
from scanner.runs.ledger import LEDGER
from scanner.text import from_csv
from tests.office import Office, delete_row, fill, insert_column, only, sort
from tests.office.reading import sheet
from tests.program import Done, program, table

pytestmark = pytest.mark.office

User = tuple[str, str]  # account id, name

APPROVED: tuple[User, ...] = (("557190284613", "cc-iam-manager"), ("602914873315", "k.watanabe"))
KEPT: User = ("557190284613", "cc-aurora-developer")
REMOVED: tuple[User, ...] = (("905517342286", "=1+1"), ("745561209938", "j.novak"))
QUARANTINED: User = ("905517342286", "webmaster")
DEFERRED: User = ("860012457739", "hackathon-winner")
DELETED: User = ("872219904456", "notebook-shared")  # its row: a reviewer has nothing to say of it

CHOICES: Mapping[User, str] = {
    **dict.fromkeys(APPROVED, "Approve"),
    KEPT: "Keep",
    **dict.fromkeys(REMOVED, "Remove"),
    QUARANTINED: "quarantine",  # however it is typed
    DEFERRED: "Defer",
}
REVIEWER, TICKET = "ciso@example.com", "SEC-200"


@dataclass(frozen=True)
class Quarter:
    place: Path  # --output
    safelist: Path
    safelist_before: Path
    first: Path
    second: Path
    imported: Done
    checked: Done

    def users(self, run: Path) -> dict[User, dict[str, str]]:
        return by_user(table(run / "iam-users.csv"))


def by_user(rows: Sequence[dict[str, str]]) -> dict[User, dict[str, str]]:
    """The rows of a CSV, which guards what looks like a formula."""
    return {(row["account_id"], from_csv(row["user_name"])): row for row in rows}


@pytest.fixture(scope="module")
def quarter(sample_organization: Demo, office: Office, tmp_path_factory: pytest.TempPathFactory) -> Quarter:
    place = tmp_path_factory.mktemp("quarter")
    files = sample_organization.write_files(place / "demo")
    before = Path(shutil.copy(files.safelist, place / "safelist-before.yaml"))
    asked = ("--safelist", files.safelist, "--account-owners", files.account_owners, "--output", place)
    with sample_organization.applied():
        first = place / str(program("scan", *asked, "--json").document["run_id"])
        workbook = decided(office, first / "iam-users.xlsx", place / "review.xlsx", sample_organization.today)
        imported = program(
            "review", "import", workbook, "--safelist", files.safelist, "--output", place, "--write", "--json"
        )
        checked = program("safelist", "check", files.safelist)
        second = place / str(program("scan", *asked, "--json").document["run_id"])
    return Quarter(place, files.safelist, before, first, second, imported, checked)


def decided(office: Office, workbook: Path, target: Path, today: date) -> Path:
    """What the reviewer does: sort, filter, note beside, take a row out, decide, save."""
    until = {"approve_until": str(today + timedelta(days=180)), "owner": "owner@example.com", "kind": "service"}
    decisions = [
        fill(
            {
                "decision": choice,
                "reviewer": REVIEWER,
                "reviewed_on": str(today),
                "ticket": TICKET,
                "comment": f"{choice} {name}, as agreed",
                **(until if choice == "Approve" else {}),
            },
            account_id=account,
            user_name=name,
        )
        for (account, name), choice in CHOICES.items()
    ]
    return office.work(
        workbook,
        target,
        sort("user_name"),
        insert_column("decision", "my notes", "looked at"),
        *decisions,
        delete_row(account_id=DELETED[0], user_name=DELETED[1]),
        only("risk", "administrator"),
    )


def without_place(row: Mapping[str, str]) -> dict[str, str]:
    """What is said of a user, but for the line of the entry, which moves as entries are added, and the comparison."""
    return {key: value for key, value in row.items() if key not in {"safelist_entry", "explanation", "change"}}


def test_the_import_takes_the_decisions(quarter: Quarter) -> None:
    assert quarter.imported.exit_code == 0, quarter.imported.out + quarter.imported.err
    recorded = {user: row["decision"] for user, row in by_user(table(quarter.place / LEDGER)).items()}
    assert recorded == {user: choice.capitalize() for user, choice in CHOICES.items()}


def test_summary_counted_the_decisions_as_they_were_made(quarter: Quarter) -> None:
    """Its formulas find the column of decisions where it has moved."""
    book = load_workbook(quarter.place / "review.xlsx", data_only=True)
    counted = {
        label.value.strip(): number.value
        for row in book["Summary"].iter_rows()
        for label, number in pairwise(row)
        if isinstance(label.value, str) and isinstance(number.value, int)
    }
    decided = {"Decided": 7, "Approve": 2, "Keep": 1, "Remove": 2, "Quarantine": 1, "Defer": 1}
    assert counted.items() >= decided.items()


def test_the_safelist_is_still_valid_and_only_grew(quarter: Quarter) -> None:
    assert quarter.checked.exit_code == 0, quarter.checked.out + quarter.checked.err
    before, after = (path.read_text(encoding="utf-8") for path in (quarter.safelist_before, quarter.safelist))
    left = iter(after.splitlines())
    assert all(line in left for line in before.splitlines()), "a line was changed, moved or lost"
    assert "SEC-200" in after


@pytest.mark.parametrize("user", APPROVED)
def test_the_approved_are_approved_by_an_entry_that_names_reviewer_and_ticket(quarter: Quarter, user: User) -> None:
    assert quarter.users(quarter.first)[user]["determination"] == "UNAPPROVED"
    row = quarter.users(quarter.second)[user]
    assert (row["determination"], row["basis"], row["safelist_scope"]) == (
        "APPROVED",
        "SAFELISTED",
        f"account {user[0]}",
    )
    assert (row["approved_by"], row["ticket"], row["owner"]) == (REVIEWER, TICKET, "owner@example.com")
    assert row["reason"] == f"Approve {user[1]}, as agreed"
    assert row["safelist_entry"].startswith(str(quarter.safelist))


def test_the_kept_one_is_as_it_was_with_the_decision_recorded(quarter: Quarter) -> None:
    before, after = (quarter.users(run)[KEPT] for run in (quarter.first, quarter.second))
    assert without_place(after) == without_place(before)
    assert after["determination"] == "APPROVED"
    assert last_decision(quarter, KEPT) == ("Keep", REVIEWER)


@pytest.mark.parametrize("user", REMOVED)
def test_the_removed_are_unapproved_as_revoked(quarter: Quarter, user: User) -> None:
    row = quarter.users(quarter.second)[user]
    assert (row["determination"], row["basis"]) == ("UNAPPROVED", "REVOKED")
    assert last_decision(quarter, user) == ("Remove", REVIEWER)


def test_the_quarantined_one_is_revoked_too(quarter: Quarter) -> None:
    assert quarter.users(quarter.second)[QUARANTINED]["basis"] == "REVOKED"
    assert last_decision(quarter, QUARANTINED) == ("Quarantine", REVIEWER)


def test_the_deferred_one_is_as_it_was_with_the_decision_shown(quarter: Quarter) -> None:
    before, after = (quarter.users(run)[DEFERRED] for run in (quarter.first, quarter.second))
    assert without_place(after) == without_place(before)
    assert last_decision(quarter, DEFERRED) == ("Defer", REVIEWER)


def test_all_others_are_as_they_were(quarter: Quarter) -> None:
    before, after = quarter.users(quarter.first), quarter.users(quarter.second)
    assert before.keys() == after.keys()
    others = before.keys() - CHOICES.keys()
    assert len(others) > 50
    for user in others:
        assert without_place(after[user]) == without_place(before[user]), user


def test_diff_says_that_and_nothing_else(quarter: Quarter) -> None:
    done = program("diff", quarter.first, quarter.second, "--output", quarter.place, "--json")
    assert done.exit_code == 0, done.err
    told = {(row["account_id"], row["user_name"]): "; ".join(row["change"]) for row in done.document["changes"]}
    assert told == dict.fromkeys(APPROVED, "NEWLY_APPROVED")
    column = {
        user: row["change"] for user, row in quarter.users(quarter.second).items() if row["change"] != "UNCHANGED"
    }
    assert column == dict.fromkeys(APPROVED, "NEWLY_APPROVED")


def test_both_runs_verify(quarter: Quarter) -> None:
    for run in (quarter.first, quarter.second):
        done = program("verify", run)
        assert done.exit_code == 0, done.out


def test_importing_again_changes_nothing(quarter: Quarter) -> None:
    kept = {path: path.read_bytes() for path in sorted(quarter.place.rglob("*")) if path.is_file()}
    arguments = ("--safelist", quarter.safelist, "--output", quarter.place, "--write", "--json")
    assert program("review", "import", quarter.place / "review.xlsx", *arguments).exit_code == 0
    assert {path: path.read_bytes() for path in sorted(quarter.place.rglob("*")) if path.is_file()} == kept


def last_decision(quarter: Quarter, user: User) -> tuple[object, object]:
    """What the Review sheet of the later run shows of the earlier review."""
    (row,) = (
        each
        for each in sheet(quarter.second / "iam-users.xlsx", "Review")
        if (each["account_id"].value, each["user_name"].value) == user
    )
    return row["last_decision"].value, row["last_reviewer"].value
