"""A place where remediation is tried: a world that keeps state, a recorded run of it, and what a review decided.

    with site.serving() as endpoint:
        made = site.plan()
        ended = site.apply(made)
    assert words(ended) == {"alice": "DONE"}

The run is written as a scan would write it, from the world as it is then; ledger and removals.json as an import would.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scanner.aws.clients import Clients, CredentialSource, Meter
from scanner.aws.credentials import caller_credentials
from scanner.aws.user_changes import CHANGES
from scanner.model import (
    Account,
    AccountId,
    Caller,
    Choice,
    Evidence,
    Finding,
    IamUser,
    Organization,
    OrganizationalUnit,
    Scanned,
    UserId,
)
from scanner.record import Footer, Header, Listing, ReviewDecision, SafelistText
from scanner.remediation.apply import ApplyRequest, Ended, execute, prepare
from scanner.remediation.make_plan import Made, PlanRequest, ask, make_plan
from scanner.remediation.remediation_journal import Doing
from scanner.review import removals
from scanner.runs import folder as run_folder
from scanner.runs import ledger
from scanner.runs.stored import decide
from scanner.settings import Settings
from tests.aws_endpoint import Endpoint, Fault, SimulatedOrganization, empty_organization, running
from tests.aws_endpoint.iam_state import LiveAccount, LiveKey, LiveUserState, live_account
from tests.program import NOBODY, calling

NOW = datetime.now(UTC).replace(microsecond=0)
RUN_ID = f"{NOW - timedelta(days=1):%Y%m%dT%H%M%SZ}-1a2b3c"
LONG_AGO = NOW - timedelta(days=400)
CISO = "ciso@example.com"
ROLE_POLICY = (Path(__file__).parents[2] / "config/aws/remediation-policy.json").read_text(encoding="utf-8")
ALLOW_S3 = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'
DENY_S3 = '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*"}}'


class Quiet:
    """A progress that nobody watches, and that remembers how users ended."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def says(self, text: str) -> None: ...

    def notes(self, text: str) -> None: ...

    def paused(self) -> AbstractContextManager[None]:
        return nullcontext()

    def expects(self, users: int) -> None: ...

    def finished(self, word: str, meter: Meter) -> None:
        self.words.append(word)


