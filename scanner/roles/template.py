"""The CloudFormation template of the roles, for a service-managed StackSet and for an ordinary stack.

An external ID is always a parameter that CloudFormation does not show again, and has no default: the program stores and
prints none, and a role that forgot to ask for one would look like any other.
"""

from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any, Final

from scanner.roles import documents
from scanner.roles.deployment import Deployment
from scanner.roles.documents import Policy

MANAGEMENT_ACCOUNT: Final = (
    "A service-managed StackSet does not reach the management account.",
    "Where the scan runs in the management account, that account is read with the caller's own credentials.",
    "Where the scan runs elsewhere, deploy this template in the management account, too, as an ordinary stack.",
    "Or exclude the management account from the scan, with a reason.",
)
REMEDIATION_THERE: Final = "Remediation enters each account by its role alone: deploy it there, too, to use it there."
_PARTITION = "${AWS::Partition}"
_ROLE_OR_USER = "arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/.+"
_ONE_ROLE = "arn:aws[a-z-]*:iam::[0-9]{12}:role/[^*?]+"
_SWITCH = "DeployRemediationRole"  # the parameter
_WANTED = "RemediationIsWanted"


def template(deployment: Deployment, *, remediation: bool) -> dict[str, Any]:
    """Return the template: the audit role and, behind a parameter, the remediation role."""
    parameters = {} if deployment.trusted else {"CallerArn": _caller_parameter()}
    parameters["ExternalId"] = _external_id("The external ID that the scan gives (IAM_SCANNER_EXTERNAL_ID)")
    resources = {"AuditRole": _audit_role(deployment)}
    found: dict[str, Any] = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "The role by which iam-scanner reads the IAM users of this account",
        "Metadata": {"ManagementAccount": list(MANAGEMENT_ACCOUNT)},
        "Parameters": parameters,
    }
    if remediation:
        found["Metadata"]["ManagementAccount"].append(REMEDIATION_THERE)
        found["Description"] += ", and the role by which it removes and quarantines them"
        parameters |= _remediation_parameters()
        found["Conditions"] = {_WANTED: {"Fn::Equals": [{"Ref": _SWITCH}, "true"]}}
        resources["RemediationRole"] = {"Condition": _WANTED, **_remediation_role(deployment)}
    return {**found, "Resources": resources}


def as_yaml(document: Mapping[str, Any]) -> str:
    """Return the template as YAML, keys in their order."""
    from ruamel.yaml import YAML  # noqa: PLC0415  # a tenth of a second, and --json does without

    yaml = YAML()
    yaml.width = 200  # nothing here is longer: what it folds, ends in a blank
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.representer.ignore_aliases = lambda *_: True
    stream = StringIO()
    yaml.dump(document, stream)
    return stream.getvalue()


def _audit_role(deployment: Deployment) -> dict[str, Any]:
    sid, external_id = "TrustTheScanner", {"Ref": "ExternalId"}
    trusted = deployment.trusted
    trust = (
        documents.trust(sid, documents.roots(trusted), documents.patterns(trusted), external_id)
        if trusted
        else documents.trust(sid, [_account("CallerArn")], [{"Ref": "CallerArn"}], external_id)
    )
    permissions = documents.member(full_evidence=deployment.full_evidence)
    return _role(deployment.role_name, "For iam-scanner scan: reads IAM users, changes none", trust, permissions)


def _remediation_role(deployment: Deployment) -> dict[str, Any]:
    caller, external_id = {"Ref": "RemediationCallerArn"}, {"Ref": "RemediationExternalId"}
    trust = documents.remediation_trust(_account("RemediationCallerArn"), caller, external_id)
    name = deployment.remediation_role_name
    permissions = documents.remediation_policy(_PARTITION, deployment.role_name, name)
    return _role(name, "For iam-scanner remediate: removes and quarantines IAM users", trust, permissions)


def _role(role_name: str, description: str, trust: Policy, permissions: Policy) -> dict[str, Any]:
    path, _, name = role_name.rpartition("/")
    properties = {
        "Path": f"/{path}/" if path else "/",
        "RoleName": name,
        "Description": description,
        "AssumeRolePolicyDocument": _substituted(trust),
        "Policies": [{"PolicyName": name, "PolicyDocument": _substituted(permissions)}],
    }
    return {"Type": "AWS::IAM::Role", "Properties": properties}


def _account(parameter: str) -> dict[str, Any]:
    """The account of the ARN that a parameter holds, as a principal."""
    account = {"Fn::Select": [4, {"Fn::Split": [":", {"Ref": parameter}]}]}
    return {"Fn::Sub": [f"arn:{_PARTITION}:iam::${{Account}}:root", {"Account": account}]}


def _substituted(value: Any) -> Any:
    """Have CloudFormation fill in the partition wherever it stands."""
    if isinstance(value, Mapping):
        return value if "Fn::Sub" in value else {key: _substituted(item) for key, item in value.items()}
    if isinstance(value, str):
        return {"Fn::Sub": value} if _PARTITION in value else value
    return [_substituted(item) for item in value] if isinstance(value, Sequence) else value


def _caller_parameter() -> dict[str, Any]:
    return {
        "Type": "String",
        "Description": "ARN of the role that runs the scan. May hold *, as the roles of permission sets need",
        "AllowedPattern": _ROLE_OR_USER,
        "ConstraintDescription": "must be the ARN of a role or a user",
    }


def _external_id(description: str) -> dict[str, Any]:
    return {
        "Type": "String",
        "Description": description,
        "NoEcho": True,
        "MinLength": 2,
        "MaxLength": 1224,
        "AllowedPattern": "[a-zA-Z0-9_+=,.@:/-]*",
    }


def _remediation_parameters() -> dict[str, Any]:
    return {
        _SWITCH: {
            "Type": "String",
            "Description": "true deploys the role that can remove any IAM user of the account",
            "AllowedValues": ["true", "false"],
            "Default": "false",
        },
        "RemediationCallerArn": {
            "Type": "String",
            "Description": "ARN of the one role that runs remediate, not the one that scans; without *",
            "AllowedPattern": _ONE_ROLE,
            "ConstraintDescription": "must be the ARN of one role, without * and ?",
        },
        "RemediationExternalId": _external_id("The external ID of remediate, different from that of the scan"),
    }
