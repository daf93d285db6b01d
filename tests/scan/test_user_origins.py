"""Who created a user, and by what means: what is taken of CloudTrail's events, and what is not."""

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.session import Session as BareSession

from scanner.aws import user_origins
from scanner.model import Evidence, Scanned
from scanner.scan.account import scan_account
from tests.aws_endpoint import (
    Clock,
    Endpoint,
    Fault,
    Raw,
    Refuse,
    SimulatedAccount,
    SimulatedEvent,
    SimulatedUser,
    deny,
    empty_organization,
    html,
    nth,
    same_marker,
)
from tests.scan.entering import entrance, known, one_account, scanned

pytestmark = pytest.mark.usefixtures("hurried")

NO_EVENT = "CloudTrail has no event of the creation of alice, so by whom is unknown. Events can come 15 minutes late."
ACCOUNT = "111122223333"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role"
CLI = "aws-cli/2.31.1 md/awscrt#0.27.6 ua/2.1 os/linux lang/python#3.13 exec-env/CloudShell cfg/retry-mode#standard"
PERSON = f"{SESSION}/AWSReservedSSO_Admin_0123456789abcdef/ada@example.com"


def days_ago(days: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) - timedelta(days=days)


def young(account: SimulatedAccount, name: str = "alice", **details: Any) -> SimulatedUser:
    return account.add_user(name, **{"created_at": days_ago(10)} | details)


def by(arn: str, kind: str = "AssumedRole", **more: Any) -> dict[str, Any]:
    return {"userIdentity": {"type": kind, "arn": arn, "accountId": ACCOUNT} | more}


# --- by whom ----------------------------------------------------------------------------------------------------------

PRINCIPALS: dict[str, tuple[dict[str, Any], str | None]] = {
    "an IAM user": (
        by(f"arn:aws:iam::{ACCOUNT}:user/root-helper", "IAMUser"),
        f"arn:aws:iam::{ACCOUNT}:user/root-helper",
    ),
    "a role session": (by(f"{SESSION}/Deploy/job-17"), f"{SESSION}/Deploy/job-17"),
    "an Identity Center person": (by(PERSON), PERSON),
    "root": (by(f"arn:aws:iam::{ACCOUNT}:root", "Root"), f"arn:aws:iam::{ACCOUNT}:root"),
    "another account": (by("arn:aws:iam::444455556666:role/partner"), "arn:aws:iam::444455556666:role/partner"),
    "another account, without an ARN": (
        {"userIdentity": {"type": "AWSAccount", "accountId": "444455556666", "principalId": "AROAX:partner"}},
        "account 444455556666, AROAX:partner",
    ),
    "an AWS service": (
        {"userIdentity": {"type": "AWSService", "invokedBy": "servicecatalog.amazonaws.com"}},
        "servicecatalog.amazonaws.com",
    ),
    "a service for a role": (
        by(f"{SESSION}/Deploy/x", invokedBy="cloudformation.amazonaws.com"),
        f"{SESSION}/Deploy/x",
    ),
    "nobody named": ({}, None),
    "no identity": ({"userIdentity": "root"}, None),
}


async def test_the_principal_is_named() -> None:
    world, member = one_account()
    for name, (fields, _) in PRINCIPALS.items():
        member.record_creation(young(member, name), **fields, userAgent=CLI)
    scan = await scanned(world, member)
    assert {user.user_name: user.created_by for user in scan.users} == {
        name: arn for name, (_, arn) in PRINCIPALS.items()
    }
    assert scan.users[0].created_with == "aws-cli"
    assert (scan.evidence, scan.notes) == (Evidence.FULL, ())


# --- by what means ----------------------------------------------------------------------------------------------------

TERRAFORM = (
    "APN/1.0 HashiCorp/1.0 Terraform/1.13.3 (+https://www.terraform.io) terraform-provider-aws/6.1 aws-sdk-go-v2/1"
)
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"
MEANS: dict[str, tuple[dict[str, Any], str | None]] = {
    "console, by its host": ({"userAgent": "console.amazonaws.com"}, "console"),
    "console, signing in": ({"userAgent": "signin.amazonaws.com"}, "console"),
    "console, as of old": ({"userAgent": "AWS Internal"}, "console"),
    "console, by its parts": ({"userAgent": "aws-internal/3 aws-sdk-java/1.12.783 Linux/5.10"}, "console"),
    "console, by the session": ({"userAgent": BROWSER, "sessionCredentialFromConsole": "true"}, "console"),
    "CloudShell": ({"userAgent": CLI, "sessionCredentialFromConsole": "true"}, "aws-cli"),
    "CLI": ({"userAgent": CLI}, "aws-cli"),
    "Terraform": ({"userAgent": TERRAFORM}, "terraform"),
    "CloudFormation": ({"userAgent": "cloudformation.amazonaws.com"}, "cloudformation"),
    "CloudFormation in China": ({"userAgent": "cloudformation.cn-north-1.amazonaws.com.cn"}, "cloudformation"),
    "a service that called": (by("x", invokedBy="servicecatalog.amazonaws.com"), "servicecatalog"),
    "boto3": ({"userAgent": "Boto3/1.40.61 md/Botocore#1.40.61 ua/2.1 os/linux"}, "boto3"),
    "an SDK": ({"userAgent": "exec-env/AWS_Lambda aws-sdk-nodejs/2.1692.0 linux/v18"}, "aws-sdk-nodejs"),
    "PowerShell": ({"userAgent": "AWS-Tools/PowerShell/4.1 .NET/8"}, "powershell"),
    "a tool of its own name": ({"userAgent": "Steampipe/1.0 (linux)"}, "steampipe"),
    "no agent": ({}, None),
    "an agent that is no text": ({"userAgent": 7}, None),
}


