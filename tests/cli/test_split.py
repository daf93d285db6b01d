"""`report --split-by`: each owner of accounts, or each OU, gets a report on its own accounts, and nobody else's."""

import re
import stat
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from tests.aws_endpoint import Fault, SimulatedOrganization, deny, running
from tests.program import Done, Scanned, named, program, scan, small_world, table, workplace

__all__ = ["workplace"]

pytestmark = pytest.mark.usefixtures("workplace")

HOSTILE = ("../../etc", "Anna", "anna", '=1+1&P"', "x" * 300)  # and one account of nobody's
SAFELIST = """\
version: 1
global: [alice]
ous:
  Root/Workloads/Prod: [{user: bob}]
accounts:
  "{sandbox}": [{user: bob}]
"""


def owned(world: SimulatedOrganization, **owners: str) -> Path:
    """A file of owners, by the names of accounts with `_` for `-`."""
    rows = [f'{named(world, name.replace("_", "-")).id},"{owner}"' for name, owner in owners.items()]
    file = Path("owners.csv")
    file.write_text("\n".join(["account_id,account_owner", *rows, ""]).replace('1&P"', '1&P""'), encoding="utf-8")
    return file


@pytest.fixture
def world() -> SimulatedOrganization:
    return small_world()


def scanned(world: SimulatedOrganization, *arguments: object, failing: str = "core") -> Scanned:
    """A run in which one account could not be read."""
    sandbox = named(world, "sandbox").id
    Path("safelist.yaml").write_text(SAFELIST.replace("{sandbox}", sandbox), encoding="utf-8")
    with running(world, [Fault("sts:AssumeRole", deny, account=named(world, failing).id)]) as endpoint:
        return scan(endpoint, "--evidence", "basic", *arguments, safelist="safelist.yaml")


def split(done: Scanned, *arguments: object, by: str = "account_owner") -> Done:
    return program("report", done.folder.name, "--split-by", by, *arguments)


def target(done: Scanned) -> Path:
    return done.output / f"{done.folder.name}-report"


def parts(done: Scanned, by: str = "account_owner") -> dict[str, Path]:
    return {path.name: path for path in (target(done) / f"by-{by}").iterdir()}


def facts(book: Workbook) -> Mapping[str, str]:
    return {str(row[0]): str(row[1]) for row in book["Evidence"].iter_rows(values_only=True) if row[0]}


def rows(book: Workbook, title: str) -> list[dict[str, Any]]:
    head, *found = book[title].iter_rows(values_only=True)
    return [dict(zip(map(str, head), row, strict=True)) for row in found]


def test_each_owner_gets_the_own_accounts_and_together_they_are_the_run(world: SimulatedOrganization) -> None:
    done = scanned(world, "--account-owners", owned(world, prod="ops@example.com", core="ops@example.com", dev="dev"))
    ended = split(done, "--format", "csv", "--json")
    assert ended.exit_code == 0
    found = parts(done)
    assert found.keys() == {"ops@example.com", "dev", "without-account_owner"}
    ops = table(found["ops@example.com"] / "accounts.csv")
    assert {(row["account_name"], row["account_owner"]) for row in ops} == {
        ("prod", "ops@example.com"),
        ("core", "ops@example.com"),
    }
    for name in ("accounts.csv", "iam-users.csv"):
        together = [row for path in found.values() for row in table(path / name)]
        assert sorted(together, key=repr) == sorted(table(done.folder / name), key=repr)
    assert ended.document["run_id"] == done.folder.name
    assert Counter({each["value"]: each["users"] for each in ended.document["parts"]}) == {
        None: 8,
        "dev": 2,
        "ops@example.com": 2,
    }


def test_the_figures_of_a_part_reconcile_and_its_status_is_its_own(world: SimulatedOrganization) -> None:
    done = scanned(world, "--account-owners", owned(world, prod="ops", core="ops", dev="dev"))
    split(done, "--format", "json")
    summaries = {name: _summary(path) for name, path in parts(done).items()}
    for summary in summaries.values():
        assert summary["coverage"]["reconciles"]
        assert (summary["run_id"], summary["journal_sha256"]) == (done.folder.name, done.record.digest)
    assert sum(each["coverage"]["listed"] for each in summaries.values()) == 7
    assert summaries["ops"]["status"] == "INCOMPLETE"
    assert summaries["dev"]["status"] == "COMPLETE"
    assert summaries["dev"]["status_text"] == (
        "complete for this part: 1 of 1 account; this is a part: accounts of owner dev: 1 of 7 in the run"
    )
    assert summaries["dev"]["part"] == {
        "by": "account_owner",
        "value": "dev",
        "accounts": 1,
        "accounts_in_run": 7,
    }


