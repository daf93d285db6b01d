"""Who is an administrator by a policy document, read as IAM's grammar has it: by what its patterns match."""

import json
from collections.abc import Sequence
from functools import cache
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scanner.aws.iam_policies import any_of, is_aws_managed, judge

ALICE = "arn:aws:iam::123456789012:user/ops/alice"
NOT_ALL = "arn:aws:s3:::x"
WITH_MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


def allows_all(policy: object, holder: str) -> bool | None:
    return judge(policy, holder).administrator


def document(*, version: str | None = "2012-10-17", **statement: Any) -> dict[str, Any]:
    policy = {"Statement": [{"Effect": "Allow", "Resource": "*"} | statement]}
    return policy if version is None else policy | {"Version": version}


def without_resource(**statement: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": {"Effect": "Allow"} | statement}


ACTIONS = ["*", "**", "?*", "*?", "*:*", "*:?*", "iam:*", "iam:?*", "iam:**", "iam:??*", "IAM:*", "i?m:*", "i*", "*m:*"]
ACTIONS += ["iam*", "ia*:*", "???:*", "*iam:*", "??????????*", "iam:*?", "Iam:*?*"]
RESOURCES = ["*", "**", "?*", "*?", "arn:*", "*:*", "arn:*:*", "arn:aws:*", "arn:aws:iam::*", "arn:aws:iam::*:*"]
RESOURCES += ["arn:*:iam::*:*", "arn:aws:iam::123456789012:*", "arn:aws:iam::*:*/*", "arn:aws:iam::????????????:?*"]
LESS_ACTIONS = [
    "s3:*",
    "iam:CreateUser",
    "iam:Create*",
    "iamx:*",
    "ia:*",
    "iam",
    "iam:",
    "iam:?",
    "iam:*User",
    "*:Get*",
    "",
]
LESS_ACTIONS += ["i[a]m:*", "iam:\\*", "iam:[*]", "ec2:*iam:*", "?*?:x*", "iam.*"]
LESS_RESOURCES = [
    NOT_ALL,
    "arn:aws:iam::*:user/*",
    "arn:aws:iam::*:role/x",
    "arn:aws:iam::999999999999:*",
    "arn:aws-cn:*",
]
LESS_RESOURCES += ["ARN:*", "arn:aws:s3:::*", "arn:aws:iam::*:*/ops/*", "arn:aws:iam::123456789012:?", "[*]", ""]

ALL = {
    "in a list": document(Action=["s3:GetObject", "*"]),
    "on everything, in a list": document(Action="*", Resource=[NOT_ALL, "*"]),
    "a second statement": {
        "Statement": [document(Action="s3:*")["Statement"][0], document(Action="*")["Statement"][0]]
    },
    "a statement that is not in a list": {"Statement": document(Action="*")["Statement"][0]},
    "with an empty condition": document(Action="*", Condition={}),
    "beside a denial": {
        "Statement": [document(Effect="Deny", Action="*")["Statement"][0], document(Action="*")["Statement"][0]]
    },
    "beside one under a condition": {
        "Statement": [
            document(Action="*", Condition=WITH_MFA)["Statement"][0],
            document(Action="iam:*")["Statement"][0],
        ]
    },
}
OPEN = {
    "under a condition": document(Action="*", Condition=WITH_MFA),
    "all but a service": document(NotAction="s3:*"),
    "all but some of IAM": document(NotAction=["iam:DeleteUser", "s3:*"]),
    "all but nothing": document(NotAction=[]),
    "on all but one": without_resource(Action="*", NotResource=NOT_ALL),
    "all but a service, on all but one": without_resource(NotAction="s3:*", NotResource=NOT_ALL),
    "on what a variable says": document(Action="*", Resource="arn:aws:iam::*:*${aws:PrincipalTag/team}*"),
    "on all but what a variable says": without_resource(Action="*", NotResource="arn:aws:iam::*:*${aws:username}"),
    "beside a denial": {
        "Statement": [
            document(Effect="Deny", Action="*")["Statement"][0],
            document(Action="*", Condition=WITH_MFA)["Statement"][0],
        ]
    },
}
LESS = {
    "denied": document(Effect="Deny", Action="*"),
    "denied, but for something": document(Effect="Deny", NotAction="s3:*"),
    "little, under a condition": document(Action="s3:*", Condition=WITH_MFA),
    "little, on all but one": without_resource(Action="s3:*", NotResource=NOT_ALL),
    "all but IAM": document(NotAction="iam:?*"),
    "all but IAM and more": document(NotAction=["iam:*", "organizations:*", "account:*"]),
    "all but everything": document(NotAction="*:*"),
    "on all but everything": without_resource(Action="*", NotResource="?*"),
    "nothing": {"Statement": []},
    "no action": document(),
    "no resource": without_resource(Action="*"),
    "one's own user": document(Action="iam:*", Resource="arn:aws:iam::*:user/${aws:username}"),
    "a star that is a character": document(Action="*", Resource="arn:aws:iam::*:${*}"),
    "a variable, where there are none yet": document(
        version=None, Action="*", Resource="arn:aws:iam::*:*${aws:username}*"
    ),
}
UNREADABLE: dict[str, Any] = {
    "no statement": {},
    "null for statements": {"Statement": None},
    "a statement that is text": {"Statement": ["*"]},
    "a statement in a list in a list": {"Statement": [[document(Action="*")["Statement"][0]]]},
    "no effect": {"Statement": {"Action": "*", "Resource": "*"}},
    "an odd effect": document(Effect="allow", Action="*"),
    "an effect that is a list": document(Effect=["Allow"], Action="*"),
    "an action that is a number": document(Action=1),
    "an action that is nothing": document(Action=None),
    "an action in an object": document(Action={"*": "*"}),
    "one of the actions a number": document(Action=["*", 1]),
    "a resource that is true": document(Action="*", Resource=True),
    "a condition that is text": document(Action="*", Condition="x"),
    "a number": 5,
    "nothing": None,
    "a list": [],
}


@pytest.mark.parametrize("action", ACTIONS)
def test_these_actions_are_all_of_iam(action: str) -> None:
    assert allows_all(document(Action=action), ALICE) is True
    assert allows_all(document(NotAction=action), ALICE) is False


@pytest.mark.parametrize("action", LESS_ACTIONS)
def test_these_actions_are_less(action: str) -> None:
    assert allows_all(document(Action=action), ALICE) is False
    assert allows_all(document(NotAction=action), ALICE) is None


@pytest.mark.parametrize("resource", RESOURCES)
def test_these_resources_are_everything(resource: str) -> None:
    assert allows_all(document(Action="iam:*", Resource=resource), ALICE) is True
    assert allows_all(without_resource(Action="iam:*", NotResource=resource), ALICE) is False


@pytest.mark.parametrize("resource", LESS_RESOURCES)
def test_these_resources_are_less(resource: str) -> None:
    assert allows_all(document(Action="iam:*", Resource=resource), ALICE) is False
    assert allows_all(without_resource(Action="iam:*", NotResource=resource), ALICE) is None


def test_everything_is_everything_in_the_partition_and_account_of_the_holder() -> None:
    policy = document(Action="*", Resource="arn:aws-us-gov:iam::210987654321:*")
    assert allows_all(policy, "arn:aws-us-gov:iam::210987654321:group/admins") is True
    assert allows_all(policy, ALICE) is False


JUDGED = {
    **{f"all: {name}": (policy, True) for name, policy in ALL.items()},
    **{f"open: {name}": (policy, None) for name, policy in OPEN.items()},
    **{f"less: {name}": (policy, False) for name, policy in LESS.items()},
}


@pytest.mark.parametrize(("policy", "expected"), JUDGED.values(), ids=JUDGED)
def test_a_policy_allows_all_or_less_or_it_cannot_be_told(policy: dict[str, Any], expected: bool | None) -> None:
    assert allows_all(policy, ALICE) is expected


@pytest.mark.parametrize(("policy", "expected"), JUDGED.values(), ids=JUDGED)
def test_a_document_says_the_same_as_aws_sends_it(policy: dict[str, Any], expected: bool | None) -> None:
    text = json.dumps(policy)
    assert allows_all(text, ALICE) is expected
    assert allows_all(quote(text, safe=""), ALICE) is expected


@pytest.mark.parametrize("policy", UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_not_a_policy_is_refused(policy: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  our own, each with its words
        allows_all(policy, ALICE)
    with pytest.raises(ValueError):  # noqa: PT011
        allows_all(json.dumps(policy), ALICE)


@pytest.mark.parametrize("text", ["", "not json", "{", "%7B", "%ff", '{"Statement": [}'])
def test_a_text_that_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  json's
        allows_all(text, ALICE)


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["*", "iam:*", "Allow"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Effect", "Action", "Resource", "NotAction", "Condition"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(_values)
def test_whatever_stands_for_a_statement_is_judged_or_refused(statement: object) -> None:
    try:
        verdict = allows_all({"Statement": statement}, ALICE)
    except ValueError:
        return
    assert verdict in (True, False, None)


@given(st.sampled_from(sorted(ALL)), st.sampled_from([*OPEN.values(), *LESS.values()]))
def test_what_is_added_to_an_administrator_leaves_one(strong: str, weak: dict[str, Any]) -> None:
    """Denials are not weighed: the column errs on the side of showing one."""
    one, other = ALL[strong]["Statement"], weak["Statement"]
    both = [*(one if isinstance(one, list) else [one]), *(other if isinstance(other, list) else [other])]
    assert allows_all({"Statement": both}, ALICE) is True


# --- compared with a matcher that tries everything -------------------------------------------------------------------


@cache
def matches(pattern: str, text: str) -> bool:
    """`*` and `?`, by trying each way, each once: plainly right."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(matches(pattern[1:], text[start:]) for start in range(len(text) + 1))
    return bool(text) and pattern[0] in {"?", text[0]} and matches(pattern[1:], text[1:])


def matches_all(pattern: str, texts: Sequence[str]) -> bool:
    return all(matches(pattern, text) for text in texts)


ACTION_NAMES = ["GetRole", "TagUser", "PassRole", "ListUsers", "CreateUser", "AttachUserPolicy", "ZzzzzzzQ9", "Q" * 30]
IAM_ACTIONS = [f"iam:{name}".lower() for name in ACTION_NAMES]
IAM_NAMES = ["mfa/x", "mfa/Phone", "user/a/b", "role/z", "group/ops/devs", "policy/x", "instance-profile/web"]
IAM_NAMES += [
    "oidc-provider/token.example.com",
    "saml-provider/Q",
    "server-certificate/a/b/c",
    "q" * 30 + "/" + "q" * 30,
]
IAM_ARNS = [f"arn:aws:iam::123456789012:{name}" for name in IAM_NAMES]


@given(st.lists(st.sampled_from(["*", "?", "i", "a", "m", "I", ":", "s", "iam", "iam:", "Q"]), max_size=9).map("".join))
@example("iam:???????*")
@example("iam:????????*")
@example("*iam:?*?")
def test_an_action_counts_for_what_it_matches(pattern: str) -> None:
    verdict = allows_all(document(Action=pattern), ALICE)
    assert verdict is matches_all(pattern.lower(), IAM_ACTIONS)


@given(
    st.lists(
        st.sampled_from(["*", "?", "arn:", "aws", ":", "iam", "::", "123456789012", "/", "user", "m", "*:", ":*"]),
        max_size=9,
    ).map("".join)
)
@example("arn:aws:iam::123456789012:???/*")
@example("arn:aws:iam::123456789012:???*/?*")
@example("arn:aws:iam::123456789012:*/*/*")
@example("arn:aws:iam::123456789012:?????*")
@example("********:m")
def test_a_resource_counts_for_what_it_matches(pattern: str) -> None:
    verdict = allows_all(document(Action="*", Resource=pattern), ALICE)
    assert verdict is matches_all(pattern, IAM_ARNS)


@pytest.mark.parametrize("pattern", ["*?" * 900 + "x", "*a" * 900, "?" * 1800 + "*", "*z?" * 600])
def test_a_pattern_that_is_made_to_take_long_is_judged_at_once(pattern: str) -> None:
    """Who may write a policy must not be able to hold up the scan; by trying each way these would never end."""
    assert allows_all(document(Action=pattern, Resource=pattern), ALICE) is False


# --- around it -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [((), False), ((False,), False), ((False, None), None), ((None, True), True), ((False, True), True)],
)
def test_one_verdict_of_many(verdicts: tuple[bool | None, ...], expected: bool | None) -> None:
    assert any_of(verdicts) is expected


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        ("arn:aws:iam::aws:policy/AdministratorAccess", True),
        ("arn:aws-us-gov:iam::aws:policy/job-function/ViewOnlyAccess", True),
        ("arn:aws:iam::123456789012:policy/AdministratorAccess", False),
        ("arn:aws:iam::123456789012:policy/aws:policy", False),
        ("aws", False),
        ("", False),
    ],
)
def test_aws_s_own_policies_are_told_by_their_arn(arn: str, expected: bool) -> None:
    assert is_aws_managed(arn) is expected
