"""Who calls: access keys, the sessions that AssumeRole gives out, and what a session policy leaves of them."""

import json
import re
from base64 import b32encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from tests.aws_endpoint.clock import Clock
from tests.aws_endpoint.faults import denied
from tests.aws_endpoint.organization import SimulatedAccount, SimulatedOrganization, SimulatedRole, minted_id
from tests.aws_endpoint.wire import JSON_SERVICES, AwsError, Parameters, Request

MANAGEMENT_KEY = "AKIAMANAGEMENT000000"  # a user of the management account
DELEGATED_KEY = "AKIADELEGATED0000000"  # a user of the first delegated administrator account
MEMBER_KEY = "AKIAMEMBER0000000000"  # a user of the first account that is neither

_CLOSED_STATES = {"SUSPENDED", "CLOSED", "PENDING_ACTIVATION"}
_ROLE_ARN = re.compile(r"arn:([\w-]+):iam::(\d{12}):role(/(?:[\x21-\x7e]+/)?)([\w+=,.@-]{1,64})")
_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """An access key, and whom it stands for."""

    access_key_id: str
    account_id: str
    arn: str
    user_id: str = "AIDAEXAMPLECALLER0000"
    session_token: str | None = None  # None: a long-lived key
    expires_at: datetime | None = None
    policy: str | None = None  # the session policy

    @property
    def by_role(self) -> bool:
        return ":assumed-role/" in self.arn


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What was asked of one AssumeRole that succeeded; for tests to assert on."""

    caller_arn: str
    role_arn: str
    account_id: str
    session_name: str
    duration: int
    policy: str | None
    external_id: str | None
    mfa_code: str | None
    access_key_id: str


def default_callers(world: SimulatedOrganization) -> list[Caller]:
    delegated = world.delegated_administrators[:1]
    others = (account.id for account in world.members if account.id not in delegated)
    owners = {MANAGEMENT_KEY: world.management_account_id, MEMBER_KEY: next(others, None)}
    owners |= dict.fromkeys([DELEGATED_KEY], *delegated) if delegated else {}
    return [
        Caller(access_key_id=key, account_id=account, arn=f"arn:{world.partition}:iam::{account}:user/auditor")
        for key, account in owners.items()
        if account
    ]


class Sessions:
    """All access keys that the endpoint knows."""

    def __init__(self, world: SimulatedOrganization, callers: Iterable[Caller], clock: Clock) -> None:
        self.opened: list[Session] = []
        self._world = world
        self._clock = clock
        self._callers = {caller.access_key_id: caller for caller in [*default_callers(world), *callers]}

    def authenticate(self, request: Request) -> Caller:
        key = request.access_key_id
        if not key:
            raise _unauthenticated(request.service)
        caller = self._callers.get(key)
        if caller is None or caller.session_token != request.headers.get("x-amz-security-token"):
            raise _unknown_token(request.service)
        if caller.expires_at and caller.expires_at <= self._clock.now():
            code, status = ("ExpiredTokenException", 400) if request.service in JSON_SERVICES else ("ExpiredToken", 403)
            raise AwsError(status, code, "The security token included in the request is expired")
        if request.scoped_service != request.service:
            raise AwsError(
                403, "SignatureDoesNotMatch", f"Credential should be scoped to correct service: '{request.service}'."
            )
        return caller

    def assume(self, caller: Caller, parameters: Parameters) -> Caller:
        """AssumeRole: check as STS checks, and give out a session."""
        _check_request(parameters)
        arn = parameters.get("RoleArn", "")
        account, role = self._find_role(arn)
        refusal = denied(caller.arn, "sts:AssumeRole", arn)
        if account is None or role is None or not _trusts(role, caller, parameters.get("ExternalId")):
            raise refusal
        if role.mfa_code is not None and role.mfa_code != parameters.get("TokenCode"):
            message = "MultiFactorAuthentication failed with invalid MFA one time pass code."
            raise AwsError(403, "AccessDenied", message) if "TokenCode" in parameters else refusal
        if not permits(caller.policy, "sts:AssumeRole", arn):
            raise denied(caller.arn, "sts:AssumeRole", arn, _NO_SESSION_POLICY.format("sts:AssumeRole"))
        _check_duration(caller, role, int(parameters.get("DurationSeconds", 3600)))
        return self._open(caller, account, role, parameters)

    def _find_role(self, arn: str) -> tuple[SimulatedAccount | None, SimulatedRole | None]:
        found = _ROLE_ARN.fullmatch(arn)
        if not found:
            raise AwsError(400, "ValidationError", f"{arn} is invalid")
        partition, account_id, path, name = found.groups()
        account = self._world.accounts.get(account_id)
        if not account or account.state in _CLOSED_STATES or partition != account.partition:
            return None, None
        if account.roles is None:
            return account, SimulatedRole(name=name, path=path)
        return account, next((role for role in account.roles if (role.path, role.name) == (path, name)), None)

    def _open(self, caller: Caller, account: SimulatedAccount, role: SimulatedRole, parameters: Parameters) -> Caller:
        number = len(self.opened) + 1
        name = parameters["RoleSessionName"]
        duration = int(parameters.get("DurationSeconds", 3600))
        session = Caller(
            access_key_id="ASIA" + b32encode(number.to_bytes(10, "big")).decode(),
            account_id=account.id,
            arn=f"arn:{account.partition}:sts::{account.id}:assumed-role/{role.name}/{name}",
            user_id=f"{minted_id('AROA', account.id, role.path, role.name)}:{name}",
            session_token=f"session-token-{number}-{'x' * 200}==",
            expires_at=self._clock.now() + timedelta(seconds=duration),
            policy=parameters.get("Policy"),
        )
        self._callers[session.access_key_id] = session
        self.opened.append(
            Session(
                caller_arn=caller.arn,
                role_arn=parameters["RoleArn"],
                account_id=account.id,
                session_name=name,
                duration=duration,
                policy=session.policy,
                external_id=parameters.get("ExternalId"),
                mfa_code=parameters.get("TokenCode"),
                access_key_id=session.access_key_id,
            )
        )
        return session


def account_of(role_arn: str) -> str | None:
    found = _ROLE_ARN.fullmatch(role_arn)
    return found[2] if found else None


# --- checks of AssumeRole ---------------------------------------------------------------------------------------------


def _check_request(parameters: Parameters) -> None:
    duration = int(parameters.get("DurationSeconds", 3600))
    if duration < 900:
        raise _invalid("durationSeconds", duration, "have value greater than or equal to 900")
    if duration > 43200:
        raise _invalid("durationSeconds", duration, "have value less than or equal to 43200")
    name = parameters.get("RoleSessionName", "")
    if not _SESSION_NAME.fullmatch(name):
        raise _invalid("roleSessionName", name, "satisfy regular expression pattern: [\\w+=,.@-]*")
    policy = parameters.get("Policy")
    if policy is not None and len(policy) > 2048:
        raise _invalid("policy", policy, "have length less than or equal to 2048")
    if policy is not None and not _well_formed(policy):
        raise AwsError(400, "MalformedPolicyDocument", "Syntax errors in policy.")


def _check_duration(caller: Caller, role: SimulatedRole, duration: int) -> None:
    if caller.by_role and duration > 3600:
        message = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
        raise AwsError(400, "ValidationError", message)
    if duration > role.max_session:
        message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        raise AwsError(400, "ValidationError", message)


def _trusts(role: SimulatedRole, caller: Caller, external_id: str | None) -> bool:
    return (role.external_id is None or role.external_id == external_id) and any(
        matches(pattern, caller.arn) for pattern in role.trusted
    )


def _invalid(member: str, value: object, constraint: str) -> AwsError:
    message = f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must "
    return AwsError(400, "ValidationError", message + constraint)


def _unauthenticated(service: str) -> AwsError:
    if service in JSON_SERVICES:
        return AwsError(400, "MissingAuthenticationTokenException", "Missing Authentication Token")
    return AwsError(403, "MissingAuthenticationToken", "Request is missing Authentication Token")


def _unknown_token(service: str) -> AwsError:
    if service == "s3":
        return AwsError(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
    message = "The security token included in the request is invalid."
    if service in JSON_SERVICES:
        return AwsError(400, "UnrecognizedClientException", message)
    return AwsError(403, "InvalidClientTokenId", message)


# --- session policies -------------------------------------------------------------------------------------------------

_NO_SESSION_POLICY = " because no session policy allows the {} action"


def check_permitted(caller: Caller, action: str, resource: str) -> None:
    if not permits(caller.policy, action, resource):
        raise denied(caller.arn, action, resource, _NO_SESSION_POLICY.format(action))


@lru_cache(maxsize=4096)
def permits(policy: str | None, action: str, resource: str) -> bool:
    """Whether the session policy lets the call through; conditions are not looked at. No policy limits nothing."""
    if policy is None:
        return True
    hits = [s["Effect"] for s in _statements(policy) if _covers(s, action, resource)]
    return "Allow" in hits and "Deny" not in hits


def _covers(statement: Mapping[str, Any], action: str, resource: str) -> bool:
    actions = any(matches(pattern.lower(), action.lower()) for pattern in _listed(statement.get("Action", [])))
    return actions and any(matches(pattern, resource) for pattern in _listed(statement.get("Resource", [])))


@lru_cache(maxsize=256)
def _statements(policy: str) -> list[Mapping[str, Any]]:
    statements = json.loads(policy)["Statement"]
    return statements if isinstance(statements, list) else [statements]


def _well_formed(policy: str) -> bool:
    try:
        return all(s["Effect"] in ("Allow", "Deny") and s["Action"] and s["Resource"] for s in _statements(policy))
    except (ValueError, KeyError, TypeError):
        return False


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def matches(pattern: str, text: str) -> bool:
    """As IAM matches: `*` and `?`, and every other character for itself."""
    return pattern == "*" or _compiled(pattern).fullmatch(text) is not None


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)
