"""One user put back as it was before this program quarantined it."""

from scanner.aws.attachments import LiveUser
from scanner.record import RemediationOutcome
from scanner.remediation.account_view import gone_or_renamed
from scanner.remediation.plan import changed_since, undoing
from scanner.remediation.plan_document import Reason
from scanner.remediation.remediation_journal import Doing
from scanner.remediation.user_work import Ending, StoppedError, UserWork, refused


class Reversal(UserWork):
    """The undoing of a quarantine: what this program did is taken back, what others did since is left and named.

    So what was inactive before stays inactive, as this program made no call about it, and AWSDenyAll is detached only
    where this program attached it.
    """

    doing = Doing.UNDO

    async def through(self) -> Ending:
        made = self.history.made
        if self.history.irreversible:
            named = ", ".join(call.words for call in self.history.irreversible)
            detail = f"Only a quarantine can be undone, and these calls were made: {named}."
            raise StoppedError(RemediationOutcome.REFUSED, Reason.NOT_REVERSIBLE, detail)
        user = await self._look()
        todo = undoing(made, user)
        left = changed_since(made, user, self.planned.before, self.history.put_back)
        self.enter(todo)
        looks = 0
        while todo:
            await self.make(todo)
            user = await self._look()
            if todo := undoing(made, user):
                await self.settle(looks)
                looks += 1
                todo = undoing(made, await self._look())
        return Ending(outcome=RemediationOutcome.UNDONE, left=left)

    def left(self, user: LiveUser) -> tuple[str, ...]:
        return tuple(f"{call.words} was not done" for call in undoing(self.history.made, user))

    async def _look(self) -> LiveUser:
        user = await self.read()
        if user is None:
            name = await self.view.name_of(self.target.user_id, self.deadline)
            raise refused(gone_or_renamed(name, self.target.user_name))
        return user
