"""What became of a user, and what this program has done to it so far: derived from the journal alone. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from scanner.aws.attachments import Key
from scanner.aws.call_answers import CallResult
from scanner.errors import ExitCode
from scanner.record import RemediationOutcome
from scanner.remediation.calls import ATTACH, DEACTIVATE, DELETE_DEVICE, PlannedCall
from scanner.remediation.plan_document import Plan, PlannedUser, Reason
from scanner.remediation.remediation_journal import (
    CallBegun,
    CallEnded,
    Concluded,
    Doing,
    Recorded,
    UserEvent,
)

_MAY_BE_MADE = frozenset({CallResult.DONE, None})


@dataclass(frozen=True, slots=True, kw_only=True)
class UserOutcome:
    """A user of the plan, as far as it has come."""

    planned: PlannedUser
    word: RemediationOutcome | None  # None: nothing was begun
    reason: Reason | None
    detail: str
    left: tuple[str, ...]
    calls: int  # changing calls that were made, those of undo too
    started_at: datetime | None
    finished_at: datetime | None  # when it became what it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a user is."""

    word: RemediationOutcome | None = None  # None: nothing was begun
    reason: Reason | None = None
    detail: str = ""
    left: tuple[str, ...] = ()
    at: datetime | None = None  # since when


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What this program has done to a user since the plan, or since it was undone."""

    made: tuple[PlannedCall, ...]  # calls of apply that were made, or may have been: their answer never came
    deactivated: frozenset[str]  # serial numbers of MFA devices that apply took off the user, or found gone
    deleted: frozenset[str]  # serial numbers of virtual MFA devices known to be deleted
    put_back: frozenset[Key]  # what an undo that was stopped has begun to put back

    @property
    def ours(self) -> frozenset[Key]:
        """What this program attached."""
        return frozenset(call.key for call in self.made if call.action == ATTACH and call.key is not None)

    @property
    def irreversible(self) -> tuple[PlannedCall, ...]:
        return tuple(call for call in self.made if not call.reversible)


def history(events: Sequence[UserEvent]) -> History:
    """Return what apply did since the plan, or since the last time that it was wholly undone."""
    undone = [at for at, event in enumerate(events) if _is(event, RemediationOutcome.UNDONE)]
    pairs = list(_calls(events[undone[-1] + 1 :] if undone else events))
    calls = [pair for pair in pairs if pair[0].doing is Doing.APPLY]
    reversals = [begun.call.key for begun, _ in pairs if begun.doing is Doing.UNDO]
    made = {begun.call.same_as: begun.call for begun, result in calls if result in _MAY_BE_MADE}
    gone = [begun.call for begun, result in calls if result in {*_MAY_BE_MADE, CallResult.ABSENT}]
    known = [begun.call for begun, result in calls if result in {CallResult.DONE, CallResult.ABSENT}]
    return History(
        made=tuple(made.values()),
        deactivated=frozenset(call.thing for call in gone if call.action == DEACTIVATE),
        deleted=frozenset(call.thing for call in known if call.action == DELETE_DEVICE),
        put_back=frozenset(key for key in reversals if key is not None),
    )


def _is(event: UserEvent, word: RemediationOutcome) -> bool:
    return isinstance(event, Concluded) and event.outcome is word


def _calls(events: Sequence[UserEvent]) -> Iterator[tuple[CallBegun, CallResult | None]]:
    """Give each call with its result; None where its answer never came."""
    begun: CallBegun | None = None
    for event in events:
        if isinstance(event, CallEnded) and begun is not None:
            yield begun, event.result
            begun = None
        elif isinstance(event, CallBegun):
            if begun is not None:
                yield begun, None
            begun = event
    if begun is not None:
        yield begun, None


def outcome(planned: PlannedUser, events: Sequence[UserEvent]) -> UserOutcome:
    """Return what became of a user; one that was stopped between two calls is FAILED, with what to do."""
    standing = standing_of(events)
    return UserOutcome(
        planned=planned,
        word=standing.word,
        reason=standing.reason,
        detail=standing.detail,
        left=standing.left,
        calls=sum(isinstance(event, CallBegun) for event in events),
        started_at=events[0].at if events else None,
        finished_at=standing.at,
    )


def standing_of(events: Sequence[UserEvent]) -> Standing:
    """Return what a user is by its journal lines."""
    if not events:
        return Standing()
    last = events[-1]
    if not isinstance(last, Concluded):
        detail = "It was stopped between two calls. Run the same command again: it resumes there."
        return Standing(word=RemediationOutcome.FAILED, reason=Reason.INTERRUPTED, detail=detail, at=last.at)
    concluded = _conclusion(events, last)
    word, detail = concluded.outcome, concluded.detail
    if word is RemediationOutcome.REFUSED and history(events).made:
        word, detail = RemediationOutcome.FAILED, f"It is half done, and was then refused. {detail}"
    return Standing(word=word, reason=concluded.reason, detail=detail, left=concluded.left, at=concluded.at)


def _conclusion(events: Sequence[UserEvent], last: Concluded) -> Concluded:
    """Return the conclusion that says what the user is now: an undo that was refused changed nothing."""
    changing = [
        event
        for event in events
        if isinstance(event, Concluded)
        and not (event.doing is Doing.UNDO and event.outcome is RemediationOutcome.REFUSED)
    ]
    return changing[-1] if changing else last


def outcomes(plan: Plan, recorded: Recorded) -> tuple[UserOutcome, ...]:
    """Return every user of the plan, in its order."""
    return tuple(outcome(user, recorded.of(user.target.key)) for user in plan.users)


def is_half_done(events: Sequence[UserEvent]) -> bool:
    """Tell whether something was changed, and neither brought to its end nor undone."""
    return standing_of(events).word is RemediationOutcome.FAILED and bool(history(events).made)


def exit_code(words: Sequence[RemediationOutcome | None]) -> ExitCode:
    """Return what the process says: failed wins over refused."""
    if RemediationOutcome.FAILED in words:
        return ExitCode.INCOMPLETE
    return ExitCode.UNAPPROVED if RemediationOutcome.REFUSED in words else ExitCode.OK
