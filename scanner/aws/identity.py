"""The caller's identity, and the roles that are assumed on the way to the accounts.

Every role is assumed for 900 seconds, as role chaining caps a session at an hour and an account needs seconds. Every
session is narrowed by an inline session policy to the calls that it is for, however much the role itself may do.
"""

import asyncio
import json
import os
import time
from collections.abc import Sequence

from botocore.credentials import ReadOnlyCredentials

from scanner.aws.clients import Session
from scanner.aws.failures import SIGNING_REMEDIES, CallError, bad_response
from scanner.aws.permissions import (
    ACCOUNTS_AND_OUS,
    FULL_EVIDENCE,
    LIST_USERS,
    ORGANIZATION,
    archive_statements,
)
from scanner.errors import StartError
from scanner.model import AccountId, Caller, FailReason, Failure
from scanner.text import is_account_id

SESSION_SECONDS = 900  # the shortest that STS grants
_ENDPOINTS = ("AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL")  # by weight
REFRESH_BEFORE = 300  # seconds before its end


def arn_account(arn: str) -> str:
    """Return the account id in an ARN, "" where it has none."""
    parts = arn.split(":", 5)
    return parts[4] if len(parts) == 6 else ""


def role_arn(partition: str, account_id: str, role_name: str) -> str:
    """Build the ARN of a member role; `role_name` may hold a path ("audit/IamScanner")."""
    return f"arn:{partition}:iam::{account_id}:role/{role_name.lstrip('/')}"


def member_policy(*, full: bool) -> str:
    """Return the session policy for member roles: the calls of the scan, all of them reads but the report's making."""
    return _policy(FULL_EVIDENCE if full else LIST_USERS, "*")


def hub_policy(partition: str, role_name: str) -> str:
    """Return the session policy for the hub role: assuming the member role, in any account, and nothing else."""
    return _policy(["sts:AssumeRole"], role_arn(partition, "*", role_name))


def organizations_policy() -> str:
    """Return the session policy for the role that reads AWS Organizations."""
    return _policy(sorted((*ORGANIZATION, *ACCOUNTS_AND_OUS)), "*")


def archive_policy(partition: str, bucket: str, prefix: str) -> str:
    """Return the session policy for the role that archives: to list, read and add under this prefix, or ""."""
    return _document(archive_statements(partition, bucket, prefix))


def _policy(actions: Sequence[str], resource: str) -> str:
    return _document([{"Effect": "Allow", "Action": actions, "Resource": resource}])


def _document(statements: list[dict[str, object]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


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


def _custom_endpoint() -> str:
    """Which server was asked in place of AWS's, if the environment names one; without credentials that it may hold."""
    name = next((name for name in _ENDPOINTS if os.environ.get(name)), None)
    if name is None:
        return ""
    scheme, separator, rest = os.environ[name].rpartition("://")
    return f" at {scheme}{separator}{rest.rpartition('@')[2]} ({name})"


def _not_accepted(failure: Failure) -> StartError:
    if failure.reason in {FailReason.UNREACHABLE, FailReason.TIMEOUT}:
        return StartError(f"AWS STS could not be reached{_custom_endpoint()}: {failure.detail}", failure.remedy)
    said = f"{failure.code}: {failure.detail}" if failure.code else failure.detail
    remedy = SIGNING_REMEDIES.get(
        failure.code or "",
        "Sign in again (aws sso login), or check the credentials; outside the aws partition, set AWS_REGION too.",
    )
    return StartError(f"AWS did not accept the caller's credentials: {said}", remedy)


async def by_role(own: Session, arn: str, *, session_name: str, policy: str | None) -> Session:
    """Return a session by this role, which is assumed at once; raise `StartError` where it cannot be."""
    role = AssumedRole(own, arn, session_name=session_name, policy=policy)
    try:
        await role.credentials()
    except CallError as error:
        said = f"{error.failure.code}: {error.failure.detail}"
        raise StartError(f"The role {arn} cannot be assumed. {said}", error.failure.remedy) from error
    return Session(own.clients, role.credentials)


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
        self._current: tuple[ReadOnlyCredentials, float] | None = None

    async def credentials(self) -> ReadOnlyCredentials:
        """Return credentials that are good for minutes; raise `CallError` where the role cannot be assumed."""
        async with self._lock:
            if self._current is None or time.monotonic() > self._current[1]:
                # Counted from before the call, by a clock that nobody sets: the time of day may be wrong here.
                until = time.monotonic() + SESSION_SECONDS - REFRESH_BEFORE
                self._current = await self._assume(), until
            return self._current[0]

    async def _assume(self) -> ReadOnlyCredentials:
        answer = await self._session.call("sts", "AssumeRole", **self._parameters)
        try:
            assumed = str(answer["AssumedRoleUser"]["Arn"])
            given = answer["Credentials"]
            credentials = ReadOnlyCredentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        except KeyError as error:
            raise bad_response("sts:AssumeRole", "The response holds no credentials.") from error
        if arn_account(assumed) != arn_account(self._arn):
            raise bad_response(
                "sts:AssumeRole", f"The role {self._arn} was requested, but the response is for {assumed}."
            )
        return credentials
