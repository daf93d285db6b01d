"""`verify`: every change to a finished run is found and named."""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scanner.runs import folder as run_folder
from tests.aws_endpoint import running
from tests.program import Scanned, calling, program, scan, small_world
from tests.runs.recording import rechained, reseal


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Scanned]]:
    """Where the run of this file's first test is kept for the others, once it was made."""
    return tmp_path_factory.mktemp("kept"), []


@pytest.fixture
def done(workplace: Path, hurried: None, kept: tuple[Path, list[Scanned]]) -> Scanned:
    folder, made = kept
    if not made:
        with running(small_world()) as endpoint:
            made.append(scan(endpoint, "--format", "xlsx"))
        shutil.copytree(made[0].output, folder / "reports")
    else:
        shutil.copytree(folder / "reports", made[0].output)
    return replace(made[0])


def digest(done: Scanned) -> str:
    return hashlib.sha256((done.folder / run_folder.MANIFEST).read_bytes()).hexdigest()


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
        lines = (folder / run_folder.JOURNAL).read_bytes().splitlines(keepends=True)
        change(lines)
        (folder / run_folder.JOURNAL).write_bytes(b"".join(lines))

    return changed


def _rewrite(lines: list[bytes]) -> None:
    """Another name in the first account, and everything behind it made to fit."""
    at = next(number for number, line in enumerate(lines) if b'"alice"' in line)
    lines[at] = lines[at].replace(b'"alice"', b'"mally"')
    lines[:] = rechained(lines)


def _again(lines: list[bytes]) -> None:
    """The footer once more."""
    lines[:] = rechained([*lines, lines[-1]])


def _shorten(lines: list[bytes]) -> None:
    """The last account left out, and what follows it made to fit."""
    last = max(number for number, line in enumerate(lines) if b'{"type":"account"' in line)
    lines[:] = rechained(lines[:last] + lines[last + 1 :])


def _move(lines: list[bytes]) -> None:
    lines.insert(2, lines.pop(4))


