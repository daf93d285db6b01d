"""By which actions a user could make itself an administrator: policies as public write-ups show them, judged right."""

import json
from collections.abc import Mapping
from fnmatch import filter as matching
from typing import Any
from urllib.parse import quote

import pytest

from scanner.aws.escalation import ACTIONS, EVERYTHING, NOTHING_BY_AWS, WAYS, WAYS_BY_AWS
from scanner.aws.iam_policies import NOTHING, UNKNOWN, combined, escalation, judge, judge_by_name

ACCOUNT = "arn:aws:iam::123456789012"
POLICY = f"{ACCOUNT}:policy/own"
ALICE = f"{ACCOUNT}:user/ops/alice"
IN_ORDER = tuple(way.action for way in WAYS)
WITH_MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


def policy(*statements: Mapping[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(*actions: str, on: str | list[str] = "*", **rest: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": on, **rest}


def ways(*statements: Mapping[str, Any], holder: str = POLICY, limited: bool = False) -> tuple[str, ...] | None:
    return escalation(judge(policy(*statements), holder), limited=limited)


# --- from public write-ups, each with its source ----------------------------------------------------------------------

RHINO = "Rhino Security Labs, AWS IAM Privilege Escalation - Methods and Mitigation"
BISHOP_FOX = "Bishop Fox, Privilege Escalation in AWS / IAM Vulnerable"
HACKING = "Hacking the Cloud, AWS IAM Privilege Escalation Techniques"
DATADOG = "Datadog, pathfinding.cloud"
PROWLER = "Prowler, check iam_policy_allows_privilege_escalation"
CLOUDSPLAINING = "Salesforce, Cloudsplaining, glossary: Privilege Escalation"
USER_GUIDE = "AWS, IAM user guide, example policies"

WRITE_UPS = {
    f"{RHINO}: a new policy version": ([allow("iam:CreatePolicyVersion")], ("iam:CreatePolicyVersion",)),
    f"{RHINO}: an older version": ([allow("iam:SetDefaultPolicyVersion")], ("iam:SetDefaultPolicyVersion",)),
    f"{RHINO}: another's key": ([allow("iam:CreateAccessKey")], ("iam:CreateAccessKey",)),
    f"{RHINO}: a first password": ([allow("iam:CreateLoginProfile")], ("iam:CreateLoginProfile",)),
    f"{RHINO}: another's password": ([allow("iam:UpdateLoginProfile")], ("iam:UpdateLoginProfile",)),
    f"{RHINO}: attaching to a user": ([allow("iam:AttachUserPolicy")], ("iam:AttachUserPolicy",)),
    f"{RHINO}: attaching to a group": ([allow("iam:AttachGroupPolicy")], ("iam:AttachGroupPolicy",)),
    f"{RHINO}: attaching to a role": (
        [allow("iam:AttachRolePolicy", "sts:AssumeRole")],
        ("iam:AttachRolePolicy",),
    ),
    f"{RHINO}: an inline policy of a user": ([allow("iam:PutUserPolicy")], ("iam:PutUserPolicy",)),
    f"{RHINO}: an inline policy of a group": ([allow("iam:PutGroupPolicy")], ("iam:PutGroupPolicy",)),
    f"{RHINO}: an inline policy of a role": ([allow("iam:PutRolePolicy", "sts:AssumeRole")], ("iam:PutRolePolicy",)),
    f"{RHINO}: joining a group": ([allow("iam:AddUserToGroup")], ("iam:AddUserToGroup",)),
    f"{RHINO}: a role's trust": (
        [allow("iam:UpdateAssumeRolePolicy", "sts:AssumeRole")],
        ("iam:UpdateAssumeRolePolicy",),
    ),
    f"{DATADOG}: a role's policy, assumed by its trust policy alone": (
        [allow("iam:AttachRolePolicy")],
        ("iam:AttachRolePolicy",),
    ),
    f"{PROWLER}: IAMPut": (
        [allow("iam:Put*")],
        ("iam:PutUserPolicy", "iam:PutGroupPolicy", "iam:PutRolePolicy"),
    ),
    f"{PROWLER}: OverPermissiveIAM": ([allow("iam:*")], (EVERYTHING,)),
    f"{BISHOP_FOX}: passing a role, by a service, is not judged": (
        [allow("iam:PassRole", "ec2:RunInstances", "lambda:CreateFunction", "lambda:InvokeFunction")],
        (),
    ),
    f"{BISHOP_FOX}: assuming roles is none by itself": ([allow("sts:AssumeRole")], ()),
    f"{CLOUDSPLAINING}: several at once": (
        [allow("iam:UpdateLoginProfile"), allow("iam:CreateAccessKey", "iam:AttachUserPolicy", "s3:*")],
        ("iam:AttachUserPolicy", "iam:CreateAccessKey", "iam:UpdateLoginProfile"),
    ),
    f"{HACKING}: not by what only names another service": ([allow("ssm:*", "cloudformation:*", "glue:*")], ()),
    f"{USER_GUIDE}: keys of one's own": (
        [allow("iam:*AccessKey*", "iam:*LoginProfile", on=["arn:aws:iam::*:user/${aws:username}"])],
        (),
    ),
    f"{USER_GUIDE}: a password and MFA of one's own, all else denied without MFA": (
        [
            allow("iam:ListUsers", "iam:GetAccountPasswordPolicy"),
            allow("iam:ChangePassword", "iam:GetUser", on="arn:aws:iam::*:user/${aws:username}"),
            allow("iam:CreateVirtualMFADevice", on="arn:aws:iam::*:mfa/*"),
            {"Effect": "Deny", "NotAction": ["iam:ListUsers"], "Resource": "*", "Condition": WITH_MFA},
        ],
        (),
    ),
    f"{USER_GUIDE}: a power user": (
        [{"Effect": "Allow", "NotAction": ["iam:*", "organizations:*"], "Resource": "*"}, allow("iam:ListRoles")],
        (),
    ),
}


@pytest.mark.parametrize(("statements", "expected"), WRITE_UPS.values(), ids=WRITE_UPS)
def test_policies_of_public_write_ups(statements: list[Mapping[str, Any]], expected: tuple[str, ...]) -> None:
    assert ways(*statements) == expected


@pytest.mark.parametrize("action", ["iam:DeleteUserPermissionsBoundary", "iam:PutUserPermissionsBoundary"])
def test_a_boundary_that_a_user_can_take_off_counts_where_it_has_one(action: str) -> None:
    """Source: Datadog, pathfinding.cloud; AWS, IAM user guide, Permissions boundaries for IAM entities."""
    assert ways(allow(action), limited=True) == (action,)
    assert ways(allow(action)) == ()
    assert ways(allow(action, Condition=WITH_MFA), limited=True) is None
    assert ways(allow(action, Condition=WITH_MFA)) == ()


# --- by what patterns match -------------------------------------------------------------------------------------------

PATTERNS: dict[str, tuple[str, ...]] = {
    "IAM:PUTUSERPOLICY": ("iam:PutUserPolicy",),
    "iam:*UserPolicy": ("iam:AttachUserPolicy", "iam:PutUserPolicy"),
    "iam:Attach?olePolicy": ("iam:AttachRolePolicy",),
    "*:AddUser*": ("iam:AddUserToGroup",),
    "iam:CreateUser": (),
    "iam:Get*": (),
    "iam:ResyncMFADevice": (),
    "iam:[P]utUserPolicy": (),
    "s3:*": (),
    "": (),
}


@pytest.mark.parametrize(("pattern", "expected"), PATTERNS.items())
def test_an_action_counts_for_what_it_matches(pattern: str, expected: tuple[str, ...]) -> None:
    assert ways(allow(pattern)) == expected


ON = {
    "arn:aws:iam::123456789012:user/*": ("iam:PutUserPolicy",),
    "arn:aws:iam::*:user/*": ("iam:PutUserPolicy",),
    "arn:*": ("iam:PutUserPolicy",),
    "arn:aws:iam::123456789012:*": ("iam:PutUserPolicy",),
    "arn:aws:iam::123456789012:user/dev/*": None,  # an administrator may be among them, and it itself
    "arn:aws:iam::123456789012:user/bob": None,
    "arn:aws:iam::123456789012:user/${aws:username}": None,  # itself, unless a path comes before the name
    "arn:aws:iam::123456789012:user/${aws:PrincipalTag/team}-*": None,
    "arn:aws:iam::123456789012:role/*": (),
    "arn:aws:iam::123456789012:group/${aws:username}": (),
    "arn:aws:iam::999999999999:user/*": (),
    "arn:aws:iam::123456789012:user": (),
    "arn:aws:s3:::bucket/*": (),
    "": (),
}


@pytest.mark.parametrize(("on", "expected"), ON.items())
def test_only_what_is_allowed_on_all_counts_and_on_some_it_is_open(on: str, expected: tuple[str, ...] | None) -> None:
    assert ways(allow("iam:PutUserPolicy", on=on)) == expected


def test_on_itself_a_policy_is_enough_and_a_key_is_nothing() -> None:
    assert ways(allow("iam:PutUserPolicy", "iam:CreateAccessKey", on=ALICE), holder=ALICE) == ("iam:PutUserPolicy",)
    assert ways(allow("iam:CreateAccessKey", on=ALICE), holder=ALICE) == ()
    assert ways(allow("iam:CreateAccessKey", on=ALICE), holder=POLICY) is None


OPEN = {
    "a condition": allow("iam:PutUserPolicy", Condition=WITH_MFA),
    "NotAction": {"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"},
    "NotResource": {"Effect": "Allow", "Action": "iam:PutUserPolicy", "NotResource": ALICE},
    "everything, under a condition": allow("*", Condition=WITH_MFA),
}


@pytest.mark.parametrize("statement", OPEN.values(), ids=OPEN)
def test_what_cannot_be_told_is_none_unless_something_is_certain(statement: Mapping[str, Any]) -> None:
    assert ways(statement) is None
    assert ways(statement, holder=ALICE) is None
    assert ways(statement, allow("iam:AddUserToGroup")) == ("iam:AddUserToGroup",)


def test_what_is_excluded_is_not_allowed() -> None:
    assert ways({"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "*"}) == ()
    assert ways({"Effect": "Allow", "Action": "iam:PutUserPolicy", "NotResource": "arn:aws:iam::*:user/*"}) == ()


def test_in_the_older_version_a_variable_is_text() -> None:
    document = {"Statement": [allow("iam:PutUserPolicy", on="arn:aws:iam::123456789012:user/*${aws:username}*")]}
    assert escalation(judge(document, POLICY), limited=False) is None
    assert ways(allow("iam:CreateAccessKey", on="arn:aws:iam::*:user/a${*}/${aws:username}")) == ()


def test_policies_add_up_and_an_administrator_has_all_ways() -> None:
    put, add = (judge(policy(allow(action)), POLICY) for action in ("iam:PutUserPolicy", "iam:AddUserToGroup"))
    assert escalation(combined([add, NOTHING, put]), limited=False) == ("iam:PutUserPolicy", "iam:AddUserToGroup")
    assert escalation(combined([put, UNKNOWN]), limited=False) == ("iam:PutUserPolicy",)
    assert escalation(UNKNOWN, limited=False) is None
    assert escalation(NOTHING, limited=True) == ()
    assert escalation(combined([put, judge(policy(allow("*")), POLICY)]), limited=False) == (EVERYTHING,)


@pytest.mark.parametrize("deep", ["[" * 6000, '{"Statement":' * 800])
def test_a_document_that_is_nested_without_end_is_none(deep: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # whichever: the caller names the policy
        judge(quote(deep), POLICY)


# --- AWS's own policies, compared with the texts that the emulator has of them ----------------------------------------


@pytest.fixture(scope="module")
def texts() -> Mapping[str, Any]:
    from moto.iam.aws_managed_policies import aws_managed_policies_data  # noqa: PLC0415  # takes most of a second

    loaded: Mapping[str, Any] = json.loads(aws_managed_policies_data)
    return {name: policy["Document"] for name, policy in loaded.items()}


@pytest.mark.parametrize("name", WAYS_BY_AWS)
def test_those_of_aws_that_give_a_way(name: str, texts: Mapping[str, Any]) -> None:
    by_name, by_text = (
        escalation(verdict, limited=False) for verdict in (judge_by_name(name), judge(texts[name], POLICY))
    )
    assert by_name is not None
    assert by_name == by_text
    assert set(by_name) <= {EVERYTHING, *ACTIONS}


def test_no_other_one_of_aws_gives_a_way_for_certain(texts: Mapping[str, Any]) -> None:
    assert {name for name in texts if judge(texts[name], POLICY).ways} == set(WAYS_BY_AWS)


@pytest.mark.parametrize("pattern", NOTHING_BY_AWS)
def test_those_of_aws_that_are_known_to_give_none(pattern: str, texts: Mapping[str, Any]) -> None:
    names = matching(texts, pattern)
    assert names
    assert {name for name in names if judge(texts[name], POLICY) != NOTHING} == set()
    assert {name for name in names if judge_by_name(name) != NOTHING} == set()


def test_of_any_other_one_it_is_open() -> None:
    assert escalation(judge_by_name("SystemAdministrator"), limited=False) is None
    assert judge_by_name("SystemAdministrator").administrator is False
    assert escalation(judge_by_name("readonlyaccess"), limited=False) is None


def test_the_order_is_that_of_the_table() -> None:
    everything = policy(allow(*reversed(IN_ORDER)))
    assert escalation(judge(everything, POLICY), limited=True) == IN_ORDER
