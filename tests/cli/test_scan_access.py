"""By which credentials and roles `scan` enters accounts, and what these may do."""

import json
from datetime import UTC, datetime

import pytest

from tests.aws_endpoint import (
    DELEGATED_KEY,
    MANAGEMENT_KEY,
    Fault,
    SimulatedRole,
    deny,
    organization,
    running,
)
from tests.program import ids, named, scan, small_world

pytestmark = pytest.mark.usefixtures("workplace")

EVIDENCE_CALLS = {
    "iam:ListUsers",
    "iam:GetAccountAuthorizationDetails",
    "iam:GetAccountSummary",
    "iam:GenerateCredentialReport",
    "iam:GetCredentialReport",
    "iam:ListServiceSpecificCredentials",
    "cloudtrail:LookupEvents",
}


def test_every_member_role_is_narrowed_to_the_calls_of_the_scan() -> None:
    with running(small_world()) as endpoint:
        scan(endpoint)
    assert len(endpoint.sessions) == 6
    for session in endpoint.sessions:
        (statement,) = json.loads(session.policy or "{}")["Statement"]
        assert set(statement["Action"]) == EVIDENCE_CALLS
        assert (statement["Effect"], statement["Resource"]) == ("Allow", "*")


def test_every_call_of_a_member_session_is_one_that_its_policy_allows() -> None:
    """A policy that allowed more than is used would not be least privilege; one that allowed less would show here."""
    world = small_world()
    named(world, "prod").add_user("new", created_at=datetime.now(UTC))  # whose creation CloudTrail is asked about
    with running(world) as endpoint:
        scan(endpoint)
    given = {session.access_key_id for session in endpoint.sessions}
    assert {call.name for call in endpoint.calls if call.access_key_id in given} == EVIDENCE_CALLS


def test_basic_evidence_asks_for_list_users_alone_and_may_do_no_more() -> None:
    with running(organization(5, 30)) as endpoint:
        done = scan(endpoint, "--evidence", "basic")
    assert {name for name in endpoint.counts if name.startswith("iam:")} == {"iam:ListUsers"}
    assert endpoint.counts["iam:ListUsers"] == 5
    assert {tuple(json.loads(session.policy or "{}")["Statement"][0]["Action"]) for session in endpoint.sessions} == {
        ("iam:ListUsers",)
    }
    assert {row["evidence"] for row in done.users} == {"BASIC"}


def test_no_call_is_made_per_user() -> None:
    with running(organization(2, 3)) as endpoint:
        scan(endpoint)
    few = dict(endpoint.counts)
    with running(organization(2, 60)) as endpoint:
        scan(endpoint, "--output", "many")
    assert dict(endpoint.counts) == few


def test_no_session_policy_sends_none() -> None:
    with running(small_world()) as endpoint:
        done = scan(endpoint, "--no-session-policy")
    assert {session.policy for session in endpoint.sessions} == {None}
    assert done.record.header.session_policies == {}


def test_roles_are_assumed_for_900_seconds_under_the_session_name() -> None:
    with running(small_world()) as endpoint:
        scan(endpoint, "--session-name", "review-2026")
    assert {(session.duration, session.session_name) for session in endpoint.sessions} == {(900, "review-2026")}


def test_the_role_name_may_hold_a_path() -> None:
    world = small_world()
    for account in world.members:
        account.roles = [SimulatedRole(name="IamScanner", path="/audit/")]
    with running(world) as endpoint:
        done = scan(endpoint, "--role-name", "audit/IamScanner")
    assert done.exit_code == 3
    assert done.accounts[named(world, "dev").id]["role_arn"].endswith(":role/audit/IamScanner")


def test_member_roles_that_ask_for_an_external_id_get_it() -> None:
    world = small_world()
    for account in world.members:
        account.roles = [SimulatedRole(name="OrganizationAccountAccessRole", external_id="EXT-1")]
    with running(world) as endpoint:
        done = scan(endpoint, "--external-id", "EXT-1")
    assert done.exit_code == 3
    assert {session.external_id for session in endpoint.sessions} == {"EXT-1"}


def test_members_are_assumed_from_the_hub_role_which_may_do_nothing_else() -> None:
    world = small_world()
    hub = f"arn:aws:iam::{named(world, 'sandbox').id}:role/Hub"
    named(world, "sandbox").roles = [SimulatedRole(name="Hub"), SimulatedRole(name="Member")]
    with running(world) as endpoint:
        done = scan(endpoint, "--hub-role-arn", hub, "--role-name", "Member", "--external-id", "EXT-1")
    assert done.exit_code == 3
    first, *members = endpoint.sessions
    assert first.role_arn == hub
    assert first.external_id is None  # it belongs to the member roles
    assert json.loads(first.policy or "{}")["Statement"] == [
        {"Effect": "Allow", "Action": ["sts:AssumeRole"], "Resource": "arn:aws:iam::*:role/Member"}
    ]
    asked = [call for call in endpoint.calls_to("sts:AssumeRole") if call.params["RoleArn"] != hub]
    assert {call.access_key_id for call in asked} == {first.access_key_id}
    assert {session.account_id for session in members} == ids(world) - {world.management_account_id}


