"""The credential report of an account: asked for, waited for, and read for whom it is about."""

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from scanner.model import Evidence, Scanned
from scanner.scan.account import scan_account
from tests.aws_endpoint import (
    Clock,
    Endpoint,
    Fault,
    Refuse,
    SimulatedAccount,
    StoredReport,
    always,
    deny,
    first,
    hang,
    http_500,
    running,
    throttle,
)
from tests.aws_endpoint.credential_report import render
from tests.aws_endpoint.faults import Effect
from tests.program import scan
from tests.scan.entering import entrance, known, names, one_account, scanned, xml

pytestmark = pytest.mark.usefixtures("hurried")

CREATED = datetime(2025, 1, 6, 8, 30, 15, tzinfo=UTC)

# --- waited for -------------------------------------------------------------------------------------------------------


async def test_a_report_in_progress_is_looked_for_again() -> None:
    world, member = one_account("alice", report_polls=4)
    async with Endpoint(world) as endpoint, entrance(endpoint) as way:
        scan = await scan_account(known(member), way, lambda: None)
    assert isinstance(scan, Scanned)
    assert scan.evidence is Evidence.FULL
    assert scan.users[0].credentials is not None
    assert endpoint.counts["iam:GetCredentialReport"] == 5
    assert endpoint.counts["iam:GenerateCredentialReport"] == 1


async def test_a_report_that_is_not_done_in_time_leaves_the_account_scanned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.aws.credential_report.POLL_SECONDS", (0.05,))
    world, member = one_account("alice", report_polls=10_000)
    scan = await scanned(world, member, seconds=1.0)
    assert (names(scan), scan.evidence) == (["alice"], Evidence.PARTIAL)
    (note,) = scan.notes
    assert note.startswith("iam:GetCredentialReport gave no evidence: TIMEOUT. ")


async def test_a_report_that_expires_while_waited_for_is_asked_for_again() -> None:
    world, member = one_account("alice")
    expired = Fault("iam:GetCredentialReport", Refuse(410, "ReportExpired", "Report is expired."), when=first(1))
    async with Endpoint(world, [expired]) as endpoint, entrance(endpoint) as way:
        scan = await scan_account(known(member), way, lambda: None)
    assert isinstance(scan, Scanned)
    assert scan.users[0].credentials is not None
    assert endpoint.counts["iam:GenerateCredentialReport"] == 2


async def test_the_place_is_given_up_while_only_the_report_is_waited_for() -> None:
    world, member = one_account("alice", report_delay=60.0)
    clock = Clock()
    order: list[str] = []

    def release() -> None:
        order.append("released")
        clock.advance(61)

    async with Endpoint(world, clock=clock) as endpoint, entrance(endpoint) as way:
        scan = await scan_account(known(member), way, release)
    assert order == ["released"]
    assert isinstance(scan, Scanned)
    assert scan.users[0].credentials is not None


# --- where AWS generates none -----------------------------------------------------------------------------------------

GENERATE = "iam:GenerateCredentialReport"
GET = "iam:GetCredentialReport"
no_capacity = Refuse(409, "LimitExceeded", "No more capacity to launch new report generation tasks")
PASSING = {
    "no capacity": no_capacity,
    "RequestTimeout": Refuse(400, "RequestTimeout", "Your socket connection was not read in time."),
    "RequestTimeoutException": Refuse(400, "RequestTimeoutException", "Timed out."),
    "RequestTimedOut": Refuse(400, "RequestTimedOut", "Timed out."),
    "408": Refuse(408, "SomethingNew", "Timed out."),
    "ServiceFailure": http_500,
    "ServiceFailure, as a client error": Refuse(400, "ServiceFailure", "Failed."),
    "ServiceUnavailableException": Refuse(400, "ServiceUnavailableException", "Unavailable."),
    "throttled": throttle,
}


def stored(member: SimulatedAccount, age: timedelta) -> datetime:
    """Give the account a report of this age; return when it was generated."""
    generated_at = (datetime.now(UTC) - age).replace(microsecond=0)
    member.report = StoredReport(generated_at=generated_at, users=tuple(member.users))
    return generated_at


