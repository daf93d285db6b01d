"""Into the archive: its role, and a look at what it holds and at whether something can be put there."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from scanner.archive.keys import Contents, contents
from scanner.archive.place import Place
from scanner.archive.progress import Progress
from scanner.aws import identity
from scanner.aws.clients import Clients, Session
from scanner.aws.credentials import caller_credentials
from scanner.aws.failures import CallError
from scanner.aws.object_store import ObjectStore
from scanner.errors import ScannerError, StartError, UsageError
from scanner.model import Caller
from scanner.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """An archive that can be read and added to, and what it held when it was opened."""

    store: ObjectStore
    place: Place
    contents: Contents

    def key(self, key: str) -> str:
        """The key in the bucket of what has this key in the archive."""
        return f"{self.place.prefix}{key}"


async def open_archive(settings: Settings, own: Session, caller: Caller) -> Archive:
    """Open the archive that the settings name, and show that it can be listed and added to; it leaves nothing there.

    Raises `StartError`, with the remedy, where it cannot be: before anything depends on it.
    """
    if settings.archive is None:
        raise UsageError("No archive is named. Give --archive s3://BUCKET/PREFIX, or the setting archive.")
    place = Place.of(settings.archive)
    session = own
    if settings.archive_role_arn is not None:
        policy = session_policy(settings, caller)
        session = await identity.by_role(
            own, settings.archive_role_arn, session_name=settings.session_name, policy=policy
        )
    store = ObjectStore(session, place.bucket, kms_key=settings.archive_kms_key)
    with failing(f"The archive {place.uri()} cannot be used", StartError):
        sizes = await store.keys(place.prefix)
        await store.can_put(f"{place.prefix}access-check")
    return Archive(store=store, place=place, contents=contents(place, sizes))


def session_policy(settings: Settings, caller: Caller) -> str | None:
    """The session policy for the archive's role; None where there is no such role, or none is to be narrowed."""
    if settings.archive is None or settings.archive_role_arn is None or not settings.session_policy:
        return None
    place = Place.of(settings.archive)
    return identity.archive_policy(caller.partition, place.bucket, place.prefix)


@asynccontextmanager
async def connected(settings: Settings, progress: Progress) -> AsyncIterator[Archive]:
    """The archive, for a command that needs nothing else of AWS; raises `StartError` and `UsageError`."""
    async with Clients(profile=settings.profile, concurrency=settings.concurrency) as clients:
        own = Session(clients, await caller_credentials(settings.profile, progress.paused))
        yield await open_archive(settings, own, await identity.who_calls(own))


@contextmanager
def failing(what: str, kind: type[ScannerError] = ScannerError) -> Iterator[None]:
    """Turn a call that failed into an error that says what did not work, in AWS's words, and what to do."""
    try:
        yield
    except CallError as error:
        failure = error.failure
        said = f"{failure.code}: {failure.detail}" if failure.code else failure.detail
        raise kind(f"{what}: {failure.call}: {said.rstrip('.')}.", failure.remedy) from None
