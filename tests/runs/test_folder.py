"""A run's folder: the journal as it grows, the manifest that seals it, and finding it again."""

import asyncio
import hashlib
import json
import os
import stat
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scanner.errors import OutputError, ScannerError, UsageError
from scanner.report.render import render_again, render_run
from scanner.runs import folder as run_folder
from scanner.runs.journal import JournalError, decode
from scanner.runs.stored import decide
from tests.builders import START, header, scanned
from tests.runs.recording import recorded

MOMENT = datetime(2026, 11, 23, 16, 41, 0, tzinfo=UTC)
RUN_ID = "20261123T164100Z-1a2b3c"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return run_folder.create(tmp_path, RUN_ID)


def test_a_run_id_sorts_by_its_start_and_is_not_met_twice() -> None:
    first, second = run_folder.new_run_id(MOMENT), run_folder.new_run_id(MOMENT)
    assert first.startswith("20261123T164100Z-")
    assert run_folder._RUN_ID.fullmatch(first)
    assert first != second


# --- the journal as it grows -----------------------------------------------------------------------------------------


def test_what_was_appended_is_read(folder: Path) -> None:
    written = recorded(folder)
    found = run_folder.read(folder)
    assert (found.header, found.listing, found.footer) == (written.header, written.listing, written.footer)
    assert found.scans == written.scans


async def test_each_line_is_there_as_soon_as_it_was_appended(folder: Path) -> None:
    """A crash loses at most the line that is being written."""

    def lines() -> int:
        return (folder / run_folder.JOURNAL).read_bytes().count(b"\n")

    with run_folder.Journal(folder) as journal:
        for number in range(1, 4):
            await journal.append(scanned(number))
            assert lines() == number


def test_a_line_that_the_disk_takes_in_parts_is_written_whole(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: bare(descriptor, data[:7]))
    written = recorded(folder)
    monkeypatch.undo()
    assert run_folder.read(folder).scans == written.scans


