"""SIGKILL, at whatever moment: what was read is kept, and the run goes on to the same end."""

import random
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from scanner.runs import folder as run_folder
from tests.aws_endpoint import running
from tests.killed import killed
from tests.program import program, scan, small_world, workplace
from tests.subject import AT_FSYNC, Subject

__all__ = ["workplace"]
pytestmark = pytest.mark.usefixtures("workplace")

Environment = Callable[..., dict[str, str]]


@pytest.fixture(scope="module")
def moments() -> list[int]:
    """Five calls of a scan of the small world, from its first account on; by chance, and the same in every run."""
    return sorted(random.Random(58).sample(range(18, 42), 5))


@pytest.mark.parametrize("moment", range(5))
def test_a_scan_that_is_killed_goes_on_to_the_same_end(
    endpoint_environment: Environment, moments: list[int], moment: int
) -> None:
    with running(small_world()) as endpoint:
        found = killed(endpoint, endpoint_environment(endpoint.url), Path("reports"), moments[moment])
    assert found, "it was killed before it had begun"
    assert found.same
    assert found.whole


# The first fsync is that of the journal; then each file has two: of itself, and of its folder when it is in place.
@pytest.mark.parametrize("fsync", [2, 5, 8], ids=["in the first file", "between two files", "in the manifest"])
def test_killed_while_the_reports_are_written(endpoint_environment: Environment, fsync: int) -> None:
    with running(small_world()) as endpoint:
        folder = scan(endpoint).folder
        users = (folder / "iam-users.csv").read_bytes()
        journal = (folder / run_folder.JOURNAL).read_bytes()
        shutil.rmtree(folder)
        folder.mkdir()
        (folder / run_folder.JOURNAL).write_bytes(journal)
        arguments = (signal.SIGKILL.value, fsync, "scan", "--resume", folder, "--format", "csv")
        ended = Subject().run(endpoint_environment(endpoint.url), *arguments, before=AT_FSYNC)
        assert ended.returncode == -signal.SIGKILL
        assert not run_folder.is_sealed(folder)
        assert program("scan", "--resume", folder, "--format", "csv").exit_code == 3
    assert (folder / "iam-users.csv").read_bytes() == users
    assert program("verify", folder).exit_code == 0
