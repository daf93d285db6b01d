"""Does a policy make its holder an administrator, or let it become one? Judged by what its patterns match.

Three answers: yes, no, and open where it cannot be told. Denies, permissions boundaries and SCPs are not weighed.
Source of the grammar: the IAM user guide, "Grammar of the IAM JSON policy language" and "Policy variables".
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from scanner.aws.escalation import ACTIONS, EVERYTHING, NOTHING_BY_AWS, WAYS, WAYS_BY_AWS, Way

_DENYING_POLICIES = ("AWSDenyAll", "AWSCompromisedKeyQuarantine*")

_ANY = "\ue000"  # stands for any character: no action and no ARN holds it, so nothing but a wildcard matches it
_SHORTEST_ACTION = 7  # "GetRole"
_SHORTEST_TYPE = 3  # "mfa", as in arn:aws:iam::123456789012:mfa/phone
_WILDCARD = re.compile("[*?]")
_OWN_NAME = "/${aws:username}"
_VARIABLE = re.compile(r"\$\{[^}]*\}")
_ESCAPES = re.compile(r"\$\{[*?$]\}")  # the character itself, and no wildcard


def is_aws_managed(arn: str) -> bool:
    """Whether this is one of AWS's own policies, not the customer's, whose documents are not read."""
    return arn.split(":", 5)[4:5] == ["aws"]


def only_denies(name: str, arn: str) -> bool:
    """Whether this is one of AWS's own policies that allow nothing: what attaches it takes rights away."""
    return is_aws_managed(arn) and any(fnmatchcase(name, pattern) for pattern in _DENYING_POLICIES)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is kept of a policy: none of its text."""

    administrator: bool | None  # None: that cannot be told
    ways: frozenset[str] = frozenset()  # actions of `WAYS` that it allows on all that they act on
    open: frozenset[str] = frozenset()  # those that it may allow, be it certain or not


NOTHING = Verdict(administrator=False)
UNKNOWN = Verdict(administrator=None, open=ACTIONS)


def combined(verdicts: Iterable[Verdict]) -> Verdict:
    """What policies say together."""
    distinct = {verdict for verdict in verdicts if verdict is not NOTHING}
    return Verdict(
        administrator=any_of(verdict.administrator for verdict in distinct),
        ways=frozenset().union(*(verdict.ways for verdict in distinct)),
        open=frozenset().union(*(verdict.open for verdict in distinct)),
    )


def escalation(verdict: Verdict, *, limited: bool) -> tuple[str, ...] | None:
    """Return the actions by which a user could make itself administrator, () for none; None where none is certain.

    An administrator has them all, and `EVERYTHING` says so. `limited`: a permissions boundary is set.
    """
    if verdict.administrator:
        return (EVERYTHING,)
    counting = [way.action for way in WAYS if limited or not way.from_boundary]
    certain = tuple(action for action in counting if action in verdict.ways)
    return None if not certain and verdict.open.intersection(counting) else certain


def any_of(verdicts: Iterable[bool | None]) -> bool | None:
    """True where one is; else None where one cannot be told; else False."""
    known = set(verdicts)
    return True if True in known else None if None in known else False


def judge_by_name(name: str) -> Verdict:
    """Judge one of AWS's own policies, whose text is not read."""
    ways = WAYS_BY_AWS.get(name)
    if ways is not None:
        return Verdict(administrator=EVERYTHING in ways, ways=frozenset(ways) & ACTIONS)
    known = any(fnmatchcase(name, pattern) for pattern in NOTHING_BY_AWS)
    return NOTHING if known else Verdict(administrator=False, open=ACTIONS)


def judge(document: object, holder_arn: str) -> Verdict:
    """Judge what a policy allows in the account of its holder: a user, a group, or the customer-managed policy itself.

    Open is what it allows under a condition, by NotAction or NotResource, with a policy variable, or on some resources
    that may or may not be an administrator's. `document` comes decoded from the SDK, or as the URL-encoded JSON that
    AWS sends. Raises ValueError where it is not a policy.
    """
    policy = _decoded(document)
    statements = policy.get("Statement")
    scope = _Scope(
        account=":".join(holder_arn.split(":")[:5]) + ":",
        holder=holder_arn,
        has_variables=policy.get("Version") == "2012-10-17",  # in the older version, "${" is text
    )
    return combined(
        _judged(statement, scope) for statement in (statements if isinstance(statements, list) else [statements])
    )