def test_organizations_is_read_by_its_role_which_may_do_nothing_else() -> None:
    world = small_world()
    world.delegated_administrators.append(named(world, "sandbox").id)
    arn = f"arn:aws:iam::{named(world, 'sandbox').id}:role/OrgReader"
    with running(world) as endpoint:
        done = scan(endpoint, "--organizations-role-arn", arn, key=MANAGEMENT_KEY)
    assert done.exit_code == 3
    reader = endpoint.sessions[0]
    assert reader.role_arn == arn
    (statement,) = json.loads(reader.policy or "{}")["Statement"]
    assert all(action.startswith("organizations:") for action in statement["Action"])
    asked = {call.access_key_id for call in endpoint.calls if call.service == "organizations"}
    assert asked == {reader.access_key_id}


def test_the_role_for_organizations_is_allowed_every_read_that_a_scan_makes() -> None:
    """The walk, the check of names by id and path, and the suggestions for a wrong one."""
    world = small_world()
    world.management.roles = None
    arn = f"arn:aws:iam::{world.management_account_id}:role/OrgReader"
    with running(world) as endpoint:
        names = ("--ou", "Root/Workloads/Prod", "--ou", named(world, "dev").parent_id, "--ou", world.root.id)
        account = ("--account", named(world, "dev").id, "--exclude-account", "999999999999")
        done = scan(endpoint, "--organizations-role-arn", arn, *names, *account)
    assert done.exit_code == 2
    assert "999999999999" in done.err
    assert "AccessDenied" not in done.err


def test_a_hub_role_that_cannot_be_assumed_is_no_start() -> None:
    world = small_world()
    with running(world, [Fault("sts:AssumeRole", deny)]) as endpoint:
        done = scan(endpoint, "--hub-role-arn", f"arn:aws:iam::{named(world, 'core').id}:role/Hub")
    assert done.exit_code == 5
    assert ":role/Hub" in done.err
    assert not done.output.exists()


def test_a_delegated_administrator_needs_the_role_in_the_management_account() -> None:
    world = small_world()
    world.delegated_administrators.append(named(world, "sandbox").id)
    world.management.roles = []
    with running(world) as endpoint:
        done = scan(endpoint, key=DELEGATED_KEY)
        excluded = scan(
            endpoint, "--output", "excluded", "--exclude-account", world.management_account_id, key=DELEGATED_KEY
        )
    assert done.exit_code == 4
    assert done.with_outcome("FAILED") == {world.management_account_id}
    assert excluded.exit_code == 3


def test_the_callers_own_account_is_read_with_the_callers_own_credentials() -> None:
    world = small_world()
    with running(world) as endpoint:
        done = scan(endpoint)
    assert done.accounts[world.management_account_id]["role_arn"] == ""
    own = [call for call in endpoint.calls_to("iam:ListUsers") if call.account_id == world.management_account_id]
    assert [call.access_key_id for call in own] == [MANAGEMENT_KEY]


def test_the_callers_own_account_is_read_through_the_role_where_the_caller_is_denied() -> None:
    world = small_world()
    world.management.roles = None
    own = Fault("iam:ListUsers", deny, account=world.management_account_id, when=lambda number: number == 1)
    with running(world, [own]) as endpoint:
        done = scan(endpoint)
    assert done.exit_code == 3
    assert done.accounts[world.management_account_id]["role_arn"].endswith("role/OrganizationAccountAccessRole")


def test_the_callers_own_account_fails_where_caller_and_role_are_denied() -> None:
    world = small_world()
    with running(world, [Fault("iam:ListUsers", deny, account=world.management_account_id)]) as endpoint:
        done = scan(endpoint)
    row = done.accounts[world.management_account_id]
    assert (row["outcome"], row["reason"]) == ("FAILED", "ROLE_NOT_ASSUMABLE")
    assert row["role_arn"].endswith("role/OrganizationAccountAccessRole")


def test_roles_are_those_of_the_callers_partition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "us-gov-west-1")
    world = organization(3, 1, partition="aws-us-gov")
    with running(world) as endpoint:
        done = scan(endpoint)
    assert done.exit_code == 3
    assert {session.role_arn.split(":")[1] for session in endpoint.sessions} == {"aws-us-gov"}
    assert done.record.header.caller.partition == "aws-us-gov"
