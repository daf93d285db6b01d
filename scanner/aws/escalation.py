"""By which IAM actions could a user make itself an administrator on its own? Two tables.

The ways are those of the public literature, each where the action alone, allowed on all resources, is enough:
"AWS IAM Privilege Escalation - Methods and Mitigation" (Rhino Security Labs), "Privilege Escalation in AWS" and
"IAM Vulnerable" (Bishop Fox), "AWS IAM Privilege Escalation Techniques" (Hacking the Cloud), pathfinding.cloud
(Datadog). Ways by a service that is passed a role (iam:PassRole with lambda:CreateFunction and such) are not judged.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

EVERYTHING: Final = "iam:*"  # of an administrator: the list of all of them would say less


@dataclass(frozen=True, slots=True)
class Way:
    """An action, what kind of resource it acts on, and what the user could do with it."""

    action: str
    on: str  # the type in the ARN: "user", "group", "role", "policy"
    clause: str
    on_itself: bool = False  # the user's own ARN is enough, and not all users are needed
    from_boundary: bool = False  # it matters only for a user that a permissions boundary limits


WAYS: Final = (
    Way("iam:AttachUserPolicy", "user", "attach an administrator's policy to itself", on_itself=True),
    Way("iam:PutUserPolicy", "user", "write itself an inline policy", on_itself=True),
    Way("iam:AttachGroupPolicy", "group", "attach an administrator's policy to a group of its own"),
    Way("iam:PutGroupPolicy", "group", "write an inline policy for a group of its own"),
    Way("iam:AddUserToGroup", "group", "join the administrators' group"),
    Way("iam:CreatePolicyVersion", "policy", "rewrite a policy that it has"),
    Way("iam:SetDefaultPolicyVersion", "policy", "put an older, wider version of its policy in force"),
    # Whether it may assume a role can be said by the role's trust policy alone, which is not read: so these count.
    Way("iam:AttachRolePolicy", "role", "attach an administrator's policy to a role that it may assume"),
    Way("iam:PutRolePolicy", "role", "write an inline policy for a role that it may assume"),
    Way("iam:UpdateAssumeRolePolicy", "role", "let itself assume an administrator's role"),
    Way("iam:CreateAccessKey", "user", "make a key for an administrator"),
    Way("iam:CreateLoginProfile", "user", "give an administrator a password"),
    Way("iam:UpdateLoginProfile", "user", "change an administrator's password"),
    Way("iam:DeleteUserPermissionsBoundary", "user", "remove its boundary", on_itself=True, from_boundary=True),
    Way("iam:PutUserPermissionsBoundary", "user", "widen its boundary", on_itself=True, from_boundary=True),
)
ACTIONS: Final = frozenset(way.action for way in WAYS)
# Of AWS's own policies, whose text is not read: what those allow that let their holder become administrator, ...
WAYS_BY_AWS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "AdministratorAccess": (EVERYTHING,),
        "IAMFullAccess": (EVERYTHING,),
        "AdministratorAccess-Amplify": (
            "iam:AttachRolePolicy",
            "iam:CreatePolicyVersion",
            "iam:PutRolePolicy",
            "iam:UpdateAssumeRolePolicy",
        ),
    }
)
# ... and those that are known to allow none of it: reads, and common ones, as their texts stood in 2026. Of any other,
# it is open.
NOTHING_BY_AWS: Final = (
    "*ReadOnly",
    "*ReadOnlyAccess",
    "AWSCodeCommitFullAccess",
    "AWSCodeCommitPowerUser",
    "AWSCompromisedKeyQuarantine*",
    "AWSDenyAll",
    "AWSLambda_FullAccess",
    "AWSSupportAccess",
    "AmazonBedrockFullAccess",
    "AmazonBedrockLimitedAccess",
    "AmazonBedrockMantleInferenceAccess",
    "AmazonBedrockMarketplaceAccess",
    "AmazonDynamoDBFullAccess",
    "AmazonEC2ContainerRegistryFullAccess",
    "AmazonEC2ContainerRegistryPowerUser",
    "AmazonEC2FullAccess",
    "AmazonKeyspacesFullAccess",
    "AmazonRDSFullAccess",
    "AmazonRoute53FullAccess",
    "AmazonS3FullAccess",
    "AmazonSESFullAccess",
    "AmazonSNSFullAccess",
    "AmazonSQSFullAccess",
    "AmazonVPCFullAccess",
    "Billing",
    "CloudFrontFullAccess",
    "CloudWatchAgentServerPolicy",
    "CloudWatchFullAccess",
    "CloudWatchLogsFullAccess",
    "IAMSelfManageServiceSpecificCredentials",
    "IAMUserChangePassword",
    "IAMUserSSHKeys",
    "PowerUserAccess",
    "SecretsManagerReadWrite",
    "SecurityAudit",
    "ViewOnlyAccess",
)
