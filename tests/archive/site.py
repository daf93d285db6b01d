"""An archive at the simulated endpoint, and machines that work with it: each has a folder of its own for its runs."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from scanner.archive.access import Archive, open_archive
from scanner.aws import identity
from scanner.aws.clients import Clients, Session
from scanner.aws.credentials import caller_credentials
from scanner.cli.options import stderr
from scanner.cli.screen.stage_progress import StageProgress
from scanner.model import UserId
from scanner.runs import ledger
from scanner.settings import Settings
from tests.aws_endpoint import Endpoint, SimulatedBucket, SimulatedOrganization
from tests.program import Done, calling, program, small_world
from tests.runs.test_ledger import DECIDED, line

BUCKET: Final = "example-audit"
ARCHIVE: Final = f"s3://{BUCKET}/iam-058"
QUICK = ("--evidence", "basic", "--format", "csv", "--safelist", "nobody.yaml", "--json")


@dataclass
class Site:
    """A world with a bucket, and its endpoint."""

    world: SimulatedOrganization
    endpoint: Endpoint
    bucket: SimulatedBucket = field(init=False)

    def __post_init__(self) -> None:
        self.bucket = self.world.buckets[BUCKET]

    def run(self, *arguments: object) -> Done:
        """Run the program as the management account's user."""
        with calling(self.endpoint):
            return program(*arguments)

    def scan(self, machine: str, *arguments: object, archive: str | None = ARCHIVE) -> Path:
        """Scan on a machine; return the run's folder."""
        options = ("--archive", archive) if archive else ()
        done = self.run("scan", "--output", machine, *QUICK, *options, *arguments)
        assert done.exit_code in {3, 4}, done.err
        return Path(machine) / str(done.document["run_id"])

    def push(self, folder: Path, *arguments: object) -> Done:
        return self.run("archive", "push", folder.name, "--output", folder.parent, "--archive", ARCHIVE, *arguments)

    def pull(self, machine: str, run: str = "latest", *arguments: object) -> Done:
        return self.run("archive", "pull", run, "--output", machine, "--archive", ARCHIVE, *arguments)

    @asynccontextmanager
    async def opener(self) -> AsyncIterator[Callable[[], Awaitable[Archive]]]:
        """What opens the archive, as often as it is wanted, without the program around it and by the same clients."""
        with calling(self.endpoint):
            async with Clients(profile=None, concurrency=8) as clients:
                own = Session(clients, await caller_credentials(None, silent().paused))
                yield partial(open_archive, Settings(archive=ARCHIVE), own, await identity.who_calls(own))

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Archive]:
        """The archive."""
        async with self.opener() as opened:
            yield await opened()

    def key(self, run_id: str, name: str) -> str:
        """The only key of a file of a run."""
        (found,) = (key for key in self.bucket.objects if f"/{run_id}/" in key and key.endswith(f"/{name}"))
        return found

    def rewrite(self, run_id: str, name: str, old: bytes, new: bytes) -> None:
        """Change an object, as S3 lets those do who may."""
        data = self.bucket.objects[self.key(run_id, name)]
        assert old in data
        self.bucket.objects[self.key(run_id, name)] = data.replace(old, new)


@dataclass(frozen=True)
class Kept:
    """What an archive holds, and the machine that it is from."""

    machine: Path
    first: str  # run IDs
    second: str
    objects: dict[str, bytes]


def silent() -> StageProgress:
    return StageProgress(stderr(), quiet=True)


def world_with_bucket(**details: Any) -> SimulatedOrganization:
    world = small_world()
    world.buckets[BUCKET] = SimulatedBucket(**details)
    return world


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def modes(folder: Path) -> set[str]:
    return {oct(path.stat().st_mode & 0o777) for path in (folder, *folder.iterdir())}


def decide(machine: str, user_id: str) -> bytes:
    """Add a decision to the ledger of a machine; return the ledger."""
    with ledger.locked(Path(machine)):
        added = line(replace(DECIDED, user_id=UserId(user_id)))
        return ledger.append(Path(machine), [added]).read_bytes()
