"""Bad days over a whole organization: all that can be read is read, and its rows are those of a calm day."""

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.aws_endpoint import (
    Call,
    Caller,
    Clock,
    Do,
    Drip,
    Endpoint,
    Fault,
    SimulatedOrganization,
    after,
    cut,
    deny,
    empty_page,
    expired_token,
    first,
    hang,
    html,
    http_500,
    http_503,
    no_marker,
    nth,
    organization,
    reset,
    running,
    sometimes,
    throttle,
    truncated,
    wrong_account,
)
from tests.aws_endpoint.faults import Effect
from tests.program import Scanned, accounts_asked, calling, ids, named, program, scan, small_world, unit

pytestmark = pytest.mark.usefixtures("workplace")

Rows = list[dict[str, str]]
BASIC = ("--evidence", "basic")


def calm_day(world: SimulatedOrganization, *arguments: object) -> Scanned:
    """A scan in which nothing goes wrong, beside the one of the test."""
    with running(world) as endpoint:
        done = scan(endpoint, *arguments, "--output", "calm")
    return Scanned(done.exit_code, done.out, done.err, Path("calm"))


def rows_of(done: Scanned, accounts: Iterable[str]) -> Rows:
    wanted = set(accounts)
    return [row for row in done.users if row["account_id"] in wanted]


# --- throttled, cut and broken ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("hurried")
def test_four_in_ten_calls_throttled_at_concurrency_100_cost_nothing() -> None:
    world = organization(500, 2, full=False)
    calm = calm_day(world, *BASIC)
    storm = [Fault("iam:*", throttle, when=sometimes(0.4)), Fault("sts:*", throttle, when=sometimes(0.4, seed=1))]
    with running(world, storm) as endpoint:
        done = scan(endpoint, *BASIC, "--concurrency", "100")
    assert (done.exit_code, calm.exit_code) == (3, 3)
    assert done.with_outcome("SCANNED") == ids(world)
    assert done.users == calm.users
    assert done.summary["throttled"] > 500


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("effect", [cut, reset, truncated, http_500, http_503], ids=str)
def test_one_in_ten_calls_broken_costs_nothing(effect: Effect) -> None:
    world = organization(40, 2)
    calm = calm_day(world)
    with running(world, [Fault("*", effect, when=sometimes(0.1))]) as endpoint:
        done = scan(endpoint)
    assert done.exit_code == calm.exit_code == 3
    assert {(row["outcome"], row["evidence"]) for row in done.accounts.values()} == {("SCANNED", "FULL")}
    assert done.users == calm.users


# --- the listing -----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("hurried")
def test_a_listing_that_stumbles_has_every_account_once() -> None:
    """Three in ten calls throttled, empty pages, and two accounts that move: one is met twice, the other missed."""
    world = small_world()
    calm = calm_day(world, *BASIC)
    twice, missed = named(world, "sandbox").id, named(world, "dev").id
    sandbox, dev, core = (unit(world, name) for name in ("Sandbox", "Dev", "Core"))

    def dodge(call: Call) -> None:
        """Be wherever the walk does not look."""
        world.move(missed, sandbox if call.params["ParentId"] == dev else dev)

    parents = "organizations:ListAccountsForParent"
    faults = [
        Fault("organizations:*", throttle, when=sometimes(0.3)),
        Fault("organizations:List*", empty_page, when=sometimes(0.2, seed=1)),
        Fault(parents, Do(lambda _: world.move(twice, core)), params={"ParentId": unit(world, "Workloads")}),
        Fault(parents, Do(dodge), params={"ParentId": dev}),
        Fault(parents, Do(dodge), params={"ParentId": sandbox}),
    ]
    with running(world, faults) as endpoint:
        done = scan(endpoint, *BASIC)
    assert done.exit_code == 3
    assert done.with_outcome("SCANNED") == ids(world)
    assert len(endpoint.calls_to("iam:ListUsers")) == len(world.accounts)
    stayed = ids(world) - {twice, missed}
    assert rows_of(done, stayed) == rows_of(calm, stayed)
    assert [row["user_name"] for row in done.users] == [row["user_name"] for row in calm.users]
    assert done.summary["coverage"]["reconciles"]


