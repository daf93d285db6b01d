"""Does a policy make its holder an administrator? Judged by what its patterns match, not by how they are written.

Three answers: True, False, and None where it cannot be told. Denies, permissions boundaries and SCPs are not weighed.
Source of the grammar: the IAM user guide, "Grammar of the IAM JSON policy language" and "Policy variables".
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import unquote

ADMINISTRATOR_POLICIES = frozenset({"AdministratorAccess", "IAMFullAccess"})
_DENYING_POLICIES = ("AWSDenyAll", "AWSCompromisedKeyQuarantine*")

_ANY = "\ue000"  # stands for any character: no action and no ARN holds it, so nothing but a wildcard matches it
_SHORTEST_ACTION = 7  # "GetRole"
_SHORTEST_TYPE = 3  # "mfa", as in arn:aws:iam::123456789012:mfa/phone
_WILDCARD = re.compile("[*?]")
_VARIABLE = re.compile(r"\$\{[^}]*\}")
_ESCAPES = re.compile(r"\$\{[*?$]\}")  # the character itself, and no wildcard


def is_aws_managed(arn: str) -> bool:
    """Whether this is one of AWS's own policies, not the customer's, whose documents are not read."""
    return arn.split(":", 5)[4:5] == ["aws"]


def only_denies(name: str, arn: str) -> bool:
    """Whether this is one of AWS's own policies that allow nothing: what attaches it takes rights away."""
    return is_aws_managed(arn) and any(fnmatchcase(name, pattern) for pattern in _DENYING_POLICIES)


def any_of(verdicts: Iterable[bool | None]) -> bool | None:
    """True where one is; else None where one cannot be told; else False."""
    known = set(verdicts)
    return True if True in known else None if None in known else False


def allows_all(document: object, holder_arn: str) -> bool | None:
    """Whether an inline policy allows all, or all of IAM, on everything in the account of its holder.

    None: it does so under a condition, by NotAction or by NotResource, or with a policy variable. `document` comes
    decoded from the SDK, or as the URL-encoded JSON that AWS sends. Raises ValueError where it is not a policy.
    """
    policy = json.loads(unquote(document)) if isinstance(document, str) else document
    if not isinstance(policy, Mapping):
        raise ValueError("a policy document is an object")  # noqa: TRY004  # a wrong value, not a wrong type of ours
    statements = policy.get("Statement")
    has_variables = policy.get("Version") == "2012-10-17"  # in the older version, "${" is text
    account = ":".join(holder_arn.split(":")[:5]) + ":"

    def covers_account(pattern: str) -> bool | None:
        return _covers_iam_of(account, pattern, has_variables=has_variables)

    return any_of(
        _judged(statement, covers_account)
        for statement in (statements if isinstance(statements, list) else [statements])
    )


def _judged(statement: Any, covers_account: Callable[[str], bool | None]) -> bool | None:
    effect = statement.get("Effect") if isinstance(statement, Mapping) else None
    if effect == "Deny":
        return False
    if effect != "Allow":
        raise ValueError("a statement allows or denies")
    parts = (_part(statement, "Action", _covers_iam_actions), _part(statement, "Resource", covers_account))
    condition = statement.get("Condition", {})
    if not isinstance(condition, Mapping):
        raise ValueError("a condition is an object")  # noqa: TRY004
    if False in parts:
        return False
    return None if None in parts or condition else True


def _part(statement: Mapping[str, Any], element: str, covers: Callable[[str], bool | None]) -> bool | None:
    """Judge Action or NotAction, Resource or NotResource. What is excluded leaves the rest open, unless that is all."""
    if element in statement:
        return any_of(covers(pattern) for pattern in _texts(statement[element]))
    excluded = any_of(covers(pattern) for pattern in _texts(statement.get(f"Not{element}", "*")))
    return False if excluded else None


def _texts(value: Any) -> list[str]:
    """Return the one or many texts that the grammar allows in most places as many."""
    texts = value if isinstance(value, list) else [value]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("neither a text nor a list of texts")
    return texts


def _covers_iam_actions(pattern: str) -> bool:
    """Whether it matches every action of IAM; the case of letters does not count."""
    return _covers(pattern.lower(), "iam:", (_SHORTEST_ACTION,))


def _covers_iam_of(account: str, pattern: str, *, has_variables: bool) -> bool | None:
    """Whether it matches everything that IAM has in the account; `account` is what those ARNs begin with."""
    shortest = _SHORTEST_TYPE, 1  # arn:aws:iam::123456789012:mfa/x
    if not has_variables or "${" not in pattern:
        return _covers(pattern, account, shortest)
    literal = _ESCAPES.sub("$", pattern)
    return None if _covers(_VARIABLE.sub("*", literal), account, shortest) else False


def _covers(pattern: str, start: str, shortest: tuple[int, ...]) -> bool:
    """Whether it matches whatever begins so and goes on by names of at least these lengths, with "/" between them.

    As only a wildcard matches `_ANY`, a pattern that matches the shortest of these texts, and one with names that are
    longer than the pattern, matches all between and beyond.
    """
    if pattern == "*":
        return True
    if not pattern.endswith(("*", "?")) or not start.startswith(_WILDCARD.split(pattern, maxsplit=1)[0]):
        return False  # so nearly all patterns are told, at a tenth of the cost
    longest = [len(pattern) + length for length in shortest]
    texts = (start + "/".join(_ANY * length for length in lengths) for lengths in (shortest, longest))
    # fnmatch takes bounded time, however the pattern is made; to IAM, a `[` is nothing special.
    return all(fnmatchcase(text, pattern.replace("[", "[[]")) for text in texts)
