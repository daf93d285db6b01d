"""A quarter as a person sees it, on the demo's emulator: each screen of a walk from scan to scan.

What differs by run (run ids, digests, days) is put as it would be on another day, so that screens can be compared, and
drawn (`tests/readme_picture.py`).
"""

import io
import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from openpyxl import load_workbook

from scanner.cli.main import main
from scanner.demo import Demo

TODAY = date(2026, 11, 28)  # as the screens have it
SAFELIST = "reports/demo/safelist.yaml"
REVIEWED = {"reviewer": "ciso@example.com", "ticket": "SEC-200", "comment": "as agreed with the owner"}
DECISIONS = {
    ("745561209938", "j.novak"): {"decision": "Remove"},
    ("905517342286", "webmaster"): {"decision": "Quarantine"},
    ("557190284613", "cc-iam-manager"): {"decision": "Approve", "owner": "payments@example.com", "kind": "service"},
}
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_RUN = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}")
_DIGEST = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_TIME = re.compile(r"\b\d\d:\d\d UTC")
_DAY = re.compile(r"\b20\d\d-\d\d-\d\d\b")


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Screens:
    """A terminal of this width and 24 lines, and what it showed after each command, by name."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.today = datetime.now(UTC).date()
        self.shown: dict[str, str] = {}
        self.drawn: dict[str, str] = {}  # the command and what it printed, with colours
        self._runs: dict[str, str] = {}

    def run(self, name: str, *arguments: str, code: int) -> None:
        out, err = _Terminal(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.setattr(sys, "argv", ["iam-scanner", *arguments])
            patch.delenv("NO_COLOR", raising=False)
            for variable, value in (("COLUMNS", self.width), ("LINES", 24), ("TERM", "xterm-256color")):
                patch.setenv(variable, str(value))
            try:
                main()
                ended = 0
            except SystemExit as end:
                ended = int(end.code or 0)
        assert ended == code, out.getvalue() + err.getvalue()
        errors = [line for line in err.getvalue().splitlines() if line.startswith(("error", "warning"))]
        text = "\n".join(line.rstrip() for line in [*_ESCAPE.sub("", out.getvalue()).splitlines(), *errors])
        self.shown[name] = f"\n{self._steady(text)}\n"
        self.drawn[name] = self._steady(f"$ iam-scanner {shlex.join(arguments)}\n{out.getvalue()}")

    def _steady(self, text: str) -> str:
        """The text as it would be on another day, with the same number of characters."""
        for run in _RUN.findall(text):
            self._runs.setdefault(run, f"20261128T08000{len(self._runs)}Z-{len(self._runs):06x}")
        text = _RUN.sub(lambda found: self._runs[found[0]], text)
        text = _TIME.sub("08:00 UTC", _DIGEST.sub("0" * 64, text))
        return _DAY.sub(lambda found: str(TODAY + (date.fromisoformat(found[0]) - self.today)), text)

    def run_id(self, number: int) -> str:
        return list(self._runs)[number]


def walk(width: int, demo: Demo, folder: Path) -> Screens:
    """Scan, decide, import, scan again after somebody changed this and that, and ask the questions of then.

    The demo is as before at the end.
    """
    screens = Screens(width)
    until = str(screens.today + timedelta(days=180))
    january = str(screens.today + (date(2027, 1, 31) - TODAY))
    with pytest.MonkeyPatch.context() as patch, demo.applied():
        patch.chdir(folder)
        demo.write_files(Path("reports/demo"))
        with _changed_organization() as change:
            screens.run("the first scan", "scan", "--safelist", SAFELIST, code=3)
            workbook = Path("reports") / screens.run_id(0) / "iam-users.xlsx"
            importing = ("review", "import", "review.xlsx", "--safelist", SAFELIST)
            _fill(workbook, screens.today, approve_until=None)
            Path("~$review.xlsx").touch()
            screens.run("a preview with faults", *importing, code=2)
            Path("~$review.xlsx").unlink()
            _fill(workbook, screens.today, approve_until=until)
            screens.run("a preview", *importing, code=0)
            screens.run("the import", *importing, "--write", code=0)
            removals = f"reports/{screens.run_id(0)}-review/removals.json"
            screens.run("the plan", "remediate", "plan", removals, "--safelist", SAFELIST, code=3)
            change()
            screens.run("the next scan", "scan", "--safelist", SAFELIST, "--fail-on", "new", code=3)
        screens.run("who is new", "users", "latest", "--change", "new", code=0)
        screens.run("who gained rights", "users", "latest", "--change", "privilege-gained", code=0)
        screens.run("who flips by January", "evaluate", "latest", "--as-of", january, code=3)
        screens.run("what changed", "diff", screens.run_id(0), "latest", code=0)
        screens.run("whether it is whole", "verify", "latest", code=0)
        screens.run("the safelist", "safelist", "check", SAFELIST, code=0)
    return screens


@contextmanager
def _changed_organization() -> Iterator[Any]:
    """Somebody leaves, comes, and gains rights between the scans; afterwards it is as before."""
    iam = _iam("731920465582")
    iam.create_user(UserName="leaver")

    def change() -> None:
        iam.delete_user(UserName="leaver")
        iam.create_user(UserName="new-hire")
        iam.put_user_policy(UserName="integration-test", PolicyName="Everything", PolicyDocument=EVERYTHING)

    yield change
    iam.delete_user_policy(UserName="integration-test", PolicyName="Everything")
    iam.delete_user(UserName="new-hire")


EVERYTHING = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'


def _iam(account: str) -> Any:
    role = f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"
    assumed = boto3.client("sts").assume_role(RoleArn=role, RoleSessionName="somebody")["Credentials"]
    return boto3.client(
        "iam",
        aws_access_key_id=assumed["AccessKeyId"],
        aws_secret_access_key=assumed["SecretAccessKey"],
        aws_session_token=assumed["SessionToken"],
    )


def _fill(workbook: Path, today: date, *, approve_until: str | None) -> None:
    book = load_workbook(workbook)
    sheet = book["Review"]
    heads = {str(cell.value): number for number, cell in enumerate(sheet[1], 1)}
    for row in range(2, sheet.max_row + 1):
        user = str(sheet.cell(row, heads["account_id"]).value), str(sheet.cell(row, heads["user_name"]).value)
        if decision := DECISIONS.get(user):
            until = {"approve_until": approve_until} if decision["decision"] == "Approve" else {}
            for key, value in {**REVIEWED, "reviewed_on": str(today), **decision, **until}.items():
                sheet.cell(row, heads[key]).value = value
    book.save("review.xlsx")