@pytest.mark.usefixtures("hurried")
def test_of_a_listing_that_breaks_off_for_good_what_is_known_is_scanned() -> None:
    """Neither ListAccounts nor the walk comes to its end: how many accounts there are is not known."""
    world = organization(200, 1, ous=20, full=False)
    calm = calm_day(world, *BASIC)
    with running(world, [Fault("organizations:List*", deny, when=after(16))]) as endpoint:
        done = scan(endpoint, *BASIC)
    assert done.exit_code == 4
    assert "population unknown" in done.summary["status_text"]
    assert done.summary["listing_problem"]["failed_call"] == "organizations:ListAccounts"
    placed, unplaced = done.with_outcome("SCANNED"), done.with_outcome("FAILED")
    assert placed
    assert unplaced
    assert placed | unplaced == set(done.accounts) < ids(world)
    assert {done.accounts[account]["reason"] for account in unplaced} == {"OU_UNKNOWN"}
    assert done.users == rows_of(calm, placed)
    assert done.summary["coverage"]["reconciles"]


# --- credentials that expire -----------------------------------------------------------------------------------------


def keyed(key: str, world: SimulatedOrganization, expires_at: datetime | None = None) -> Caller:
    """A key of the management account."""
    account = world.management_account_id
    return Caller(
        access_key_id=key, account_id=account, arn=f"arn:aws:iam::{account}:user/auditor", expires_at=expires_at
    )


def expiring_scan(
    world: SimulatedOrganization, use: Callable[[Endpoint], Scanned], meanwhile: Callable[[], object] = lambda: None
) -> tuple[Scanned, Endpoint]:
    """Scan with a key that expires at the fifth AssumeRole, when `meanwhile` is called too."""
    clock = Clock()
    expiring = keyed("AKIAEXPIRING00000000", world, clock.now() + timedelta(minutes=2))
    fresh = keyed("AKIAFRESH00000000000", world)

    def expire(_: Call) -> None:
        clock.advance(150)  # sessions of member roles, made for 15 minutes, go on
        meanwhile()

    faults = [Fault("sts:AssumeRole", Do(expire), when=nth(5))]
    with running(world, faults, callers=[expiring, fresh], clock=clock) as endpoint:
        return use(endpoint), endpoint


def handed_out(file: Path, key: str) -> None:
    """What a `credential_process` prints: a key that is to be renewed soon, so that it is asked for again each time."""
    expiration = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    given = {"Version": 1, "AccessKeyId": key, "SecretAccessKey": "secret", "Expiration": expiration}
    file.write_text(json.dumps(given), encoding="utf-8")


