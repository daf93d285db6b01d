"""From the settings to a scan that is ready to start: files read, caller known, every name checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from scanner.account_files import read_owners
from scanner.archive.access import session_policy
from scanner.aws import identity, organizations
from scanner.aws.clients import Clients, Session
from scanner.aws.credentials import caller_credentials
from scanner.errors import UsageError
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
class Ready:
    """A scan that can start: the caller is known, and every name that was given has been checked."""

    settings: Settings
    caller: Caller
    own: Session  # the caller's credentials
    hub: Session  # whence member roles are assumed: the hub role's credentials, or the caller's
    session_policies: Mapping[str, str]  # those in force, by the role that they narrow
    organization: Organization | None  # None: a file of accounts stands in for it
    selection: Selection
    source: Source
    organizations: Session | None = None  # whence AWS Organizations is read; None: it is not
    owners: Mapping[str, str] = field(default_factory=dict)  # of accounts, by their IDs
    notes: tuple[str, ...] = ()  # for the listing: what could not be checked


def read_inputs(settings: Settings) -> Inputs:
    """Read every file that the settings name; raise `FaultsError` with what is wrong in them. Calls nothing.

    Raises `UsageError` where tags of AWS Organizations are asked for, and a file of accounts stands in for it.
    """
    check_owner_tag(settings)
    texts = read(settings.safelist)
    return Inputs(
        settings=settings,
        texts=texts,
        safelist=parse(texts),
        owners=read_owners(settings.account_owners),
        accounts_file=read_accounts_file(settings),
    )


def check_owner_tag(settings: Settings) -> None:
    if settings.accounts_file and settings.account_owner_tag:
        raise UsageError(
            "--account-owner-tag needs AWS Organizations, which --accounts-file does without.",
            "Leave one of them out; --account-owners FILE.csv names owners too.",
        )


def read_accounts_file(settings: Settings) -> FromFile | None:
    return FromFile(settings.accounts_file) if settings.accounts_file else None


async def make_ready(inputs: Inputs, clients: Clients, progress: Progress) -> Ready:
    """Check everything that was given, and only then assume the hub's role. Raises `UsageError` and `StartError`."""
    ready = await prepare(inputs.settings, inputs.accounts_file, clients, progress)
    notes = check_organization(inputs.safelist, ready.organization.id if ready.organization else None)
    return replace(await with_hub(ready), owners=inputs.owners, notes=notes)


async def prepare(settings: Settings, accounts_file: FromFile | None, clients: Clients, progress: Progress) -> Ready:
    """Find out who calls, and check all that is named against the organization, or the file that stands in for it.

    Assumes no role but the one to read AWS Organizations with. Raises `StartError` where the caller, that role or AWS
    Organizations is not to be had, and `UsageError` for a name that does not exist.
    """
    progress.says("Checking credentials and scope")
    own = Session(clients, await caller_credentials(settings.profile, progress.paused))
    caller = await identity.who_calls(own)
    policies = session_policies(settings, caller)
    organization: Organization | None = None
    reader: Session | None = None
    source: Source
    if accounts_file is not None:
        source, selection = accounts_file, select_in_file(accounts_file, settings)
    else:
        reader = await through(own, settings.organizations_role_arn, settings, policies.get("organizations"))
        organization = await organizations.describe(reader)
        selection = await select_in_organization(reader, settings)
        source = FromOrganizations(reader, selection.ous)
    return Ready(
        settings=settings,
        caller=caller,
        own=own,
        hub=own,
        session_policies=policies,
        organization=organization,
        selection=selection,
        source=source,
        organizations=reader,
    )


async def with_hub(ready: Ready) -> Ready:
    """Assume the hub's role, if one is given; raise `StartError` where it is not to be had."""
    settings = ready.settings
    hub = await through(ready.own, settings.hub_role_arn, settings, ready.session_policies.get("hub"))
    return replace(ready, hub=hub)


def entrance(ready: Ready) -> Entrance:
    """How the accounts are entered."""
    settings = ready.settings
    return Entrance(
        caller=ready.caller,
        own=ready.own,
        hub=ready.hub,
        role_name=settings.role_name,
        session_name=settings.session_name,
        external_id=settings.external_id,
        policy=ready.session_policies.get("member"),
        full=settings.evidence == "full",
        seconds=settings.account_timeout,
    )


def session_policies(settings: Settings, caller: Caller) -> dict[str, str]:
    """The session policies in force, by the role that they narrow."""
    if not settings.session_policy:
        return {}
    policies = {"member": identity.member_policy(full=settings.evidence == "full")}
    if settings.hub_role_arn is not None:
        policies["hub"] = identity.hub_policy(caller.partition, settings.role_name)
    if settings.organizations_role_arn is not None and settings.accounts_file is None:
        policies["organizations"] = identity.organizations_policy()
    if archive := session_policy(settings, caller):
        policies["archive"] = archive
    return policies


async def through(own: Session, arn: str | None, settings: Settings, policy: str | None) -> Session:
    """Return a session by this role, or the caller's own where none is given."""
    if arn is None:
        return own
    return await identity.by_role(own, arn, session_name=settings.session_name, policy=policy)
