"""Files appear whole or not at all, for their owner alone."""

from pathlib import Path

import pytest

from scanner.errors import ScannerError
from scanner.report import formats as files
from scanner.report.formats import write
from scanner.report.view import View
from tests.report.samples import sample

ALWAYS = {"accounts.csv", "summary.json"}


@pytest.mark.parametrize(
    ("formats", "more"),
    [
        ((), set()),
        (("xlsx",), {"iam-users.xlsx"}),
        (("csv",), {"iam-users.csv"}),
        (("json",), {"iam-users.json"}),
        (("ocsf",), {"iam-users.ocsf.jsonl"}),
        (("xlsx", "csv", "json"), {"iam-users.xlsx", "iam-users.csv", "iam-users.json"}),
    ],
)
def test_each_format_asks_for_its_file(tmp_path: Path, formats: tuple[str, ...], more: set[str]) -> None:
    written = write(View(sample()), tmp_path, formats)
    assert {path.name for path in written} == {path.name for path in tmp_path.iterdir()} == ALWAYS | more


def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    assert {path.stat().st_mode & 0o777 for path in write(View(sample()), tmp_path, ["xlsx", "csv"])} == {0o600}


def test_a_file_that_fails_leaves_the_old_one_and_no_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "accounts.csv").write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "WRITERS", {**files.WRITERS, "accounts.csv": full})
    with pytest.raises(ScannerError, match=r"Cannot write .*accounts.csv: No space left on device"):
        write(View(sample()), tmp_path, [])
    assert [path.name for path in tmp_path.iterdir()] == ["accounts.csv"]
    assert (tmp_path / "accounts.csv").read_text() == "old"


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ScannerError, match="Cannot write"):
        write(View(sample()), tmp_path / "nowhere", [])
