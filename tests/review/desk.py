"""A reviewer's desk: a run with its workbook, a safelist, and a way to fill cells by user and column.

desk = a fixture, see tests/review/conftest.py
book = desk.filled({"prod/alice": approve(), "dev/bob": remove()})
done = desk.imported(book, "--write")
"""

import csv
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from openpyxl.workbook import Workbook

from scanner.model import Scanned
from scanner.record import Record
from scanner.runs import folder as run_folder
from scanner.runs.ledger import LEDGER
from scanner.safelist.entries import parse
from scanner.safelist.match import Index
from scanner.safelist.read import read as read_safelists
from tests.program import Done, program

CISO = "ciso@example.com"
LATER = datetime.now(UTC).date() + timedelta(days=100)
Cells = Mapping[str, Any]


@cache
def _loaded(workbook: bytes) -> bytes:
    """The workbook as openpyxl loads it, pickled: to get a copy of that takes a third of the time of loading it."""
    return pickle.dumps(load_workbook(BytesIO(workbook)))


@dataclass(frozen=True)
class Desk:
    """The current folder: `reports` with one run, and `safelists/prod.yaml`."""

    folder: Path  # of the run

    @property
    def record(self) -> Record:
        return run_folder.read(self.folder)

    @property
    def today(self) -> date:
        """The day of the run, which is a day that a review may have."""
        return self.record.header.started_at.date()

    @property
    def user_ids(self) -> dict[str, str]:
        """By "account/user"."""
        names = {account.id: account.name for account in self.record.listing.accounts}
        scans = (scan for scan in self.record.scans.values() if isinstance(scan, Scanned))
        return {f"{names[scan.account_id]}/{user.user_name}": user.user_id for scan in scans for user in scan.users}

    @property
    def safelist(self) -> Path:
        return Path("safelists/prod.yaml")

    @property
    def ledger(self) -> Path:
        return Path("reports") / LEDGER

    @property
    def removals(self) -> Path:
        return Path("reports") / f"{self.folder.name}-review" / "removals.json"

    def filled(
        self,
        decisions: Mapping[str, Cells],
        name: str = "review.xlsx",
        edit: Callable[[Workbook], object] = lambda _: None,
    ) -> Path:
        """A copy of the run's workbook with these cells, by "account/user", and whatever else `edit` does to it."""
        book: Workbook = pickle.loads(_loaded((self.folder / "iam-users.xlsx").read_bytes()))
        sheet = book["Review"]
        heads = {str(cell.value): number for number, cell in enumerate(sheet[1], 1)}
        rows = {str(sheet.cell(at, heads["user_id"]).value): at for at in range(2, sheet.max_row + 1)}
        ids = self.user_ids
        for user, cells in decisions.items():
            for key, value in ({"reviewed_on": self.today} | dict(cells)).items():
                sheet.cell(rows[ids[user]], heads[key]).value = value
        edit(book)
        book.save(name)
        return Path(name)

    def imported(self, *arguments: object) -> Done:
        return program("review", "import", "--safelist", "safelists", *arguments)

    def state(self) -> dict[str, bytes]:
        """Every file that an import may write."""
        places = (Path("safelists"), Path("reports"))
        return {str(file): file.read_bytes() for place in places for file in place.rglob("*") if file.is_file()}


def decided(choice: str, **more: Any) -> dict[str, Any]:
    """A decision; it is of the run's day where no other is given."""
    return {"decision": choice, "reviewer": CISO, **more}


def approve(**more: Any) -> dict[str, Any]:
    usual = {"owner": "db@example.com", "kind": "service", "approve_until": LATER, "comment": "Nightly export"}
    return decided("Approve", **{**usual, **more})


def remove(**more: Any) -> dict[str, Any]:
    return decided("Remove", **{"ticket": "SEC-140", **more})


def verdicts(desk: Desk) -> dict[str, str]:
    """What the safelists say now of each user of the run."""
    index = Index(parse(read_safelists([Path("safelists")])), desk.today)
    accounts = {account.id: account for account in desk.record.listing.accounts}
    return {
        f"{accounts[scan.account_id].name}/{user.user_name}": index.decide(accounts[scan.account_id], user).basis
        for scan in desk.record.scans.values()
        if scan.outcome == "SCANNED"
        for user in scan.users
    }


def faults(done: Done) -> list[str]:
    """The faults of a refused import, which says at its end how many they are, and that nothing was imported."""
    assert done.exit_code == 2
    *found, outcome = [line.removeprefix("error: ") for line in done.err.splitlines()]
    assert outcome == f"{len(found)} fault{'' if len(found) == 1 else 's'}. Nothing was imported."
    return found


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def head_of(book: Workbook, key: str) -> Any:
    return next(cell for cell in book["Review"][1] if cell.value == key)


def fact_of(book: Workbook, label: str) -> Any:
    return next(row[1] for row in book["Evidence"].iter_rows() if row[0].value == label)


EVERYTHING = {
    "prod/alice": approve(ticket="SEC-7"),
    "dev/bob": remove(),
    "core/=1+1": decided("Quarantine"),
    "dev/carol": decided("keep"),
    "sandbox/bob": decided(" DEFER ", comment="owner is away\nuntil May"),
}