async def test_a_disk_that_is_full_is_not_passed_over(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fits of the line is there; nothing is written behind it, also where there is room again."""
    bare = os.write
    room = iter([10, 7])

    def full(descriptor: int, data: bytes) -> int:
        if size := next(room, 0):
            return bare(descriptor, data[:size])
        raise OSError(28, "No space left on device")

    with run_folder.Journal(folder) as journal:
        await journal.append(header())
        before = (folder / run_folder.JOURNAL).read_bytes()
        monkeypatch.setattr(os, "write", full)
        with pytest.raises(OutputError, match=f"No space left on device.*--resume {folder}"):
            await journal.append(scanned(1))
        monkeypatch.undo()
        with pytest.raises(OutputError, match="No space left"):
            await journal.append(scanned(2))
    data = (folder / run_folder.JOURNAL).read_bytes()
    assert data.startswith(before)
    assert len(data) == len(before) + 17
    assert run_folder.read_begun(folder).torn


async def test_a_disk_that_fails_at_the_end_is_not_passed_over(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = run_folder.Journal(folder)
    await journal.append(header())
    monkeypatch.setattr(os, "fsync", _full)
    with pytest.raises(OutputError, match="No space left on device"):
        journal.__exit__(None, None, None)


def test_the_journal_reaches_the_disk_at_its_end(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    recorded(folder)
    assert len(synced) == 1


async def test_the_journal_reaches_the_disk_once_a_second_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    now = 0.0
    monkeypatch.setattr(os, "fsync", synced.append)
    monkeypatch.setattr("scanner.runs.folder.time", SimpleNamespace(monotonic=lambda: now))
    with run_folder.Journal(folder) as journal:
        for number, now in enumerate([0.5, 0.9, 1.1, 1.2, 2.0, 2.2], start=1):  # noqa: B007  `monotonic` reads it
            await journal.append(scanned(number))
        assert len(synced) == 2


async def test_a_line_that_comes_while_the_disk_is_waited_for_follows_the_one_before(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = iter(range(100))
    monkeypatch.setattr("scanner.runs.folder.time", SimpleNamespace(monotonic=lambda: next(moments)))
    with run_folder.Journal(folder) as journal:
        await journal.append(header())
        await asyncio.gather(*(journal.append(scanned(number)) for number in range(1, 6)))
    assert len(run_folder.read_begun(folder).scans) == 5


def test_a_journal_is_never_written_over(folder: Path) -> None:
    (folder / run_folder.JOURNAL).write_bytes(b"of an earlier run\n")
    with pytest.raises(FileExistsError):
        run_folder.Journal(folder)
    assert (folder / run_folder.JOURNAL).read_bytes() == b"of an earlier run\n"


def test_without_locks_a_run_does_not_begin_and_leaves_nothing_behind(
    tmp_path: Path, folder: Path, without_locks: None
) -> None:
    with pytest.raises(OutputError, match=r"cannot be locked: .*--output"):
        run_folder.Journal(folder)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def unfinished(folder: Path) -> Path:
    recorded(folder, footer=False)
    return folder


def test_without_locks_a_run_is_neither_resumed_nor_rendered(unfinished: Path, without_locks: None) -> None:
    before = (unfinished / run_folder.JOURNAL).read_bytes()
    with pytest.raises(OutputError, match="cannot be locked"):
        run_folder.Journal(unfinished, run_folder.read_begun(unfinished))
    with pytest.raises(OutputError, match="cannot be locked"):
        render_run(unfinished, ("csv",))
    assert {file.name: file.read_bytes() for file in unfinished.iterdir()} == {run_folder.JOURNAL: before}


def test_folder_and_journal_are_their_owner_s_alone(folder: Path) -> None:
    recorded(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / run_folder.JOURNAL).stat().st_mode) == 0o600


def test_a_folder_that_cannot_be_made_is_told_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("", encoding="utf-8")
    with pytest.raises(ScannerError, match="--output"):
        run_folder.create(tmp_path / "taken", RUN_ID)


def test_a_folder_that_is_there_is_not_used_again(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(ScannerError, match="cannot be made"):
        run_folder.create(tmp_path, RUN_ID)


# --- reading and finding ---------------------------------------------------------------------------------------------


def test_a_run_without_its_end_is_not_read(folder: Path) -> None:
    recorded(folder, footer=False)
    with pytest.raises(JournalError, match="no end"):
        run_folder.read(folder)


def test_a_folder_without_a_journal_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not the folder of a run"):
        run_folder.read(tmp_path)


def test_a_run_is_found_by_its_folder_and_by_its_id(tmp_path: Path, folder: Path) -> None:
    recorded(folder)
    assert run_folder.find(str(folder), tmp_path / "elsewhere") == folder
    assert run_folder.find(RUN_ID, tmp_path) == folder


def test_a_run_that_is_not_there_names_the_newest(tmp_path: Path, folder: Path) -> None:
    recorded(folder)
    recorded(run_folder.create(tmp_path, "20250101T000000Z-ffffff"))
    run_folder.create(tmp_path, "20270101T000000Z-ffffff")  # no journal: nothing began there
    run_folder.create(tmp_path, f"{RUN_ID}-report")
    with pytest.raises(UsageError, match=f"no run 'absent'.*The newest there is {RUN_ID}"):
        run_folder.find("absent", tmp_path)


def test_without_any_run_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        run_folder.find("absent", tmp_path / "nowhere")
    assert "newest" not in str(caught.value)


OLDER, NEWER, NEWEST = "20261001T000000Z-aaaaaa", "20261120T000000Z-bbbbbb", "20261125T000000Z-cccccc"


@pytest.fixture
def three(tmp_path: Path) -> Path:
    """Two finished runs, a newer one that is not, and what report and evaluate write beside them."""
    for run_id in (OLDER, NEWER, NEWEST):
        run = run_folder.create(tmp_path, run_id)
        recorded(run, footer=run_id != NEWEST)
        if run_id != NEWEST:
            run_folder.seal(run, [], "0" * 64)
    for name in (f"{OLDER}-report", f"{NEWEST}-evaluated-1a2b3c4d", f"{NEWEST}-review"):
        (tmp_path / name).mkdir()
    return tmp_path


def test_latest_is_the_newest_finished_run(three: Path) -> None:
    assert run_folder.find("latest", three) == three / NEWER
    assert run_folder.find("latest", three, finished=False) == three / NEWEST


@pytest.mark.parametrize("run", ["20261001", OLDER[:-1], "202610"])
def test_a_beginning_that_fits_one_run_names_it(three: Path, run: str) -> None:
    assert run_folder.find(run, three) == three / OLDER


def test_a_beginning_that_fits_several_names_them_the_newest_first(three: Path) -> None:
    with pytest.raises(UsageError, match=f"2 runs begin with '202611': {NEWEST}, {NEWER}. Write more of the ID."):
        run_folder.find("202611", three)
    for number in range(1, 5):
        recorded(run_folder.create(three, f"2026110{number}T000000Z-dddddd"))
    with pytest.raises(UsageError, match=f"6 runs begin with '202611': {NEWEST}, .* and 1 more"):
        run_folder.find("202611", three)


@pytest.mark.parametrize("run", ["6100", OLDER[9:], f"{OLDER}-evaluated", "2026*"])
def test_what_is_no_beginning_of_a_run_id_names_none(three: Path, run: str) -> None:
    with pytest.raises(UsageError, match="There is no run"):
        run_folder.find(run, three)


@pytest.mark.parametrize("run", [f"{OLDER}-report", f"{NEWEST}-evaluated-1a2b3c4d"])
def test_what_report_and_evaluate_write_is_not_a_run(three: Path, run: str) -> None:
    with pytest.raises(UsageError, match="is not a run"):
        run_folder.find(run, three)


def test_an_empty_text_names_no_run(three: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `"$RUN"` is where that variable is not set, in whatever folder."""
    monkeypatch.chdir(three / OLDER)
    with pytest.raises(UsageError, match="RUN is empty"):
        run_folder.find("", three)
    assert run_folder.find(".", three) == Path()


def test_a_folder_called_latest_is_named_by_its_path(three: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(three)
    (three / "latest").symlink_to(OLDER)
    (three / "2026").mkdir()
    assert run_folder.find("latest", three) == three / NEWER
    assert run_folder.find("./latest/", three).resolve() == three / OLDER
    (three / "202610").symlink_to(NEWER)
    assert run_folder.find("202610", three).resolve() == three / NEWER, (
        "a folder that is a run comes before a beginning"
    )


def test_without_a_finished_run_there_is_no_latest(three: Path) -> None:
    for run_id in (OLDER, NEWER):
        (three / run_id / run_folder.MANIFEST).unlink()
    with pytest.raises(UsageError, match=f"no finished run under .*newest there is not finished.*--resume .*{NEWEST}"):
        run_folder.find("latest", three)
    with pytest.raises(UsageError, match=r"There is no finished run under .*Start one with iam-scanner scan"):
        run_folder.find("latest", three / "nowhere")
    with pytest.raises(UsageError, match="There is no run under "):
        run_folder.find("latest", three / "nowhere", finished=False)


# --- sealed ----------------------------------------------------------------------------------------------------------


def manifest(folder: Path) -> dict[str, Any]:
    found = json.loads((folder / run_folder.MANIFEST).read_bytes())
    assert isinstance(found, dict)
    return found


def test_the_manifest_covers_every_file_with_its_digest_and_size(folder: Path) -> None:
    recorded(folder)
    published = render_run(folder, ("csv", "json", "xlsx"))
    sealed = manifest(folder)
    present = {file.name: file.read_bytes() for file in folder.iterdir() if file.name != run_folder.MANIFEST}
    assert sealed["files"] == {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        for name, content in sorted(present.items())
    }
    assert set(present) == {
        "journal.jsonl",
        "iam-users.csv",
        "iam-users.json",
        "iam-users.xlsx",
        "accounts.csv",
        "summary.json",
    }
    assert sealed["run_id"] == RUN_ID
    assert sealed["journal_sha256"] == hashlib.sha256(present["journal.jsonl"]).hexdigest()
    assert published.manifest_digest == hashlib.sha256((folder / run_folder.MANIFEST).read_bytes()).hexdigest()


def test_the_manifest_is_written_last(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without it is not a finished run, so it must not be there when a report fails."""
    recorded(folder)

    def broken(*_: object) -> None:
        raise ScannerError("no room for the reports")

    monkeypatch.setattr("scanner.report.render.write", broken)
    with pytest.raises(ScannerError):
        render_run(folder, ("csv",))
    assert not (folder / run_folder.MANIFEST).exists()


def test_nothing_half_written_is_left_where_the_manifest_fails(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded(folder)
    monkeypatch.setattr(os, "fsync", _full)
    with pytest.raises(OutputError, match="No space left"):
        run_folder.seal(folder, [], "0" * 64)
    assert [file.name for file in folder.iterdir()] == [run_folder.JOURNAL]


def _full(descriptor: int) -> None:
    raise OSError(28, "No space left on device")


# --- from the journal to the reports ---------------------------------------------------------------------------------


def test_a_run_is_decided_by_its_journal_alone(folder: Path) -> None:
    recorded(folder)
    assessment = decide(folder)
    assert [finding.user.user_name for finding in assessment.findings] == ["alice"]
    assert (assessment.totals.scanned, assessment.totals.failed) == (1, 1)


def test_the_same_journal_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    recorded(folder)
    render_run(folder, ("csv", "json"))
    again = render_again([decide(folder)], [folder], tmp_path / "again", ("csv", "json"))
    assert again.manifest_digest is None
    for file in again.files:
        assert file.read_bytes() == (folder / file.name).read_bytes(), file.name


def test_rendering_again_leaves_the_run_s_folder_as_it_was(folder: Path, tmp_path: Path) -> None:
    recorded(folder)
    render_run(folder, ("csv",))
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    render_again([decide(folder)], [folder], tmp_path / "again", ("csv", "json", "xlsx"))
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_a_journal_that_was_tampered_with_is_not_rendered(folder: Path, tmp_path: Path) -> None:
    recorded(folder)
    journal = folder / run_folder.JOURNAL
    journal.write_bytes(journal.read_bytes().replace(b'"alice"', b'"malice"'))
    with pytest.raises(JournalError, match="journal line 3 does not follow line 2"):
        render_again([decide(folder)], [folder], tmp_path / "again", ("csv",))


def test_the_digest_in_the_summary_is_the_journal_s(folder: Path) -> None:
    recorded(folder)
    render_run(folder, ())
    summary = json.loads((folder / "summary.json").read_bytes())
    data = (folder / run_folder.JOURNAL).read_bytes()
    assert summary["journal_sha256"] == decode(data).digest == hashlib.sha256(data).hexdigest()
    assert summary["times"]["started_at"].startswith(START.date().isoformat())
