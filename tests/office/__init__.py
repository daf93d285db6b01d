"""A real spreadsheet program, for the tests of what comes back from a reviewer: LibreOffice, driven without a screen.

    def test_it(office: Office, tmp_path: Path) -> None:
        returned = office.work(workbook, tmp_path / "returned.xlsx", fill({"decision": "Approve"}, user_name="alice"))

Mark such tests: `pytestmark = pytest.mark.office`. Where LibreOffice is missing they are skipped; under `CI=true`, or
with `TESTS_NEED_OFFICE=1`, they fail.
"""

import json
import os
import secrets
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

DESK = Path(__file__).with_name("desk.py")
SYSTEM_PYTHON = "/usr/bin/python3"  # python3-uno belongs to it
NEEDED = os.environ.get("CI") == "true" or os.environ.get("TESTS_NEED_OFFICE") == "1"
SECONDS = 90.0  # that a piece of work may take, with the program's start

Step = dict[str, Any]


class Office:
    """A LibreOffice of one's own: own settings, reached by a named pipe, as two may run at once."""

    def __init__(self, folder: Path) -> None:
        self._pipe = f"iam-scanner-{secrets.token_hex(8)}"
        self._process = subprocess.Popen(
            [
                "soffice",
                "--headless",
                "--norestore",
                "--nodefault",
                "--nologo",
                f"--accept=pipe,name={self._pipe};urp;",
                f"-env:UserInstallation={(folder / 'office').as_uri()}",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # a script that starts the program proper: a group of processes to end
        )

    def work(self, source: Path, target: Path, *steps: Step, password: str = "") -> Path:
        """Open a workbook, do these steps, and save it as another, in the format of its ending; return that."""
        paths = {"source": str(source.resolve()), "target": str(target.resolve())}
        self._ask({**paths, "password": password, "steps": steps})
        return target

    def close(self) -> None:
        try:
            self._ask({"source": ""})
            self._process.wait(10)
        except (AssertionError, subprocess.TimeoutExpired):
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _ask(self, work: dict[str, Any]) -> None:
        done = self._asked(work)
        if done.returncode < 0 and not done.stderr and work["source"]:  # uno's bridge now and then crashes by itself
            done = self._asked(work)
        assert done.returncode == 0 or not work["source"], done.stderr

    def _asked(self, work: dict[str, Any]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [SYSTEM_PYTHON, DESK, self._pipe],
            input=json.dumps(work),
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )


def missing() -> str | None:
    """What is not installed, if anything."""
    if shutil.which("soffice") is None:
        return "LibreOffice is not installed (package libreoffice-calc)"
    tried = subprocess.run([SYSTEM_PYTHON, "-c", "import uno"], capture_output=True, check=False)
    return f"{SYSTEM_PYTHON} cannot import uno (package python3-uno)" if tried.returncode else None


# --- steps: what a person does, on the sheet Review where no other is named -----------------------------------------


def fill(values: dict[str, str], *, sheet: str = "Review", **where: str) -> Step:
    """Type into the cells of the only row with these values."""
    return {"do": "fill", "sheet": sheet, "where": where, "values": values}


def paste(values: dict[str, str], *, sheet: str = "Review", **where: str) -> Step:
    """The same as text, whatever it looks like."""
    return {"do": "paste", "sheet": sheet, "where": where, "values": values}


def number(column: str, value: float, *, sheet: str = "Review", **where: str) -> Step:
    """Put a number into a cell, as a spreadsheet does where it takes an id for one."""
    return {"do": "number", "sheet": sheet, "where": where, "column": column, "value": value}


def sort(column: str, *, sheet: str = "Review") -> Step:
    return {"do": "sort", "sheet": sheet, "column": column}


def only(column: str, value: str, *, sheet: str = "Review") -> Step:
    """Filter: show the rows with this value alone."""
    return {"do": "only", "sheet": sheet, "column": column, "value": value}


def fill_down(values: dict[str, str], *, sheet: str = "Review") -> Step:
    """Type into the first row that is shown, and fill down to the last."""
    return {"do": "fill_down", "sheet": sheet, "values": values}


def name_once(values: dict[str, str]) -> Step:
    """Type into the cells with these names."""
    return {"do": "name_once", "values": values}


def insert_column(before: str, header: str, text: str, *, sheet: str = "Review") -> Step:
    return {"do": "insert_column", "sheet": sheet, "before": before, "header": header, "text": text}


def delete_column(column: str, *, sheet: str = "Review") -> Step:
    return {"do": "delete_column", "sheet": sheet, "column": column}


def delete_row(*, sheet: str = "Review", **where: str) -> Step:
    return {"do": "delete_row", "sheet": sheet, "where": where}


def double_row(*, sheet: str = "Review", **where: str) -> Step:
    """Copy a row, below the last one."""
    return {"do": "double_row", "sheet": sheet, "where": where}


def merge(column: str, rows: int, *, sheet: str = "Review") -> Step:
    """Merge the first cells of a column below its header."""
    return {"do": "merge", "sheet": sheet, "column": column, "rows": rows}


def retitle(column: str, to: str, *, sheet: str = "Review") -> Step:
    """Give a column another header."""
    return {"do": "retitle", "sheet": sheet, "column": column, "to": to}


def rename(sheet: str, to: str) -> Step:
    return {"do": "rename", "sheet": sheet, "to": to}


def delete_sheet(sheet: str) -> Step:
    return {"do": "delete_sheet", "sheet": sheet}
