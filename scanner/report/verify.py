"""Is a run what it was when it ended? Its files, the chain of its journal, and its CSVs rendered again.

Whoever trusts the manifest learns here of any change. That nobody rewrote everything, manifest included, is shown only
by the manifest's digest, noted elsewhere when the run ended.
"""

import hashlib
import io
import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from errno import ELOOP, ENOENT
from pathlib import Path
from typing import BinaryIO

from scanner import __version__
from scanner.audit.assessment import Assessment
from scanner.errors import UsageError
from scanner.files import open_regular
from scanner.report.formats import write_accounts_csv, write_users_csv
from scanner.report.view import View
from scanner.report.words import many
from scanner.runs.folder import JOURNAL, MANIFEST, Sealed, is_file_name, sealed_files, unfinished
from scanner.runs.journal import (
    SCHEMA_VERSION,
    Begun,
    JournalError,
    UnfinishedRunError,
    check_chain,
    decode,
    decode_begun,
)
from scanner.runs.stored import decide_record, no_garbage_collection

_RENDERED: Mapping[str, Callable[[View, BinaryIO], None]] = {
    "iam-users.csv": write_users_csv,
    "accounts.csv": write_accounts_csv,
}
_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was checked."""

    what: str
    holds: bool | None  # None: could not be checked; that is said, and counts against nothing
    detail: str


def verify(folder: Path, digest: str | None) -> tuple[Check, ...]:
    """Check everything, whatever does not hold; `digest` is that of the manifest, as it was noted elsewhere.

    It may be written in capitals, and with spaces around it.

    Raises `UsageError` where `digest` is not a SHA-256, and `UnfinishedRunError` for a run that was never sealed and so
    has nothing to be compared with: no manifest, and a journal that is right as far as it goes and has no end, or the
    end of a run that was interrupted.
    """
    digest = checked_digest(digest)
    journal = _bytes(folder / JOURNAL)
    if digest is None and not os.path.lexists(folder / MANIFEST) and isinstance(journal, bytes):
        _refuse_unfinished(folder, journal)
    return tuple(_checks(folder, journal, digest))


def checked_digest(digest: str | None) -> str | None:
    """Return the digest that was noted; raise `UsageError` where it is none."""
    digest = digest and digest.strip()
    if digest is not None and _SHA256.fullmatch(digest) is None:
        raise UsageError(f"--digest {digest}: this is not a SHA-256. Give the 64 hexadecimal digits that were noted.")
    return digest


def _refuse_unfinished(folder: Path, journal: bytes) -> None:
    try:
        begun: Begun | None = decode_begun(journal)
    except UnfinishedRunError:
        begun = None
    except JournalError:
        return  # it is not right: that is a mismatch, and is named among the checks
    if begun is None or not begun.ended or (begun.footer is not None and begun.footer.interrupted):
        stop = "says that it was interrupted" if begun is not None and begun.ended else "stops before its end"
        why = f"it has no {MANIFEST}, and its journal {stop}. There is nothing to compare it with."
        raise unfinished(folder, why, has_header=begun is not None)


def _checks(folder: Path, journal: bytes | OSError, digest: str | None) -> Iterator[Check]:
    manifest, check = _manifest(folder)
    yield check
    if digest is not None:
        yield _noted(folder, digest)
    yield from _files(folder, manifest)
    assessment, checks = _journal(journal, manifest.get(JOURNAL))
    yield from checks
    yield from _rendered_again(folder, assessment)


# --- the files, by the manifest --------------------------------------------------------------------------------------


def _manifest(folder: Path) -> tuple[Mapping[str, Sealed], Check]:
    """What the manifest says of each file, and whether it is one."""
    try:
        files = sealed_files(folder)
    except FileNotFoundError:
        detail = "is not there: the file was removed, or the reports were not finished; scan --resume finishes them"
        return {}, Check(what=MANIFEST, holds=False, detail=detail)
    except OSError as error:
        return {}, Check(what=MANIFEST, holds=False, detail=_why(error))
    except ValueError as error:
        return {}, Check(what=MANIFEST, holds=False, detail=str(error))
    return files, Check(what=MANIFEST, holds=True, detail=f"names {many(len(files), 'file')}")


def _noted(folder: Path, digest: str) -> Check:
    try:
        actual = _sha256(folder / MANIFEST)
    except OSError as error:
        return Check(what=MANIFEST, holds=False, detail=f"cannot have the digest that was noted: it {_why(error)}")
    holds = actual == digest.lower()
    other = f"has the digest {actual}, not the one given; is that of this run, and of its last state?"
    detail = "has the digest that was noted" if holds else other
    return Check(what=MANIFEST, holds=holds, detail=detail)


def _files(folder: Path, manifest: Mapping[str, Sealed]) -> Iterator[Check]:
    for name in sorted(manifest):
        if not is_file_name(name):
            detail = f"names {name!r}, which is not a file of a run: it was not read"
            yield Check(what=MANIFEST, holds=False, detail=detail)
            continue
        try:
            holds = _sha256(folder / name) == manifest[name].sha256
        except OSError as error:
            yield Check(what=name, holds=False, detail=_why(error))
        else:
            yield Check(what=name, holds=holds, detail="is as it was" if holds else "was changed")
    for path in sorted(folder.iterdir()):
        if manifest and path.name not in {MANIFEST, *manifest}:
            yield Check(what=path.name, holds=False, detail="was added: the manifest does not name it")


def _sha256(path: Path) -> str:
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _bytes(path: Path) -> bytes | OSError:
    try:
        with open_regular(path) as file:
            return file.read()
    except OSError as error:
        return error


def _why(error: OSError) -> str:
    """Why a file was not read; the rest of a sentence about it."""
    if error.errno == ENOENT:
        return "is missing"
    if error.errno == ELOOP:
        return "is a link, which this program does not make: it was not followed"
    return f"cannot be read: {error.strerror}"


# --- the journal, and what follows from it ---------------------------------------------------------------------------


def _journal(data: bytes | OSError, sealed: Sealed | None) -> tuple[Assessment | None, list[Check]]:
    """What the journal says, if it can be used, and the checks of its chain and its content."""
    if isinstance(data, OSError):
        return None, [Check(what=JOURNAL, holds=False, detail=_why(data))]
    try:
        with no_garbage_collection():
            return decide_record(decode(data)), [_chain(data, sealed)]
    except JournalError as error:
        unusable = Check(what=JOURNAL, holds=False, detail=str(error))
    try:
        check_chain(data)
        chain = _chain(data, sealed)
    except JournalError as error:
        chain = Check(what=JOURNAL, holds=False, detail=str(error))
    return None, [chain] if chain == unusable else [chain, unusable]


def _chain(data: bytes, sealed: Sealed | None) -> Check:
    """Say that the chain holds; or what is wrong at its end, where no further line follows that would show it."""
    last = data.count(b"\n")
    if sealed is None or hashlib.sha256(data).hexdigest() == sealed.sha256:
        return Check(what=JOURNAL, holds=True, detail="every line follows the one before it")
    detail = f"every line follows the one before it, but the last one, line {last}, was changed, or all of them were"
    if len(data) < sealed.bytes:
        detail = f"its end is missing: {sealed.bytes - len(data):,} bytes are missing after line {last}"
    elif hashlib.sha256(data[: sealed.bytes]).hexdigest() == sealed.sha256:
        lines = data[: sealed.bytes].count(b"\n")
        detail = f"lines were added at its end, after line {lines}"
    return Check(what=JOURNAL, holds=False, detail=detail)


def _rendered_again(folder: Path, assessment: Assessment | None) -> Iterator[Check]:
    for name, writer in _RENDERED.items():
        data = _bytes(folder / name)
        if isinstance(data, OSError):
            continue  # named among the files, if the manifest has it
        if assessment is None:
            yield Check(what=name, holds=None, detail="was not rendered again: the journal cannot be used")
        elif assessment.record.header.schema_version != SCHEMA_VERSION:
            detail = "was rendered by an earlier version of the program: not rendered again"
            yield Check(what=name, holds=None, detail=detail)
        elif (wrote := _written_by(assessment)) != __version__:
            detail = f"was rendered by version {wrote}, this is {__version__}: not rendered again"
            yield Check(what=name, holds=None, detail=detail)
        else:
            yield _same(name, data, writer, assessment)


def _written_by(assessment: Assessment) -> str:
    record = assessment.record
    return record.resumptions[-1].program_version if record.resumptions else record.header.program_version


def _same(name: str, data: bytes, writer: Callable[[View, BinaryIO], None], assessment: Assessment) -> Check:
    again = io.BytesIO()
    try:
        writer(View(assessment), again)
    except Exception:  # the types of the content are right, and its values may still be anything
        log.debug("%s cannot be rendered again", name, exc_info=True)
        return Check(what=name, holds=False, detail="cannot be rendered again from the journal")
    holds = again.getvalue() == data
    detail = "rendered again from the journal: the same bytes" if holds else "is not what the journal says"
    return Check(what=name, holds=holds, detail=detail)
