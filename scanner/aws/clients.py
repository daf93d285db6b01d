"""One set of shared clients; whose call it is, is decided call by call.

A client a member account costs 20 to 60 times the CPU of the calls it makes, so there is one client a service, and each
call signs with the credentials of the `Session` that makes it. They travel in a ContextVar that has no default: a
call made outside a session raises LookupError before anything is sent, so a slip fails closed.

The SDK's own retries share one quota a client and give up in a storm, so they are off; the retries here are per call,
with back-off and full jitter, until the session's deadline. No more than `concurrency` calls are under way at once, and
fewer to a service that asks to slow down (`Pace`). A call that waits to be made again holds no place.
"""

import asyncio
import logging
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import aioboto3
from aiobotocore.config import AioConfig
from aiobotocore.credentials import AioCredentialResolver, AioCredentials
from aiobotocore.session import AioSession
from botocore import xform_name
from botocore.credentials import CredentialProvider, ReadOnlyCredentials
from botocore.exceptions import BotoCoreError, ProfileNotFound
from botocore.utils import parse_timestamp

from scanner.aws.failures import RETRIED, CallError, Trouble, bad_response, timed_out, trouble, without_secrets
from scanner.aws.pace import Pace
from scanner.errors import StartError

log = logging.getLogger(__name__)

CONNECT_TIMEOUT = 10  # seconds
READ_TIMEOUT = 30  # seconds between two bytes; the session's deadline bounds the whole
TRANSIENT_TRIES = 6  # of a call that finds no server, or nothing but server errors
GRACE = 0.25  # seconds, so that of two deadlines at the same moment the inner one comes first
BACKOFF_BASE = 0.2  # seconds
BACKOFF_CAP = 10.0  # seconds
EMPTY_PAGES = 100  # in a row; AWS gives "occasionally" one
STS_FLOOR = 2  # calls at once, so that one that hangs does not hold up all accounts
ORGANIZATIONS_SECONDS = 300.0  # a call to AWS Organizations, which throttles early, may take that long with its retries

_signing: ContextVar[ReadOnlyCredentials] = ContextVar("credentials of the current call")

CredentialSource = Callable[[], Awaitable[ReadOnlyCredentials]]


class _CurrentCredentials(AioCredentials):  # type: ignore[misc]  # the SDK has no types
    """Hands the signer whatever credentials the current call carries; LookupError where it carries none."""

    def __init__(self) -> None:
        super().__init__("unset", "unset")

    async def get_frozen_credentials(self) -> ReadOnlyCredentials:
        return _signing.get()


class _CurrentCredentialsProvider(CredentialProvider):  # type: ignore[misc]
    METHOD = "current-call"

    async def load(self) -> _CurrentCredentials:
        return _CurrentCredentials()


@contextmanager
def _signing_as(credentials: ReadOnlyCredentials) -> Iterator[None]:
    token = _signing.set(credentials)
    try:
        yield
    finally:
        _signing.reset(token)


def _timestamp(value: object) -> datetime:
    """Parse AWS's ISO 8601; the SDK's general parser takes a third of a scan's CPU time."""
    if isinstance(value, str):
        try:
            parsed = datetime.fromisoformat(value)
        except ValueError:
            pass
        else:
            if parsed.tzinfo is not None:
                return parsed
    return parse_timestamp(value)  # type: ignore[no-any-return]


def sdk_session(profile: str | None) -> AioSession:
    """Return a session of the SDK as the environment and the profile configure it.

    AWS_REGION counts before AWS_DEFAULT_REGION, as in the AWS CLI; botocore itself knows only the latter.
    Raises `StartError` where the profile is not configured, or the configuration cannot be read.
    """
    session = AioSession(profile=profile)
    try:
        session.get_scoped_config()  # read now: the first client would else be what fails, with the SDK's own error
    except ProfileNotFound as error:
        raise StartError(f"{error}. See `aws configure list-profiles`, or set AWS_PROFILE.") from error
    except BotoCoreError as error:
        raise StartError(f"The AWS configuration could not be read: {error}") from error
    if region := os.environ.get("AWS_REGION"):
        session.set_config_variable("region", region)
    return session


def _shared_session(profile: str | None) -> aioboto3.Session:
    """Return a session with the caller's configuration (region, endpoints, CA bundle) and nobody's credentials."""
    base = sdk_session(profile)
    base.register_component("credential_provider", AioCredentialResolver([_CurrentCredentialsProvider()]))
    base.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_timestamp)
    return aioboto3.Session(botocore_session=base)


@dataclass(slots=True)
class Meter:
    """What was called, and how often AWS asked to slow down."""

    calls: Counter[str] = field(default_factory=Counter)  # "iam:ListUsers" → attempts
    throttled: int = 0


