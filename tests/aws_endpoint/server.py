"""The endpoint on a loopback socket: HTTP/1.1 with keep-alive, spoken by callbacks alone to cost little.

async with Endpoint(world, [Fault("iam:ListUsers", throttle, when=first(2))]) as endpoint:
    ...  # AWS_ENDPOINT_URL = endpoint.url, AWS_ACCESS_KEY_ID = MANAGEMENT_KEY

with running(world) as endpoint:  # in a thread: for synchronous tests, and for the program in a process of its own
    ...
"""

import asyncio
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Self

from tests.aws_endpoint.ask import Ask
from tests.aws_endpoint.clock import Clock
from tests.aws_endpoint.faults import (
    Break,
    Bucket,
    Call,
    Delay,
    Do,
    Drip,
    Effect,
    Fault,
    Faults,
    Lie,
    Raw,
    Refuse,
    RefuseAsAws,
)
from tests.aws_endpoint.organization import SimulatedOrganization
from tests.aws_endpoint.services import Services, call_of
from tests.aws_endpoint.sessions import Caller, Session
from tests.aws_endpoint.wire import CONTINUE, AwsError, Reply, Request, error_reply, take_request, waits_with_its_body

_CLOSE_BY_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: on, for no time


class Endpoint:
    """A simulated AWS, its faults, and the record of what it was asked."""

    def __init__(
        self,
        world: SimulatedOrganization,
        faults: Iterable[Fault] = (),
        *,
        callers: Iterable[Caller] = (),
        latency: float | Mapping[str, float] = 0.0,  # seconds; or by action, as "iam:ListUsers", the rest under "*"
        clock: Clock | None = None,
        record: bool = True,  # False: count the calls, but do not keep them
    ) -> None:
        self.world = world
        self.clock = clock or Clock()
        self.faults = Faults(list(faults), self.clock)
        self.services = Services(world, callers, self.clock)
        self.calls: list[Call] = []
        self.counts: Counter[str] = Counter()  # "iam:ListUsers" → calls that came in, refused ones too
        self.rejected: list[AwsError] = []  # requests that were not let in: unknown keys, expired tokens, ...
        self.most_concurrent = 0  # calls begun and not yet answered; tells nothing without latency
        self.url = ""
        self._concurrent = 0
        self._latency = latency if isinstance(latency, Mapping) else {"*": latency}
        self._record = record
        self._connections: set[_Connection] = set()
        self._server: asyncio.Server | None = None
        self._defects: list[Exception] = []

    @property
    def sessions(self) -> list[Session]:
        """The sessions that AssumeRole gave out, in order."""
        return self.services.sessions.opened

    def calls_to(self, action: str) -> list[Call]:
        return [call for call in self.calls if call.name == action]

    # --- life

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self, loop), "127.0.0.1", 0, backlog=1024)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        while self._connections:
            for connection in list(self._connections):
                connection.abort()
            await asyncio.sleep(0)
        await self._server.wait_closed()
        if self._defects:
            raise self._defects[0]

    # --- one request

    def opened(self, connection: "_Connection") -> None:
        self._connections.add(connection)

    def closed(self, connection: "_Connection") -> None:
        self._connections.discard(connection)

    def begun(self) -> None:
        self._concurrent += 1
        self.most_concurrent = max(self.most_concurrent, self._concurrent)

    def ended(self) -> None:
        self._concurrent -= 1

    def answer(self, request: Request) -> "_Answer":
        """Answer; a defect of the endpoint itself becomes an HTTP 500, and is raised when the endpoint ends."""
        self.counts[f"{request.service}:{request.action}"] += 1
        try:
            ask = self.services.admit(request)
            return self._answer(ask, call_of(ask))
        except AwsError as error:
            self.rejected.append(error)
            return _Answer(error_reply(request.service, error))
        except Exception as defect:  # noqa: BLE001 - whatever it is, the test must hear of it
            self._defects.append(defect)
            return _Answer(Reply(500, "text/plain", repr(defect).encode()))

    def _answer(self, ask: Ask, call: Call) -> "_Answer":
        if self._record:
            self.calls.append(call)
        effects = self.faults.effects(call) if self.faults.rules else []
        delay = self._latency.get(call.name, self._latency.get("*", 0.0))
        delay += sum(effect.seconds for effect in effects if isinstance(effect, Delay))
        final = _apply(effects, call, ask.lies)
        try:
            match final:
                case None | Break() | Drip():
                    return _Answer(self.services.answer(ask), delay, final)
                case Raw(status, body, content_type):
                    return _Answer(Reply(status, content_type, body), delay)
                case Refuse() | RefuseAsAws():
                    raise final.error(call, ask.caller.arn)
        except AwsError as error:
            return _Answer(error_reply(call.service, error), delay)


