"""What matching costs: it grows with the users plus the entries, and not with their product.

Counted in lines of the program that run, which is the same on every machine.
"""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from scanner.audit.rule import assess
from scanner.model import Entry, Revocation, Scope, Selector
from scanner.safelist.types import Safelist
from tests.builders import account_id, record, scanned, user

SMALL, LARGE = 150, 600
NO_PRODUCT = 1.5  # times as many lines as LARGE / SMALL; a product would take 4 times as many, sorting a little more

Names = Callable[[int], str]


def entry(selector: Selector, value: str, account: int | None = None, **more: Any) -> Entry:
    scope = (Scope.GLOBAL, "") if account is None else (Scope.ACCOUNT, account_id(account))
    return Entry(scope=scope[0], scope_value=scope[1], selector=selector, value=value, file="a.yaml", line=1, **more)


def approving(*entries: Entry) -> Safelist:
    return Safelist(entries=entries)


def names(count: int) -> Safelist:
    return approving(*(entry(Selector.USER, f"user-{number}") for number in range(count)))


def one_name_in_each_account(count: int) -> Safelist:
    return approving(*(entry(Selector.USER, "alice", number) for number in range(count)))


def one_name_in_other_accounts(count: int) -> Safelist:
    return approving(*(entry(Selector.USER, "alice", count + number) for number in range(count)))


def a_name_that_is_near(count: int) -> Safelist:
    return approving(*(entry(Selector.USER, "alice1", number) for number in range(count)))


def arns(count: int) -> Safelist:
    found = (f"arn:aws:iam::{account_id(number)}:user/alice" for number in range(count))
    return approving(*(entry(Selector.ARN, arn) for arn in found))


def arns_elsewhere(count: int) -> Safelist:
    found = (f"arn:aws:iam::{account_id(count + number)}:user/alice" for number in range(count))
    return approving(*(entry(Selector.ARN, arn) for arn in found))


def starts(count: int) -> Safelist:
    return approving(*(entry(Selector.PATTERN, f"user-{number}-*") for number in range(count)))


def ends(count: int) -> Safelist:
    return approving(*(entry(Selector.PATTERN, f"user-*-of-{number}") for number in range(count)))


def paths(count: int) -> Safelist:
    return approving(*(entry(Selector.PATH, f"/team-{number}/") for number in range(count)))


def pinned(count: int) -> Safelist:
    return approving(*(entry(Selector.USER, f"user-{number}", user_id="AIDAOTHER") for number in range(count)))


def revoked(count: int) -> Safelist:
    revocations = (
        Revocation(account_id=account_id(number), user="alice", user_id=None, file="a.yaml", line=1)
        for number in range(count)
    )
    return Safelist(entries=one_name_in_each_account(count).entries, revocations=tuple(revocations))


def numbered(number: int) -> str:
    return f"user-{number}"


def alice(number: int) -> str:
    return "alice"


def inside(number: int) -> str:
    return f"user-{number}-of-{number}"


SHAPES: dict[str, tuple[Callable[[int], Safelist], Names]] = {
    "names": (names, numbered),
    "names, and nobody is approved": (names, lambda number: f"other-{number}"),
    "names, and everybody is near to one": (names, lambda number: f"user-{number}x"),
    "one name in each account": (one_name_in_each_account, alice),
    "one name in other accounts": (one_name_in_other_accounts, alice),
    "a name that is near": (a_name_that_is_near, alice),
    "ARNs of one name": (arns, alice),
    "ARNs of one name elsewhere": (arns_elsewhere, alice),
    "starts": (starts, inside),
    "ends": (ends, inside),
    "paths": (paths, numbered),
    "pinned to others": (pinned, numbered),
    "revoked": (revoked, alice),
}


@pytest.mark.parametrize(("safelist", "name"), SHAPES.values(), ids=SHAPES)
def test_the_cost_of_deciding_grows_with_users_plus_entries(safelist: Callable[[int], Safelist], name: Names) -> None:
    small, large = (lines_of(safelist(count), name, count) for count in (SMALL, LARGE))
    assert large / small < NO_PRODUCT * LARGE / SMALL


def lines_of(safelist: Safelist, name: Names, count: int) -> int:
    """How many lines run while so many accounts, each with a user, are decided and the use of entries is counted."""
    run = record(*(scanned(number, user(name(number), in_account=number)) for number in range(count)))
    lines = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal lines
        lines += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        assess(run, safelist)
    finally:
        sys.settrace(before)
    return lines
