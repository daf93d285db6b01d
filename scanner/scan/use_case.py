"""The scan: check all that was given, find out who calls, stream the accounts, read each, and keep the record.

Everything that can be wrong in what the user gave is found before any account is entered and anything is written.
"""

import asyncio
import platform
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Protocol

from scanner import __version__, run
from scanner.aws import identity, organizations
from scanner.aws.clients import Clients, Meter, Session
from scanner.aws.failures import CallError, failure
from scanner.errors import InterruptedRunError, StartError
from scanner.journal import SCHEMA_VERSION, Begun
from scanner.model import (
    Account,
    AccountId,
    AccountScan,
    Caller,
    Failed,
    FailReason,
    Failure,
    Footer,
    Header,
    Listing,
    Organization,
    SafelistText,
    Skipped,
)
from scanner.recorded import whose
from scanner.safelist.entries import Safelist, check_organization, parse, read
from scanner.scan import history, sources
from scanner.scan.account import Entrance, scan_account
from scanner.scan.collect import collect
from scanner.scan.scope import Placement, Plan, Selection, place
from scanner.settings import Settings

_INTERRUPTED = Failure(
    reason=FailReason.INCOMPLETE_LISTING,
    call="organizations:ListAccounts",
    code=None,
    detail="The run was interrupted before all accounts were listed.",
    remedy="Go on with it: iam-scanner scan --resume.",
)
_LIBRARIES = ("aioboto3", "aiobotocore", "boto3", "botocore", "openpyxl", "pandas", "pydantic", "ruamel.yaml")


class Progress(Protocol):
    """Is told what happens; the terminal shows it."""

    def says(self, text: str) -> None: ...

    def met(self, placement: Placement) -> None: ...

    def listed(self) -> None: ...

    def finished(self, scan: AccountScan, meter: Meter) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What the user's files say, read and checked, before any call."""

    settings: Settings
    texts: tuple[SafelistText, ...]
    safelist: Safelist
    owners: Mapping[str, str]
    accounts_file: sources.FromFile | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Who calls, and the sessions for the two things that a scan does."""

    clients: Clients
    caller: Caller
    own: Session
    organizations: Session
    policies: Mapping[str, str]  # the session policies in force


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A scan that is ready to start."""

    connection: Connection
    organization: Organization | None
    selection: Selection
    source: sources.Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A job whose every name was checked, and the way into its accounts."""

    job: Job
    entrance: Entrance
    notes: tuple[str, ...]  # for the listing: what could not be checked


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """The organization, and what a scan would do with each account."""

    organization: Organization | None
    listing: Listing
    placements: Mapping[AccountId, Placement]


def read_inputs(settings: Settings) -> Inputs:
    """Read every file that the settings name; raise `FaultsError` with what is wrong in them. Calls nothing."""
    texts = read(settings.safelist)
    return Inputs(
        settings=settings,
        texts=texts,
        safelist=parse(texts),
        owners=sources.read_owners(settings.account_owners),
        accounts_file=_accounts_file(settings),
    )


def _accounts_file(settings: Settings) -> sources.FromFile | None:
    return sources.FromFile(settings.accounts_file) if settings.accounts_file else None


async def connect(settings: Settings, clients: Clients) -> Connection:
    """Find out who calls, and assume the role to read AWS Organizations with, if one is given.

    Raises `StartError` where the caller or that role is not to be had.
    """
    own = Session(clients, await identity.caller_credentials(settings.profile))
    caller = await identity.who_calls(own)
    policies = _session_policies(settings, caller) if settings.session_policy else {}
    organizations = await _through(own, settings.organizations_role_arn, settings, policies.get("organizations"))
    return Connection(clients=clients, caller=caller, own=own, organizations=organizations, policies=policies)


def _session_policies(settings: Settings, caller: Caller) -> dict[str, str]:
    policies = {"member": identity.member_policy(full=settings.evidence == "full")}
    if settings.hub_role_arn is not None:
        policies["hub"] = identity.hub_policy(caller.partition, settings.role_name)
    if settings.organizations_role_arn is not None:
        policies["organizations"] = identity.organizations_policy()
    return policies


async def _through(own: Session, arn: str | None, settings: Settings, policy: str | None) -> Session:
    """Return a session by this role, or the caller's own where none is given."""
    if arn is None:
        return own
    role = identity.AssumedRole(own, arn, session_name=settings.session_name, policy=policy)
    try:
        await role.credentials()
    except CallError as error:
        said = f"{error.failure.code}: {error.failure.detail}"
        raise StartError(f"The role {arn} cannot be assumed. {said} {error.failure.remedy}") from error
    return Session(own.clients, role.credentials)


