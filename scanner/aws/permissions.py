"""The actions that the scan needs by each of its roles: for session policies, and for the policies that are deployed.

Pure, so that what is deployed can be printed without the AWS SDK. That these are the calls of the scan is tested.
"""

from typing import Final

LIST_USERS: Final = ("iam:ListUsers",)  # all that basic evidence calls in an account
FULL_EVIDENCE: Final = (
    *LIST_USERS,
    "cloudtrail:LookupEvents",
    "iam:GenerateCredentialReport",
    "iam:GetAccountAuthorizationDetails",
    "iam:GetAccountSummary",
    "iam:GetCredentialReport",
    "iam:ListServiceSpecificCredentials",
)
ORGANIZATION: Final = (  # AWS checks these on no resource
    "organizations:DescribeOrganization",
    "organizations:ListAccounts",
    "organizations:ListRoots",
)
ACCOUNTS_AND_OUS: Final = (  # and these on the account, OU or root that is asked about
    "organizations:DescribeAccount",
    "organizations:DescribeOrganizationalUnit",
    "organizations:ListAccountsForParent",
    "organizations:ListOrganizationalUnitsForParent",
    "organizations:ListParents",
    "organizations:ListTagsForResource",  # the owners of accounts by their tags
)


def archive_statements(partition: str, bucket: str, prefix: str) -> list[dict[str, object]]:
    """What the archive needs: to list, read and add under this prefix ("iam-058/" or ""), and keys by way of S3 alone.

    Nothing can be deleted by it. With which key a bucket encrypts, the bucket may decide.
    """
    arn = f"arn:{partition}:s3:::{bucket}"
    listing: dict[str, object] = {
        "Sid": "ListArchive",
        "Effect": "Allow",
        "Action": "s3:ListBucket",
        "Resource": arn,
    }
    if prefix:
        listing["Condition"] = {"StringLike": {"s3:prefix": f"{prefix}*"}}
    return [
        listing,
        {
            "Sid": "AddToArchive",
            "Effect": "Allow",
            "Action": ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"],
            "Resource": f"{arn}/{prefix}*",
        },
        {
            "Sid": "UseArchiveKey",
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": f"arn:{partition}:kms:*:*:key/*",
            "Condition": {"StringLike": {"kms:ViaService": "s3.*"}},
        },
    ]
