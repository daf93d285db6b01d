"""What a review found open, held shut: each of these once said more than it knew, or ended under a wrong name."""

import json
from pathlib import Path

import pytest

from scanner.model import Evidence, Failed, FailReason, Scanned
from tests.aws_endpoint import Do, Fault, Raw, Refuse, SimulatedRole, deny, nth, running, throttle
from tests.program import calling, hurried, ids, named, program, scan, small_world, workplace
from tests.scan.entering import failed, scanned

__all__ = ["hurried", "workplace"]
pytestmark = pytest.mark.usefixtures("workplace", "hurried")

PAGE = (
    "<ListUsersResponse xmlns='https://iam.amazonaws.com/doc/2010-05-08/'><ListUsersResult><Users/>{}</ListUsersResult>"
    "<ResponseMetadata><RequestId>x</RequestId></ResponseMetadata></ListUsersResponse>"
)


def xml(text: str) -> Raw:
    return Raw(200, text.encode(), "text/xml")


@pytest.mark.parametrize(
    "rest",
    ["", "<Marker>abc</Marker>", "<IsTruncated>false</IsTruncated><Marker>abc</Marker>"],
    ids=["neither", "a marker alone", "an end and a marker"],
)
async def test_a_list_that_does_not_say_plainly_that_it_ends_is_incomplete(rest: str) -> None:
    world = small_world()
    found = await failed(world, world.members[0], Fault("iam:ListUsers", xml(PAGE.format(rest))), evidence="basic")
    assert found.failure.reason is FailReason.INCOMPLETE_LISTING


async def test_details_without_their_lists_are_no_evidence() -> None:
    world = small_world()
    answer = PAGE.replace("ListUsers", "GetAccountAuthorizationDetails").replace("<Users/>", "")
    fault = Fault("iam:GetAccountAuthorizationDetails", xml(answer.format("<IsTruncated>false</IsTruncated>")))
    found = await scanned(world, world.members[0], fault)
    assert found.evidence is Evidence.PARTIAL
    assert "iam:GetAccountAuthorizationDetails" in found.notes[0]


async def test_a_summary_without_a_count_is_no_evidence() -> None:
    world = small_world()
    answer = PAGE.replace("ListUsers", "GetAccountSummary").replace("<Users/>", "<SummaryMap/>")
    found = await scanned(world, world.members[0], Fault("iam:GetAccountSummary", xml(answer.format(""))))
    assert found.evidence is Evidence.PARTIAL


async def test_a_time_outside_the_calendar_fails_its_account_alone() -> None:
    world = small_world()
    member = world.members[0]
    user = (
        "<Users><member><UserName>a</UserName><UserId>AIDA1</UserId><Path>/</Path><CreateDate>0001-01-01T00:00:00+14:00"
        f"</CreateDate><Arn>arn:aws:iam::{member.id}:user/a</Arn></member></Users>"
    )
    answer = PAGE.replace("<Users/>", user).format("<IsTruncated>false</IsTruncated>")
    found = await failed(world, member, Fault("iam:ListUsers", xml(answer)), evidence="basic")
    assert found.failure.reason is FailReason.BAD_RESPONSE


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("AccessDenied", FailReason.ACCESS_DENIED),
        ("InvalidClientTokenId", FailReason.CREDENTIALS_EXPIRED),
        ("ExpiredToken", FailReason.CREDENTIALS_EXPIRED),
        ("ValidationError", FailReason.BAD_RESPONSE),
    ],
)
async def test_what_aws_refuses_goes_by_its_code(code: str, reason: FailReason) -> None:
    world = small_world()
    refusal = Fault("iam:ListUsers", Refuse(403, code, "No."))
    assert (await failed(world, world.members[0], refusal)).failure.reason is reason


async def test_the_callers_own_evidence_is_read_through_the_role_where_it_is_denied() -> None:
    world = small_world()
    world.management.roles = [SimulatedRole(name="OrganizationAccountAccessRole")]
    denied = Fault("iam:GetCredentialReport", deny, account=world.management_account_id, when=nth(1))
    found = await scanned(world, world.management, denied)
    assert found.role_arn is not None
    assert found.evidence is Evidence.FULL


async def test_the_callers_own_account_keeps_what_was_read_where_the_role_does_not_help() -> None:
    world = small_world()
    denied = Fault("iam:GetCredentialReport", deny, account=world.management_account_id)
    found = await scanned(world, world.management, denied)
    assert (found.role_arn, found.evidence) == (None, Evidence.PARTIAL)


