"""The caller's credentials, from wherever the SDK finds them.

A source may ask (MFA), block (credential_process) or sign in (SSO). So it runs in a thread of its own, with the display
stopped, and Ctrl-C ends the program meanwhile. Whatever it raises or returns is no reason for a traceback, and is not
quoted: it may be a secret.
"""

import asyncio
import io
import os
import sys
import termios
import time
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from threading import Thread
from typing import Any, Final, TypeVar

import aioboto3
from aiobotocore.session import AioSession
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    InvalidConfigError,
    ParamValidationError,
)

from scanner.aws.clients import CredentialSource, sdk_session
from scanner.aws.failures import trouble
from scanner.errors import StartError

T = TypeVar("T")

Paused = Callable[[], AbstractContextManager[None]]  # the display stops within it

REFRESH_BEFORE = 300  # seconds before the credentials expire; the SDK's 900 would never let a short session be used
ASK_AGAIN_AFTER = 30.0  # seconds, where the source gives credentials that expire sooner than that
SOURCE_SECONDS = 120.0  # for a source to answer, where there is no terminal in which a person may be asked

_FAILED: Final = "The AWS credentials could not be loaded:"
_NONE: Final = (
    "No AWS credentials were found. Sign in (aws sso login), set AWS_PROFILE or the AWS_ACCESS_KEY_ID variables, or "
    "give --profile."
)
_NO_SIGN_IN: Final = (
    "The profile, or its source_profile, signs in by `aws login`, which this program's AWS SDK does not support yet. "
    'Run: eval "$(aws configure export-credentials --format env)"; then try again without --profile.'
)
_NOBODY_TO_ASK: Final = (
    "The profile asks for an MFA code, and there is no terminal to type it in. Get a session beforehand (aws sts "
    "get-session-token, or a role assumed with MFA), or use credentials that do not ask."
)
_NO_CODE: Final = "The profile asks for an MFA code, and none was typed. Start again, and type it."
_CODE_REFUSED: Final = "If the MFA code was mistyped or used before (each works once), start again with the next one."
_INVALID: Final = (
    f"{_FAILED} the MFA code is not one of six digits, or the profile's role_arn, role_session_name, external_id or "
    "duration_seconds is not valid. Correct it, and start again."
)
_TOO_SLOW: Final = (
    f"{_FAILED} their source did not answer within {{:.0f}} seconds. If the profile names a credential_process, run it "
    "by hand: it must not wait for input."
)
_UNUSABLE: Final = (
    f"{_FAILED} their source failed, or did not give an access key, a secret key and, where they expire, a time with "
    "its time zone, which this machine's clock has not passed. If the profile names a credential_process, run it by "
    "hand: it must end with 0 and print the JSON that the AWS CLI asks for. A web_identity_token_file must exist. "
    "`aws sts get-caller-identity` shows whether it works."
)


async def caller_credentials(profile: str | None, paused: Paused = nullcontext) -> CredentialSource:
    """Find the caller's credentials as the SDK does (environment, profile, SSO, container, instance).

    What is returned refreshes itself where the credentials can, in the same way. Raises `StartError` where there are
    none, or none that can be used.
    """
    session = sdk_session(profile)
    mfa = "mfa_serial" in session.get_scoped_config()
    credentials = _CallerCredentials(profile, lambda load: _asked(paused, load, mfa=mfa))
    await credentials.current()

    async def source() -> ReadOnlyCredentials:
        try:
            return await credentials.current()
        except StartError as error:
            raise CredentialRetrievalError(provider="caller", error_msg="not refreshed") from error

    return source


def _load(session: AioSession) -> Any:
    try:
        credentials = asyncio.run(aioboto3.Session(botocore_session=session).get_credentials())
    except InvalidConfigError as error:  # a source_profile without credentials that the SDK knows
        raise StartError(_NO_SIGN_IN if _is_by_login(session) else f"{_FAILED} {error}") from error
    if credentials is None:
        raise StartError(_NO_SIGN_IN if _is_by_login(session) else _NONE)
    return credentials


def _is_by_login(session: AioSession) -> bool:
    profile = session.get_scoped_config()
    source = session.full_config["profiles"].get(profile.get("source_profile"), {})
    return "login_session" in profile or "login_session" in source


Asked = Callable[[Callable[[], ReadOnlyCredentials]], Awaitable[ReadOnlyCredentials]]


