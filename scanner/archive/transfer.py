"""`archive push` and `archive pull`: a run between here and the archive, and the ledger with it."""

import shlex
from dataclasses import dataclass
from pathlib import Path

from scanner.archive.access import connected
from scanner.archive.fetch import Fetched, fetch_run, pick
from scanner.archive.ledger_versions import bring_ledger, store_ledger
from scanner.archive.progress import Progress
from scanner.archive.store_run import Stored, store_run
from scanner.errors import UsageError
from scanner.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """A run that is in the archive."""

    run: Stored
    uri: str  # where
    ledger: bool  # put there now


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """A run that is here."""

    run: Fetched
    uri: str  # from where
    ledger: bool  # brought now


def check_whole(folder: Path) -> None:
    """Raise `UsageError` for a run that `verify` would not take: nobody could ever bring it back from the archive."""
    from scanner.report.verify import verify  # noqa: PLC0415  # it loads pandas, and a scan does without

    wrong = next((check for check in verify(folder, None) if check.holds is False), None)
    if wrong is not None:
        raise UsageError(
            f"The run {folder} is not archived, as it is not what it was when it ended: {wrong.what} {wrong.detail}. "
            f"See all of it: iam-scanner verify {shlex.quote(str(folder))}"
        )


async def push(settings: Settings, folder: Path, output: Path, progress: Progress) -> Pushed:
    """Put a finished run, and the ledger beside it, into the archive that the settings name."""
    async with connected(settings, progress) as archive:
        run = await store_run(archive, folder, progress)
        ledger = await store_ledger(archive, output, progress)
        return Pushed(run=run, uri=archive.place.uri(run.state.folder), ledger=ledger)


async def pull(settings: Settings, run: str, progress: Progress) -> Pulled:
    """Bring the run that RUN names in the archive, and the ledger, under `--output`."""
    async with connected(settings, progress) as archive:
        run_id = pick(run, archive.contents.states, archive.place.uri())
        fetched = await fetch_run(archive, run_id, settings.output, progress)
        ledger = await bring_ledger(archive, settings.output, progress)
        return Pulled(run=fetched, uri=archive.place.uri(fetched.state.folder), ledger=ledger)
