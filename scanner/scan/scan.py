"""The scan: check all that was given, find out who calls, stream the accounts, read each, and keep the record.

Everything that can be wrong in what the user gave is found before any account is entered and anything is written.
"""

import asyncio
import platform
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from scanner import __version__
from scanner.archive.access import open_archive
from scanner.archive.earlier_runs import bring_earlier, find_previous
from scanner.aws.clients import Clients
from scanner.aws.failures import failure
from scanner.errors import InterruptedRunError
from scanner.model import AccountId, AccountScan, Failed, FailReason, Failure, Skipped
from scanner.record import Footer, Header, Listing
from scanner.runs import folder as run_folder
from scanner.runs.journal import SCHEMA_VERSION, Begun
from scanner.runs.stored import organization_key
from scanner.scan.account import scan_account
from scanner.scan.baseline import NONE, History, gather
from scanner.scan.collect import collect
from scanner.scan.owner_tags import GRACE, TagReading
from scanner.scan.population import Population
from scanner.scan.prepare import Inputs, Ready, entrance, make_ready
from scanner.scan.progress import Progress
from scanner.scan.scope import Placed, Plan

_INTERRUPTED = Failure(
    reason=FailReason.INCOMPLETE_LISTING,
    call="organizations:ListAccounts",
    code=None,
    detail="The run was interrupted before all accounts were listed.",
    remedy="Resume it: iam-scanner scan --resume RUN.",
)
_LIBRARIES = ("aioboto3", "aiobotocore", "boto3", "botocore", "openpyxl", "pandas", "pydantic", "ruamel.yaml")


async def scan(inputs: Inputs, progress: Progress) -> Path:
    """Run the scan to the journal's end; return the run's folder, ready to be rendered.

    When the task is cancelled, the accounts in hand are dropped, the journal is brought to its end all the same, and
    `InterruptedRunError` says how to resume.
    """
    settings = inputs.settings
    async with Clients(profile=settings.profile, concurrency=settings.concurrency) as clients:
        ready = await make_ready(inputs, clients, progress)
        archived = None
        if settings.archive is not None:
            archive = await open_archive(settings, ready.own, ready.caller)
            archived = await bring_earlier(archive, settings.output, progress)
            if settings.previous not in (None, NONE):
                previous = await find_previous(archive, settings.previous, settings.output, progress)
                settings = settings.with_(previous=str(previous))
                inputs = replace(inputs, settings=settings)
        progress.says("Reading earlier runs")
        ours = organization_key(ready.organization, ready.caller)
        past = await asyncio.to_thread(gather, settings, ours, ready.selection, archived)  # Ctrl-C need not wait
        ready = replace(ready, notes=(*ready.notes, *past.notes))
        header = _header(inputs, ready, past)
        folder = run_folder.create(settings.output, header.run_id)
        with run_folder.Journal(folder) as journal:
            await journal.append(header)
            await keep(ready, journal, progress)
    return folder


async def keep(ready: Ready, journal: run_folder.Journal, progress: Progress, begun: Begun | None = None) -> None:
    """Read the accounts into the journal and bring that to its end, also when the task is cancelled meanwhile.

    `begun` is what the journal already holds of a run that is resumed.
    """
    progress.says("Scanning")
    scan = _Scan(ready, journal, progress, begun)
    interrupted = False
    try:
        await scan.run()
    except asyncio.CancelledError:
        interrupted = True
        if not scan.listed and not (begun and begun.listing):  # half a listing must not take a whole one's place
            await journal.append(scan.listing(_INTERRUPTED))
    if scan.owner_tags:
        await journal.append(scan.owner_tags.result())
    meter = ready.own.clients.meter
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
            f"Interrupted. What was read is kept. Resume with: {run_folder.resume_command(journal.folder)}"
        )