def served(member: SimulatedAccount, generated_at: datetime | None, content: bytes | None = None) -> Fault:
    """Give out this report, whatever AWS's rules say of its age."""
    content = render(member, member.users, arn_account=member.id) if content is None else content
    text = f"<Content>{base64.b64encode(content).decode()}</Content><ReportFormat>text/csv</ReportFormat>"
    time = f"<GeneratedTime>{generated_at.isoformat()}</GeneratedTime>" if generated_at else ""
    return Fault(GET, xml("GetCredentialReport", text + time))


@pytest.mark.parametrize("refusal", PASSING.values(), ids=PASSING)
async def test_a_refusal_that_passes_is_asked_again_until_it_has_passed(refusal: Effect) -> None:
    world, member = one_account("alice")
    scan = await scanned(world, member, Fault(GENERATE, refusal, when=first(8)))
    assert (scan.evidence, scan.notes) == (Evidence.FULL, ())
    assert scan.users[0].credentials is not None


@pytest.mark.parametrize(
    "refusal", [no_capacity, PASSING["RequestTimedOut"], http_500, deny], ids=["capacity", "time", "500", "denied"]
)
async def test_a_stored_report_is_read_where_no_new_one_is_to_be_had(refusal: Effect) -> None:
    world, member = one_account("alice")
    generated_at = stored(member, timedelta(hours=2, minutes=5, seconds=20))
    scan = await scanned(world, member, Fault(GENERATE, refusal))
    assert scan.users[0].credentials is not None
    assert (scan.evidence, scan.credential_report_at) == (Evidence.FULL, generated_at)
    (note,) = scan.notes
    dated = f"generated {generated_at:%Y-%m-%d %H:%M} UTC, 2 h 5 min before: "
    assert note.startswith(f"{GENERATE} gave no new report, so the stored one was read, {dated}")


async def test_the_note_quotes_what_aws_said() -> None:
    world, member = one_account("alice")
    stored(member, timedelta(hours=1))
    (note,) = (await scanned(world, member, Fault(GENERATE, no_capacity))).notes
    assert note.endswith(" before: THROTTLED (LimitExceeded). No more capacity to launch new report generation tasks")


async def test_throttled_for_good_leaves_the_time_to_read_what_is_stored() -> None:
    world, member = one_account("alice")
    stored(member, timedelta(hours=1))
    scan = await scanned(world, member, Fault(GENERATE, throttle), seconds=1.0)
    assert scan.users[0].credentials is not None
    assert scan.evidence is Evidence.FULL
    assert scan.notes[0].endswith(" before: THROTTLED (Throttling). Rate exceeded")


async def test_a_making_that_hangs_leaves_the_time_to_read_what_is_stored() -> None:
    world, member = one_account("alice")
    stored(member, timedelta(hours=1))
    scan = await scanned(world, member, Fault(GENERATE, hang), seconds=1.0)
    assert scan.users[0].credentials is not None
    assert scan.notes[0].endswith(" before: TIMEOUT. No complete response in the time allowed.")


async def test_without_capacity_for_good_and_nothing_stored_the_refusal_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("scanner.aws.credential_report.POLL_SECONDS", (0.05,))
    world, member = one_account("alice")
    async with Endpoint(world, [Fault(GENERATE, no_capacity)]) as endpoint, entrance(endpoint) as way:
        scan = await scan_account(known(member), replace(way, seconds=1.0), lambda: None)
    assert isinstance(scan, Scanned)
    assert (names(scan), scan.evidence) == (["alice"], Evidence.PARTIAL)
    assert scan.users[0].credentials is None
    (note,) = scan.notes
    assert note.startswith(f"{GENERATE} gave no evidence: THROTTLED (LimitExceeded). No more capacity ")
    assert endpoint.counts[GENERATE] > 5


