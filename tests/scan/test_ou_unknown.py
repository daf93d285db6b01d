"""What a scan makes of OUs that cannot be read: nothing in scope is passed over, and all accounts are counted once.

tests/aws/test_unreadable_ous.py has the walk itself.
"""

import pytest

from tests.aws_endpoint import Do, Fault, SimulatedOrganization, SimulatedRole, deny, nth, running
from tests.program import PROD, Scanned, accounts_asked, calling, ids, named, program, scan, small_world, unit
from tests.scan.entering import spelled

pytestmark = pytest.mark.usefixtures("hurried", "workplace")

ACCOUNTS = "organizations:ListAccountsForParent"
OUS = "organizations:ListOrganizationalUnitsForParent"
PARENTS = "organizations:ListParents"
BASIC = ("--evidence", "basic")
EVERYTHING: set[str] = {"management", *PROD, "dev", "sandbox"}


def unreadable(world: SimulatedOrganization, ou: str, *calls: str) -> list[Fault]:
    return [Fault(call, deny, params={"ParentId": unit(world, ou)}) for call in calls or (ACCOUNTS, OUS)]


def counted(done: Scanned) -> dict[str, int]:
    """The parts that all listed accounts fall into."""
    coverage = done.summary["coverage"]
    assert coverage["reconciles"]
    return {part: coverage[part] for part in ("listed", "outside_scope", "excluded", "inactive", "scanned", "failed")}


SCOPES = {
    "everything": ([], EVERYTHING),
    "the OU itself": (["--ou", "Root/Workloads/Prod"], set(PROD)),
    "an OU below it": (["--ou", "<Payments>"], {"payments-1", "payments-2"}),
    "an OU beside it": (["--ou", "Root/Workloads/Dev"], {"dev"}),
    "all but the OU": (["--exclude-ou", "<Prod>"], EVERYTHING - set(PROD)),
    "an account in it": (["--account", "<<core>>"], {"core"}),
}


@pytest.mark.parametrize(("arguments", "expected"), SCOPES.values(), ids=SCOPES)
def test_accounts_that_are_located_by_their_parents_are_placed_as_ever(
    arguments: list[str], expected: set[str]
) -> None:
    world = small_world()
    with running(world, unreadable(world, "Prod")) as endpoint:
        done = scan(endpoint, *BASIC, *spelled(world, arguments))
    assert (done.exit_code, done.summary["status"]) == (3, "COMPLETE")
    assert done.with_outcome("SCANNED") == ids(world, *expected)
    assert done.with_outcome("FAILED") == set()
    assert counted(done)["listed"] == 7
    assert "Root/Workloads/Prod" in " ".join(done.summary["notes"])


def test_paths_and_ids_of_ous_that_were_found_on_the_way_stand_in_the_reports() -> None:
    world = small_world()
    with running(world, unreadable(world, "Prod")) as endpoint:
        done = scan(endpoint, *BASIC)
    row = done.accounts[named(world, "core").id]
    assert (row["ou_path"], row["ou_id"]) == ("Root/Workloads/Prod/Core", unit(world, "Core"))


UNKNOWN = {
    "everything": ([], EVERYTHING - set(PROD)),
    "the OU itself": (["--ou", "Root/Workloads/Prod"], set[str]()),
    "an OU beside it": (["--ou", "Root/Workloads/Dev"], {"dev"}),
}


