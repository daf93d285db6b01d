"""`review import` of what a spreadsheet program makes of a workbook: taken where harmless, else refused by cell."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from openpyxl.utils import get_column_letter

from scanner.demo import Demo
from scanner.runs.ledger import LEDGER
from tests.office import (
    Office,
    Step,
    delete_column,
    delete_sheet,
    double_row,
    fill,
    fill_down,
    insert_column,
    merge,
    name_once,
    number,
    only,
    paste,
    rename,
    retitle,
    sort,
)
from tests.office.reading import sheet
from tests.program import Done, program, table

pytestmark = pytest.mark.office

REVIEWER = "ciso@example.com"


@dataclass(frozen=True)
class Desk:
    """A run, its workbook, and a spreadsheet program to fill it in."""

    office: Office
    place: Path
    workbook: Path
    safelist: Path
    today: str

    def returned(self, target: Path, *steps: Step) -> Path:
        return self.office.work(self.workbook, target, *steps)

    def previewed(self, *workbooks: Path) -> Done:
        where = ("--safelist", self.safelist, "--output", self.place)
        return program("review", "import", *workbooks, *where, "--json")

    def imported(self, output: Path, *workbooks: Path) -> Done:
        """Imported with another --output, from `elsewhere`."""
        where = ("--safelist", output / self.safelist.name, "--output", output)
        return program("review", "import", *workbooks, *where, "--write", "--json")

    def elsewhere(self, folder: Path) -> Path:
        """Another --output, with the run and the safelist: what an import writes there is no other test's."""
        folder.mkdir()
        (folder / self.workbook.parent.name).symlink_to(self.workbook.parent)
        shutil.copy(self.safelist, folder)
        return folder

    def decision(self, choice: str, **more: str) -> dict[str, str]:
        """A whole decision, but for what is named otherwise."""
        return {"decision": choice, "reviewer": REVIEWER, "reviewed_on": self.today, "comment": "as agreed", **more}


