"""OUs that may not be read: only what lies below them is affected, and ListParents places the rest."""

import json
from typing import Any

import pytest

from scanner.aws.organizations import PATIENCE, SIDE_BY_SIDE
from tests.aws.walking import WHERE, places, walked
from tests.aws_endpoint import (
    Call,
    Do,
    Fault,
    Raw,
    SimulatedOrganization,
    deny,
    first,
    http_503,
    organization,
    throttle,
)
from tests.aws_endpoint.faults import Effect
from tests.program import named, small_world, unit

pytestmark = pytest.mark.usefixtures("hurried")

ACCOUNTS = "organizations:ListAccountsForParent"
OUS = "organizations:ListOrganizationalUnitsForParent"
PARENTS = "organizations:ListParents"
DESCRIBE = "organizations:DescribeOrganizationalUnit"
BELOW = {  # the accounts in an OU and below it
    "Root": set(WHERE),
    "Workloads": {"prod", "payments-1", "payments-2", "core", "dev"},
    "Prod": {"prod", "payments-1", "payments-2", "core"},
    "Payments": {"payments-1", "payments-2"},
    "Sandbox": {"sandbox"},
}


def of(world: SimulatedOrganization, call: str, ou: str, effect: Effect = deny) -> Fault:
    """This call is refused for this OU."""
    return Fault(call, effect, params={"ParentId": world.root.id if ou == "Root" else unit(world, ou)})


def json_answer(content: Any) -> Raw:
    return Raw(200, json.dumps(content).encode(), "application/x-amz-json-1.1")


@pytest.mark.parametrize("ou", BELOW)
@pytest.mark.parametrize("calls", [[ACCOUNTS], [OUS], [ACCOUNTS, OUS]], ids=["accounts", "OUs", "both"])
async def test_accounts_below_an_ou_that_may_not_be_read_are_located_by_their_parents(
    ou: str, calls: list[str]
) -> None:
    world = small_world()
    walk, accounts, endpoint = await walked(world, *(of(world, call, ou) for call in calls))
    assert places(accounts) == WHERE
    assert len(accounts) == len(WHERE)
    assert {account.name: [unit.id for unit in account.ous] for account in accounts} == {
        account.name: chain(world, account.parent_id) for account in world.accounts.values()
    }
    assert walk.problem is None
    assert set(asked(world, endpoint.calls_to(PARENTS))) <= BELOW[ou] | {"OU"}


def parents(world: SimulatedOrganization) -> dict[str, str]:
    return {account.id: account.parent_id for account in world.accounts.values()}


def chain(world: SimulatedOrganization, parent: str | None) -> list[str]:
    if parent is None or parent == world.root.id:
        return [world.root.id]
    return [*chain(world, world.ous[parent].parent_id), parent]


def asked(world: SimulatedOrganization, calls: list[Call]) -> list[str]:
    """Whose parents were asked for: names of accounts, or "OU"."""
    return [
        world.accounts[call.params["ChildId"]].name if call.params["ChildId"] in world.accounts else "OU"
        for call in calls
    ]


@pytest.mark.parametrize("ou", BELOW)
@pytest.mark.parametrize("call", [ACCOUNTS, OUS])
async def test_where_parents_may_not_be_read_either_only_what_lies_below_has_no_place(call: str, ou: str) -> None:
    world = small_world()
    _, accounts, _ = await walked(world, of(world, call, ou), Fault(PARENTS, deny))
    here = {name for name, path in WHERE.items() if path.split("/")[-1] == ou}
    lost = here if call == ACCOUNTS else BELOW[ou] - here
    assert places(accounts) == {name: None if name in lost else path for name, path in WHERE.items()}
    assert len(accounts) == len(WHERE)


async def test_the_note_names_the_ou_the_call_and_how_many_were_located() -> None:
    world = small_world()
    walk, _, _ = await walked(world, of(world, ACCOUNTS, "Payments"))
    said = "AccessDeniedException: You don't have permissions to access this resource."
    expected = (
        f"AWS Organizations could not be read completely: Root/Workloads/Prod/Payments ({ACCOUNTS}; {said}). "
        "Of 2 accounts outside the OUs read, ListParents located 2."
    )
    assert walk.notes == [expected]


