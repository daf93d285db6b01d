"""`scan --resume`: continues where a run stopped, and ends as if it had never stopped."""

import json
import random
import shutil
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from openpyxl import load_workbook

from scanner.errors import UsageError
from scanner.report.render import render_run
from scanner.report.verify import verify
from scanner.runs import folder as run_folder
from tests.aws_endpoint import DELEGATED_KEY, Endpoint, Fault, SimulatedOrganization, deny, running
from tests.program import Done, Scanned, calling, ids, named, program, scan, small_world, table

pytestmark = pytest.mark.usefixtures("workplace", "hurried")


def resume(endpoint: Endpoint, run_: object, *arguments: object) -> Done:
    with calling(endpoint):
        return program("scan", "--resume", run_, "--format", "csv", *arguments)


def cut(done: Scanned, length: int) -> Path:
    """A run that stopped when its journal had that many bytes, as SIGKILL leaves it."""
    journal = (done.folder / run_folder.JOURNAL).read_bytes()[:length]
    shutil.rmtree(done.folder)
    done.folder.mkdir()
    (done.folder / run_folder.JOURNAL).write_bytes(journal)
    return done.folder


def entered(endpoint: Endpoint) -> set[str | None]:
    return {call.account_id for call in endpoint.calls_to("iam:ListUsers")}


@pytest.fixture
def world() -> SimulatedOrganization:
    return small_world()


def test_only_an_account_that_failed_is_read_when_a_run_is_resumed(world: SimulatedOrganization) -> None:
    broken = named(world, "core").id
    with running(world, [Fault("sts:AssumeRole", deny, account=broken)]) as endpoint:
        first = scan(endpoint)
        assert (first.exit_code, first.with_outcome("FAILED")) == (4, {broken})
        endpoint.faults.rules.clear()
        endpoint.calls.clear()
        again = resume(endpoint, first.folder.name)
    assert again.exit_code == 3
    assert entered(endpoint) == {broken}
    resumed = Scanned(again.exit_code, again.out, again.err, first.output)
    assert resumed.with_outcome("SCANNED") == ids(world)
    assert len(resumed.record.resumptions) == 1
    assert resumed.summary["times"]["resumed_at"]


