"""The credential report of an account: asked for, waited for, and read for whom it is about."""

from datetime import UTC, datetime, timedelta

import pytest

from scanner.model import Evidence, Scanned
from scanner.scan.account import scan_account
from tests.aws_endpoint import Clock, Endpoint, Fault, Raw, Refuse, StoredReport, first
from tests.scan.entering import entrance, known, names, one_account, scanned

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


# --- what it says, and of whom ----------------------------------------------------------------------------------------


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
    assert scan.notes == ("1 of 1 users are not in the credential report: it is older than they are.",)


async def test_a_row_of_this_very_user_counts_though_the_report_is_old() -> None:
    world, member = one_account()
    user = member.add_user("alice", mfa=True)
    hours_ago = (datetime.now(UTC) - timedelta(hours=3)).replace(microsecond=0)
    member.report = StoredReport(generated_at=hours_ago, users=(user,))
    scan = await scanned(world, member)
    assert scan.users[0].credentials is not None
    assert scan.credential_report_at == hours_ago


@pytest.mark.parametrize(
    "content", [b"", b"aGVsbG8=", b"dXNlcixhcm4K", b"!!"], ids=["empty", "no report", "no columns", "no base64"]
)
async def test_a_credential_report_that_is_none_costs_the_evidence_and_not_the_account(content: bytes) -> None:
    world, member = one_account("alice")
    body = (
        b'<GetCredentialReportResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><GetCredentialReportResult>'
        b"<Content>" + content + b"</Content></GetCredentialReportResult></GetCredentialReportResponse>"
    )
    scan = await scanned(world, member, Fault("iam:GetCredentialReport", Raw(200, body, "text/xml")))
    assert (names(scan), scan.evidence) == (["alice"], Evidence.PARTIAL)
    assert scan.users[0].credentials is None
    assert "BAD_RESPONSE" in scan.notes[0]