async def test_a_note_names_ten_ous_and_counts_the_others() -> None:
    world = organization(80, 0, ous=20)
    walk, accounts, _ = await walked(world, Fault(ACCOUNTS, deny))
    assert all(account.ous for account in accounts)
    assert "; and 11 more. Of 80 accounts outside the OUs read, ListParents located 80." in walk.notes[0]


async def test_an_ou_that_was_found_by_an_account_is_walked_and_its_other_accounts_are_not_asked_for() -> None:
    world = small_world()
    for number in range(30):
        world.add_account(f"more-{number}", unit(world, "Payments"))
    _, accounts, endpoint = await walked(world, of(world, OUS, "Root"))
    assert sum(account.ou_path == WHERE["payments-1"] for account in accounts) == 32
    assert len(endpoint.calls_to(PARENTS)) <= 5  # an account for each of Workloads and Sandbox, and the OUs above it
    assert len(endpoint.calls_to(DESCRIBE)) <= 3


async def test_the_parents_of_an_ou_are_asked_for_once() -> None:
    world = small_world()
    for number in range(30):
        world.add_account(f"more-{number}", unit(world, "Payments"))
    faults = [of(world, OUS, "Prod"), of(world, ACCOUNTS, "Payments")]
    _, accounts, endpoint = await walked(world, *faults)
    assert all(account.ous for account in accounts)
    children = [call.params["ChildId"] for call in endpoint.calls_to(PARENTS)]
    assert children.count(unit(world, "Payments")) == 1
    assert len(endpoint.calls_to(DESCRIBE)) == 2


async def test_an_ou_that_cannot_be_located_is_asked_for_once_too() -> None:
    world = small_world()
    for number in range(30):
        world.add_account(f"more-{number}", unit(world, "Payments"))
    refused = Fault(PARENTS, deny, params={"ChildId": unit(world, "Payments")})
    _, accounts, endpoint = await walked(world, of(world, OUS, "Prod"), refused)
    assert {account.name for account in accounts if not account.ous} >= BELOW["Payments"]
    children = [call.params["ChildId"] for call in endpoint.calls_to(PARENTS)]
    assert children.count(unit(world, "Payments")) == 1
    assert places(accounts)["core"] == WHERE["core"]


async def test_an_ou_whose_name_may_not_be_read_gives_no_place() -> None:
    """Its id alone would leave the account without the approvals that name the OU by its path."""
    world = small_world()
    _, accounts, endpoint = await walked(world, of(world, OUS, "Prod"), Fault(DESCRIBE, deny))
    lost = {"payments-1", "payments-2", "core"}
    assert places(accounts) == {name: None if name in lost else path for name, path in WHERE.items()}
    assert endpoint.counts[DESCRIBE] == 2  # of Payments once, though it has two accounts


async def test_each_account_of_a_readable_tree_is_asked_for_once() -> None:
    world = organization(60, 0, ous=4)
    _, accounts, endpoint = await walked(world, Fault(ACCOUNTS, deny))
    assert {account.id: account.ou_id for account in accounts} == parents(world)
    assert sorted(call.params["ChildId"] for call in endpoint.calls_to(PARENTS)) == sorted(world.accounts)


