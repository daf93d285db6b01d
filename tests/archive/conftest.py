"""A machine room: the simulated endpoint with a bucket, and an empty folder to work in."""

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.archive.site import Kept, Site, decide, world_with_bucket
from tests.aws_endpoint import running
from tests.program import NOBODY, named

numbers = itertools.count()


@pytest.fixture(autouse=True)
def counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of one second sort by their digits, which are random: here they count."""
    monkeypatch.setattr("scanner.runs.folder.secrets.token_hex", lambda _: f"{next(numbers):06x}")


@pytest.fixture
def empty_site(workplace: Path, hurried: None) -> Iterator[Site]:
    """An archive that holds nothing."""
    world = world_with_bucket()
    with running(world) as endpoint:
        yield Site(world, endpoint)


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """Two runs and a ledger, archived from the machine "one"; made once, as scans take time."""
    folder = tmp_path_factory.mktemp("kept")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_REGION", "us-east-1")
        patch.setattr("scanner.runs.folder.secrets.token_hex", lambda _: f"{next(numbers):06x}")
        patch.chdir(folder)
        Path("nobody.yaml").write_text(NOBODY, encoding="utf-8")
        world = world_with_bucket()
        with running(world) as endpoint:
            site = Site(world, endpoint)
            first = site.scan("one")
            named(world, "core").add_user("carol")
            decide("one", "AIDAALICE")
            second = site.scan("one")
    return Kept(folder / "one", first.name, second.name, dict(site.bucket.objects))


@pytest.fixture
def site(empty_site: Site, kept: Kept) -> Site:
    """The archive with two runs and a ledger, and the machine "one" that they are from."""
    shutil.copytree(kept.machine, "one")
    empty_site.bucket.objects |= kept.objects
    named(empty_site.world, "core").add_user("carol")
    return empty_site
