"""What goes wrong, on request: rules that pick calls, and what happens to the calls they pick.

    Fault("iam:ListUsers", throttle, when=first(2), account="123456789012")
    Fault("organizations:*", Do(lambda call: world.move(account, ou)), when=nth(3))

Every rule that picks a call takes part. `Do`, `Delay` and `Lie` let the call go on; of the others the first one wins.
"""

import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

from tests.aws_endpoint.clock import Clock
from tests.aws_endpoint.wire import AwsError, Parameters

When = Callable[[int], bool]  # is told the how-manieth call of its rule this is, from 1


@dataclass(frozen=True, slots=True)
class Call:
    """One request that reached the endpoint."""

    service: str
    action: str
    account_id: str  # whose account it is about: that of the credentials; for AssumeRole that of the role
    access_key_id: str
    caller_account_id: str
    params: Parameters
    user_agent: str

    @property
    def name(self) -> str:
        return f"{self.service}:{self.action}"


# --- effects ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Refuse:
    """An error of AWS, in the format of the service that was called."""

    status: int
    code: str
    message: str

    def error(self, call: Call, principal: str) -> AwsError:
        return AwsError(self.status, self.code, self.message)


@dataclass(frozen=True, slots=True)
class RefuseAsAws:
    """An error that each service words and numbers in its own way."""

    kind: Literal["throttled", "denied", "expired", "failed", "unavailable"]

    def error(self, call: Call, principal: str) -> AwsError:
        return service_error(self.kind, call, principal)


