"""`scan`, as a person or a script meets it: the exit code, what is printed, what is written, and what AWS is asked."""

import asyncio
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest

from scanner.demo import Demo
from scanner.runs.journal import decode
from tests.aws_endpoint import (
    DELEGATED_KEY,
    MANAGEMENT_KEY,
    MEMBER_KEY,
    Fault,
    SimulatedRole,
    deny,
    empty_organization,
    expired_token,
    organization,
    running,
)
from tests.demo_expected import EXPECTED, SUSPENDED
from tests.program import PROD, accounts_asked, calling, ids, named, program, scan, small_world, table

pytestmark = pytest.mark.usefixtures("workplace")

CHECKOUT = str(Path(__file__).parents[2])
EVIDENCE_CALLS = {
    "iam:ListUsers",
    "iam:GetAccountAuthorizationDetails",
    "iam:GetAccountSummary",
    "iam:GenerateCredentialReport",
    "iam:GetCredentialReport",
}


# --- a served organization -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def demo_scan(sample_organization: Demo, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    """The rows of a scan of the sample organization, with the caller's key that its users were shown."""
    folder = tmp_path_factory.mktemp("served")
    files = sample_organization.write_files(folder)
    with sample_organization.applied():
        done = program("scan", "--safelist", files.safelist, "--output", folder / "runs", "--format", "csv", "--json")
    assert done.exit_code == 3
    return table(folder / "runs" / done.document["run_id"] / "iam-users.csv")


def test_each_account_of_the_served_demo_has_exactly_the_users_that_iam_lists_there(
    sample_organization: Demo, demo_scan: list[dict[str, str]]
) -> None:
    found = {(row["account_id"], row["arn"], row["user_id"]) for row in demo_scan}
    with sample_organization.applied():
        shown = {
            (account, user["Arn"], user["UserId"])
            for account in EXPECTED
            for user in _listed_by_boto3(account, sample_organization.emulator.url)
        }
    assert found == shown
    assert len(demo_scan) == len(shown) == sum(map(len, EXPECTED.values()))


def test_each_user_of_the_served_demo_is_decided_as_its_safelist_says(demo_scan: list[dict[str, str]]) -> None:
    found: dict[str, dict[str, str]] = {account: {} for account in EXPECTED}
    for row in demo_scan:
        name = row["user_name"].removeprefix("'")  # the CSV's guard against formulas
        found[row["account_id"]][name] = row["basis"]
    assert found == EXPECTED
    assert SUSPENDED not in found


