"""The examination, from the settings to the accounts: after a failed check, all that does not depend on it is made."""

from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from pathlib import Path

from scanner.aws.clients import Clients
from scanner.aws.failures import DENIED
from scanner.doctor import account_checks, caller_checks, file_checks, organization_checks
from scanner.doctor.checks import Check, Examination, Part
from scanner.doctor.file_checks import Files
from scanner.doctor.progress import Progress
from scanner.errors import FaultsError
from scanner.model import Account
from scanner.report.failed_accounts import no_way_in
from scanner.scan.collect import collect
from scanner.scan.prepare import Ready, entrance, session_policies
from scanner.scan.scope import Plan
from scanner.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """All checks, part by part, and how many accounts they stand for."""

    checks: tuple[Check, ...]
    advice: tuple[str, ...] = ()  # lines to show below all checks, as they are
    likely_cause: str | None = None  # where no role at all could be assumed
    entered: int = 0  # accounts that were tried
    to_scan: int = 0  # accounts that a scan would read

    @property
    def is_ready(self) -> bool:
        return not any(check.is_missing for check in self.checks)


async def examine(settings: Settings, config: Path, progress: Progress, *, every: bool) -> Diagnosis:
    """Check all that a scan with these settings needs; `every` account, or one of each OU. Changes nothing."""
    examination = Examination(settings, progress)
    files = file_checks.check_files(config, examination)
    async with AsyncExitStack() as stack:
        clients = Clients(profile=settings.profile, concurrency=settings.concurrency)
        opened = await caller_checks.open_clients(stack.enter_async_context(clients), examination)
        entered, to_scan = await _in_aws(opened, files, progress, examination, every=every) if opened else (0, 0)
    checks = examination.complete(_expected(settings, accounts=not entered))
    return Diagnosis(
        checks=checks,
        advice=tuple(examination.advice),
        likely_cause=_likely_cause(checks, settings),
        entered=entered,
        to_scan=to_scan,
    )


def _likely_cause(checks: Sequence[Check], settings: Settings) -> str | None:
    roles = [check for check in checks if check.what == account_checks.ROLE]
    if len(roles) < 2 or any(check.code not in DENIED for check in roles):
        return None
    return no_way_in(settings.role_name, external_id_given=settings.external_id is not None)


def without_settings(error: FaultsError, progress: Progress) -> Diagnosis:
    """What there is to say where the settings are wrong: nothing else can be checked by them."""
    examination = Examination(Settings(), progress)
    examination.failed(Part.FILES, file_checks.SETTINGS, error)
    return Diagnosis(checks=examination.complete(_expected(Settings(), accounts=True)))


def _expected(settings: Settings, *, accounts: bool) -> Iterator[tuple[Part, str]]:
    """Every check of an examination; those of accounts only where none was entered, as each then says it itself."""
    yield from ((Part.FILES, what) for what in file_checks.expected(settings))
    yield from ((Part.CALLER, what) for what in caller_checks.expected(settings))
    yield from ((Part.ORGANIZATION, what) for what in organization_checks.expected(settings))
    if accounts:
        full = settings.evidence == "full"
        yield from ((Part.ACCOUNTS, what) for what in (account_checks.ROLE, *account_checks.calls(full=full)))


async def _in_aws(
    clients: Clients, files: Files, progress: Progress, examination: Examination, *, every: bool
) -> tuple[int, int]:
    """Check caller, organization and accounts; return how many accounts were entered, of how many to scan."""
    settings = examination.settings
    progress.says("Checking credentials and scope")
    own = await caller_checks.check_credentials(clients, examination)
    caller = await caller_checks.check_caller(own, examination) if own else None
    if own is None or caller is None:
        return 0, 0
    hub = await caller_checks.check_hub(own, caller, examination)
    await caller_checks.check_archive(own, caller, examination)
    found = await organization_checks.find_accounts(own, caller, files, examination)
    if hub is None or found is None:
        return 0, 0
    ready = Ready(
        settings=settings,
        caller=caller,
        own=own,
        hub=hub,
        session_policies=session_policies(settings, caller),
        organization=found.organization,
        selection=found.selection,
        source=found.source,
    )
    accounts = account_checks.chosen(found.placed, ready, every=every)
    progress.says("Checking accounts")
    progress.examines(len(accounts))
    await _in_accounts(accounts, ready, progress, examination)
    return len(accounts), sum(one.placement.plan is Plan.SCAN for one in found.placed)


async def _in_accounts(accounts: Sequence[Account], ready: Ready, progress: Progress, examination: Examination) -> None:
    """Check the accounts, at most as many at once as a scan reads; the checks are in the order of the accounts."""
    way_in = entrance(ready)
    management = ready.organization.management_account_id if ready.organization else None

    async def check(account: Account, _: Callable[[], None]) -> tuple[Check, ...]:
        return await account_checks.check_account(account, way_in, management)

    results = collect(_each(accounts), check, ready.settings.concurrency)
    made: list[Check] = []
    async with aclosing(results):
        async for checks in results:
            made += checks
            progress.examined(is_missing=any(check.is_missing for check in checks))
    examination.made += sorted(made, key=lambda check: check.account.id if check.account else "")
    if ready.settings.evidence == "full":
        examination.made.append(account_checks.NOT_TRIED)


async def _each(accounts: Sequence[Account]) -> AsyncGenerator[Account, None]:
    for account in accounts:
        yield account