async def prepare(settings: Settings, accounts_file: sources.FromFile | None, connection: Connection) -> Job:
    """Check all that is named against the organization, or the file that stands in for it."""
    if accounts_file is not None:
        selection = sources.select_in_file(accounts_file, settings)
        return Job(connection=connection, organization=None, selection=selection, source=accounts_file)
    organization = await organizations.describe(connection.organizations)
    selection = await sources.select_in_organization(connection.organizations, settings)
    source = sources.FromOrganizations(connection.organizations, selection)
    return Job(connection=connection, organization=organization, selection=selection, source=source)


async def survey(settings: Settings, progress: Progress) -> Survey:
    """List the accounts and what a scan would do with each; assumes no role in any of them."""
    accounts_file = _accounts_file(settings)
    async with Clients(profile=settings.profile, concurrency=settings.concurrency) as clients:
        progress.says("Checking credentials and scope")
        job = await prepare(settings, accounts_file, await connect(settings, clients))
        progress.says("Listing accounts")
        accounts = []
        async for account in job.source.accounts():
            accounts.append(account)
            progress.met(place(account, job.selection))
        progress.listed()
    listing = job.source.listing(accounts, job.selection)
    return Survey(
        organization=job.organization,
        listing=listing,
        placements={account.id: place(account, job.selection) for account in accounts},
    )


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
        past = await asyncio.to_thread(history.gather, settings, ours, ready.job.selection)  # Ctrl-C need not wait
        ready = replace(ready, notes=(*ready.notes, *past.notes))
        header = _header(inputs, ready.job, past)
        folder = run.create(settings.output, header.run_id)
        with run.Journal(folder) as journal:
            await journal.append(header)
            await keep(ready, settings, journal, progress)
    return folder


async def make_ready(inputs: Inputs, clients: Clients, progress: Progress) -> Ready:
    """Check everything that was given, and only then assume the hub's role."""
    progress.says("Checking credentials and scope")
    job = await prepare(inputs.settings, inputs.accounts_file, await connect(inputs.settings, clients))
    notes = check_organization(inputs.safelist, job.organization.id if job.organization else None)
    return Ready(job=job, entrance=await _entrance(job.connection, inputs.settings), notes=notes)


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
            f"Interrupted. What was read is kept. Go on with: {run.resume_command(journal.folder)}"
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
    which = f"In scope when the run stopped, but no longer when it went on: {', '.join(gone)}."
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


async def _entrance(connection: Connection, settings: Settings) -> Entrance:
    hub = await _through(connection.own, settings.hub_role_arn, settings, connection.policies.get("hub"))
    return Entrance(
        caller=connection.caller,
        own=connection.own,
        hub=hub,
        role_name=settings.role_name,
        session_name=settings.session_name,
        external_id=settings.external_id,
        policy=connection.policies.get("member"),
        full=settings.evidence == "full",
        seconds=settings.account_timeout,
    )


def _header(inputs: Inputs, job: Job, past: history.History) -> Header:
    started_at = datetime.now(UTC).replace(microsecond=0)
    return Header(
        schema_version=SCHEMA_VERSION,
        program_version=__version__,
        versions=_versions(),
        run_id=run.new_run_id(started_at),
        started_at=started_at,
        as_of=inputs.settings.as_of or started_at.date(),
        settings=inputs.settings.recorded(),
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
