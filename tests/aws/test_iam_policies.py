"""Who is an administrator by a policy document, read as IAM's grammar has it."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.aws.iam_policies import allows_all, is_aws_managed


def document(**statement: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*"} | statement]}


ALL = {
    "everything": document(Action="*"),
    "everything, as a service": document(Action="*:*"),
    "all of IAM": document(Action="iam:*"),
    "all of IAM, in another case": document(Action="IAM:*"),
    "all of IAM, by a pattern": document(Action="i?m:*"),
    "everything, in a list": document(Action=["s3:GetObject", "*"]),
    "on everything, in a list": document(Action="*", Resource=["arn:aws:s3:::x", "*"]),
    "many stars": document(Action="**", Resource="**"),
    "a second statement": {
        "Statement": [document(Action="s3:*")["Statement"][0], document(Action="*")["Statement"][0]]
    },
    "a statement that is not in a list": {"Statement": document(Action="*")["Statement"][0]},
    "everything but a service": document(NotAction="s3:*"),
    "everything but some": document(NotAction=["s3:*", "ec2:*"]),
    "with an empty condition": document(Action="*", Condition={}),
}
LESS = {
    "a service": document(Action="s3:*"),
    "one call of IAM": document(Action="iam:CreateUser"),
    "much of IAM": document(Action="iam:Create*"),
    "a service that begins like IAM": document(Action="iamx:*"),
    "denied": document(Effect="Deny", Action="*"),
    "on one thing": document(Action="*", Resource="arn:aws:s3:::x"),
    "on a pattern": document(Action="*", Resource="arn:aws:iam::*:role/x"),
    "on all but one": {"Statement": [{"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::x"}]},
    "on condition": document(Action="*", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
    "everything but IAM": document(NotAction="iam:*"),
    "everything but some of IAM": document(NotAction=["iam:DeleteUser", "s3:*"]),
    "everything but everything": document(NotAction="*"),
    "nothing": {"Statement": []},
    "no statement": {},
    "no action": document(),
    "an odd effect": document(Effect="allow", Action="*"),
    "a statement that is text": {"Statement": ["*"]},
}


@pytest.mark.parametrize("policy", ALL.values(), ids=ALL)
def test_these_make_an_administrator(policy: dict[str, Any]) -> None:
    assert allows_all(policy)


@pytest.mark.parametrize("policy", LESS.values(), ids=LESS)
def test_these_do_not(policy: dict[str, Any]) -> None:
    assert not allows_all(policy)


@pytest.mark.parametrize("policy", [*ALL.values(), *LESS.values()], ids=[*ALL, *LESS])
def test_a_document_says_the_same_as_aws_sends_it(policy: dict[str, Any]) -> None:
    text = json.dumps(policy)
    assert allows_all(text) == allows_all(quote(text)) == allows_all(policy)


@pytest.mark.parametrize("text", ["", "[]", '"*"', "not json", "null", "{"])
def test_what_is_no_policy_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  json's, or our own
        allows_all(text)


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
def test_no_statement_breaks_the_judgement(statement: object) -> None:
    assert allows_all({"Statement": statement}) in (True, False)


@given(st.sampled_from(sorted(ALL)), st.sampled_from(sorted(LESS)))
def test_what_is_added_to_an_administrator_leaves_one(strong: str, weak: str) -> None:
    """Denials are not weighed: the column errs on the side of showing one."""
    one, other = ALL[strong]["Statement"], LESS[weak].get("Statement", [])
    both = [*(one if isinstance(one, list) else [one]), *(other if isinstance(other, list) else [other])]
    assert allows_all({"Statement": both})


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