@pytest.fixture(scope="module")
def desk(sample_organization: Demo, office: Office, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    place = tmp_path_factory.mktemp("desk")
    files = sample_organization.write_files(place / "demo")
    with sample_organization.applied():
        done = program("scan", "--safelist", files.safelist, "--output", place, "--json")
    workbook = place / str(done.document["run_id"]) / "iam-users.xlsx"
    return Desk(office, place, workbook, files.safelist, str(sample_organization.today))


def faults(done: Done) -> dict[str, str]:
    """What is said, by cell; each fault names sheet and remedy."""
    assert done.exit_code == 2, done.out
    found: list[dict[str, Any]] = done.document["error"]["faults"]
    assert all(fault["sheet"] == "Review" and fault["remedy"] for fault in found)
    return {fault["cell"]: fault["problem"] for fault in found}


def cell_of(workbook: Path, column: str, user: str, which: int = 0) -> str:
    rows = sheet(workbook, "Review")
    at = list(rows[0]).index(column) + 1
    row = [number for number, row in enumerate(rows, 2) if row["user_name"].value == user][which]
    return f"{get_column_letter(at)}{row}"


def test_every_fault_is_named_by_its_cell_wherever_it_was_sorted_to(desk: Desk, tmp_path: Path) -> None:
    book = desk.returned(
        tmp_path / "returned.xlsx",
        fill(desk.decision('="App"&"rove"'), user_name="alice.sandbox"),
        fill(desk.decision("=NA()"), user_name="b.okafor"),
        fill(desk.decision("Remvoe"), user_name="c.moreau"),
        fill(desk.decision("Remove"), user_name="d.ivanova"),
        paste({"reviewed_on": "24.11.2026"}, user_name="d.ivanova"),
        number("account_id", 618840027593.0, user_name="etl-adhoc"),
        paste({"user_name": "webmistress"}, user_name="webmaster"),
        double_row(user_name="paul.shop"),
        fill(desk.decision("Defer", comment=""), user_name="magento-cron"),
        fill(desk.decision("Remove", reviewer=""), user_name="j.novak"),
        insert_column("account_name", "mine", "x"),
        sort("user_name"),
    )
    found = faults(desk.previewed(book))
    expected = {
        cell_of(book, "decision", "alice.sandbox"): "formula",
        cell_of(book, "decision", "b.okafor"): "formula",
        cell_of(book, "decision", "c.moreau"): "'Remvoe' is unknown",
        cell_of(book, "reviewed_on", "d.ivanova"): "'24.11.2026' is not a valid date",
        cell_of(book, "user_name", "webmistress"): "wrote 'webmaster'",
        cell_of(book, "user_id", "paul.shop", 1): "has a row already",
        cell_of(book, "comment", "magento-cron"): "needs a comment",
        cell_of(book, "reviewer", "j.novak"): "is empty",
    }
    assert {cell: cell in found and words in found[cell] for cell, words in expected.items()} == dict.fromkeys(
        expected, True
    ), found
    # An id of twelve digits is the same whatever kind of cell it stands in: the import may take it or name it.
    assert found.keys() - expected.keys() <= {cell_of(book, "account_id", "etl-adhoc")}


def test_nothing_is_written_where_something_is_refused(desk: Desk, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in desk.place.rglob("*") if path.is_file()}
    book = desk.returned(
        tmp_path / "returned.xlsx",
        fill(desk.decision("Remove"), user_name="j.novak"),
        fill(desk.decision("Keep"), user_name="webmaster"),
    )
    assert cell_of(book, "decision", "webmaster") in faults(desk.previewed(book))
    assert {path: path.read_bytes() for path in desk.place.rglob("*") if path.is_file()} == before


def test_an_id_that_lost_its_zeros_is_refused(desk: Desk, tmp_path: Path) -> None:
    """As a number, 000123456789 is another one."""
    book = desk.returned(tmp_path / "returned.xlsx", number("account_id", 123456789.0, user_name="guardduty-export"))
    (cell,) = faults(desk.previewed(book))
    assert cell == cell_of(book, "account_id", "guardduty-export")


def test_what_is_harmless_is_taken(desk: Desk, tmp_path: Path) -> None:
    """ISO dates as text, numbers for text, blanks around, another case, several lines, hidden and moved columns."""
    book = desk.returned(
        tmp_path / "returned.xlsx",
        fill(desk.decision(" remove "), user_name="j.novak"),
        paste({"reviewed_on": f" {desk.today} ", "comment": "=HYPERLINK(1)\nnot needed"}, user_name="j.novak"),
        number("ticket", 4711.0, user_name="j.novak"),
        fill(desk.decision("QUARANTINE", kind="Human"), user_name="=1+1"),
        retitle("suggestion", "was empfohlen wird"),
        delete_column("facts"),
    )
    output = desk.elsewhere(tmp_path / "reports")
    done = desk.imported(output, book)
    assert done.exit_code == 0, done.out
    told = {row["user_name"]: row for row in table(output / LEDGER)}
    novak = told["j.novak"]
    assert (novak["decision"], novak["reviewed_on"], novak["ticket"]) == ("Remove", desk.today, "4711")
    assert novak["comment"].splitlines() == ["'=HYPERLINK(1)", "not needed"]
    assert told["'=1+1"]["decision"] == "Quarantine"


def test_an_account_is_filtered_and_decided_by_filling_down(desk: Desk, tmp_path: Path) -> None:
    """As the Guide says: only the rows shown are filled, and reviewer and day are said once, on Summary."""
    account = "core-data-prod"
    book = desk.returned(
        tmp_path / "returned.xlsx",
        only("account_name", account),
        fill_down({"decision": "Remove"}),
        name_once({"for_all_reviewer": REVIEWER, "for_all_reviewed_on": desk.today, "for_all_ticket": "SEC-9"}),
    )
    output = desk.elsewhere(tmp_path / "reports")
    done = desk.imported(output, book)
    assert done.exit_code == 0, done.out
    told = table(output / LEDGER)
    due = [row for row in sheet(desk.workbook, "Review") if row["account_name"].value == account]
    assert {row["user_name"] for row in told} == {str(row["user_name"].value) for row in due}
    said = {(row["account_name"], row["reviewer"], row["reviewed_on"], row["ticket"]) for row in told}
    assert said == {(account, REVIEWER, desk.today, "SEC-9")}


def test_each_owner_decides_in_a_workbook_of_their_own(desk: Desk, tmp_path: Path) -> None:
    """The parts of a run, filled in by several people, are imported together."""
    output = desk.elsewhere(tmp_path / "reports")
    owners = desk.safelist.with_name("account-owners.csv")
    told = ("--output", output, "--split-by", "account_owner", "--account-owners", owners, "--format", "xlsx")
    assert program("report", desk.workbook.parent.name, *told).exit_code == 0
    parts = {
        each["user_name"].value: book for book in output.rglob("*-report/**/*.xlsx") for each in sheet(book, "Review")
    }
    users = ("j.novak", "webmaster")
    assert parts[users[0]] != parts[users[1]]
    filled = [
        desk.office.work(parts[user], tmp_path / f"{user}.xlsx", fill(desk.decision("Remove"), user_name=user))
        for user in users
    ]
    done = desk.imported(output, *filled)
    assert done.exit_code == 0, done.out
    assert {row["user_name"]: row["workbook"] for row in table(output / LEDGER)} == {
        user: f"{user}.xlsx" for user in users
    }


@pytest.mark.parametrize(
    ("step", "told"),
    [
        (rename("Review", "Prüfung"), "no sheet Review"),
        (delete_sheet("Evidence"), "no sheet Evidence"),
        (delete_column("approve_until"), "approve_until"),
        (retitle("comment", "decision"), "decision is there twice"),
        (merge("decision", 3), "merged"),
    ],
    ids=lambda value: value["do"] if isinstance(value, dict) else "",
)
def test_a_workbook_that_lost_its_shape_is_refused(desk: Desk, tmp_path: Path, step: Step, told: str) -> None:
    done = desk.previewed(desk.returned(tmp_path / "returned.xlsx", step))
    assert done.exit_code == 2
    assert told in done.document["error"]["message"]
    assert str(tmp_path / "returned.xlsx") in done.document["error"]["message"]


@pytest.mark.parametrize("ending", ["xls", "ods", "xlsm"])
def test_another_format_is_refused_by_its_name(desk: Desk, tmp_path: Path, ending: str) -> None:
    """What LibreOffice really writes, not only what a test makes up."""
    done = desk.previewed(desk.returned(tmp_path / f"returned.{ending}"))
    assert done.exit_code == 2
    assert {"xls": "(.xls)", "ods": "(.ods)", "xlsm": "macros"}[ending] in done.document["error"]["message"]


def test_a_password_is_refused(desk: Desk, tmp_path: Path) -> None:
    book = desk.office.work(desk.workbook, tmp_path / "returned.xlsx", password="secret")
    done = desk.previewed(book)
    assert done.exit_code == 2
    assert "password" in done.document["error"]["message"]
