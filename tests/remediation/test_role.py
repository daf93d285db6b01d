"""The role that config/aws/ has for remediation: it may do what the program does, and nothing else.

That what is there is enough is shown by every test of remediation, as the endpoint evaluates the role's policy.
"""

import json
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from scanner.aws.user_changes import CHANGES
from scanner.model import Choice
from scanner.remediation.connection import READS
from scanner.remediation.limits import Allowances
from tests.aws_endpoint.iam_permissions import permits
from tests.aws_endpoint.iam_state import LiveKey, LiveRole
from tests.remediation.site import DENY_S3, ROLE_POLICY, Site, furnish, words

AWS = Path(__file__).parents[2] / "config/aws"


def statements(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((AWS / name).read_bytes())["Statement"]
    return found


def allowed(name: str) -> set[str]:
    """The actions that a policy of config/aws/ allows."""
    actions = [each["Action"] for each in statements(name) if each["Effect"] == "Allow"]
    return {action for each in actions for action in ([each] if isinstance(each, str) else each)}


def test_the_role_may_do_what_plan_apply_and_undo_call_and_nothing_else(site: Site) -> None:
    prod = site.account()
    prod.group("devs", inline={"no-s3": DENY_S3}, attached=[prod.own_policy("own", DENY_S3)])
    prod.live_roles.append(LiveRole(name="job", trust='{"Statement":[]}'))
    furnish(prod)
    active = {"certificates": "CERT1", "ssh_keys": "APKA1", "service_credentials": "ACCA1"}
    furnish(prod, "bob", **{kind: {name: LiveKey()} for kind, name in active.items()})
    site.decide({"alice": Choice.REMOVE, "bob": Choice.QUARANTINE})
    with site.serving() as endpoint:
        made = site.plan(allowances=Allowances(include_active=True, include_last_administrator=True))
        assert words(site.apply(made)) == {"alice": "DONE", "bob": "DONE"}
        site.undo(made)
    called = {f"{call.service}:{call.action}" for call in endpoint.calls}
    assert {name for name in called if name.startswith("iam:")} == allowed("remediation-policy.json")
    assert allowed("remediation-policy.json") == {f"iam:{action}" for action in (*READS, *CHANGES)}
    others = {name for name in called if not name.startswith("iam:")} - {"sts:GetCallerIdentity"}
    assert others == allowed("remediation-caller-policy.json")


def test_the_role_can_touch_no_role_and_attach_nothing_but_the_deny() -> None:
    policy = json.loads(ROLE_POLICY)["Statement"]
    account = "arn:aws:iam::111122223333:"
    deny_all = {"iam:PolicyARN": "arn:aws:iam::aws:policy/AWSDenyAll"}
    assert permits(policy, "iam:AttachUserPolicy", f"{account}user/alice", deny_all)
    for action, resource, context in (
        (
            "iam:AttachUserPolicy",
            f"{account}user/alice",
            {"iam:PolicyARN": "arn:aws:iam::aws:policy/AdministratorAccess"},
        ),
        ("iam:AttachUserPolicy", f"{account}user/alice", {"iam:PolicyARN": f"{account}policy/AWSDenyAll"}),
        ("iam:DeleteUserPermissionsBoundary", f"{account}user/alice", {}),
        ("iam:DeleteGroup", f"{account}group/devs", {}),
        ("iam:CreateAccessKey", f"{account}user/alice", {}),
        ("iam:GetUser", f"{account}role/IamScannerRemediation", {}),
        ("iam:UpdateAssumeRolePolicy", f"{account}role/audit/IamScanner", {}),
    ):
        assert not permits(policy, action, resource, context), action
    named = statements("remediation-policy.json")[-1]
    assert (named["Effect"], named["Action"]) == ("Deny", "*")
    assert {resource.partition(":role/")[2] for resource in named["Resource"]} == {
        statements(name)[0]["Resource"].partition(":role/")[2] for name in ("hub-policy.json",)
    } | {statements("remediation-caller-policy.json")[1]["Resource"].partition(":role/")[2]}


def test_the_scp_lets_nobody_but_the_role_take_the_deny_off() -> None:
    (statement,) = statements("keep-deny-scp.json")
    assert (statement["Effect"], statement["Action"]) == ("Deny", "iam:DetachUserPolicy")
    assert statement["Condition"]["ArnEquals"] == statements("remediation-policy.json")[2]["Condition"]["ArnEquals"]
    assert statement["Condition"]["ArnNotEquals"] == {
        "aws:PrincipalArn": statements("remediation-caller-policy.json")[1]["Resource"]
    }


def test_the_template_makes_the_role_of_the_policies() -> None:
    text = (AWS / "remediation-role.yaml").read_text(encoding="utf-8")
    (role,) = YAML(typ="safe").load(text)["Resources"].values()
    made = _plain(role["Properties"])
    (policy,) = made["Policies"]
    assert policy["PolicyDocument"]["Statement"] == statements("remediation-policy.json")
    (trust,), (wanted,) = made["AssumeRolePolicyDocument"]["Statement"], statements("remediation-trust-policy.json")
    parts = ("Sid", "Effect", "Action")
    assert {key: trust[key] for key in parts} == {key: wanted[key] for key in parts}
    assert {operator: set(keys) for operator, keys in trust["Condition"].items()} == {
        operator: set(keys) for operator, keys in wanted["Condition"].items()
    }
    assert list(wanted["Condition"]) == ["StringEquals"], "one principal, and no pattern"
    assert statements("remediation-caller-policy.json")[1]["Resource"].endswith(
        f":role{made['Path']}{made['RoleName']}"
    )


def _plain(value: Any) -> Any:
    """What a template comes to in the partition aws, as far as it does not depend on its parameters."""
    if isinstance(value, dict) and set(value) == {"Fn::Sub"}:
        return value["Fn::Sub"].replace("${AWS::Partition}", "aws")
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value
