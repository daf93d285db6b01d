"""A reviewer's desk: a run with its workbook, a safelist, and a way to fill cells by user and column.

desk = a fixture, see tests/review/conftest.py
book = desk.filled({"prod/alice": approve(), "dev/bob": remove()})
done = desk.imported(book, "--write")
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from openpyxl.workbook import Workbook

from scanner.model import Scanned
from scanner.record import Record
from scanner.runs import folder as run_folder
from scanner.runs.ledger import LEDGER
from tests.program import Done, program

CISO = "ciso@example.com"
LATER = datetime.now(UTC).date() + timedelta(days=100)
Cells = Mapping[str, Any]


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
        book = load_workbook(self.folder / "iam-users.xlsx")
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
