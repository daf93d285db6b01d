"""A scan with an archive: machines come and go, and each goes on where another one stopped."""

from dataclasses import replace
from pathlib import Path

import pytest

from scanner.archive.earlier_runs import bring_earlier, find_previous
from scanner.errors import UsageError
from scanner.model import AccountId, Choice, Scanned
from scanner.review import removals
from scanner.runs import folder as run_folder
from scanner.runs import ledger
from scanner.runs.ledger import LEDGER
from tests.archive.site import ARCHIVE, QUICK, Kept, Site, bytes_of, decide, modes, silent
from tests.aws_endpoint import Fault, deny
from tests.program import named, table
from tests.runs.test_ledger import DECIDED, line


def compared_with(folder: Path) -> str | None:
    previous = run_folder.read(folder).header.previous_run
    return previous.run_id if previous else None


def why(folder: Path) -> str | None:
    return run_folder.read(folder).header.previous_why


def test_a_scan_on_an_empty_machine_goes_on_where_another_one_stopped(site: Site, kept: Kept) -> None:
    named(site.world, "core").add_user("dave")
    done = site.run("scan", "--output", "two", *QUICK, "--archive", ARCHIVE)
    folder = Path("two") / str(done.document["run_id"])
    assert [row["user_name"] for row in table(folder / "iam-users.csv") if row["change"] == "NEW"] == ["dave"]
    assert compared_with(folder) == kept.second
    brought = Path("two") / kept.second
    assert bytes_of(brought) == bytes_of(kept.machine / kept.second)
    assert modes(brought) == {"0o700", "0o600"}
    assert Path("two", LEDGER).read_bytes() == (kept.machine / LEDGER).read_bytes()
    header = run_folder.read(folder).header
    assert [decision.user_id for decision in header.decisions] == ["AIDAALICE"]
    assert [point.run_id for point in header.trend] == [kept.first, kept.second]
    assert not Path("two", kept.first).exists(), "a run that is not looked at is not brought"
    assert done.err.splitlines() == [
        "Checking credentials and scope ...",
        f"Reading the archive {ARCHIVE} ...",
        "Downloading the ledger ...",
        "Reading earlier runs ...",
        f"Downloading run {kept.second} ...",
        f"Verifying run {kept.second} ...",
        "Scanning ...",
        "Writing the reports ...",
        f"Archiving run {folder.name} ...",
        f"The run is in the archive: s3://example-audit/{site.key(folder.name, 'manifest.json').rpartition('/')[0]}",
    ]


def test_the_first_run_of_all_says_so(empty_site: Site) -> None:
    done = empty_site.run("scan", "--output", "one", *QUICK, "--archive", ARCHIVE, "--quiet")
    assert done.err == ""
    folder = Path("one") / str(done.document["run_id"])
    assert why(folder) == f"no earlier finished run of this organization in one or {ARCHIVE}"
    order = [call.params["Key"] for call in empty_site.endpoint.calls_to("s3:PutObject")]
    assert order[-1].endswith("/manifest.json"), "until it is there, the run is none"
    assert {key.rpartition("/")[2] for key in order} == set(bytes_of(folder))


def test_the_previous_run_is_the_one_that_would_be_chosen_locally(site: Site, kept: Kept) -> None:
    """One that is incomplete, and one of a smaller scope, are passed over, and the reason says so."""
    site.scan("one", "--ou", "Root/Workloads/Prod")
    site.endpoint.faults.rules.append(Fault("sts:AssumeRole", deny, account=named(site.world, "core").id))
    site.scan("one")
    site.endpoint.faults.rules.clear()
    here, there = site.scan("one", archive=None), site.scan("two")
    assert compared_with(there) == compared_with(here) == kept.second
    assert why(there) == why(here)
    assert "1 incomplete, 1 of a smaller scope" in str(why(there))


async def test_the_named_previous_run_is_brought(site: Site, kept: Kept) -> None:
    async with site.opened() as archive:
        for run, run_id in ((kept.first, kept.first), ("latest", kept.second), (kept.second, kept.second)):
            assert await find_previous(archive, run, Path("two"), silent()) == Path("two") / run_id
        assert await find_previous(archive, f"one/{kept.first}", Path("two"), silent()) == Path("one") / kept.first
        with pytest.raises(UsageError, match=f"no run '2020' in two and {ARCHIVE}. The newest there is {kept.second}"):
            await find_previous(archive, "2020", Path("two"), silent())
        with pytest.raises(UsageError, match=f"2 runs begin with '20': {kept.second}, {kept.first}"):
            await find_previous(archive, "20", Path("two"), silent())


def test_a_run_that_was_rewritten_in_the_archive_is_passed_over_and_noted(site: Site, kept: Kept) -> None:
    site.rewrite(kept.second, "journal.jsonl", b"alice", b"mallo")
    folder = site.scan("two")
    assert compared_with(folder) == kept.first
    (note,) = run_folder.read(folder).listing.notes
    assert note.startswith(f"The earlier run {kept.second} could not be compared with: The run {kept.second} in s3://")
    assert "its journal.jsonl was changed" in note
    assert list(Path("two").glob(".*")) == [], "nothing of it is left"


