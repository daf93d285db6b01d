"""Which earlier run a scan compares with, and what it then says of each user."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scanner.record import Record
from scanner.runs import folder as run_folder
from tests.aws_endpoint import Endpoint, Fault, SimulatedOrganization, deny, running
from tests.program import ids, named, scan, small_world, table, unit
from tests.runs.recording import reseal

pytestmark = pytest.mark.usefixtures("workplace")

QUICK = ("--evidence", "basic", "--json")


@pytest.fixture(autouse=True)
def counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of one second sort by their digits, which are random: here they count."""
    numbers = itertools.count()
    monkeypatch.setattr("scanner.runs.folder.secrets.token_hex", lambda _: f"{next(numbers):06x}")


@pytest.fixture
def world() -> SimulatedOrganization:
    return small_world()


def folder_of(endpoint: Endpoint, *arguments: object) -> Path:
    """Scan, and return the run's folder."""
    done = scan(endpoint, *QUICK, *arguments)
    assert done.exit_code in {3, 4}, done.err
    return done.output / str(done.document["run_id"])


def record_of(endpoint: Endpoint, *arguments: object) -> Record:
    return run_folder.read(folder_of(endpoint, *arguments))


def compared_with(record: Record) -> str | None:
    return record.header.previous_run.run_id if record.header.previous_run else None


def test_the_first_run_is_compared_with_none(world: SimulatedOrganization) -> None:
    with running(world) as endpoint:
        folder = folder_of(endpoint)
    record = run_folder.read(folder)
    assert compared_with(record) is None
    assert record.header.previous_why == f"no earlier finished run of this organization in {folder.parent}"
    assert {row["change"] for row in table(folder / "iam-users.csv")} == {""}


def test_the_next_run_says_what_changed(world: SimulatedOrganization) -> None:
    core = named(world, "core")
    with running(world) as endpoint:
        first = folder_of(endpoint)
        core.remove_user("alice")
        core.add_user("alice", serial=2)
        core.add_user("carol")
        second = folder_of(endpoint)
    record = run_folder.read(second)
    assert record.header.previous_run is not None
    assert record.header.previous_run.run_id == first.name
    assert record.header.previous_run.digest == run_folder.read(first).digest
    found = {(row["account_name"], row["user_name"]): row["change"] for row in table(second / "iam-users.csv")}
    assert {key: change for key, change in found.items() if change != "UNCHANGED"} == {
        ("core", "alice"): "RECREATED",
        ("core", "carol"): "NEW",
    }


def test_an_incomplete_run_and_a_smaller_one_are_passed_over(world: SimulatedOrganization) -> None:
    with running(world) as endpoint:
        whole = folder_of(endpoint)
        folder_of(endpoint, "--ou", "Root/Workloads/Prod")
        endpoint.faults.rules.append(Fault("sts:AssumeRole", deny, account=named(world, "core").id))
        folder_of(endpoint)
        endpoint.faults.rules.clear()
        record = record_of(endpoint)
        assert compared_with(record) == whole.name
        assert record.header.previous_why == (
            "the newest complete run for this scope (newer ones: 1 incomplete, 1 of a smaller scope)"
        )


def test_a_run_that_judged_on_another_day_says_so(world: SimulatedOrganization) -> None:
    with running(world) as endpoint:
        folder_of(endpoint, "--as-of", "2027-01-31")
        why = record_of(endpoint).header.previous_why
    assert why == "the newest complete run for this scope, which judged approvals on 2027-01-31"


def test_a_run_of_a_wider_scope_will_do(world: SimulatedOrganization) -> None:
    with running(world) as endpoint:
        wide = folder_of(endpoint, "--ou", "Root/Workloads")
        assert compared_with(record_of(endpoint, "--ou", unit(world, "Payments"))) == wide.name
        other = record_of(endpoint, "--ou", "Root/Sandbox")
        assert compared_with(other) is None
        assert other.header.previous_why == "no earlier run is complete and covers this scope (2 of a smaller scope)"


def test_an_account_that_came_since_was_not_previously_scanned(world: SimulatedOrganization) -> None:
    with running(world) as endpoint:
        folder_of(endpoint)
        world.add_account("young").add_user("zoe")
        rows = table(folder_of(endpoint) / "iam-users.csv")
    assert {row["change"] for row in rows if row["account_name"] == "young"} == {"NOT_PREVIOUSLY_SCANNED"}
    assert {row["change"] for row in rows if row["account_name"] != "young"} == {"UNCHANGED"}


def test_a_run_can_be_named_and_none_too(world: SimulatedOrganization) -> None:
    with running(world, [Fault("sts:AssumeRole", deny, account=named(world, "core").id)]) as endpoint:
        incomplete = folder_of(endpoint)
        endpoint.faults.rules.clear()
        folder_of(endpoint)
        assert compared_with(record_of(endpoint, "--previous", "none")) is None
        named_one = folder_of(endpoint, "--previous", incomplete.name)
    assert compared_with(run_folder.read(named_one)) == incomplete.name
    changes = {(row["account_name"] == "core", row["change"]) for row in table(named_one / "iam-users.csv")}
    assert changes == {(True, "NOT_PREVIOUSLY_SCANNED"), (False, "UNCHANGED")}


