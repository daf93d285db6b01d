"""`doctor`: which accounts it enters and by which calls, and what it shows."""

import errno
import json
from collections import Counter
from pathlib import Path

import pytest

from scanner.runs import folder as run_folder
from tests.aws_endpoint import (
    DELEGATED_KEY,
    MANAGEMENT_KEY,
    Endpoint,
    Fault,
    SimulatedRole,
    deny,
    nth,
    running,
)
from tests.program import Done, accounts_asked, calling, ids, named, program, small_world

pytestmark = pytest.mark.usefixtures("workplace", "hurried")


def doctor(endpoint: Endpoint, *options: str, key: str = MANAGEMENT_KEY) -> Done:
    with calling(endpoint, key):
        return program("doctor", "--safelist", "nobody.yaml", *options)


def of(done: Done, what: str) -> dict[str, str]:
    """The outcome of a check, by account."""
    checks = [check for check in done.document["checks"] if check["check"] == what]
    return {check["account_name"]: check["outcome"] for check in checks}


# --- which accounts --------------------------------------------------------------------------------------------------


def test_it_enters_one_account_of_each_ou_the_callers_own_and_with_all_every_one() -> None:
    world = small_world()
    lowest, other = sorted(ids(world, "payments-1", "payments-2"))
    broken = [Fault("iam:ListUsers", deny, account=other)]
    with running(world, broken) as endpoint:
        done = doctor(endpoint, "--json")
        assert accounts_asked(endpoint.calls_to("iam:ListUsers")) == ids(world) - {other}
        assert (done.exit_code, done.document["accounts_checked"], done.document["accounts_to_scan"]) == (0, 6, 7)
        every = doctor(endpoint, "--json", "--all")
    assert every.exit_code == 5
    assert {check["account_id"] for check in every.document["checks"] if check["outcome"] == "failed"} == {other}
    assert every.document["accounts_checked"] == 7
    assert lowest < other


def test_an_account_that_no_scan_would_read_stands_for_no_ou() -> None:
    world = small_world()
    lowest, other = sorted(ids(world, "payments-1", "payments-2"))
    world.accounts[lowest].state = "SUSPENDED"
    with running(world) as endpoint:
        done = doctor(endpoint, "--ou", "Root/Workloads", "--exclude-account", named(world, "dev").id)
    assert accounts_asked(endpoint.calls_to("iam:ListUsers")) == {other, *ids(world, "prod", "core")}
    assert done.exit_code == 0


def test_the_management_account_stands_for_no_ou_also_where_it_is_not_the_callers_own() -> None:
    """Its role comes from elsewhere, and so it says nothing of the accounts beside it in the root."""
    world = small_world()
    world.delegated_administrators.append(named(world, "sandbox").id)
    world.management.roles = None
    beside = world.add_account("beside").id
    with running(world) as endpoint:
        done = doctor(endpoint, key=DELEGATED_KEY)
    assert done.exit_code == 0
    assert "read as a delegated administrator" in done.out
    assert {beside, world.management_account_id} <= accounts_asked(endpoint.calls_to("iam:ListUsers"))


def test_accounts_are_checked_side_by_side_and_no_more_at_once_than_in_a_scan() -> None:
    with running(small_world(), latency={"iam:ListUsers": 0.02}) as endpoint:
        doctor(endpoint, "--all", "--concurrency", "3", "--evidence", "basic")
    assert endpoint.most_concurrent == 3


# --- which calls -----------------------------------------------------------------------------------------------------

PER_ACCOUNT = {
    *("iam:ListUsers", "iam:GetAccountSummary", "iam:GetAccountAuthorizationDetails", "iam:GetCredentialReport"),
    *("iam:ListServiceSpecificCredentials", "cloudtrail:LookupEvents"),
}


def test_it_makes_each_call_of_a_scan_once_in_an_account_and_has_no_report_made() -> None:
    with running(small_world()) as endpoint:
        doctor(endpoint)
    in_accounts = Counter(call.name for call in endpoint.calls if call.service in {"iam", "cloudtrail"})
    assert in_accounts == dict.fromkeys(PER_ACCOUNT, 6)
    assert {account.report for account in endpoint.world.accounts.values()} == {None}


def test_for_basic_evidence_it_lists_users_alone_under_the_policy_for_that() -> None:
    with running(small_world()) as endpoint:
        done = doctor(endpoint, "--evidence", "basic", "--json")
    assert {call.name for call in endpoint.calls if call.service in {"iam", "cloudtrail"}} == {"iam:ListUsers"}
    assert {json.loads(session.policy or "")["Statement"][0]["Action"][0] for session in endpoint.sessions} == {
        "iam:ListUsers"
    }
    assert "not tried" not in {check["outcome"] for check in done.document["checks"]}


def test_that_a_report_may_be_made_is_not_tried_and_that_is_said() -> None:
    with running(small_world()) as endpoint:
        assert of(doctor(endpoint, "--json"), "iam:GenerateCredentialReport") == {None: "not tried"}


