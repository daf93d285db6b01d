"""Is a run what it was when it ended? Its files, its journal's chain, and its CSVs rendered again.

That shows changes to whoever trusts the manifest; that nobody rewrote all of it, manifest included, shows only the
manifest's digest, noted elsewhere when the run ended.
"""

import hashlib
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from scanner import __version__
from scanner.audit.assessment import Assessment
from scanner.report.formats import write_accounts_csv, write_users_csv
from scanner.report.view import View
from scanner.runs import folder as run
from scanner.runs.journal import JournalError
from scanner.runs.stored import decide

_RENDERED: Mapping[str, Callable[[View, BinaryIO], None]] = {
    "iam-users.csv": write_users_csv,
    "accounts.csv": write_accounts_csv,
}


NEWLINE = b"\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    what: str
    holds: bool | None  # None: could not be looked at, which is said and counts against nothing
    detail: str


def verify(folder: Path, digest: str | None) -> tuple[Check, ...]:
    """Look at everything, whatever was found before; raise `UsageError` only where there is no run at all."""
    return tuple(_checks(folder, digest))


def _checks(folder: Path, digest: str | None) -> Iterator[Check]:
    manifest, check = _manifest(folder)
    yield check
    if digest is not None:
        yield _noted(folder, digest)
    yield from _files(folder, manifest)
    try:
        assessment = decide(folder)
    except JournalError as error:
        yield Check(what=run.JOURNAL, holds=False, detail=str(error))
        return
    yield _chained((folder / run.JOURNAL).read_bytes(), manifest.get(run.JOURNAL))
    yield from _rendered_again(folder, assessment)


def _chained(data: bytes, sealed: run.Sealed | None) -> Check:
    """Say that the chain holds; or what is wrong at its end, behind which no line follows that would show it."""
    last = data.count(NEWLINE)
    if sealed is None or hashlib.sha256(data).hexdigest() == sealed.sha256:
        return Check(what=run.JOURNAL, holds=True, detail="every line follows the one before it")
    detail = f"every line follows the one before it, but the last one, line {last}, is another than it was, or all is"
    if len(data) < sealed.size:
        detail = f"its end is gone: {sealed.size - len(data):,} bytes are missing behind line {last}"
    elif hashlib.sha256(data[: sealed.size]).hexdigest() == sealed.sha256:
        detail = f"lines were added at its end, behind line {data[: sealed.size].count(NEWLINE)}"
    return Check(what=run.JOURNAL, holds=False, detail=detail)


def _manifest(folder: Path) -> tuple[Mapping[str, run.Sealed], Check]:
    """Return what the manifest says of each file."""
    try:
        files = run.sealed_files(folder)
    except OSError:
        detail = "is not there: the run was not finished, or the file was removed"
        return {}, Check(what=run.MANIFEST, holds=False, detail=detail)
    except ValueError:
        return {}, Check(what=run.MANIFEST, holds=False, detail="is not a manifest that this program wrote")
    return files, Check(what=run.MANIFEST, holds=True, detail=f"names {len(files)} files")


def _noted(folder: Path, digest: str) -> Check:
    found = _sha256(folder / run.MANIFEST)
    holds = found == digest.lower()
    detail = "has the digest that was noted" if holds else f"has another digest than the one noted: {found}"
    return Check(what=run.MANIFEST, holds=holds, detail=detail)


def _files(folder: Path, manifest: Mapping[str, run.Sealed]) -> Iterator[Check]:
    for name in sorted(manifest):
        found = _sha256(folder / name)
        holds = found == manifest[name].sha256
        detail = "is as it was" if holds else "is gone" if found is None else "was changed"
        yield Check(what=name, holds=holds, detail=detail)
    for path in sorted(folder.iterdir()):
        if manifest and path.name not in {run.MANIFEST, *manifest}:
            yield Check(what=path.name, holds=False, detail="was added: the manifest does not name it")


def _rendered_again(folder: Path, assessment: Assessment) -> Iterator[Check]:
    record = assessment.record
    wrote = record.resumptions[-1].program_version if record.resumptions else record.header.program_version
    view = View(assessment)
    for name, writer in _RENDERED.items():
        if not (folder / name).is_file():
            continue
        if wrote != __version__:
            detail = f"was rendered by version {wrote}, this is {__version__}: not rendered again"
            yield Check(what=name, holds=None, detail=detail)
            continue
        again = io.BytesIO()
        writer(view, again)
        holds = again.getvalue() == (folder / name).read_bytes()
        detail = (
            "rendered again from the journal, is the same byte for byte" if holds else "is not what the journal says"
        )
        yield Check(what=name, holds=holds, detail=detail)


def _sha256(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