def test_a_run_of_another_organization_is_refused_and_never_taken(world: SimulatedOrganization) -> None:
    with running(world) as endpoint:
        other = folder_of(endpoint)
    world.id = "o-another0001"
    with running(world) as endpoint:
        refused = scan(endpoint, *QUICK, "--previous", other.name)
        assert compared_with(record_of(endpoint)) is None
    assert refused.exit_code == 2
    assert "another organization" in refused.err
    assert ids(world)


def _broken_journal(folder: Path) -> None:
    journal = folder / run_folder.JOURNAL
    journal.write_bytes(journal.read_bytes().replace(b'"alice"', b'"mallo"', 1))


def test_a_run_whose_journal_was_changed_is_noted_and_not_compared_with(world: SimulatedOrganization) -> None:
    with running(world) as endpoint:
        older = folder_of(endpoint)
        newer = folder_of(endpoint)
        _broken_journal(newer)
        record = record_of(endpoint)
    assert compared_with(record) == older.name
    assert any(newer.name in note and "the journal was changed" in note for note in record.listing.notes)


def _edit(folder: Path, **changes: Any) -> None:
    summary = json.loads((folder / "summary.json").read_bytes())
    (folder / "summary.json").write_text(json.dumps(summary | changes), encoding="utf-8")


def _unseal(folder: Path) -> None:
    (folder / run_folder.MANIFEST).unlink()


@pytest.mark.parametrize("spoil", [lambda folder: _edit(folder, status="NOTHING READ"), _unseal])
def test_a_run_that_is_not_as_it_was_sealed_does_not_count(
    world: SimulatedOrganization, spoil: Callable[[Path], None]
) -> None:
    with running(world) as endpoint:
        older = folder_of(endpoint)
        spoil(folder_of(endpoint))
        record = record_of(endpoint)
    assert compared_with(record) == older.name
    assert [point.run_id for point in record.header.trend] == [older.name]


def test_the_trend_has_every_finished_run(world: SimulatedOrganization) -> None:
    with running(world) as endpoint:
        whole = folder_of(endpoint)
        endpoint.faults.rules.append(Fault("sts:AssumeRole", deny, account=named(world, "core").id))
        partial = folder_of(endpoint)
        endpoint.faults.rules.clear()
        trend = record_of(endpoint).header.trend
    assert [(run.run_id, run.users, run.unapproved, run.scanned, run.active) for run in trend] == [
        (whole.name, 14, 14, 7, 7),
        (partial.name, 12, 12, 6, 7),
    ]


def test_a_ledger_that_cannot_be_read_stops_the_scan_before_an_account_is_entered(
    world: SimulatedOrganization, workplace: Path
) -> None:
    (workplace / "reports").mkdir()
    (workplace / "reports" / "decisions.csv").write_text("not,a,ledger\r\n", encoding="utf-8")
    with running(world) as endpoint:
        done = scan(endpoint, *QUICK)
    assert done.exit_code == 2
    assert "decisions.csv:1" in done.err
    assert endpoint.calls_to("sts:AssumeRole") == []


def test_a_line_of_the_ledger_that_was_cut_off_is_left_out_and_noted(
    world: SimulatedOrganization, workplace: Path
) -> None:
    (workplace / "reports").mkdir()
    (workplace / "reports" / "decisions.csv").write_bytes(b"\xef\xbb\xbfimported_at,imported_")
    with running(world) as endpoint:
        done = scan(endpoint, *QUICK)
    assert done.exit_code == 3
    (note,) = done.document["notes"]
    assert note.startswith("The last line of reports/decisions.csv was cut off")


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("users", "found"), "abc"),
        (("users", "found"), 10**400),
        (("users", "unapproved"), -5),
        (("coverage", "scanned"), 1.5),
        (("times", "started_at"), "2026-11-01T00:00:00"),  # of no time zone
        (("run_id",), ["a"]),
        (("run_id",), "20261101T000000Z-aaaaaa"),
        (("status",), "FINE"),
        (("caller",), None),
    ],
)
def test_a_summary_that_no_program_wrote_costs_no_scan(
    world: SimulatedOrganization, where: tuple[str, ...], value: object
) -> None:
    """It counts for nothing, neither in the trend nor as the run to compare with."""
    with running(world) as endpoint:
        first = folder_of(endpoint)
        summary = json.loads((first / run_folder.SUMMARY).read_bytes())
        *path, last = where
        part = summary
        for name in path:
            part = part[name]
        part[last] = value
        (first / run_folder.SUMMARY).write_text(json.dumps(summary), encoding="utf-8")
        reseal(first)
        record = record_of(endpoint)
    assert compared_with(record) is None
    assert record.header.trend == ()
