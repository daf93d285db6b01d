"""The scan: check all that was given, find out who calls, stream the accounts, read each, and keep the record.

Everything that can be wrong in what the user gave is found before any account is entered and anything is written.
"""

import platform
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Protocol

from scanner import __version__, run
from scanner.aws import identity, organizations
from scanner.aws.clients import Clients, Meter, Session
from scanner.aws.failures import CallError, failure
from scanner.errors import StartError
from scanner.journal import SCHEMA_VERSION
from scanner.model import (
    Account,
    AccountId,
    AccountScan,
    Caller,
    Failed,
    FailReason,
    Footer,
    Header,
    Listing,
    Organization,
    SafelistText,
    Skipped,
)
from scanner.safelist.entries import Safelist, check_organization, parse, read
from scanner.scan import sources
from scanner.scan.account import Entrance, scan_account
from scanner.scan.collect import collect
from scanner.scan.scope import Placement, Plan, Selection, place
from scanner.settings import Settings

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
    hub: Session
    policies: Mapping[str, str]  # the session policies in force


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A scan that is ready to start."""

    connection: Connection
    organization: Organization | None
    selection: Selection
    source: sources.Source


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
        accounts_file=sources.FromFile(settings.accounts_file) if settings.accounts_file else None,
    )


async def connect(settings: Settings, clients: Clients) -> Connection:
    """Find out who calls and assume the hub's and the listing's role; raise `StartError` where one is not to be had."""
    own = Session(clients, await identity.caller_credentials(settings.profile))
    caller = await identity.who_calls(own)
    policies = _session_policies(settings, caller) if settings.session_policy else {}

    async def through(arn: str | None, policy: str | None) -> Session:
        return own if arn is None else await _assume(own, arn, settings.session_name, policy)

    return Connection(
        clients=clients,
        caller=caller,
        own=own,
        organizations=await through(settings.organizations_role_arn, policies.get("organizations")),
        hub=await through(settings.hub_role_arn, policies.get("hub")),
        policies=policies,
    )


def _session_policies(settings: Settings, caller: Caller) -> dict[str, str]:
    policies = {"member": identity.member_policy(full=settings.evidence == "full")}
    if settings.hub_role_arn is not None:
        policies["hub"] = identity.hub_policy(caller.partition, settings.role_name)
    if settings.organizations_role_arn is not None:
        policies["organizations"] = identity.organizations_policy()
    return policies


async def _assume(own: Session, arn: str, session_name: str, policy: str | None) -> Session:
    role = identity.AssumedRole(own, arn, session_name=session_name, policy=policy)
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
    accounts_file = sources.FromFile(settings.accounts_file) if settings.accounts_file else None
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
    """Run the scan to the journal's end; return the run's folder, ready to be rendered."""
    settings = inputs.settings
    async with Clients(profile=settings.profile, concurrency=settings.concurrency) as clients:
        progress.says("Checking credentials and scope")
        job = await prepare(settings, inputs.accounts_file, await connect(settings, clients))
        check_organization(inputs.safelist, job.organization.id if job.organization else None)
        header = _header(inputs, job)
        folder = run.create(settings.output, header.run_id)
        with run.Journal(folder) as journal:
            await journal.append(header)
            progress.says("Scanning")
            await _collect(job, settings, journal, progress)
            await journal.append(
                Footer(
                    finished_at=datetime.now(UTC),
                    api_calls=dict(sorted(clients.meter.calls.items())),
                    throttled=clients.meter.throttled,
                    interrupted=False,
                )
            )
    return folder


async def _collect(job: Job, settings: Settings, journal: run.Journal, progress: Progress) -> None:
    entrance = _entrance(job.connection, settings)
    known: list[Account] = []

    async def in_scope() -> AsyncIterator[tuple[Account, Placement]]:
        async for account in job.source.accounts():
            known.append(account)
            placement = place(account, job.selection)
            progress.met(placement)
            if placement.plan is not Plan.OUTSIDE:
                yield account, placement
        await journal.append(job.source.listing(known, job.selection))
        progress.listed()

    async def work(item: tuple[Account, Placement], release: Callable[[], None]) -> AccountScan:
        account, placement = item
        if placement.plan is Plan.SCAN:
            return await scan_account(account, entrance, release)
        return _not_scanned(account, placement)

    async for result in collect(in_scope(), work, settings.concurrency):
        await journal.append(result)
        progress.finished(result, job.connection.clients.meter)


def _not_scanned(account: Account, placement: Placement) -> AccountScan:
    if placement.skip is not None:
        return Skipped(account_id=account.id, reason=placement.skip, detail=placement.detail)
    unknown = failure(
        FailReason.OU_UNKNOWN,
        "organizations:ListParents",
        "The account is listed, but where in the organization it is could not be found.",
    )
    return Failed(account_id=account.id, failure=unknown, role_arn=None, scanned_at=datetime.now(UTC))


def _entrance(connection: Connection, settings: Settings) -> Entrance:
    return Entrance(
        caller=connection.caller,
        own=connection.own,
        hub=connection.hub,
        role_name=settings.role_name,
        session_name=settings.session_name,
        external_id=settings.external_id,
        policy=connection.policies.get("member"),
        full=settings.evidence == "full",
        seconds=settings.account_timeout,
    )


def _header(inputs: Inputs, job: Job) -> Header:
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
    )


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for library in _LIBRARIES:
        try:
            versions[library] = version(library)
        except PackageNotFoundError:  # installed in a way that keeps no metadata
            versions[library] = "unknown"
    return versions