def _summary(folder: Path) -> dict[str, Any]:
    return Scanned(0, (folder / "summary.json").read_text(encoding="utf-8"), "", folder).document


def test_every_sheet_says_that_it_is_a_part(world: SimulatedOrganization) -> None:
    done = scanned(world, "--account-owners", owned(world, prod="ops", core="ops"))
    split(done, "--format", "xlsx")
    book = load_workbook(parts(done)["ops"] / "iam-users.xlsx")
    words = "accounts of owner ops: 2 of 7 in the run"
    for sheet in book.worksheets:
        header = sheet.HeaderFooter.oddHeader
        assert header is not None
        assert header.left.text is not None
        assert header.left.text.endswith(words), sheet.title
        note, first = sheet.cell(1, 1).comment, str(sheet.cell(1, 1).value)
        text = " ".join(str(cell) for row in sheet.iter_rows(values_only=True) for cell in row)
        assert words in (note.text if note else text), (sheet.title, first)
    told = facts(book)
    assert told["This is a part of the run"] == words
    assert told["SHA-256 of the journal"] == done.record.digest
    assert told["Control total of accounts"].startswith("2 listed; 0 outside the scope")
    whole = load_workbook_of(program("report", done.folder.name, "--format", "xlsx"), done)
    assert whole["Users"].cell(1, 1).comment is None


def load_workbook_of(ended: Done, done: Scanned) -> Workbook:
    assert ended.exit_code == 0
    return load_workbook(target(done) / "iam-users.xlsx")


def test_the_safelist_of_a_part_has_what_concerns_it_as_it_is_in_the_run(world: SimulatedOrganization) -> None:
    named(world, "dev").remove_user("alice")
    done = scanned(world, "--account-owners", owned(world, dev="dev", sandbox="sand", prod="ops"))
    split(done, "--format", "xlsx")
    found = {
        name: [(row["scope"], row["status"]) for row in rows(load_workbook(path / "iam-users.xlsx"), "Safelist")]
        for name, path in parts(done).items()
    }
    sandbox = named(world, "sandbox").id
    assert found["dev"] == [("global", "in use")]  # approves nobody here, and is not unused
    assert found["ops"] == [("global", "in use"), ("ou Root/Workloads/Prod", "in use")]
    assert found["sand"] == [("global", "in use"), (f"account {sandbox}", "in use")]


def test_names_of_owners_are_harmless_and_no_two_parts_share_a_folder(world: SimulatedOrganization) -> None:
    names = ("prod", "core", "dev", "sandbox", "payments_1")
    done = scanned(world, "--account-owners", owned(world, **dict(zip(names, HOSTILE, strict=True))))
    ended = split(done)
    assert ended.exit_code == 0
    found = parts(done)
    assert len(found) == len(HOSTILE) + 1
    assert len({name.lower() for name in found}) == len(found)
    assert all(re.fullmatch(r"[A-Za-z0-9@_-][A-Za-z0-9@._-]{0,90}", name) for name in found)
    assert {path.parent for path in found.values()} == {target(done) / "by-account_owner"}
    inside = {
        row["account_owner"]
        for path in found.values()
        for row in rows(load_workbook(path / "iam-users.xlsx"), "Accounts")
    }
    assert inside == {*HOSTILE, None}


def test_accounts_are_split_by_their_own_ou(world: SimulatedOrganization) -> None:
    done = scanned(world)
    split(done, "--format", "csv", by="ou_path")
    found = {name: {row["account_name"] for row in table(path / "accounts.csv")} for name, path in _ous(done).items()}
    assert found["Root_Workloads_Prod_Payments"] == {"payments-1", "payments-2"}
    assert found["Root_Workloads_Prod"] == {"prod"}
    assert _summary(_ous(done)["Root_Workloads_Prod"])["status_text"].endswith(
        "accounts directly in Root/Workloads/Prod: 1 of 7 in the run"
    )


