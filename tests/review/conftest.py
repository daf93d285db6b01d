"""One scan for all tests of a file; each test gets a copy of what it left."""

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from tests.aws_endpoint import running
from tests.conftest import BROKEN_AWS
from tests.program import named, scan, small_world
from tests.review.desk import Desk

# carol is approved, and was last looked at so long ago that she is due.
SAFELIST = """\
# Who is approved, and by whom.
version: 1
policy:
  require: [owner, reason, expires_on]
  max_days: 365
  approvers: [ciso@example.com, head@example.com]
global:
  - user: carol   # of the platform
    owner: ops@example.com
    reason: On call
    approved_by: head@example.com
    approved_on: {start}
    expires_on: {end}

# Decided in reviews:
revoked:
  - {{account: "{account}", user: eve, by: ciso@example.com, ticket: SEC-1}}  # SEC-1
"""
EVERYWHERE = ("alice", "bob")
SOMEWHERE = {
    "prod": ("eve", "=1+1", "user_x000D_y", "a_x005F_bx005F_"),
    "core": ("=1+1",),
    "dev": ("carol", "=1+1"),
    "sandbox": ("carol",),
    "payments-2": ("eve", "=1+1"),
}


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `reports` and `safelists`."""
    place = tmp_path_factory.mktemp("scanned")
    today = datetime.now(UTC).date()
    world = small_world(users=EVERYWHERE)
    for name, users in SOMEWHERE.items():
        for user in users:
            named(world, name).add_user(user)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        for name, value in BROKEN_AWS.items():  # a fixture of a file is set up before those of each test
            patch.setenv(name, value)
        Path("safelists").mkdir()
        account = named(world, "prod").id
        start, end = today - timedelta(days=200), today + timedelta(days=120)
        text = SAFELIST.format(start=start, end=end, account=account)
        Path("safelists/prod.yaml").write_text(text, encoding="utf-8")
        with running(world) as endpoint:
            assert scan(endpoint, "--format", "xlsx", safelist="safelists").exit_code == 3
    return place


@pytest.fixture
def desk(scanned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    shutil.copytree(scanned, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    (folder,) = (each for each in Path("reports").iterdir() if each.is_dir())
    return Desk(folder)


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A small workbook as such a program saves it."""
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = "Review"
    sheet.append(["decision", "reviewed_on"])
    sheet.append(["Approve", date(2026, 11, 24)])
    path = tmp_path / "review.xlsx"
    book.save(path)
    return path
