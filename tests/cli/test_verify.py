"""`verify`: every change to a finished run is found and named."""

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from scanner.runs import folder as run
from tests.aws_endpoint import running
from tests.program import Scanned, hurried, program, scan, small_world, workplace

__all__ = ["hurried", "workplace"]


@pytest.fixture
def done(workplace: Path, hurried: None) -> Scanned:
    with running(small_world()) as endpoint:
        return scan(endpoint, "--format", "xlsx")


def digest(done: Scanned) -> str:
    return hashlib.sha256((done.folder / run.MANIFEST).read_bytes()).hexdigest()


def test_a_run_that_nobody_touched_is_whole(done: Scanned) -> None:
    found = program("verify", done.folder.name, "--digest", digest(done), "--json")
    assert found.exit_code == 0
    assert found.document["whole"] is True
    looked_at = {check["what"] for check in found.document["checks"]}
    assert looked_at == {path.name for path in done.folder.iterdir()}
    assert digest(done) in done.out


def _replace(name: str, old: bytes, new: bytes) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        data = (folder / name).read_bytes()
        assert old in data
        (folder / name).write_bytes(data.replace(old, new, 1))

    return change


def _lines(change: Callable[[list[bytes]], object]) -> Callable[[Path], None]:
    """Change the list of the journal's lines in place."""

    def changed(folder: Path) -> None:
        lines = (folder / run.JOURNAL).read_bytes().splitlines(keepends=True)
        change(lines)
        (folder / run.JOURNAL).write_bytes(b"".join(lines))

    return changed


def _chained(lines: list[bytes]) -> list[bytes]:
    """The lines with a chain that holds again, as somebody would make it who knows how."""
    previous, chained = "0" * 64, []
    for line in lines:
        chained.append(re.sub(rb'"previous":"[0-9a-f]{64}"', f'"previous":"{previous}"'.encode(), line, count=1))
        previous = hashlib.sha256(chained[-1]).hexdigest()
    return chained


def _rewrite(lines: list[bytes]) -> None:
    """Another name in the first account, and everything behind it made to fit."""
    at = next(number for number, line in enumerate(lines) if b'"alice"' in line)
    lines[at] = lines[at].replace(b'"alice"', b'"mally"')
    lines[:] = _chained(lines)


def _again(lines: list[bytes]) -> None:
    """The footer once more."""
    lines[:] = _chained([*lines, lines[-1]])


def _shorten(lines: list[bytes]) -> None:
    """The last account left out, and what follows it made to fit."""
    last = max(number for number, line in enumerate(lines) if b'{"type":"account"' in line)
    lines[:] = _chained(lines[:last] + lines[last + 1 :])


def _move(lines: list[bytes]) -> None:
    lines.insert(2, lines.pop(4))


# The journal has a line for the header, seven accounts, the listing, and the footer, which is line 10.
CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a CSV was edited": (_replace("iam-users.csv", b"UNAPPROVED", b"APPROVED"), "iam-users.csv was changed"),
    "a file is gone": (lambda folder: (folder / "summary.json").unlink(), "summary.json is gone"),
    "a file was added": (lambda folder: (folder / "extra.txt").touch(), "extra.txt was added"),
    "a folder was added": (lambda folder: (folder / "extra").mkdir(), "extra was added"),
    "the journal is gone but for its name": (lambda folder: (folder / run.JOURNAL).write_bytes(b""), "has no end"),
    "its first line was removed": (_lines(lambda lines: lines.pop(0)), "line 1 does not follow the start"),
    "a line was changed": (
        _lines(lambda lines: lines.__setitem__(3, lines[3].replace(b"}\n", b" }\n"))),  # whichever line that is
        "journal line 5 does not follow line 4: the journal was changed. Line 4 is another",
    ),
    "a line was removed": (_lines(lambda lines: lines.pop(2)), "journal line 3 does not follow line 2"),
    "a line was added": (_lines(lambda lines: lines.insert(3, lines[2])), "journal line 4 does not follow line 3"),
    "lines were reordered": (_lines(_move), "journal line 3 does not follow line 2"),
    "a line was broken": (_lines(lambda lines: lines.__setitem__(3, b"x\n")), "journal line 4 is broken"),
    "its last line was changed": (_replace(run.JOURNAL, b'"throttled":0', b'"throttled":9'), "the last one, line 10,"),
    "its last line was removed": (_lines(lambda lines: lines.pop()), "has no end"),
    "its last line was torn": (_lines(lambda lines: lines.__setitem__(9, lines[9][:-1])), "line 10 is broken"),
    "lines that fit were added at its end": (_lines(_again), "lines were added at its end, behind line 10"),
    "its end was replaced by one that fits": (_lines(_shorten), "bytes are missing behind line 9"),
    "all was rewritten so that it fits": (_lines(_rewrite), "line 10, is another than it was, or all is"),
    "the manifest is gone": (lambda folder: (folder / run.MANIFEST).unlink(), "manifest.json is not there"),
    "the manifest is no manifest": (_replace(run.MANIFEST, b'"files"', b'"fires"'), "is not a manifest"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_found_and_named(done: Scanned, what: str) -> None:
    change, said = CHANGES[what]
    change(done.folder)
    found = program("verify", done.folder.name)
    assert found.exit_code == 3
    assert said in found.out
    assert "NOT what it was" in found.out


def test_who_rewrites_the_manifest_too_is_found_by_the_digest_alone(done: Scanned) -> None:
    noted = digest(done)
    journal = done.folder / run.JOURNAL
    summary = done.folder / "summary.json"
    summary.write_bytes(summary.read_bytes() + b" ")
    run.seal(done.folder, [p.name for p in done.folder.iterdir() if p.name != run.MANIFEST], _sha256(journal))
    assert program("verify", done.folder.name).exit_code == 0
    found = program("verify", done.folder.name, "--digest", noted)
    assert found.exit_code == 3
    assert "another digest than the one noted" in found.out


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_csv_that_does_not_follow_from_the_journal_is_found_though_the_manifest_has_it(done: Scanned) -> None:
    _replace("iam-users.csv", b"UNAPPROVED", b"APPROVED")(done.folder)
    names = [path.name for path in done.folder.iterdir() if path.name != run.MANIFEST]
    run.seal(done.folder, names, _sha256(done.folder / run.JOURNAL))
    found = program("verify", done.folder.name)
    assert found.exit_code == 3
    assert "iam-users.csv is not what the journal says" in found.out


def test_a_csv_of_another_version_is_said_not_to_be_compared(done: Scanned, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.report.verify.__version__", "9.9.9")
    found = program("verify", done.folder.name, "--json")
    assert found.exit_code == 0
    assert [check["holds"] for check in found.document["checks"]].count(None) == 2


def test_what_is_no_run_is_wrong_usage(workplace: Path) -> None:
    found = program("verify", "nowhere", "--json")
    assert found.exit_code == 2
    assert json.loads(found.out)["error"]["exit_code"] == 2