async def test_a_report_that_another_is_having_made_is_waited_for() -> None:
    """Who may not have one made may still read what comes of another's."""
    world, member = one_account("alice")
    busy = Fault(GET, Refuse(404, "ReportInProgress", "Report is being generated."), when=first(3))
    stored(member, timedelta(0))
    scan = await scanned(world, member, Fault(GENERATE, deny), busy)
    assert scan.users[0].credentials is not None


async def test_a_denied_report_that_is_not_stored_either_is_no_evidence_at_once() -> None:
    world, member = one_account("alice")
    async with Endpoint(world, [Fault(GENERATE, deny)]) as endpoint, entrance(endpoint) as way:
        scan = await scan_account(known(member), way, lambda: None)
    assert isinstance(scan, Scanned)
    assert scan.notes[0].startswith(f"{GENERATE} gave no evidence: ACCESS_DENIED (AccessDenied). ")
    assert (endpoint.counts[GENERATE], endpoint.counts[GET]) == (1, 1)


async def test_reading_that_is_denied_for_lack_of_rights_is_told_and_not_the_lack_of_capacity() -> None:
    world, member = one_account("alice")
    scan = await scanned(world, member, Fault(GENERATE, no_capacity), Fault(GET, deny))
    assert scan.notes[0].startswith(f"{GET} gave no evidence: ACCESS_DENIED (AccessDenied). ")


async def test_a_lack_of_capacity_holds_up_no_other_account() -> None:
    """The place is given up while a report is asked for again and again."""
    world, member = one_account("alice")
    freed = False

    def release() -> None:
        nonlocal freed
        freed = True

    refused = Fault(GENERATE, no_capacity, when=lambda _: not freed)
    async with Endpoint(world, [refused]) as endpoint, entrance(endpoint) as way:
        scan = await scan_account(known(member), way, release)
    assert isinstance(scan, Scanned)
    assert scan.users[0].credentials is not None


# --- how old it is ----------------------------------------------------------------------------------------------------


async def test_a_report_older_than_four_hours_says_its_age_and_is_partial_evidence() -> None:
    world, member = one_account("alice")
    generated_at = (datetime.now(UTC) - timedelta(days=2, minutes=1, seconds=5)).replace(microsecond=0)
    scan = await scanned(world, member, served(member, generated_at))
    assert (scan.evidence, scan.credential_report_at) == (Evidence.PARTIAL, generated_at)
    assert scan.users[0].credentials is not None
    age = f"generated {generated_at:%Y-%m-%d %H:%M} UTC, 48 h 1 min before"
    assert scan.notes == (f"{GET} gave an old report, {age}.",)


async def test_an_old_report_is_read_only_if_no_new_one_comes_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.aws.credential_report.POLL_SECONDS", (0.05,))
    world, member = one_account("alice", report_polls=2)
    old = replace(served(member, datetime.now(UTC) - timedelta(hours=5)), when=first(3))
    scan = await scanned(world, member, Fault(GENERATE, no_capacity, when=first(3)), old)
    assert (scan.evidence, scan.notes) == (Evidence.FULL, ())
    never = await scanned(world, member, Fault(GENERATE, no_capacity), replace(old, when=always), seconds=1.0)
    assert never.evidence is Evidence.PARTIAL
    assert never.users[0].credentials is not None
    assert [note.split(":")[1].split()[0] for note in never.notes] == [
        "GetCredentialReport",
        "GenerateCredentialReport",
    ]


async def test_an_old_report_is_kept_where_reading_it_again_fails() -> None:
    world, member = one_account("alice")
    old = replace(served(member, datetime.now(UTC) - timedelta(hours=5)), when=first(1))
    scan = await scanned(world, member, Fault(GENERATE, no_capacity), old, Fault(GET, deny))
    assert scan.users[0].credentials is not None
    assert scan.evidence is Evidence.PARTIAL


async def test_a_report_of_which_the_age_is_not_known_says_so() -> None:
    world, member = one_account("alice")
    scan = await scanned(world, member, served(member, None))
    assert (scan.evidence, scan.credential_report_at) == (Evidence.PARTIAL, None)
    assert "AWS does not say when it was generated" in scan.notes[0]


