"""Service-specific credentials: those of all users, by one call, and by one a service where AWS wants that."""

from datetime import UTC, datetime

import pytest

from scanner.model import Evidence, Scanned, ServiceCredential
from scanner.scan.account import scan_account
from tests.aws_endpoint import Endpoint, Fault, Refuse, SimulatedServiceKey, deny, first, no_marker
from tests.scan.entering import entrance, known, one_account, scanned, xml

pytestmark = pytest.mark.usefixtures("hurried")

END = datetime(2027, 3, 1, 12, tzinfo=UTC)
LIST = "iam:ListServiceSpecificCredentials"
CODECOMMIT, CASSANDRA = "codecommit.amazonaws.com", "cassandra.amazonaws.com"


async def test_active_keys_come_with_their_end_and_others_do_not() -> None:
    world, member = one_account("bob")
    member.add_user(
        "Alice",
        service_keys=(
            SimulatedServiceKey(expires_at=END),
            SimulatedServiceKey(service=CODECOMMIT),
            SimulatedServiceKey(service=CASSANDRA, status="Inactive"),
            SimulatedServiceKey(status="Expired", expires_at=END),
        ),
    )
    scan = await scanned(world, member)
    assert {user.user_name: user.service_credentials for user in scan.users} == {
        "Alice": (ServiceCredential(service="bedrock", expires_at=END), ServiceCredential(service="codecommit")),
        "bob": (),
    }
    assert (scan.evidence, scan.notes) == (Evidence.FULL, ())


async def test_all_pages_are_read() -> None:
    world, member = one_account()
    for number in range(1001):
        member.add_user(f"user-{number}", service_keys=(SimulatedServiceKey(),))
    assert all(user.service_credentials for user in (await scanned(world, member)).users)


@pytest.mark.parametrize("code", ["ValidationError", "InvalidInput", "ServiceNotSupported"])
async def test_one_call_a_service_where_aws_does_not_take_all_at_once(code: str) -> None:
    world, member = one_account()
    member.add_user("alice", service_keys=(SimulatedServiceKey(), SimulatedServiceKey(service=CASSANDRA)))
    refused = Fault(LIST, Refuse(400, code, "name a service"), when=first(1))
    async with Endpoint(world, [refused]) as endpoint, entrance(endpoint) as way:
        scan = await scan_account(known(member), way, lambda: None)
    assert [call.params.get("ServiceName") for call in endpoint.calls_to(LIST)] == [
        None,
        "bedrock.amazonaws.com",
        CASSANDRA,
        CODECOMMIT,
    ]
    assert {call.params.get("AllUsers") for call in endpoint.calls_to(LIST)} == {"true"}
    assert isinstance(scan, Scanned)
    assert scan.users[0].service_credentials == (
        ServiceCredential(service="bedrock"),
        ServiceCredential(service="cassandra"),
    )


async def test_a_service_that_the_partition_does_not_have_has_no_keys() -> None:
    world, member = one_account()
    member.add_user("alice", service_keys=(SimulatedServiceKey(service=CODECOMMIT),))
    refusal = Refuse(404, "NotSupportedService", "no such service")
    faults = [
        Fault(LIST, Refuse(400, "ValidationError", "name a service"), when=first(1)),
        Fault(LIST, refusal, params={"ServiceName": "bedrock.amazonaws.com"}),
    ]
    scan = await scanned(world, member, *faults)
    assert scan.users[0].service_credentials == (ServiceCredential(service="codecommit"),)


UNKNOWN = {
    "denied": (Fault(LIST, deny), "ACCESS_DENIED (AccessDenied). User: "),
    "cut": (Fault(LIST, no_marker), "INCOMPLETE_LISTING. "),
    "refused for each service too": (Fault(LIST, Refuse(400, "ValidationError", "no")), "BAD_RESPONSE (ValidationE"),
    "no list": (Fault(LIST, xml(LIST.partition(":")[2], "<IsTruncated>false</IsTruncated>")), "BAD_RESPONSE. "),
}


@pytest.mark.parametrize(("fault", "why"), UNKNOWN.values(), ids=UNKNOWN)
async def test_what_does_not_come_is_unknown_and_never_none(fault: Fault, why: str) -> None:
    world, member = one_account("alice")
    scan = await scanned(world, member, fault)
    assert (scan.users[0].service_credentials, scan.evidence) == (None, Evidence.PARTIAL)
    (note,) = scan.notes
    assert note.startswith(f"{LIST} gave no evidence: {why}")


async def test_a_partition_without_the_action_is_a_note_and_not_partial() -> None:
    world, member = one_account("alice")
    scan = await scanned(world, member, Fault(LIST, Refuse(400, "InvalidAction", "Could not find operation")))
    assert (scan.users[0].service_credentials, scan.evidence) == (None, Evidence.FULL)
    assert scan.notes == (f"{LIST} is not available in this partition, so its columns are empty.",)
