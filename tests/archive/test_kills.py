"""Killed at any request: the archive holds no run that `archive pull` takes and `verify` would not."""

import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from scanner.archive.access import Archive, open_archive
from scanner.archive.fetch import fetch_run
from scanner.archive.ledger_versions import store_ledger
from scanner.archive.store_run import store_run
from scanner.aws import identity, object_store
from scanner.aws.clients import Clients, Session
from scanner.aws.credentials import caller_credentials
from scanner.errors import ScannerError
from scanner.report.verify import verify
from scanner.settings import Settings
from tests.archive.site import ARCHIVE, BUCKET, Kept, Site, bytes_of, silent, world_with_bucket
from tests.aws_endpoint import Endpoint, Fault, after, cut, deny, http_503, nth
from tests.program import calling

IN_PARTS = 6_000  # bytes: the journal goes in several parts, the other files at once


@pytest.mark.parametrize("effect", [http_503, cut], ids=["not carried out", "carried out, and not answered"])
async def test_killed_after_any_request(
    workplace: Path, hurried: None, kept: Kept, monkeypatch: pytest.MonkeyPatch, effect: object
) -> None:
    monkeypatch.setattr(object_store, "PART", IN_PARTS)
    monkeypatch.setattr("scanner.aws.clients.TRANSIENT_ATTEMPTS", 1)
    folder, held = kept.machine / kept.second, 0
    async with Endpoint(world_with_bucket()) as endpoint:
        with calling(endpoint):
            async with Clients(profile=None, concurrency=8) as clients:
                own = Session(clients, await caller_credentials(None, silent().paused))
                caller = await identity.who_calls(own)

                async def opened() -> Archive:
                    return await open_archive(Settings(archive=ARCHIVE), own, caller)

                async def pushed() -> None:
                    archive = await opened()
                    await store_run(archive, folder, silent())
                    await store_ledger(archive, kept.machine, silent())

                await pushed()
                requests = sum(count for name, count in endpoint.counts.items() if name.startswith("s3:"))
                assert requests > 12
                for number in range(requests):
                    endpoint.world.buckets[BUCKET] = world_with_bucket().buckets[BUCKET]
                    endpoint.faults.rules[:] = [Fault("s3:*", effect, when=after(number))]  # type: ignore[arg-type]
                    endpoint.faults.forget()
                    with suppress(ScannerError):  # of the last one nothing is to be missed but the answer
                        await pushed()
                    endpoint.faults.rules.clear()
                    held += await holds_a_sound_run_or_none(await opened(), kept)
                    await pushed()
                    assert await holds_a_sound_run_or_none(await opened(), kept)
                    assert len((await opened()).contents.versions) == 1
    assert 0 < held < requests, "some were killed before the manifest, and some behind it"


async def holds_a_sound_run_or_none(archive: Archive, kept: Kept) -> bool:
    """What pull takes, verify takes too, and it is the run."""
    if kept.second not in archive.contents.states:
        return False
    brought = (await fetch_run(archive, kept.second, Path("pulled"), silent())).folder
    assert all(check.holds for check in verify(brought, None))
    assert bytes_of(brought) == bytes_of(kept.machine / kept.second)
    shutil.rmtree("pulled")
    return True


async def test_a_pull_that_is_killed_leaves_nothing_that_looks_like_a_run(site: Site, kept: Kept) -> None:
    async with site.opened() as archive:
        for number in range(1, 6):
            site.endpoint.faults.rules[:] = [Fault("s3:GetObject", deny, when=nth(number))]
            site.endpoint.faults.forget()
            with pytest.raises(ScannerError):
                await fetch_run(archive, kept.second, Path("two"), silent())
            assert names("two") == [], "neither a run nor a part of one"
        site.endpoint.faults.rules.clear()
        assert (await fetch_run(archive, kept.second, Path("two"), silent())).new
    assert names("two") == [kept.second]


def names(machine: str) -> list[str]:
    return [path.name for path in Path(machine).glob("*")]
