"""`scan`, as a person or a script meets it: the exit code, what is printed, what is written, and what AWS is asked."""

import asyncio
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest

from scanner.demo import Demo
from scanner.runs.journal import decode
from tests.aws_endpoint import (
    Fault,
    deny,
    empty_organization,
    running,
)
from tests.demo_expected import EXPECTED, SUSPENDED
from tests.program import PROD, accounts_asked, calling, ids, named, program, scan, small_world, table

pytestmark = pytest.mark.usefixtures("workplace")

CHECKOUT = str(Path(__file__).parents[2])


# --- a served organization -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def demo_scan(sample_organization: Demo, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    """The rows of a scan of the sample organization, with the caller's key that its users were shown."""
    folder = tmp_path_factory.mktemp("served")
    files = sample_organization.write_files(folder)
    with sample_organization.applied():
        done = program("scan", "--safelist", files.safelist, "--output", folder / "runs", "--format", "csv", "--json")
    assert done.exit_code == 3
    return table(folder / "runs" / done.document["run_id"] / "iam-users.csv")


def test_each_account_of_the_served_demo_has_exactly_the_users_that_iam_lists_there(
    sample_organization: Demo, demo_scan: list[dict[str, str]]
) -> None:
    found = {(row["account_id"], row["arn"], row["user_id"]) for row in demo_scan}
    with sample_organization.applied():
        shown = {
            (account, user["Arn"], user["UserId"])
            for account in EXPECTED
            for user in _listed_by_boto3(account, sample_organization.emulator.url)
        }
    assert found == shown
    assert len(demo_scan) == len(shown) == sum(map(len, EXPECTED.values()))


def test_each_user_of_the_served_demo_is_decided_as_its_safelist_says(demo_scan: list[dict[str, str]]) -> None:
    found: dict[str, dict[str, str]] = {account: {} for account in EXPECTED}
    for row in demo_scan:
        name = row["user_name"].removeprefix("'")  # the CSV's guard against formulas
        found[row["account_id"]][name] = row["basis"]
    assert found == EXPECTED
    assert SUSPENDED not in found


