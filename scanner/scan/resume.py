"""Resume a run: what it was started with comes from its journal, and only accounts that were not read are called."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from scanner import __version__
from scanner.archive.access import open_archive
from scanner.aws.clients import Clients
from scanner.errors import UsageError
from scanner.model import Caller
from scanner.record import Header, Resumption
from scanner.runs import folder as run_folder
from scanner.runs.journal import Begun
from scanner.safelist.entries import parse
from scanner.scan.account_sources import FromFile
from scanner.scan.prepare import Inputs, Ready, make_ready
from scanner.scan.progress import Progress
from scanner.scan.scan import keep

RESUMABLE = timedelta(days=7)


def inputs_of(begun: Begun, changes: Mapping[str, object]) -> Inputs:
    """What a run was started with, as its journal has it; `changes` are the settings that may differ on a resume.

    Raises `UsageError` where the run is too old, or needs an ExternalId that was not given again.
    """
    header = begun.header
    if datetime.now(UTC) - header.started_at > RESUMABLE:
        raise UsageError(f"The run began on {header.started_at:%Y-%m-%d}, more than seven days ago. Start a new run.")
    settings = header.settings.with_(as_of=header.as_of, **changes)
    if header.external_id_given and settings.external_id is None:
        raise UsageError("The run was started with an external ID, which is not stored: give --external-id again.")
    file = settings.accounts_file
    return Inputs(
        settings=settings,
        texts=header.safelists,
        safelist=parse(header.safelists),
        owners=header.account_owners,
        accounts_file=FromFile(file, header.accounts_file) if file else None,
    )


async def resume(folder: Path, begun: Begun, inputs: Inputs, progress: Progress) -> None:
    """Resume a run that was interrupted or is incomplete: only accounts that were not read are called."""
    settings = inputs.settings
    async with Clients(profile=settings.profile, concurrency=settings.concurrency) as clients:
        ready = await make_ready(inputs, clients, progress)
        _check_organization(folder, begun.header, ready)
        if settings.archive is not None:  # it would be a pity to learn afterwards that it cannot be used
            await open_archive(settings, ready.own, ready.caller)
        if begun.footer is not None:  # counts continue
            clients.meter.calls.update(begun.footer.api_calls)
            clients.meter.throttled += begun.footer.throttled
        with run_folder.Journal(folder, begun) as journal:
            await journal.append(_resumption(begun, ready.caller))
            await keep(ready, journal, progress, begun)


async def resume_with_reports(folder: Path, begun: Begun) -> None:
    """Record in the journal that a run that only lacks its reports gets them now, and by which program version."""
    with run_folder.Journal(folder, begun) as journal:
        await journal.append(_resumption(begun, None))
        if begun.footer is not None:
            await journal.append(begun.footer)


def _resumption(begun: Begun, caller: Caller | None) -> Resumption:
    return Resumption(
        resumed_at=datetime.now(UTC),
        program_version=__version__,
        caller=caller,
        killed=not begun.ended,
        torn=begun.torn,
    )


def _check_organization(folder: Path, header: Header, ready: Ready) -> None:
    if (ready.organization, ready.caller.partition) != (header.organization, header.caller.partition):
        raise UsageError(
            f"{folder} is a run of another organization than the caller's. Use credentials of the organization that "
            "it was started in."
        )
