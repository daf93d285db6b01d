"""A finished run put into the archive: its files, and the manifest last, as a run without its manifest is none."""

import hashlib
import shlex
from dataclasses import dataclass
from pathlib import Path

from scanner.archive.access import Archive, failing
from scanner.archive.fetch import RESTORE, manifest_of
from scanner.archive.keys import State
from scanner.archive.progress import Progress
from scanner.aws.object_store import FileChangedError
from scanner.errors import OutputError, ScannerError, UsageError
from scanner.files import open_regular
from scanner.runs import folder as run_folder
from scanner.runs.folder import JOURNAL, MANIFEST, Manifest, Sealed, is_file_name, manifest_bytes, parse_manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A run that is in the archive, and how much of it was put there now."""

    state: State
    files: int
    sent: int  # files
    bytes: int  # of all files


async def store_run(archive: Archive, folder: Path, progress: Progress) -> Stored:
    """Put a finished run into the archive, as far as it is not there; files that are there with these bytes stay.

    Raises `UsageError` where the run is not finished or has changed since it was, or where the archive holds something
    else in its place; and `ScannerError` where a call fails: the same again then puts what is missing.
    """
    with run_folder.locked(folder):  # nobody resumes it meanwhile
        data, manifest = _sealed(folder)
        journal = manifest.files[JOURNAL]
        state = State(manifest.run_id, journal.bytes, hashlib.sha256(data).hexdigest())
        for earlier in archive.contents.states.get(state.run_id, ()):
            if earlier != state:
                await _check_continues(archive, earlier, folder, journal)
        there = archive.contents.files.get(state, {})
        files = {**dict(sorted(manifest.files.items())), MANIFEST: Sealed(sha256=state.manifest, bytes=len(data))}
        total, sent = sum(sealed.bytes for sealed in files.values()), 0
        progress.says(f"Archiving run {state.run_id}")
        upload = _Upload(archive, state, folder, progress, total)
        try:
            for name, sealed in files.items():
                sent += await upload.put(name, sealed, there=name in there)
        finally:
            progress.transferred(0, 0)
    return Stored(state=state, files=len(files), sent=sent, bytes=total)


class _Upload:
    """One state of a run on its way."""

    def __init__(self, archive: Archive, state: State, folder: Path, progress: Progress, total: int) -> None:
        self._archive = archive
        self._state = state
        self._folder = folder
        self._progress = progress
        self._total = total
        self._done = 0

    def _sent(self, count: int) -> None:
        self._done += count
        self._progress.transferred(self._done, self._total)

    async def put(self, name: str, sealed: Sealed, *, there: bool) -> bool:
        """Put one file, unless it is there already; tell whether it was put."""
        path, before = self._folder / name, self._done
        store, key = self._archive.store, self._archive.key(f"{self._state.folder}/{name}")
        with failing(f"{path} was not archived"):
            if not there:
                try:
                    with open_regular(path) as file:
                        if await store.put(key, file, sealed.bytes, sealed.sha256, self._sent):
                            return True
                except (FileChangedError, OSError):
                    raise _changed(self._folder, name) from None
            size = (await store.keys(key)).get(key)
            if size is None:
                raise ScannerError(f"{path} was not archived: S3 refused it, and has no other object there. Try again.")
            digest = hashlib.sha256()
            async for part in store.parts(key, size):
                digest.update(part)
        if (size, digest.hexdigest()) != (sealed.bytes, sealed.sha256):
            raise UsageError(
                f"Somebody else wrote s3://{store.bucket}/{key} first, and not what is in {path}. "
                f"Nothing was overwritten. {RESTORE}"
            )
        self._sent(before + sealed.bytes - self._done)
        return False


def _sealed(folder: Path) -> tuple[bytes, Manifest]:
    try:
        data = manifest_bytes(folder)
        manifest = parse_manifest(data)
    except FileNotFoundError:
        run_folder.read_begun(folder)  # says it, where not even its first line is there
        why = f"it has no {MANIFEST}, and only a finished run is archived."
        raise run_folder.unfinished(folder, why, has_header=True) from None
    except OSError as error:
        raise OutputError(f"{folder / MANIFEST} cannot be read: {error.strerror}. Correct its permissions.") from error
    except ValueError as error:
        raise UsageError(f"{folder / MANIFEST} {error}. Restore it from a backup.") from error
    if JOURNAL not in manifest.files or not all(map(is_file_name, manifest.files)) or MANIFEST in manifest.files:
        raise _changed(folder, MANIFEST)
    return data, manifest


async def _check_continues(archive: Archive, earlier: State, folder: Path, journal: Sealed) -> None:
    """Refuse a run where the archive holds a state of it that is not an earlier one of this very run."""
    _, manifest = await manifest_of(archive, earlier)
    if earlier.journal_bytes < journal.bytes:
        with open_regular(folder / JOURNAL) as file:
            beginning = file.read(earlier.journal_bytes)
        if hashlib.sha256(beginning).hexdigest() == manifest.files[JOURNAL].sha256:
            return
    raise UsageError(
        f"Somebody else archived the run {earlier.run_id} first, and what is in {folder} does not continue it: see "
        f"{archive.place.uri(earlier.folder)}. Nothing was overwritten. To have that one, move this folder away, and "
        f"run: iam-scanner archive pull {earlier.run_id}"
    )


def _changed(folder: Path, name: str) -> UsageError:
    return UsageError(
        f"{folder / name} is not what it was when the run ended, so the run is not archived. "
        f"Look at it: iam-scanner verify {shlex.quote(str(folder))}"
    )
