"""`--account-owner-tag`: owners by the tags of accounts, beside the scan, and never in its way."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from openpyxl import load_workbook

from scanner.model import AccountId
from scanner.runs import folder as run_folder
from scanner.scan import owner_tags
from scanner.scan.owner_tags import TagReading
from tests.aws.asking import asking
from tests.aws_endpoint import (
    Endpoint,
    Fault,
    SimulatedOrganization,
    SimulatedRole,
    cut,
    deny,
    empty_page,
    first,
    hang,
    http_500,
    nth,
    running,
    same_marker,
    throttle,
)
from tests.program import Scanned, calling, ids, named, program, scan, small_world

TAGS = "organizations:ListTagsForResource"
ASKED = ("--account-owner-tag", "Owner", "--evidence", "basic")

pytestmark = pytest.mark.usefixtures("workplace", "hurried")


def world(tags: Mapping[str, Mapping[str, str]] | None = None) -> SimulatedOrganization:
    """Each account has a tag Owner, but for those that are named here with their tags."""
    made = small_world(["alice"])
    for account in made.accounts.values():
        account.tags = dict((tags or {}).get(account.name, {"Owner": f"{account.name}@example.com"}))
    return made


def owners(done: Scanned, made: SimulatedOrganization) -> dict[str, str]:
    return {made.accounts[account].name: row["account_owner"] for account, row in done.accounts.items()}


def note(done: Scanned) -> str:
    (found,) = (note for note in done.summary["notes"] if note.startswith("Account owners"))
    return str(found)


def all_owned(made: SimulatedOrganization) -> dict[str, str]:
    return {account.name: f"{account.name}@example.com" for account in made.accounts.values()}


def write_owners(made: SimulatedOrganization, **by_name: str) -> None:
    rows = "".join(f"{named(made, name).id},{owner}\n" for name, owner in by_name.items())
    Path("owners.csv").write_text(f"account_id,account_owner\n{rows}", encoding="utf-8")


# --- what counts -----------------------------------------------------------------------------------------------------


def test_the_owner_is_the_tag_of_exactly_this_key_and_of_any_page() -> None:
    other = {f"k{number}": "x" for number in range(45)}
    made = world(
        {
            "dev": {"owner": "no@example.com", "OWNER": "no@example.com"},
            "core": {"owner": "no@example.com", **other, "Owner": " core@example.com "},
            "prod": {"Owner": ""},
            "sandbox": {"Owner": " \u200b"},
        }
    )
    with running(made) as endpoint:
        done = scan(endpoint, *ASKED)
    blank = dict.fromkeys(("dev", "prod", "sandbox"), "")
    assert owners(done, made) == {**all_owned(made), **blank}
    assert {row["account_owner"] for row in done.users} == set(owners(done, made).values())
    assert len([call for call in endpoint.calls_to(TAGS) if call.params["ResourceId"] == named(made, "core").id]) == 3
    assert note(done) == "Account owners: 3 of the 7 accounts in scope have no owner."


def test_whom_the_file_names_is_not_asked_about() -> None:
    made = world()
    write_owners(made, dev="file@example.com", core="")
    with running(made) as endpoint:
        done = scan(endpoint, *ASKED, "--account-owners", "owners.csv")
    assert owners(done, made) == {**all_owned(made), "dev": "file@example.com"}
    assert {call.params["ResourceId"] for call in endpoint.calls_to(TAGS)} == ids(made) - ids(made, "dev")


def test_accounts_in_scope_are_asked_about_and_no_others() -> None:
    made = world()
    sandbox = named(made, "sandbox").id
    with running(made) as endpoint:
        done = scan(endpoint, *ASKED, "--ou", "Root/Workloads/Dev", "--account", sandbox, "--exclude-account", sandbox)
    assert owners(done, made) == {"dev": "dev@example.com", "sandbox": "sandbox@example.com"}
    asked = [call.params["ResourceId"] for call in endpoint.calls_to(TAGS)]
    assert asked == [named(made, "dev").id, sandbox]  # what is scanned comes first


def test_without_the_option_no_tag_is_read() -> None:
    with running(world()) as endpoint:
        done = scan(endpoint, "--evidence", "basic")
    assert not endpoint.calls_to(TAGS)
    assert '"type":"owners"' not in (done.folder / "journal.jsonl").read_text(encoding="ascii")


def test_hostile_values_are_guarded_as_any_text() -> None:
    made = world({"dev": {"Owner": '=HYPERLINK("x")\x1b[31m'}, "core": {"Owner": "a\ud800;\r\nb"}})
    with running(made) as endpoint:
        done = scan(endpoint, *ASKED, "--format", "xlsx")
    assert owners(done, made)["dev"] == '\'=HYPERLINK("x")\x1b[31m'
    assert owners(done, made)["core"] == "a\ufffd;\r\nb"
    assert program("verify", done.folder).exit_code == 0


# --- what fails ------------------------------------------------------------------------------------------------------


def test_tags_that_may_not_be_read_are_said_once_with_the_remedy() -> None:
    made = world()
    with running(made, [Fault(TAGS, deny)]) as endpoint:
        done = scan(endpoint, *ASKED)
    assert done.exit_code == 3
    assert set(owners(done, made).values()) == {""}
    assert note(done) == (
        "Account owners: the tags of 7 accounts in scope were not read (organizations:ListTagsForResource; "
        "AccessDeniedException: You don't have permissions to access this resource). Allow "
        "organizations:ListTagsForResource to whoever reads AWS Organizations, or name their owners with "
        "--account-owners."
    )
    assert done.err.count("ListTagsForResource") + done.out.count("ListTagsForResource") == 2  # call, and remedy
    assert len(endpoint.calls_to(TAGS)) < 7


@pytest.mark.parametrize("effect", [throttle, cut, http_500], ids=["throttled", "cut", "failed"])
def test_a_call_that_fails_for_a_moment_is_made_again(effect: object) -> None:
    made = world()
    with running(made, [Fault(TAGS, effect, when=first(2))]) as endpoint:  # type: ignore[arg-type]
        done = scan(endpoint, *ASKED)
    assert owners(done, made) == all_owned(made)
    assert len(endpoint.calls_to(TAGS)) == 9


@pytest.mark.parametrize("lie", [same_marker, empty_page], ids=["same token", "empty pages without end"])
def test_a_list_without_end_leaves_owners_unknown(lie: object) -> None:
    made = world({name: {} for name in ("management", "prod", "core", "dev", "payments-1", "payments-2", "sandbox")})
    with running(made, [Fault(TAGS, lie)]) as endpoint:  # type: ignore[arg-type]
        done = scan(endpoint, *ASKED)
    assert done.exit_code == 3
    assert "the tags of 7 accounts in scope were not read" in note(done)
    assert "Name their owners with --account-owners." in note(done)


def test_accounts_that_may_not_be_read_cost_no_other() -> None:
    """With two calls at once, one of them is for the tags: every other one is refused."""
    made = world()
    with running(made, [Fault(TAGS, deny, when=nth(1, 3, 5, 7))]) as endpoint:
        done = scan(endpoint, *ASKED, "--concurrency", "2")
    assert len(set(owners(done, made).values())) == 4  # three owners, and none
    assert "the tags of 4 accounts in scope were not read" in note(done)


def test_tags_that_never_come_hold_no_account_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owner_tags, "GRACE", 0.0)
    made = world()
    with running(made, [Fault(TAGS, hang)]) as endpoint:
        done = scan(endpoint, *ASKED, "--concurrency", "2", "--account-timeout", "10")
    assert done.exit_code == 3
    assert done.with_outcome("SCANNED") == ids(made)
    assert "not read before the run ended. Name their owners with --account-owners." in note(done)


async def test_the_rest_is_waited_for_and_no_longer_than_the_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    made = world()
    async with asking(made, [Fault(TAGS, hang, params={"ResourceId": named(made, "dev").id})]) as (_, session):
        reading = TagReading(session, "Owner", 64, None)
        reading.start(map(AccountId, made.accounts))
        monkeypatch.setattr(owner_tags, "GRACE", 0.2)
        await reading.finish()
        assert reading.is_under_way  # the call that hangs
        await reading.stop()
    assert set(reading.result().values) == ids(made) - ids(made, "dev")


# --- how it is asked for ---------------------------------------------------------------------------------------------


def test_a_file_of_accounts_and_a_tag_of_organizations_do_not_go_together() -> None:
    Path("accounts.csv").write_text("account_id,account_name,ou_path\n000000000001,a,Root\n", encoding="utf-8")
    with running(world()) as endpoint:
        done = scan(endpoint, *ASKED, "--accounts-file", "accounts.csv")
    assert done.exit_code == 2
    assert "--account-owner-tag needs AWS Organizations, which --accounts-file does without." in done.err
    assert not endpoint.calls


def test_the_key_comes_from_the_settings_too(monkeypatch: pytest.MonkeyPatch) -> None:
    made = world()
    monkeypatch.setenv("IAM_SCANNER_ACCOUNT_OWNER_TAG", "Owner")
    with running(made) as endpoint:
        done = scan(endpoint, "--evidence", "basic")
    assert owners(done, made) == all_owned(made)


@pytest.mark.parametrize("key", ["a" * 129, "a*b", "a\u0300", "a,b"])
def test_what_cannot_be_the_key_of_a_tag_is_refused(key: str) -> None:
    with running(world()) as endpoint:
        done = scan(endpoint, "--account-owner-tag", key)
    assert done.exit_code == 2
    assert "--account-owner-tag" in done.err
    assert "is not a valid tag key. Write 1 to 128 letters, digits, spaces and _.:/=+-@ characters." in done.err


def test_keys_of_other_scripts_are_keys() -> None:
    made = world({"dev": {"Besitzer für alles": "dev@example.com"}})
    with running(made) as endpoint:
        done = scan(endpoint, "--account-owner-tag", "Besitzer für alles", "--evidence", "basic")
    assert owners(done, made)["dev"] == "dev@example.com"


def test_the_role_that_reads_organizations_reads_the_tags_within_its_session_policy() -> None:
    """The endpoint enforces the policy."""
    made = world()
    made.management.roles = [SimulatedRole(name="OrganizationsReader")]
    arn = f"arn:aws:iam::{made.management_account_id}:role/OrganizationsReader"
    with running(made) as endpoint:
        done = scan(endpoint, *ASKED, "--organizations-role-arn", arn)
    assert set(owners(done, made).values()) == set(all_owned(made).values())
    (session,) = (session for session in endpoint.sessions if session.role_arn == arn)
    assert {call.access_key_id for call in endpoint.calls_to(TAGS)} == {session.access_key_id}


# --- what is kept ----------------------------------------------------------------------------------------------------


def resume(endpoint: Endpoint, done: Scanned, *arguments: object) -> Scanned:
    with calling(endpoint):
        again = program("scan", "--resume", done.folder, "--format", "csv", *arguments)
    return Scanned(again.exit_code, again.out, again.err, done.output)


def stop_at(done: Scanned, kind: str) -> None:
    """As if the run had been killed before it wrote its first line of this kind."""
    journal = (done.folder / run_folder.JOURNAL).read_bytes().splitlines(keepends=True)
    shutil.rmtree(done.folder)
    done.folder.mkdir()
    kept = journal[: next(at for at, line in enumerate(journal) if json.loads(line)["type"] == kind)]
    (done.folder / run_folder.JOURNAL).write_bytes(b"".join(kept))


@pytest.mark.parametrize("kind", ["listing", "owners", "footer"])
def test_a_killed_run_is_resumed_to_the_same_owners(kind: str) -> None:
    made = world({"core": {}})
    with running(made) as endpoint:
        whole = scan(endpoint, *ASKED)
        files = {name: (whole.folder / name).read_bytes() for name in ("iam-users.csv",)}
        before = owners(whole, made)
        stop_at(whole, kind)
        endpoint.calls.clear()
        again = resume(endpoint, whole)
    assert again.exit_code == 3
    assert owners(again, made) == before
    assert {name: (again.folder / name).read_bytes() for name in files} == files
    assert len(endpoint.calls_to(TAGS)) == (0 if kind == "footer" else 7)
    assert program("verify", again.folder).exit_code == 0


def test_a_resumed_run_reads_only_the_tags_that_are_missing() -> None:
    made = world()
    core, dev = named(made, "core").id, named(made, "dev").id
    faults = [Fault("sts:AssumeRole", deny, account=core), Fault(TAGS, deny, params={"ResourceId": dev})]
    with running(made, faults) as endpoint:
        done = scan(endpoint, *ASKED)
        assert (done.exit_code, owners(done, made)["dev"]) == (4, "")
        endpoint.faults.rules.clear()
        endpoint.calls.clear()
        again = resume(endpoint, done)
    assert owners(again, made) == all_owned(made)
    assert [call.params["ResourceId"] for call in endpoint.calls_to(TAGS)] == [dev]
    assert not [note for note in again.summary["notes"] if note.startswith("Account owners")]


def test_a_resumed_run_keeps_its_key() -> None:
    made = world()
    with running(made, [Fault("sts:AssumeRole", deny, account=named(made, "core").id)]) as endpoint:
        done = scan(endpoint, *ASKED)
        again = resume(endpoint, done, "--account-owner-tag", "owner")
    assert again.exit_code == 2
    assert "leave out --account-owner-tag" in again.err


def test_reports_of_the_run_have_the_owners_too_and_a_file_given_then_wins() -> None:
    made = world({"core": {}})
    write_owners(made, dev="later@example.com")
    with running(made) as endpoint:
        done = scan(endpoint, *ASKED)
    given = ("report", done.folder, "--account-owners", "owners.csv")
    report = Path("reports") / f"{done.folder.name}-report"
    program(*given, "--format", "xlsx")
    evidence = load_workbook(report / "iam-users.xlsx")["Evidence"]
    (said,) = [row[1].value for row in evidence.iter_rows() if row[0].value == "Owners of accounts from"]
    assert said == (
        "owners.csv, given when this was rendered; not the file that the run recorded; else tag Owner of the account "
        "in AWS Organizations"
    )
    program(*given, "--split-by", "account_owner", "--format", "csv")
    assert {path.name for path in (report / "by-account_owner").iterdir() if path.is_dir()} == {
        *set(all_owned(made).values()) - {"dev@example.com", "core@example.com"},
        *("later@example.com", "without-account_owner"),
    }


def test_the_same_journal_gives_the_same_reports() -> None:
    made = world({"core": {}})
    with running(made, [Fault(TAGS, deny, params={"ResourceId": named(made, "dev").id})]) as endpoint:
        done = scan(endpoint, *ASKED, "--format", "json")
    program("report", done.folder, "--format", "csv", "--format", "json")
    report = Path("reports") / f"{done.folder.name}-report"
    for name in ("iam-users.csv", "accounts.csv", "iam-users.json", "summary.json"):
        assert (report / name).read_bytes() == (done.folder / name).read_bytes(), name
