"""The work on one user, as apply and undo share it: read it, make journaled calls under its sessions, conclude."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from scanner.aws.attachments import LiveUser
from scanner.aws.call_answers import CallAnswer, CallResult
from scanner.aws.clients import Session
from scanner.aws.failures import CallError
from scanner.aws.user_changes import change
from scanner.errors import ScannerError
from scanner.record import RemediationOutcome
from scanner.remediation.account_view import NOT_UNDERSTOOD, AccountView, not_read
from scanner.remediation.calls import ATTACH, DETACH, PlannedCall
from scanner.remediation.connection import Connection
from scanner.remediation.outcome import History, history
from scanner.remediation.patience import may_look_again
from scanner.remediation.plan_document import PlannedUser, Reason
from scanner.remediation.refusals import Refusal
from scanner.remediation.remediation_journal import (
    CallBegun,
    CallEnded,
    Concluded,
    Doing,
    RemediationJournal,
)
from scanner.remediation.session_policy import grants

LAST_LOOK: Final = 30.0  # seconds for what is still done about a user whose time is up

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How the work on a user ended."""

    outcome: RemediationOutcome
    reason: Reason | None = None
    detail: str = ""
    left: tuple[str, ...] = ()


class StoppedError(Exception):
    """The work on a user cannot go on."""

    def __init__(self, outcome: RemediationOutcome, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.ending = Ending(outcome=outcome, reason=reason, detail=detail)


def refused(why: Refusal) -> StoppedError:
    return StoppedError(RemediationOutcome.REFUSED, why.reason, why.detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the work on the users of one account shares."""

    connection: Connection
    view: AccountView
    journal: RemediationJournal
    obstacle: StoppedError | None  # what keeps the account from being entered


class UserWork:
    """One user of a plan. A subclass says what is to be done, in `through`, and what is then `left`."""

    doing: Doing

    def __init__(self, planned: PlannedUser, desk: Desk) -> None:
        self.planned = planned
        self.target = planned.target
        self.view = desk.view
        self.deadline = desk.connection.deadline()
        self._desk = desk
        self._events = list(desk.journal.recorded.of(planned.target.key))
        self._sessions: dict[tuple[str, str], Session] = {}
        self.last: CallAnswer | None = None  # what AWS said last, where it was not plainly "done"
        self.unsupported: set[tuple[str, str]] = set()  # calls that this partition of AWS does not have

    async def through(self) -> Ending:
        raise NotImplementedError

    def left(self, user: LiveUser) -> tuple[str, ...]:
        raise NotImplementedError

    async def conclude(self) -> Concluded:
        """Do the work to its end, whatever that is, and record it. Raises only what ends the program."""
        try:
            ending = await self.through() if self._desk.obstacle is None else self._desk.obstacle.ending
        except StoppedError as stopped:
            ending = stopped.ending
        except CallError as error:
            why = not_read(error)
            ending = Ending(outcome=RemediationOutcome.FAILED, reason=why.reason, detail=why.detail)
        except ScannerError:
            raise
        except Exception:  # the user's edge: a fault here must cost one user and never the others
            log.exception("user %s of account %s: unexpected", self.target.user_id, self.target.account.id)
            why = NOT_UNDERSTOOD
            ending = Ending(outcome=RemediationOutcome.FAILED, reason=why.reason, detail=why.detail)
        concluded = Concluded(
            account_id=self.target.account.id,
            user_id=self.target.user_id,
            doing=self.doing,
            outcome=ending.outcome,
            reason=ending.reason,
            detail=ending.detail,
            left=ending.left or await self._left_after(ending),
            at=_now(),
        )
        await self._desk.journal.append(concluded)
        return concluded

    @property
    def history(self) -> History:
        return history(self._events)

    async def read(self) -> LiveUser | None:
        """Read the user; None where nobody, or somebody else, has its name now."""
        user = await self.view.user(self.target.user_name, self.deadline, with_last_use=False)
        return user if user is not None and user.user_id == self.target.user_id else None

    def enter(self, calls: Sequence[PlannedCall]) -> None:
        """Prepare the sessions under which these calls are made; raise where they cannot be narrowed to the user."""
        split = grants(calls)
        if split is None:
            detail = "Its names are too long for a session policy of 2,048 characters. Do it by hand."
            raise StoppedError(RemediationOutcome.REFUSED, Reason.SESSION_POLICY, detail)
        for grant in split:
            session = self._desk.connection.changing(self.target.account.id, grant.policy)
            self._sessions.update((call.same_as, session) for call in grant.calls)

    async def make(self, calls: Sequence[PlannedCall]) -> None:
        """Make these calls in their order; stop at one that fails, and wait for AWS at one that cannot be made yet."""
        for call in calls:
            answer = await self.make_one(call, self.deadline)
            if answer.result is CallResult.UNSUPPORTED:
                self.unsupported.add(call.same_as)
            elif answer.result is CallResult.QUOTA and call.action == ATTACH:
                word = RemediationOutcome.FAILED if self.history.made else RemediationOutcome.REFUSED
                raise StoppedError(word, Reason.POLICY_QUOTA, f"{call.words}: {answer.words}")
            elif answer.result in {CallResult.FAILED, CallResult.QUOTA}:
                raise StoppedError(RemediationOutcome.FAILED, Reason.CALL_FAILED, f"{call.words}: {answer.words}")
            elif _is_waited_for(call, answer):
                return  # what comes after rests on it

    async def make_one(self, call: PlannedCall, deadline: float) -> CallAnswer:
        """Make one call, journaled before and after."""
        account_id, user_id = self.target.key
        begun = CallBegun(account_id=account_id, user_id=user_id, doing=self.doing, call=call, at=_now())
        await self._record(begun)
        answer = await change(self._sessions[call.same_as].until(deadline), call.action, call.parameters)
        log.debug("%s of account %s: %s: %s", user_id, account_id, call.words, answer.result)
        if answer.result is not CallResult.DONE:
            self.last = answer
        ended = CallEnded(
            account_id=account_id,
            user_id=user_id,
            result=answer.result,
            code=answer.code,
            detail=answer.detail,
            at=_now(),
        )
        await self._record(ended)
        return answer

    async def _record(self, event: CallBegun | CallEnded) -> None:
        await self._desk.journal.append(event)
        self._events.append(event)

    async def settle(self, looks: int) -> None:
        """Wait before the next look; raise where AWS was looked at often enough."""
        if not await may_look_again(looks):
            said = f" AWS said last: {self.last.words}." if self.last else ""
            detail = f"After {looks} more looks AWS still shows another state than it was brought into.{said}"
            raise StoppedError(RemediationOutcome.FAILED, Reason.NOT_SETTLED, detail)

    async def _left_after(self, ending: Ending) -> tuple[str, ...]:
        """Read once more what is left on a user that was not done; what cannot be read is said to be unknown."""
        if ending.outcome is not RemediationOutcome.FAILED or not self.history.made:
            return ()
        self.deadline = asyncio.get_running_loop().time() + LAST_LOOK
        try:
            user = await self.read()
        except CallError as error:
            return (f"not known: {not_read(error).detail}",)
        return () if user is None else self.left(user)


def _is_waited_for(call: PlannedCall, answer: CallAnswer) -> bool:
    """Tell whether the deny is neither on nor off yet: no key is touched before it is on."""
    if call.action == ATTACH:
        return answer.result in {CallResult.TRY_AGAIN, CallResult.ABSENT}
    return call.action == DETACH and answer.result is CallResult.TRY_AGAIN


def _now() -> datetime:
    return datetime.now(UTC)
