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
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from typing import Any, Final, TypeVar

import aioboto3
from aiobotocore.session import AioSession
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import BotoCoreError, ClientError, CredentialRetrievalError

from scanner.aws.clients import CredentialSource, sdk_session
from scanner.aws.failures import trouble
from scanner.errors import StartError

T = TypeVar("T")

Paused = Callable[[], AbstractContextManager[None]]  # the display stops within it

_NONE: Final = (
    "No AWS credentials were found. Sign in (aws sso login), set AWS_PROFILE or the AWS_ACCESS_KEY_ID variables, or "
    "give --profile."
)
_NO_SIGN_IN: Final = (
    "The profile signs in by `aws login`, which the AWS SDK of this program does not know yet. Run: "
    'eval "$(aws configure export-credentials --format env)"; then try again without --profile.'
)
_NOBODY_TO_ASK: Final = (
    "The profile asks for an MFA code, and there is no terminal to type it in. Get a session beforehand (aws sts "
    "get-session-token, or a role assumed with MFA), or use credentials that do not ask."
)
_UNUSABLE: Final = (
    "The AWS credentials could not be loaded: their source failed, or did not give an access key, a secret key and, "
    "where they expire, a time with its time zone. If the profile names a credential_process, run it by hand: it must "
    "end with 0 and print the JSON that the AWS CLI asks for. `aws sts get-caller-identity` shows whether it works."
)


async def caller_credentials(profile: str | None, paused: Paused = nullcontext) -> CredentialSource:
    """Find the caller's credentials as the SDK does (environment, profile, SSO, container, instance).

    What is returned refreshes itself where the credentials can, in the same way. Raises `StartError` where there are
    none, or none that can be used.
    """
    session = sdk_session(profile)
    found = await _asked(paused, lambda: _load(session))
    refreshing = asyncio.Lock()

    async def source() -> ReadOnlyCredentials:
        try:
            if not _needs_refresh(found):
                return await _frozen(found)
            async with refreshing:
                return await _asked(paused, lambda: asyncio.run(_frozen(found)))
        except StartError as error:
            raise CredentialRetrievalError(provider=found.method, error_msg="not refreshed") from error

    try:
        _check(await source())
    except CredentialRetrievalError as error:
        raise error.__cause__ or StartError(_UNUSABLE) from None
    return source


def _load(session: AioSession) -> Any:
    found = asyncio.run(aioboto3.Session(botocore_session=session).get_credentials())
    if found is None:
        raise StartError(_NO_SIGN_IN if "login_session" in session.get_scoped_config() else _NONE)
    return found


async def _frozen(found: Any) -> ReadOnlyCredentials:
    credentials: ReadOnlyCredentials = await found.get_frozen_credentials()
    return credentials


def _needs_refresh(found: Any) -> bool:
    """Whether the SDK would ask the source again now; credentials that do not expire have no such question."""
    asks = getattr(found, "refresh_needed", None)
    try:
        return asks is not None and bool(asks())
    except TypeError:  # their end has no time zone
        raise StartError(_UNUSABLE) from None


async def _asked(paused: Paused, load: Callable[[], T]) -> T:
    """Run a source in a thread. Raises `StartError` for whatever it raises."""
    with paused():
        async with _terminal_restored():
            try:
                return await asyncio.to_thread(_with_a_terminal_or_none, load)
            except StartError:
                raise
            except EOFError:
                raise StartError(_NOBODY_TO_ASK) from None
            except ClientError as error:
                refused = trouble(error, f"sts:{error.operation_name}").failure
                raise StartError(
                    f"The AWS credentials could not be loaded. {refused.code}: {refused.detail} {refused.remedy}"
                ) from None
            except BotoCoreError as error:
                if getattr(error, "kwargs", {}).get("provider") == "custom-process":
                    raise StartError(_UNUSABLE) from None
                raise StartError(f"The AWS credentials could not be loaded: {error}") from error
            except Exception:  # noqa: BLE001  # the SDK checks little of what a source gives it
                raise StartError(_UNUSABLE) from None


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
def _no_input() -> Any:
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
                f"The {name} of the AWS credentials holds a blank, a line break or the like, which does not belong "
                "there. Copy it again, without what stands around it."
            )
