"""AWS Organizations: the read calls, in pages of twenty at most."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.aws_endpoint.ask import Ask
from tests.aws_endpoint.organization import SimulatedAccount, SimulatedOrganization, SimulatedUnit
from tests.aws_endpoint.pages import BadToken, page
from tests.aws_endpoint.wire import AwsError

Answer = dict[str, Any]
Action = Callable[[SimulatedOrganization, Ask], Answer]

PAGE_LIMIT = 20

_OLD_STATUS = {"CLOSED": "SUSPENDED", "PENDING_ACTIVATION": "SUSPENDED"}  # what Status has no word for, at a guess
_PARENT = re.compile(r"r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}")
_UNIT = re.compile(r"ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}")
_ACCOUNT = re.compile(r"\d{12}")
_CHILD = re.compile(f"{_ACCOUNT.pattern}|{_UNIT.pattern}")


def describe_organization(world: SimulatedOrganization, ask: Ask) -> Answer:
    management = world.management_account_id
    arn = f"arn:{world.partition}:organizations::{management}:"
    organization = {
        "Id": world.id,
        "Arn": f"{arn}organization/{world.id}",
        "FeatureSet": "ALL",
        "MasterAccountArn": f"{arn}account/{world.id}/{management}",
        "MasterAccountId": management,
        "MasterAccountEmail": "management@example.com",
    }
    return {"Organization": organization}


def list_roots(world: SimulatedOrganization, ask: Ask) -> Answer:
    root = {"Id": world.root.id, "Arn": _arn(world, "root", world.root.id), "Name": world.root.name, "PolicyTypes": []}
    return _page_of([root], "Roots", ask)


def list_accounts(world: SimulatedOrganization, ask: Ask) -> Answer:
    return _accounts(world, list(world.accounts), ask)


def list_accounts_for_parent(world: SimulatedOrganization, ask: Ask) -> Answer:
    return _accounts(world, world.accounts_of(_parent(world, ask)), ask)


def list_organizational_units_for_parent(world: SimulatedOrganization, ask: Ask) -> Answer:
    units = [_unit(world, unit) for unit in world.units_of(_parent(world, ask))]
    return _page_of(units, "OrganizationalUnits", ask)


def list_parents(world: SimulatedOrganization, ask: Ask) -> Answer:
    child = _id(ask, "ChildId", _CHILD)
    member = world.accounts.get(child) or world.ous.get(child)
    if member is None or member.parent_id is None:
        raise AwsError(400, "ChildNotFoundException", "You specified a child that doesn't exist.")
    kind = "ROOT" if member.parent_id == world.root.id else "ORGANIZATIONAL_UNIT"
    return _page_of([{"Id": member.parent_id, "Type": kind}], "Parents", ask)


def describe_account(world: SimulatedOrganization, ask: Ask) -> Answer:
    account = world.accounts.get(_id(ask, "AccountId", _ACCOUNT))
    if account is None:
        raise AwsError(400, "AccountNotFoundException", "You specified an account that doesn't exist.")
    return {"Account": _account(world, account)}


def describe_organizational_unit(world: SimulatedOrganization, ask: Ask) -> Answer:
    unit = world.ous.get(_id(ask, "OrganizationalUnitId", _UNIT))
    if unit is None:
        message = "You specified an organizational unit that doesn't exist."
        raise AwsError(400, "OrganizationalUnitNotFoundException", message)
    return {"OrganizationalUnit": _unit(world, unit)}


def list_tags_for_resource(world: SimulatedOrganization, ask: Ask) -> Answer:
    account = world.accounts.get(_id(ask, "ResourceId", _ACCOUNT))
    if account is None:
        raise AwsError(400, "TargetNotFoundException", "You specified a target that doesn't exist.")
    return _page_of([{"Key": key, "Value": value} for key, value in account.tags.items()], "Tags", ask)


ACTIONS: Mapping[str, Action] = {
    "DescribeOrganization": describe_organization,
    "ListRoots": list_roots,
    "ListAccounts": list_accounts,
    "ListAccountsForParent": list_accounts_for_parent,
    "ListOrganizationalUnitsForParent": list_organizational_units_for_parent,
    "ListParents": list_parents,
    "DescribeAccount": describe_account,
    "DescribeOrganizationalUnit": describe_organizational_unit,
    "ListTagsForResource": list_tags_for_resource,
}


# --- what a call is checked for ---------------------------------------------------------------------------------------


def check_access(world: SimulatedOrganization, ask: Ask) -> None:
    """DescribeOrganization is open to every member, all else to the management and to delegated administrators."""
    if not world.in_use:
        message = "Your account is not a member of an organization."
        raise AwsError(400, "AWSOrganizationsNotInUseException", message)
    readers = {world.management_account_id, *world.delegated_administrators}
    if ask.action != "DescribeOrganization" and ask.caller.account_id not in readers:
        raise AwsError(400, "AccessDeniedException", "You don't have permissions to access this resource.")


def _parent(world: SimulatedOrganization, ask: Ask) -> str:
    parent = _id(ask, "ParentId", _PARENT)
    if world.unit(parent) is None:
        raise AwsError(400, "ParentNotFoundException", "You specified parent that doesn't exist.")
    return parent


def _id(ask: Ask, member: str, pattern: re.Pattern[str]) -> str:
    value = ask.parameters.get(member)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise _invalid("INVALID_PATTERN", f"The provided value for {member} doesn't match the pattern.")
    return value


def _invalid(reason: str, message: str) -> AwsError:
    return AwsError(400, "InvalidInputException", message, Reason=reason)


# --- what it is answered with -----------------------------------------------------------------------------------------


def _accounts(world: SimulatedOrganization, ids: Sequence[str], ask: Ask) -> Answer:
    answer = _page_of(ids, "Accounts", ask)
    answer["Accounts"] = [_account(world, world.accounts[account]) for account in answer["Accounts"]]
    return answer


def _page_of(items: Sequence[object], member: str, ask: Ask) -> Answer:
    size = ask.parameters.get("MaxResults", PAGE_LIMIT)
    if not 1 <= size <= PAGE_LIMIT:
        raise _invalid("MAX_VALUE_EXCEEDED" if size > PAGE_LIMIT else "MIN_VALUE_EXCEEDED", "MaxResults: out of range.")
    of = f"{ask.action}:{ask.parameters.get('ParentId', ask.parameters.get('ResourceId', ''))}"
    try:
        part = page(items, of=of, token=ask.parameters.get("NextToken"), size=size, lies=ask.lies)
    except BadToken as error:
        raise _invalid("INVALID_NEXT_TOKEN", "The provided NextToken is not valid.") from error
    rest = {"NextToken": part.token} if part.token else {}
    return {member: part.items} | rest


def _account(world: SimulatedOrganization, account: SimulatedAccount) -> Answer:
    described = {
        "Id": account.id,
        "Arn": _arn(world, "account", account.id),
        "Email": f"{account.id}@example.com",
        "Name": account.name,
        "JoinedMethod": "CREATED",
        "JoinedTimestamp": 1736152215.0,
    }
    if account.state and "State" in world.state_members:
        described["State"] = account.state
    if account.state and "Status" in world.state_members:
        described["Status"] = _OLD_STATUS.get(account.state, account.state)
    return described


def _unit(world: SimulatedOrganization, unit: SimulatedUnit) -> Answer:
    return {"Id": unit.id, "Arn": _arn(world, "ou", unit.id), "Name": unit.name}


def _arn(world: SimulatedOrganization, kind: str, name: str) -> str:
    return f"arn:{world.partition}:organizations::{world.management_account_id}:{kind}/{world.id}/{name}"
