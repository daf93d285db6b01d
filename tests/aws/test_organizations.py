"""The walk through an organization: every account once, whatever happens meanwhile, and known where it is not."""

import pytest

from scanner.aws.organizations import SIDE_BY_SIDE, Walk, account_exists, describe, ou_exists
from scanner.errors import StartError
from scanner.model import FailReason
from tests.aws.asking import asking
from tests.aws.walking import WHERE, places, walked
from tests.aws_endpoint import (
    DELEGATED_KEY,
    MEMBER_KEY,
    Call,
    Do,
    Fault,
    Raw,
    after,
    deny,
    empty_page,
    first,
    hang,
    nth,
    organization,
    running,
    same_marker,
    sometimes,
    throttle,
)
from tests.program import named, scan, small_world, unit

pytestmark = pytest.mark.usefixtures("hurried")


async def test_every_account_comes_once_with_its_place() -> None:
    world = small_world()
    walk, accounts, _ = await walked(world)
    assert len(accounts) == 7
    assert places(accounts) == WHERE
    assert (walk.problem, walk.notes) == (None, [])


async def test_an_account_s_place_is_the_chain_of_ous_from_the_root() -> None:
    world = small_world()
    _, accounts, _ = await walked(world)
    (core,) = (account for account in accounts if account.name == "core")
    assert [ou.id for ou in core.ous] == [
        world.root.id,
        unit(world, "Workloads"),
        unit(world, "Prod"),
        unit(world, "Core"),
    ]


async def test_ous_without_accounts_are_met_too() -> None:
    world = small_world()
    world.add_ou("Empty", unit(world, "Sandbox"))
    walk, _, _ = await walked(world)
    assert "Root/Sandbox/Empty" in [ou.path for ou in walk.ous]
    assert len(walk.ous) == 8


async def test_all_pages_of_a_large_organization_are_read() -> None:
    world = organization(430, 0, ous=60)
    _, accounts, _ = await walked(world)
    assert sorted(account.id for account in accounts) == sorted(world.accounts)


async def test_five_levels_of_ous_are_walked() -> None:
    world = small_world()
    parent = world.root.id
    for depth in range(5):
        parent = world.add_ou(f"Level {depth}", parent).id
    world.add_account("deep", parent)
    _, accounts, _ = await walked(world)
    assert places(accounts)["deep"] == "Root/Level 0/Level 1/Level 2/Level 3/Level 4"


@pytest.mark.parametrize("call", ["ListAccounts", "ListAccountsForParent", "ListOrganizationalUnitsForParent", "*"])
async def test_an_empty_page_with_a_token_is_not_the_end(call: str) -> None:
    fault = Fault(f"organizations:{call}", empty_page, when=sometimes(0.4))
    walk, accounts, _ = await walked(small_world(), fault)
    assert places(accounts) == WHERE
    assert (walk.problem, walk.notes) == (None, [])


async def test_throttling_of_organizations_costs_nothing_but_time() -> None:
    walk, accounts, _ = await walked(small_world(), Fault("organizations:*", throttle, when=sometimes(0.4)))
    assert places(accounts) == WHERE
    assert walk.problem is None


async def test_what_is_wanted_first_is_walked_first() -> None:
    world = organization(200, 0, ous=40)
    wanted = list(world.ous)[9]  # the last of the ten below the root
    _, accounts, _ = await walked(world, first=[wanted])
    order = list(dict.fromkeys(account.ou_id for account in accounts))
    assert order.index(wanted) <= SIDE_BY_SIDE


# --- an organization that changes meanwhile --------------------------------------------------------------------------


@pytest.mark.parametrize("when", range(1, 15))
async def test_an_account_that_moves_during_the_walk_comes_exactly_once(when: int) -> None:
    """From a part that is read early to one that is read late and back: missed or met twice, but for the check."""
    world = small_world()
    mover = named(world, "sandbox").id
    there, back = unit(world, "Payments"), unit(world, "Sandbox")

    def move(call: Call) -> None:
        world.move(mover, back if world.accounts[mover].parent_id == there else there)

    walk, accounts, _ = await walked(world, Fault("organizations:List*", Do(move), when=nth(when)))
    assert sorted(account.id for account in accounts) == sorted(world.accounts)
    (moved,) = (account for account in accounts if account.id == mover)
    assert moved.ou_path in {"Root/Sandbox", "Root/Workloads/Prod/Payments"}
    assert walk.problem is None


async def test_an_account_that_the_walk_missed_is_found_by_its_parents() -> None:
    """Each OU is read while the account is in the other one; only ListAccounts and ListParents tell of it."""
    world = small_world()
    mover = named(world, "sandbox").id
    here, there = unit(world, "Sandbox"), unit(world, "Dev")

    def dodge(call: Call) -> None:
        world.move(mover, there if call.params.get("ParentId") == here else here)

    dodging = [Fault("organizations:ListAccountsForParent", Do(dodge), params={"ParentId": ou}) for ou in (here, there)]
    _, accounts, _ = await walked(world, *dodging)
    assert sorted(account.id for account in accounts) == sorted(world.accounts)
    assert places(accounts)["sandbox"] in {"Root/Sandbox", "Root/Workloads/Dev"}


async def test_an_account_created_during_the_walk_is_one_account_or_none() -> None:
    world = small_world()

    def create(call: Call) -> None:
        world.add_account("new", unit(world, "Dev"))

    walk, accounts, _ = await walked(world, Fault("organizations:ListAccountsForParent", Do(create), when=nth(2)))
    assert set(WHERE) <= {account.name for account in accounts}
    assert len({account.id for account in accounts}) == len(accounts)
    assert walk.problem is None


