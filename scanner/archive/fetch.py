"""A run brought from the archive: whole and verified before it appears under its ID, or not at all."""

import asyncio
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scanner.archive.access import Archive, failing
from scanner.archive.keys import State
from scanner.archive.progress import Progress
from scanner.errors import OutputError, ScannerError, UsageError
from scanner.files import lock, sync_folder, write_all
from scanner.runs.folder import (
    CANDIDATES,
    JOURNAL,
    LATEST,
    MANIFEST,
    MAX_MANIFEST,
    Manifest,
    is_file_name,
    manifest_bytes,
    parse_manifest,
)

RESTORE: Final = "Find out who wrote it, and restore an older version of these objects if the bucket keeps them."


class BrokenRunError(ScannerError):
    """What the archive holds under a run's ID is not what was archived, or cannot be a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A run that is here, and whether it was before."""

    folder: Path
    state: State
    new: bool
    bytes: int


def pick(run: str, run_ids: Iterable[str], where: str) -> str:
    """The run ID that RUN names among these; raise `UsageError`, with what there is, where it names none or several."""
    newest_first = sorted(run_ids, reverse=True)
    if run == LATEST and newest_first:
        return newest_first[0]
    matches = [run_id for run_id in newest_first if run and run_id.startswith(run)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        named = ", ".join(matches[:CANDIDATES]) + (" and more" if len(matches) > CANDIDATES else "")
        raise UsageError(f"{len(matches):,} runs begin with {run!r}: {named}. Write more of the ID.")
    if newest_first:
        rest = f"The newest there is {newest_first[0]}."
    else:
        rest = "It holds no finished run. Put one there: iam-scanner scan --archive, or iam-scanner archive push RUN."
    raise UsageError(f"There is no run {run!r} in {where}. {rest}")


async def manifest_of(archive: Archive, state: State) -> tuple[bytes, Manifest]:
    """Read the manifest of an archived run; raise `BrokenRunError` where it is not the one that was archived."""
    files = archive.contents.files[state]
    if files[MANIFEST] > MAX_MANIFEST:
        raise broken(archive, state, f"its {MANIFEST} is too large to be one")
    with failing(f"{archive.place.uri(state.folder)} cannot be read"):
        data = await archive.store.read(archive.key(f"{state.folder}/{MANIFEST}"), files[MANIFEST])
    if hashlib.sha256(data).hexdigest() != state.manifest:
        raise broken(archive, state, f"its {MANIFEST} was changed")
    try:
        manifest = parse_manifest(data)
    except ValueError as error:
        raise broken(archive, state, f"its {MANIFEST} {error}") from None
    journal = manifest.files.get(JOURNAL)
    if manifest.run_id != state.run_id or journal is None or journal.bytes != state.journal_bytes:
        raise broken(archive, state, f"its {MANIFEST} is that of another run")
    for name, sealed in manifest.files.items():
        if not is_file_name(name) or name == MANIFEST:
            raise broken(archive, state, f"its {MANIFEST} names {name!r}, which is not a file of a run")
        if files.get(name) != sealed.bytes:
            raise broken(archive, state, f"its {name} is {'of another size' if name in files else 'missing'}")
    return data, manifest


def newest_state(archive: Archive, run_id: str) -> State:
    """The newest state of a run; raise `BrokenRunError` where two are equally new, as one may be a forgery."""
    states = archive.contents.states[run_id]
    if len(states) > 1 and states[-2].journal_bytes == states[-1].journal_bytes:
        two = " and ".join(archive.place.uri(state.folder) for state in states[-2:])
        raise BrokenRunError(f"The archive holds two versions of the run {run_id}: {two}. {RESTORE}")
    return states[-1]


async def fetch_run(archive: Archive, run_id: str, output: Path, progress: Progress) -> Fetched:
    """Bring the newest state of a run under `output`, unless it is there already.

    Raises `BrokenRunError` where it is not what was archived, `UsageError` where another folder has its place, and
    `OutputError` where it cannot be written.
    """
    state = newest_state(archive, run_id)
    folder = output / run_id
    if _is_here(folder, state):
        await asyncio.to_thread(_check_here, folder, state)
        return Fetched(folder=folder, state=state, new=False, bytes=0)
    if folder.is_symlink() or folder.exists():
        raise UsageError(f"{folder} is there already, and is not what is archived. Move it away, or give --output.")
    data, manifest = await manifest_of(archive, state)
    total = sum(sealed.bytes for sealed in manifest.files.values())
    progress.says(f"Downloading run {run_id}")
    try:
        with _partial(output, run_id) as partial:
            done = 0
            for name, sealed in sorted(manifest.files.items()):
                digest = hashlib.sha256()
                with _new_file(partial / name) as descriptor, failing(f"The run {run_id} was not downloaded"):
                    async for part in archive.store.parts(archive.key(f"{state.folder}/{name}"), sealed.bytes):
                        digest.update(part)
                        write_all(descriptor, part)
                        done += len(part)
                        progress.transferred(done, total)
                if digest.hexdigest() != sealed.sha256:
                    raise broken(archive, state, f"its {name} was changed")
            with _new_file(partial / MANIFEST) as descriptor:
                write_all(descriptor, data)
            progress.says(f"Verifying run {run_id}")
            await _check_continues(archive, state, partial / JOURNAL)
            await asyncio.to_thread(_verify, archive, state, partial)
            sync_folder(partial)
            partial.rename(folder)
            sync_folder(output)
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be written: {error.strerror or error}. Free disk space, or give another --output."
        ) from error
    finally:
        progress.transferred(0, 0)
    return Fetched(folder=folder, state=state, new=True, bytes=total)


