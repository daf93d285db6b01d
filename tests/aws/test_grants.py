"""What users hold, put together from pages in any order, and that no text of a policy outlives its page."""

import gc
import json
import weakref
from collections.abc import Iterable, Mapping
from itertools import permutations
from typing import Any, cast
from urllib.parse import quote

import pytest

from scanner.aws.clients import Session
from scanner.aws.failures import CallError
from scanner.aws.grants import Held
from scanner.aws.iam import authorization_details
from scanner.model import AccountId, UserId

ACCOUNT = AccountId("123456789012")
ARN = f"arn:aws:iam::{ACCOUNT}"
NEVER = "x" * 5000  # makes a text that is easily found


class Page(dict[str, Any]):
    """An answer of GetAccountAuthorizationDetails that can be watched."""


def page(*, users: Iterable[Any] = (), groups: Iterable[Any] = (), policies: Iterable[Any] = ()) -> Page:
    return Page(UserDetailList=list(users), GroupDetailList=list(groups), Policies=list(policies))


def text(action: str) -> str:
    statement = {"Sid": NEVER, "Effect": "Allow", "Action": action, "Resource": "*"}
    return quote(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


def policy(name: str, action: str, **other: Any) -> Mapping[str, Any]:
    version = {"VersionId": "v1", "IsDefaultVersion": True, "Document": text(action)}
    return {"Arn": f"{ARN}:policy/{name}", "DefaultVersionId": "v1", "PolicyVersionList": [version]} | other


def attached(name: str) -> list[Mapping[str, str]]:
    return [{"PolicyName": name, "PolicyArn": f"{ARN}:policy/{name}"}]


ALICE = {
    "UserId": "AIDAALICE0000000",
    "UserName": "alice",
    "Arn": f"{ARN}:user/alice",
    "GroupList": ["devs"],
    "AttachedManagedPolicies": attached("own"),
    "UserPolicyList": [{"PolicyName": "inline", "PolicyDocument": text("iam:CreateAccessKey")}],
}
DEVS = {"GroupName": "devs", "Arn": f"{ARN}:group/devs", "AttachedManagedPolicies": attached("theirs")}
PARTS = (
    page(users=[ALICE]),
    page(groups=[DEVS]),
    page(policies=[policy("own", "iam:PutUserPolicy")]),
    page(policies=[policy("theirs", "iam:AddUserToGroup")]),
)


@pytest.mark.parametrize("order", list(permutations(range(len(PARTS)))))
def test_the_order_of_pages_does_not_matter(order: tuple[int, ...]) -> None:
    held = Held()
    for number in order:
        held.take(PARTS[number])
    access = held.access()[UserId("AIDAALICE0000000")]
    assert access is not None
    assert access.escalation == ("iam:PutUserPolicy", "iam:AddUserToGroup", "iam:CreateAccessKey")
    assert held.unreadable() == ()


def test_no_text_of_a_policy_is_kept() -> None:
    held = Held()
    for part in PARTS:
        held.take(part)
    kept, seen = [held], set()
    while kept:
        each = kept.pop()
        if id(each) not in seen and not isinstance(each, type):
            seen.add(id(each))
            assert not (isinstance(each, str) and NEVER in each)
            kept += gc.get_referents(each)
    assert len(seen) > len(PARTS)


class Pages:
    """Answers page by page, and looks whether the one before is gone by then."""

    def __init__(self, *parts: Page) -> None:
        self._parts = list(parts)
        self._last: weakref.ref[Page] | None = None
        self.alive = 0

    async def call(self, service: str, operation: str, **asked: Any) -> Page:
        assert (service, operation) == ("iam", "GetAccountAuthorizationDetails")
        assert asked["MaxItems"] <= 200
        self.alive += self._last is not None and self._last() is not None
        part = Page(self._parts.pop(0), IsTruncated=bool(self._parts), Marker=f"m{len(self._parts)}")
        if not part["IsTruncated"]:
            del part["Marker"]
        self._last = weakref.ref(part)
        return part


async def read(*parts: Page) -> tuple[Any, Pages]:
    pages = Pages(*parts)
    return await authorization_details(cast("Session", pages), ACCOUNT), pages


async def test_a_page_is_gone_before_the_next_one_comes() -> None:
    details, pages = await read(*PARTS)
    assert details.access[UserId("AIDAALICE0000000")].administrator is False
    assert pages.alive == 0


VERSIONS = {
    "no version": {"PolicyVersionList": []},
    "no list": {"PolicyVersionList": None},
    "none in force": {"PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": False, "Document": text("*")}]},
    "two in force": {"PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": True, "Document": text("*")}] * 2},
    "another in force": {"DefaultVersionId": "v2"},
    "no text": {"PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": True}]},
}


@pytest.mark.parametrize("odd", VERSIONS.values(), ids=VERSIONS)
async def test_where_it_is_not_told_what_is_in_force_the_policy_cannot_be_read(odd: Mapping[str, Any]) -> None:
    details, _ = await read(page(users=[ALICE], policies=[policy("own", "s3:*", **odd)]), *PARTS[1:2], *PARTS[3:])
    assert details.access == {UserId("AIDAALICE0000000"): None}
    assert details.unreadable == ("customer-managed policy own",)


@pytest.mark.parametrize("policy", [{"Arn": "arn:aws:iam::999999999999:policy/own"}, {}])
async def test_policies_of_another_account_or_without_an_arn_are_no_answer(policy: Mapping[str, Any]) -> None:
    with pytest.raises(CallError):
        await read(page(users=[ALICE], policies=[policy]))
