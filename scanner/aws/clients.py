"""One set of shared clients; whose call it is, is decided call by call.

A client a member account costs 20 to 60 times the CPU of the calls it makes, so there is one client a service, and each
call signs with the credentials of the `Session` that makes it. They travel in a ContextVar that has no default: a
call made outside a session raises LookupError before anything is sent, so a slip fails closed.

The SDK's own retries share one quota a client and give up in a storm, so they are off; the retries here are per call,
with back-off and full jitter, until the session's deadline. No more than `concurrency` calls are under way at once, and
fewer to a service that throttles (`Pace`). A call that waits to be made again holds no place.
"""

import asyncio
import logging
import os
import random
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit
from urllib.request import getproxies_environment

import aioboto3
from aiobotocore.config import AioConfig
from aiobotocore.credentials import AioCredentialResolver, AioCredentials
from aiobotocore.httpsession import AIOHTTPSession
from aiobotocore.session import AioSession
from botocore import xform_name
from botocore.config import Config
from botocore.credentials import CredentialProvider, ReadOnlyCredentials
from botocore.exceptions import BotoCoreError, ProfileNotFound
from botocore.handlers import json_decode_policies
from botocore.httpsession import get_cert_path
from botocore.utils import parse_timestamp

from scanner import __version__
from scanner.aws.failures import RETRIED, CallError, Trouble, bad_response, timed_out, trouble, without_secrets
from scanner.aws.pace import Pace
from scanner.errors import StartError

log = logging.getLogger(__name__)

CONNECT_TIMEOUT = 10  # seconds
READ_TIMEOUT = 30  # seconds between two bytes; the session's deadline bounds the whole
TRANSIENT_ATTEMPTS = 6  # of a call that finds no server, or nothing but server errors
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


class _CheckingHttpSession(AIOHTTPSession):  # type: ignore[misc]
    """Checks that a certificate is for the host that was meant, which the SDK leaves to a library it does not use."""

    def _get_ssl_context(self) -> ssl.SSLContext:
        context: ssl.SSLContext = super()._get_ssl_context()
        context.check_hostname = True
        return context


class _CheckingConfig(AioConfig):  # type: ignore[misc]
    """Has every client connect by `_CheckingHttpSession`; the SDK's own merging of configurations forgets it."""

    def __init__(self, *positional: Any, **options: Any) -> None:
        super().__init__(*positional, **options, http_session_cls=_CheckingHttpSession)

    def merge(self, other_config: Config) -> AioConfig:
        merged = super().merge(other_config)
        merged.http_session_cls = _CheckingHttpSession
        return merged