def places(journal: bytes, count: int = 30) -> list[int]:
    """Where to cut: behind every line but the last one, in the middle of every line, and by chance; the same always."""
    ends = [at + 1 for at, byte in enumerate(journal) if byte == 0x0A]
    middles = [(start + end) // 2 for start, end in pairwise(ends)]
    found = {*ends[:-1], *middles, ends[-1] - 1}
    chance = random.Random(count)
    while len(found) < count:
        found.add(chance.randrange(ends[0], len(journal)))
    return sorted(found)


def times_left_out(accounts: Path) -> list[dict[str, str]]:
    times = {"scanned_at", "credential_report_at"}
    return [{key: value for key, value in row.items() if key not in times} for row in table(accounts)]


def test_wherever_a_run_stopped_it_ends_as_if_it_had_not(world: SimulatedOrganization) -> None:
    with running(world) as endpoint:
        done = scan(endpoint, "--evidence", "basic")
        whole = (done.folder / run_folder.JOURNAL).read_bytes()
        users = (done.folder / "iam-users.csv").read_bytes()
        accounts = times_left_out(done.folder / "accounts.csv")
        for length in places(whole):
            cut(done, 0)
            (done.folder / run_folder.JOURNAL).write_bytes(whole[:length])
            again = resume(endpoint, done.folder.name)
            assert again.exit_code == 3, again.err
            assert ("cut off" in again.err) == (whole[length - 1] != 0x0A)
            assert (done.folder / "iam-users.csv").read_bytes() == users
            assert times_left_out(done.folder / "accounts.csv") == accounts
            assert all(check.holds for check in verify(done.folder, None))


def test_who_resumes_is_recorded_beside_who_began(world: SimulatedOrganization) -> None:
    """Another program and another caller may resume a run; both are recorded, and so is what was not counted."""
    world.delegated_administrators.append(named(world, "dev").id)
    with running(world) as endpoint:
        done = scan(endpoint)
        journal = (done.folder / run_folder.JOURNAL).read_bytes()
        cut(done, journal.index(b"\n") + 8)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("scanner.cli.scan_to_reports.__version__", "9.9.9")
            patch.setattr("scanner.scan.resume.__version__", "9.9.9")
            with calling(endpoint, DELEGATED_KEY):
                again = program("scan", "--resume", done.folder, "--format", "xlsx")
    assert again.exit_code == 4, again.err  # from there the management account is not to be had
    record = run_folder.read(done.folder)
    assert f"started by iam-scanner {record.header.program_version}; this is 9.9.9" in again.err
    book = load_workbook(done.folder / "iam-users.xlsx", read_only=True)
    facts = {row[0]: str(row[1]) for row in book["Evidence"].iter_rows(values_only=True) if any(row)}
    book.close()
    (resumption,) = record.resumptions
    assert resumption.caller
    assert resumption.caller != record.header.caller
    for words in (
        "iam-scanner 9.9.9",
        f"read by {resumption.caller.arn}",
        "had been killed",
        "cut off and was dropped",
    ):
        assert words in facts["Resumed"]


def test_a_run_that_was_killed_when_it_went_on_is_not_taken_for_whole(world: SimulatedOrganization) -> None:
    """Its footer is that of before: what it counts is not all, and so nothing is rendered by it."""
    broken = named(world, "core").id
    with running(world, [Fault("sts:AssumeRole", deny, account=broken)]) as endpoint:
        done = scan(endpoint)
        endpoint.faults.rules.clear()
        resume(endpoint, done.folder)
        journal = (done.folder / run_folder.JOURNAL).read_bytes()
        cut(done, journal.rindex(b"\n", 0, -1) + 1)
        assert run_folder.read_begun(done.folder).read == ids(world)
        assert "has no end" in program("report", done.folder).err
        again = resume(endpoint, done.folder)
    assert again.exit_code == 3
    assert [resumption.killed for resumption in run_folder.read(done.folder).resumptions] == [False, True]


def test_an_account_that_left_meanwhile_is_named(world: SimulatedOrganization) -> None:
    left, failed = named(world, "dev").id, named(world, "core").id
    with running(world, [Fault("sts:AssumeRole", deny, account=failed)]) as endpoint:
        done = scan(endpoint)
        endpoint.faults.rules.clear()
        world.leave(left)
        again = resume(endpoint, done.folder, "--json")
    assert again.exit_code == 3
    assert again.document["coverage"]["listed"] == len(ids(world))
    (note,) = again.document["notes"]
    assert left in note
    assert failed not in note


def test_the_list_of_accounts_is_that_of_the_start_whatever_the_file_says_today(world: SimulatedOrganization) -> None:
    lines = [f"{account.id},{account.name},Root/{account.name}" for account in world.accounts.values()]
    file = Path("accounts.csv")
    file.write_text("\n".join(["account_id,account_name,ou_path", *lines]), encoding="utf-8")
    with running(world, [Fault("sts:AssumeRole", deny, account=named(world, "core").id)]) as endpoint:
        done = scan(endpoint, "--accounts-file", file)
        file.unlink()
        endpoint.faults.rules.clear()
        again = resume(endpoint, done.folder)
    assert again.exit_code == 3, again.err
    assert {row["outcome"] for row in table(done.folder / "accounts.csv")} == {"SCANNED"}
    assert len(table(done.folder / "accounts.csv")) == len(ids(world))


def test_a_run_that_lacks_only_its_reports_gets_them_without_a_call(world: SimulatedOrganization) -> None:
    with running(world) as endpoint:
        done = scan(endpoint)
        users = (done.folder / "iam-users.csv").read_bytes()
        cut(done, 10**9)
        endpoint.calls.clear()
        again = resume(endpoint, done.folder)
    assert again.exit_code == 3
    assert endpoint.calls == []
    assert (done.folder / "iam-users.csv").read_bytes() == users
    assert [resumption.caller for resumption in run_folder.read(done.folder).resumptions] == [None]


def test_what_is_rendered_is_sealed_and_nothing_of_before_is_left_beside_it(world: SimulatedOrganization) -> None:
    with running(world) as endpoint:
        done = scan(endpoint, "--format", "xlsx")
        (done.folder / run_folder.MANIFEST).unlink()
        (done.folder / ".iam-users.xlsx.partial").write_bytes(b"half of it")
        assert resume(endpoint, done.folder).exit_code == 3
    assert {file.name for file in done.folder.iterdir()} == {
        *("accounts.csv", "iam-users.csv", "journal.jsonl", "manifest.json", "summary.json")
    }
    assert program("verify", done.folder).exit_code == 0


@pytest.mark.parametrize("missing", [run_folder.MANIFEST, "footer"])
def test_two_processes_cannot_be_at_one_run_while_its_reports_are_written_either(
    world: SimulatedOrganization, missing: str
) -> None:
    with running(world) as endpoint:
        done = scan(endpoint)
        (done.folder / run_folder.MANIFEST).unlink()
        if missing == "footer":
            journal = (done.folder / run_folder.JOURNAL).read_bytes()
            (done.folder / run_folder.JOURNAL).write_bytes(journal[: journal.rindex(b"\n", 0, -1) + 1])
        with run_folder.locked(done.folder):
            again = resume(endpoint, done.folder)
        assert again.exit_code == 2
        assert "Another process" in again.err
        with run_folder.locked(done.folder), pytest.raises(UsageError, match="Another process"):
            render_run(done.folder, ("csv",))


def test_a_complete_run_cannot_be_resumed(world: SimulatedOrganization) -> None:
    with running(world) as endpoint:
        done = scan(endpoint)
        again = resume(endpoint, done.folder.name)
    assert again.exit_code == 2
    assert "nothing to resume" in again.err


@pytest.mark.parametrize(
    "option",
    [
        ("--ou", "Root/Workloads"),
        ("--safelist", "nobody.yaml"),
        ("--evidence", "basic"),
        ("--role-name", "x"),
        ("--no-session-policy",),
    ],
    ids=lambda option: option[0],
)
def test_what_a_run_was_begun_with_cannot_be_changed(world: SimulatedOrganization, option: tuple[str, ...]) -> None:
    with running(world, [Fault("sts:AssumeRole", deny, account=named(world, "core").id)]) as endpoint:
        done = scan(endpoint)
        endpoint.calls.clear()
        again = resume(endpoint, done.folder.name, *option)
    assert again.exit_code == 2
    assert f"leave out {option[0]}, or start a new run" in again.err
    assert endpoint.calls == []


def test_the_external_id_must_be_given_again(world: SimulatedOrganization) -> None:
    with running(world, [Fault("sts:AssumeRole", deny, account=named(world, "core").id)]) as endpoint:
        done = scan(endpoint, "--external-id", "planted-secret")
        without = resume(endpoint, done.folder.name)
        endpoint.faults.rules.clear()
        again = resume(endpoint, done.folder.name, "--external-id", "planted-secret")
    assert (without.exit_code, again.exit_code) == (2, 3)
    assert "--external-id again" in without.err
    assert endpoint.sessions[-1].external_id == "planted-secret"


def test_the_external_id_may_come_from_where_it_came_the_first_time(
    world: SimulatedOrganization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IAM_SCANNER_EXTERNAL_ID", "planted-secret")
    with running(world, [Fault("sts:AssumeRole", deny, account=named(world, "core").id)]) as endpoint:
        done = scan(endpoint)
        endpoint.faults.rules.clear()
        assert resume(endpoint, done.folder).exit_code == 3
    assert endpoint.sessions[-1].external_id == "planted-secret"


def test_a_run_is_resumed_by_its_own_organization_alone(world: SimulatedOrganization) -> None:
    with running(world, [Fault("sts:AssumeRole", deny, account=named(world, "core").id)]) as endpoint:
        done = scan(endpoint)
    before = (done.folder / run_folder.JOURNAL).read_bytes()
    world.id = "o-another0001"
    with running(world) as endpoint:
        again = resume(endpoint, done.folder.name)
    assert again.exit_code == 2
    assert "another organization" in again.err
    assert (done.folder / run_folder.JOURNAL).read_bytes() == before


def test_after_seven_days_it_refuses(world: SimulatedOrganization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.scan.resume.RESUMABLE", timedelta(seconds=-1))
    with running(world, [Fault("sts:AssumeRole", deny, account=named(world, "core").id)]) as endpoint:
        done = scan(endpoint)
        again = resume(endpoint, done.folder.name)
    assert again.exit_code == 2
    assert "seven days" in again.err


def test_two_processes_cannot_be_at_one_run(world: SimulatedOrganization) -> None:
    with running(world, [Fault("sts:AssumeRole", deny, account=named(world, "core").id)]) as endpoint:
        done = scan(endpoint)
        with run_folder.Journal(done.folder, run_folder.read_begun(done.folder)):
            again = resume(endpoint, done.folder.name)
    assert again.exit_code == 2
    assert "Another process" in again.err


def test_a_changed_line_is_refused_and_not_repaired(world: SimulatedOrganization) -> None:
    with running(world, [Fault("sts:AssumeRole", deny, account=named(world, "core").id)]) as endpoint:
        done = scan(endpoint)
        journal = done.folder / run_folder.JOURNAL
        changed = journal.read_bytes().replace(b'"user_name":"alice"', b'"user_name":"mallo"', 1)
        journal.write_bytes(changed)
        again = resume(endpoint, done.folder.name)
    assert again.exit_code == 1
    assert "the journal was changed" in again.err
    assert journal.read_bytes() == changed


def test_an_interrupted_run_is_reported_as_incomplete(world: SimulatedOrganization) -> None:
    with running(world) as endpoint:
        done = scan(endpoint)
    lines = (done.folder / run_folder.JOURNAL).read_bytes().splitlines(keepends=True)
    footer = json.loads(lines[-1]) | {"interrupted": True}
    (done.folder / run_folder.JOURNAL).write_bytes(
        b"".join(lines[:-1]) + json.dumps(footer, separators=(",", ":")).encode() + b"\n"
    )
    again = program("report", done.folder.name, "--json")
    assert again.document["status"] == "INCOMPLETE"
