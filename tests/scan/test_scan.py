"""The scan as a whole: bad days at AWS, what is counted, and what the record says of how it was made."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.aws_endpoint import (
    Fault,
    Raw,
    deny,
    hang,
    html,
    http_500,
    http_503,
    organization,
    running,
    sometimes,
    throttle,
)
from tests.program import accounts_asked, calling, ids, named, program, scan, small_world, table

pytestmark = pytest.mark.usefixtures("workplace")


@pytest.mark.usefixtures("hurried")
def test_with_three_calls_in_ten_throttled_every_account_is_scanned() -> None:
    world = organization(30, 3)
    with running(world, [Fault("*", throttle, when=sometimes(0.3))]) as endpoint:
        done = scan(endpoint)
    assert done.exit_code == 3
    assert done.with_outcome("SCANNED") == set(world.accounts)
    assert {row["evidence"] for row in done.accounts.values()} == {"FULL"}
    assert len(done.users) == 90
    assert done.summary["throttled"] > 30


@pytest.mark.usefixtures("hurried")
def test_a_storm_leaves_the_same_rows_as_a_calm_day() -> None:
    world = organization(12, 4)
    with running(world) as endpoint:
        calm = scan(endpoint).users
    storm = [Fault("*", throttle, when=sometimes(0.4)), Fault("iam:*", http_500, when=sometimes(0.1, seed=1))]
    with running(world, storm) as endpoint:
        stormy = scan(endpoint, "--output", "stormy", "--json").document
    assert stormy["throttled"] > 0
    assert table(Path("stormy", stormy["run_id"], "iam-users.csv")) == calm


@pytest.mark.usefixtures("hurried")
def test_each_account_fails_in_its_own_way_and_the_rest_is_scanned() -> None:
    world = small_world()
    ways = {
        "prod": (Fault("iam:ListUsers", throttle, account=named(world, "prod").id), "THROTTLED"),
        "payments-1": (Fault("iam:ListUsers", hang, account=named(world, "payments-1").id), "TIMEOUT"),
        "payments-2": (Fault("sts:AssumeRole", deny, account=named(world, "payments-2").id), "ROLE_NOT_ASSUMABLE"),
        "core": (Fault("iam:ListUsers", html, account=named(world, "core").id), "BAD_RESPONSE"),
        "dev": (Fault("iam:ListUsers", http_503, account=named(world, "dev").id), "UNREACHABLE"),
    }
    with running(world, [fault for fault, _ in ways.values()]) as endpoint:
        done = scan(endpoint, "--account-timeout", "1")
    assert done.exit_code == 4
    for name, (_, reason) in ways.items():
        row = done.accounts[named(world, name).id]
        assert (row["outcome"], row["reason"]) == ("FAILED", reason), name
        assert row["remedy"], name
        assert row["users"] == "", name
    assert done.with_outcome("SCANNED") == ids(world, "management", "sandbox")
    assert {row["account_id"] for row in done.users} == ids(world, "management", "sandbox")
    assert done.summary["coverage"]["reconciles"]


def test_the_calls_that_are_told_are_the_calls_that_were_made() -> None:
    with running(small_world()) as endpoint:
        done = scan(endpoint)
    assert done.summary["api_calls"] == dict(endpoint.counts)
    assert done.summary["api_calls_total"] == endpoint.counts.total()


def test_no_more_calls_are_made_at_once_than_were_allowed() -> None:
    with running(organization(12, 1), latency=0.005) as endpoint:
        done = scan(endpoint, "--concurrency", "3")
    assert done.exit_code == 3
    assert endpoint.most_concurrent <= 3


def test_accounts_are_read_at_once() -> None:
    with running(organization(30, 1), latency=0.02) as endpoint:
        scan(endpoint, "--evidence", "basic")
    assert endpoint.most_concurrent > 8


def test_nothing_outside_the_scope_is_asked_for_more_than_its_place() -> None:
    world = small_world()
    with running(world) as endpoint:
        scan(endpoint, "--account", named(world, "dev").id)
    entered = [call for call in endpoint.calls if call.service == "iam" or call.name == "sts:AssumeRole"]
    assert accounts_asked(entered) == ids(world, "dev")


def test_the_record_says_who_scanned_what_and_with_which_settings() -> None:
    world = small_world()
    with running(world) as endpoint:
        done = scan(endpoint, "--ou", "Root/Sandbox", "--external-id", "EXT-1")
    header = done.record.header
    assert header.caller.arn == f"arn:aws:iam::{world.management_account_id}:user/auditor"
    assert header.organization is not None
    assert header.organization.id == world.id
    assert header.settings.ou == ("Root/Sandbox",)
    assert header.external_id_given is True
    assert [text.path for text in header.safelists] == ["nobody.yaml"]
    assert header.safelists[0].text == Path("nobody.yaml").read_text(encoding="utf-8")
    assert header.run_id == done.folder.name
    assert {"python", "aioboto3", "pandas", "openpyxl"} <= set(header.versions)
    assert set(header.session_policies) == {"member"}


def test_no_role_is_assumed_before_the_scope_is_checked() -> None:
    world = small_world()
    hub = f"arn:aws:iam::{world.members[0].id}:role/Hub"
    with running(world) as endpoint, calling(endpoint):
        done = program("scan", "--safelist", "nobody.yaml", "--hub-role-arn", hub, "--ou", "Root/Absent")
    assert done.exit_code == 2
    assert endpoint.calls_to("sts:AssumeRole") == []


def test_a_safelist_of_an_organization_that_could_not_be_checked_is_said() -> None:
    world = small_world()
    Path("named.yaml").write_text("version: 1\norganization: o-someoneelse\nglobal: []\n", encoding="utf-8")
    rows = "".join(f"{account.id},{account.name},Root\n" for account in world.accounts.values())
    Path("accounts.csv").write_text("account_id,account_name,ou_path\n" + rows, encoding="utf-8")
    with running(world) as endpoint:
        done = scan(endpoint, "--accounts-file", "accounts.csv", safelist="named.yaml")
    assert any("o-someoneelse" in note for note in done.summary["notes"])


def test_an_odd_organization_is_no_start() -> None:
    odd = Raw(200, json.dumps({"Organization": {}}).encode(), "application/x-amz-json-1.1")
    with running(small_world(), [Fault("organizations:DescribeOrganization", odd)]) as endpoint:
        done = scan(endpoint)
    assert done.exit_code == 5


@pytest.mark.parametrize(("name", "value"), [("AWS_ENDPOINT_URL", "localhost:1234"), ("AWS_REGION", "bad region!")])
def test_settings_of_the_sdk_that_cannot_be_used_are_no_start(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(small_world()) as endpoint, calling(endpoint):
        monkeypatch.setenv(name, value)
        done = program("scan", "--safelist", "nobody.yaml")
    assert done.exit_code == 5


def test_rows_come_in_the_order_of_accounts_and_names() -> None:
    world = small_world(users=["zoe", "adam", "Bob"])
    with running(world) as endpoint:
        done = scan(endpoint)
    order = [(row["account_id"], row["user_name"]) for row in done.users]
    assert order == sorted(order)
    assert len(order) == 21


def test_a_scan_that_is_interrupted_ends_with_130_and_keeps_what_was_scanned(
    endpoint_environment: Callable[..., dict[str, str]],
) -> None:
    """All accounts but one are read; that one hangs until Ctrl-C."""
    world = small_world()
    stuck = named(world, "core").id
    command = [sys.executable, "-m", "scanner", "scan", "--safelist", "nobody.yaml", "--format", "csv"]
    with running(world, [Fault("iam:ListUsers", hang, account=stuck)]) as endpoint:
        environment = endpoint_environment(endpoint.url, PYTHONPATH=str(Path(__file__).parents[2]))
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
            try:
                journal = _until_written(6, process)
                process.send_signal(signal.SIGINT)
                process.wait(20)
            finally:
                process.kill()
    assert process.returncode == 130
    lines = [json.loads(line) for line in journal.read_bytes().splitlines()]
    kept = {line["account_id"] for line in lines if line["type"] == "account" and line["outcome"] == "SCANNED"}
    assert kept == ids(world) - {stuck}


def _until_written(accounts: int, process: "subprocess.Popen[bytes]") -> Path:
    """Wait until the journal of the only run has that many accounts."""
    while process.poll() is None:
        for journal in Path("reports").glob("*/journal.jsonl"):
            if journal.read_bytes().count(b'{"type":"account"') >= accounts:
                return journal
        os.sched_yield()
    raise AssertionError("the scan ended before it was interrupted")
