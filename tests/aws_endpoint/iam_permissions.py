"""Policies evaluated: what a session policy lets through, and what a user's own policies come to.

Small, and strict where it does not know better: an operator or a key of a condition that is not known here is a defect
of the test, and not a condition that holds.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from tests.aws_endpoint.faults import denied
from tests.aws_endpoint.iam_state import LiveAccount, LiveUserState, State
from tests.aws_endpoint.sessions import Caller, matches

PROBES = ("s3:GetObject", "ec2:RunInstances", "iam:CreateUser", "dynamodb:Scan")  # what rights are measured by
_EXACT = {"StringEquals"}
_LIKE = {"ArnEquals", "ArnLike", "StringLike"}
_AWS_POLICIES = {
    "AWSDenyAll": [{"Effect": "Deny", "Action": "*", "Resource": "*"}],
    "AdministratorAccess": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    "ReadOnlyAccess": [{"Effect": "Allow", "Action": ["s3:Get*", "dynamodb:Scan"], "Resource": "*"}],
}


def check_caller(caller: Caller, role: str | None, action: str, resource: str, context: Mapping[str, str]) -> None:
    """Refuse the call, in AWS's words, where the caller's session policy, or the role's own, does not allow it."""
    policies = {"session": caller.policy, "identity-based": role if caller.by_role else None}
    for kind, policy in policies.items():
        if policy is not None and not permits(_statements(policy), action, resource, context):
            why = f" because no {kind} policy allows the {action} action"
            raise denied(caller.arn, action, resource, why)


def permits(statements: Iterable[Mapping[str, Any]], action: str, resource: str, context: Mapping[str, str]) -> bool:
    effects = [each["Effect"] for each in statements if _applies(each, action, resource, context)]
    return "Allow" in effects and "Deny" not in effects


def rights(account: LiveAccount, state: State, user: LiveUserState) -> frozenset[str]:
    """The probes that the user's policies, groups and boundary allow."""
    statements = [
        *(part for document in user.inline.values() for part in _statements(document)),
        *(part for arn in user.attached for part in _managed(account, arn)),
    ]
    for name in user.groups:
        group = state.live_groups[name]
        statements += [part for document in group.inline.values() for part in _statements(document)]
        statements += [part for arn in group.attached for part in _managed(account, arn)]
    limits = None if user.boundary is None else _managed(account, user.boundary)
    return frozenset(
        probe
        for probe in PROBES
        if permits(statements, probe, "*", {}) and (limits is None or permits(limits, probe, "*", {}))
    )


def document_of(account: LiveAccount, arn: str) -> str:
    """The text of a managed policy; AWS's own that are not known here allow nothing."""
    if arn in account.documents:
        return account.documents[arn]
    return json.dumps({"Version": "2012-10-17", "Statement": _AWS_POLICIES.get(arn.rpartition("/")[2], [])})


def _managed(account: LiveAccount, arn: str) -> list[Mapping[str, Any]]:
    return _statements(document_of(account, arn))


def _statements(document: str) -> list[Mapping[str, Any]]:
    found = json.loads(document)["Statement"]
    return found if isinstance(found, list) else [found]


def _applies(statement: Mapping[str, Any], action: str, resource: str, context: Mapping[str, str]) -> bool:
    actions, resources = _listed(statement["Action"]), _listed(statement["Resource"])
    return (
        any(matches(pattern.lower(), action.lower()) for pattern in actions)
        and (resource == "*" or any(matches(pattern, resource) for pattern in resources))
        and all(_holds(operator, keys, context) for operator, keys in statement.get("Condition", {}).items())
    )


def _holds(operator: str, keys: Mapping[str, Any], context: Mapping[str, str]) -> bool:
    if operator not in _EXACT | _LIKE:
        raise NotImplementedError(f"the condition operator {operator}")
    for key, wanted in keys.items():
        value = context.get(key)
        patterns = _listed(wanted)
        fits = value in patterns if operator in _EXACT else any(matches(each, value or "") for each in patterns)
        if value is None or not fits:
            return False
    return True


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