@pytest.mark.parametrize("broken", ["summary.json", "manifest.json"])
async def test_a_run_without_a_sound_summary_is_noted(site: Site, kept: Kept, broken: str) -> None:
    site.rewrite(kept.second, broken, b"1", b"2")
    async with site.opened() as archive:
        earlier = await bring_earlier(archive, Path("two"), silent())
    assert list(earlier.summaries) == [kept.first]
    (note,) = earlier.notes
    assert broken in note
    assert "was changed" in note


def test_where_a_run_cannot_be_read_any_more_the_scan_does_not_start(site: Site, kept: Kept) -> None:
    """Compared with an older run, it would say something else, and nobody would notice."""
    journal = {"Key": site.key(kept.second, "journal.jsonl")}
    site.endpoint.faults.rules.append(Fault("s3:GetObject", deny, params=journal))
    done = site.run("scan", "--output", "two", *QUICK, "--archive", ARCHIVE)
    assert done.exit_code == 5
    assert "s3:GetObject: AccessDenied: Access Denied. Allow s3:GetObject to the caller" in done.err
    assert site.endpoint.calls_to("iam:ListUsers") == []


def test_where_the_upload_fails_the_run_is_kept_and_pushed_later(empty_site: Site) -> None:
    """A person sees the outcome all the same."""
    empty_site.endpoint.faults.rules.append(Fault("s3:PutObject", deny))
    done = empty_site.run("scan", "--output", "one", *QUICK[:-1], "--archive", ARCHIVE)
    assert done.exit_code == 1
    assert done.out.startswith("COMPLETE for the whole organization")
    (folder,) = Path("one").iterdir()
    assert run_folder.is_sealed(folder)
    again = f"iam-scanner archive push {folder} --output one --archive {ARCHIVE}"
    assert "was not archived: s3:PutObject: AccessDenied: Access Denied. Allow s3:PutObject to the caller" in done.err
    assert f"The run is kept in {folder}. Archive it with: {again}" in done.err
    assert done.err.count("error: ") == 1
    assert empty_site.pull("two").exit_code == 2
    empty_site.endpoint.faults.rules.clear()
    assert empty_site.run(*again.split()[1:]).exit_code == 0
    assert empty_site.pull("two").exit_code == 0


def test_an_incomplete_run_is_archived_and_again_when_it_was_resumed_elsewhere(empty_site: Site) -> None:
    denied = Fault("sts:AssumeRole", deny, account=named(empty_site.world, "core").id)
    empty_site.endpoint.faults.rules.append(denied)
    first = empty_site.scan("one")
    empty_site.endpoint.faults.rules.clear()
    assert empty_site.pull("two").exit_code == 0
    decided = decide("two", "AIDA1")
    done = empty_site.run("scan", "--resume", Path("two") / first.name, "--json")
    assert done.document["status"] == "COMPLETE"
    (version,) = (key for key in empty_site.bucket.objects if "/ledger/" in key)  # that of the machine that resumed
    assert empty_site.bucket.objects[version] == decided
    assert empty_site.pull("three").exit_code == 0
    assert bytes_of(Path("three") / first.name) == bytes_of(Path("two") / first.name) != bytes_of(first)
    late = empty_site.push(first)  # the first machine has what is older
    assert late.exit_code == 2
    assert f"Somebody else archived the run {first.name} first, and what is in {first} does not continue it" in late.err
    assert "Nothing was overwritten." in late.err
    (note,) = run_folder.read(empty_site.scan("one")).listing.notes
    assert note == (
        f"The archive has a later state of the run {first.name} than one does. To compare with that one, move {first} "
        "away."
    )


def test_where_the_list_of_removals_is_not_no_command_names_it(empty_site: Site) -> None:
    """The ledger comes from the archive and says who is to go; the list to plan from stays where it was made."""
    first = empty_site.scan("one")
    core = run_folder.read(first).scans[AccountId(named(empty_site.world, "core").id)]
    assert isinstance(core, Scanned)
    account, user = core.account_id, core.users[0].user_id
    decision = replace(DECIDED, run_id=first.name, choice=Choice.REMOVE, account_id=account, user_id=user)
    with ledger.locked(Path("one")):
        ledger.append(Path("one"), [line(decision)])
    assert empty_site.push(first).exit_code == 0
    scan = ("scan", "--output", "two", "--evidence", "basic", "--safelist", "nobody.yaml", "--archive", ARCHIVE)
    told = empty_site.run(*scan)
    assert "review import review.xlsx" in told.out
    assert "remediate plan" not in told.out
    listed = removals.place(Path("two"), first.name)
    listed.parent.mkdir()
    listed.write_text("{}", encoding="utf-8")
    assert "remediate plan" in empty_site.run(*scan).out