class Clients:
    """The shared clients of a run: `async with Clients(...) as clients`."""

    def __init__(self, *, profile: str | None, concurrency: int) -> None:
        self.meter = Meter()
        self.profile = profile
        self.paces = {
            "sts": Pace(floor=STS_FLOOR, ceiling=concurrency),
            "iam": Pace(floor=concurrency, ceiling=concurrency),
            "organizations": Pace(floor=1, ceiling=concurrency),
        }
        self._gate = asyncio.Semaphore(concurrency)
        self._concurrency = concurrency
        self._clients: dict[str, Any] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        session = _shared_session(self.profile)
        config = AioConfig(
            retries={"mode": "standard", "total_max_attempts": 1},
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=READ_TIMEOUT,
            max_pool_connections=self._concurrency,
            # What is sent is ours and tested; checking it again costs a tenth of each call.
            parameter_validation=False,
            user_agent_extra="iam-scanner",
        )
        try:
            for service in ("sts", "iam", "organizations"):
                self._clients[service] = await self._stack.enter_async_context(session.client(service, config=config))
        except (BotoCoreError, ValueError, OSError) as error:
            await self._stack.aclose()
            raise StartError(f"The AWS settings (region, endpoint, CA bundle) cannot be used: {error}") from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def attempt(
        self, service: str, operation: str, credentials: ReadOnlyCredentials, parameters: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Send one call, once, with these credentials and no others."""
        method = getattr(self._clients[service], _method(operation))
        async with self._gate:
            self.meter.calls[f"{service}:{operation}"] += 1
            with _signing_as(credentials):
                response: dict[str, Any] = await method(**parameters)
        return response


def _method(operation: str) -> str:
    """`ListMFADevices` → `list_mfa_devices`, as the SDK names its methods."""
    return str(xform_name(operation))


class Session:
    """Calls with one account's credentials, that end by one deadline.

    `deadline` is in the event loop's time; None gives every call `ORGANIZATIONS_SECONDS` of its own.
    """

    def __init__(self, clients: Clients, credentials: CredentialSource, deadline: float | None = None) -> None:
        self.clients = clients
        self.credentials = credentials
        self._deadline = deadline

    def until(self, deadline: float) -> "Session":
        """Return the same session with another deadline."""
        return Session(self.clients, self.credentials, deadline)

    def time_left(self, seconds: float) -> bool:
        """Tell whether the deadline is further away than `seconds`."""
        return self._deadline is None or asyncio.get_running_loop().time() + seconds < self._deadline

    async def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call, again after throttling until the deadline, and a few times after server errors; raise `CallError`.

        The SDK's own error is not chained to it: a traceback would show what the server wrote, secrets included.
        """
        name = f"{service}:{operation}"
        last: Trouble | None = None
        deadline = self._deadline
        if deadline is None:
            deadline = asyncio.get_running_loop().time() + ORGANIZATIONS_SECONDS
        signer = await self._signer(name, deadline)
        pace, queued = self.clients.paces[service], False
        secrets = {"(session token)": signer.token, "(external id)": parameters.get("ExternalId")}
        try:
            async with asyncio.timeout_at(deadline):
                tries = broken = 0
                while True:
                    queued = True
                    try:
                        async with pace.place():
                            queued = False
                            return await self.clients.attempt(service, operation, signer, parameters)
                    except RETRIED as error:
                        last = trouble(error, name)
                        tries += 1
                        broken += last.transient
                        told = without_secrets(last.failure, secrets)
                        kind = type(error).__name__
                        log.debug("%s: try %d: %s %s (%s)", name, tries, told.reason, told.code or "", kind)
                        if last.throttled:
                            self.clients.meter.throttled += 1
                        elif not last.transient or broken >= TRANSIENT_TRIES:
                            raise CallError(told) from None
                    await asyncio.sleep(_backoff(tries))
        except TimeoutError:
            late = timed_out(name, last, held_back=queued and pace.slowed)
            raise CallError(without_secrets(late, secrets)) from None

    async def _signer(self, name: str, deadline: float) -> ReadOnlyCredentials:
        """Get the credentials; where they come by a call of their own, that says first why it was too late."""
        try:
            async with asyncio.timeout_at(deadline + GRACE):
                return await self.credentials()
        except TimeoutError:
            raise CallError(timed_out(name, None)) from None
        except RETRIED as error:
            raise CallError(trouble(error, name).failure) from None

    async def pages(self, operation: str, **parameters: Any) -> AsyncIterator[dict[str, Any]]:
        """Page through an AWS Organizations list, which may hold empty pages before the last one.

        Raises `CallError` where the list does not get on: the same token twice, or empty pages without end.
        """
        token: str | None = None
        seen: set[str] = set()
        empty = 0
        while True:
            page = await self.call("organizations", operation, **parameters, **({"NextToken": token} if token else {}))
            yield page
            token = page.get("NextToken")
            if not token:
                return
            empty = (
                0 if any(page.get(key) for key in page if key not in {"NextToken", "ResponseMetadata"}) else empty + 1
            )
            if token in seen or empty == EMPTY_PAGES:
                raise bad_response(f"organizations:{operation}", "The list does not get on: it has no end.")
            seen.add(token)


def _backoff(tries: int) -> float:
    """Return seconds to wait: exponential with full jitter, so that a throttled crowd does not come back as one."""
    return random.uniform(0, min(BACKOFF_CAP, BACKOFF_BASE * 2.0 ** min(tries, 10)))  # noqa: S311  # jitter, not a secret
