"""The policies and the template, filled in: whom the roles trust, and what they may do."""

import json
import re
from collections.abc import Mapping
from io import StringIO
from typing import Any

import pytest
from ruamel.yaml import YAML

from scanner.aws.identity import hub_policy, member_policy, organizations_policy
from scanner.roles.deployment import Deployment
from scanner.roles.documents import documents
from scanner.roles.template import as_yaml, template
from tests.aws_documents import files
from tests.aws_endpoint.sessions import matches
from tests.roles.policies import actions, by_sid, filled_in, listed
from tests.roles.test_deployment import ACCOUNT, ROLE, made

PARAMETERS = {
    "AWS::Partition": "aws",
    "CallerArn": ROLE,
    "ExternalId": "EXT-1",
    "RemediationCallerArn": f"{ACCOUNT}role/IamScannerRemediator",
    "RemediationExternalId": "EXT-2",
}
HUB = "arn:aws:iam::444455556666:role/Hub"


def role(deployment: Deployment, name: str, **parameters: str) -> Mapping[str, Any]:
    """A role of the template as CloudFormation would make it."""
    found = template(deployment, remediation=True)["Resources"][name]["Properties"]
    made_of: Mapping[str, Any] = filled_in(found, PARAMETERS | parameters)
    return made_of


def trusts(policy: Mapping[str, Any], arn: str, external_id: str | None) -> bool:
    """Whether IAM would let this principal assume the role."""
    (statement,) = policy["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "sts:AssumeRole")
    account = f"{':'.join(arn.split(':')[:5])}:root"
    context = {"sts:ExternalId": external_id, "aws:PrincipalArn": arn}
    exact = statement["Condition"].get("StringEquals", {})
    like = statement["Condition"].get("ArnLike", {})
    return (
        account in listed(statement["Principal"]["AWS"])
        and all(context[key] in listed(value) for key, value in exact.items())
        and all(any(matches(each, str(context[key])) for each in listed(value)) for key, value in like.items())
    )


@pytest.mark.parametrize("callers", [(), (ROLE,)], ids=["by parameter", "filled in"])
def test_the_audit_role_trusts_the_caller_by_the_external_id_and_nobody_else(callers: tuple[str, ...]) -> None:
    policy = role(made(*callers), "AuditRole")["AssumeRolePolicyDocument"]
    assert trusts(policy, ROLE, "EXT-1")
    assert not trusts(policy, ROLE, None)
    assert not trusts(policy, ROLE, "EXT-2")
    assert not trusts(policy, f"{ACCOUNT}role/Other", "EXT-1")
    assert not trusts(policy, ROLE.replace("1111", "9999"), "EXT-1")


def test_several_callers_and_a_whole_account_are_trusted() -> None:
    sso = f"{ACCOUNT}role/aws-reserved/sso.amazonaws.com*/AWSReservedSSO_Audit_*"
    deployment = made(ROLE, sso, "arn:aws:iam::444455556666:root")
    for policy in (
        role(deployment, "AuditRole")["AssumeRolePolicyDocument"],
        json.loads(json.dumps(documents(deployment, remediation=False)["trust"]).replace("<external ID>", "EXT-1")),
    ):
        for arn in (ROLE, "arn:aws:iam::444455556666:role/a/b", "arn:aws:iam::444455556666:user/x"):
            assert trusts(policy, arn, "EXT-1")
        reserved = f"{ACCOUNT}role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_"
        assert trusts(policy, f"{reserved}Audit_0123456789abcdef", "EXT-1")
        assert not trusts(policy, f"{reserved}Admin_0123456789abcdef", "EXT-1")
        assert not trusts(policy, f"{ACCOUNT}user/x", "EXT-1")


def test_behind_a_hub_role_the_members_trust_the_hub_and_the_hub_the_callers() -> None:
    deployment = made(ROLE, hub_role_arn=HUB)
    assert trusts(role(deployment, "AuditRole")["AssumeRolePolicyDocument"], HUB, "EXT-1")
    assert not trusts(role(deployment, "AuditRole")["AssumeRolePolicyDocument"], ROLE, "EXT-1")
    printed = documents(deployment, remediation=False)
    assert trusts(printed["hub_trust"], ROLE, None)
    assert not trusts(printed["hub_trust"], HUB, None)
    assert by_sid(printed["caller"])["AssumeHubRole"]["Resource"] == HUB
    assert "AssumeMemberRoles" not in by_sid(printed["caller"])
    assert list(template(deployment, remediation=False)["Parameters"]) == ["ExternalId"]


def test_with_a_role_for_organizations_the_caller_reads_none_of_it_itself() -> None:
    printed = documents(made(ROLE, organizations_role_arn=HUB), remediation=False)
    assert not {name for name in actions(printed["caller"]) if name.startswith("organizations:")}
    assert by_sid(printed["caller"])["AssumeOrganizationsRole"]["Resource"] == HUB
    assert trusts(printed["organizations_trust"], ROLE, None)
    assert "delegation" not in printed


def test_the_role_for_organizations_serves_remediation_too() -> None:
    printed = documents(made(ROLE, organizations_role_arn=HUB), remediation=True)
    assert actions(printed["remediation_caller"]) == {"sts:AssumeRole"}
    assert by_sid(printed["remediation_caller"])["AssumeOrganizationsRole"]["Resource"] == HUB
    assert trusts(printed["organizations_trust"], ROLE, None)
    assert len(printed["organizations_trust"]["Statement"][0]["Principal"]["AWS"]) == 2


def test_the_remediation_role_is_behind_a_parameter_and_trusts_one_role_by_its_own_external_id() -> None:
    found = template(made(ROLE), remediation=True)
    assert found["Resources"]["RemediationRole"]["Condition"] in found["Conditions"]
    assert found["Parameters"]["DeployRemediationRole"]["Default"] == "false"
    policy = role(made(ROLE), "RemediationRole")["AssumeRolePolicyDocument"]
    remediator = PARAMETERS["RemediationCallerArn"]
    assert trusts(policy, remediator, "EXT-2")
    assert not trusts(policy, remediator, "EXT-1")
    assert not trusts(policy, ROLE, "EXT-2")
    (statement,) = policy["Statement"]
    assert list(statement["Condition"]) == ["StringEquals"], "one principal, and no pattern"
    assert not re.fullmatch(found["Parameters"]["RemediationCallerArn"]["AllowedPattern"], f"{ACCOUNT}role/x*")
    assert "RemediationRole" not in template(made(ROLE), remediation=False)["Resources"]


def test_the_template_has_the_policies_that_are_printed_bare() -> None:
    """So what recorded calls say of those holds for the roles, too."""
    deployment = made(ROLE, role_name="security/Audit", remediation_role_name="security/Remediation")
    printed = documents(deployment, remediation=True)
    for name, document in {"AuditRole": "member", "RemediationRole": "remediation"}.items():
        properties = role(deployment, name)
        (policy,) = properties["Policies"]
        assert policy["PolicyDocument"] == printed[document]
        assert properties["Path"] == "/security/"
    assert by_sid(printed["caller"])["AssumeMemberRoles"]["Resource"] == "arn:aws:iam::*:role/security/Audit"


def test_a_role_without_a_path_lies_at_the_root() -> None:
    assert role(made(ROLE, role_name="Audit"), "AuditRole")["Path"] == "/"


def test_the_partition_is_that_of_the_callers_and_in_the_template_that_of_the_stack() -> None:
    deployment = made("arn:aws-us-gov:iam::111122223333:role/Caller")
    text = json.dumps(documents(deployment, remediation=True))
    assert set(re.findall(r"arn:([\w-]+):", text)) == {"aws-us-gov"}
    gov = role(deployment, "RemediationRole", **{"AWS::Partition": "aws-us-gov"})
    assert set(re.findall(r"arn:([\w-]+):", json.dumps(gov["Policies"]))) == {"aws-us-gov"}


def test_basic_evidence_asks_for_list_users_alone() -> None:
    deployment = made(ROLE, evidence="basic")
    assert actions(documents(deployment, remediation=False)["member"]) == {"iam:ListUsers"}
    assert actions(role(deployment, "AuditRole")["Policies"][0]["PolicyDocument"]) == {"iam:ListUsers"}


@pytest.mark.parametrize("full", [True, False])
def test_a_role_may_do_what_its_session_policy_says(full: bool) -> None:
    deployment = made(ROLE, hub_role_arn=HUB, organizations_role_arn=HUB, evidence="full" if full else "basic")
    printed = documents(deployment, remediation=False)
    assert actions(printed["member"]) == actions(json.loads(member_policy(full=full)))
    assert actions(printed["organizations"]) == actions(json.loads(organizations_policy()))
    (own,), (session,) = printed["hub"]["Statement"], json.loads(hub_policy("aws", "audit/IamScanner"))["Statement"]
    assert (own["Action"], own["Resource"]) == ("sts:AssumeRole", session["Resource"])


@pytest.mark.parametrize("name", [name for name in files() if "trust" in name or "delegation" in name])
def test_a_placeholder_is_no_principal_and_no_external_id(name: str) -> None:
    """IAM and Organizations refuse the one, and AssumeRole takes nothing that would match the other."""
    (statement,) = json.loads(files()[name])["Statement"]
    assert not re.fullmatch(r"arn:aws:iam::\d{12}:root", statement["Principal"]["AWS"])
    external_id = statement.get("Condition", {}).get("StringEquals", {}).get("sts:ExternalId")
    assert external_id is None or not re.fullmatch(r"[\w+=,.@:/-]{2,1224}", external_id)


def test_an_external_id_is_a_parameter_that_is_not_shown_and_has_no_default() -> None:
    parameters = template(made(ROLE), remediation=True)["Parameters"]
    secret = [name for name in parameters if name.endswith("ExternalId")]
    assert secret == ["ExternalId", "RemediationExternalId"]
    assert all(parameters[name]["NoEcho"] and "Default" not in parameters[name] for name in secret)


def test_the_yaml_says_what_the_template_says() -> None:
    wanted = template(made(), remediation=True)
    text = as_yaml(wanted)
    assert YAML(typ="safe").load(StringIO(text)) == wanted
    assert not re.search(r"[&*]id\d|\s$", text.rstrip("\n"), re.MULTILINE)
