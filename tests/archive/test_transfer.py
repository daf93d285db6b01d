"""`archive push` and `archive pull`: a run comes out as it went in, and what is not that is refused and named."""

import asyncio
import hashlib
import json
from pathlib import Path

import pytest

from scanner.archive.store_run import store_run
from scanner.aws import object_store
from scanner.errors import UsageError
from scanner.runs import folder as run_folder
from scanner.runs.folder import JOURNAL, MANIFEST
from scanner.runs.journal import UnfinishedRunError
from scanner.runs.ledger import LEDGER
from tests.archive.site import ARCHIVE, Kept, Site, bytes_of, modes, silent
from tests.aws_endpoint import Do, Fault, cut, http_503, throttle, truncated
from tests.runs.recording import reseal

IN_PARTS = 4096  # bytes; the journal of a run here has several of them


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_store, "PART", IN_PARTS)


def test_a_run_comes_out_as_it_went_in(site: Site, kept: Kept) -> None:
    done = site.pull("two", "latest", "--json")
    assert done.exit_code == 0, done.err
    brought = Path("two") / kept.second
    digest = hashlib.sha256((brought / MANIFEST).read_bytes()).hexdigest()
    assert done.document == {
        "run_id": kept.second,
        "folder": str(brought),
        "archived_at": f"s3://example-audit/{site.key(kept.second, MANIFEST).rpartition('/')[0]}",
        "manifest_sha256": digest,
        "pulled_now": True,
        "ledger_pulled_now": True,
    }
    assert bytes_of(brought) == bytes_of(kept.machine / kept.second)
    assert modes(brought) == {"0o700", "0o600"}
    assert Path("two", LEDGER).read_bytes() == (kept.machine / LEDGER).read_bytes()
    assert site.run("verify", brought).exit_code == 0
    again = site.pull("two")
    assert f"Run        {kept.second}: was here already\n" in again.out
    assert "Ledger     nothing new\n" in again.out
    assert site.pull("two", kept.first, "--quiet").out == f"two/{kept.first}\n"


def test_what_is_there_is_not_put_again_and_not_changed(site: Site, kept: Kept) -> None:
    before = dict(site.bucket.objects)
    done = site.push(Path("one") / kept.second)
    assert done.exit_code == 0
    assert "all of them were there already" in done.out
    assert site.bucket.objects == before
    assert site.endpoint.calls_to("s3:PutObject") == []
    del site.bucket.objects[site.key(kept.second, MANIFEST)], site.bucket.objects[site.key(kept.second, "accounts.csv")]
    assert kept.second not in site.pull("two").out, "without its manifest it is none"
    document = site.push(Path("one") / kept.second, "--json").document
    assert document["files"] == {
        "total": 5,
        "put_now": 2,
        "bytes": sum(map(len, bytes_of(Path("one") / kept.second).values())),
    }
    assert site.bucket.objects == before


def test_other_bytes_in_a_run_s_place_are_refused_and_named(site: Site, kept: Kept) -> None:
    del site.bucket.objects[site.key(kept.second, MANIFEST)]
    site.rewrite(kept.second, "accounts.csv", b"core", b"c0re")
    before = dict(site.bucket.objects)
    done = site.push(Path("one") / kept.second)
    assert done.exit_code == 2
    taken = f"s3://example-audit/{site.key(kept.second, 'accounts.csv')}"
    assert f"Somebody else wrote {taken} first, and not what is in one/{kept.second}/accounts.csv." in done.err
    assert site.bucket.objects == before


