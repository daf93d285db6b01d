"""The fault matrix: accounts that go wrong, each in its own way, side by side in one scan by the program itself.

tests/scan/test_account.py has the details of each fault at one account. Here each has its reason and remedy in the
reports, ends by its own deadline, and changes nothing about any other account.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from tests.aws_endpoint import (
    Call,
    Do,
    Drip,
    Fault,
    Refuse,
    SimulatedAccount,
    SimulatedKey,
    SimulatedOrganization,
    StoredReport,
    deny,
    empty_organization,
    first,
    hang,
    html,
    missing_user,
    no_marker,
    running,
    throttle,
    wrong_account,
)
from tests.aws_endpoint.faults import Effect, When, always
from tests.program import NOBODY, Scanned, scan

SECONDS = 120  # --account-timeout; nobody waits for it: see `_clock_ahead`
LISTING = "iam:ListUsers"
DETAILS = "iam:GetAccountAuthorizationDetails"
SUMMARY = "iam:GetAccountSummary"
GENERATE = "iam:GenerateCredentialReport"
REPORT = "iam:GetCredentialReport"

in_progress = Refuse(404, "ReportInProgress", "Report is being generated.")
not_present = Refuse(410, "ReportNotPresent", "No report is present. Generate a new report.")
expired = Refuse(410, "ReportExpired", "Report is expired. Generate a new report.")

Change = Callable[[SimulatedAccount], object]


@dataclass(frozen=True)
class Failing:
    """An account that cannot be read, and why that is."""

    reason: str
    call: str = LISTING
    effect: Effect | None = None  # of that call
    change: Change | None = None  # of the account itself


@dataclass(frozen=True)
class Partial:
    """An account whose users are read, and whose evidence misses what one call gives."""

    call: str
    why: str  # what its note says of that call
    empty: tuple[str, ...]  # columns
    effect: Effect = deny
    other: str = ""  # a call that may be the one in hand when the time is up

    @property
    def calls(self) -> tuple[str, ...]:
        return tuple(filter(None, (self.call, self.other)))


@dataclass(frozen=True)
class Sound:
    """An account that is read whole, whatever went wrong on the way."""

    call: str = LISTING
    effect: Effect | None = None
    when: When = always
    change: Change | None = None


def a_twin(account: SimulatedAccount) -> None:
    account.add_user("ALICE")


def a_state_of_tomorrow(account: SimulatedAccount) -> None:
    account.state = "UNDER_REVIEW"


FAILING = {
    "throttled for ever": Failing("THROTTLED", effect=throttle),
    "throttled by STS for ever": Failing("THROTTLED", "sts:AssumeRole", throttle),
    "hung": Failing("TIMEOUT", effect=hang),
    "drip-fed": Failing("TIMEOUT", effect=Drip(1.0)),
    "HTML": Failing("BAD_RESPONSE", effect=html),
    "truncated without marker": Failing("INCOMPLETE_LISTING", effect=no_marker),
    "ARNs of another account": Failing("BAD_RESPONSE", effect=wrong_account),
    "AssumeRole denied": Failing("ROLE_NOT_ASSUMABLE", "sts:AssumeRole", deny),
    "ListUsers denied": Failing("ACCESS_DENIED", effect=deny),
    "two users that differ by case": Failing("BAD_RESPONSE", change=a_twin),
    "a user missing for good": Failing("INCOMPLETE_LISTING", effect=missing_user),
}
ENDLESS = frozenset(
    {
        "throttled for ever",
        "throttled by STS for ever",
        "hung",
        "drip-fed",
        "report in progress for ever",
        "report never present",
        "report always expired",
    }
)  # accounts that only their deadline ends
CREDENTIALS = ("console_access", "mfa_active", "active_access_keys", "last_activity_at", "stale_credentials", "dormant")
ACCESS = (
    "administrator",
    "escalation",
    "groups",
    "attached_policies",
    "inline_policies",
    "permissions_boundary",
    "tags",
)
DENIED = "ACCESS_DENIED (AccessDenied)"
PARTIAL = {
    "details denied": Partial(DETAILS, DENIED, ACCESS),
    "summary denied": Partial(SUMMARY, DENIED, ()),
    "making the report denied": Partial(GENERATE, DENIED, CREDENTIALS),
    "the report denied": Partial(REPORT, DENIED, CREDENTIALS),
    "report in progress for ever": Partial(REPORT, "TIMEOUT", CREDENTIALS, in_progress),
    "report never present": Partial(REPORT, "TIMEOUT", CREDENTIALS, not_present, GENERATE),
    "report always expired": Partial(REPORT, "TIMEOUT", CREDENTIALS, expired, GENERATE),
}
SOUND = {
    "one": Sound(),
    "another": Sound(),
    "a state never seen before": Sound(change=a_state_of_tomorrow),
    "a user missing once": Sound(effect=missing_user, when=first(1)),
    "report in progress for a while": Sound(REPORT, in_progress, first(4)),
    "report expired meanwhile": Sound(REPORT, expired, first(1)),
    "report not present at first": Sound(REPORT, not_present, first(1)),
}


@dataclass(frozen=True)
class Both:
    """The same organization, scanned without faults and with all of them."""

    without: Scanned
    done: Scanned
    ids: dict[str, str]  # name → account id


@pytest.fixture
def both(tmp_path_factory: pytest.TempPathFactory) -> Both:
    return _both(tmp_path_factory.getbasetemp())


@cache  # scanned once for all tests of this module, in the environment of the first of them
def _both(root: Path) -> Both:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("scanner.aws.clients.BACKOFF_CAP", 0.05)
        patch.setattr("scanner.aws.credential_report.POLL_SECONDS", (0.05,))
        without = _scanned(root / "without-faults", patch, _world(), [])
        world = _world()
        ids = {account.name: account.id for account in world.accounts.values()}
        finite = [account for name, account in ids.items() if name not in ENDLESS]
        ahead = _clock_ahead(patch, root / "with-faults", len(finite))
        still_throttled = Fault(LISTING, ahead, account=ids["throttled for ever"])
        done = _scanned(root / "with-faults", patch, world, [*_faults(world, ids), still_throttled])
    return Both(without, done, ids)


def _clock_ahead(patch: pytest.MonkeyPatch, place: Path, finite: int) -> Do:
    """Set the event loops' clock ahead, once, by the time of an account, when so many accounts are in the journal.

    So every deadline comes when all that can end has ended, however slow the machine is; and if an account took longer
    than its time, the scan would not end.
    """
    seconds = 0.0
    patch.setattr("asyncio.BaseEventLoop.time", lambda loop: time.monotonic() + seconds)

    def look(call: Call) -> None:
        nonlocal seconds
        (journal,) = place.glob("reports/*/journal.jsonl")
        if journal.read_bytes().count(b'{"type":"account"') == finite:
            seconds = SECONDS

    return Do(look)


def _scanned(place: Path, patch: pytest.MonkeyPatch, world: SimulatedOrganization, faults: list[Fault]) -> Scanned:
    place.mkdir()
    patch.chdir(place)
    (place / "nobody.yaml").write_text(NOBODY, encoding="utf-8")
    with running(world, faults) as endpoint:
        done = scan(endpoint, "--account-timeout", SECONDS)
    return replace(done, output=place / done.output)


def _world() -> SimulatedOrganization:
    world = empty_organization()
    for name in (*FAILING, *PARTIAL, *SOUND):
        account = world.add_account(name)
        account.add_user("alice", console=True, tags=(("team", "red"),), keys=(SimulatedKey(),))
        account.add_user("bob", keys=(SimulatedKey(),))
    return world


def _faults(world: SimulatedOrganization, ids: dict[str, str]) -> list[Fault]:
    """The rules for every account; what is no rule is done to the account itself."""
    faults = []
    for name, kind in (FAILING | PARTIAL | SOUND).items():
        if not isinstance(kind, Partial) and kind.change is not None:
            kind.change(world.accounts[ids[name]])
        if kind.effect is not None:
            when = kind.when if isinstance(kind, Sound) else always
            faults.append(Fault(kind.call, kind.effect, account=ids[name], when=when))
    return faults


def _of(done: Scanned, account: str) -> list[dict[str, str]]:
    return [row for row in done.users if row["account_id"] == account]


def test_such_a_scan_is_incomplete_and_counts_every_account_once(both: Both) -> None:
    assert both.without.exit_code == 3
    assert both.done.exit_code == 4
    assert both.done.summary["status"] == "INCOMPLETE"
    assert both.done.with_outcome("FAILED") == {both.ids[name] for name in FAILING}
    assert both.done.with_outcome("SCANNED") == both.done.accounts.keys() - both.done.with_outcome("FAILED")
    assert both.done.accounts.keys() == both.without.accounts.keys()


@pytest.mark.parametrize("name", FAILING)
def test_an_account_that_cannot_be_read_says_why_and_what_to_do(both: Both, name: str) -> None:
    row, fault = both.done.accounts[both.ids[name]], FAILING[name]
    assert (row["outcome"], row["reason"], row["failed_call"]) == ("FAILED", fault.reason, fault.call)
    assert row["detail"]
    assert row["remedy"]
    assert row["users"] == ""
    assert _of(both.done, both.ids[name]) == []


@pytest.mark.parametrize("name", PARTIAL)
def test_evidence_that_does_not_come_leaves_its_columns_empty_and_its_call_named(both: Both, name: str) -> None:
    row, fault = both.done.accounts[both.ids[name]], PARTIAL[name]
    assert (row["outcome"], row["evidence"], row["users"]) == ("SCANNED", "PARTIAL", "2")
    assert row["notes"].startswith(tuple(f"{call} gave no evidence: {fault.why}. " for call in fault.calls))
    for user in _of(both.done, both.ids[name]):
        assert {user[column] for column in fault.empty} <= {""}
        assert user["evidence"] == "PARTIAL"
    kept = [_without(user, fault.empty) for user in _of(both.done, both.ids[name])]
    assert kept == [_without(user, fault.empty) for user in _of(both.without, both.ids[name])]


def _without(user: dict[str, str], empty: tuple[str, ...]) -> dict[str, str]:
    """The columns that such an account has none the less; those of the credentials feed some more."""
    derived = {"oldest_active_key_age_days", "days_since_activity", "evidence"}
    return {column: value for column, value in user.items() if column not in {*empty, *derived}}


@pytest.mark.parametrize("name", ["management", *SOUND])
def test_every_other_account_is_exactly_as_without_faults(both: Both, name: str) -> None:
    account = both.ids[name]
    assert _of(both.done, account) == _of(both.without, account)
    varies = {"scanned_at", "credential_report_at", "state"}
    now, before = (
        {key: value for key, value in ran.accounts[account].items() if key not in varies}
        for ran in (both.done, both.without)
    )
    assert now == before
    assert now["outcome"] == "SCANNED"
    assert now["evidence"] == "FULL"


def test_the_faultless_run_fills_the_columns_that_faults_empty(both: Both) -> None:
    """Else the comparisons above would hold of empty columns too."""
    alice = _of(both.without, both.ids["one"])[0]
    columns = ("console_access", "mfa_active", "active_access_keys", "stale_credentials", "dormant", "tags")
    assert [alice[column] for column in columns] == [
        "true",
        "false",
        "1",
        "password; access key of 2025-01-06",
        "true",
        "team=red",
    ]


# --- credential reports ----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("workplace", "hurried")
def test_a_report_in_the_making_holds_up_no_other_account() -> None:
    """One place alone, and a report that is made only when every other account is done."""
    world = empty_organization()
    slow, *others = [world.add_account(f"account-{number}") for number in range(6)]
    world.management.add_user("alice")
    slow.add_user("alice")
    looks = 0

    def held_up(_: int) -> bool:
        nonlocal looks
        looks += endpoint.counts[SUMMARY] == len(world.accounts)  # a few more looks, in which the last one ends
        return looks < 20

    with running(world, [Fault(REPORT, in_progress, account=slow.id, when=held_up)]) as endpoint:
        done = scan(endpoint, "--concurrency", 1, "--account-timeout", 60)
    order = list(done.record.scans)
    entered = [call.account_id for call in endpoint.calls_to(LISTING)]
    assert entered.index(slow.id) < max(entered.index(account.id) for account in others)
    assert order[-1] == slow.id
    assert done.accounts[slow.id]["evidence"] == "FULL"
    assert {row["evidence"] for row in done.users} == {"FULL"}


@pytest.mark.usefixtures("workplace", "hurried")
def test_a_report_older_than_a_user_fills_the_rows_of_the_others() -> None:
    world = empty_organization()
    member = world.add_account("member")
    stored_at = datetime.now(UTC) - timedelta(hours=1)
    earlier = member.add_user("recreated", console=True)
    member.add_user("steady", console=True)
    member.report = StoredReport(generated_at=stored_at, users=tuple(member.users))
    member.remove_user("recreated")
    again = member.add_user("recreated", serial=2, created_at=earlier.created_at + timedelta(days=9))
    member.add_user("new", created_at=stored_at + timedelta(minutes=5))
    with running(world) as endpoint:
        done = scan(endpoint)
    assert done.user("recreated")["user_id"] == again.user_id
    assert {name: done.user(name)["console_access"] for name in ("steady", "recreated", "new")} == {
        "steady": "true",
        "recreated": "",
        "new": "",
    }
    row = done.accounts[member.id]
    assert (row["outcome"], row["users"]) == ("SCANNED", "3")
    assert row["notes"].startswith("Missing from the credential report, which is older than they are: 2 of 3 users.; ")
    assert row["credential_report_at"] == f"{stored_at:%Y-%m-%dT%H:%M:%SZ}"
