"""The session policies under which the role works: nothing but the planned calls on the planned user. Pure.

However much the role itself may do, each session is held to one user, and IAM refuses whatever this program would do by
mistake. What does not fit into one policy is split over several sessions, or the user is refused: never widened.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from scanner.remediation.calls import ATTACH, DETACH, PlannedCall

LIMIT: Final = 2048  # characters of an inline session policy (STS API reference, AssumeRole)
_WILD = frozenset("*?$")  # what a policy reads as wildcards and variables, and IAM allows in paths


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One session: its policy, and the calls that are made under it."""

    policy: str
    calls: tuple[PlannedCall, ...]


def wild_arns(calls: Iterable[PlannedCall]) -> tuple[str, ...]:
    """Return the ARNs that a policy cannot name, as it would take a character of theirs for a wildcard."""
    named = [arn for call in calls for arn in (call.resource, call.parameters.get("PolicyArn", ""))]
    return tuple(arn for arn in dict.fromkeys(named) if _WILD & set(arn))


def grants(calls: Sequence[PlannedCall]) -> tuple[Grant, ...] | None:
    """Split the calls, in their order, over as few sessions as their policies allow; None where one does not fit."""
    split: list[Grant] = []
    waiting = list(calls)
    while waiting:
        count = _how_many(waiting)
        if count == 0:
            return None
        split.append(Grant(policy=policy(waiting[:count]), calls=tuple(waiting[:count])))
        del waiting[:count]
    return tuple(split)


def _how_many(calls: Sequence[PlannedCall]) -> int:
    """Return how many of the calls, from the first one on, fit into one policy."""
    fitting = 0
    while fitting < len(calls) and len(policy(calls[: fitting + 1])) <= LIMIT:
        fitting += 1
    return fitting


def policy(calls: Iterable[PlannedCall]) -> str:
    """Return the policy that allows these calls: each action on its own resources, and of policies only those named.

    RemoveUserFromGroup is checked by the group's ARN, DeleteVirtualMFADevice by the device's, all others by the user's.
    """
    actions: dict[str, list[str]] = {}  # resource → actions
    attached: dict[tuple[str, str], list[str]] = {}  # (action, resource) → ARNs of policies
    for call in calls:
        if call.action in {ATTACH, DETACH}:
            arns = attached.setdefault((call.action, call.resource), [])
            _add(arns, call.parameters["PolicyArn"])
        else:
            _add(actions.setdefault(call.resource, []), call.action)
    statements = [_allow(names, resources) for names, resources in _by_actions(actions)]
    statements += [
        _allow([action], [resource]) | {"Condition": {"ArnEquals": {"iam:PolicyARN": _one_or_many(arns)}}}
        for (action, resource), arns in attached.items()
    ]
    return _compact(statements)


def reading_policy(actions: Iterable[str]) -> str:
    """Return the policy for a session that reads, and reads only: these actions on everything in the account."""
    return _compact([_allow(sorted(actions), ["*"])])


def _by_actions(actions: Mapping[str, list[str]]) -> Iterable[tuple[list[str], list[str]]]:
    """Put resources together that the same actions are allowed on: ten groups are one statement."""
    together: dict[tuple[str, ...], list[str]] = {}
    for resource, names in actions.items():
        together.setdefault(tuple(names), []).append(resource)
    return ((list(names), resources) for names, resources in together.items())


def _allow(actions: Sequence[str], resources: Sequence[str]) -> dict[str, object]:
    named = [f"iam:{action}" for action in actions]
    return {"Effect": "Allow", "Action": _one_or_many(named), "Resource": _one_or_many(resources)}


def _one_or_many(values: Sequence[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)


def _add(values: list[str], value: str) -> None:
    if value not in values:
        values.append(value)


def _compact(statements: Sequence[Mapping[str, object]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))
