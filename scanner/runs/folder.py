"""A run's folder: the journal as it grows, the manifest that seals it, and finding and reading it again.

The folder is 0700 and its files 0600, as they name people and what they may do. Files appear whole or not at all. The
manifest is written last: a folder without it is not a finished run.
"""

import asyncio
import hashlib
import json
import os
import re
import secrets
import shlex
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Annotated, Final, Literal, Self, TypeVar

from pydantic import NonNegativeInt, StringConstraints, TypeAdapter, ValidationError

from scanner import __version__
from scanner.errors import OutputError, UsageError
from scanner.files import lock, open_regular, sha256, whole, write_all
from scanner.record import Listing, Record
from scanner.runs.journal import (
    NO_LINE,
    Begun,
    JournalError,
    Line,
    UnfinishedRunError,
    decode,
    decode_begun,
    decode_listing,
    encode,
)

T = TypeVar("T")

JOURNAL: Final = "journal.jsonl"
MANIFEST: Final = "manifest.json"
SUMMARY: Final = "summary.json"
EVALUATION: Final = "evaluation.json"  # of a what-if, in a folder that is no run
MAX_MANIFEST: Final = 1_000_000  # bytes
FSYNC_SECONDS: Final = 1.0
LATEST: Final = "latest"  # what RUN takes for: the newest run
CANDIDATES: Final = 5  # named where the beginning of an id fits several
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")  # of every file that a run holds
_RUN_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}", re.ASCII)


def new_run_id(started_at: datetime) -> str:
    """An id that sorts by the run's start (UTC) and is unique: "20261123T164100Z-1a2b3c"."""
    return f"{started_at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def is_run_id(text: str) -> bool:
    return _RUN_ID.fullmatch(text) is not None


def is_file_name(text: str) -> bool:
    """Whether a file of a run may be called so: nothing that leads elsewhere, and nothing that is hidden."""
    return _FILE_NAME.fullmatch(text) is not None


def create(output: Path, run_id: str) -> Path:
    """Make the run's folder; raise `OutputError` where it cannot be made."""
    folder = output / run_id
    try:
        output.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise OutputError(
            f"The folder {folder} cannot be made: {error.strerror}.",
            "Give a folder that can be written to with --output.",
        ) from error
    return folder


def try_out(output: Path) -> None:
    """Begin a run under `output` as a scan does, and take all of it away again.

    Raises `OutputError` where a folder cannot be made there, or a journal not be written and locked.
    """
    made = [folder for folder in (output, *output.parents) if not folder.exists()]
    name = f".trial-{secrets.token_hex(6)}"
    try:
        with Journal(create(output, name)):
            pass
    except OSError as error:
        problem = f"The folder {output} cannot be written to: {error.strerror}."
        raise OutputError(problem, "Give another one with --output.") from error
    finally:
        shutil.rmtree(output / name, ignore_errors=True)
        for folder in made:
            with suppress(OSError):  # somebody else may have put something there meanwhile
                folder.rmdir()


