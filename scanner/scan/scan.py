"""The scan: check all that was given, find out who calls, stream the accounts, read each, and keep the record.

Everything that can be wrong in what the user gave is found before any account is entered and anything is written.
"""

import asyncio
import platform
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from scanner import __version__
from scanner.aws.clients import Clients
from scanner.aws.failures import failure
from scanner.errors import InterruptedRunError
from scanner.model import Account, AccountScan, Failed, FailReason, Failure, Skipped
from scanner.record import Footer, Header, Listing
from scanner.runs import folder as run
from scanner.runs.journal import SCHEMA_VERSION, Begun
from scanner.runs.stored import whose
from scanner.scan.account import scan_account
from scanner.scan.baseline import History, gather
from scanner.scan.collect import collect
from scanner.scan.prepare import Inputs, Job, Ready, make_ready
from scanner.scan.progress import Progress
from scanner.scan.scope import Placement, Plan, place
from scanner.settings import Settings

_INTERRUPTED = Failure(
    reason=FailReason.INCOMPLETE_LISTING,
    call="organizations:ListAccounts",
    code=None,
    detail="The run was interrupted before all accounts were listed.",
    remedy="Resume it: iam-scanner scan --resume.",
)
_LIBRARIES = ("aioboto3", "aiobotocore", "boto3", "botocore", "openpyxl", "pandas", "pydantic", "ruamel.yaml")


async def scan(inputs: Inputs, progress: Progress) -> Path:
    """Run the scan to the journal's end; return the run's folder, ready to be rendered.

    When the task is cancelled, the accounts in hand are dropped, the journal is brought to its end all the same, and
    `InterruptedRunError` says how to go on.
    """
    settings = inputs.settings
    async with Clients(profile=settings.profile, concurrency=settings.concurrency) as clients:
        ready = await make_ready(inputs, clients, progress)
        progress.says("Reading earlier runs")
        ours = whose(ready.job.organization, ready.job.connection.caller)
        past = await asyncio.to_thread(gather, settings, ours, ready.job.selection)  # Ctrl-C need not wait
        ready = replace(ready, notes=(*ready.notes, *past.notes))
        header = _header(inputs, ready.job, past)
        folder = run.create(settings.output, header.run_id)
        with run.Journal(folder) as journal:
            await journal.append(header)
            await keep(ready, settings, journal, progress)
    return folder


async def keep(
    ready: Ready, settings: Settings, journal: run.Journal, progress: Progress, begun: Begun | None = None
) -> None:
    """Collect into the journal and bring that to its end, also when the task is cancelled meanwhile.

    `begun` is what the journal holds already, where a run goes on.
    """
    progress.says("Scanning")
    population = _Population(ready, progress, begun)
    interrupted = False
    try:
        await _collect(population, settings, journal)
    except asyncio.CancelledError:
        interrupted = True
        if not population.listed and not (begun and begun.listing):  # half a listing must not take a whole one's place
            await journal.append(population.listing(_INTERRUPTED))
    meter = ready.job.connection.clients.meter
    await journal.append(
        Footer(
            finished_at=datetime.now(UTC),
            api_calls=dict(sorted(meter.calls.items())),
            throttled=meter.throttled,
            interrupted=interrupted,
        )
    )
    if interrupted:
        raise InterruptedRunError(
            f"Interrupted. What was read is kept. Resume with: {run.resume_command(journal.folder)}"
        )


class _Population:
    """The accounts as they are found, and in the end the listing of them."""

    def __init__(self, ready: Ready, progress: Progress, begun: Begun | None) -> None:
        self.ready = ready
        self.begun = begun
        self.progress = progress
        self.listed = False
        self._known: list[Account] = []

    async def in_scope(self) -> AsyncIterator[tuple[Account, Placement]]:
        async for account in self.ready.job.source.accounts():
            self._known.append(account)
            placement = place(account, self.ready.job.selection)
            self.progress.met(placement)
            if placement.plan is not Plan.OUTSIDE:
                yield account, placement
        self.progress.listed()

    def listing(self, problem: Failure | None = None) -> Listing:
        self.listed = True
        listing = self.ready.job.source.listing(self._known, self.ready.job.selection)
        listing = replace(listing, problem=problem or listing.problem, notes=(*listing.notes, *self.ready.notes))
        gone = _gone(self.begun, listing) if self.begun else ()
        return replace(listing, notes=(*listing.notes, *gone))


def _gone(begun: Begun, listing: Listing) -> tuple[str, ...]:
    """Name the accounts that were in scope when the run stopped, and are no more: no report has them."""
    gone = sorted(begun.scans.keys() - listing.in_scope)
    if listing.problem is not None or not gone:  # what was not listed may be there all the same
        return ()
    which = f"In scope when the run stopped, but no longer when it was resumed: {', '.join(gone)}."
    return (f"{which} What was read of them stays in the journal, and is not in the reports.",)


async def _collect(population: _Population, settings: Settings, journal: run.Journal) -> None:
    ready = population.ready
    read = population.begun.read if population.begun else frozenset()

    async def unread() -> AsyncIterator[tuple[Account, Placement]]:
        async for account, placement in population.in_scope():
            if account.id not in read:
                yield account, placement
        await journal.append(population.listing())

    async def work(item: tuple[Account, Placement], release: Callable[[], None]) -> AccountScan:
        account, placement = item
        if placement.plan is Plan.SCAN:
            return await scan_account(account, ready.entrance, release)
        return _not_scanned(account, placement)

    async for result in collect(unread(), work, settings.concurrency):
        await journal.append(result)
        population.progress.finished(result, ready.job.connection.clients.meter)


def _not_scanned(account: Account, placement: Placement) -> AccountScan:
    if placement.skip is not None:
        return Skipped(account_id=account.id, reason=placement.skip, detail=placement.detail)
    unknown = failure(
        FailReason.OU_UNKNOWN,
        "organizations:ListParents",
        "The account is listed, but where in the organization it is could not be found.",
    )
    return Failed(account_id=account.id, failure=unknown, role_arn=None, scanned_at=datetime.now(UTC))


def _header(inputs: Inputs, job: Job, past: History) -> Header:
    started_at = datetime.now(UTC).replace(microsecond=0)
    return Header(
        schema_version=SCHEMA_VERSION,
        program_version=__version__,
        versions=_versions(),
        run_id=run.new_run_id(started_at),
        started_at=started_at,
        as_of=inputs.settings.as_of or started_at.date(),
        settings=inputs.settings.with_(external_id=None),
        external_id_given=inputs.settings.external_id is not None,
        safelists=inputs.texts,
        account_owners=inputs.owners,
        caller=job.connection.caller,
        organization=job.organization,
        session_policies=job.connection.policies,
        previous_run=past.previous,
        decisions=past.decisions,
        trend=past.trend,
        accounts_file=inputs.accounts_file.text if inputs.accounts_file else None,
    )


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for library in _LIBRARIES:
        try:
            versions[library] = version(library)
        except PackageNotFoundError:  # installed in a way that keeps no metadata
            versions[library] = "unknown"
    return versions