# --- calls that are not answered -------------------------------------------------------------------------------------


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call to AWS Organizations may take no more than this with its retries."""
    monkeypatch.setattr("scanner.aws.clients.ORGANIZATIONS_SECONDS", 0.2)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("call", [ACCOUNTS, OUS])
async def test_an_ou_that_is_throttled_for_good_costs_nobody_a_place(call: str) -> None:
    world = small_world()
    walk, accounts, _ = await walked(world, of(world, call, "Prod", throttle))
    assert places(accounts) == WHERE
    assert "TooManyRequestsException" in walk.notes[0]


@pytest.mark.usefixtures("impatient")
async def test_a_walk_that_gets_no_answers_is_given_up_and_the_accounts_are_located_all_the_same() -> None:
    """At five minutes a call, an organization of a thousand OUs would take days."""
    world = organization(60, 0, ous=40)
    walk, accounts, endpoint = await walked(world, Fault(ACCOUNTS, throttle))
    assert len({call.params["ParentId"] for call in endpoint.calls_to(ACCOUNTS)}) <= PATIENCE + SIDE_BY_SIDE - 1
    assert "the OUs that were not reached by then" in walk.notes[0]
    assert {account.id: account.ou_id for account in accounts} == parents(world)


@pytest.mark.usefixtures("impatient")
async def test_a_search_that_gets_no_answers_is_given_up_too() -> None:
    world = organization(60, 0, ous=4)
    _, accounts, endpoint = await walked(world, Fault(ACCOUNTS, deny), Fault(PARENTS, throttle))
    assert len({call.params["ChildId"] for call in endpoint.calls_to(PARENTS)}) == PATIENCE
    assert sorted(account.id for account in accounts) == sorted(world.accounts)
    assert not any(account.ous for account in accounts)


async def test_accounts_that_left_meanwhile_do_not_end_the_search() -> None:
    """That there is no such account is an answer."""
    world = organization(40, 0, ous=4)
    lost = [account for account in world.accounts if account != world.management_account_id][:10]
    gone = Raw(400, b'{"__type": "ChildNotFoundException", "Message": "gone"}', "application/x-amz-json-1.1")
    faults = [Fault(PARENTS, gone, params={"ChildId": account}) for account in lost]
    _, accounts, _ = await walked(world, Fault(ACCOUNTS, deny), *faults)
    assert {account.id for account in accounts if not account.ous} == set(lost)


async def test_server_errors_at_one_ou_are_not_the_end_of_the_walk() -> None:
    world = small_world()
    _, accounts, _ = await walked(world, of(world, ACCOUNTS, "Payments", http_503))
    assert places(accounts) == WHERE


# --- answers that cannot be true -------------------------------------------------------------------------------------


async def test_an_ou_without_a_name_costs_nobody_a_place() -> None:
    world = small_world()
    odd = json_answer({"OrganizationalUnits": [{"Id": "ou-ex01-99999999"}]})
    walk, accounts, _ = await walked(world, of(world, OUS, "Root", odd))
    assert places(accounts) == WHERE
    assert "An OU has no name or no ID." in walk.notes[0]


async def test_ous_that_are_said_to_lie_in_one_another_have_no_place() -> None:
    world = small_world()
    payments, core = unit(world, "Payments"), unit(world, "Core")
    circle = [
        Fault(PARENTS, json_answer({"Parents": [{"Id": above, "Type": "ORGANIZATIONAL_UNIT"}]}), params={"ChildId": ou})
        for ou, above in ((payments, core), (core, payments))
    ]
    _, accounts, _ = await walked(world, of(world, OUS, "Prod"), *circle)
    lost = {"payments-1", "payments-2", "core"}
    assert {account.name for account in accounts if not account.ous} == lost


async def test_an_ou_that_is_said_to_lie_in_itself_is_walked_once() -> None:
    world = small_world()
    prod = json_answer({"OrganizationalUnits": [{"Id": unit(world, "Prod"), "Name": "Prod"}]})
    _, accounts, endpoint = await walked(world, of(world, OUS, "Prod", prod))
    assert places(accounts) == WHERE
    assert len([call for call in endpoint.calls_to(OUS) if call.params["ParentId"] == unit(world, "Prod")]) == 1


@pytest.mark.parametrize(
    "answer", [{}, {"Parents": []}, {"Parents": [{}]}, {"Parents": [{"Id": 7}]}], ids=["none", "empty", "no id", "7"]
)
async def test_parents_that_are_none_give_no_place(answer: dict[str, Any]) -> None:
    world = small_world()
    _, accounts, _ = await walked(world, of(world, ACCOUNTS, "Payments"), Fault(PARENTS, json_answer(answer)))
    assert {account.name for account in accounts if not account.ous} == BELOW["Payments"]


async def test_a_description_of_another_ou_gives_no_place() -> None:
    world = small_world()
    other = json_answer({"OrganizationalUnit": {"Id": unit(world, "Dev"), "Name": "Dev"}})
    _, accounts, _ = await walked(world, of(world, OUS, "Prod"), Fault(DESCRIBE, other))
    assert {account.name for account in accounts if not account.ous} == {"payments-1", "payments-2", "core"}


async def test_an_account_that_moves_out_of_the_ou_while_it_is_looked_for_has_its_new_place() -> None:
    world = small_world()
    mover = named(world, "payments-1").id

    def move(_: Call) -> None:
        world.move(mover, unit(world, "Dev"))

    faults = [of(world, ACCOUNTS, "Payments"), Fault(PARENTS, Do(move), when=first(1))]
    _, accounts, _ = await walked(world, *faults)
    assert places(accounts) == WHERE | {"payments-1": WHERE["dev"]}
