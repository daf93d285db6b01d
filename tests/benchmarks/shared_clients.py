"""The least that the calls of a basic scan cost with the AWS SDK, to compare with: one client a service, whose calls
carry the credentials of their account. The SDK is set up as the program sets it up.

python -m tests.benchmarks.shared_clients prints how many calls it made and how many users there are.
"""

import asyncio
import os
import re
from collections.abc import Mapping
from contextlib import AsyncExitStack
from contextvars import ContextVar
from datetime import datetime
from typing import Any, Self

import aioboto3
from aiobotocore.config import AioConfig
from aiobotocore.credentials import AioCredentialResolver, AioCredentials
from aiobotocore.session import AioSession
from botocore.credentials import CredentialProvider, ReadOnlyCredentials
from botocore.utils import parse_timestamp

from tests.benchmarks.basic_calls import AT_ONCE, Calls, Keys

_current: ContextVar[ReadOnlyCredentials] = ContextVar("credentials of the current call")
_CAPITAL = re.compile("(?<!^)(?=[A-Z])")


def _timestamp(value: Any) -> datetime:
    """IAM's and STS's are texts, which the SDK parses slowly; Organizations' are numbers."""
    parsed: datetime = datetime.fromisoformat(value) if isinstance(value, str) else parse_timestamp(value)
    return parsed


class _Current(AioCredentials):  # type: ignore[misc]  # the SDK has no types
    async def get_frozen_credentials(self) -> ReadOnlyCredentials:
        return _current.get()


class _Provider(CredentialProvider):  # type: ignore[misc]
    METHOD = "current-call"

    async def load(self) -> _Current:
        return _Current("unset", "unset")


class SharedClients:
    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._clients: dict[str, Any] = {}

    async def __aenter__(self) -> Self:
        base = AioSession()
        base.register_component("credential_provider", AioCredentialResolver([_Provider()]))
        parsers = base.get_component("response_parser_factory")
        parsers.set_parser_defaults(timestamp_parser=_timestamp)
        session = aioboto3.Session(botocore_session=base)
        retries = {"mode": "standard", "total_max_attempts": 1}
        config = AioConfig(retries=retries, max_pool_connections=AT_ONCE, parameter_validation=False)
        for service in ("sts", "iam", "organizations"):
            self._clients[service] = await self._stack.enter_async_context(session.client(service, config=config))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def call(self, keys: Keys, service: str, operation: str, **parameters: Any) -> Mapping[str, Any]:
        _current.set(ReadOnlyCredentials(*keys))  # each account has a task and so a context of its own
        answer: Mapping[str, Any] = await getattr(self._clients[service], _CAPITAL.sub("_", operation).lower())(
            **parameters
        )
        return answer


async def main() -> None:
    async with SharedClients() as client:
        calls = Calls(client, (os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"], None))
        users = await calls.count_users()
    print(calls.made, users)


if __name__ == "__main__":
    asyncio.run(main())
