"""The journal of a plan: what was done to each user, one JSON object a line, chained as a scan's journal is.

    opened      apply or undo begins on the plan
    call        a changing call is about to be made; on the disk before it is made
    answer      what AWS said to it
    outcome     a user is done, refused, failed or undone
    closed      apply or undo ends

Each line carries the SHA-256 of the line before it, newline included. What became of a user is derived from these lines
alone. A line without its newline was torn by a crash and is dropped; any other that does not chain is a refusal.
"""

import asyncio
import os
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeAlias

from pydantic import TypeAdapter, ValidationError

from scanner.aws.call_answers import CallResult
from scanner.errors import OutputError, UsageError
from scanner.files import lock, sync_folder, write_all
from scanner.model import AccountId, UserId
from scanner.record import RemediationOutcome, UserKey
from scanner.remediation.calls import PlannedCall
from scanner.remediation.limits import Allowances
from scanner.remediation.plan_document import Reason
from scanner.runs.folder import JOURNAL
from scanner.runs.journal import NO_LINE, JournalError, chain_line, chained


class Doing(StrEnum):
    APPLY = "apply"
    UNDO = "undo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Apply or undo begins."""

    plan_id: str
    plan_sha256: str
    doing: Doing
    at: datetime
    program_version: str
    caller_arn: str
    allowances: Allowances


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBegun:
    """A call is about to be made."""

    account_id: AccountId
    user_id: UserId
    doing: Doing
    call: PlannedCall
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded:
    """What AWS said to the call that was begun last for this user."""

    account_id: AccountId
    user_id: UserId
    result: CallResult
    code: str | None
    detail: str | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Concluded:
    """A user is through, for this time."""

    account_id: AccountId
    user_id: UserId
    doing: Doing
    outcome: RemediationOutcome
    reason: Reason | None  # None: done, or undone
    detail: str
    left: tuple[str, ...]  # what is still on the user, or was left as somebody else changed it
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """Apply or undo ends."""

    at: datetime
    api_calls: Mapping[str, int]  # "iam:DeleteUser" → attempts
    throttled: int  # throttled responses
    interrupted: bool


Event: TypeAlias = Opened | CallBegun | CallEnded | Concluded | Closed
UserEvent: TypeAlias = CallBegun | CallEnded | Concluded
_TYPES: Mapping[str, TypeAdapter[Any]] = {
    "opened": TypeAdapter(Opened),
    "call": TypeAdapter(CallBegun),
    "answer": TypeAdapter(CallEnded),
    "outcome": TypeAdapter(Concluded),
    "closed": TypeAdapter(Closed),
}
_NAMES: Mapping[type[Event], str] = {
    Opened: "opened",
    CallBegun: "call",
    CallEnded: "answer",
    Concluded: "outcome",
    Closed: "closed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What a journal holds, wherever it stopped."""

    events: tuple[Event, ...]
    users: Mapping[UserKey, tuple[UserEvent, ...]]  # of these, those of each user, in order
    last: str  # the digest of the last whole line
    length: int  # bytes up to its end

    def of(self, key: UserKey) -> tuple[UserEvent, ...]:
        """Return what was recorded of one user, in order."""
        return self.users.get(key, ())


NOTHING: Final = Recorded(events=(), users={}, last=NO_LINE, length=0)


def encode(event: Event, previous: str) -> tuple[bytes, str]:
    """Return the line's bytes, newline included, and their digest, which the next line carries."""
    name = _NAMES[type(event)]
    return chain_line(name, _TYPES[name].dump_python(event, mode="json"), previous)


def decode(data: bytes) -> Recorded:
    """Read as much as was written; raise `JournalError` naming the first whole line that is wrong."""
    whole = data[: data.rfind(b"\n") + 1]
    events: list[Event] = []
    users: dict[UserKey, list[UserEvent]] = defaultdict(list)
    last = NO_LINE
    for number, content, digest in chained(whole):
        event = _event(number, content)
        if number == 1 and not isinstance(event, Opened):
            raise JournalError("journal line 1 does not say which plan it is about.")
        events.append(event)
        if isinstance(event, CallBegun | CallEnded | Concluded):
            users[event.account_id, event.user_id].append(event)
        last = digest
    by_user = {key: tuple(own) for key, own in users.items()}
    return Recorded(events=tuple(events), users=by_user, last=last, length=len(whole))


def _event(number: int, content: dict[str, Any]) -> Event:
    try:
        event: Event = _TYPES[content.pop("type")].validate_python(content)
    except (ValidationError, KeyError, TypeError) as error:
        raise JournalError(f"journal line {number} is not one that this program writes.") from error
    return event


def read(folder: Path) -> Recorded:
    """Read the journal in a plan's folder; empty where nothing was begun. Raises `JournalError`."""
    try:
        return decode((folder / JOURNAL).read_bytes())
    except FileNotFoundError:
        return NOTHING


class RemediationJournal:
    """The journal of a plan, open and locked: two processes on one plan would break its chain, and worse."""

    def __init__(self, folder: Path, plan_sha256: str) -> None:
        """Open it, or begin it; raise `UsageError` where another process has it, or it is not of this plan."""
        self._path = folder / JOURNAL
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._failed: OutputError | None = None
        try:
            busy = f"Another process is at work on {folder}. Wait for its end, or stop it."
            lock(self._descriptor, folder, busy=busy)
            self.recorded = decode(_everything(self._descriptor))
            _refuse_other_plan(self.recorded, plan_sha256, folder)
            os.ftruncate(self._descriptor, self.recorded.length)  # a torn line
            sync_folder(folder)  # a journal that a crash could lose would not know of the calls that were made
        except BaseException:
            os.close(self._descriptor)
            raise
        self._previous = self.recorded.last

    async def append(self, event: Event) -> None:
        """Write one line; it is on the disk when this returns, but for an answer. Raises `OutputError`.

        Once the disk has not taken a line, no further one is taken, and so no further call is made.
        """
        if self._failed:
            raise self._failed
        data, digest = encode(event, self._previous)
        try:
            write_all(self._descriptor, data)
            self._previous = digest  # before anything is awaited: the next line may come meanwhile
            if not isinstance(event, CallEnded):
                await asyncio.to_thread(os.fsync, self._descriptor)
        except OSError as error:
            self._failed = OutputError(
                f"{self._path} cannot be written: {error.strerror or error}. No further call was made. When there is "
                "room, run the same command again."
            )
            raise self._failed from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with suppress(OSError):  # what was lost is an answer, which the next read of the user shows
            os.fsync(self._descriptor)
        os.close(self._descriptor)


def _everything(descriptor: int) -> bytes:
    os.lseek(descriptor, 0, os.SEEK_SET)
    chunks = []
    while chunk := os.read(descriptor, 1 << 20):
        chunks.append(chunk)
    return b"".join(chunks)


def _refuse_other_plan(recorded: Recorded, plan_sha256: str, folder: Path) -> None:
    for event in recorded.events:
        if isinstance(event, Opened) and event.plan_sha256 != plan_sha256:
            raise UsageError(
                f"The journal in {folder} is of a plan with another digest: plan.json was exchanged since. Make a new "
                "plan."
            )