def _ous(done: Scanned) -> dict[str, Path]:
    return parts(done, "ou_path")


def test_a_part_without_an_account_in_scope_is_left_out(world: SimulatedOrganization) -> None:
    owners = owned(world, sandbox="sand", dev="dev")
    done = scanned(world, "--ou", "Root/Sandbox", "--account-owners", owners)
    split(done, "--format", "csv")
    assert parts(done).keys() == {"sand"}


def test_owners_given_now_stand_in_for_those_of_the_run_and_evidence_says_so(world: SimulatedOrganization) -> None:
    done = scanned(world, "--account-owners", owned(world, prod="old"))
    split(done, "--account-owners", owned(world, prod="new"))
    assert parts(done).keys() == {"new", "without-account_owner"}
    told = facts(load_workbook(parts(done)["new"] / "iam-users.xlsx"))
    assert told["Owners of accounts from"].startswith("owners.csv, given when this was rendered")
    assert table(parts(done)["new"] / "iam-users.csv")[0]["account_owner"] == "new"


def test_owners_in_the_settings_are_for_scans_and_change_no_recorded_run(world: SimulatedOrganization) -> None:
    done = scanned(world, "--account-owners", owned(world, prod="old"))
    owned(world, prod="new")
    Path("settings.yaml").write_text("account_owners: owners.csv\n", encoding="utf-8")
    assert program("report", done.folder.name, "--format", "csv", "--config", "settings.yaml").exit_code == 0
    assert (target(done) / "iam-users.csv").read_bytes() == (done.folder / "iam-users.csv").read_bytes()


def test_without_any_owner_there_is_nothing_to_split_by(world: SimulatedOrganization) -> None:
    done = scanned(world)
    ended = split(done)
    assert ended.exit_code == 2
    assert "--account-owners" in ended.err
    assert not target(done).exists()


def test_one_rendering_leaves_nothing_of_another(world: SimulatedOrganization) -> None:
    done = scanned(world, "--account-owners", owned(world, prod="ops"))
    program("report", done.folder.name, "--format", "json")
    split(done, "--format", "csv")
    assert {path.name for path in target(done).iterdir()} == {"by-account_owner"}
    (parts(done)["ops"] / "filled.xlsx").write_text("mine", encoding="utf-8")
    split(done, "--format", "csv", by="ou_path")
    left = [path for path in (target(done) / "by-account_owner").rglob("*") if path.is_file()]
    assert [path.name for path in left] == ["filled.xlsx"]
    program("report", done.folder.name, "--format", "csv")
    assert {path.name for path in target(done).rglob("*") if path.is_file()} == {
        "filled.xlsx",
        "iam-users.csv",
        "accounts.csv",
        "summary.json",
    }
    assert not (target(done) / "by-ou_path").exists()


def test_nobody_else_can_read_a_part(world: SimulatedOrganization) -> None:
    done = scanned(world, "--account-owners", owned(world, prod="ops"))
    split(done, "--format", "csv")
    for path in target(done).rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_an_account_that_left_is_told_to_its_last_owner(world: SimulatedOrganization) -> None:
    owners = owned(world, dev="dev", payments_2="dev")
    first = scanned(world, "--account-owners", owners)
    gone = world.accounts.pop(named(world, "payments-2").id)
    world._by_parent = None  # the simulated organization has no way to lose an account
    later = scanned(world, "--account-owners", owners, "--previous", first.folder, "--output", "later")
    run_id = next(path.name for path in Path("later").iterdir())
    assert later.exit_code == 4
    program("report", run_id, "--output", "later", "--split-by", "account_owner", "--format", "xlsx")
    book = load_workbook(Path("later") / f"{run_id}-report" / "by-account_owner" / "dev" / "iam-users.xlsx")
    assert {(row["account_id"], row["change"]) for row in rows(book, "Changes")} == {(gone.id, "NOT_RESCANNED")}
    assert [row["account_name"] for row in rows(book, "Accounts")] == ["dev"]
