"""The policies: of the caller, and of each role that the scan and remediation assume.

`config/aws/` holds the same, with placeholders; a test compares them. A placeholder stands in angle brackets, so that
IAM refuses the document.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from scanner.aws.permissions import (
    ACCOUNTS_AND_OUS,
    FULL_EVIDENCE,
    LIST_USERS,
    ORGANIZATION,
    archive_statements,
)
from scanner.roles.deployment import Deployment

Policy = Mapping[str, Any]
Statement = Mapping[str, Any]

VERSION: Final = "2012-10-17"
CALLER_ACCOUNT: Final = "<account ID of the caller>"
EXTERNAL_ID: Final = "<external ID>"
REMEDIATION_EXTERNAL_ID: Final = "<another external ID>"

_READS_OF_USERS = (
    "iam:GetAccessKeyLastUsed",
    "iam:GetLoginProfile",
    "iam:GetUser",
    "iam:GetUserPolicy",
    "iam:ListAccessKeys",
    "iam:ListAttachedUserPolicies",
    "iam:ListGroupsForUser",
    "iam:ListMFADevices",
    "iam:ListSSHPublicKeys",
    "iam:ListServiceSpecificCredentials",
    "iam:ListSigningCertificates",
    "iam:ListUserPolicies",
)
_READS_OF_GROUPS = (
    "iam:GetGroup",
    "iam:GetGroupPolicy",
    "iam:ListAttachedGroupPolicies",
    "iam:ListGroupPolicies",
)
_READS_OF_POLICIES = ("iam:GetPolicy", "iam:GetPolicyVersion")
_READS_OF_THE_ACCOUNT = ("iam:GetAccountAuthorizationDetails", "iam:ListRoles", "iam:ListUsers")
_CHANGES_OF_USERS = (
    "iam:DeactivateMFADevice",
    "iam:DeleteAccessKey",
    "iam:DeleteLoginProfile",
    "iam:DeleteSSHPublicKey",
    "iam:DeleteServiceSpecificCredential",
    "iam:DeleteSigningCertificate",
    "iam:DeleteUser",
    "iam:DeleteUserPolicy",
    "iam:DetachUserPolicy",
    "iam:UpdateAccessKey",
    "iam:UpdateSSHPublicKey",
    "iam:UpdateServiceSpecificCredential",
    "iam:UpdateSigningCertificate",
)


def documents(deployment: Deployment, *, remediation: bool) -> dict[str, Policy]:
    """Return the policies that the deployment needs, by what each is for."""
    partition, role = deployment.partition, deployment.role_name
    nobody_yet = f"arn:{partition}:iam::{CALLER_ACCOUNT}:role/"
    callers = deployment.callers or (f"{nobody_yet}<role that runs the scan>",)
    found = {"caller": _caller(deployment)}
    if deployment.hub_role_arn:
        found["hub"] = policy(_assume("HubRole", f"arn:{partition}:iam::*:role/{role}"))
        found["hub_trust"] = _trusted_by("TrustTheCaller", callers)
    remediator = f"{nobody_yet}<role that runs remediate>"
    if deployment.organizations_role_arn:
        readers = (*callers, remediator) if remediation else callers
        found["organizations"] = policy(*_read_organizations("OrganizationsRole", partition))
        found["organizations_trust"] = _trusted_by("TrustTheCaller", readers)
    else:
        found["delegation"] = _delegation(callers)
    if deployment.archive_role_arn:
        found["archive"] = policy(*_archive(deployment))
        found["archive_trust"] = _trusted_by("TrustTheCaller", callers)
    found["member"] = member(full_evidence=deployment.full_evidence)
    found["trust"] = _trusted_by("TrustTheScanner", deployment.trusted or callers, EXTERNAL_ID)
    if remediation:
        removing = f"arn:{partition}:iam::*:role/{deployment.remediation_role_name}"
        found["remediation"] = remediation_policy(partition, role, deployment.remediation_role_name)
        found["remediation_trust"] = remediation_trust(roots([remediator])[0], remediator, REMEDIATION_EXTERNAL_ID)
        found["remediation_caller"] = _remediation_caller(deployment, removing)
        found["keep_deny"] = _keep_deny(partition, removing)
    return found


def policy(*statements: Statement) -> Policy:
    return {"Version": VERSION, "Statement": list(statements)}


def member(*, full_evidence: bool) -> Policy:
    """The permissions of the role in each account.

    AWS checks all but one on no resource. ListServiceSpecificCredentials is asked for all users at once, and AWS does
    not say on which resource that is checked.
    """
    return policy(_allow("MemberRole", FULL_EVIDENCE if full_evidence else LIST_USERS, "*"))


def trust(sid: str, accounts: Sequence[object], callers: Sequence[object], external_id: object) -> Policy:
    """Who may assume a role: these principals of these accounts, by the external ID, if it asks for one.

    The account is the principal and the role a condition: IAM would turn a role that is the principal into its ID, so
    that one that was made anew would not be trusted, and it takes no * in it, which permission sets need.
    """
    condition: dict[str, Any] = {"StringEquals": {"sts:ExternalId": external_id}} if external_id else {}
    condition["ArnLike"] = {"aws:PrincipalArn": _one_or_many(callers)}
    return policy(_trust(sid, accounts, condition))


def remediation_trust(account: object, caller: object, external_id: object) -> Policy:
    """Who may assume the remediation role: one principal, compared as it is written."""
    condition = {"StringEquals": {"sts:ExternalId": external_id, "aws:PrincipalArn": caller}}
    return policy(_trust("TrustTheRemediator", [account], condition))


def remediation_policy(partition: str, role_name: str, remediation_role_name: str) -> Policy:
    """The permissions of the remediation role: reading users, and the calls that quarantine and remove them."""
    account = f"arn:{partition}:iam::*:"
    users, groups, roles = f"{account}user/*", f"{account}group/*", f"{account}role/"
    deny_all = {"ArnEquals": {"iam:PolicyARN": f"arn:{partition}:iam::aws:policy/AWSDenyAll"}}
    return policy(
        _allow("ReadUsers", _READS_OF_USERS, users),
        _allow("ReadGroups", _READS_OF_GROUPS, groups),
        _allow("ReadPolicies", _READS_OF_POLICIES, f"{account}policy/*"),
        _allow("ReadAccount", _READS_OF_THE_ACCOUNT, "*"),
        _allow("ChangeUsers", _CHANGES_OF_USERS, users),
        {**_allow("AttachTheDeny", ["iam:AttachUserPolicy"], users), "Condition": deny_all},
        _allow("LeaveGroups", ["iam:RemoveUserFromGroup"], groups),
        _allow("DeleteDevices", ["iam:DeleteVirtualMFADevice"], f"{account}mfa/*"),
        {
            "Sid": "NeverTheScannersRoles",
            "Effect": "Deny",
            "Action": "*",
            "Resource": [f"{roles}{remediation_role_name}", f"{roles}{role_name}"],
        },
    )


def roots(callers: Iterable[str]) -> list[str]:
    """Return the accounts of the callers, as principals."""
    accounts = dict.fromkeys(":".join(arn.split(":")[:5]) for arn in callers)
    return [f"{account}:root" for account in accounts]


def patterns(callers: Iterable[str]) -> list[str]:
    """Return the callers as `aws:PrincipalArn` is compared with them; an account's root stands for all of it."""
    return [f"{arn.removesuffix('root')}*" if arn.endswith(":root") else arn for arn in callers]