class Journal:
    """Appends lines. Each is handed to the system at once, and forced to the disk once a second and at the end.

    The file is locked while it is open: two processes on one run would break its chain.
    """

    def __init__(self, folder: Path, begun: Begun | None = None) -> None:
        """Start a journal; with `begun`, continue the one that is there behind its last whole line."""
        flags = os.O_WRONLY | os.O_APPEND if begun else os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
        self._descriptor = os.open(folder / JOURNAL, flags, 0o600)
        self.folder = folder
        self._previous = begun.last if begun else NO_LINE
        self._synced = time.monotonic()
        self._failed: OutputError | None = None
        try:
            _lock(self._descriptor, folder)
            if begun:
                _make_ready(self._descriptor, folder, begun)
        except BaseException:
            os.close(self._descriptor)
            if begun is None:  # a run that cannot begin leaves nothing behind
                (folder / JOURNAL).unlink()
                folder.rmdir()
            raise

    async def append(self, line: Line) -> None:
        """Write one line; raise `OutputError` where the disk does not take it whole.

        Then it takes no further one: behind half a line, a whole one would be lost, too.
        """
        if self._failed:
            raise self._failed
        data, digest = encode(line, self._previous)
        try:
            write_all(self._descriptor, data)
            self._previous = digest  # before anything is awaited: the next line may come meanwhile
            if time.monotonic() - self._synced >= FSYNC_SECONDS:
                self._synced = time.monotonic()
                await asyncio.to_thread(os.fsync, self._descriptor)
        except OSError as error:
            self._failed = self._failure(error)
            raise self._failed from error

    def _failure(self, error: OSError) -> OutputError:
        rest = f"What was read is kept. When there is space, resume with: {resume_command(self.folder)}"
        if self._previous == NO_LINE:
            rest = "Nothing was read. Free disk space, or give another --output."
        return OutputError(f"{self.folder / JOURNAL} cannot be written: {error.strerror or error}. {rest}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            os.fsync(self._descriptor)
        except OSError as problem:
            if error is None:
                raise self._failure(problem) from problem
        finally:
            os.close(self._descriptor)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other processes off a run while its reports are written; raise `UsageError` where one is at work on it."""
    descriptor = os.open(folder / JOURNAL, os.O_RDWR)
    try:
        _lock(descriptor, folder)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: Path) -> None:
    lock(descriptor, folder, busy=f"Another process is working on {folder}. Wait until it ends, or stop it.")


def _make_ready(descriptor: int, folder: Path, begun: Begun) -> None:
    """Take back what sealed the run, and the line that was cut off; what is then appended follows the chain."""
    size = os.fstat(descriptor).st_size
    if size < begun.length or (size > begun.length and not begun.torn):
        raise UsageError(f"The journal in {folder} has changed since it was read. Try again.")
    (folder / MANIFEST).unlink(missing_ok=True)
    os.truncate(descriptor, begun.length)


def read(folder: Path) -> Record:
    """Read a run's journal; raise `JournalError` where it is not whole, and `UsageError` where there is none."""
    return _read(folder, decode)


def read_begun(folder: Path) -> Begun:
    """Read a run's journal as far as it goes; raise `JournalError` where a whole line is wrong."""
    return _read(folder, decode_begun)


def read_listing(folder: Path) -> Listing | None:
    """Read no more of a run's journal than what it lists; None where it got not so far.

    Nothing is checked against the chain: this is for what helps, and not for what counts. Raises OSError where the
    journal cannot be read, and what `decode_listing` raises.
    """
    with (folder / JOURNAL).open("rb") as lines:
        return next(filter(None, map(decode_listing, lines)), None)


def is_sealed(folder: Path) -> bool:
    return (folder / MANIFEST).is_file()


_Sha256 = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """What the manifest says of a file."""

    sha256: _Sha256
    bytes: NonNegativeInt


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What seals a run."""

    schema_version: Literal[1]
    program_version: str
    run_id: str
    journal_sha256: _Sha256
    files: dict[str, Sealed]  # by name; the names are as the manifest has them, and may lead anywhere


_MANIFEST = TypeAdapter(Manifest)


def sealed_files(folder: Path) -> Mapping[str, Sealed]:
    """What the manifest says of each file.

    Raises OSError where there is no manifest, and ValueError, saying why, where it is not one that this program wrote.
    """
    return parse_manifest(manifest_bytes(folder)).files


def manifest_bytes(folder: Path) -> bytes:
    """The manifest as it is stored, or the beginning of what is too large for one; raises OSError."""
    with open_regular(folder / MANIFEST) as file:
        return file.read(MAX_MANIFEST + 1)


def parse_manifest(data: bytes) -> Manifest:
    """Read a manifest; raise ValueError, saying why, where it is not one that this program wrote."""
    if len(data) > MAX_MANIFEST:
        raise ValueError(f"is larger than {MAX_MANIFEST:,} bytes, so it is not a manifest")
    try:
        return _MANIFEST.validate_json(data, strict=True)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        at = ".".join(map(str, fault["loc"]))
        why = f'"{at}" in it is missing or not valid' if at else "it is not a JSON object"
        raise ValueError(f"is not a manifest that this program writes: {why}") from error


def all_under(output: Path) -> tuple[Path, ...]:
    """The folders of runs, finished or not, by their start."""
    return tuple(sorted(path for path in output.glob("*") if is_run_id(path.name) and (path / JOURNAL).is_file()))


def _read(folder: Path, decoder: Callable[[bytes], T]) -> T:
    """Decode a run's journal; what is wrong is said with the folder, as a command may read several."""
    try:
        return decoder((folder / JOURNAL).read_bytes())
    except OSError as error:
        raise UsageError(
            f"{folder} is not the folder of a run: its {JOURNAL} cannot be read: {error.strerror}."
        ) from error
    except UnfinishedRunError as error:
        raise unfinished(folder, str(error), has_header=error.has_header) from error
    except JournalError as error:
        raise JournalError(f"{folder}: {error}") from error


def unfinished(folder: Path, why: str, *, has_header: bool) -> UnfinishedRunError:
    """Say that a run was named which is not finished, why that is known, and how to resume it."""
    remedy = f"Resume it: {resume_command(folder)}" if has_header else "Start a new run."
    return UnfinishedRunError(f"The run {folder} is not finished: {why} {remedy}", has_header=has_header)


def find(run: str, output: Path, *, finished: bool = True) -> Path:
    """The folder that RUN names; raise `UsageError`, with what there is, where it names none or several.

    It is a folder, the id of a run under `output`, the unique beginning of such an id, or `latest`: the newest finished
    run there; with `finished=False`, as for a resume, the newest one whether finished or not.
    """
    if not run:
        raise UsageError("RUN is empty. Name a run: its folder, its ID, or latest.")
    runs = all_under(output)
    if run == LATEST:
        return _latest(runs, output, finished=finished)
    places = (Path(run), output / run)
    for folder in places:
        if (folder / JOURNAL).is_file():
            return folder
    matches = [path for path in reversed(runs) if path.name.startswith(run)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise UsageError(f"{len(matches):,} runs begin with {run!r}: {_named(matches)}. Write more of the ID.")
    for folder in places:
        if (folder / EVALUATION).is_file():
            raise UsageError(
                f"{folder} is not a run: it is an evaluation of one, and only diff takes it "
                "(iam-scanner diff RUN EVALUATION). Name the run that it was made from."
            )
        if folder.is_dir():
            raise UsageError(
                f"{folder} is not a run: it holds no {JOURNAL}. What report and evaluate write is not one either; "
                "name the run that it was made from."
            )
    newest = f" The newest there is {runs[-1].name}." if runs else ""
    raise UsageError(f"There is no run {run!r}, neither as a folder nor under {output}.{newest}")


def _latest(runs: Sequence[Path], output: Path, *, finished: bool) -> Path:
    for folder in reversed(runs):
        if not finished or is_sealed(folder):
            return folder
    if runs:
        rest = f"The newest there is not finished. Resume it: {resume_command(runs[-1])}"
    else:
        rest = "Start one with iam-scanner scan, or name the folder that holds the runs with --output."
    raise UsageError(f"There is no {'finished ' if finished else ''}run under {output}. {rest}")


def _named(runs: Sequence[Path]) -> str:
    more = len(runs) - CANDIDATES
    return ", ".join(path.name for path in runs[:CANDIDATES]) + (f" and {more:,} more" if more > 0 else "")


def resume_command(folder: Path) -> str:
    """The command that resumes the run."""
    return f"iam-scanner scan --resume {shlex.quote(str(folder))}"


def seal(folder: Path, files: Iterable[str], journal_digest: str) -> str:
    """Write the manifest over the journal and `files`; return its own SHA-256, to be noted elsewhere."""
    manifest = {
        "schema_version": 1,
        "program_version": __version__,
        "run_id": folder.name,
        "journal_sha256": journal_digest,
        "files": {
            name: {"sha256": sha256(folder / name), "bytes": (folder / name).stat().st_size}
            for name in sorted({JOURNAL, *files})
        },
    }
    data = (json.dumps(manifest, indent=2) + "\n").encode("ascii")
    try:
        with whole(folder / MANIFEST) as file:
            file.write(data)
    except OSError as error:
        raise OutputError(
            f"Cannot write {folder / MANIFEST}: {error.strerror or error}. Free disk space, or correct the permissions."
        ) from error
    return hashlib.sha256(data).hexdigest()
