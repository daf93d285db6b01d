"""Who calls: credentials, identity, the role from which member roles are assumed, and the archive."""

from collections.abc import Awaitable, Iterator

from scanner.archive.access import Archive, open_archive
from scanner.aws import identity
from scanner.aws.clients import Clients, Session
from scanner.aws.credentials import caller_credentials
from scanner.doctor.checks import Examination, Part
from scanner.model import Caller
from scanner.report.words import many
from scanner.scan.prepare import session_policies, through
from scanner.settings import Settings

AWS_SETTINGS, CREDENTIALS, IDENTITY, HUB = "AWS settings", "Credentials", "sts:GetCallerIdentity", "Hub role"
ARCHIVE = "Archive"


def expected(settings: Settings) -> Iterator[str]:
    """The checks of this part."""
    yield AWS_SETTINGS
    yield CREDENTIALS
    yield IDENTITY
    if settings.hub_role_arn:
        yield HUB
    if settings.archive:
        yield ARCHIVE


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


async def check_archive(own: Session, caller: Caller, examination: Examination) -> None:
    """List the archive, where one is named, and see whether it can be added to; nothing is put there."""
    if examination.settings.archive is None:
        return

    def said(archive: Archive) -> str:
        return f"{archive.place.uri()} can be read and added to; it holds {many(len(archive.contents.states), 'run')}"

    await examination.called(Part.CALLER, ARCHIVE, open_archive(examination.settings, own, caller), said)
