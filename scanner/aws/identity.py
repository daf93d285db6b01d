"""Who calls, and as whom: the caller's identity, and the roles that are assumed on the way to the accounts.

Every role is assumed for 900 seconds, as role chaining caps a session at an hour and an account needs seconds. Every
session is narrowed by an inline session policy to the calls that it is for, however much the role itself may do.
"""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import aioboto3
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import BotoCoreError, CredentialRetrievalError

from scanner.aws.clients import CredentialSource, Session, sdk_session
from scanner.aws.failures import CallError, bad_response
from scanner.errors import StartError
from scanner.model import AccountId, Caller, FailReason, Failure
from scanner.text import is_account_id

SESSION_SECONDS = 900  # the shortest that STS grants
REFRESH_BEFORE = timedelta(minutes=5)

_NO_CREDENTIALS = (
    "No AWS credentials were found. Sign in (aws sso login), set AWS_PROFILE or the AWS_ACCESS_KEY_ID variables, or "
    "give --profile."
)
# What a credential_process prints may be a secret: it is not quoted, and the SDK's error, which does, is not chained.
_BAD_PROCESS = (
    "The AWS credentials could not be loaded. Run the profile's credential_process by hand: it must end with 0 and "
    "print the JSON that the AWS CLI asks for."
)


def arn_account(arn: str) -> str:
    """Return the account id in an ARN, "" where it has none."""
    parts = arn.split(":", 5)
    return parts[4] if len(parts) == 6 else ""


def role_arn(partition: str, account_id: str, role_name: str) -> str:
    """Build the ARN of a member role; `role_name` may hold a path ("audit/IamScanner")."""
    return f"arn:{partition}:iam::{account_id}:role/{role_name.lstrip('/')}"


def member_policy(*, full: bool) -> str:
    """Return the session policy for member roles: the calls of the scan, all of them reads but the report's making."""
    actions = ["iam:ListUsers"]
    if full:
        actions += [
            "iam:GenerateCredentialReport",
            "iam:GetAccountAuthorizationDetails",
            "iam:GetAccountSummary",
            "iam:GetCredentialReport",
        ]
    return _policy(actions, "*")


def hub_policy(partition: str, role_name: str) -> str:
    """Return the session policy for the hub role: assuming the member role, in any account, and nothing else."""
    return _policy(["sts:AssumeRole"], role_arn(partition, "*", role_name))


def organizations_policy() -> str:
    """Return the session policy for the role that reads AWS Organizations."""
    reads = ("DescribeAccount", "DescribeOrganization", "DescribeOrganizationalUnit", "ListAccounts")
    lists = ("ListAccountsForParent", "ListOrganizationalUnitsForParent", "ListParents", "ListRoots")
    return _policy([f"organizations:{name}" for name in (*reads, *lists)], "*")


def _policy(actions: list[str], resource: str) -> str:
    statement = {"Effect": "Allow", "Action": actions, "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


async def caller_credentials(profile: str | None) -> CredentialSource:
    """Find the caller's credentials as the SDK does (environment, profile, SSO, container, instance).

    What is returned refreshes itself where the credentials can. Raises `StartError` where there are none.
    """
    try:
        found = await aioboto3.Session(botocore_session=sdk_session(profile)).get_credentials()
    except BotoCoreError as error:
        if getattr(error, "kwargs", {}).get("provider") == "custom-process":
            raise StartError(_BAD_PROCESS) from None
        raise StartError(f"The AWS credentials could not be loaded: {error}") from error
    except (ValueError, TypeError, AttributeError, OSError):  # what the SDK raises where such a process prints rubbish
        raise StartError(_BAD_PROCESS) from None
    if found is None:
        raise StartError(_NO_CREDENTIALS)

    async def source() -> ReadOnlyCredentials:
        try:
            credentials: ReadOnlyCredentials = await found.get_frozen_credentials()
        except (RuntimeError, ValueError, OSError) as error:  # the first where they come expired out of a refresh
            raise CredentialRetrievalError(provider=found.method, error_msg="not refreshed") from error
        return credentials

    return source


async def who_calls(session: Session) -> Caller:
    """Ask STS who the caller is (GetCallerIdentity, which needs no permission); raise `StartError` where it fails."""
    try:
        answer = await session.call("sts", "GetCallerIdentity")
    except CallError as error:
        raise _not_accepted(error.failure) from error
    arn, account_id = str(answer.get("Arn")), str(answer.get("Account"))
    if not (arn.startswith("arn:") and arn_account(arn) == account_id and is_account_id(account_id)):
        raise StartError("STS did not say who the caller is. Does AWS_ENDPOINT_URL lead to AWS?")
    return Caller(account_id=AccountId(account_id), arn=arn, partition=arn.split(":")[1])


def _not_accepted(failure: Failure) -> StartError:
    if failure.reason in {FailReason.UNREACHABLE, FailReason.TIMEOUT}:
        return StartError(f"AWS STS could not be reached: {failure.detail} {failure.remedy}")
    said = f"{failure.code}: {failure.detail}" if failure.code else failure.detail
    hint = "Sign in again (aws sso login), or check the credentials; outside the aws partition, set AWS_REGION too."
    return StartError(f"AWS did not accept the caller: {said} {hint}")


class AssumedRole:
    """A role, assumed with the credentials of `session` when first needed, and again shortly before they expire."""

    def __init__(
        self, session: Session, arn: str, *, session_name: str, policy: str | None, external_id: str | None = None
    ) -> None:
        self._session = session
        self._arn = arn
        self._parameters: dict[str, object] = {"RoleArn": arn, "RoleSessionName": session_name}
        self._parameters["DurationSeconds"] = SESSION_SECONDS
        if policy is not None:
            self._parameters["Policy"] = policy
        if external_id is not None:
            self._parameters["ExternalId"] = external_id
        self._lock = asyncio.Lock()
        self._current: tuple[ReadOnlyCredentials, datetime] | None = None

    async def credentials(self) -> ReadOnlyCredentials:
        """Return credentials that are good for minutes; raise `CallError` where the role cannot be assumed."""
        async with self._lock:
            if self._current is None or self._current[1] - datetime.now(UTC) < REFRESH_BEFORE:
                self._current = await self._assume()
            return self._current[0]

    async def _assume(self) -> tuple[ReadOnlyCredentials, datetime]:
        answer = await self._session.call("sts", "AssumeRole", **self._parameters)
        try:
            assumed = str(answer["AssumedRoleUser"]["Arn"])
            given = answer["Credentials"]
            credentials = ReadOnlyCredentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
            expires_at: datetime = given["Expiration"]
        except KeyError as error:
            raise bad_response("sts:AssumeRole", "The answer holds no credentials.") from error
        if arn_account(assumed) != arn_account(self._arn):
            raise bad_response("sts:AssumeRole", f"Asked for {self._arn}, the answer is for {assumed}.")
        return credentials, expires_at