def _caller(deployment: Deployment) -> Policy:
    """What whoever runs the scan needs: Organizations, the way into the accounts, and its own account."""
    partition = deployment.partition
    statements = (
        [_assume("AssumeOrganizationsRole", deployment.organizations_role_arn)]
        if deployment.organizations_role_arn
        else _read_organizations("ListAccounts", partition)
    )
    own = FULL_EVIDENCE if deployment.full_evidence else LIST_USERS
    return policy(
        *statements,
        _assume("AssumeHubRole", deployment.hub_role_arn)
        if deployment.hub_role_arn
        else _assume("AssumeMemberRoles", f"arn:{partition}:iam::*:role/{deployment.role_name}"),
        _allow("ReadOwnAccount", own, "*"),
        *(
            [_assume("AssumeArchiveRole", deployment.archive_role_arn)]
            if deployment.archive_role_arn
            else _archive(deployment)
        ),
    )


def _archive(deployment: Deployment) -> list[Statement]:
    place = deployment.archive
    return [] if place is None else [*archive_statements(deployment.partition, place.bucket, place.prefix)]


def _remediation_caller(deployment: Deployment, role: str) -> Policy:
    """What whoever runs remediate needs: to see that the account is of the organization, and the way into it."""
    account = f"arn:{deployment.partition}:organizations::*:account/o-*/*"
    reading = (
        [_assume("AssumeOrganizationsRole", deployment.organizations_role_arn)]
        if deployment.organizations_role_arn
        else [
            _allow("ReadOrganization", ["organizations:DescribeOrganization"], "*"),
            _allow("ReadParents", ["organizations:ListParents"], account),
        ]
    )
    return policy(*reading, _assume("AssumeRemediationRole", role))


def _read_organizations(sid: str, partition: str) -> list[Statement]:
    resources = [f"arn:{partition}:organizations::*:{kind}/o-*/*" for kind in ("account", "ou", "root")]
    return [_allow(sid, ORGANIZATION, "*"), _allow("ReadAccountsAndOus", ACCOUNTS_AND_OUS, resources)]


def _delegation(callers: Sequence[str]) -> Policy:
    """What the organization allows a delegated administrator; with *, as AWS's own examples have it for reads."""
    principal = {"AWS": _one_or_many(roots(callers))}
    actions = sorted((*ORGANIZATION, *ACCOUNTS_AND_OUS))
    sid = "DelegateListing"
    return policy({"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": actions, "Resource": "*"})


def _trusted_by(sid: str, callers: Sequence[str], external_id: str | None = None) -> Policy:
    return trust(sid, roots(callers), patterns(callers), external_id)


def _keep_deny(partition: str, remediator: str) -> Policy:
    """An SCP under which nobody but the remediation role takes the deny off a user."""
    condition = {
        "ArnEquals": {"iam:PolicyARN": f"arn:{partition}:iam::aws:policy/AWSDenyAll"},
        "ArnNotEquals": {"aws:PrincipalArn": remediator},
    }
    return policy(
        {
            "Sid": "KeepTheDeny",
            "Effect": "Deny",
            "Action": "iam:DetachUserPolicy",
            "Resource": "*",
            "Condition": condition,
        }
    )


def _trust(sid: str, accounts: Sequence[object], condition: Mapping[str, Any]) -> Statement:
    principal = {"AWS": _one_or_many(accounts)}
    return {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": condition}


def _assume(sid: str, role: str) -> Statement:
    return _allow(sid, ["sts:AssumeRole"], role)


def _allow(sid: str, actions: Sequence[str], resource: str | Sequence[str]) -> Statement:
    listed = resource if isinstance(resource, str) else list(resource)
    return {"Sid": sid, "Effect": "Allow", "Action": _one_or_many(sorted(actions)), "Resource": listed}


def _one_or_many(values: Sequence[object]) -> object:
    return values[0] if len(values) == 1 else list(values)