@pytest.mark.parametrize(("arguments", "read"), UNKNOWN.values(), ids=UNKNOWN)
def test_accounts_that_cannot_be_located_fail_and_leave_the_run_incomplete(
    arguments: list[str], read: set[str]
) -> None:
    """Beside the scope too: whether they are in it is what is not known."""
    world = small_world()
    with running(world, [*unreadable(world, "Prod"), Fault(PARENTS, deny)]) as endpoint:
        done = scan(endpoint, *BASIC, *arguments)
    assert done.exit_code == 4
    assert done.summary["status"] == ("INCOMPLETE" if read else "NOTHING READ")
    assert done.with_outcome("SCANNED") == {named(world, name).id for name in read}
    assert {account: row["reason"] for account, row in done.accounts.items() if row["outcome"] == "FAILED"} == (
        dict.fromkeys(ids(world, *PROD), "OU_UNKNOWN")
    )
    assert all("organizations:ListParents" in done.accounts[account]["remedy"] for account in ids(world, *PROD))
    assert counted(done) == {
        "listed": 7,
        "outside_scope": 7 - len(read) - 4,
        "excluded": 0,
        "inactive": 0,
        "scanned": len(read),
        "failed": 4,
    }


def test_an_account_that_is_named_by_id_needs_no_place() -> None:
    world = small_world()
    wanted = named(world, "dev").id
    with running(world, [*unreadable(world, "Prod"), Fault(PARENTS, deny)]) as endpoint:
        done = scan(endpoint, *BASIC, "--account", wanted)
    assert (done.exit_code, set(done.accounts)) == (3, {wanted})


def test_a_wrong_name_is_said_to_be_wrong_though_an_ou_beside_it_cannot_be_read() -> None:
    world = small_world()
    with running(world, unreadable(world, "Prod")) as endpoint:
        done = scan(endpoint, *BASIC, "--ou", "Root/Workloads/Dve")
    assert done.exit_code == 2
    assert "Did you mean Root/Workloads/Dev or" in done.err


def test_a_name_below_an_ou_that_cannot_be_read_is_not_said_to_be_wrong() -> None:
    world = small_world()
    with running(world, unreadable(world, "Prod")) as endpoint:
        done = scan(endpoint, *BASIC, "--ou", "Root/Workloads/Prod/Payments")
    assert done.exit_code == 5
    assert "AccessDeniedException" in done.err


def test_what_is_asked_is_what_the_session_policy_allows() -> None:
    """The endpoint enforces it: ListParents and DescribeOrganizationalUnit are among the calls of that role."""
    world = small_world()
    reader = SimulatedRole(name="OrganizationsReader")
    world.management.roles = [reader]
    arn = f"arn:aws:iam::{world.management_account_id}:role/{reader.name}"
    with running(world, unreadable(world, "Prod")) as endpoint:
        done = scan(endpoint, *BASIC, "--organizations-role-arn", arn, "--exclude-account", world.management_account_id)
    assert done.with_outcome("SCANNED") == ids(world) - {world.management_account_id}
    assert endpoint.calls_to(PARENTS)
    assert endpoint.calls_to("organizations:DescribeOrganizationalUnit")
    (session,) = (session for session in endpoint.sessions if session.role_arn == arn)
    reads = {call.access_key_id for call in endpoint.calls if call.service == "organizations"}
    assert reads == {session.access_key_id}


def test_an_incomplete_run_is_resumed_with_the_accounts_that_had_no_place() -> None:
    world = small_world()
    with running(world, [*unreadable(world, "Prod"), Fault(PARENTS, deny)]) as endpoint:
        done = scan(endpoint, *BASIC)
    with running(world, unreadable(world, "Prod")) as endpoint, calling(endpoint):
        resumed = program("scan", "--resume", done.folder, "--format", "csv")
    assert resumed.exit_code == 3
    assert accounts_asked(endpoint.calls_to("iam:ListUsers")) == ids(world, *PROD)


def test_an_ou_that_is_deleted_during_the_walk_costs_nobody_anything() -> None:
    world = small_world()
    empty = world.add_ou("Passing")
    gone = Do(lambda call: world.ous.pop(empty.id, None))
    with running(world, [Fault(OUS, gone, when=nth(2))]) as endpoint:
        done = scan(endpoint)
    assert done.exit_code == 3
    assert done.with_outcome("SCANNED") == ids(world)
    assert done.summary["notes"] == []
