"""What a scan makes of OUs that cannot be read, or that are gone."""

import json

import pytest

from tests.aws_endpoint import Do, Fault, Raw, deny, nth, running
from tests.program import ids, named, scan, small_world

pytestmark = pytest.mark.usefixtures("hurried", "workplace")


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


def test_x() -> None:
    odd = Raw(200, json.dumps({"OrganizationalUnits": [{"Id": "ou-ex01-99999999"}]}).encode(), "application/json")
    with running(small_world(), [Fault("organizations:ListOrganizationalUnitsForParent", odd)]) as endpoint:
        done = scan(endpoint)
    assert done.exit_code == 4
    assert done.summary["status"] != "COMPLETE"