def _listed_by_boto3(account: str, url: str) -> list[dict[str, Any]]:
    sts = boto3.client("sts", endpoint_url=url)
    asked = {"RoleArn": f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole", "RoleSessionName": "check"}
    given = sts.assume_role(**asked)["Credentials"]
    iam = boto3.client(
        "iam",
        endpoint_url=url,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
    users: list[dict[str, Any]] = iam.list_users()["Users"]
    sts.close()
    iam.close()
    return users


def test_an_ou_scope_enters_the_accounts_of_that_ou_and_below_and_no_other() -> None:
    world = small_world()
    with running(world) as endpoint:
        done = scan(endpoint, "--ou", "Root/Workloads/Prod")
    assert done.exit_code == 3
    assert set(done.accounts) == done.with_outcome("SCANNED") == ids(world, *PROD)
    assert accounts_asked(endpoint.calls_to("sts:AssumeRole")) == ids(world, *PROD)
    assert accounts_asked(endpoint.calls_to("iam:ListUsers")) == ids(world, *PROD)
    assert {row["account_id"] for row in done.users} == ids(world, *PROD)


def test_one_account_that_is_denied_fails_by_itself_and_all_others_are_as_without_it() -> None:
    world = small_world()
    refused = named(world, "core").id
    with running(world) as endpoint:
        sound = scan(endpoint, "--output", "sound", "--json")
    before = {row["account_id"]: row for row in table(Path("sound", sound.document["run_id"], "accounts.csv"))}
    with running(world, [Fault("sts:AssumeRole", deny, account=refused)]) as endpoint:
        done = scan(endpoint)
    assert done.exit_code == 4
    assert done.summary["status"] == "INCOMPLETE"
    row = done.accounts[refused]
    assert (row["outcome"], row["reason"], row["failed_call"]) == ("FAILED", "ROLE_NOT_ASSUMABLE", "sts:AssumeRole")
    assert row["error_code"] == "AccessDenied"
    assert row["detail"].startswith(f"User: arn:aws:iam::{world.management_account_id}:user/auditor is not authorized")
    assert "trust policy" in row["remedy"]
    assert row["users"] == ""
    moments = {"scanned_at", "credential_report_at"}
    for account in set(before) - {refused}:
        assert {key: done.accounts[account][key] for key in row.keys() - moments} == {
            key: before[account][key] for key in row.keys() - moments
        }


def test_a_scope_of_which_no_account_is_read_is_never_a_success() -> None:
    with running(small_world(), [Fault("sts:AssumeRole", deny), Fault("iam:*", deny)]) as endpoint:
        done = scan(endpoint)
    assert done.exit_code == 4
    assert done.summary["status"] == "NOTHING READ"
    assert done.out.count("NOTHING READ") == 1


def test_an_ou_without_accounts_is_nothing_read() -> None:
    world = small_world()
    world.add_ou("Empty")
    with running(world) as endpoint:
        done = scan(endpoint, "--ou", "Root/Empty")
    assert (done.exit_code, done.summary["status"]) == (4, "NOTHING READ")


# --- what is refused before any call ---------------------------------------------------------------------------------

_TWICE = 'version: 1\naccounts:\n  "123456789012": [alice]\n  "123456789012": [bob]\n'
BAD_SAFELISTS = {
    "empty": ("", "bad.yaml"),
    "a repeated key": (_TWICE, "bad.yaml:4"),
    "an unquoted account id": ("version: 1\naccounts:\n  123456789012: [alice]\n", "bad.yaml:3"),
    "an unknown key": ("version: 1\nglobal: []\nglobel: [alice]\n", "bad.yaml:3"),
}


@pytest.mark.parametrize(("text", "at"), BAD_SAFELISTS.values(), ids=BAD_SAFELISTS)
def test_a_bad_safelist_stops_the_scan_before_any_call(text: str, at: str) -> None:
    Path("bad.yaml").write_text(text, encoding="utf-8")
    with running(small_world()) as endpoint:
        done = scan(endpoint, safelist="bad.yaml")
    assert done.exit_code == 2
    assert f"error: {at}" in done.err
    assert endpoint.calls == []
    assert not done.output.exists()


def test_faults_of_safelists_stand_in_the_json_document_one_by_one() -> None:
    Path("bad.yaml").write_text("version: 1\nglobel: [alice]\nacounts: {}\n", encoding="utf-8")
    with running(small_world()) as endpoint:
        error = scan(endpoint, "--json", safelist="bad.yaml").document["error"]
    assert error["exit_code"] == 2
    assert [fault["line"] for fault in error["faults"]] == [1, 2, 3]
    assert error["faults"][1]["remedy"] == "Did you mean global?"


BAD_OPTIONS: dict[str, tuple[list[str], str]] = {
    "evidence": (["--evidence", "some"], "--evidence"),
    "day": (["--as-of", "soon"], "--as-of"),
    "format": (["--format", "pdf"], "--format"),
    "timeout": (["--account-timeout", "0"], "--account-timeout"),
    "account": (["--account", "12345"], "--account"),
    "role name": (["--role-name", "a b"], "--role-name"),
    "accounts file": (["--accounts-file", "absent.csv"], "absent.csv"),
    "account owners": (["--account-owners", "absent.csv"], "absent.csv"),
    "safelist": (["--safelist", "absent.yaml"], "absent.yaml"),
    "settings file": (["--config", "absent.yaml"], "absent.yaml"),
}


@pytest.mark.parametrize(("options", "named_in_message"), BAD_OPTIONS.values(), ids=BAD_OPTIONS)
def test_a_bad_option_stops_the_scan_before_any_call(options: list[str], named_in_message: str) -> None:
    with running(small_world()) as endpoint:
        done = scan(endpoint, *options)
    assert done.exit_code == 2
    assert named_in_message in done.err
    assert endpoint.calls == []
    assert not done.output.exists()


def test_a_safelist_of_another_organization_stops_the_scan_before_any_role_is_assumed() -> None:
    Path("other.yaml").write_text("version: 1\norganization: o-someoneelse\nglobal: []\n", encoding="utf-8")
    with running(small_world()) as endpoint:
        done = scan(endpoint, safelist="other.yaml")
    assert done.exit_code == 2
    assert "o-someoneelse" in done.err
    assert endpoint.calls_to("sts:AssumeRole") == []
    assert not done.output.exists()


# --- exit codes ------------------------------------------------------------------------------------------------------


def test_the_exit_code_is_0_where_every_user_is_approved() -> None:
    Path("all.yaml").write_text("version: 1\nglobal: [alice, BOB]\n", encoding="utf-8")
    with running(small_world()) as endpoint:
        done = scan(endpoint, safelist="all.yaml")
    assert done.exit_code == 0
    assert {row["determination"] for row in done.users} == {"APPROVED"}


def test_the_exit_code_is_0_where_accounts_were_read_and_have_no_users() -> None:
    with running(small_world(users=())) as endpoint:
        assert scan(endpoint).exit_code == 0


def test_the_exit_code_is_3_where_one_user_is_unapproved() -> None:
    Path("alice.yaml").write_text("version: 1\nglobal: [alice]\n", encoding="utf-8")
    world = small_world(users=["alice"])
    named(world, "dev").add_user("mallory")
    with running(world) as endpoint:
        done = scan(endpoint, safelist="alice.yaml")
    assert done.exit_code == 3
    assert [row["user_name"] for row in done.users if row["determination"] == "UNAPPROVED"] == ["mallory"]


def test_incomplete_wins_over_unapproved() -> None:
    world = small_world()
    with running(world, [Fault("iam:ListUsers", deny, account=named(world, "dev").id)]) as endpoint:
        done = scan(endpoint)
    assert done.exit_code == 4
    assert any(row["determination"] == "UNAPPROVED" for row in done.users)


def test_the_exit_code_is_1_where_the_output_cannot_be_written() -> None:
    Path("taken").write_text("a file, and no folder", encoding="utf-8")
    with running(small_world()) as endpoint:
        done = scan(endpoint, "--output", "taken")
    assert done.exit_code == 1
    assert "taken" in done.err
    assert "--output" in done.err
    assert endpoint.calls_to("sts:AssumeRole") == []


def test_the_exit_code_is_5_without_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    done = program("scan", "--safelist", "nobody.yaml")
    assert done.exit_code == 5
    assert "aws sso login" in done.err


def test_the_exit_code_is_5_for_a_profile_that_is_not_configured() -> None:
    done = program("scan", "--safelist", "nobody.yaml", "--profile", "absent")
    assert done.exit_code == 5
    assert "absent" in done.err


def test_the_exit_code_is_5_where_aws_refuses_the_callers_key() -> None:
    with running(small_world()) as endpoint:
        done = scan(endpoint, key="AKIAUNKNOWN000000000")
    assert done.exit_code == 5
    assert "InvalidClientTokenId" in done.err


def test_the_exit_code_is_5_where_the_callers_credentials_have_expired() -> None:
    with running(small_world(), [Fault("sts:GetCallerIdentity", expired_token)]) as endpoint:
        done = scan(endpoint)
    assert done.exit_code == 5
    assert "ExpiredToken" in done.err
    assert "Sign in again" in done.err


@pytest.mark.parametrize("call", ["DescribeOrganization", "ListRoots"])
def test_the_exit_code_is_5_where_organizations_is_denied(call: str) -> None:
    with running(small_world(), [Fault(f"organizations:{call}", deny)]) as endpoint:
        done = scan(endpoint, "--ou", "Root/Workloads")
    assert done.exit_code == 5
    assert "AccessDeniedException" in done.err
    assert "--accounts-file" in done.err
    assert not done.output.exists()


def test_the_exit_code_is_5_where_organizations_is_denied_to_a_member_account() -> None:
    """DescribeOrganization is open to members; what they are refused is the listing."""
    with running(small_world()) as endpoint:
        done = scan(endpoint, key=MEMBER_KEY)
    assert done.exit_code == 5
    assert "AccessDeniedException" in done.err
    assert not done.output.exists()


def test_the_exit_code_is_5_outside_an_organization() -> None:
    world = small_world()
    world.in_use = False
    with running(world) as endpoint:
        done = scan(endpoint)
    assert done.exit_code == 5
    assert "AWSOrganizationsNotInUseException" in done.err


# --- what is printed where -------------------------------------------------------------------------------------------


def test_with_json_stdout_is_the_summary_and_nothing_else() -> None:
    with running(small_world()) as endpoint:
        done = scan(endpoint, "--json")
    assert done.document == done.summary
    assert done.document["status"] == "COMPLETE"


ENDS_BADLY: dict[str, tuple[list[str], int]] = {
    "no such OU": (["--ou", "Root/Absent"], 2),
    "bad option": (["--evidence", "some"], 2),
    "unwritable": (["--output", "nobody.yaml"], 1),
    "no profile": (["--profile", "absent"], 5),
    "no number": (["--concurrency", "many"], 2),
    "no such option": (["--oo", "Root"], 2),
}


@pytest.mark.parametrize(("options", "code"), ENDS_BADLY.values(), ids=ENDS_BADLY)
def test_with_json_an_error_is_one_document_too(options: list[str], code: int) -> None:
    with running(small_world()) as endpoint:
        done = scan(endpoint, "--json", *options)
    assert done.exit_code == code
    assert done.document["error"]["exit_code"] == code
    assert done.document["error"]["message"]


def test_progress_goes_to_stderr_alone() -> None:
    with running(small_world()) as endpoint:
        done = scan(endpoint)
    assert "Scanning" in done.err
    assert "Scanning" not in done.out


def test_quiet_leaves_the_folder_on_stdout_and_nothing_on_stderr() -> None:
    with running(small_world()) as endpoint:
        done = scan(endpoint, "--quiet")
    assert done.out == f"{done.folder}\n"
    assert done.err == ""


@pytest.mark.parametrize("options", [[], ["--debug"]], ids=["plain", "debug"])
def test_a_traceback_is_shown_with_debug_alone(options: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        await asyncio.sleep(0)
        raise ZeroDivisionError

    monkeypatch.setattr("scanner.aws.iam.list_users", broken)
    with running(small_world()) as endpoint:
        done = scan(endpoint, *options)
    assert done.exit_code == 4
    assert ("Traceback" in done.err) == bool(options)
    assert "Traceback" not in done.out


def test_what_others_chose_cannot_steer_the_terminal() -> None:
    world = small_world(users=["mallory"])
    named(world, "core").name = "core\x1b[2J\x1b]0;owned\x07"
    with running(world) as endpoint:
        done = scan(endpoint, "--ou", "Root/Workloads/Prod/Core")
    assert "\x1b" not in done.out + done.err
    assert "\\x1b[2J" in done.out


# --- access ----------------------------------------------------------------------------------------------------------


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
    with running(small_world()) as endpoint:
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


# --- what is written -------------------------------------------------------------------------------------------------


@contextmanager
def _permissive_umask() -> Iterator[None]:
    before = os.umask(0)
    try:
        yield
    finally:
        os.umask(before)


def test_the_folder_is_0700_and_its_files_0600_whatever_the_umask() -> None:
    with _permissive_umask(), running(small_world()) as endpoint:
        done = scan(endpoint, "--format", "json", "--format", "xlsx")
    assert stat.S_IMODE(done.folder.stat().st_mode) == 0o700
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in done.folder.iterdir()}
    assert modes == dict.fromkeys(modes, 0o600)


def test_the_formats_asked_for_are_written_and_no_other() -> None:
    always = {"journal.jsonl", "accounts.csv", "summary.json", "manifest.json"}
    with running(small_world()) as endpoint:
        done = scan(endpoint)
    assert {file.name for file in done.folder.iterdir()} == always | {"iam-users.csv"}


def test_by_default_a_workbook_and_a_csv_are_written() -> None:
    with running(small_world()) as endpoint, calling(endpoint):
        done = program("scan", "--safelist", "nobody.yaml", "--quiet")
    written = {file.name for file in Path(done.out.strip()).iterdir()}
    assert {"iam-users.xlsx", "iam-users.csv"} < written
    assert "iam-users.json" not in written


def test_account_owners_stand_beside_their_accounts() -> None:
    world = small_world()
    Path("owners.csv").write_text(
        f"account_id,account_owner\n{named(world, 'dev').id},dev@example.com\n", encoding="utf-8"
    )
    with running(world) as endpoint:
        done = scan(endpoint, "--account-owners", "owners.csv")
    assert done.accounts[named(world, "dev").id]["account_owner"] == "dev@example.com"
    assert {row["account_owner"] for row in done.users} == {"dev@example.com", ""}


def test_approvals_are_judged_on_the_day_that_was_given() -> None:
    Path("until.yaml").write_text("version: 1\nglobal: [{user: alice, expires_on: 2026-01-31}]\n", encoding="utf-8")
    with running(small_world(users=["alice"])) as endpoint:
        then = scan(endpoint, "--as-of", "2026-01-31", safelist="until.yaml")
        later = scan(endpoint, "--as-of", "2026-02-01", "--output", "later", safelist="until.yaml")
    assert (then.exit_code, later.exit_code) == (0, 3)


# --- as a process ----------------------------------------------------------------------------------------------------


def test_a_scan_as_a_process_of_its_own(endpoint_environment: Callable[..., dict[str, str]]) -> None:
    """What the other tests of this file do in this process: `python -m scanner` with its real streams."""
    world = small_world()
    with running(world, [Fault("sts:AssumeRole", deny, account=named(world, "dev").id)]) as endpoint:
        done = subprocess.run(
            [sys.executable, "-m", "scanner", "scan", "--safelist", "nobody.yaml", "--format", "csv", "--json"],
            env=endpoint_environment(endpoint.url, PYTHONPATH=CHECKOUT),
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 4
    document = json.loads(done.stdout)
    assert document["coverage"]["failed"] == 1
    assert "Scanning" in done.stderr
    journal = Path("reports", document["run_id"], "journal.jsonl").read_bytes()
    assert len(decode(journal).scans) == 7


def test_an_empty_organization_is_just_its_management_account() -> None:
    with running(empty_organization()) as endpoint:
        done = scan(endpoint)
    assert done.exit_code == 0
    assert len(done.accounts) == 1
