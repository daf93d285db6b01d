"""Killed at any request: the archive holds no run that `archive pull` takes and `verify` would not."""

from contextlib import suppress
from pathlib import Path

import pytest

from scanner.archive.fetch import fetch_run
from scanner.archive.ledger_versions import store_ledger
from scanner.archive.store_run import store_run
from scanner.aws import object_store
from scanner.errors import ScannerError
from scanner.report.verify import verify
from tests.archive.site import Kept, Site, bytes_of, silent
from tests.aws_endpoint import Fault, after, cut, deny, http_503, nth
from tests.aws_endpoint.faults import Effect

IN_PARTS = 6_000  # bytes: the journal goes in several parts, the other files at once


@pytest.mark.parametrize("effect", [http_503, cut], ids=["not carried out", "carried out, and not answered"])
async def test_killed_after_any_request(
    empty_site: Site, kept: Kept, monkeypatch: pytest.MonkeyPatch, effect: Effect
) -> None:
    monkeypatch.setattr(object_store, "PART", IN_PARTS)
    monkeypatch.setattr("scanner.aws.clients.TRANSIENT_ATTEMPTS", 1)
    site, held = empty_site, 0
    async with site.opener() as opened:

        async def pushed() -> None:
            archive = await opened()
            await store_run(archive, kept.machine / kept.second, silent())
            await store_ledger(archive, kept.machine, silent())

        await pushed()
        undisturbed = dict(site.bucket.objects)
        requests = sum(call.service == "s3" for call in site.endpoint.calls)
        assert requests > 12
        for number in range(requests):
            site.bucket.objects.clear()
            site.endpoint.faults.forget()
            site.endpoint.faults.rules.append(Fault("s3:*", effect, when=after(number)))
            with suppress(ScannerError):  # of the last one nothing is to be missed but the answer
                await pushed()
            site.endpoint.faults.rules.clear()
            archive = await opened()
            if kept.second in archive.contents.states:
                held += 1
                brought = (await fetch_run(archive, kept.second, Path(f"pulled-{number}"), silent())).folder
                assert all(check.holds for check in verify(brought, None))
                assert bytes_of(brought) == bytes_of(kept.machine / kept.second)
            await pushed()
            assert site.bucket.objects == undisturbed
    assert 0 < held < requests, "some were killed before the manifest, and some behind it"


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
