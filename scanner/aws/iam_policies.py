"""Does a policy make its holder an administrator? Read from names and inline documents alone.

Only what is plainly so counts: an `Allow` of everything, or of all of IAM, on every resource, without a condition.
Source of the document's grammar: the IAM user guide, "Grammar of the IAM JSON policy language".
"""

import json
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import unquote

ADMINISTRATOR_POLICIES = frozenset({"AdministratorAccess", "IAMFullAccess"})


def is_aws_managed(arn: str) -> bool:
    """Tell AWS's own policies from the customer's, whose documents are not read."""
    return arn.split(":", 5)[4:5] == ["aws"]


def allows_all(document: object) -> bool:
    """Tell whether an inline policy document allows all, or all of IAM, on everything.

    `document` comes decoded from the SDK, or as the URL-encoded JSON that AWS sends. Raises ValueError where it is no
    policy at all.
    """
    policy = json.loads(unquote(document)) if isinstance(document, str) else document
    if not isinstance(policy, Mapping):
        raise ValueError("a policy document is an object")  # noqa: TRY004  # a wrong value, not a wrong type of ours
    return any(_allows_all(statement) for statement in _listed(policy.get("Statement")))


def _allows_all(statement: Any) -> bool:
    if not isinstance(statement, Mapping) or statement.get("Effect") != "Allow" or statement.get("Condition"):
        return False
    if "Action" in statement:
        all_of_iam = any(_covers_iam(str(action)) for action in _listed(statement["Action"]))
    else:
        # "Everything but ...", as AWS's PowerUserAccess has it: all of IAM, unless some of IAM is left out.
        left_out = [str(action) for action in _listed(statement.get("NotAction"))]
        all_of_iam = bool(left_out) and not any(_touches_iam(action) for action in left_out)
    return all_of_iam and any(_is_all(str(resource)) for resource in _listed(statement.get("Resource")))


def _covers_iam(action: str) -> bool:
    service, colon, name = action.partition(":")
    return (_touches_iam(action) and _is_all(name)) if colon else _is_all(service)


def _touches_iam(action: str) -> bool:
    return fnmatchcase("iam", action.partition(":")[0].lower())


def _is_all(pattern: str) -> bool:
    return set(pattern) == {"*"}


def _listed(value: Any) -> Iterable[Any]:
    """Return the one or many values that the grammar allows in most places as many."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