# --- what it says, and of whom ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        lambda row: row.replace("2025-01-06T08:30:15+00:00,true", "yesterday,true"),
        lambda row: row.replace("+00:00,true", ",true"),
        lambda row: row.replace("true,no_information", "true,0001-01-01T00:00:00+14:00"),
        lambda row: row[: len(row) // 2],
        lambda row: row.replace("2025-01-06T08:30:15+00:00,true", "N/A,true"),
    ],
    ids=["a day in words", "no zone", "outside the calendar", "cut", "no creation"],
)
async def test_a_row_that_cannot_be_read_costs_its_user_alone(change: Callable[[str], str]) -> None:
    world, member = one_account("alice")
    member.add_user("bob", console=True)
    member.add_user("carol")
    lines = render(member, member.users, arn_account=member.id).decode().split("\n")
    (at,) = (number for number, line in enumerate(lines) if line.startswith("bob,"))
    broken = [change(line) if number == at else line for number, line in enumerate(lines)]
    assert broken != lines
    scan = await scanned(world, member, served(member, datetime.now(UTC), "\n".join(broken).encode()))
    assert {user.user_name: user.credentials is not None for user in scan.users} == {
        "alice": True,
        "bob": False,
        "carol": True,
    }
    assert scan.evidence is Evidence.FULL
    assert scan.notes == ("The credential report has rows that could not be read: bob.",)


async def test_a_row_of_an_earlier_user_of_the_same_name_does_not_count() -> None:
    """Deleted and created again within the four hours for which AWS gives out the stored report."""
    world, member = one_account()
    earlier = member.add_user("alice", created_at=CREATED, console=True)
    member.report = StoredReport(generated_at=datetime.now(UTC) - timedelta(hours=1), users=(earlier,))
    member.remove_user("alice")
    member.add_user("alice", serial=2, created_at=CREATED + timedelta(seconds=1))
    scan = await scanned(world, member)
    assert scan.users[0].credentials is None
    assert scan.users[0].access is not None
    assert scan.notes == ("Missing from the credential report, which is older than they are: 1 of 1 user.",)


async def test_a_row_of_this_very_user_counts_though_the_report_is_old() -> None:
    world, member = one_account()
    user = member.add_user("alice", mfa=True)
    hours_ago = (datetime.now(UTC) - timedelta(hours=3)).replace(microsecond=0)
    member.report = StoredReport(generated_at=hours_ago, users=(user,))
    scan = await scanned(world, member)
    assert scan.users[0].credentials is not None
    assert scan.credential_report_at == hours_ago


@pytest.mark.usefixtures("workplace")
def test_the_row_of_such_a_user_is_partial_and_no_other_user_s() -> None:
    world, member = one_account("alice", "bob")
    content = render(member, member.users, arn_account=member.id).replace(b"/bob,2025", b"/bob,in 2025")
    fault = replace(served(member, datetime.now(UTC), content), account=member.id)
    with running(world, [fault]) as endpoint:
        done = scan(endpoint)
    assert [done.user("bob")[column] for column in ("evidence", "console_access", "dormant")] == ["PARTIAL", "", ""]
    assert [done.user("alice")[column] for column in ("evidence", "console_access")] == ["FULL", "false"]
    row = done.accounts[member.id]
    assert (row["outcome"], row["evidence"]) == ("SCANNED", "PARTIAL")  # as some row is
    assert row["notes"] == "The credential report has rows that could not be read: bob."


@pytest.mark.parametrize(
    "content", ["", "aGVsbG8=", "dXNlcixhcm4K", "!!"], ids=["empty", "no report", "no columns", "no base64"]
)
async def test_a_credential_report_that_is_none_costs_the_evidence_and_not_the_account(content: str) -> None:
    world, member = one_account("alice")
    scan = await scanned(world, member, Fault(GET, xml("GetCredentialReport", f"<Content>{content}</Content>")))
    assert (names(scan), scan.evidence) == (["alice"], Evidence.PARTIAL)
    assert scan.users[0].credentials is None
    assert "BAD_RESPONSE" in scan.notes[0]