# The journal has a line for the header, seven accounts, the listing, and the footer, which is line 10.
CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a CSV was edited": (_replace("iam-users.csv", b"UNAPPROVED", b"APPROVED"), "iam-users.csv was changed"),
    "a file is gone": (lambda folder: (folder / "summary.json").unlink(), "summary.json is missing"),
    "a file was added": (lambda folder: (folder / "extra.txt").touch(), "extra.txt was added"),
    "a folder was added": (lambda folder: (folder / "extra").mkdir(), "extra was added"),
    "the journal is gone but for its name": (
        lambda folder: (folder / run_folder.JOURNAL).write_bytes(b""),
        "has no end",
    ),
    "its first line was removed": (_lines(lambda lines: lines.pop(0)), "line 1 does not follow the start"),
    "a line was changed": (
        _lines(lambda lines: lines.__setitem__(3, lines[3].replace(b"}\n", b" }\n"))),  # whichever line that is
        "journal line 5 does not follow line 4: the journal was changed. Line 4 was changed",
    ),
    "a line was removed": (_lines(lambda lines: lines.pop(2)), "journal line 3 does not follow line 2"),
    "a line was added": (_lines(lambda lines: lines.insert(3, lines[2])), "journal line 4 does not follow line 3"),
    "lines were reordered": (_lines(_move), "journal line 3 does not follow line 2"),
    "a line was broken": (_lines(lambda lines: lines.__setitem__(3, b"x\n")), "journal line 4 is broken"),
    "its last line was changed": (
        _replace(run_folder.JOURNAL, b'"throttled":0', b'"throttled":9'),
        "the last one, line 10,",
    ),
    "its last line was removed": (_lines(lambda lines: lines.pop()), "has no end"),
    "its last line was torn": (_lines(lambda lines: lines.__setitem__(9, lines[9][:-1])), "line 10 is cut off"),
    "lines that fit were added at its end": (_lines(_again), "lines were added at its end, after line 10"),
    "its end was replaced by one that fits": (_lines(_shorten), "bytes are missing after line 9"),
    "all was rewritten so that it fits": (_lines(_rewrite), "line 10, was changed, or all of them were"),
    "the manifest is gone": (lambda folder: (folder / run_folder.MANIFEST).unlink(), "manifest.json is not there"),
    "the manifest is no manifest": (_replace(run_folder.MANIFEST, b'"files"', b'"fires"'), "is not a manifest"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_found_and_named(done: Scanned, what: str) -> None:
    change, expected = CHANGES[what]
    change(done.folder)
    found = program("verify", done.folder.name)
    assert found.exit_code == 3
    assert expected in found.out
    assert "NOT what it was" in found.out


# --- a journal whose chain is right, and whose content is not --------------------------------------------------------


def _edit(kind: str, change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    """Change the first line of this kind, and everything behind it so that the chain holds."""

    def edit(lines: list[bytes]) -> None:
        at = next(number for number, line in enumerate(lines) if f'{{"type":"{kind}"'.encode() in line)
        content = json.loads(lines[at])
        change(content)
        lines[at] = json.dumps(content, separators=(",", ":")).encode() + b"\n"
        lines[:] = rechained(lines)

    return _lines(edit)


def _safelist(text: str) -> Callable[[Path], None]:
    return _edit("header", lambda header: header["safelists"][0].update(text=text))


NOT_OURS = "is not one that this program writes"
UNUSABLE: dict[str, tuple[Callable[[Path], None], str]] = {
    "a safelist that is not YAML": (_safelist("version: 1\nglobal: ["), "the safelists in the journal cannot be used"),
    "a safelist with an unknown key": (_safelist("version: 1\nglobl: []\n"), "the safelists in the journal cannot be"),
    "a safelist of another organization": (
        _safelist("version: 1\norganization: o-zzzzzzzzzz\nglobal: []\n"),
        "the safelists in the journal cannot be used: safelists: This is organization",
    ),
    "an unknown word": (
        _edit("account", lambda line: line.update(evidence="MOST")),
        NOT_OURS,
    ),
    "an unknown kind of line": (
        _edit("listing", lambda line: line.update(type="gossip")),
        NOT_OURS,
    ),
    "settings that are a number": (_edit("header", lambda header: header.update(settings=5)), NOT_OURS),
    "another schema version": (
        _edit("header", lambda header: header.update(schema_version=99)),
        "was written by another version of the program",
    ),
    "a name that is a number": (
        _edit("listing", lambda line: line["accounts"][0].update(name=5)),
        NOT_OURS,
    ),
    "an OU that is not listed": (
        _edit("listing", lambda line: line["accounts"][0].update(ous=[-1])),
        NOT_OURS,
    ),
    "a time that UTC does not have": (
        _edit("account", lambda line: line["users"][0].update(created_at="9999-12-31T23:59:59-12:00")),
        "iam-users.csv cannot be rendered again from the journal",
    ),
    "no accounts": (_edit("listing", lambda line: line.update(accounts=[])), "is not what the journal says"),
}


@pytest.mark.parametrize("what", UNUSABLE)
def test_a_journal_that_cannot_be_used_is_a_mismatch_and_everything_else_is_checked_too(
    done: Scanned, what: str
) -> None:
    change, expected = UNUSABLE[what]
    change(done.folder)
    reseal(done.folder)
    found = program("verify", done.folder.name)
    assert found.exit_code == 3
    assert expected in found.out
    lines = found.out.splitlines()
    for name in ("accounts.csv", "iam-users.csv", "iam-users.xlsx", "summary.json", "journal.jsonl"):
        assert f"ok          {name} is as it was" in lines
    assert "ok          journal.jsonl every line follows the one before it" in lines
    assert len([line for line in lines if " iam-users.csv " in line]) == 2


def test_what_cannot_be_used_is_told_by_the_other_commands_too(done: Scanned) -> None:
    _safelist("version: 1\nglobal: [")(done.folder)
    found = program("report", done.folder)
    assert found.exit_code == 1
    assert "the safelists in the journal cannot be used" in found.err


# --- the digest ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("noted", ["", "0" * 63, "0" * 65, "g" * 64, "sha256:" + "0" * 57, "\u0660" * 64])
def test_what_is_no_digest_is_wrong_usage(done: Scanned, noted: str) -> None:
    found = program("verify", done.folder.name, "--digest", noted)
    assert (found.exit_code, found.out) == (2, "")
    assert "not a SHA-256" in found.err


def test_a_digest_in_capitals_or_with_spaces_around_it_is_the_same(done: Scanned) -> None:
    assert program("verify", done.folder.name, "--digest", f" {digest(done).upper()}\n").exit_code == 0


# --- a run that was never finished -----------------------------------------------------------------------------------


def stopped(folder: Path, length: int) -> None:
    """As SIGKILL leaves it when its journal has that many bytes."""
    journal = (folder / run_folder.JOURNAL).read_bytes()[:length]
    for file in folder.iterdir():
        file.unlink()
    (folder / run_folder.JOURNAL).write_bytes(journal)


@pytest.mark.parametrize("length", [0, 10, 5_000, -1])
def test_a_run_that_was_never_finished_is_said_to_be_that(done: Scanned, length: int) -> None:
    stopped(done.folder, length)
    found = program("verify", done.folder)
    assert (found.exit_code, found.out) == (2, "")
    assert f"The run {done.folder} is not finished: it has no manifest.json" in found.err
    begun = length in {5_000, -1}
    assert (f"--resume {done.folder}" if begun else "Start a new run.") in found.err


def test_a_run_that_was_interrupted_was_never_finished(done: Scanned) -> None:
    _replace(run_folder.JOURNAL, b'"interrupted":false', b'"interrupted":true')(done.folder)
    length = (done.folder / run_folder.JOURNAL).stat().st_size
    sealed = program("verify", done.folder)
    stopped(done.folder, length)
    found = program("verify", done.folder)
    assert (sealed.exit_code, found.exit_code, found.out) == (3, 2, "")
    assert "its journal says that it was interrupted" in found.err
    assert f"Resume it: {run_folder.resume_command(done.folder)}" in found.err


def test_a_run_whose_digest_was_noted_was_finished_once(done: Scanned) -> None:
    noted = digest(done)
    stopped(done.folder, 5_000)
    found = program("verify", done.folder, "--digest", noted)
    assert found.exit_code == 3
    assert "manifest.json cannot have the digest that was noted: it is missing" in found.out


def test_an_unfinished_run_that_was_changed_is_a_mismatch(done: Scanned) -> None:
    stopped(done.folder, -1)
    _replace(run_folder.JOURNAL, b'"alice"', b'"mally"')(done.folder)
    found = program("verify", done.folder)
    assert found.exit_code == 3
    assert "the journal was changed" in found.out


NAMING = {
    "report": ("report", "RUN"),
    "evaluate": ("evaluate", "RUN", "--as-of", "2027-01-01"),
    "diff, as the old one": ("diff", "RUN", "WHOLE"),
    "diff, as the new one": ("diff", "WHOLE", "RUN"),
    "scan --previous": ("scan", "--safelist", "nobody.yaml", "--previous", "RUN"),
}


@pytest.mark.parametrize("command", NAMING.values(), ids=NAMING)
@pytest.mark.parametrize("length", [0, 10, 5_000, -1])
def test_to_name_an_unfinished_run_is_wrong_usage(done: Scanned, command: tuple[str, ...], length: int) -> None:
    whole = shutil.copytree(done.folder, Path("whole"))
    stopped(done.folder, length)
    places = {"RUN": done.folder, "WHOLE": whole}
    with running(small_world()) as endpoint, calling(endpoint):
        found = program(*(places.get(word, word) for word in command))
    assert found.exit_code == 2
    assert f"The run {done.folder} is not finished: " in found.err
    begun = length in {5_000, -1}
    assert found.err.endswith(
        f" Resume it: {run_folder.resume_command(done.folder)}\n" if begun else " Start a new run.\n"
    )


# --- what the digest alone shows, and what needs no digest -----------------------------------------------------------


def test_who_rewrites_the_manifest_too_is_found_by_the_digest_alone(done: Scanned) -> None:
    noted = digest(done)
    summary = done.folder / "summary.json"
    summary.write_bytes(summary.read_bytes() + b" ")
    reseal(done.folder)
    assert program("verify", done.folder.name).exit_code == 0
    found = program("verify", done.folder.name, "--digest", noted)
    assert found.exit_code == 3
    assert "not the one given; is that of this run, and of its last state?" in found.out


def test_a_csv_that_does_not_follow_from_the_journal_is_found_though_the_manifest_has_it(done: Scanned) -> None:
    _replace("iam-users.csv", b"UNAPPROVED", b"APPROVED")(done.folder)
    reseal(done.folder)
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
