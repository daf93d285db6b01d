"""The exit codes of `scan`."""

from pathlib import Path

import pytest

from tests.aws_endpoint import (
    MEMBER_KEY,
    Fault,
    deny,
    expired_token,
    running,
)
from tests.program import calling, named, program, scan, small_world

pytestmark = pytest.mark.usefixtures("workplace")


def test_the_exit_code_is_0_where_every_user_is_approved() -> None:
    Path("all.yaml").write_text("version: 1\nglobal: [alice, BOB]\n", encoding="utf-8")
    with running(small_world()) as endpoint:
        done = scan(endpoint, safelist="all.yaml")
    assert done.exit_code == 0
    assert {row["determination"] for row in done.users} == {"APPROVED"}


def test_the_exit_code_is_0_where_accounts_were_read_and_have_no_users() -> None:
    with running(small_world(users=())) as endpoint:
        assert scan(endpoint).exit_code == 0


def test_the_exit_code_is_3_where_one_user_is_unapproved() -> None:
    Path("alice.yaml").write_text("version: 1\nglobal: [alice]\n", encoding="utf-8")
    world = small_world(users=["alice"])
    named(world, "dev").add_user("mallory")
    with running(world) as endpoint:
        done = scan(endpoint, safelist="alice.yaml")
    assert done.exit_code == 3
    assert [row["user_name"] for row in done.users if row["determination"] == "UNAPPROVED"] == ["mallory"]


def test_incomplete_wins_over_unapproved() -> None:
    world = small_world()
    with running(world, [Fault("iam:ListUsers", deny, account=named(world, "dev").id)]) as endpoint:
        done = scan(endpoint)
    assert done.exit_code == 4
    assert any(row["determination"] == "UNAPPROVED" for row in done.users)


def test_with_fail_on_new_a_backlog_is_0_and_what_is_new_is_3() -> None:
    """In the second quarter; the first run has nothing to compare with, and so fails by its backlog."""
    world, gate = small_world(users=["backlog"]), ("--fail-on", "new", "--fail-on", "privilege-gained", "--json")
    with running(world) as endpoint:
        assert scan(endpoint, *gate).exit_code == 3
        again = scan(endpoint, *gate)
        assert (again.exit_code, again.document["exit_code"], again.document["users"]["unapproved"] > 0) == (0, 0, True)
        assert again.document["fail_on"] == {"conditions": ["new", "privilege-gained"], "users": 0}
        named(world, "dev").add_user("mallory")
        new = scan(endpoint, *gate)
        assert (new.exit_code, new.document["fail_on"]["users"]) == (3, 1)
        endpoint.faults.rules.append(Fault("iam:ListUsers", deny, account=named(world, "dev").id))
        assert scan(endpoint, *gate).exit_code == 4


def test_fail_on_none_is_0_and_says_so() -> None:
    with running(small_world()) as endpoint:
        done = scan(endpoint, "--fail-on", "none")
        assert done.exit_code == 0
        assert "Fail on    none: 0 users, exit code 0\n" in done.out


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("nwe",), "--fail-on: 'nwe' is not a condition to fail on. Write one of: unapproved, none, new,"),
        (("NEW",), "--fail-on: 'NEW' is not a condition to fail on."),
        (("none", "new"), "--fail-on: none stands beside other conditions. Leave none out, or the others."),
    ],
)
def test_a_condition_that_is_none_is_refused_before_anything_is_called(given: tuple[str, ...], said: str) -> None:
    with running(small_world()) as endpoint:
        done = scan(endpoint, *(word for value in given for word in ("--fail-on", value)))
        assert (done.exit_code, endpoint.calls) == (2, [])
        assert said in done.err


def test_a_resumed_run_keeps_its_fail_on() -> None:
    world = small_world()
    with running(world, [Fault("iam:ListUsers", deny, account=named(world, "dev").id)]) as endpoint:
        assert scan(endpoint, "--fail-on", "none").exit_code == 4
        endpoint.faults.rules.clear()
        (run,) = (folder for folder in Path("reports").iterdir() if folder.is_dir())
        with calling(endpoint):
            assert "leave out --fail-on" in program("scan", "--resume", run, "--fail-on", "new").err
            assert program("scan", "--resume", run).exit_code == 0


def test_the_exit_code_is_1_where_the_output_cannot_be_written() -> None:
    Path("taken").write_text("a file, and no folder", encoding="utf-8")
    with running(small_world()) as endpoint:
        done = scan(endpoint, "--output", "taken")
    assert done.exit_code == 1
    assert "taken" in done.err
    assert "--output" in done.err
    assert endpoint.calls_to("sts:AssumeRole") == []


def test_the_exit_code_is_5_without_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    done = program("scan", "--safelist", "nobody.yaml")
    assert done.exit_code == 5
    assert "aws sso login" in done.err


def test_the_exit_code_is_5_for_a_profile_that_is_not_configured() -> None:
    done = program("scan", "--safelist", "nobody.yaml", "--profile", "absent")
    assert done.exit_code == 5
    assert "absent" in done.err


def test_the_exit_code_is_5_where_aws_refuses_the_callers_key() -> None:
    with running(small_world()) as endpoint:
        done = scan(endpoint, key="AKIAUNKNOWN000000000")
    assert done.exit_code == 5
    assert "InvalidClientTokenId" in done.err


def test_the_exit_code_is_5_where_the_callers_credentials_have_expired() -> None:
    with running(small_world(), [Fault("sts:GetCallerIdentity", expired_token)]) as endpoint:
        done = scan(endpoint)
    assert done.exit_code == 5
    assert "ExpiredToken" in done.err
    assert "Sign in again" in done.err


@pytest.mark.parametrize("call", ["DescribeOrganization", "ListRoots"])
def test_the_exit_code_is_5_where_organizations_is_denied(call: str) -> None:
    with running(small_world(), [Fault(f"organizations:{call}", deny)]) as endpoint:
        done = scan(endpoint, "--ou", "Root/Workloads")
    assert done.exit_code == 5
    assert "AccessDeniedException" in done.err
    assert "--accounts-file" in done.err
    assert not done.output.exists()


def test_the_exit_code_is_5_where_organizations_is_denied_to_a_member_account() -> None:
    """DescribeOrganization is open to members; what they are refused is the listing."""
    with running(small_world()) as endpoint:
        done = scan(endpoint, key=MEMBER_KEY)
    assert done.exit_code == 5
    assert "AccessDeniedException" in done.err
    assert not done.output.exists()


def test_the_exit_code_is_5_outside_an_organization() -> None:
    world = small_world()
    world.in_use = False
    with running(world) as endpoint:
        done = scan(endpoint)
    assert done.exit_code == 5
    assert "AWSOrganizationsNotInUseException" in done.err
