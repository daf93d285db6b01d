"""`remediate plan`: from a review's removals, or a run, to a plan in its folder. Changes nothing in AWS."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from scanner import __version__
from scanner.aws.clients import Clients
from scanner.errors import ExitCode, UsageError
from scanner.remediation import earlier_plans, plan_folder
from scanner.remediation.connection import Connection, connect
from scanner.remediation.discover import Discovery
from scanner.remediation.grounds import Grounds, Judge
from scanner.remediation.limits import MAX_USERS, Allowances
from scanner.remediation.plan_document import SCHEMA_VERSION, Plan, Target
from scanner.remediation.progress import Progress
from scanner.remediation.targets import Part, Wanted, from_removals, from_runs
from scanner.runs import ledger
from scanner.runs.folder import new_run_id
from scanner.safelist.entries import check_organization, parse, read
from scanner.safelist.types import Safelist
from scanner.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """What is to be planned."""

    sources: tuple[str, ...]  # files removals.json; or runs, with `quarantine`
    quarantine: bool
    settings: Settings
    now: datetime
    part: Part = field(default_factory=Part)
    max_users: int = MAX_USERS
    allowances: Allowances = field(default_factory=Allowances)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A plan, and where it lies."""

    plan: Plan
    folder: Path
    digest: str

    @property
    def exit_code(self) -> ExitCode:
        if any(spared.failed for spared in self.plan.spared):
            return ExitCode.INCOMPLETE
        return ExitCode.UNAPPROVED if self.plan.spared else ExitCode.OK


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was read and checked before any call."""

    request: PlanRequest
    wanted: Wanted
    targets: tuple[Target, ...]
    grounds: Grounds
    notes: tuple[str, ...]  # what was left out of what was read


def ask(request: PlanRequest) -> Asked:
    """Read and check everything that needs no call; raise `UsageError` for whatever does not fit."""
    settings = request.settings
    safelist = parse(read(settings.safelist))
    wanted = _wanted(request, safelist)
    check_organization(safelist, wanted.of.id)
    targets = request.part.of(wanted.targets)
    if not targets:
        raise UsageError("Nobody is to be removed or quarantined by that: there is nothing to plan.")
    refuse_too_many(len(targets), request.max_users)
    earlier_plans.refuse_half_done(settings.output, [target.key for target in targets], request.now)
    notes: list[str] = []
    grounds = grounds_of(safelist, settings, request.allowances, request.now, notes)
    return Asked(request=request, wanted=wanted, targets=targets, grounds=grounds, notes=tuple(notes))


def grounds_of(
    safelist: Safelist, settings: Settings, allowances: Allowances, now: datetime, notes: list[str]
) -> Grounds:
    """Read what decisions are checked against; a last line of the ledger that was cut off is added to `notes`."""
    wait = allowances.removal_after_quarantine_days
    return Grounds(
        safelist=safelist,
        ledger=ledger.latest(ledger.read(settings.output, notes)),
        quarantined=earlier_plans.quarantined(settings.output) if wait else {},
        allowances=allowances,
        now=now,
        settings=settings,
    )


def refuse_too_many(count: int, most: int) -> None:
    if count > most:
        raise UsageError(
            f"{count:,} users are more than the {most:,} that may be touched at once. Take a part with --account or "
            f"--user, or allow more with --max-users {count}."
        )


async def make_plan(asked: Asked, progress: Progress) -> Made:
    """Discover everybody live, and write the plan; raises as `connect` and `plan_folder.save` do."""
    request = asked.request
    async with Clients(profile=request.settings.profile, concurrency=request.settings.concurrency) as clients:
        for note in asked.notes:
            progress.notes(note)
        progress.says("Checking credentials and organization")
        connection = await connect(clients, request.settings, progress)
        await connection.check_is_of(asked.wanted.of)
        progress.says("Looking at the users")
        progress.expects(len(asked.targets))
        judge = Judge(asked.grounds, partition=connection.caller.partition, caller_arn=connection.caller.arn)
        discovery = Discovery(connection, judge, asked.wanted.of, request.now, progress)
        await discovery.run(asked.targets)
    plan = _plan(asked, connection, discovery)
    folder, digest = plan_folder.save(plan, asked.wanted.run_id, request.settings.output)
    return Made(plan=plan, folder=folder, digest=digest)


def _wanted(request: PlanRequest, safelist: Safelist) -> Wanted:
    if request.quarantine:
        return from_runs(request.sources, request.settings.output, safelist, request.now.date())
    return from_removals([Path(source) for source in request.sources], request.settings.output)


def _plan(asked: Asked, connection: Connection, discovery: Discovery) -> Plan:
    of = asked.wanted.of
    return Plan(
        schema_version=SCHEMA_VERSION,
        program_version=__version__,
        plan_id=new_run_id(asked.request.now),
        created_at=asked.request.now,
        organization_id=of.id,
        partition=of.partition,
        caller_account_id=connection.caller.account_id,
        caller_arn=connection.caller.arn,
        role_name=asked.request.settings.remediation_role_name,
        allowances=asked.request.allowances,
        sources=asked.wanted.sources,
        users=tuple(discovery.users),
        spared=tuple(discovery.spared),
    )