@pytest.mark.parametrize("action", ["PutObject", "CompleteMultipartUpload"])
def test_somebody_else_writes_in_the_very_moment(
    site: Site, kept: Kept, action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was not there when the archive was listed: S3 itself refuses."""
    if action == "CompleteMultipartUpload":
        monkeypatch.setattr(object_store, "PART", IN_PARTS)
    key = site.key(kept.second, "journal.jsonl")
    ours = site.bucket.objects.pop(key)
    theirs = ours[:-9] + b"something"
    del site.bucket.objects[site.key(kept.second, MANIFEST)]

    def somebody_puts(data: bytes) -> Fault:
        return Fault(f"s3:{action}", Do(lambda _: site.bucket.objects.setdefault(key, data)), params={"Key": key})

    site.endpoint.faults.rules.append(somebody_puts(theirs))
    refused = site.push(Path("one") / kept.second)
    assert refused.exit_code == 2
    assert f"Somebody else wrote s3://example-audit/{key} first" in refused.err
    assert site.bucket.objects[key] == theirs
    assert site.bucket.uploads == {}
    del site.bucket.objects[key]
    site.endpoint.faults.rules[:] = [somebody_puts(ours)]
    assert site.push(Path("one") / kept.second).exit_code == 0


@pytest.mark.usefixtures("small_parts")
def test_a_big_file_goes_in_parts_and_a_failed_upload_leaves_none(empty_site: Site, kept: Kept) -> None:
    site, run = empty_site, kept.machine / kept.second
    site.bucket.object_lock = True
    site.endpoint.faults.rules.append(Fault("s3:UploadPart", http_503, params={"partNumber": "2"}))
    failed = site.run("archive", "push", run, "--output", "one", "--archive", ARCHIVE)
    assert failed.exit_code == 1
    assert "iam-users.csv was not archived: s3:UploadPart: ServiceUnavailable" in failed.err or "journal" in failed.err
    assert site.bucket.uploads == {}
    assert not any(key.endswith(MANIFEST) for key in site.bucket.objects)
    site.endpoint.faults.rules.clear()
    assert site.run("archive", "push", run, "--output", "one", "--archive", ARCHIVE).exit_code == 0
    assert max(len(call.params["Body"]) for call in site.endpoint.calls_to("s3:UploadPart")) == IN_PARTS
    assert site.pull("two").exit_code == 0
    assert bytes_of(Path("two") / kept.second) == bytes_of(run)


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("effect", [cut, throttle], ids=["cut", "SlowDown"])
def test_answers_that_are_lost_are_made_up_for(empty_site: Site, kept: Kept, effect: object) -> None:
    """The call was carried out all the same where the connection is cut: what is there then is ours."""
    site, run = empty_site, kept.machine / kept.second
    site.endpoint.faults.rules.append(Fault("s3:*", effect, when=lambda number: number % 2 == 1))  # type: ignore[arg-type]
    done = site.run("archive", "push", run, "--output", "one", "--archive", ARCHIVE)
    assert done.exit_code == 0, done.err
    site.endpoint.faults.rules[:] = [Fault("s3:GetObject", truncated, when=lambda number: number % 2 == 1)]
    assert site.pull("two").exit_code == 0
    assert bytes_of(Path("two") / kept.second) == bytes_of(run)


def test_a_run_that_changed_since_it_ended_is_not_archived(site: Site, kept: Kept) -> None:
    """Neither one that `verify` would refuse, nor one that changes while it is sent."""
    site.bucket.objects.clear()
    run = Path("one") / kept.second
    edit(run / "accounts.csv", b"core", b"c0re")
    done = site.push(run)
    assert done.exit_code == 2
    assert (
        f"The run {run} is not archived, as it is not what it was when it ended: accounts.csv was changed." in done.err
    )
    assert f"iam-scanner verify {run}" in done.err
    with pytest.raises(UsageError, match=f"{run}/accounts.csv is not what it was when the run ended"):
        store(site, run)
    (run / MANIFEST).unlink()
    with pytest.raises(
        UnfinishedRunError, match=r"only a finished run is archived\. Resume it: iam-scanner scan --resume"
    ):
        store(site, run)
    assert not any(MANIFEST in key for key in site.bucket.objects)


def store(site: Site, run: Path) -> None:
    """Put a run there that the command would look at first."""

    async def work() -> None:
        async with site.opened() as archive:
            await store_run(archive, run, silent())

    asyncio.run(work())


def edit(file: Path, old: bytes, new: bytes) -> None:
    file.write_bytes(file.read_bytes().replace(old, new))


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../../../escaped.csv", "which is not a file of a run"),
        ("/tmp/escaped.csv", "which is not a file of a run"),
        ("manifest.json", "which is not a file of a run"),
        ("missing.csv", "its missing.csv is missing"),
    ],
)
def test_a_manifest_that_leads_elsewhere_is_refused(site: Site, kept: Kept, name: str, why: str) -> None:
    """Also where whoever wrote it knows how the keys are made."""
    manifest = json.loads(site.bucket.objects[site.key(kept.second, MANIFEST)])
    manifest["files"][name] = {"sha256": "0" * 64, "bytes": 3}
    forged = forge(site, kept.second, json.dumps(manifest).encode(), manifest["files"]["journal.jsonl"]["bytes"])
    done = site.pull("two/inner")
    assert done.exit_code == 1
    assert why in done.err
    assert f"The run {kept.second} in s3://example-audit/{forged} is not whole" in done.err
    assert not Path("two").exists()


def forge(site: Site, run_id: str, manifest: bytes, journal_bytes: int) -> str:
    """Put another manifest in the place of a run's, as it would have been archived; return that place."""
    forged = f"iam-058/runs/{run_id}/{journal_bytes:015d}-{hashlib.sha256(manifest).hexdigest()}"
    for key in [key for key in site.bucket.objects if f"/{run_id}/" in key]:
        site.bucket.objects[f"{forged}/{key.rpartition('/')[2]}"] = site.bucket.objects.pop(key)
    site.bucket.objects[f"{forged}/{MANIFEST}"] = manifest
    return forged


def test_what_verify_would_not_take_is_not_brought(site: Site, kept: Kept) -> None:
    """Its manifest fits its files, but its journal was rewritten."""
    run = Path("one") / kept.second
    edit(run / "journal.jsonl", b"alice", b"mallo")
    reseal(run)
    site.bucket.objects.clear()
    store(site, run)
    done = site.pull("two")
    assert done.exit_code == 1
    assert f"The run {kept.second} in s3://example-audit/iam-058/runs/" in done.err
    assert "is not whole: journal.jsonl journal line 2 does not follow line 1" in done.err
    assert names("two") == []


def names(machine: str) -> list[str]:
    return sorted(path.name for path in Path(machine).iterdir())


def test_keys_that_are_no_run_are_passed_over(site: Site, kept: Kept) -> None:
    state = "000000000000001-" + "a" * 64
    for key in (f"runs/../{state}/manifest.json", f"runs/20990101T000000Z-zzzzzz/{state}/manifest.json", "runs/x", "y"):
        site.bucket.objects[f"iam-058/{key}"] = b"{}"
    site.bucket.objects[f"iam-058-other/runs/20990101T000000Z-ffffff/{state}/manifest.json"] = b"{}"
    site.bucket.page = 3
    assert site.pull("two", "latest", "--quiet").out == f"two/{kept.second}\n"


def test_what_has_the_run_s_place_stays(site: Site, kept: Kept) -> None:
    other = Path("two") / kept.second
    other.mkdir(parents=True)
    (other / "mine.txt").write_text("mine")
    done = site.pull("two")
    assert done.exit_code == 2
    assert f"{other} is there already, and is not what is archived. Move it away, or give --output." in done.err
    assert [path.name for path in other.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("damage", ["changed", "deleted"])
def test_a_run_that_is_here_and_is_not_whole_is_not_said_to_be_here(site: Site, kept: Kept, damage: str) -> None:
    assert site.pull("two").exit_code == 0
    file = Path("two") / kept.second / ("iam-users.csv" if damage == "changed" else "journal.jsonl")
    file.write_bytes(b"no") if damage == "changed" else file.unlink()
    again = site.pull("two")
    assert again.exit_code == 2
    assert f"two/{kept.second} is there already, and is not whole: {file.name}" in again.err
    assert "Move it away, or give --output." in again.err


def test_what_a_killed_pull_left_is_replaced(site: Site, kept: Kept) -> None:
    left = Path("two") / f".{kept.second}.partial"
    left.mkdir(parents=True)
    (left / "journal.jsonl").write_text("half a l")
    assert site.pull("two").exit_code == 0
    assert names("two") == [kept.second, LEDGER]


def test_runs_are_named_as_they_are_here(site: Site, kept: Kept) -> None:
    assert site.pull("two", "20").err.splitlines()[-1] == (
        f"error: 2 runs begin with '20': {kept.second}, {kept.first}. Write more of the ID."
    )
    missing = site.pull("two", "19")
    assert missing.exit_code == 2
    assert f"There is no run '19' in {ARCHIVE}. The newest there is {kept.second}." in missing.err
    site.bucket.objects.clear()
    empty = site.pull("two")
    assert empty.exit_code == 2
    assert f"There is no run 'latest' in {ARCHIVE}. It holds no finished run." in empty.err
    nowhere = site.run("archive", "pull", "latest")
    assert nowhere.exit_code == 2
    assert "No archive is named. Give --archive s3://BUCKET/PREFIX, or the setting archive." in nowhere.err


def test_two_histories_of_a_run_are_told_apart(site: Site, kept: Kept) -> None:
    """Somebody put another state there that is as new: which one is the run's, this program does not guess."""
    key = site.key(kept.second, MANIFEST)
    folder, _, _ = key.rpartition("/")
    site.bucket.objects[f"{folder[:-64]}{'f' * 64}/manifest.json"] = b"{}"
    done = site.pull("two")
    assert done.exit_code == 1
    assert f"The archive holds two versions of the run {kept.second}" in done.err
    assert run_folder.all_under(Path("two")) == ()


def test_a_longer_state_that_does_not_continue_an_earlier_one_is_a_fork(site: Site, kept: Kept) -> None:
    """As where two machines resumed one run at once: which of them is the run's, this program does not guess."""
    folder, _, _ = site.key(kept.second, MANIFEST).rpartition("/")
    objects = {key.rpartition("/")[2]: data for key, data in site.bucket.objects.items() if key.startswith(folder)}
    other = objects[JOURNAL][:100].replace(b"header", b"HEADER")
    manifest = json.loads(objects[MANIFEST])
    manifest["files"][JOURNAL] |= {"bytes": len(other), "sha256": hashlib.sha256(other).hexdigest()}
    forged = json.dumps(manifest).encode()
    place = f"{folder.rpartition('/')[0]}/{len(other):015d}-{hashlib.sha256(forged).hexdigest()}"
    for name, data in (objects | {JOURNAL: other, MANIFEST: forged}).items():
        site.bucket.objects[f"{place}/{name}"] = data
    done = site.pull("two")
    assert done.exit_code == 1
    assert f"The archive holds two versions of the run {kept.second}, and neither continues the other" in done.err
    assert run_folder.all_under(Path("two")) == ()


def test_where_nothing_can_be_written_nothing_is_brought(site: Site) -> None:
    Path("file").write_text("not a folder")
    done = site.pull("file/two")
    assert done.exit_code == 1
    assert "cannot be written: Not a directory. Free disk space, or give another --output." in done.err
