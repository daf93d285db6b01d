"""The role that config/aws/ has for remediation: it may do what the program does, and nothing else.

That what is there is enough is shown by every test of remediation, as the endpoint evaluates the role's policy.
"""

import json
from pathlib import Path
from typing import Any

from scanner.aws.user_changes import CHANGES
from scanner.model import Choice
from scanner.remediation.connection import READS
from scanner.remediation.limits import Allowances
from tests.aws_endpoint.iam_permissions import permits
from tests.aws_endpoint.iam_state import LiveKey, LiveRole
from tests.remediation.site import DENY_S3, ROLE_POLICY, Site, furnish, words
from tests.roles.policies import actions

AWS = Path(__file__).parents[2] / "config/aws"


def statements(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((AWS / name).read_bytes())["Statement"]
    return found


def named_statement(name: str, sid: str) -> dict[str, Any]:
    (found,) = (each for each in statements(name) if each["Sid"] == sid)
    return found


def allowed(name: str) -> set[str]:
    """The actions that a policy of config/aws/ allows."""
    return actions({"Statement": statements(name)})


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
    named = named_statement("remediation-policy.json", "NeverTheScannersRoles")
    assert (named["Effect"], named["Action"]) == ("Deny", "*")
    assumed = {"hub-policy.json": "HubRole", "remediation-caller-policy.json": "AssumeRemediationRole"}
    assert set(named["Resource"]) == {named_statement(file, sid)["Resource"] for file, sid in assumed.items()}


def test_the_scp_lets_nobody_but_the_role_take_the_deny_off() -> None:
    (statement,) = statements("keep-deny-scp.json")
    assert (statement["Effect"], statement["Action"]) == ("Deny", "iam:DetachUserPolicy")
    assert (
        statement["Condition"]["ArnEquals"]
        == named_statement("remediation-policy.json", "AttachTheDeny")["Condition"]["ArnEquals"]
    )
    assert statement["Condition"]["ArnNotEquals"] == {
        "aws:PrincipalArn": named_statement("remediation-caller-policy.json", "AssumeRemediationRole")["Resource"]
    }