def _listed_by_boto3(account: str, url: str) -> list[dict[str, Any]]:
    sts = boto3.client("sts", endpoint_url=url)
    asked = {"RoleArn": f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole", "RoleSessionName": "check"}
    given = sts.assume_role(**asked)["Credentials"]
    iam = boto3.client(
        "iam",
        endpoint_url=url,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
    users: list[dict[str, Any]] = iam.list_users()["Users"]
    sts.close()
    iam.close()
    return users


def test_an_ou_scope_enters_the_accounts_of_that_ou_and_below_and_no_other() -> None:
    world = small_world()
    with running(world) as endpoint:
        done = scan(endpoint, "--ou", "Root/Workloads/Prod")
    assert done.exit_code == 3
    assert set(done.accounts) == done.with_outcome("SCANNED") == ids(world, *PROD)
    assert accounts_asked(endpoint.calls_to("sts:AssumeRole")) == ids(world, *PROD)
    assert accounts_asked(endpoint.calls_to("iam:ListUsers")) == ids(world, *PROD)
    assert {row["account_id"] for row in done.users} == ids(world, *PROD)


def test_one_account_that_is_denied_fails_by_itself_and_all_others_are_as_without_it() -> None:
    world = small_world()
    refused = named(world, "core").id
    with running(world) as endpoint:
        sound = scan(endpoint, "--output", "sound", "--json")
    before = {row["account_id"]: row for row in table(Path("sound", sound.document["run_id"], "accounts.csv"))}
    with running(world, [Fault("sts:AssumeRole", deny, account=refused)]) as endpoint:
        done = scan(endpoint)
    assert done.exit_code == 4
    assert done.summary["status"] == "INCOMPLETE"
    row = done.accounts[refused]
    assert (row["outcome"], row["reason"], row["failed_call"]) == ("FAILED", "ROLE_NOT_ASSUMABLE", "sts:AssumeRole")
    assert row["error_code"] == "AccessDenied"
    assert row["detail"].startswith(f"User: arn:aws:iam::{world.management_account_id}:user/auditor is not authorized")
    assert "trust policy" in row["remedy"]
    assert row["users"] == ""
    moments = {"scanned_at", "credential_report_at"}
    for account in set(before) - {refused}:
        assert {key: done.accounts[account][key] for key in row.keys() - moments} == {
            key: before[account][key] for key in row.keys() - moments
        }


def test_a_scope_of_which_no_account_is_read_is_never_a_success() -> None:
    with running(small_world(), [Fault("sts:AssumeRole", deny), Fault("iam:*", deny)]) as endpoint:
        done = scan(endpoint)
    assert done.exit_code == 4
    assert done.summary["status"] == "NOTHING READ"
    assert done.out.count("NOTHING READ") == 1


def test_an_ou_without_accounts_is_nothing_read() -> None:
    world = small_world()
    world.add_ou("Empty")
    with running(world) as endpoint:
        done = scan(endpoint, "--ou", "Root/Empty")
    assert (done.exit_code, done.summary["status"]) == (4, "NOTHING READ")


# --- what is refused before any call ---------------------------------------------------------------------------------

_TWICE = 'version: 1\naccounts:\n  "123456789012": [alice]\n  "123456789012": [bob]\n'
BAD_SAFELISTS = {
    "empty": ("", "bad.yaml"),
    "a repeated key": (_TWICE, "bad.yaml:4"),
    "an unquoted account id": ("version: 1\naccounts:\n  123456789012: [alice]\n", "bad.yaml:3"),
    "an unknown key": ("version: 1\nglobal: []\nglobel: [alice]\n", "bad.yaml:3"),
}


@pytest.mark.parametrize(("text", "at"), BAD_SAFELISTS.values(), ids=BAD_SAFELISTS)
def test_a_bad_safelist_stops_the_scan_before_any_call(text: str, at: str) -> None:
    Path("bad.yaml").write_text(text, encoding="utf-8")
    with running(small_world()) as endpoint:
        done = scan(endpoint, safelist="bad.yaml")
    assert done.exit_code == 2
    assert f"error: {at}" in done.err
    assert endpoint.calls == []
    assert not done.output.exists()


def test_faults_of_safelists_stand_in_the_json_document_one_by_one() -> None:
    Path("bad.yaml").write_text("version: 1\nglobel: [alice]\nacounts: {}\n", encoding="utf-8")
    with running(small_world()) as endpoint:
        error = scan(endpoint, "--json", safelist="bad.yaml").document["error"]
    assert error["exit_code"] == 2
    assert [fault["line"] for fault in error["faults"]] == [1, 2, 3]
    assert error["faults"][1]["remedy"] == "Did you mean global?"


BAD_OPTIONS: dict[str, tuple[list[str], str]] = {
    "evidence": (["--evidence", "some"], "--evidence"),
    "day": (["--as-of", "soon"], "--as-of"),
    "format": (["--format", "pdf"], "--format"),
    "timeout": (["--account-timeout", "0"], "--account-timeout"),
    "account": (["--account", "12345"], "--account"),
    "role name": (["--role-name", "a b"], "--role-name"),
    "accounts file": (["--accounts-file", "absent.csv"], "absent.csv"),
    "account owners": (["--account-owners", "absent.csv"], "absent.csv"),
    "safelist": (["--safelist", "absent.yaml"], "absent.yaml"),
    "settings file": (["--config", "absent.yaml"], "absent.yaml"),
}


@pytest.mark.parametrize(("options", "named_in_message"), BAD_OPTIONS.values(), ids=BAD_OPTIONS)
def test_a_bad_option_stops_the_scan_before_any_call(options: list[str], named_in_message: str) -> None:
    with running(small_world()) as endpoint:
        done = scan(endpoint, *options)
    assert done.exit_code == 2
    assert named_in_message in done.err
    assert endpoint.calls == []
    assert not done.output.exists()


def test_a_safelist_of_another_organization_stops_the_scan_before_any_role_is_assumed() -> None:
    Path("other.yaml").write_text("version: 1\norganization: o-someoneelse\nglobal: []\n", encoding="utf-8")
    with running(small_world()) as endpoint:
        done = scan(endpoint, safelist="other.yaml")
    assert done.exit_code == 2
    assert "o-someoneelse" in done.err
    assert endpoint.calls_to("sts:AssumeRole") == []
    assert not done.output.exists()


# --- what is printed where -------------------------------------------------------------------------------------------


def test_with_json_stdout_is_the_summary_and_nothing_else() -> None:
    with running(small_world()) as endpoint:
        done = scan(endpoint, "--json")
    assert done.document == done.summary
    assert done.document["status"] == "COMPLETE"


ENDS_BADLY: dict[str, tuple[list[str], int]] = {
    "no such OU": (["--ou", "Root/Absent"], 2),
    "bad option": (["--evidence", "some"], 2),
    "unwritable": (["--output", "nobody.yaml"], 1),
    "no profile": (["--profile", "absent"], 5),
    "no number": (["--concurrency", "many"], 2),
    "no such option": (["--oo", "Root"], 2),
}


@pytest.mark.parametrize(("options", "code"), ENDS_BADLY.values(), ids=ENDS_BADLY)
def test_with_json_an_error_is_one_document_too(options: list[str], code: int) -> None:
    with running(small_world()) as endpoint:
        done = scan(endpoint, "--json", *options)
    assert done.exit_code == code
    assert done.document["error"]["exit_code"] == code
    assert done.document["error"]["message"]


def test_progress_goes_to_stderr_alone() -> None:
    with running(small_world()) as endpoint:
        done = scan(endpoint)
    assert "Scanning" in done.err
    assert "Scanning" not in done.out


def test_quiet_leaves_the_folder_on_stdout_and_nothing_on_stderr() -> None:
    with running(small_world()) as endpoint:
        done = scan(endpoint, "--quiet")
    assert done.out == f"{done.folder}\n"
    assert done.err == ""


@pytest.mark.parametrize("options", [[], ["--debug"]], ids=["plain", "debug"])
def test_a_traceback_is_shown_with_debug_alone(options: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        await asyncio.sleep(0)
        raise ZeroDivisionError

    monkeypatch.setattr("scanner.aws.iam.list_users", broken)
    with running(small_world()) as endpoint:
        done = scan(endpoint, *options)
    assert done.exit_code == 4
    assert ("Traceback" in done.err) == bool(options)
    assert "Traceback" not in done.out


def test_what_others_chose_cannot_steer_the_terminal() -> None:
    world = small_world(users=["mallory"])
    named(world, "core").name = "core\x1b[2J\x1b]0;owned\x07"
    with running(world) as endpoint:
        done = scan(endpoint, "--ou", "Root/Workloads/Prod/Core")
    assert "\x1b" not in done.out + done.err
    assert "\\x1b[2J" in done.out


# --- what is written -------------------------------------------------------------------------------------------------


@contextmanager
def _permissive_umask() -> Iterator[None]:
    before = os.umask(0)
    try:
        yield
    finally:
        os.umask(before)


def test_the_folder_is_0700_and_its_files_0600_whatever_the_umask() -> None:
    with _permissive_umask(), running(small_world()) as endpoint:
        done = scan(endpoint, "--format", "json", "--format", "xlsx")
    assert stat.S_IMODE(done.folder.stat().st_mode) == 0o700
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in done.folder.iterdir()}
    assert modes == dict.fromkeys(modes, 0o600)


def test_the_formats_asked_for_are_written_and_no_other() -> None:
    always = {"journal.jsonl", "accounts.csv", "summary.json", "manifest.json"}
    with running(small_world()) as endpoint:
        done = scan(endpoint)
    assert {file.name for file in done.folder.iterdir()} == always | {"iam-users.csv"}


def test_findings_for_a_security_lake_are_sealed_with_the_run() -> None:
    with running(small_world()) as endpoint:
        done = scan(endpoint, "--format", "ocsf")
    findings = done.folder / "iam-users.ocsf.jsonl"
    lines = [json.loads(line) for line in findings.read_text(encoding="utf-8").splitlines()]
    assert [line["resources"][0]["uid"] for line in lines] == [row["arn"] for row in done.users]
    assert program("verify", done.folder).exit_code == 0
    with findings.open("ab") as file:
        file.write(b"{}\n")
    assert program("verify", done.folder).exit_code == 3


def test_a_format_whose_package_is_missing_is_refused_before_anything_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with running(small_world()) as endpoint:
        run = scan(endpoint, "--format", "json").folder.name
        calls, there = len(endpoint.calls), set(Path("reports").rglob("*"))
        monkeypatch.setattr("scanner.cli.options.find_spec", lambda _: None)
        refused = [
            scan(endpoint, "--format", "ocsf"),
            program("report", run, "--format", "ocsf"),
            program("evaluate", run, "--as-of", "2027-01-15", "--format", "ocsf"),
        ]
        assert len(endpoint.calls) == calls
    assert {done.exit_code for done in refused} == {2}
    for done in refused:
        assert "error: --format ocsf needs a package that is not installed: py-ocsf-models." in done.err
        assert "'PATH[ocsf]'" in done.err
    assert set(Path("reports").rglob("*")) == there


def test_by_default_a_workbook_and_a_csv_are_written() -> None:
    with running(small_world()) as endpoint, calling(endpoint):
        done = program("scan", "--safelist", "nobody.yaml", "--quiet")
    written = {file.name for file in Path(done.out.strip()).iterdir()}
    assert {"iam-users.xlsx", "iam-users.csv"} < written
    assert "iam-users.json" not in written


def test_account_owners_stand_beside_their_accounts() -> None:
    world = small_world()
    Path("owners.csv").write_text(
        f"account_id,account_owner\n{named(world, 'dev').id},dev@example.com\n", encoding="utf-8"
    )
    with running(world) as endpoint:
        done = scan(endpoint, "--account-owners", "owners.csv")
    assert done.accounts[named(world, "dev").id]["account_owner"] == "dev@example.com"
    assert {row["account_owner"] for row in done.users} == {"dev@example.com", ""}


def test_owners_of_unknown_accounts_and_accounts_without_an_owner_are_said() -> None:
    """On the screen and in summary.json; a report under other owners says what holds of these."""
    world = small_world()
    accounts = list(world.accounts.values())
    rows = "".join(f"{account.id},me@example.com\n" for account in accounts[1:])
    Path("owners.csv").write_text(f"account_id,account_owner\n999999999999,me@example.com\n{rows}", encoding="utf-8")
    with running(world) as endpoint:
        done = scan(endpoint, "--account-owners", "owners.csv")
    note = (
        "Account owners: 1 account ID is not in the organization: 999999999999; "
        f"1 of the {len(accounts)} accounts in scope has no owner."
    )
    assert note in done.summary["notes"]
    Path("owners.csv").write_text(
        f"account_id,account_owner\n{accounts[0].id},me@example.com\n{rows}", encoding="utf-8"
    )
    again = program("report", done.folder, "--account-owners", "owners.csv", "--format", "csv", "--json")
    assert not [told for told in again.document["notes"] if told.startswith("Account owners")]


def test_approvals_are_judged_on_the_day_that_was_given() -> None:
    Path("until.yaml").write_text("version: 1\nglobal: [{user: alice, expires_on: 2026-01-31}]\n", encoding="utf-8")
    with running(small_world(users=["alice"])) as endpoint:
        then = scan(endpoint, "--as-of", "2026-01-31", safelist="until.yaml")
        later = scan(endpoint, "--as-of", "2026-02-01", "--output", "later", safelist="until.yaml")
    assert (then.exit_code, later.exit_code) == (0, 3)


# --- as a process ----------------------------------------------------------------------------------------------------


def test_a_scan_as_a_process_of_its_own(endpoint_environment: Callable[..., dict[str, str]]) -> None:
    """What the other tests of this file do in this process: `python -m scanner` with its real streams."""
    world = small_world()
    with running(world, [Fault("sts:AssumeRole", deny, account=named(world, "dev").id)]) as endpoint:
        done = subprocess.run(
            [sys.executable, "-m", "scanner", "scan", "--safelist", "nobody.yaml", "--format", "csv", "--json"],
            env=endpoint_environment(endpoint.url, PYTHONPATH=CHECKOUT),
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 4
    document = json.loads(done.stdout)
    assert document["coverage"]["failed"] == 1
    assert "Scanning" in done.stderr
    journal = Path("reports", document["run_id"], "journal.jsonl").read_bytes()
    assert len(decode(journal).scans) == 7


def test_an_empty_organization_is_just_its_management_account() -> None:
    with running(empty_organization()) as endpoint:
        done = scan(endpoint)
    assert done.exit_code == 0
    assert len(done.accounts) == 1