def test_roles_are_assumed_by_way_of_hub_and_reader_under_the_policies_of_a_scan() -> None:
    world = small_world()
    place = named(world, "sandbox")
    place.roles = [SimulatedRole(name="Hub"), SimulatedRole(name="Member", external_id="EXT-1")]
    world.management.roles = [SimulatedRole(name="Reader")]
    for account in world.members:
        account.roles = account.roles or [SimulatedRole(name="Member", external_id="EXT-1")]
    hub, reader = f"arn:aws:iam::{place.id}:role/Hub", f"arn:aws:iam::{world.management_account_id}:role/Reader"
    options = ("--hub-role-arn", hub, "--organizations-role-arn", reader, "--role-name", "Member")
    with running(world) as endpoint:
        done = doctor(endpoint, *options, "--external-id", "EXT-1")
        assert done.exit_code == 0, done.out
        first, second, *members = endpoint.sessions
        doctored = [(session.role_arn, session.policy) for session in endpoint.sessions]
        with calling(endpoint):
            program("scan", "--safelist", "nobody.yaml", "--format", "csv", *options, "--external-id", "EXT-1")
    assert [first.role_arn, second.role_arn] == [hub, reader]
    assert {session.external_id for session in members} == {"EXT-1"}
    assert set(doctored) <= {(session.role_arn, session.policy) for session in endpoint.sessions[len(doctored) :]}


# --- the caller's own account ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["iam:ListUsers", "iam:GetAccountSummary"])
def test_the_callers_own_account_is_entered_by_the_role_where_the_caller_is_denied(call: str) -> None:
    world = small_world()
    world.management.roles = None
    own = Fault(call, deny, account=world.management_account_id, when=nth(1))
    with running(world, [own]) as endpoint:
        done = doctor(endpoint, "--json")
    assert done.exit_code == 0
    assert of(done, "sts:AssumeRole")["management"] == "ok"


def test_where_the_role_is_denied_too_the_caller_is_to_be_allowed() -> None:
    world = small_world()
    with running(world, [Fault("iam:ListUsers", deny, account=world.management_account_id)]) as endpoint:
        done = doctor(endpoint, "--json")
    (failed,) = (check for check in done.document["checks"] if check["outcome"] == "failed")
    assert (failed["account_name"], failed["check"]) == ("management", "iam:ListUsers")
    assert failed["remedy"].startswith("Allow the caller this call in its own account, or deploy arn:aws:iam::")


def test_an_answer_that_nobody_foresaw_fails_its_check_and_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def surprised(*_: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr("scanner.aws.iam.user_count", surprised)
    with running(small_world()) as endpoint:
        done = doctor(endpoint, "--json")
    assert set(of(done, "iam:GetAccountSummary").values()) == {"failed"}
    assert set(of(done, "iam:ListUsers").values()) == {"ok"}


# --- after a failure -------------------------------------------------------------------------------------------------


def test_what_an_earlier_failure_leaves_unknown_is_not_checked_and_never_fine() -> None:
    world = small_world()
    with running(world, [Fault("sts:AssumeRole", deny, account=named(world, "dev").id)]) as endpoint:
        done = doctor(endpoint, "--json")
    assert {what: of(done, what)["dev"] for what in PER_ACCOUNT} == dict.fromkeys(PER_ACCOUNT, "not checked")
    assert {what: of(done, what)["core"] for what in PER_ACCOUNT} == dict.fromkeys(PER_ACCOUNT, "ok")


def test_every_fault_is_found_at_once() -> None:
    """Those that do not depend on each other: a file, a role, a name and a listing."""
    Path("bad.yaml").write_text("version: 7\n", encoding="utf-8")
    world = small_world()
    options = ("--safelist", "bad.yaml", "--hub-role-arn", "arn:aws:iam::387420489013:role/Hub", "--ou", "Root/Nowhere")
    with running(world, [Fault("organizations:ListAccounts", deny)]) as endpoint, calling(endpoint):
        done = program("doctor", "--json", *options)
    failed = {check["check"] for check in done.document["checks"] if check["outcome"] == "failed"}
    assert failed == {"Safelists", "Hub role", "Scope", "organizations:ListAccounts"}
    assert done.exit_code == 5


def test_without_settings_nothing_else_is_fine() -> None:
    done = program("doctor", "--json", "--concurrency", "0")
    outcomes = Counter(check["outcome"] for check in done.document["checks"])
    assert outcomes == {"failed": 1, "not checked": len(done.document["checks"]) - 1}
    assert outcomes["not checked"] > 10
    assert done.exit_code == 5


def test_an_unknown_option_is_a_usage_error() -> None:
    assert program("doctor", "--acount", "123456789012").exit_code == 2


def test_a_scan_that_is_running_is_named_and_hinders_nothing() -> None:
    run_id = "20261123T164100Z-1a2b3c"
    folder = run_folder.create(Path("reports"), run_id)
    with running(small_world()) as endpoint, run_folder.Journal(folder):
        done = doctor(endpoint, "--json")
    (warning,) = (check for check in done.document["checks"] if check["outcome"] == "warning")
    assert warning["detail"] == f"Another process is working on reports/{run_id}. Wait until it ends, or stop it."
    assert done.exit_code == 0


@pytest.mark.parametrize("without_locks", [errno.ENOLCK], indirect=True)
@pytest.mark.usefixtures("without_locks")
def test_a_file_system_without_locks_is_found() -> None:
    with running(small_world()) as endpoint:
        done = doctor(endpoint, "--json")
    (failed,) = (check for check in done.document["checks"] if check["outcome"] == "failed")
    assert failed["check"] == "Output folder"
    assert "local disk" in failed["remedy"]
    assert not Path("reports").exists()
