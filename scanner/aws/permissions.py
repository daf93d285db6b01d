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
