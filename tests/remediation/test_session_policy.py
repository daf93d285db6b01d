"""The session policies: only what is planned, within AWS's limit, split or refused and never widened: pure."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.aws.attachments import LiveUser
from scanner.model import Choice
from scanner.remediation.calls import PlannedCall
from scanner.remediation.plan import planned_calls
from scanner.remediation.session_policy import LIMIT, Grant, grants, policy, wild_arns
from tests.aws_endpoint.iam_permissions import permits
from tests.remediation.users import DENY_ALL, attached, everything, group, user, virtual_mfa


def statements(text: str) -> list[dict[str, Any]]:
    found = json.loads(text)["Statement"]
    assert isinstance(found, list)
    return found


def allowed(grant: Grant, call: PlannedCall) -> bool:
    arn = call.parameters.get("PolicyArn")
    context = {"iam:PolicyARN": arn} if arn else {}
    return permits(statements(grant.policy), f"iam:{call.action}", call.resource, context)


def test_the_policy_of_a_quarantine_reads_like_this() -> None:
    of = user(*(thing for thing in everything().attachments if thing.active))
    assert statements(policy(planned_calls(Choice.QUARANTINE, of, "aws"))) == [
        {
            "Effect": "Allow",
            "Action": [
                "iam:UpdateAccessKey",
                "iam:UpdateSigningCertificate",
                "iam:UpdateSSHPublicKey",
                "iam:UpdateServiceSpecificCredential",
            ],
            "Resource": of.arn,
        },
        {
            "Effect": "Allow",
            "Action": "iam:AttachUserPolicy",
            "Resource": of.arn,
            "Condition": {"ArnEquals": {"iam:PolicyARN": DENY_ALL}},
        },
    ]


def test_groups_and_devices_are_named_by_their_own_arns() -> None:
    of = user(group("a"), group("b"), virtual_mfa())
    found = statements(policy(planned_calls(Choice.REMOVE, of, "aws")))
    by_action = {str(each["Action"]): each["Resource"] for each in found}
    assert by_action["iam:RemoveUserFromGroup"] == [group("a").arn, group("b").arn]
    assert by_action["iam:DeleteVirtualMFADevice"] == virtual_mfa().arn


def test_of_policies_only_the_planned_ones_are_detached_and_only_awsdenyall_is_attached() -> None:
    of = user(attached(), attached("arn:aws:iam::111122223333:policy/own"))
    found = statements(policy(planned_calls(Choice.REMOVE, of, "aws")))
    named = {
        str(each["Action"]): each["Condition"]["ArnEquals"]["iam:PolicyARN"] for each in found if "Condition" in each
    }
    own = [attached().id, "arn:aws:iam::111122223333:policy/own", DENY_ALL]
    assert named == {"iam:AttachUserPolicy": DENY_ALL, "iam:DetachUserPolicy": own}


def long_groups(count: int) -> LiveUser:
    return user(*(group(f"group-{number}", path=f"/{'x' * 500}/") for number in range(count)))


def test_what_does_not_fit_into_one_policy_is_split_in_order() -> None:
    calls = planned_calls(Choice.REMOVE, long_groups(10), "aws")
    split = grants(calls)
    assert split is not None
    assert len(split) > 1
    assert tuple(call for grant in split for call in grant.calls) == calls
    assert all(len(grant.policy) <= LIMIT for grant in split)
    assert all(allowed(grant, call) for grant in split for call in grant.calls)
    others = [(grant, call) for grant in split for call in calls if call not in grant.calls]
    groups = [pair for pair in others if pair[1].action == "RemoveUserFromGroup"]
    assert groups
    assert not any(allowed(grant, call) for grant, call in groups)


def test_one_call_that_fits_into_no_policy_is_refused_and_not_widened() -> None:
    of = user(path=f"/{'x' * 3000}/")
    assert grants(planned_calls(Choice.QUARANTINE, of, "aws")) is None


def test_names_that_a_policy_would_read_as_wildcards_are_told() -> None:
    for sign in "*?$":
        path = f"/a{sign}b/"
        assert wild_arns(planned_calls(Choice.QUARANTINE, user(path=path), "aws")) == (user(path=path).arn,)
        own = f"arn:aws:iam::111122223333:policy{path}p"
        assert wild_arns(planned_calls(Choice.REMOVE, user(attached(own)), "aws")) == (own,)
        named = group("devs", path=path)
        assert wild_arns(planned_calls(Choice.REMOVE, user(named), "aws")) == (named.arn,)
        device = virtual_mfa(f"a{sign}b")
        assert wild_arns(planned_calls(Choice.REMOVE, user(device), "aws")) == (device.arn,)
    assert wild_arns(planned_calls(Choice.REMOVE, everything(), "aws")) == ()


PATHS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=0, max_size=500).map(
    lambda text: "/" if not text.strip("/") else f"/{text.strip('/')}/"
)


@settings(max_examples=60, deadline=None)
@given(path=PATHS, group_paths=st.lists(PATHS, max_size=10))
def test_whatever_the_names_each_session_allows_its_calls_and_no_other_action_or_user(
    path: str, group_paths: list[str]
) -> None:
    groups = (group(f"g{number}", path=of) for number, of in enumerate(group_paths))
    of = user(*(thing for thing in everything().attachments if thing.kind != "group"), *groups, path=path)
    calls = planned_calls(Choice.REMOVE, of, "aws")
    split = grants(calls)
    if wild_arns(calls):
        return  # such a user is refused
    assert split is not None
    for grant in split:
        assert len(grant.policy) <= LIMIT
        assert all(allowed(grant, call) for call in grant.calls)
        for action in {call.action for call in calls}:
            other = f"arn:aws:iam::111122223333:user{path}mallory"
            assert not permits(statements(grant.policy), f"iam:{action}", other, {"iam:PolicyARN": DENY_ALL})
        for action in ("CreateAccessKey", "PutUserPolicy", "DeleteUserPermissionsBoundary", "CreateLoginProfile"):
            assert not permits(statements(grant.policy), f"iam:{action}", of.arn, {})