class _OneConnection:
    """Clients and credentials of the SDK, made once for one event loop: making them takes longer than most plans.

    What runs in another loop, as commands do, has its own.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._open: dict[int, Clients] = {}  # by concurrency
        self._credentials: CredentialSource | None = None

    @asynccontextmanager
    async def clients(self, *, profile: str | None, concurrency: int) -> AsyncIterator[Clients]:
        if asyncio.get_running_loop() is not self._loop:
            async with Clients(profile=profile, concurrency=concurrency) as clients:
                yield clients
        else:
            if concurrency not in self._open:
                self._open[concurrency] = await Clients(profile=profile, concurrency=concurrency).__aenter__()
            yield self._open[concurrency]

    async def credentials(self, profile: str | None, *more: Any) -> CredentialSource:
        if asyncio.get_running_loop() is not self._loop:
            return await caller_credentials(profile, *more)
        if self._credentials is None:
            self._credentials = await caller_credentials(profile, *more)
        return self._credentials

    async def close(self) -> None:
        for clients in self._open.values():
            await clients.__aexit__(None, None, None)


@dataclass
class Site:
    """The current folder: `reports` with one run, and `nobody.yaml`."""

    world: SimulatedOrganization = field(default_factory=empty_organization)
    faults: list[Fault] = field(default_factory=list)
    now: datetime = NOW
    safelist: Path = Path("nobody.yaml")
    output: Path = Path("reports")
    settings: Settings = field(default_factory=lambda: Settings(account_timeout=30))
    endpoint: Endpoint | None = None
    runner: asyncio.Runner = field(default_factory=asyncio.Runner)

    def __post_init__(self) -> None:
        if not self.safelist.exists():
            self.safelist.write_text(NOBODY, encoding="utf-8")

    # --- the world

    def account(self, name: str = "prod", unit: str | None = None) -> LiveAccount:
        parent = self.world.add_ou(unit).id if unit else None
        policy = ROLE_POLICY.replace("arn:aws:", f"arn:{self.world.partition}:")
        return live_account(self.world, name, parent, role_policy=policy)

    @property
    def accounts(self) -> dict[str, LiveAccount]:
        return {each.name: each for each in self.world.accounts.values() if isinstance(each, LiveAccount)}

    @contextmanager
    def serving(self, *faults: Fault, **options: Any) -> Iterator[Endpoint]:
        """Serve the world; all that this site does meanwhile shares one event loop and one connection."""
        with (
            running(self.world, [*self.faults, *faults], **options) as endpoint,
            calling(endpoint),
            asyncio.Runner() as self.runner,
            pytest.MonkeyPatch.context() as patch,
        ):
            self.endpoint = endpoint
            connection = _OneConnection(self.runner.get_loop())
            patch.setattr("scanner.remediation.make_plan.Clients", connection.clients)
            patch.setattr("scanner.remediation.apply.Clients", connection.clients)
            patch.setattr("scanner.remediation.connection.caller_credentials", connection.credentials)
            try:
                yield endpoint
            finally:
                self.runner.run(connection.close())

    # --- the run and its review

    def scan(self, run_id: str = RUN_ID, safelists: tuple[SafelistText, ...] = (), **header: Any) -> Path:
        """Record a run of the world as it is."""
        folder = run_folder.create(self.output, run_id)
        started = NOW - timedelta(days=1)
        accounts = tuple(self._account(account) for account in self.accounts.values())
        scans = [_scanned(account, started) for account in self.accounts.values()]
        own = {"safelists": safelists or (SafelistText(path="nobody.yaml", text=NOBODY),)}
        lines = [
            _header(self.world, run_id, started, **(own | header)),
            *scans,
            Listing(
                source="AWS Organizations",
                ous=(),
                accounts=accounts,
                in_scope=frozenset(account.id for account in accounts),
                problem=None,
                notes=(),
            ),
            Footer(finished_at=started, api_calls={}, throttled=0, interrupted=False),
        ]
        asyncio.run(_write(folder, lines))
        return folder

    def decide(self, choices: Mapping[str, Choice], run_id: str = RUN_ID, **more: Any) -> Path:
        """Scan, and have a review decide about these users ("alice", or "prod/alice"); return removals.json."""
        if not (self.output / run_id).exists():
            self.scan(run_id)
        names = {account.id: account.name for account in self.accounts.values()}

        def choose(finding: Finding) -> Choice | None:
            name = finding.user.user_name
            return choices.get(f"{names[finding.account.id]}/{name}") or choices.get(name)

        return decide_users(self.output, run_id, choose, **more)

    def record(self, *decisions: ReviewDecision) -> None:
        """Append decisions to the ledger."""
        record_decisions(self.output, decisions)

    @property
    def removals(self) -> Path:
        return self.output / f"{RUN_ID}-review" / "removals.json"

    # --- remediation

    def plan(self, *sources: str | Path, quarantine: bool = False, **more: Any) -> Made:
        request = PlanRequest(
            sources=tuple(map(str, sources or (self.removals,))),
            quarantine=quarantine,
            settings=self.set(),
            now=more.pop("now", self.now),
            **more,
        )
        return self.runner.run(make_plan(ask(request), Quiet()))

    def set(self) -> Settings:
        return self.settings.with_(output=self.output, safelist=(self.safelist,))

    def apply(self, made: Made, doing: Doing = Doing.APPLY, **more: Any) -> Ended:
        return self.runner.run(self.applying(made, doing, **more))

    async def applying(
        self, made: Made, doing: Doing = Doing.APPLY, progress: Quiet | None = None, **more: Any
    ) -> Ended:
        request = ApplyRequest(
            doing=doing,
            plan=str(made.folder),
            settings=self.set(),
            now=more.pop("now", self.now),
            **more,
        )
        return await execute(prepare(request), progress or Quiet())

    def undo(self, made: Made, **more: Any) -> Ended:
        return self.apply(made, Doing.UNDO, **more)

    # --- parts

    def _account(self, account: LiveAccount) -> Account:
        root = self.world.root
        ous = [OrganizationalUnit(id=root.id, name=root.name, path=root.name)]
        if account.parent_id != root.id:
            unit = self.world.ous[account.parent_id]
            ous.append(OrganizationalUnit(id=unit.id, name=unit.name, path=f"{root.name}/{unit.name}"))
        return Account(id=AccountId(account.id), name=account.name, state="ACTIVE", ous=tuple(ous))


def furnish(account: LiveAccount, name: str = "alice", **more: Any) -> LiveUserState:
    """Create a user with one of each kind, all of it long unused, and a second key that is inactive.

    What has no last use (SSH key, certificate, service credential) is inactive, as it would count as used.
    """
    mark = name.upper()
    values: dict[str, Any] = {
        "password": True,
        "keys": {f"AKIA{mark}1": LiveKey(last_used=LONG_AGO), f"AKIA{mark}2": LiveKey(active=False)},
        "certificates": {f"CERT{mark}": LiveKey(active=False)},
        "ssh_keys": {f"APKA{mark}": LiveKey(active=False)},
        "service_credentials": {f"ACCA{mark}": LiveKey(active=False)},
        "mfa": [account.device(name), f"GAHT{mark}"],
        "inline": {"deploy": ALLOW_S3},
        "attached": [account.aws_policy("ReadOnlyAccess")],
        "groups": ["devs"],
    }
    return account.user(name, **(values | more))


def decision(account_id: str, user_id: str, choice: Choice, run_id: str = RUN_ID, **more: Any) -> ReviewDecision:
    return ReviewDecision(
        run_id=run_id,
        account_id=AccountId(account_id),
        user_id=UserId(user_id),
        choice=choice,
        reviewer=CISO,
        reviewed_on=NOW.date(),
        **({"ticket": "SEC-140", "comment": "as agreed"} | more),
    )


def decide_users(output: Path, run_id: str, choose: Callable[[Finding], Choice | None], **more: Any) -> Path:
    """Have a review decide about users of a recorded run, as an import would record it; return removals.json."""
    assessment = decide(output / run_id)
    chosen = [(finding, choice) for finding in assessment.findings if (choice := choose(finding))]
    decided = [(each, decision(each.account.id, each.user.user_id, choice, run_id, **more)) for each, choice in chosen]
    record_decisions(output, [each for _, each in decided])
    content = removals.document(run_id, assessment.record.digest, decided)
    path = removals.place(output, run_id)
    removals.write(path, content)
    return path


def record_decisions(output: Path, decisions: Iterable[ReviewDecision]) -> None:
    lines = [
        ledger.LedgerLine(
            decision=each,
            account_name="",
            user_name="",
            arn="",
            journal_sha256="",
            workbook="review.xlsx",
            workbook_sha256="",
            imported_at=NOW,
            imported_by="tester",
        )
        for each in decisions
    ]
    ledger.append(output, lines)


def words(ended: Ended) -> dict[str, str]:
    """What became of each user, by name."""
    return {each.planned.target.user_name: each.word or "" for each in ended.outcomes}


def reasons(ended: Ended) -> dict[str, str]:
    return {each.planned.target.user_name: each.reason or "" for each in ended.outcomes}


def spared(made: Made) -> dict[str, str]:
    return {each.target.user_name: each.reason for each in made.plan.spared}


def changing(calls: Iterable[Any]) -> list[str]:
    """The changing calls among these, by action."""
    return [call.action for call in calls if call.action in CHANGES]


def _scanned(account: LiveAccount, at: datetime) -> Scanned:
    users = tuple(
        IamUser(
            user_id=UserId(user.user_id),
            user_name=user.name,
            path=user.path,
            arn=account.arn("user", user.path, user.name),
            created_at=user.created_at,
        )
        for user in account.users
    )
    return Scanned(
        account_id=AccountId(account.id), users=users, evidence=Evidence.BASIC, notes=(), role_arn=None, scanned_at=at
    )


def _header(world: SimulatedOrganization, run_id: str, started: datetime, **more: Any) -> Header:
    management = AccountId(world.management_account_id)
    values: dict[str, Any] = {
        "schema_version": 1,
        "program_version": "0.1.0",
        "versions": {},
        "run_id": run_id,
        "started_at": started,
        "as_of": started.date(),
        "settings": Settings(evidence="basic"),
        "account_owners": {},
        "caller": Caller(
            account_id=management,
            arn=f"arn:{world.partition}:iam::{management}:user/auditor",
            partition=world.partition,
        ),
        "organization": Organization(id=world.id, management_account_id=management),
        "session_policies": {},
    }
    return Header(**(values | more))


async def _write(folder: Path, lines: Iterable[Any]) -> None:
    with run_folder.Journal(folder) as journal:
        for line in lines:
            await journal.append(line)
