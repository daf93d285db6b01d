"""The program's own clients and session, pointed at a simulated AWS."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from scanner.aws.clients import Clients, Session
from scanner.aws.credentials import caller_credentials
from scanner.aws.failures import CallError
from scanner.model import Failure
from tests.aws_endpoint import MANAGEMENT_KEY, Endpoint, Fault, SimulatedOrganization
from tests.program import calling


@asynccontextmanager
async def asking(
    world: SimulatedOrganization,
    faults: Iterable[Fault] = (),
    *,
    key: str = MANAGEMENT_KEY,
    seconds: float | None = None,
    concurrency: int = 16,
    **options: Any,
) -> AsyncIterator[tuple[Endpoint, Session]]:
    """The endpoint, and a session with the caller's own credentials; `seconds` is until its deadline."""
    async with Endpoint(world, faults, **options) as endpoint:
        with calling(endpoint, key):
            async with Clients(profile=None, concurrency=concurrency) as clients:
                deadline = None if seconds is None else asyncio.get_running_loop().time() + seconds
                yield endpoint, Session(clients, await caller_credentials(None), deadline)


async def refusal(session: Session, service: str, operation: str, **parameters: Any) -> Failure:
    """What the call ends with."""
    try:
        answer = await session.call(service, operation, **parameters)
    except CallError as error:
        return error.failure
    raise AssertionError(answer)
