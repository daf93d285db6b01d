"""`report` on runs of several organizations."""

import json
from pathlib import Path

import pytest

from tests.companies import ACME, BETA, GAMA, MOVED, three
from tests.conftest import BROKEN_AWS
from tests.program import Done, program, table


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("companies")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        for name, value in BROKEN_AWS.items():
            patch.setenv(name, value)
        runs = three()
        names = {name: folder.name for name, folder in runs.items()}
        Path("runs.json").write_text(json.dumps(names), encoding="utf-8")
    return place


@pytest.fixture
def runs(place: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The run id of each organization; the current folder holds `reports`."""
    monkeypatch.chdir(place)
    found = json.loads(Path("runs.json").read_bytes())
    assert isinstance(found, dict)
    return found


def report(*arguments: object) -> tuple[Done, Path]:
    done = program("report", *arguments, "--quiet")
    assert done.exit_code == 0, done.err
    return done, Path(done.out.strip())


def test_runs_in_any_order_give_the_same_files_beside_the_runs(runs: dict[str, str]) -> None:
    _, folder = report(runs[ACME], runs[BETA], runs[GAMA], "--format", "csv", "--format", "xlsx")
    first = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert first.keys() == {"iam-users.csv", "accounts.csv", "summary.json", "iam-users.xlsx"}
    assert folder.parent == Path("reports")
    assert folder.name.startswith(f"{max(runs[ACME], runs[BETA], runs[GAMA])}-organizations-")
    _, again = report(runs[GAMA], runs[BETA], runs[ACME], "--format", "csv", "--format", "xlsx")
    assert again == folder
    assert {file.name: file.read_bytes() for file in again.iterdir()} == first
    _, other = report(runs[ACME], runs[GAMA], "--format", "csv")
    assert other != folder


def test_the_rows_are_those_of_the_runs(runs: dict[str, str]) -> None:
    _, folder = report(runs[GAMA], runs[ACME], "--format", "csv")
    for name in ("iam-users.csv", "accounts.csv"):
        found = table(folder / name)
        own = [
            {"organization_id": one} | row for one in (ACME, GAMA) for row in table(Path("reports") / runs[one] / name)
        ]
        assert found == own
        assert next(iter(found[0])) == "organization_id"


def test_a_person_sees_each_organization_and_what_they_come_to(runs: dict[str, str]) -> None:
    done = program("report", runs[BETA], runs[ACME])
    assert done.exit_code == 0
    lines = done.out.splitlines()
    assert lines[0] == (
        f"INCOMPLETE: 1 of 2 organizations. {BETA}: incomplete: 1 of 4 accounts in scope could not be read"
    )
    assert [line.split() for line in lines[3:6]] == [
        [ACME, "COMPLETE", "3", "of", "3", "6", "3", runs[ACME]],
        [BETA, "INCOMPLETE", "3", "of", "4", "6", "6", runs[BETA]],
        ["In", "all", "INCOMPLETE", "6", "of", "7", "12", "9"],
    ]
    assert f"nothing is known of what was not read in {BETA}." in done.out
    assert lines[-1].startswith("iam-scanner review import review.xlsx --safelist acme.yaml --safelist all.yaml")
    assert lines[-1].count("all.yaml") == 1


def test_a_run_given_twice_is_refused(runs: dict[str, str]) -> None:
    before = sorted(Path("reports").iterdir())
    done = program("report", runs[ACME], runs[BETA], runs[ACME])
    assert (done.exit_code, done.err) == (2, f"error: Run {runs[ACME]} is given twice. Name each run once.\n")
    assert sorted(Path("reports").iterdir()) == before


def owners(runs: dict[str, str]) -> Path:
    """Ops owns accounts in both organizations, the one that moved among them; nobody owns the rest."""
    ids = {row["account_name"]: row["account_id"] for one in (ACME, BETA) for row in _accounts(runs[one])}
    file = Path("owners.csv")
    file.write_text(f"account_id,account_owner\n{ids['web']},ops\n{ids['shop']},ops\n{MOVED},ops\n", encoding="utf-8")
    return file


def _accounts(run: str) -> list[dict[str, str]]:
    return table(Path("reports") / run / "accounts.csv")


def test_an_owner_gets_one_report_on_the_accounts_in_all_organizations(runs: dict[str, str]) -> None:
    arguments = ("--split-by", "account_owner", "--account-owners", owners(runs), "--format", "csv")
    done = program("report", runs[ACME], runs[BETA], *arguments, "--json")
    parts = {part["value"]: part for part in done.document["parts"]}
    assert {value: (part["accounts"], part["status"]) for value, part in parts.items()} == {
        None: (3, "INCOMPLETE"),
        "ops": (4, "COMPLETE"),
    }
    found = table(Path(parts["ops"]["folder"]) / "accounts.csv")
    assert [(row["organization_id"], row["account_name"]) for row in found] == [
        *sorted([(ACME, "web"), (ACME, "moved")], key=lambda at: _id(found, *at)),
        *sorted([(BETA, "shop"), (BETA, "moved")], key=lambda at: _id(found, *at)),
    ]


def _id(rows: list[dict[str, str]], organization: str, account: str) -> str:
    return next(
        row["account_id"] for row in rows if (row["organization_id"], row["account_name"]) == (organization, account)
    )


def test_units_of_two_organizations_stay_two_parts_though_their_paths_are_the_same(runs: dict[str, str]) -> None:
    done = program("report", runs[ACME], runs[GAMA], "--split-by", "ou_path", "--format", "csv", "--json")
    parts = [(part["organization_id"], part["value"], part["accounts"]) for part in done.document["parts"]]
    assert parts == [(ACME, "Root", 1), (ACME, "Root/Prod", 2), (GAMA, "Root", 1), (GAMA, "Root/Prod", 1)]
    folders = [Path(part["folder"]) for part in done.document["parts"]]
    assert [folder.name for folder in folders] == [
        f"{ACME}-Root",
        f"{ACME}-Root_Prod",
        f"{GAMA}-Root",
        f"{GAMA}-Root_Prod",
    ]
    assert all(next(iter(table(folder / "iam-users.csv")[0])) == "organization_id" for folder in folders)