@dataclass(frozen=True, slots=True)
class _Answer:
    reply: Reply
    delay: float = 0.0  # seconds
    manner: Break | Drip | None = None  # how it is sent, where that is not as usual


def _apply(effects: list[Effect], call: Call, lies: set[str]) -> Refuse | RefuseAsAws | Raw | Break | Drip | None:
    """Do what lets the call go on, and return the first effect that decides its answer."""
    final: Refuse | RefuseAsAws | Raw | Break | Drip | None = None
    for effect in effects:
        if isinstance(effect, Do):
            effect.callback(call)
        elif isinstance(effect, Lie):
            lies.add(effect.how)
        elif not isinstance(effect, Delay | Bucket):
            final = final or effect
    return final


class _Connection(asyncio.Protocol):
    """One client's connection: one request at a time, in order."""

    def __init__(self, endpoint: Endpoint, loop: asyncio.AbstractEventLoop) -> None:
        self._endpoint = endpoint
        self._loop = loop
        self._buffer = bytearray()
        self._busy = False
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._endpoint.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._endpoint.closed(self)
        self._end()

    def abort(self) -> None:
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if waits_with_its_body(self._buffer):
            self._transport.write(CONTINUE)
        self._serve_next()

    def _serve_next(self) -> None:
        if self._busy or not (request := take_request(self._buffer)):
            return
        self._busy = True
        self._endpoint.begun()
        answer = self._endpoint.answer(request)
        if answer.delay > 0:
            self._loop.call_later(answer.delay, self._send, answer.reply, answer.manner)
        else:
            self._send(answer.reply, answer.manner)

    def _send(self, reply: Reply, manner: Break | Drip | None) -> None:
        if self._transport.is_closing():
            return
        match manner:
            case None:
                self._transport.write(reply.head() + reply.body)
                self._end()
                self._serve_next()
            case Drip(seconds):
                self._transport.write(reply.head())
                self._drip(memoryview(reply.body), seconds)
            case Break("clip"):
                self._send(replace(reply, body=reply.body[: len(reply.body) // 2]), None)
            case Break(how):
                self._break(how, reply)

    def _drip(self, body: memoryview, seconds: float) -> None:
        if self._transport.is_closing():
            return
        if not body:
            self._end()
            self._serve_next()
            return
        self._transport.write(bytes(body[:1]))
        self._loop.call_later(seconds, self._drip, body[1:], seconds)

    def _break(self, how: str, reply: Reply) -> None:
        if how == "hang":
            return
        if how == "truncate":
            self._transport.write(reply.head() + reply.body[: len(reply.body) // 2])
        if how == "reset":
            bare: socket.socket = self._transport.get_extra_info("socket")
            bare.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _CLOSE_BY_RESET)
            self._transport.abort()
        else:
            self._transport.close()

    def _end(self) -> None:
        if self._busy:
            self._busy = False
            self._endpoint.ended()


# --- in a thread of its own -------------------------------------------------------------------------------------------


@contextmanager
def running(world: SimulatedOrganization, faults: Iterable[Fault] = (), **options: Any) -> Iterator[Endpoint]:
    """The endpoint, served by a thread with its own event loop; `options` as for `Endpoint`."""
    endpoint = Endpoint(world, faults, **options)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="aws-endpoint", daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(endpoint.__aenter__(), loop).result(10)
        try:
            yield endpoint
        finally:
            asyncio.run_coroutine_threadsafe(endpoint.__aexit__(), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