@pytest.mark.parametrize(("fields", "expected"), MEANS.values(), ids=MEANS)
def test_the_means_are_told_from_the_event(fields: dict[str, Any], expected: str | None) -> None:
    assert user_origins._means(fields) == expected


# --- whose event it is ------------------------------------------------------------------------------------------------


async def test_a_user_created_again_is_told_from_the_one_before() -> None:
    world, member = one_account()
    gone = young(member, created_at=days_ago(20))
    member.record_creation(gone, **by(f"{SESSION}/Deploy/before"))
    member.remove_user("alice")
    member.record_creation(young(member, serial=2), **by(f"{SESSION}/Deploy/after"))
    (user,) = (await scanned(world, member)).users
    assert user.created_by == f"{SESSION}/Deploy/after"


NO_CREATION: dict[str, dict[str, Any]] = {
    "failed": {"errorCode": "EntityAlreadyExistsException", "responseElements": None},
    "failed, with an answer": {"errorCode": "ServiceFailure"},
    "of another user": {"responseElements": {"user": {"userId": "AIDAANOTHER", "userName": "alice"}}},
    "of a pool of users": {"eventSource": "cognito-idp.amazonaws.com"},
    "without an answer": {"responseElements": None},
    "with an odd answer": {"responseElements": {"user": ["AIDA"]}},
}


async def test_an_event_that_created_no_such_user_counts_for_none() -> None:
    world, member = one_account()
    alice = young(member)
    for fields in NO_CREATION.values():
        member.record_creation(alice, **by(PERSON), **fields)
    scan = await scanned(world, member)
    assert (scan.users[0].created_by, scan.evidence, scan.notes) == (None, Evidence.FULL, (NO_EVENT,))


async def test_an_event_that_cannot_be_read_hides_no_other() -> None:
    world, member = one_account()
    member.record_creation(young(member), **by(PERSON))
    member.events += [SimulatedEvent(time=days_ago(5), text=text) for text in ("", "{", "[]", "null", '"x"', "{}")]
    assert (await scanned(world, member)).users[0].created_by == PERSON


async def test_an_event_that_comes_twice_is_one() -> None:
    world, member = one_account()
    member.record_creation(young(member), **by(PERSON))
    member.events *= 2
    assert (await scanned(world, member)).users[0].created_by == PERSON


# --- when it is asked -------------------------------------------------------------------------------------------------


async def asked(world: Any, member: SimulatedAccount, *faults: Fault, **more: Any) -> tuple[Scanned, Endpoint]:
    async with Endpoint(world, faults, **more) as endpoint, entrance(endpoint) as way:
        scan = await scan_account(known(member), way, lambda: None)
    assert isinstance(scan, Scanned)
    return scan, endpoint


async def test_an_account_without_a_young_user_is_not_asked_about() -> None:
    world, member = one_account()
    member.add_user("alice", created_at=days_ago(91))
    scan, endpoint = await asked(world, member)
    assert (endpoint.counts["cloudtrail:LookupEvents"], scan.notes, scan.evidence) == (0, (), Evidence.FULL)


@pytest.mark.parametrize(("age", "calls"), [(10, 8), (91, 7)])
async def test_an_account_costs_eight_calls_or_seven_without_a_young_user(age: int, calls: int) -> None:
    world, member = one_account()
    for number in range(30):
        member.record_creation(young(member, f"user-{number}", created_at=days_ago(age)), **by(PERSON))
    _, endpoint = await asked(world, member)
    assert len([call for call in endpoint.calls if call.account_id == member.id]) == calls


async def test_older_users_are_told_from_those_without_an_event() -> None:
    world, member = one_account()
    young(member)
    for name in ("bob", "carol"):
        young(member, name, created_at=days_ago(400))
    assert (await scanned(world, member)).notes == (
        NO_EVENT,
        "Created before the 90 days that CloudTrail keeps, so by whom is unknown: 2 users.",
    )


