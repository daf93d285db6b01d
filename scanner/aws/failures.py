"""From whatever a call ended with to a `Failure` that a person can act on.

AWS's errors are compared by code, and quoted in AWS's own words. The SDK's wording of an exception is never shown: it
says nothing about AWS, and may hold what a hostile server wrote.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

import aiohttp
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    MetadataRetrievalError,
    NoAuthTokenError,
    NoCredentialsError,
    NoRegionError,
    ReadTimeoutError,
    SSLError,
    SSOError,
    TokenRetrievalError,
)
from botocore.exceptions import ConnectionError as NoConnectionError
from botocore.parsers import ResponseParserError

from scanner.errors import StartError
from scanner.model import FailReason, Failure

# What a call can end with for reasons outside this program. KeyError and ValueError: an HTML page or cut XML, which
# the SDK's parser does not foresee.
RETRIED = (ClientError, BotoCoreError, ResponseParserError, aiohttp.ClientError, OSError, KeyError, ValueError)

THROTTLING = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "BandwidthLimitExceeded",
        "PriorRequestNotComplete",
        "SlowDown",
        "ConcurrentModificationException",  # DescribeOrganization while the organization is being changed
    }
)
EXPIRED = frozenset(  # or never good, or no longer: the remedy is the same
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "RequestExpired",
        "RequestTimeTooSkewed",
        "RequestInTheFuture",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
    }
)
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthFailure", "OptInRequired"})
# A partition that does not have the action answers so: IAM by the first, services that speak JSON by the others.
NO_SUCH_ACTION = frozenset({"InvalidAction", "UnknownOperationException", "UnsupportedOperationException"})
_CREDENTIALS = (
    NoCredentialsError,
    CredentialRetrievalError,
    MetadataRetrievalError,
    NoAuthTokenError,
    SSOError,
    TokenRetrievalError,
)
_SERVER_ERRORS = frozenset(  # nothing is wrong with the request, and the next one may be answered
    {
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "RequestTimedOut",
        "RequestTimedOutException",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceException",
        "ServiceFailure",
        "ServiceFailureException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
    }
)

# Where AWS's code says more than the reason does.
_CLOCK = "Set this machine's clock: AWS refuses requests that are minutes off."
_SIGNATURE = (
    "Check that the secret access key is whole, and that this machine's clock is right: AWS refuses requests that "
    "are minutes off."
)
SIGNING_REMEDIES = {  # any service refuses so
    "RequestExpired": _CLOCK,
    "RequestTimeTooSkewed": _CLOCK,
    "RequestInTheFuture": _CLOCK,
    "SignatureDoesNotMatch": _SIGNATURE,
    "InvalidSignatureException": _SIGNATURE,
}
# AssumeRole refuses for many reasons that the role has no part in.
_REGION_NOT_ENABLED = (
    "Sign in again. If the credentials are good, their Region may be one that the account has not enabled: set "
    "AWS_REGION to an enabled one, such as us-east-1."
)
_ASSUME_ROLE_REMEDIES = {
    "PackedPolicyTooLarge": (
        "The session policy and the caller's session tags are too large together: give --no-session-policy, or call "
        "with fewer session tags (EKS Pod Identity alone takes three quarters of the space)."
    ),
    "MalformedPolicyDocument": "STS rejected the session policy: give --no-session-policy, and report this as a bug.",
    "RegionDisabledException": (
        "STS is not active in this Region for the caller's account: set AWS_REGION to an active one, such as us-east-1."
    ),
    "InvalidClientTokenId": _REGION_NOT_ENABLED,
    "UnrecognizedClientException": _REGION_NOT_ENABLED,
    "ValidationError": "Check --role-name, --session-name and --external-id against AWS's message.",
}
_IAM_REMEDIES = {
    "InvalidClientTokenId": (
        "Sign in again. If the credentials are good, they may be a session made without MFA (aws sts "
        "get-session-token), which IAM alone refuses: make it with MFA, or scan by a role."
    ),
}

REMEDIES = {
    FailReason.ROLE_NOT_ASSUMABLE: (
        "Check in this account that the role exists, that its trust policy names the caller (and the external ID, if "
        "one is asked for), and that no SCP denies it: AWS does not say which."
    ),
    FailReason.ACCESS_DENIED: (
        "Allow this call in the role's policies, and check SCPs, permissions boundaries and the session policy."
    ),
    FailReason.THROTTLED: "Try again at a quieter time, with a lower --concurrency or a longer --account-timeout.",
    FailReason.TIMEOUT: "Try again; if it stays slow, give a longer --account-timeout.",
    FailReason.CREDENTIALS_EXPIRED: "Sign in again, or use credentials that refresh themselves.",
    FailReason.UNREACHABLE: "Check the network, proxy and endpoint settings on the way to AWS.",
    FailReason.BAD_RESPONSE: ("Check that no proxy or custom endpoint (AWS_ENDPOINT_URL) answers in AWS's place."),
    FailReason.INCOMPLETE_LISTING: "Try again; users may be missing. If it happens again, report it to AWS.",
    FailReason.OU_UNKNOWN: "Try again; if it happens again, allow organizations:ListParents and the other reads.",
}


class CallError(Exception):
    """A call did not work, retries included."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.call}: {failure.reason} ({failure.code}): {failure.detail}")
        self.failure = failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One attempt that failed, and whether another one may succeed."""

    failure: Failure
    throttled: bool = False
    transient: bool = False


def failure(reason: FailReason, call: str, detail: str, *, code: str | None = None) -> Failure:
    """Return a `Failure` with the remedy that belongs to its reason."""
    return Failure(reason=reason, call=call, code=code, detail=detail, remedy=REMEDIES[reason])


def bad_response(call: str, detail: str) -> CallError:
    return CallError(failure(FailReason.BAD_RESPONSE, call, detail))


def incomplete_listing(call: str, detail: str) -> CallError:
    return CallError(failure(FailReason.INCOMPLETE_LISTING, call, detail))


def trouble(error: Exception, call: str) -> Trouble:
    """Judge one failed attempt; `error` is one of `RETRIED`. Raises `StartError` where a region is missing."""
    if isinstance(error, ClientError):
        return _refused(error.response, call)
    if isinstance(error, NoRegionError):
        raise StartError("No AWS region is set. Set AWS_REGION, or a region in the profile.") from error
    if isinstance(error, _CREDENTIALS):
        detail = "The caller's credentials could not be loaded or refreshed."
        return Trouble(failure=failure(FailReason.CREDENTIALS_EXPIRED, call, detail))
    if isinstance(error, (NoConnectionError, HTTPClientError, aiohttp.ClientError, OSError)):
        return Trouble(failure=failure(FailReason.UNREACHABLE, call, _connection(error)), transient=True)
    if isinstance(error, BotoCoreError):
        detail = f"The SDK could not make the call ({type(error).__name__})."
        return Trouble(failure=failure(FailReason.BAD_RESPONSE, call, detail))
    detail = "The response is not one that AWS documents."
    return Trouble(failure=failure(FailReason.BAD_RESPONSE, call, detail), transient=True)


def is_throttled(error: Exception) -> bool:
    """Whether AWS throttled the call."""
    return isinstance(error, ClientError) and _asks_to_slow_down(error.response)


def without_secrets(failure: Failure, secrets: Mapping[str, str | None]) -> Failure:
    """Put the names in `secrets` for their values in AWS's words, percent-encoded up to twice or not.

    AWS may quote the ExternalId that it was sent, and SignatureDoesNotMatch quotes the request, session token included.
    """
    for name, secret in secrets.items():
        if secret:
            code = failure.code and _struck(failure.code, secret, name)
            failure = replace(failure, code=code, detail=_struck(failure.detail, secret, name))
    return failure


def _struck(text: str, secret: str, name: str) -> str:
    text = text.replace(secret, name)
    decoded = unquote(unquote(text))
    return decoded.replace(secret, name) if secret in decoded else text


def timed_out(call: str, last: Trouble | None, *, held_back: bool = False) -> Failure:
    """Return why a call that was still being tried at its deadline did not work; `held_back`: its turn did not come."""
    if last is None and held_back:
        return failure(
            FailReason.THROTTLED,
            call,
            "Throttled for all of the time allowed, before the call could be made.",
        )
    if last is None:
        return failure(FailReason.TIMEOUT, call, "No complete response in the time allowed.")
    if last.throttled:
        return failure(FailReason.THROTTLED, call, last.failure.detail, code=last.failure.code)
    return failure(FailReason.TIMEOUT, call, last.failure.detail, code=last.failure.code)


def _refused(response: dict[str, Any], call: str) -> Trouble:
    error = response.get("Error", {})
    code = str(error.get("Code") or "")
    message = str(error.get("Message") or "AWS gave no message.")
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    throttled = _asks_to_slow_down(response)
    transient = not throttled and (status >= 500 or status == 408 or code in _SERVER_ERRORS)
    refusal = failure(_reason(code, call, throttled=throttled, transient=transient), call, message, code=code or None)
    return Trouble(
        failure=replace(refusal, remedy=_remedy(code, call) or refusal.remedy),
        throttled=throttled,
        transient=transient,
    )


def _remedy(code: str, call: str) -> str | None:
    """Return what helps against this refusal of this call, where that is more than its reason says."""
    if call == "sts:AssumeRole" and code in _ASSUME_ROLE_REMEDIES:
        return _ASSUME_ROLE_REMEDIES[code]
    if call.startswith("iam:") and code in _IAM_REMEDIES:
        return _IAM_REMEDIES[code]
    return SIGNING_REMEDIES.get(code)


def _asks_to_slow_down(response: dict[str, Any]) -> bool:
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return response.get("Error", {}).get("Code") in THROTTLING or status == 429


def _reason(code: str, call: str, *, throttled: bool, transient: bool) -> FailReason:
    if throttled:
        return FailReason.THROTTLED
    if transient:
        return FailReason.UNREACHABLE
    if code in EXPIRED:
        return FailReason.CREDENTIALS_EXPIRED
    if call == "sts:AssumeRole":
        return FailReason.ROLE_NOT_ASSUMABLE
    return FailReason.ACCESS_DENIED if code in DENIED else FailReason.BAD_RESPONSE


def _connection(error: Exception) -> str:
    if isinstance(error, (ReadTimeoutError, ConnectTimeoutError)):
        return "The server did not respond in time."
    if isinstance(error, SSLError):
        return "The TLS connection could not be made (is a CA bundle needed: AWS_CA_BUNDLE?)."
    if isinstance(error, EndpointConnectionError):
        return "Could not connect to the server."
    return "The connection closed before the response was complete."