async def _check_continues(archive: Archive, state: State, journal: Path) -> None:
    """Raise `BrokenRunError` where an earlier state of the run is not the beginning of this one: the run has forked."""
    for earlier in archive.contents.states[state.run_id]:
        if earlier == state:
            continue
        _, manifest = await manifest_of(archive, earlier)
        if await asyncio.to_thread(_begins, journal, earlier.journal_bytes) != manifest.files[JOURNAL].sha256:
            two = " and ".join(archive.place.uri(one.folder) for one in (earlier, state))
            raise BrokenRunError(
                f"The archive holds two versions of the run {state.run_id}, and neither continues the other: {two}. "
                f"{RESTORE}"
            )


def _begins(journal: Path, length: int) -> str:
    with journal.open("rb") as file:
        return hashlib.sha256(file.read(length)).hexdigest()


def _verify(archive: Archive, state: State, folder: Path) -> None:
    """What `verify` says of it, it must say before it is taken for a run."""
    from scanner.report.verify import verify  # noqa: PLC0415  # it loads pandas, and few runs are fetched

    wrong = [check for check in verify(folder, state.manifest) if check.holds is False]
    if wrong:
        raise broken(archive, state, f"{wrong[0].what} {wrong[0].detail}")


def _is_here(folder: Path, state: State) -> bool:
    try:
        return hashlib.sha256(manifest_bytes(folder)).hexdigest() == state.manifest
    except OSError:
        return False


def _check_here(folder: Path, state: State) -> None:
    """Raise `UsageError` where the run that is here already is not what it was when it was archived."""
    from scanner.report.verify import verify  # noqa: PLC0415  # as above

    wrong = next((check for check in verify(folder, state.manifest) if check.holds is False), None)
    if wrong is not None:
        problem = f"{folder} is there already, and is not whole: {wrong.what} {wrong.detail}."
        raise UsageError(problem, "Move it away, or give --output.")


def broken(archive: Archive, state: State, why: str) -> BrokenRunError:
    """Say what is wrong with a run in the archive, and where it is."""
    return BrokenRunError(f"The run {state.run_id} in {archive.place.uri(state.folder)} is not whole: {why}. {RESTORE}")


@contextmanager
def _partial(output: Path, run_id: str) -> Iterator[Path]:
    """A folder beside the run's place, empty and 0700; gone afterwards, unless it was put in that place.

    What a fetch that was killed left in it goes. Two fetches of one run do not meet in it.
    """
    output.mkdir(parents=True, exist_ok=True)
    partial = output / f".{run_id}.partial"
    partial.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(partial, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        lock(descriptor, partial, busy=f"Another process is downloading the run {run_id}. Wait until it ends.")
        for left in partial.iterdir():
            left.unlink()
        try:
            yield partial
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
    finally:
        os.close(descriptor)


@contextmanager
def _new_file(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        yield descriptor
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
