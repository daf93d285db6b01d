"""What a scan needs of the archive: the ledger, and the earlier runs that are not here, to choose one to compare with.

Of each of these runs its manifest and its summary are read. A run itself is brought only when it is to be looked at.
"""

import asyncio
import hashlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from scanner.archive.access import Archive, failing
from scanner.archive.fetch import BrokenRunError, broken, fetch_run, manifest_of, newest_state, pick
from scanner.archive.ledger_versions import bring_ledger
from scanner.archive.progress import Progress
from scanner.errors import ScannerError, StartError
from scanner.runs import folder as run_folder
from scanner.runs.folder import JOURNAL, SUMMARY

MAX_SUMMARY: Final = 20_000_000  # bytes; of 100,000 accounts it has a hundredth of that


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierRuns:
    """The finished runs of the archive that are not under `--output`."""

    uri: str
    summaries: dict[str, bytes]  # by run ID, as they were sealed
    notes: list[str] = field(default_factory=list)
    archive: Archive
    output: Path
    progress: Progress
    loop: asyncio.AbstractEventLoop

    def fetch(self, run_id: str) -> Path:
        """Bring a run, from another thread than that of the event loop.

        Raises `BrokenRunError` where it is not what was archived, and `StartError` where it cannot be had.
        """
        return asyncio.run_coroutine_threadsafe(self._fetch(run_id), self.loop).result()

    async def _fetch(self, run_id: str) -> Path:
        try:
            return (await fetch_run(self.archive, run_id, self.output, self.progress)).folder
        except BrokenRunError:
            raise
        except ScannerError as error:  # another run in its place would be compared with unnoticed
            raise StartError(str(error)) from error


async def bring_earlier(archive: Archive, output: Path, progress: Progress) -> EarlierRuns:
    """Bring the ledger, and the summaries of the runs that are not under `output`.

    Raises `FaultsError` for a ledger that has forked, and `StartError` where something cannot be read.
    """
    progress.says(f"Reading the archive {archive.place.uri()}")
    await bring_ledger(archive, output, progress)
    missing = [run_id for run_id in archive.contents.states if not (output / run_id / JOURNAL).is_file()]
    read = await asyncio.gather(*(_summary_or_why_not(archive, run_id) for run_id in missing))
    return EarlierRuns(
        uri=archive.place.uri(),
        summaries={run_id: data for run_id, data in zip(missing, read, strict=True) if isinstance(data, bytes)},
        notes=[
            *(f"An earlier run could not be compared with: {error}" for error in read if not isinstance(error, bytes)),
            *_newer_there(archive, output),
        ],
        archive=archive,
        output=output,
        progress=progress,
        loop=asyncio.get_running_loop(),
    )


def _newer_there(archive: Archive, output: Path) -> Iterator[str]:
    """Name the runs that were resumed elsewhere since they came here: the ones here are those that are looked at."""
    for run_id, states in archive.contents.states.items():
        with suppress(OSError):  # it is not here
            if (output / run_id / JOURNAL).stat().st_size < states[-1].journal_bytes:
                yield (
                    f"The archive has a later state of the run {run_id} than {output} does. To compare with that one, "
                    f"move {output / run_id} away."
                )


async def find_previous(archive: Archive, run: str, output: Path, progress: Progress) -> Path:
    """The run that `--previous` names, here or in the archive, from where it is brought. Raises as `fetch_run`."""
    if any((folder / JOURNAL).is_file() for folder in (Path(run), output / run)):
        return run_folder.find(run, output)
    here = {folder.name for folder in run_folder.all_under(output) if run_folder.is_sealed(folder)}
    run_id = pick(run, here | archive.contents.states.keys(), f"{output} and {archive.place.uri()}")
    return output / run_id if run_id in here else (await fetch_run(archive, run_id, output, progress)).folder


async def _summary_or_why_not(archive: Archive, run_id: str) -> bytes | BrokenRunError:
    try:
        return await _summary(archive, run_id)
    except BrokenRunError as error:
        return error
    except ScannerError as error:
        raise StartError(str(error)) from error


async def _summary(archive: Archive, run_id: str) -> bytes:
    """Read a run's summary; raise `BrokenRunError` where it is not the one that was sealed."""
    state = newest_state(archive, run_id)
    _, manifest = await manifest_of(archive, state)
    sealed = manifest.files.get(SUMMARY)
    if sealed is None or sealed.bytes > MAX_SUMMARY:
        raise broken(archive, state, f"it has no {SUMMARY}")
    with failing(f"{archive.place.uri(state.folder)} cannot be read"):
        data = await archive.store.read(archive.key(f"{state.folder}/{SUMMARY}"), sealed.bytes)
    if hashlib.sha256(data).hexdigest() != sealed.sha256:
        raise broken(archive, state, f"its {SUMMARY} was changed")
    return data