@pytest.fixture
def process_profile(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that the `credential_process` of the profile `renewing` prints."""
    keys, config = workplace / "keys.json", workplace / "aws-config"
    config.write_text(f"[profile renewing]\ncredential_process = cat {keys}\n", encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    return keys


def test_credentials_that_refresh_themselves_carry_a_scan_over_their_end(
    process_profile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scanner.aws.credentials.ASK_AGAIN_AFTER", 0.0)  # no time passes here between two calls
    world = organization(20, 2, full=False)
    calm = calm_day(world, *BASIC)
    handed_out(process_profile, "AKIAEXPIRING00000000")
    done, endpoint = expiring_scan(
        world,
        lambda aws: scan(aws, *BASIC, "--concurrency", "1", "--profile", "renewing"),
        meanwhile=lambda: handed_out(process_profile, "AKIAFRESH00000000000"),
    )
    assert done.exit_code == 3
    assert done.with_outcome("SCANNED") == ids(world)
    assert done.users == calm.users
    used = [call.access_key_id for call in endpoint.calls_to("sts:AssumeRole")]
    assert used == ["AKIAEXPIRING00000000"] * 5 + ["AKIAFRESH00000000000"] * 14


def test_a_refresh_that_gives_expired_credentials_is_said_so(process_profile: Path) -> None:
    """The SDK raises a bare RuntimeError there."""
    given = {"Version": 1, "AccessKeyId": "AKIAFRESH00000000000", "SecretAccessKey": "secret"}
    process_profile.write_text(json.dumps(given | {"Expiration": "2025-01-06T08:30:15Z"}), encoding="utf-8")
    done, _ = expiring_scan(small_world(), lambda aws: scan(aws, "--profile", "renewing"))
    assert done.exit_code == 5
    assert "could not be loaded" in done.err


@pytest.mark.usefixtures("hurried")
def test_after_credentials_that_ended_in_mid_scan_a_resumed_run_has_the_users_of_a_calm_day() -> None:
    world = organization(20, 2)
    calm = calm_day(world)
    done, _ = expiring_scan(world, lambda aws: scan(aws, "--concurrency", "1", key="AKIAEXPIRING00000000"))
    assert done.exit_code == 4
    read, unread = done.with_outcome("SCANNED"), done.with_outcome("FAILED")
    assert read
    assert unread
    assert read | unread == ids(world)
    assert {(row["reason"], row["error_code"]) for row in done.accounts.values() if row["outcome"] == "FAILED"} == {
        ("CREDENTIALS_EXPIRED", "ExpiredToken")
    }
    assert done.users == rows_of(calm, read)
    with running(world) as again, calling(again):
        resumed = program("scan", "--resume", done.folder, "--format", "csv")
    assert resumed.exit_code == 3
    assert accounts_asked(again.calls_to("iam:ListUsers")) == unread
    assert (done.folder / "iam-users.csv").read_bytes() == (calm.folder / "iam-users.csv").read_bytes()


def test_a_member_s_session_that_ends_in_mid_account_costs_that_account_alone() -> None:
    """It ends between two pages of users: what was listed before is not passed off as all."""
    world = small_world()
    cut_short = named(world, "core")
    for number in range(1001):
        cut_short.add_user(f"user-{number}")
    calm = calm_day(world, *BASIC)
    clock = Clock()
    end = Fault("iam:ListUsers", Do(lambda _: clock.advance(901)), account=cut_short.id, when=first(1))
    with running(world, [end], clock=clock) as endpoint:
        done = scan(endpoint, *BASIC, "--concurrency", "1")
    assert done.exit_code == 4
    assert done.with_outcome("FAILED") == {cut_short.id}
    row = done.accounts[cut_short.id]
    assert (row["reason"], row["failed_call"], row["users"]) == ("CREDENTIALS_EXPIRED", "iam:ListUsers", "")
    assert done.users == rows_of(calm, ids(world) - {cut_short.id})


# --- faults in one account of twenty ---------------------------------------------------------------------------------

SELDOM: list[tuple[str, Effect, str]] = [  # as they last, most of them until the account's time is up
    ("iam:ListUsers", throttle, "THROTTLED"),
    ("iam:ListUsers", hang, "TIMEOUT"),
    ("iam:ListUsers", Drip(0.1), "TIMEOUT"),
    ("iam:ListUsers", http_503, "UNREACHABLE"),
    ("iam:ListUsers", html, "BAD_RESPONSE"),
]
OFTEN: list[tuple[str, Effect, str]] = [
    ("sts:AssumeRole", deny, "ROLE_NOT_ASSUMABLE"),
    ("sts:AssumeRole", expired_token, "CREDENTIALS_EXPIRED"),
    ("iam:ListUsers", deny, "ACCESS_DENIED"),
    ("iam:ListUsers", wrong_account, "BAD_RESPONSE"),
    ("iam:ListUsers", no_marker, "INCOMPLETE_LISTING"),
]


def test_of_1000_accounts_each_of_100_faulty_ones_is_named_and_nothing_else_is_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("scanner.aws.clients.BACKOFF_CAP", 0.1)
    world = organization(1000, 1, full=False)
    faulty = dict(zip((account.id for account in world.members[::10]), (SELDOM + 3 * OFTEN) * 5, strict=True))
    faults = [Fault(call, effect, account=account) for account, (call, effect, _) in faulty.items()]
    with running(world, faults, record=False) as endpoint:
        done = scan(endpoint, *BASIC, "--account-timeout", "8", "--concurrency", "32")
    assert done.exit_code == 4
    failed = {account: done.accounts[account] for account in done.with_outcome("FAILED")}
    assert {account: (row["failed_call"], row["reason"]) for account, row in failed.items()} == {
        account: (call, reason) for account, (call, _, reason) in faulty.items()
    }
    assert all(row["remedy"] and row["users"] == "" for row in failed.values())
    assert done.with_outcome("SCANNED") == ids(world) - set(faulty)
    sound = [account for account in world.accounts.values() if account.id not in faulty]
    arns = {(account.id, user.user_id, account.user_arn(user)) for account in sound for user in account.users}
    assert [(row["account_id"], row["user_id"], row["arn"]) for row in done.users] == sorted(arns)
    assert done.summary["coverage"]["reconciles"]
