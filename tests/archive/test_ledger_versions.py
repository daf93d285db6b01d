"""The ledger in the archive: the one that holds all others counts, and a fork is refused, with what to do."""

import hashlib
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from scanner.archive.access import Archive
from scanner.archive.keys import Version
from scanner.archive.ledger_versions import bring_ledger, holds, shared, store_ledger
from scanner.errors import FaultsError, UsageError
from scanner.runs import ledger
from scanner.runs.ledger import LEDGER
from tests.archive.site import ARCHIVE, QUICK, Kept, Site, decide, silent
from tests.aws_endpoint import Do, Fault

Opened = Callable[[], Awaitable[Archive]]


@pytest.fixture
async def opened(empty_site: Site) -> AsyncIterator[Opened]:
    async with empty_site.opener() as opened:
        yield opened


async def brought(opened: Opened, machine: str) -> bytes:
    await bring_ledger(await opened(), Path(machine), silent())
    return at(machine).read_bytes()


def at(machine: str) -> Path:
    return Path(machine, LEDGER)


async def stored(opened: Opened, machine: str) -> bool:
    return await store_ledger(await opened(), Path(machine), silent())


async def test_the_ledger_goes_on_from_machine_to_machine(empty_site: Site, opened: Opened) -> None:
    one = decide("one", "AIDAONE")
    assert await stored(opened, "one")
    assert not await stored(opened, "one"), "it is there"
    assert await brought(opened, "two") == one
    two = decide("two", "AIDATWO")
    assert await brought(opened, "two") == two, "one that is newer here stays"
    assert await stored(opened, "two")
    assert not await stored(opened, "one"), "one that is older here is not put"
    assert await brought(opened, "one") == two
    assert oct(at("one").stat().st_mode & 0o777) == "0o600"
    versions = [key for key in empty_site.bucket.objects if "/ledger/" in key]
    assert len(versions) == 2, "nothing is overwritten"


async def test_a_line_that_was_cut_off_is_not_archived(empty_site: Site, opened: Opened) -> None:
    whole = decide("one", "AIDAONE")
    with at("one").open("ab") as file:
        file.write(b'2026-11-25T08:00:00Z,auditor,2026"')
    assert await stored(opened, "one")
    assert list(empty_site.bucket.objects.values()) == [whole]


@pytest.mark.parametrize(("here", "there"), [("AIDAHERE", "AIDATHERE"), ("AIDATHERE", "AIDAHERE"), ("A1", "A2")])
async def test_a_fork_is_refused_and_the_commands_that_are_shown_settle_it(
    empty_site: Site, opened: Opened, here: str, there: str
) -> None:
    """Whichever of the two is longer."""
    common = decide("one", "AIDAONE")
    assert await stored(opened, "one")
    await brought(opened, "two")
    one, two = decide("one", here), decide("two", there)
    assert await stored(opened, "one")
    before = dict(empty_site.bucket.objects)
    for work in (stored, brought):
        with pytest.raises(FaultsError) as refused:
            await work(opened, "two")
        assert "The ledger has forked: after its first" in str(refused.value)
        assert "Neither was changed." in str(refused.value)
    assert (empty_site.bucket.objects, at("two").read_bytes()) == (before, two)
    copy, append, push = refused.value.advice
    (uri,) = (f"s3://example-audit/{key}" for key, data in before.items() if data == one)
    assert copy == f"aws s3 cp {uri} other-decisions.csv"
    run_append(append, one)
    assert push == f"iam-scanner archive push latest --archive {ARCHIVE} --output two"
    merged = at("two").read_bytes()
    assert merged == two + one[len(common) :]
    assert await stored(opened, "two")
    assert await brought(opened, "three") == merged, "it holds both"
    assert await brought(opened, "one") == merged
    assert [decision.user_id for decision in ledger.read(Path("one"), [])] == ["AIDAONE", there, here]


def run_append(command: str, other: bytes) -> None:
    """What a person does with the commands, once the other ledger is there."""
    Path("other-decisions.csv").write_bytes(other)
    subprocess.run(command, shell=True, check=True)


async def test_where_two_put_theirs_at_once_nothing_is_lost(opened: Opened) -> None:
    """Neither saw the other: both are there, and whoever comes next is told which."""
    for machine in ("one", "two"):
        decide(machine, f"AIDA{machine.upper()}")
    first, second = await opened(), await opened()
    assert await store_ledger(first, Path("one"), silent())
    assert await store_ledger(second, Path("two"), silent())
    with pytest.raises(FaultsError) as refused:
        await brought(opened, "three")
    assert not at("three").exists()
    copy, *_ = refused.value.advice
    assert copy.startswith("aws s3 cp s3://example-audit/iam-058/ledger/")
    assert copy.endswith(" three/decisions.csv")
    assert len(refused.value.advice) == 4


def test_a_scan_does_not_start_with_a_forked_ledger(site: Site, kept: Kept) -> None:
    at("one").unlink()
    decide("one", "AIDAOTHER")
    done = site.run("scan", "--output", "one", "--safelist", "nobody.yaml", "--archive", ARCHIVE, "--json")
    assert done.exit_code == 2
    assert "tail -c +" in done.err
    (fault,) = done.document["error"]["faults"]
    assert fault["file"] == f"one/{LEDGER}"
    assert site.endpoint.calls_to("iam:ListUsers") == []


def test_a_fork_while_a_scan_runs_is_said_at_its_end(empty_site: Site) -> None:
    decide("one", "AIDAONE")
    theirs = decide("two", "AIDATWO")
    key = f"iam-058/{Version(len(theirs), hashlib.sha256(theirs).hexdigest()).key}"
    somebody = Do(lambda _: empty_site.bucket.objects.setdefault(key, theirs))
    empty_site.endpoint.faults.rules.append(Fault("iam:ListUsers", somebody))
    done = empty_site.run("scan", "--output", "one", *QUICK, "--archive", ARCHIVE)
    assert done.exit_code == 1
    message = done.document["error"]["message"]
    assert "The ledger has forked" in message
    assert "Archive it with: iam-scanner archive push one/" in message
    assert any(name.endswith("manifest.json") for name in empty_site.bucket.objects), "the run itself is there"


@pytest.mark.parametrize(("old", "new", "problem"), [(b"AIDAONE", b"AIDAEVE", "was changed")])
async def test_a_rewritten_version_is_refused(
    empty_site: Site, opened: Opened, old: bytes, new: bytes, problem: str
) -> None:
    decide("one", "AIDAONE")
    await stored(opened, "one")
    (key,) = empty_site.bucket.objects
    empty_site.bucket.objects[key] = empty_site.bucket.objects[key].replace(old, new)
    with pytest.raises(UsageError, match=problem):
        await brought(opened, "two")
    assert not at("two").exists()


def test_what_a_ledger_holds() -> None:
    head, a, b = b"imported_at\r\n", b"2026,a\r\n", b"2026,b\r\n"
    assert shared(head + a, head + b) == len(head), "only whole lines are alike"
    assert holds(head + a, head)
    assert holds(head + a + b, head + b)
    assert not holds(head + a, head + a + b)
    assert not holds(head + a, head + b)
    assert not holds(head + b"x" + b + a, head + b), "a line counts as a whole"
    assert not holds(b"", head)
