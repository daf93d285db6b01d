"""The roles may do what the program calls, and nothing else: recorded calls, compared with the policies that it prints.

Of remediation, whose calls are on single users, groups and policies: tests/remediation/test_role.py.
"""

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from scanner.roles.deployment import ROLE_NAME, Deployment, deployment
from scanner.roles.documents import documents
from scanner.settings import Settings
from tests.aws_endpoint import (
    MANAGEMENT_KEY,
    Endpoint,
    Fault,
    SimulatedOrganization,
    SimulatedRole,
    deny,
    running,
)
from tests.program import calling, named, program, scan, small_world, unit
from tests.roles.policies import actions

pytestmark = pytest.mark.usefixtures("hurried", "workplace")

Calls = dict[str, set[str]]  # actions, by the role that called them; "caller": with the caller's own credentials
NO_PERMISSION = "sts:GetCallerIdentity"  # AWS asks for none
OWN_ROLES = ("Hub", "OrgReader")


def world_with_roles() -> SimulatedOrganization:
    world = small_world()
    for account in world.accounts.values():
        account.add_user("new", created_at=datetime.now(UTC))  # whose creation CloudTrail is asked about
        account.roles = [
            SimulatedRole(name="IamScanner", path="/audit/"),
            *(SimulatedRole(name=name) for name in OWN_ROLES),
        ]
    return world


def access(world: SimulatedOrganization, *, through_other_roles: bool) -> tuple[str, ...]:
    home = f"arn:aws:iam::{world.management_account_id}:role/"
    roles = ("--hub-role-arn", f"{home}Hub", "--organizations-role-arn", f"{home}OrgReader")
    return ("--role-name", ROLE_NAME, *(roles if through_other_roles else ()))


def scanning(*, through_other_roles: bool) -> Calls:
    """All evidence, the caller's own account, an OU that cannot be listed, names by ID and path, and a wrong one."""
    world = world_with_roles()
    arguments = access(world, through_other_roles=through_other_roles)
    names = ("--ou", "Root/Workloads/Prod", "--ou", named(world, "dev").parent_id, "--ou", world.root.id)
    unlisted = Fault("organizations:ListAccountsForParent", deny, params={"ParentId": unit(world, "Prod")})
    with running(world, [unlisted]) as endpoint:
        assert scan(endpoint, *arguments, "--account-owner-tag", "owner").exit_code == 3
        one = ("--account", named(world, "dev").id, "--exclude-account", "999999999999")
        assert scan(endpoint, *arguments, *names, *one, "--output", "refused").exit_code == 2
    return by_role(endpoint)


def examining(*, through_other_roles: bool) -> Calls:
    world = world_with_roles()
    with running(world) as endpoint, calling(endpoint):
        arguments = access(world, through_other_roles=through_other_roles)
        assert program("doctor", *arguments, "--safelist", "nobody.yaml").exit_code == 0
    return by_role(endpoint)


def by_role(endpoint: Endpoint) -> Calls:
    names = {each.access_key_id: each.role_arn.partition(":role/")[2] for each in endpoint.sessions}
    found: Calls = defaultdict(set)
    for call in endpoint.calls:
        if call.name != NO_PERMISSION:
            found["caller" if call.access_key_id == MANAGEMENT_KEY else names[call.access_key_id]].add(call.name)
    return found


# Every command that reads by these roles. What one calls has to be allowed; what none calls must not be.
COMMANDS: dict[str, Callable[..., Calls]] = {
    "scan": scanning,
    "doctor": examining,
}


def test_each_role_may_do_what_is_called_and_nothing_else() -> None:
    made = deployment(Settings(), (), remediation=False)
    policies = {"caller": "caller", ROLE_NAME: "member"}
    assert_allowed(made, policies, through_other_roles=False)


def test_the_same_through_a_hub_role_and_a_role_for_organizations() -> None:
    home = "arn:aws:iam::111122223333:role/"
    settings = Settings(hub_role_arn=f"{home}Hub", organizations_role_arn=f"{home}OrgReader")
    made = deployment(settings, (), remediation=False)
    policies = {"caller": "caller", ROLE_NAME: "member", "Hub": "hub", "OrgReader": "organizations"}
    assert_allowed(made, policies, through_other_roles=True)


def assert_allowed(made: Deployment, policies: dict[str, str], *, through_other_roles: bool) -> None:
    printed = documents(made, remediation=False)
    used: Calls = defaultdict(set)
    for name, command in COMMANDS.items():
        for role, called in command(through_other_roles=through_other_roles).items():
            assert called <= actions(printed[policies[role]]), f"{name} calls what {role} may not"
            used[role] |= called
    assert used == {role: actions(printed[name]) for role, name in policies.items()}