class _CallerCredentials:
    """The SDK's credentials, whose source is asked again before they expire: once for all the calls that wait."""

    def __init__(self, profile: str | None, asked: Asked) -> None:
        self._profile = profile
        self._asked = asked
        self._credentials: Any = None  # the SDK's, until it gives what cannot be used
        self._latest: ReadOnlyCredentials | None = None
        self._keep_until = 0.0  # by the monotonic clock
        self._asking: asyncio.Task[ReadOnlyCredentials] | None = None

    async def current(self) -> ReadOnlyCredentials:
        """Return credentials that are good now; raise `StartError` where the source does not give them."""
        if self._asking is None or (self._asking.done() and self._is_due(self._asking)):
            self._asking = asyncio.create_task(self._ask())
            self._asking.add_done_callback(_failed)  # looked at here, as perhaps nobody waits any more
        return await asyncio.shield(self._asking)

    def _is_due(self, last: asyncio.Task[ReadOnlyCredentials]) -> bool:
        return time.monotonic() >= self._keep_until and (_failed(last) or self._expires_within(REFRESH_BEFORE))

    def _expires_within(self, seconds: int) -> bool:
        """Whether they do, as the SDK sees it; credentials without an end have no such question."""
        refresh_needed = getattr(self._credentials, "refresh_needed", None)
        return refresh_needed is not None and bool(refresh_needed(seconds))

    async def _ask(self) -> ReadOnlyCredentials:
        try:
            self._latest = await self._asked(self._from_source)
        except StartError:
            if self._latest is None or self._credentials is None or self._expires_within(0):
                raise
        finally:
            self._keep_until = time.monotonic() + ASK_AGAIN_AFTER
        return self._latest

    def _from_source(self) -> ReadOnlyCredentials:
        """Load or refresh them, in a thread."""
        if self._credentials is None:
            self._credentials = _load(sdk_session(self._profile))
        try:
            latest: ReadOnlyCredentials = asyncio.run(self._credentials.get_frozen_credentials())
            _check(latest)
        except (StartError, TypeError):  # TypeError: their end has no time zone
            self._credentials = None
            raise
        return latest


def _failed(task: asyncio.Task[ReadOnlyCredentials]) -> bool:
    return task.cancelled() or task.exception() is not None


async def _asked(paused: Paused, load: Callable[[], T], *, mfa: bool) -> T:
    """Run a source in a thread; `mfa`: it asks for a code. Raises `StartError` for whatever it raises."""
    with paused():
        async with _terminal_restored():
            try:
                async with asyncio.timeout(None if _has_terminal() else SOURCE_SECONDS):
                    return await _in_a_thread(lambda: _with_a_terminal_or_none(load))
            except StartError:
                raise
            except TimeoutError:
                raise StartError(_TOO_SLOW.format(SOURCE_SECONDS)) from None
            except EOFError:
                raise StartError(_NO_CODE if _has_terminal() else _NOBODY_TO_ASK) from None
            except ClientError as error:
                raise _refused(error, mfa=mfa) from None
            except ParamValidationError:  # its text may quote what was typed
                raise StartError(_INVALID) from None
            except BotoCoreError as error:
                if getattr(error, "kwargs", {}).get("provider") == "custom-process":
                    raise StartError(_UNUSABLE) from None
                raise StartError(f"{_FAILED} {error}") from error
            except Exception:  # noqa: BLE001  # the SDK checks little of what a source gives it
                raise StartError(_UNUSABLE) from None


def _refused(error: ClientError, *, mfa: bool) -> StartError:
    refusal = trouble(error, f"sts:{error.operation_name}").failure
    remedy = refusal.remedy
    if error.operation_name != "AssumeRole":  # SSO, web identity: AWS's message says what it is about
        remedy = "Sign in again, and check the role, the account and the start URL that the profile names."
    elif mfa and refusal.code == "AccessDenied":
        remedy = f"{_CODE_REFUSED} Otherwise: {remedy}"
    return StartError(f"{_FAILED} {refusal.code}: {refusal.detail} {remedy}")


async def _in_a_thread(load: Callable[[], T]) -> T:
    """Run `load` in a thread that nobody waits for at the program's end: it may hang."""
    future: Future[T] = Future()

    def run() -> None:
        future.set_running_or_notify_cancel()
        try:
            future.set_result(load())
        except BaseException as error:  # noqa: BLE001  # it is raised where the result is awaited
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    return await asyncio.wrap_future(future)


def _with_a_terminal_or_none(load: Callable[[], T]) -> T:
    """Run `load`; without a terminal, what it asks for ends at once rather than waiting for input that never comes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that what is typed may be seen
        if _has_terminal():
            return load()
        with _no_input():
            return load()


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return sys.stdin is not None and sys.stdin.isatty()
    return True


@contextmanager
def _no_input() -> Iterator[None]:
    before, sys.stdin = sys.stdin, io.StringIO()
    try:
        yield
    finally:
        sys.stdin = before


@asynccontextmanager
async def _terminal_restored() -> AsyncIterator[None]:
    """Show again what is typed, also where Ctrl-C came in the middle of a prompt that hid it."""
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError:
        yield
        return
    try:
        before = termios.tcgetattr(terminal)
        try:
            yield
        finally:
            if os.tcgetpgrp(terminal) == os.getpgrp():  # the system stops a job in the background that does this
                termios.tcsetattr(terminal, termios.TCSANOW, before)
    finally:
        os.close(terminal)


def _check(credentials: ReadOnlyCredentials) -> None:
    """Refuse what AWS would refuse in words that lead astray; raise `StartError`."""
    parts = {
        "access key ID": credentials.access_key,
        "secret access key": credentials.secret_key,
        "session token": credentials.token,
    }
    for name, value in parts.items():
        if value is None and name == "session token":
            continue
        if not isinstance(value, str) or not value:
            raise StartError(_UNUSABLE)
        if value.strip() != value or not value.isprintable():
            raise StartError(
                f"The {name} of the AWS credentials contains a space, a line break or a similar character. "
                "Copy it again, without surrounding characters."
            )