def _decoded(document: object) -> Mapping[str, Any]:
    try:
        policy = json.loads(unquote(document)) if isinstance(document, str) else document
    except RecursionError as error:
        raise ValueError("nested too deeply for a policy") from error
    if not isinstance(policy, Mapping):
        raise ValueError("a policy document is an object")  # noqa: TRY004  # a wrong value, not a wrong type of ours
    return policy


@dataclass(frozen=True, slots=True)
class _Scope:
    """Where a policy counts."""

    account: str  # what the ARNs of IAM begin with there: "arn:aws:iam::123456789012:"
    holder: str
    has_variables: bool

    def covers_account(self, pattern: str) -> bool | None:
        return _covers_iam_of(self.account, pattern, has_variables=self.has_variables)

    def reach(self, way: Way, statement: Mapping[str, Any]) -> bool | None:
        """Whether the action is allowed on all that it acts on; None: on some of it, or that cannot be told."""
        if "Resource" in statement:
            return any_of(self._reaches(way, pattern) for pattern in _texts(statement["Resource"]))
        excluded = any(self._covers(way, pattern) for pattern in _texts(statement.get("NotResource", "*")))
        return False if excluded else None

    def _reaches(self, way: Way, pattern: str) -> bool | None:
        literal = _VARIABLE.sub("*", _ESCAPES.sub("$", pattern)) if self._varies(pattern) else pattern
        if not _meets(literal, self._start(way)):
            return False
        if way.on == "user" and pattern == self.holder:
            return way.on_itself
        if way.on == "user" and self._varies(pattern) and pattern.endswith(_OWN_NAME) and not way.on_itself:
            return False  # its own key or password makes nobody an administrator
        return self._covers(way, pattern) or None

    def _covers(self, way: Way, pattern: str) -> bool:
        return not self._varies(pattern) and _covers(pattern, self._start(way), (1,))

    def _start(self, way: Way) -> str:
        return f"{self.account}{way.on}/"

    def _varies(self, pattern: str) -> bool:
        return self.has_variables and "${" in pattern


def _judged(statement: Any, scope: _Scope) -> Verdict:
    effect = statement.get("Effect") if isinstance(statement, Mapping) else None
    if effect == "Deny":
        return NOTHING
    if effect != "Allow":
        raise ValueError("a statement allows or denies")
    condition = statement.get("Condition", {})
    if not isinstance(condition, Mapping):
        raise ValueError("a condition is an object")  # noqa: TRY004
    allowed = _allowed(statement)
    _texts(statement.get("Resource", statement.get("NotResource", "*")))  # raises for what is none
    if not allowed:  # as of nearly all statements, at a third of the cost
        return NOTHING
    everything = _part(statement, "Action", _covers_iam_actions), _part(statement, "Resource", scope.covers_account)
    reached = {way.action: scope.reach(way, statement) for way in WAYS if way.action in allowed}
    sure = not condition and "Action" in statement
    return Verdict(
        administrator=False if False in everything else None if None in everything or condition else True,
        ways=frozenset(action for action, all_of_it in reached.items() if all_of_it and sure),
        open=frozenset(action for action, all_of_it in reached.items() if all_of_it is not False),
    )


def _allowed(statement: Mapping[str, Any]) -> frozenset[str]:
    """Return the actions of `WAYS` that the statement may allow."""
    if "Action" in statement:
        return frozenset().union(*map(_matched, _texts(statement["Action"])))
    return ACTIONS.difference(*map(_matched, _texts(statement.get("NotAction", "*"))))


@lru_cache(maxsize=512)  # accounts are much alike
def _matched(pattern: str) -> frozenset[str]:
    """Return the actions of `WAYS` that a pattern matches; the case of letters does not count."""
    lowered = pattern.lower().replace("[", "[[]")
    if not _meets(lowered, "iam:"):
        return frozenset()
    return frozenset(action for action in ACTIONS if fnmatchcase(action.lower(), lowered))


def _meets(pattern: str, start: str) -> bool:
    """Whether it may match something that begins so, as far as its text up to the first wildcard tells."""
    literal = _WILDCARD.split(pattern, maxsplit=1)[0]
    return literal.startswith(start) or (literal != pattern and start.startswith(literal))


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
