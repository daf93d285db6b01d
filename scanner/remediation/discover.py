"""From those who were decided about to a plan: each is read live, judged, and planned or spared. Changes nothing."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from scanner.aws.failures import CallError
from scanner.remediation.account_view import NOT_UNDERSTOOD, AccountView, gone_or_renamed, not_read
from scanner.remediation.connection import Connection
from scanner.remediation.grounds import Judge
from scanner.remediation.over_accounts import over_accounts
from scanner.remediation.plan import planned_calls
from scanner.remediation.plan_document import Organization, PlannedUser, Spared, Target
from scanner.remediation.progress import Progress
from scanner.remediation.refusals import Refusal, refusal
from scanner.remediation.risk_notes import notes

log = logging.getLogger(__name__)


class Discovery:
    """What became of each user that was decided about: planned, or spared with a reason."""

    def __init__(
        self, connection: Connection, judge: Judge, of: Organization, now: datetime, progress: Progress
    ) -> None:
        self._connection = connection
        self._judge = judge
        self._of = of
        self._now = now
        self._progress = progress
        self.users: list[PlannedUser] = []
        self.spared: list[Spared] = []

    async def run(self, targets: Sequence[Target]) -> None:
        """Read and judge all of them; accounts side by side, the users of one account one after the other."""
        by_account: dict[str, list[Target]] = defaultdict(list)
        for target in targets:
            by_account[target.account.id].append(target)
        await over_accounts(by_account.values(), self._account, self._connection.settings.concurrency)
        self.users.sort(key=lambda user: user.target.order)
        self.spared.sort(key=lambda spared: spared.target.order)

    async def _account(self, targets: Sequence[Target]) -> None:
        account = targets[0].account
        try:
            misplaced = await self._connection.misplaced(account, self._of)
        except CallError as error:
            for target in targets:
                self._spare(target, not_read(error), failed=True)
            return
        view = AccountView(self._connection, account.id)
        for target in targets:
            if misplaced is not None:
                self._spare(target, misplaced)
            else:
                await self._user(target, view, targets)

    async def _user(self, target: Target, view: AccountView, others: Sequence[Target]) -> None:
        deadline = self._connection.deadline()
        try:
            user = await view.user(target.user_name, deadline)
            if user is None:
                self._spare(target, gone_or_renamed(await view.name_of(target.user_id, deadline), target.user_name))
                return
            user = await view.judged(user, deadline)
            leaving = [other.user_id for other in others]
            case = self._judge.case(
                target, user, last_administrator=await view.is_last_administrator(user, leaving, deadline)
            )
            around = await view.surroundings(user, deadline)
        except CallError as error:
            self._spare(target, not_read(error), failed=True)
            return
        except Exception:  # the user's edge: a fault here must cost one user and never the plan
            log.exception("user %s of account %s: unexpected", target.user_id, target.account.id)
            self._spare(target, NOT_UNDERSTOOD, failed=True)
            return
        against = refusal(case)
        if against is not None:
            self._spare(target, against)
            return
        calls = planned_calls(target.choice, user, self._connection.caller.partition)
        planned = PlannedUser(target=target, before=user, calls=calls, notes=notes(user, around, self._now))
        self.users.append(planned)
        self._progress.finished("planned", self._connection.clients.meter)

    def _spare(self, target: Target, why: Refusal, *, failed: bool = False) -> None:
        self.spared.append(Spared(target=target, failed=failed, reason=why.reason, detail=why.detail))
        self._progress.finished("FAILED" if failed else "REFUSED", self._connection.clients.meter)