async def test_the_external_id_is_struck_out_of_what_aws_says() -> None:
    world = small_world()
    echo = Refuse(400, "ValidationError", "Value 'planted-external-id' at 'externalId' failed")
    found: Scanned | Failed = await failed(
        world, world.members[0], Fault("sts:AssumeRole", echo), external_id="planted-external-id"
    )
    assert "planted" not in repr(found)
    assert "(external id)" in repr(found)


async def test_an_account_whose_role_is_throttled_for_ever_is_throttled_and_not_timed_out() -> None:
    world = small_world()
    found = await failed(world, world.members[0], Fault("sts:AssumeRole", throttle), seconds=0.5)
    assert (found.failure.reason, found.failure.call) == (FailReason.THROTTLED, "sts:AssumeRole")


def test_an_ou_that_is_deleted_during_the_walk_costs_nobody_anything() -> None:
    world = small_world()
    empty = world.add_ou("Passing")
    gone = Do(lambda call: world.ous.pop(empty.id, None))
    with running(world, [Fault("organizations:ListOrganizationalUnitsForParent", gone, when=nth(2))]) as endpoint:
        done = scan(endpoint)
    assert done.exit_code == 3
    assert done.with_outcome("SCANNED") == ids(world)


def test_an_account_that_is_named_by_id_is_scanned_alone_though_the_walk_broke() -> None:
    world = small_world()
    wanted = named(world, "dev").id
    broken = Fault("organizations:ListAccountsForParent", deny, params={"ParentId": named(world, "prod").parent_id})
    with running(world, [broken]) as endpoint:
        done = scan(endpoint, "--account", wanted)
    assert set(done.accounts) == {wanted}


def test_no_role_is_assumed_before_the_scope_is_checked() -> None:
    world = small_world()
    hub = f"arn:aws:iam::{world.members[0].id}:role/Hub"
    with running(world) as endpoint, calling(endpoint):
        done = program("scan", "--safelist", "nobody.yaml", "--hub-role-arn", hub, "--ou", "Root/Absent")
    assert done.exit_code == 2
    assert endpoint.calls_to("sts:AssumeRole") == []


def test_a_safelist_of_an_organization_that_could_not_be_checked_is_said() -> None:
    world = small_world()
    Path("named.yaml").write_text("version: 1\norganization: o-someoneelse\nglobal: []\n", encoding="utf-8")
    rows = "".join(f"{account.id},{account.name},Root\n" for account in world.accounts.values())
    Path("accounts.csv").write_text("account_id,account_name,ou_path\n" + rows, encoding="utf-8")
    with running(world) as endpoint:
        done = scan(endpoint, "--accounts-file", "accounts.csv", safelist="named.yaml")
    assert any("o-someoneelse" in note for note in done.summary["notes"])


def test_an_odd_organization_is_no_start() -> None:
    odd = Raw(200, json.dumps({"Organization": {}}).encode(), "application/x-amz-json-1.1")
    with running(small_world(), [Fault("organizations:DescribeOrganization", odd)]) as endpoint:
        done = scan(endpoint)
    assert done.exit_code == 5


def test_an_ou_without_a_name_leaves_the_walk_broken_and_the_run_whole() -> None:
    odd = Raw(200, json.dumps({"OrganizationalUnits": [{"Id": "ou-ex01-99999999"}]}).encode(), "application/json")
    with running(small_world(), [Fault("organizations:ListOrganizationalUnitsForParent", odd)]) as endpoint:
        done = scan(endpoint)
    assert done.exit_code == 4
    assert done.summary["status"] != "COMPLETE"


@pytest.mark.parametrize(("name", "value"), [("AWS_ENDPOINT_URL", "localhost:1234"), ("AWS_REGION", "bad region!")])
def test_settings_of_the_sdk_that_cannot_be_used_are_no_start(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(small_world()) as endpoint, calling(endpoint):
        monkeypatch.setenv(name, value)
        done = program("scan", "--safelist", "nobody.yaml")
    assert done.exit_code == 5


def test_report_looks_where_scan_wrote(monkeypatch: pytest.MonkeyPatch) -> None:
    with running(small_world()) as endpoint:
        done = scan(endpoint)
    name = done.folder.name
    done.output.rename("elsewhere")
    monkeypatch.setenv("IAM_SCANNER_OUTPUT", "elsewhere")
    assert program("report", name).exit_code == 0