class _Scan:
    """The accounts of one run, from the enumeration into the journal."""

    def __init__(self, ready: Ready, journal: run_folder.Journal, progress: Progress, begun: Begun | None) -> None:
        self._ready = ready
        self._journal = journal
        self._progress = progress
        self._begun = begun
        self._population = Population(ready.source, ready.selection, progress)
        self._entrance = entrance(ready)
        self.owner_tags = _tag_reading(ready, begun)
        self.listed = False  # whether the listing is in the journal

    async def run(self) -> None:
        """Read every account in scope that was not read before. All that it started has ended when it ends."""
        results = collect(self._unread(), self._read, self._ready.settings.concurrency)
        try:
            async with aclosing(results):
                async for result in results:
                    await self._journal.append(result)
                    self._progress.finished(result, self._ready.own.clients.meter)
            if self.owner_tags and self.owner_tags.is_under_way:
                self._progress.says(f"Reading the rest of the account owners, for {GRACE:.0f} seconds at most")
                await self.owner_tags.finish()
        finally:
            if self.owner_tags:
                await self.owner_tags.stop()

    async def _unread(self) -> AsyncGenerator[Placed, None]:
        read = self._begun.read if self._begun else frozenset()
        async with aclosing(self._population.accounts()) as accounts:
            async for placed in accounts:
                if placed.placement.in_scope and placed.account.id not in read:
                    yield placed
        listing = self.listing()
        self.listed = True
        await self._journal.append(listing)
        if self.owner_tags:
            self.owner_tags.start(self._without_owner())

    def _without_owner(self) -> list[AccountId]:
        """The accounts in scope that the file of owners does not name, those first that are scanned."""
        placed = [one for one in self._population.placed if one.placement.in_scope]
        placed.sort(key=lambda one: one.placement.plan is not Plan.SCAN)
        return [one.account.id for one in placed if not self._ready.owners.get(one.account.id)]

    async def _read(self, placed: Placed, release: Callable[[], None]) -> AccountScan:
        if placed.placement.plan is Plan.SCAN:
            return await scan_account(placed.account, self._entrance, release)
        return _not_scanned(placed)

    def listing(self, problem: Failure | None = None) -> Listing:
        """What was found, with this problem where the enumeration was interrupted."""
        listing = self._population.listing()
        listing = replace(listing, problem=problem or listing.problem, notes=(*listing.notes, *self._ready.notes))
        gone = _gone(self._begun, listing) if self._begun else ()
        return replace(listing, notes=(*listing.notes, *gone))


def _tag_reading(ready: Ready, begun: Begun | None) -> TagReading | None:
    """None where no tags are asked for."""
    key, concurrency = ready.settings.account_owner_tag, ready.settings.concurrency
    if key is None or ready.organizations is None:
        return None
    return TagReading(ready.organizations, key, concurrency, begun.owner_tags if begun else None)


def _gone(begun: Begun, listing: Listing) -> tuple[str, ...]:
    """Name the accounts that were in scope when the run stopped, and are no more: no report has them."""
    gone = sorted(begun.scans.keys() - listing.in_scope)
    if listing.problem is not None or not gone:  # what was not listed may be there all the same
        return ()
    which = f"In scope when the run stopped, but no longer when it was resumed: {', '.join(gone)}."
    return (f"{which} What was read of them stays in the journal, and is not in the reports.",)


def _not_scanned(placed: Placed) -> AccountScan:
    account, placement = placed.account, placed.placement
    if placement.skip is not None:
        return Skipped(account_id=account.id, reason=placement.skip, detail=placement.detail)
    unknown = failure(
        FailReason.OU_UNKNOWN,
        "organizations:ListParents",
        "The account is listed, but where in the organization it is could not be found.",
    )
    return Failed(account_id=account.id, failure=unknown, role_arn=None, scanned_at=datetime.now(UTC))


def _header(inputs: Inputs, ready: Ready, past: History) -> Header:
    started_at = datetime.now(UTC).replace(microsecond=0)
    return Header(
        schema_version=SCHEMA_VERSION,
        program_version=__version__,
        versions=_versions(),
        run_id=run_folder.new_run_id(started_at),
        started_at=started_at,
        as_of=inputs.settings.as_of or started_at.date(),
        settings=inputs.settings.with_(external_id=None),
        external_id_given=inputs.settings.external_id is not None,
        safelists=inputs.texts,
        account_owners=inputs.owners,
        caller=ready.caller,
        organization=ready.organization,
        session_policies=ready.session_policies,
        previous_run=past.previous,
        previous_why=past.why,
        decisions=past.decisions,
        remediations=past.remediations,
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
