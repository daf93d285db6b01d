"""One user carried out: checked again, brought into the planned state stage by stage, each of them read back.

A call is made only where the user, read just before, still shows what it is about. So it does not matter where an
earlier attempt stopped, and a call that was made already is not made again for nothing.
"""

import asyncio
from collections.abc import Collection, Sequence
from contextlib import suppress

from scanner.aws.attachments import LiveUser
from scanner.aws.failures import CallError
from scanner.model import Choice, UserId
from scanner.record import RemediationOutcome
from scanner.remediation.account_view import gone_or_renamed
from scanner.remediation.calls import DELETE_USER, DETACH, PlannedCall
from scanner.remediation.grounds import Judge
from scanner.remediation.plan import newcomers, remaining, stages
from scanner.remediation.plan_document import PlannedUser, Reason
from scanner.remediation.refusals import refusal
from scanner.remediation.remediation_journal import Doing
from scanner.remediation.user_work import LAST_LOOK, Desk, Ending, StoppedError, UserWork, refused


class Application(UserWork):
    """Quarantine, or removal, of one user."""

    doing = Doing.APPLY

    def __init__(self, planned: PlannedUser, desk: Desk, judge: Judge, leaving: Collection[UserId]) -> None:
        super().__init__(planned, desk)
        self._judge = judge
        self._leaving = leaving  # the users of the account that are to go by this plan

    async def through(self) -> Ending:
        user = await self.view.user(self.target.user_name, self.deadline)
        if user is not None and user.user_id == self.target.user_id:
            await self._check(user)
            self.enter(self.planned.calls)
            return await self._bring_about(user)
        if user is not None and not self._deleted:
            detail = f"The user {user.user_name} is {user.user_id} now: the one that was planned is not it."
            raise StoppedError(RemediationOutcome.REFUSED, Reason.OTHER_USER_ID, detail)
        return await self._finish_gone()

    def left(self, user: LiveUser) -> tuple[str, ...]:
        """Return what still hangs on a user to be removed; of one to be quarantined, what is still active."""
        if self.target.choice is Choice.REMOVE:
            return tuple(thing.words for thing in user.attachments)
        todo = self._todo(self.planned.calls, user)
        return tuple(f"{call.words} was not done" for call in todo)

    async def _check(self, user: LiveUser) -> None:
        """Judge the user again, right before the first call on it."""
        last = await self.view.is_last_administrator(user, self._leaving, self.deadline)
        case = self._judge.case(
            self.target, user, last_administrator=last, planned=self.planned.before, ours=self.history.ours
        )
        against = refusal(case)
        if against is not None:
            raise refused(against)

    async def _bring_about(self, user: LiveUser) -> Ending:
        """Bring the user into each stage in turn; the last one of a removal is that it is gone."""
        now: LiveUser | None = user
        for stage in stages(self.planned.calls):
            try:
                now = await self._stage(stage, now)
            except (StoppedError, CallError):
                if stage[-1].action == DELETE_USER:
                    await self._deny_again(stage)
                raise
        if self.target.choice is Choice.REMOVE or now is None:
            return await self._finish_gone()
        return Ending(outcome=RemediationOutcome.DONE, detail=self._note())

    async def _stage(self, stage: Sequence[PlannedCall], user: LiveUser | None) -> LiveUser | None:
        looks = 0
        while todo := self._todo(stage, user):
            await self.make(todo)
            user = await self._look()
            if self._todo(stage, user):
                await self.settle(looks)
                looks += 1
                user = await self._look()
        return user

    def _todo(self, calls: Sequence[PlannedCall], user: LiveUser | None) -> tuple[PlannedCall, ...]:
        made = self.history
        todo = remaining(calls, user, made.deactivated, made.deleted)
        return tuple(call for call in todo if call.same_as not in self.unsupported)

    async def _look(self) -> LiveUser | None:
        """Read the user; stop where something was attached to it meanwhile."""
        user = await self.read()
        new = newcomers(self.planned.before, user, self.history.ours) if user is not None else ()
        if new:
            named = ", ".join(thing.words for thing in new)
            detail = f"While it was being worked on, this was attached or made active: {named}. Make a new plan."
            raise StoppedError(RemediationOutcome.FAILED, Reason.CHANGED_SINCE_PLANNING, detail)
        return user

    async def _deny_again(self, stage: Sequence[PlannedCall]) -> None:
        """Attach AWSDenyAll again to a user that could not be deleted after all: no step may leave it more rights."""
        detached = any(call.action == DETACH and call.same_as in self._made for call in stage)
        if detached and not self._deleted:
            with suppress(CallError):
                await self.make_one(self.planned.calls[0], asyncio.get_running_loop().time() + LAST_LOOK)

    async def _finish_gone(self) -> Ending:
        """Conclude on a user whose name nobody, or somebody else, has: no user of the account may have its ID."""
        devices = self._todo(self.planned.calls, None)
        if devices:
            self.enter(devices)
            await self._stage(devices, None)
        looks = 0
        while (name := await self.view.name_of(self.target.user_id, self.deadline)) is not None:
            if name.lower() != self.target.user_name.lower():
                why = gone_or_renamed(name, self.target.user_name)
                word = RemediationOutcome.FAILED if self.history.made else RemediationOutcome.REFUSED
                raise StoppedError(word, why.reason, why.detail)
            await self.settle(looks)
            looks += 1
        if self.target.choice is Choice.QUARANTINE:
            raise refused(gone_or_renamed(None, self.target.user_name))
        gone = "" if self._deleted else "Somebody else had deleted it. "
        return Ending(outcome=RemediationOutcome.DONE, detail=f"{gone}{self._note()}".strip())

    @property
    def _made(self) -> set[tuple[str, str]]:
        return {call.same_as for call in self.history.made}

    @property
    def _deleted(self) -> bool:
        """Whether this program deleted the user, or may have."""
        return (DELETE_USER, "") in self._made

    def _note(self) -> str:
        actions = sorted({action for action, _ in self.unsupported})
        return f"This partition of AWS has no {', '.join(actions)}." if actions else ""
