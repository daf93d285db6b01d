"""`remediate apply` and `remediate undo`: a plan carried out, or put back, user by user, with a journal."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from scanner import __version__
from scanner.aws.clients import Clients
from scanner.aws.failures import CallError
from scanner.errors import ExitCode, InterruptedRunError, UsageError
from scanner.model import Account, Choice
from scanner.record import RemediationOutcome, UserKey
from scanner.remediation import earlier_plans, plan_folder, remediation_journal
from scanner.remediation.account_view import AccountView, not_read
from scanner.remediation.calls import PlannedCall
from scanner.remediation.carry_out import Application
from scanner.remediation.connection import Connection, connect
from scanner.remediation.grounds import Grounds, Judge
from scanner.remediation.limits import MAX_USERS, Allowances
from scanner.remediation.make_plan import grounds_of, refuse_too_many
from scanner.remediation.outcome import UserOutcome, exit_code, history, outcomes
from scanner.remediation.over_accounts import over_accounts
from scanner.remediation.plan_document import Plan, PlannedUser, Reason
from scanner.remediation.progress import Progress
from scanner.remediation.remediation_journal import Closed, Concluded, Doing, Opened, RemediationJournal
from scanner.remediation.results import write_results
from scanner.remediation.targets import Part
from scanner.remediation.undo import Reversal
from scanner.remediation.user_work import Desk, StoppedError, refused
from scanner.safelist.entries import check_organization, parse, read
from scanner.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyRequest:
    """Which plan is to be carried out or undone, and on what terms."""

    doing: Doing
    plan: str  # a folder, or a plan ID
    settings: Settings
    now: datetime
    role_name: str | None = None  # None: the role of the plan, whatever the settings say by now
    part: Part = field(default_factory=Part)
    max_users: int = MAX_USERS
    allowances: Allowances = field(default_factory=Allowances)  # beyond those of the plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A plan that was read and checked, and the users that are still to be worked on. No call was made."""

    request: ApplyRequest
    plan: Plan
    digest: str
    folder: Path
    todo: tuple[PlannedUser, ...]
    made: Mapping[UserKey, tuple[PlannedCall, ...]]  # what this plan has done to users so far, and not undone
    outcomes: tuple[UserOutcome, ...]  # of the part that was asked for, as the journal has them


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How it ended."""

    pending: Pending
    outcomes: tuple[UserOutcome, ...]  # of the part that was asked for
    concluded: tuple[Concluded, ...]  # this time
    results: Path

    @property
    def exit_code(self) -> ExitCode:
        if self.pending.request.doing is Doing.UNDO:
            return exit_code([concluded.outcome for concluded in self.concluded])
        return exit_code([outcome.word for outcome in self.outcomes])


def prepare(request: ApplyRequest) -> Pending:
    """Read the plan and its journal; raise `UsageError` where it may not be carried out, or undone."""
    folder = plan_folder.find(request.plan, request.settings.output)
    plan, digest = plan_folder.load(folder)
    if request.doing is Doing.APPLY and request.now > plan.expires_at:
        raise UsageError(
            f"The plan {plan.plan_id} is of {plan.created_at:%Y-%m-%d}, and a plan lives for seven days: too much may "
            "have changed. Make a new one: iam-scanner remediate plan."
        )
    taken = {target.key for target in request.part.of([user.target for user in plan.users])}
    recorded = remediation_journal.read(folder)
    of_part = tuple(outcome for outcome in outcomes(plan, recorded) if outcome.planned.target.key in taken)
    made = {key: history(events).made for key, events in recorded.users.items()}
    todo = tuple(outcome.planned for outcome in of_part if _is_to_do(request.doing, outcome, made))
    if not todo and request.doing is Doing.UNDO:
        raise UsageError(f"There is nothing to undo: no user of the plan {plan.plan_id} is quarantined by it.")
    return Pending(request=request, plan=plan, digest=digest, folder=folder, todo=todo, made=made, outcomes=of_part)


def _is_to_do(doing: Doing, outcome: UserOutcome, made: Mapping[UserKey, Sequence[PlannedCall]]) -> bool:
    """Tell whether a user is to be worked on: done and undone ones stay so, and what is deleted cannot be undone."""
    if doing is Doing.UNDO:
        removed = outcome.word is RemediationOutcome.DONE and outcome.planned.target.choice is Choice.REMOVE
        return bool(made.get(outcome.planned.target.key)) and not removed
    return outcome.word not in {RemediationOutcome.DONE, RemediationOutcome.UNDONE}


async def execute(pending: Pending, progress: Progress) -> Ended:
    """Do it. One user's refusal or failure stops nobody else; when the task is cancelled, the journal says so.

    Raises `UsageError` where it may not be done, before any call in an account; `StartError`, `OutputError`, and
    `InterruptedRunError` when it was stopped: the same command resumes.
    """
    request, plan = pending.request, pending.plan
    refuse_too_many(len(pending.todo), request.max_users)
    earlier_plans.refuse_half_done(
        request.settings.output, [user.target.key for user in pending.todo], request.now, pending.folder
    )
    allowances = plan.allowances.with_more(request.allowances)
    notes: list[str] = []
    grounds = _grounds(request, plan, allowances, notes) if request.doing is Doing.APPLY else None
    for note in notes:
        progress.notes(note)
    settings = request.settings.with_(remediation_role_name=request.role_name or plan.role_name)
    async with Clients(profile=settings.profile, concurrency=settings.concurrency) as clients:
        progress.says("Checking credentials and organization")
        connection = await connect(clients, settings, progress)
        await connection.check_is_of(plan.of)
        caller = connection.caller
        judge = Judge(grounds, partition=plan.partition, caller_arn=caller.arn) if grounds else None
        with RemediationJournal(pending.folder, pending.digest) as journal:
            run = _Run(pending, connection, journal, judge, progress)
            await run.to_its_end(allowances)
    return _ended(pending, tuple(run.concluded))


def _grounds(request: ApplyRequest, plan: Plan, allowances: Allowances, notes: list[str]) -> Grounds:
    """Read what decisions are checked against; undo needs none of it, and works where a safelist is broken."""
    safelist = parse(read(request.settings.safelist))
    check_organization(safelist, plan.organization_id)
    return grounds_of(safelist, request.settings, allowances, request.now, notes)


def _ended(pending: Pending, concluded: tuple[Concluded, ...]) -> Ended:
    everybody = outcomes(pending.plan, remediation_journal.read(pending.folder))
    results = write_results(pending.folder, everybody)
    taken = {outcome.planned.target.key for outcome in pending.outcomes}
    of_part = tuple(outcome for outcome in everybody if outcome.planned.target.key in taken)
    return Ended(pending=pending, outcomes=of_part, concluded=concluded, results=results)


class _Run:
    """One apply or undo, from its first journal line to its last."""

    def __init__(
        self,
        pending: Pending,
        connection: Connection,
        journal: RemediationJournal,
        judge: Judge | None,
        progress: Progress,
    ) -> None:
        self._pending = pending
        self._connection = connection
        self._journal = journal
        self._judge = judge
        self._progress = progress
        self._doing = pending.request.doing
        self.concluded: list[Concluded] = []

    async def to_its_end(self, allowances: Allowances) -> None:
        plan = self._pending.plan
        await self._journal.append(
            Opened(
                plan_id=plan.plan_id,
                plan_sha256=self._pending.digest,
                doing=self._doing,
                at=datetime.now(UTC),
                program_version=__version__,
                caller_arn=self._connection.caller.arn,
                allowances=allowances,
            )
        )
        by_account: dict[str, list[PlannedUser]] = defaultdict(list)
        for user in self._pending.todo:
            by_account[user.target.account.id].append(user)
        self._progress.says("Carrying out the plan" if self._doing is Doing.APPLY else "Undoing the plan")
        self._progress.expects(len(self._pending.todo))
        try:
            await over_accounts(by_account.values(), self._account, self._connection.settings.concurrency)
        except asyncio.CancelledError:
            await self._close(interrupted=True)
            _ended(self._pending, tuple(self.concluded))
            raise InterruptedRunError(
                f"Interrupted. What was done is in the journal. Resume with: iam-scanner remediate {self._doing} "
                f"{plan.plan_id} --execute"
            ) from None
        await self._close(interrupted=False)

    async def _close(self, *, interrupted: bool) -> None:
        meter = self._connection.clients.meter
        await self._journal.append(
            Closed(
                at=datetime.now(UTC),
                api_calls=dict(sorted(meter.calls.items())),
                throttled=meter.throttled,
                interrupted=interrupted,
            )
        )

    async def _account(self, users: Sequence[PlannedUser]) -> None:
        account = users[0].target.account
        desk = Desk(
            connection=self._connection,
            view=AccountView(self._connection, account.id),
            journal=self._journal,
            obstacle=await self._obstacle(account),
        )
        leaving = [user.target.user_id for user in self._pending.plan.users if user.target.account.id == account.id]
        for user in users:
            work = Application(user, desk, self._judge, leaving) if self._judge else Reversal(user, desk)
            concluded = await work.conclude()
            self.concluded.append(concluded)
            self._progress.finished(concluded.outcome, self._connection.clients.meter)

    async def _obstacle(self, account: Account) -> StoppedError | None:
        """Return what keeps this account from being entered: it is elsewhere now, or that cannot be told."""
        try:
            misplaced = await self._connection.misplaced(account, self._pending.plan.of)
        except CallError as error:
            why = not_read(error)
            return StoppedError(RemediationOutcome.FAILED, why.reason, why.detail)
        if misplaced is None or (self._doing is Doing.UNDO and misplaced.reason is Reason.ACCOUNT_MOVED):
            return None
        return refused(misplaced)
