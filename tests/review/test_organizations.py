"""`review import` of a report on several organizations: each run its own decisions, each safelist its own changes."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from openpyxl import load_workbook
from openpyxl.workbook import Workbook

from scanner.runs import folder as run_folder
from tests.companies import ACME, BETA, GAMA, MOVED, SAFELISTS, three
from tests.conftest import BROKEN_AWS
from tests.program import Done, program
from tests.review.desk import Cells, approve, decided, faults, remove, rows_of

NAMED = [word for name in SAFELISTS for word in ("--safelist", name)]
DECISIONS: Mapping[tuple[str, str], Cells] = {  # by organization, and "account/user"
    (ACME, "web/bob"): approve(comment="Nightly export"),
    (BETA, "shop/alice"): remove(),
    (GAMA, "app/dora"): decided("Quarantine"),
}


class Desk:
    """The current folder: three runs in `reports`, their safelists, and the report on all three."""

    def __init__(self) -> None:
        self.runs: dict[str, Path] = {}
        for folder in Path("reports").iterdir():
            if run_folder.is_run_id(folder.name):
                organization = run_folder.read(folder).header.organization
                assert organization is not None
                self.runs[organization.id] = folder
        (self.report,) = Path("reports").glob("*-organizations-*")

    def filled(
        self, decisions: Mapping[tuple[str, str], Cells], edit: Callable[[Workbook], object] = lambda _: None
    ) -> Path:
        book = load_workbook(self.report / "iam-users.xlsx")
        review = book["Review"]
        heads = {str(cell.value): number for number, cell in enumerate(review[1], 1)}

        def at(row: int, key: str) -> str:
            return str(review.cell(row, heads[key]).value)

        rows = {
            (at(row, "organization_id"), f"{at(row, 'account_name')}/{at(row, 'user_name')}"): row
            for row in range(2, review.max_row + 1)
        }
        for user, cells in decisions.items():
            today = run_folder.read(self.runs[user[0]]).header.started_at.date()
            for key, value in ({"reviewed_on": today} | dict(cells)).items():
                review.cell(rows[user], heads[key]).value = value
        edit(book)
        book.save("review.xlsx")
        return Path("review.xlsx")

    def removals(self, organization: str) -> list[str]:
        place = Path("reports") / f"{self.runs[organization].name}-review" / "removals.json"
        return [user["user_name"] for user in json.loads(place.read_bytes())["removals"]]


def imported(book: Path, *arguments: object) -> Done:
    return program("review", "import", *NAMED, book, *arguments)


def state() -> dict[str, bytes]:
    """Every file that an import may write."""
    files = [*Path("reports").rglob("*"), *(Path(name) for name in SAFELISTS)]
    return {str(file): file.read_bytes() for file in files if file.is_file()}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("companies")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        for name, value in BROKEN_AWS.items():
            patch.setenv(name, value)
        runs = three()
        assert program("report", *(folder.name for folder in runs.values()), "--format", "xlsx").exit_code == 0
    return place


@pytest.fixture
def desk(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return Desk()


def test_each_run_gets_its_own_and_the_second_time_nothing_changes(desk: Desk) -> None:
    """The file that names an organization takes its changes; all.yaml those of the one without a file of its own."""
    book = desk.filled(DECISIONS)
    before = state()
    preview = imported(book, "--json").document
    assert state() == before
    done = imported(book, "--write", "--json").document
    assert (preview.pop("written"), done.pop("written")) == (False, True)
    assert preview == done
    assert [(run["organization_id"], sum(run["decisions"].values())) for run in done["runs"]] == [
        (ACME, 1),
        (BETA, 1),
        (GAMA, 1),
    ]
    ledger = rows_of(Path("reports/decisions.csv"))
    assert [(row["run_id"], row["user_name"], row["decision"]) for row in ledger] == sorted(
        [
            (desk.runs[ACME].name, "bob", "Approve"),
            (desk.runs[BETA].name, "alice", "Remove"),
            (desk.runs[GAMA].name, "dora", "Quarantine"),
        ]
    )
    digests = {row["run_id"]: row["journal_sha256"] for row in ledger}
    assert digests == {folder.name: run_folder.read(folder).digest for folder in desk.runs.values()}
    assert [desk.removals(one) for one in (ACME, BETA, GAMA)] == [[], ["alice"], ["dora"]]
    texts = {name: Path(name).read_text(encoding="utf-8") for name in SAFELISTS}
    assert [("user: bob" in text, "user: alice, user_id" in text, "user: dora" in text) for text in texts.values()] == [
        (True, False, False),
        (False, True, False),
        (False, False, True),
    ]
    after = state()
    again = imported(book, "--write", "--json").document
    assert (again["ledger"]["new"], again["safelist"]["changes"]) == (0, [])
    assert state() == after


def test_a_person_reads_what_was_decided_in_each_and_plans_for_each(desk: Desk) -> None:
    shown = imported(desk.filled({key: DECISIONS[key] for key in [(BETA, "shop/alice")]}), "--write")
    assert "Review of 3 organizations\n" in shown.out
    assert f"Runs       {ACME} {desk.runs[ACME].name}: 0 decided, 6 of 6 undecided\n" in shown.out
    assert f"{BETA} {desk.runs[BETA].name}: 1 decided, 5 of 6 undecided\n" in shown.out
    plans = [line for line in shown.out.splitlines() if line.startswith("iam-scanner remediate plan")]
    removals = f"reports/{desk.runs[BETA].name}-review/removals.json"
    assert plans == [f"iam-scanner remediate plan {removals} --safelist beta.yaml --safelist all.yaml"]


def test_what_is_said_once_counts_for_all_organizations_and_a_file_for_all_takes_the_changes_of_all(
    desk: Desk,
) -> None:
    def say_once(book: Workbook) -> None:
        for row in book["Summary"].iter_rows():
            for cell in row:
                if cell.value == "ticket":
                    book["Summary"].cell(cell.row, cell.column + 1).value = "SEC-9"

    decisions = {(BETA, "shop/alice"): decided("Remove"), (GAMA, "app/dora"): decided("Remove")}
    done = imported(desk.filled(decisions, say_once), "--into", "all.yaml", "--write", "--json")
    assert {row["ticket"] for row in rows_of(Path("reports/decisions.csv"))} == {"SEC-9"}
    assert [change["file"] for change in done.document["safelist"]["changes"]] == ["all.yaml"]
    text = Path("all.yaml").read_text(encoding="utf-8")
    assert ("user: alice" in text, "user: dora" in text) == (True, True)


# --- an account that moved -------------------------------------------------------------------------------------------


def test_of_a_user_in_two_runs_one_thing_is_decided(desk: Desk) -> None:
    book = desk.filled({(ACME, "moved/bob"): remove(), (BETA, "moved/bob"): approve()})
    (fault,) = faults(imported(book))
    assert "The same user has a different decision in review.xlsx" in fault
    assert fault.endswith("Agree on one decision.")


def test_the_same_decision_in_both_is_recorded_for_both_and_carried_out_once(desk: Desk) -> None:
    book = desk.filled({(ACME, "moved/bob"): remove(), (BETA, "moved/bob"): remove()})
    first = imported(book, "--into", "all.yaml", "--write", "--json").document
    assert first["safelist"]["revocations"] == 1
    assert [run["undecided"] for run in first["runs"]] == [5, 5, 2]
    assert [row["run_id"] for row in rows_of(Path("reports/decisions.csv"))] == sorted(
        desk.runs[one].name for one in (ACME, BETA)
    )
    listed = {one: desk.removals(one) for one in (ACME, BETA)}
    later = max((ACME, BETA), key=lambda one: desk.runs[one].name)
    assert {one for one, users in listed.items() if users} == {later}  # where the account was last
    after = state()
    assert imported(book, "--into", "all.yaml", "--write", "--json").document["ledger"]["new"] == 0
    assert state() == after


def test_a_row_of_the_moved_account_serves_the_organization_that_it_names(desk: Desk) -> None:
    assert imported(desk.filled({(ACME, "moved/bob"): remove()}), "--write").exit_code == 0
    (row,) = rows_of(Path("reports/decisions.csv"))
    assert (row["run_id"], row["account_id"]) == (desk.runs[ACME].name, MOVED)


# --- what is refused, as a whole -------------------------------------------------------------------------------------


def test_a_changed_identity_is_refused(desk: Desk) -> None:
    def change(book: Workbook) -> None:
        heads = {str(cell.value): number for number, cell in enumerate(book["Review"][1])}
        rows = {
            name: [row for row in book["Review"].iter_rows() if row[0].value == name] for name in (ACME, BETA, GAMA)
        }
        rows[ACME][0][0].value = GAMA  # which has no such user
        rows[BETA][0][heads["user_name"]].value = "mallory"
        rows[GAMA][0][0].value = "o-other00000"
        rows[GAMA][1][0].value = None

    book, before = desk.filled({}, change), state()
    found = faults(imported(book, "--write"))
    assert ["The run has no user with the ID" in found[0], "user_name was changed" in found[1]] == [True, True]
    assert f"No run here is of organization o-other00000. Restore what the program wrote: one of {ACME}, " in found[2]
    assert "This row has no organization." in found[3]
    assert len(found) == 4
    assert state() == before


def test_without_the_column_of_organizations_nothing_is_imported(desk: Desk) -> None:
    (fault,) = faults(imported(desk.filled({}, lambda book: book["Review"].delete_cols(1))))
    assert "the column organization_id is missing from row 1." in fault


def test_without_one_of_its_runs_nothing_is_imported(desk: Desk) -> None:
    book = desk.filled(DECISIONS)
    missing = desk.runs[GAMA].rename("elsewhere")
    before = state()
    (fault,) = faults(imported(book, "--write"))
    assert desk.runs[GAMA].name in fault
    assert fault.endswith("All runs of the workbook must be in it, as each gets its own decisions.")
    assert state() == before
    missing.rename(desk.runs[GAMA])


def test_a_workbook_from_before_one_of_its_runs_changed_is_refused(desk: Desk) -> None:
    def other_digest(book: Workbook) -> None:
        cells = [row[1] for row in book["Evidence"].iter_rows() if row[0].value == "SHA-256 of the journal"]
        cells[1].value = "0" * 64

    (fault,) = faults(imported(desk.filled({}, other_digest)))
    assert f"The run's journal has another SHA-256 now, {run_folder.read(desk.runs[BETA]).digest}" in fault


def test_two_runs_of_one_organization_are_refused(desk: Desk) -> None:
    def twice(book: Workbook) -> None:
        cells = [row[1] for row in book["Evidence"].iter_rows() if row[0].value == "Run id"]
        cells[1].value = cells[0].value

    found = faults(imported(desk.filled({}, twice)))
    assert any("is given twice" in fault for fault in found)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (["acme.yaml", "beta.yaml"], f"None of them is for organization {GAMA}. Name its safelists, too."),
        (
            [*SAFELISTS, "other.yaml"],
            f"other.yaml:2: organization is o-other00000, and these runs are of {ACME}, {BETA}, {GAMA}.",
        ),
    ],
)
def test_safelists_that_do_not_fit_are_refused(desk: Desk, files: list[str], said: str) -> None:
    Path("other.yaml").write_text("version: 1\norganization: o-other00000\nglobal: []\n", encoding="utf-8")
    named = [word for name in files for word in ("--safelist", name)]
    done = program("review", "import", *named, desk.report / "iam-users.xlsx")
    assert done.exit_code == 2
    assert said in done.err
    assert "error: 1 fault. Nothing was imported." in done.err


def test_where_several_files_are_for_an_organization_alone_one_is_to_be_named(desk: Desk) -> None:
    Path("more.yaml").write_text(SAFELISTS["beta.yaml"], encoding="utf-8")
    book = desk.filled(DECISIONS)
    done = imported(book, "--safelist", "more.yaml")
    assert done.exit_code == 2
    assert f"There are several safelist files for organization {BETA}: beta.yaml, more.yaml." in done.err
    named = imported(book, "--safelist", "more.yaml", "--into", "more.yaml", "--json").document
    assert [change["file"] for change in named["safelist"]["changes"]] == ["acme.yaml", "all.yaml", "more.yaml"]