@pytest.mark.parametrize(
    ("partition", "region"), [("aws", "us-east-1"), ("aws-us-gov", "us-gov-west-1"), ("aws-cn", "cn-north-1")]
)
async def test_it_is_asked_where_the_partition_records_the_events_of_iam(partition: str, region: str) -> None:
    """The endpoint has them there alone."""
    world = empty_organization(partition=partition)
    member = world.add_account("member")
    arn = f"arn:{partition}:sts::{member.id}:assumed-role/Deploy/x"
    member.record_creation(young(member), **by(arn))
    assert (await scanned(world, member)).users[0].created_by == arn
    assert user_origins.REGIONS[partition] == region


def test_the_regions_are_those_in_which_iam_itself_is() -> None:
    data = BareSession().get_data("endpoints")
    for partition in data["partitions"]:
        iam = partition["services"].get("iam", {})
        if entry := iam.get("endpoints", {}).get(iam.get("partitionEndpoint")):
            assert user_origins.REGIONS[partition["partition"]] == entry["credentialScope"]["region"]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The endpoint's time, which stands still but for the scan's own pauses between two pages."""
    clock = Clock(datetime.now(UTC))

    async def pause(seconds: float) -> None:
        clock.advance(seconds)
        await asyncio.sleep(0)

    monkeypatch.setattr("scanner.aws.user_origins.asyncio", SimpleNamespace(sleep=pause))
    return clock


def created_many(account: SimulatedAccount, count: int) -> None:
    """As many users came and went since alice was created."""
    account.record_creation(young(account), **by(PERSON))
    for number in range(count):
        gone = SimulatedUser(name=f"temporary-{number}", user_id=f"AIDA{number}", created_at=days_ago(5))
        account.record_creation(gone, **by(f"{SESSION}/Tests/x"))


async def test_all_pages_are_read_at_the_pace_that_aws_allows(clock: Clock) -> None:
    """Where it were faster, the endpoint would throttle: as its clock stands still, for ever."""
    world, member = one_account()
    created_many(member, 320)
    scan, endpoint = await asked(world, member, clock=clock)
    assert scan.users[0].created_by == PERSON
    assert endpoint.counts["cloudtrail:LookupEvents"] == 7


async def test_no_more_pages_are_read_than_are_needed(clock: Clock) -> None:
    world, member = one_account()
    created_many(member, 0)
    for number in range(120):
        old = SimulatedUser(name=f"old-{number}", user_id=f"AIDA{number}", created_at=days_ago(40))
        member.record_creation(old)
    _, endpoint = await asked(world, member, clock=clock)
    assert endpoint.counts["cloudtrail:LookupEvents"] == 1


# --- what does not come -----------------------------------------------------------------------------------------------

REFUSED = {
    "denied": (Fault("cloudtrail:*", deny), "ACCESS_DENIED (AccessDeniedException). User: "),
    "a login page": (Fault("cloudtrail:*", html), "BAD_RESPONSE. "),
    "no events": (Fault("cloudtrail:*", Raw(200, b"{}", "application/x-amz-json-1.1")), "BAD_RESPONSE. "),
    "no end": (Fault("cloudtrail:*", same_marker), "INCOMPLETE_LISTING. "),
    "cut": (Fault("cloudtrail:*", Refuse(400, "InvalidNextTokenException", "no"), when=nth(2)), "BAD_RESPONSE (Inv"),
}


@pytest.mark.parametrize(("fault", "why"), REFUSED.values(), ids=REFUSED)
async def test_what_does_not_come_leaves_the_columns_empty_and_a_note(fault: Fault, why: str, clock: Clock) -> None:
    world, member = one_account()
    created_many(member, 60)
    scan, _ = await asked(world, member, fault, clock=clock)
    assert (scan.users[0].created_by, scan.users[0].created_with, scan.evidence) == (None, None, Evidence.PARTIAL)
    (note,) = scan.notes
    assert note.startswith(f"cloudtrail:LookupEvents gave no evidence: {why}")


@pytest.mark.parametrize("code", ["UnknownOperationException", "UnsupportedOperationException"])
async def test_a_partition_without_the_action_is_a_note_and_not_partial(code: str) -> None:
    world, member = one_account()
    young(member)
    scan = await scanned(world, member, Fault("cloudtrail:*", Refuse(400, code, "")))
    assert scan.evidence is Evidence.FULL
    assert scan.notes == ("cloudtrail:LookupEvents is not available in this partition, so its columns are empty.",)


async def test_a_call_to_nowhere_costs_the_columns_and_not_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDTRAIL", "nowhere")
    world, member = one_account()
    young(member)
    scan = await scanned(world, member)
    assert scan.evidence is Evidence.PARTIAL
    assert scan.notes[0].startswith("cloudtrail:LookupEvents gave no evidence: ")
