"""Who calls: credentials, identity, and the role from which member roles are assumed."""

from collections.abc import Awaitable, Iterator

from scanner.aws import identity
from scanner.aws.clients import Clients, Session
from scanner.aws.credentials import caller_credentials
from scanner.doctor.checks import Examination, Part
from scanner.model import Caller
from scanner.scan.prepare import session_policies, through
from scanner.settings import Settings

AWS_SETTINGS, CREDENTIALS, IDENTITY, HUB = "AWS settings", "Credentials", "sts:GetCallerIdentity", "Hub role"


def expected(settings: Settings) -> Iterator[str]:
    """The checks of this part."""
    yield AWS_SETTINGS
    yield CREDENTIALS
    yield IDENTITY
    if settings.hub_role_arn:
        yield HUB


async def open_clients(opening: Awaitable[Clients], examination: Examination) -> Clients | None:
    """Have the SDK take its settings from the environment and the profile."""
    profile = examination.settings.profile
    named = f"profile {profile}, " if profile else ""
    return await examination.called(
        Part.CALLER, AWS_SETTINGS, opening, lambda clients: f"{named}Region {clients.region}"
    )


async def check_credentials(clients: Clients, examination: Examination) -> Session | None:
    """Find the caller's credentials."""
    loading = caller_credentials(examination.settings.profile, examination.progress.paused)
    source = await examination.called(Part.CALLER, CREDENTIALS, loading, lambda _: "found")
    return source and Session(clients, source)


async def check_caller(own: Session, examination: Examination) -> Caller | None:
    """Ask STS who calls."""
    return await examination.called(
        Part.CALLER, IDENTITY, identity.who_calls(own), lambda caller: f"{caller.arn}, partition {caller.partition}"
    )


async def check_hub(own: Session, caller: Caller, examination: Examination) -> Session | None:
    """Assume the hub role, where one is given; else the member roles are assumed by the caller itself."""
    settings = examination.settings
    if settings.hub_role_arn is None:
        return own
    policy = session_policies(settings, caller).get("hub")
    assuming = through(own, settings.hub_role_arn, settings, policy)
    return await examination.called(Part.CALLER, HUB, assuming, lambda _: f"{settings.hub_role_arn} was assumed")