def sdk_session(profile: str | None) -> AioSession:
    """Return a session of the SDK as the environment and the profile configure it.

    AWS_REGION counts before AWS_DEFAULT_REGION, as in the AWS CLI; botocore itself knows only the latter.
    Raises `StartError` where the profile is not configured, the configuration cannot be read, or a CA bundle or a proxy
    cannot be one: the SDK would say that the connection broke.
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
    _trust(session)
    _check_proxies()
    return session


def _trust(session: AioSession) -> None:
    """Have certificates and their names checked by every client, also those that load credentials.

    The SDK (aiobotocore 2.25) checks no certificate at all behind a proxy and where AWS_CA_BUNDLE is set to nothing,
    unless it is given a CA bundle for both. Names it never checks.
    """
    bundle = session.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE")
    if bundle:
        try:
            ssl.create_default_context(cafile=bundle)
        except OSError as error:
            raise StartError(
                f"The CA bundle {bundle} cannot be read, or holds no certificate in PEM format. It is named by "
                "AWS_CA_BUNDLE, by ca_bundle in the profile, or by REQUESTS_CA_BUNDLE: correct the path."
            ) from error
    trusted = get_cert_path(bundle or True)
    session.set_config_variable("ca_bundle", trusted)
    session.set_default_client_config(_CheckingConfig(proxies_config={"proxy_ca_bundle": trusted}))


def _check_proxies() -> None:
    for scheme, url in getproxies_environment().items():
        if scheme in {"http", "https"} and not _is_server(url if "://" in url else f"http://{url}"):
            raise StartError(
                f"{scheme.upper()}_PROXY does not hold the URL of a proxy. Write it as http://proxy.example.com:3128."
            )


def _check_endpoint(url: str) -> None:
    if not _is_server(url):
        raise ValueError("AWS_ENDPOINT_URL, or endpoint_url in the profile, is not the URL of a server.")


def _is_server(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and url.isprintable()
    except ValueError:  # a port that is not a number
        return False


def _shared_session(base: AioSession) -> aioboto3.Session:
    """Return a session with the caller's configuration (region, endpoints, CA bundle) and nobody's credentials."""
    base.register_component("credential_provider", AioCredentialResolver([_CurrentCredentialsProvider()]))
    base.unregister("after-call.iam", json_decode_policies)  # we read what we judge, and not each version of a policy
    base.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_timestamp)
    return aioboto3.Session(botocore_session=base)


@dataclass(slots=True)
class Meter:
    """What was called, and how often AWS throttled."""

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
            "cloudtrail": Pace(floor=concurrency, ceiling=concurrency),  # counts by the account that is asked, as IAM
            "organizations": Pace(floor=1, ceiling=concurrency),
            "s3": Pace(floor=1, ceiling=concurrency),
        }
        self._gate = asyncio.Semaphore(concurrency)
        self._concurrency = concurrency
        self._clients: dict[str, Any] = {}
        self._opening = asyncio.Lock()
        self._open: Callable[..., Any]
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        sdk = sdk_session(self.profile)
        session = _shared_session(sdk)
        config = AioConfig(
            retries={"mode": "standard", "total_max_attempts": 1},
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=READ_TIMEOUT,
            max_pool_connections=self._concurrency,
            # What is sent is ours and tested; checking it again costs a tenth of each call.
            parameter_validation=False,
            # What S3 keeps is checked by the SHA-256 that goes with it; the SDK would add a CRC of its own.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            # Said once: the SDK would else put it together for each call, at a sixteenth of a scan's CPU.
            user_agent=f"iam-scanner/{__version__} {sdk.user_agent()}",
        )
        self._open = partial(session.client, config=config)
        try:
            for service in ("sts", "iam", "organizations"):
                await self._enter(service, None)
        except (BotoCoreError, ValueError, OSError) as error:
            await self._stack.aclose()
            raise StartError(
                f"The AWS settings (profile, region, endpoint, CA bundle) cannot be used: {error}"
            ) from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    @property
    def region(self) -> str:
        """The Region in which STS is called, as the environment and the profile have it."""
        return str(self._clients["sts"].meta.region_name)

    async def _enter(self, service: str, region: str | None) -> None:
        client = await self._stack.enter_async_context(self._open(service, region_name=region))
        _check_endpoint(client.meta.endpoint_url)
        self._clients[service] = client

    async def open_for(self, call: str, region: str | None) -> None:
        """Have a client for a call that not every run makes, in this Region; it is made once. Raises `CallError`."""
        service = call.partition(":")[0]
        async with self._opening:
            if service not in self._clients:
                try:
                    await self._enter(service, region)
                except (BotoCoreError, ValueError, OSError) as error:
                    detail = "The AWS settings (region, endpoint, CA bundle) cannot be used for this service."
                    raise bad_response(call, detail) from error

    async def attempt(
        self, service: str, operation: str, credentials: ReadOnlyCredentials, parameters: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Send one call, once, with these credentials and no others."""
        method = getattr(self._clients[service], _method(operation))
        async with self._gate:
            self.meter.calls[f"{service}:{operation}"] += 1
            with _signing_as(credentials):
                response: dict[str, Any] = await method(**parameters)
                if service == "s3" and "Body" in response:  # read here, where a connection that breaks is tried again
                    async with response["Body"] as stream:
                        response["Body"] = await stream.read()
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

    def within(self, part: float) -> "Session":
        """Return the same session with this part of the time that is left until its deadline."""
        if self._deadline is None:
            return self
        now = asyncio.get_running_loop().time()
        return self.until(now + part * (self._deadline - now))

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
                attempts = broken = 0
                while True:
                    queued = True
                    try:
                        async with pace.place():
                            queued = False
                            return await self.clients.attempt(service, operation, signer, parameters)
                    except RETRIED as error:
                        last = trouble(error, name)
                        attempts += 1
                        broken += last.transient
                        failure = without_secrets(last.failure, secrets)
                        kind = type(error).__name__
                        log.debug(
                            "%s: attempt %d: %s %s (%s)", name, attempts, failure.reason, failure.code or "", kind
                        )
                        if last.throttled:
                            self.clients.meter.throttled += 1
                        elif not last.transient or broken >= TRANSIENT_ATTEMPTS:
                            raise CallError(failure) from None
                    await asyncio.sleep(_backoff(attempts))
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
                raise bad_response(f"organizations:{operation}", "The list does not advance, and would never end.")
            seen.add(token)


def _backoff(attempts: int) -> float:
    """Return seconds to wait: exponential with full jitter, so that a throttled crowd does not come back as one."""
    return random.uniform(0, min(BACKOFF_CAP, BACKOFF_BASE * 2.0 ** min(attempts, 10)))  # noqa: S311  # jitter, not a secret