@dataclass(frozen=True, slots=True)
class Bucket:
    """Throttle as AWS does: each account may make `burst` calls at once, and `rate` a second in the long run.

    IAM counts by the account that the call is about and by action; STS by the account of the caller, all actions
    together.
    """

    rate: float
    burst: int
    by: Literal["account and action", "account", "caller"] = "account and action"


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes that are no answer of AWS."""

    status: int
    body: bytes
    content_type: str = "text/html"


@dataclass(frozen=True, slots=True)
class Break:
    """What becomes of the connection."""

    how: Literal["cut", "reset", "truncate", "clip", "hang"]


@dataclass(frozen=True, slots=True)
class Drip:
    """The answer, a byte at a time."""

    seconds: float  # between two bytes


@dataclass(frozen=True, slots=True)
class Delay:
    seconds: float


@dataclass(frozen=True, slots=True)
class Lie:
    """An answer that is well-formed and not true."""

    how: Literal["wrong-account", "no-marker", "same-marker", "empty-page", "missing-user"]


@dataclass(frozen=True, slots=True)
class Do:
    """Call back, then go on; to change the world in the middle of a scan."""

    callback: Callable[[Call], object]


Effect = Refuse | RefuseAsAws | Bucket | Raw | Break | Drip | Delay | Lie | Do

throttle = RefuseAsAws("throttled")
deny = RefuseAsAws("denied")
expired_token = RefuseAsAws("expired")
http_500 = RefuseAsAws("failed")
http_503 = RefuseAsAws("unavailable")
html = Raw(200, b"<html><body><h1>Please sign in to the network</h1></body></html>")
empty_body = Raw(200, b"", "text/xml")
cut = Break("cut")  # closed before the first byte of the answer
reset = Break("reset")  # the same, by RST
truncated = Break("truncate")  # closed in the middle of the body
clipped = Break("clip")  # half the body, passed off as all of it: sound HTTP, broken XML or JSON
hang = Break("hang")  # no answer as long as the client waits
wrong_account = Lie("wrong-account")  # ARNs name another account
no_marker = Lie("no-marker")  # IsTruncated=true, and no Marker (IAM)
same_marker = Lie("same-marker")  # there is always more, and always at the same Marker or NextToken
empty_page = Lie("empty-page")  # no items, and a Marker or NextToken to go on with; with `always`: for ever
missing_user = Lie("missing-user")  # ListUsers lacks the last user


# --- rules ------------------------------------------------------------------------------------------------------------


def always(number: int) -> bool:
    return True


def nth(*numbers: int) -> When:
    return lambda number: number in numbers


def first(count: int) -> When:
    return lambda number: number <= count


def after(count: int) -> When:
    return lambda number: number > count


def sometimes(probability: float, seed: int = 0) -> When:
    """By chance, and the same in every run."""
    return lambda number: zlib.crc32(f"{seed}:{number}".encode()) / 2**32 < probability


@dataclass(frozen=True, slots=True)
class Fault:
    """Which calls are picked: all the conditions hold."""

    action: str  # "iam:ListUsers", "organizations:*", "*"
    effect: Effect
    account: str | None = None  # as in Call.account_id
    when: When = always
    params: Mapping[str, object] = field(default_factory=dict)  # these parameters have these values
    each_account: bool = False  # `when` counts the calls of each account by themselves

    def picks(self, call: Call) -> bool:
        return (
            (self.account is None or self.account == call.account_id)
            and fnmatchcase(call.name, self.action)
            and all(call.params.get(name) == value for name, value in self.params.items())
        )


class Faults:
    """The rules in force, and how often each has been met. Rules may be added while the endpoint runs."""

    def __init__(self, rules: list[Fault], clock: Clock) -> None:
        self.rules = rules
        self._clock = clock
        self._met: Counter[tuple[int, str]] = Counter()
        self._tokens: dict[tuple[int, str, str], tuple[float, float]] = {}  # → tokens left, at which second

    def forget(self) -> None:
        """Count anew: the next call of each rule is its first."""
        self._met.clear()

    def effects(self, call: Call) -> list[Effect]:
        return [effect for index, rule in enumerate(self.rules) if (effect := self._effect(index, rule, call))]

    def _effect(self, index: int, rule: Fault, call: Call) -> Effect | None:
        if not rule.picks(call):
            return None
        key = (index, call.account_id if rule.each_account else "")
        self._met[key] += 1
        if not rule.when(self._met[key]):
            return None
        if isinstance(rule.effect, Bucket):
            return None if self._take_token(index, rule.effect, call) else throttle
        return rule.effect

    def _take_token(self, index: int, bucket: Bucket, call: Call) -> bool:
        account = call.caller_account_id if bucket.by == "caller" else call.account_id
        key = (index, account, call.action if bucket.by == "account and action" else "")
        now = self._clock.now().timestamp()
        left, since = self._tokens.get(key, (float(bucket.burst), now))
        left = min(bucket.burst, left + (now - since) * bucket.rate)
        granted = left >= 1
        self._tokens[key] = (left - 1 if granted else left, now)
        return granted


# --- how each service says it -----------------------------------------------------------------------------------------

_TOO_MANY = (
    "You have exceeded the rate limit of AWS Organizations. Wait a moment, and then try to run the operation again."
)
_ORGANIZATIONS_ERRORS = {
    "throttled": (400, "TooManyRequestsException", _TOO_MANY),
    "denied": (400, "AccessDeniedException", "You don't have permissions to access this resource."),
    "expired": (400, "ExpiredTokenException", "The security token included in the request is expired"),
    "failed": (500, "ServiceException", "AWS Organizations can't complete your request because of an internal error."),
    "unavailable": (503, "ServiceUnavailableException", "Service is unavailable."),
}
_CLOUDTRAIL_ERRORS = {
    "throttled": (400, "ThrottlingException", "Rate exceeded"),
    "expired": (400, "ExpiredTokenException", "The security token included in the request is expired"),
    "failed": (500, "InternalFailure", "The request processing has failed because of an unknown error."),
    "unavailable": (503, "ServiceUnavailable", "The service is temporarily unavailable."),
}
_S3_ERRORS = {
    "throttled": (503, "SlowDown", "Please reduce your request rate."),
    "denied": (403, "AccessDenied", "Access Denied"),
    "expired": (400, "ExpiredToken", "The provided token has expired."),
    "failed": (500, "InternalError", "We encountered an internal error. Please try again."),
    "unavailable": (503, "ServiceUnavailable", "Service is unable to handle request."),
}
_QUERY_ERRORS = {
    "throttled": (400, "Throttling", "Rate exceeded"),
    "expired": (403, "ExpiredToken", "The security token included in the request is expired"),
    "failed": (500, "ServiceFailure", "The request processing has failed because of an unknown error."),
    "unavailable": (503, "ServiceUnavailable", "The service is temporarily unavailable."),
}


def service_error(kind: str, call: Call, principal: str) -> AwsError:
    if call.service == "organizations":
        return AwsError(*_ORGANIZATIONS_ERRORS[kind])
    if call.service == "s3":
        return AwsError(*_S3_ERRORS[kind])
    if kind == "denied":
        refusal = denied(principal, call.name, str(call.params.get("RoleArn", "*")))
        return in_json(refusal) if call.service == "cloudtrail" else refusal
    if call.service == "cloudtrail":
        return AwsError(*_CLOUDTRAIL_ERRORS[kind])
    return AwsError(*_QUERY_ERRORS[kind])


def denied(principal: str, action: str, resource: str, why: str = "") -> AwsError:
    """AccessDenied, as STS and IAM word it."""
    message = f"User: {principal} is not authorized to perform: {action} on resource: {resource}{why}"
    return AwsError(403, "AccessDenied", message)


def in_json(error: AwsError) -> AwsError:
    """The same refusal, as services that speak JSON number and name it."""
    return AwsError(400, f"{error.code}Exception", error.message)
