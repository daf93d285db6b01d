"""What `verify` reads of a run's folder, and what it leaves alone."""

import itertools
import json
import os
from pathlib import Path
from typing import Any

import pytest

from scanner.report.render import render_run
from scanner.report.verify import verify
from scanner.runs import folder as run_folder
from tests.runs.recording import recorded


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A finished run."""
    made = run_folder.create(tmp_path, "20261123T164100Z-1a2b3c")
    recorded(made)
    render_run(made, ("csv",))
    assert all(check.holds for check in verify(made, None))
    return made


def mismatches(folder: Path) -> list[str]:
    return [f"{check.what} {check.detail}" for check in verify(folder, None) if check.holds is False]


# --- names, links and pipes that lead elsewhere ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["../pipe", "/etc/passwd", "sub/pipe", "..", ".", "", "a\0b", "..\\pipe", ".hidden"])
def test_a_name_that_leaves_the_folder_is_refused_and_not_read(folder: Path, name: str) -> None:
    """To open a pipe that nobody writes to would never end."""
    (folder / "sub").mkdir()
    for pipe in (folder.parent / "pipe", folder / "sub" / "pipe"):
        os.mkfifo(pipe)
    manifest = json.loads((folder / run_folder.MANIFEST).read_bytes())
    manifest["files"][name] = manifest["files"]["summary.json"]
    (folder / run_folder.MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    assert mismatches(folder) == [
        f"manifest.json names {name!r}, which is not a file of a run: it was not read",
        "sub was added: the manifest does not name it",
    ]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *itertools.product(("summary.json", "iam-users.csv", "manifest.json"), ("link", "pipe", "folder")),
        ("journal.jsonl", "link"),  # without it, this is not a run
    ],
)
def test_what_is_not_a_file_of_the_folder_is_not_followed(folder: Path, name: str, kind: str) -> None:
    file = folder / name
    outside = file.replace(folder.parent / "outside")
    if kind == "link":
        file.symlink_to(outside)
    elif kind == "pipe":
        os.mkfifo(file)
    else:
        file.mkdir()
    words = {"link": "is a link, which this program does not make: it was not followed"}
    assert f"{name} {words.get(kind, 'cannot be read: Not a file')}" in mismatches(folder)


# --- a manifest that is none -----------------------------------------------------------------------------------------

SAMPLE: dict[str, Any] = {
    "schema_version": 1,
    "program_version": "0.1.0",
    "run_id": "20261123T164100Z-1a2b3c",
    "journal_sha256": "0" * 64,
    "files": {"journal.jsonl": {"sha256": "0" * 64, "bytes": 1}},
}


def with_file(**changes: object) -> bytes:
    file = SAMPLE["files"]["journal.jsonl"] | changes
    return json.dumps(SAMPLE | {"files": {"journal.jsonl": file}}).encode()


BAD_MANIFESTS: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "it is not a JSON object"),
    "not JSON": (b"{", "it is not a JSON object"),
    "not UTF-8": (b'{"\xff": 1}', "it is not a JSON object"),
    "a list": (b"[]", "it is not a JSON object"),
    "deep": (b"[" * 100_000, "it is not a JSON object"),
    "huge": (b" " * 1_000_001, "is larger than 1,000,000 bytes"),
    "another version": (json.dumps(SAMPLE | {"schema_version": 2}).encode(), '"schema_version" in it is'),
    "no files": (json.dumps({**SAMPLE, "files": None}).encode(), '"files" in it is missing or not valid'),
    "files as a list": (json.dumps(SAMPLE | {"files": []}).encode(), '"files" in it is missing or not valid'),
    "a size as text": (with_file(bytes="1"), '"files.journal.jsonl.bytes" in it is'),
    "a size without end": (with_file(bytes=float("inf")), '"files.journal.jsonl.bytes" in it is'),
    "a size below nothing": (with_file(bytes=-1), '"files.journal.jsonl.bytes" in it is'),
    "no digest": (with_file(sha256=None), '"files.journal.jsonl.sha256" in it is'),
    "a digest of another kind": (with_file(sha256="0" * 40), '"files.journal.jsonl.sha256" in it is'),
}


@pytest.mark.parametrize(("data", "said"), BAD_MANIFESTS.values(), ids=BAD_MANIFESTS)
def test_a_manifest_that_is_none_is_named_and_the_journal_is_checked_all_the_same(
    folder: Path, data: bytes, said: str
) -> None:
    (folder / run_folder.MANIFEST).write_bytes(data)
    checks = verify(folder, None)
    (mismatch,) = mismatches(folder)
    assert mismatch.startswith("manifest.json")
    assert said in mismatch
    assert [f"{check.what} {check.detail}" for check in checks if check.holds] == [
        "journal.jsonl every line follows the one before it",
        "iam-users.csv rendered again from the journal: the same bytes",
        "accounts.csv rendered again from the journal: the same bytes",
    ]
