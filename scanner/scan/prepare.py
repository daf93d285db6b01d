"""From the settings to a scan that is ready to start: files read, caller known, every name checked."""

from collections.abc import Mapping
from dataclasses import dataclass

from scanner.account_owners import read_owners
from scanner.aws import identity, organizations
from scanner.aws.clients import Clients, Session
from scanner.aws.credentials import caller_credentials
from scanner.aws.failures import CallError
from scanner.errors import StartError
from scanner.model import Caller, Organization
from scanner.record import SafelistText
from scanner.safelist.entries import Safelist, check_organization, parse, read
from scanner.scan.account import Entrance
from scanner.scan.account_sources import FromFile, FromOrganizations, Source
from scanner.scan.progress import Progress
from scanner.scan.scope import Selection
from scanner.scan.selection import select_in_file, select_in_organization
from scanner.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What the user's files say, read and checked, before any call."""

    settings: Settings
    texts: tuple[SafelistText, ...]
    safelist: Safelist
    owners: Mapping[str, str]
    accounts_file: FromFile | None


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
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A job whose every name was checked, and the way into its accounts."""

    job: Job
    entrance: Entrance
    notes: tuple[str, ...]  # for the listing: what could not be checked


def read_inputs(settings: Settings) -> Inputs:
    """Read every file that the settings name; raise `FaultsError` with what is wrong in them. Calls nothing."""
    texts = read(settings.safelist)
    return Inputs(
        settings=settings,
        texts=texts,
        safelist=parse(texts),
        owners=read_owners(settings.account_owners),
        accounts_file=open_accounts_file(settings),
    )


def open_accounts_file(settings: Settings) -> FromFile | None:
    return FromFile(settings.accounts_file) if settings.accounts_file else None


async def connect(settings: Settings, clients: Clients, progress: Progress) -> Connection:
    """Find out who calls, and assume the role to read AWS Organizations with, if one is given.

    Raises `StartError` where the caller or that role is not to be had.
    """
    own = Session(clients, await caller_credentials(settings.profile, progress.paused))
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


async def prepare(settings: Settings, accounts_file: FromFile | None, connection: Connection) -> Job:
    """Check all that is named against the organization, or the file that stands in for it."""
    if accounts_file is not None:
        selection = select_in_file(accounts_file, settings)
        return Job(connection=connection, organization=None, selection=selection, source=accounts_file)
    organization = await organizations.describe(connection.organizations)
    selection = await select_in_organization(connection.organizations, settings)
    source = FromOrganizations(connection.organizations, selection)
    return Job(connection=connection, organization=organization, selection=selection, source=source)


async def make_ready(inputs: Inputs, clients: Clients, progress: Progress) -> Ready:
    """Check everything that was given, and only then assume the hub's role."""
    progress.says("Checking credentials and scope")
    job = await prepare(inputs.settings, inputs.accounts_file, await connect(inputs.settings, clients, progress))
    notes = check_organization(inputs.safelist, job.organization.id if job.organization else None)
    return Ready(job=job, entrance=await _entrance(job.connection, inputs.settings), notes=notes)


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