async def test_an_account_that_left_during_the_walk_is_counted_and_noted() -> None:
    world = small_world()
    gone = named(world, "sandbox").id
    hidden = Raw(200, b'{"Accounts": []}', "application/x-amz-json-1.1")
    walk, accounts, _ = await walked(world, Fault("organizations:ListAccounts", hidden))
    assert gone in {account.id for account in accounts}
    assert "7 of the accounts found in the OUs were not in ListAccounts" in walk.notes[0]


# --- a walk that breaks off ------------------------------------------------------------------------------------------


async def test_list_accounts_that_breaks_off_leaves_the_population_unknown() -> None:
    world = organization(60, 0, ous=4)
    walk, accounts, _ = await walked(world, Fault("organizations:ListAccounts", deny, when=after(1)))
    assert walk.problem is not None
    assert (walk.problem.reason, walk.problem.call) == (FailReason.ACCESS_DENIED, "organizations:ListAccounts")
    assert len(accounts) == 60  # the walk through the OUs went on


async def test_without_roots_all_accounts_come_without_a_place() -> None:
    _, accounts, _ = await walked(small_world(), Fault("organizations:ListRoots", deny))
    assert places(accounts) == dict.fromkeys(WHERE)


async def test_a_list_without_end_breaks_off() -> None:
    walk, _, _ = await walked(small_world(), Fault("organizations:ListAccounts", empty_page))
    assert walk.problem is not None
    assert walk.problem.reason is FailReason.BAD_RESPONSE


async def test_the_same_token_twice_breaks_off() -> None:
    walk, _, _ = await walked(small_world(), Fault("organizations:ListAccounts", same_marker))
    assert walk.problem is not None
    assert walk.problem.reason is FailReason.BAD_RESPONSE


async def test_an_account_id_that_is_none_breaks_off() -> None:
    answer = Raw(200, b'{"Accounts": [{"Id": "12345", "Name": "x"}]}', "application/x-amz-json-1.1")
    walk, _, _ = await walked(small_world(), Fault("organizations:ListAccounts", answer))
    assert walk.problem is not None
    assert "'12345' is not a valid account ID" in walk.problem.detail


async def test_organizations_that_hangs_ends_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.aws.clients.ORGANIZATIONS_SECONDS", 0.3)
    walk, _, _ = await walked(small_world(), Fault("organizations:ListAccounts", hang))
    assert walk.problem is not None
    assert walk.problem.reason is FailReason.TIMEOUT


# --- asked before the walk -------------------------------------------------------------------------------------------


async def test_the_organization_is_described_to_each_of_its_accounts() -> None:
    world = small_world()
    for key in ("AKIAMANAGEMENT000000", MEMBER_KEY):
        async with asking(world, key=key) as (_, session):
            found = await describe(session)
        assert (found.id, found.management_account_id) == (world.id, world.management_account_id)


async def test_an_organization_that_is_refused_is_no_start() -> None:
    async with asking(small_world(), [Fault("organizations:*", deny)]) as (_, session):
        with pytest.raises(StartError, match=r"AccessDeniedException: You don't have .*--accounts-file"):
            await describe(session)


async def test_accounts_and_ous_exist_or_do_not() -> None:
    world = small_world()
    async with asking(world) as (_, session):
        assert await account_exists(session, named(world, "dev").id)
        assert not await account_exists(session, "999999999999")
        assert await ou_exists(session, unit(world, "Dev"))
        assert await ou_exists(session, world.root.id)
        assert not await ou_exists(session, "r-none")
        assert not await ou_exists(session, "ou-ex01-99999999")


async def test_a_delegated_administrator_may_read_it_all() -> None:
    world = small_world()
    world.delegated_administrators.append(named(world, "core").id)
    _, accounts, _ = await walked(world, key=DELEGATED_KEY)
    assert places(accounts) == WHERE


# --- and what a scan makes of it -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("workplace")
def test_a_listing_that_breaks_off_half_way_is_an_incomplete_scan_of_what_is_known() -> None:
    world = organization(60, 1, ous=4, full=False)
    with running(world, [Fault("organizations:ListAccounts", deny, when=after(1))]) as endpoint:
        done = scan(endpoint, "--evidence", "basic")
    assert done.exit_code == 4
    assert "population unknown" in done.summary["status_text"]
    assert done.summary["listing_problem"]["error_code"] == "AccessDeniedException"
    assert len(done.with_outcome("SCANNED")) == 60
    assert "broke off" in done.out


@pytest.mark.usefixtures("workplace")
def test_an_account_in_two_places_during_the_walk_is_scanned_once() -> None:
    world = small_world()
    mover = named(world, "sandbox").id

    def move(call: Call) -> None:
        world.move(mover, unit(world, "Core"))

    fault = Fault("organizations:ListAccountsForParent", Do(move), params={"ParentId": unit(world, "Workloads")})
    with running(world, [fault]) as endpoint:
        done = scan(endpoint, "--evidence", "basic")
    assert done.exit_code == 3
    assert len(done.accounts) == 7
    assert len(endpoint.calls_to("iam:ListUsers")) == 7


async def test_the_first_accounts_come_before_the_listing_has_ended() -> None:
    """Streamed: the scan of the first account does not wait for the last page."""
    async with asking(small_world(), [Fault("organizations:ListAccounts", hang, when=first(1))]) as (_, session):
        accounts = Walk(session).accounts()
        found = await anext(accounts)
        await accounts.aclose()
    assert found.name in WHERE
