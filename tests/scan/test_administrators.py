"""Who is an administrator: by what is attached and what is inline, directly and by groups."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.aws_endpoint import InlinePolicy, SimulatedAccount, SimulatedGroup
from tests.scan.entering import one_account, scanned

pytestmark = pytest.mark.usefixtures("hurried")

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
CUSTOMER_MANAGED = "arn:aws:iam::000000000001:policy/own"


def by_group(**details: Any) -> Callable[[SimulatedAccount], None]:
    def add(member: SimulatedAccount) -> None:
        member.groups.append(SimulatedGroup(name="them", **details))
        member.add_user("alice", groups=("them",))

    return add


def own(**details: Any) -> Callable[[SimulatedAccount], None]:
    def add(member: SimulatedAccount) -> None:
        member.add_user("alice", **details)

    return add


EVERYTHING = (InlinePolicy.allowing("all", "*"),)
ADMINISTRATORS = {
    "by AWS's policy": (own(attached=(ADMINISTRATOR,)), True),
    "by IAMFullAccess": (own(attached=("arn:aws:iam::aws:policy/IAMFullAccess",)), True),
    "by AWS's policy with its path": (own(attached=("arn:aws:iam::aws:policy/job/AdministratorAccess",)), True),
    "by AWS's policy on a group": (by_group(attached=(ADMINISTRATOR,)), True),
    "by an inline policy": (own(inline=EVERYTHING), True),
    "by a group's inline policy": (by_group(inline=EVERYTHING), True),
    "by all of IAM": (own(inline=(InlinePolicy.allowing("iam", "iam:*"),)), True),
    "by one in spite of an unread one": (own(attached=(CUSTOMER_MANAGED, ADMINISTRATOR)), True),
    "unknown: the customer's own policy": (own(attached=(CUSTOMER_MANAGED,)), None),
    "unknown: one that borrows AWS's name": (own(attached=("arn:aws:iam::000000000001:policy/IAMFullAccess",)), None),
    "unknown: the customer's own policy on a group": (
        by_group(attached=(CUSTOMER_MANAGED,)),
        None,
    ),
    "not by another policy of AWS": (own(attached=("arn:aws:iam::aws:policy/ReadOnlyAccess",)), False),
    "not by an inline policy of less": (own(inline=(InlinePolicy.allowing("s3", "s3:*"),)), False),
    "not with nothing": (own(), False),
}


@pytest.mark.parametrize(("add", "expected"), ADMINISTRATORS.values(), ids=ADMINISTRATORS)
async def test_who_is_an_administrator(add: Callable[[SimulatedAccount], None], expected: bool | None) -> None:
    world, member = one_account()
    add(member)
    access = (await scanned(world, member)).users[0].access
    assert access is not None
    assert access.administrator is expected


async def test_it_is_unknown_of_a_member_of_a_group_that_was_not_given() -> None:
    world, member = one_account()
    member.add_user("alice", groups=("vanished",))
    access = (await scanned(world, member)).users[0].access
    assert access is not None
    assert access.administrator is None
