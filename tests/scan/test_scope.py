"""Scope: what is named, what is left out, and what is refused before any role is assumed."""

import json
from pathlib import Path
from typing import Any

import pytest

from scanner.model import SkipReason
from scanner.runs import folder as run_folder
from scanner.scan.scope import Placement, Plan, Selection, place
from tests.aws_endpoint import MEMBER_KEY, Fault, SimulatedOrganization, deny, empty_organization, running
from tests.builders import account, account_id, ou_id
from tests.program import PROD, Scanned, accounts_asked, calling, ids, named, program, scan, small_world, unit
from tests.runs.recording import rechained
from tests.scan.entering import spelled

# --- the decision, pure ----------------------------------------------------------------------------------------------


def selection(**details: Any) -> Selection:
    return Selection(**{"excluded_ous": {}, "excluded_accounts": {}} | details)


WHOLE = selection()
PROD_ONLY = selection(ous=frozenset([ou_id("Root/Prod")]))


def test_without_a_selection_the_whole_organization_is_scanned() -> None:
    assert place(account(1), WHOLE) == Placement(plan=Plan.SCAN)


@pytest.mark.parametrize("path", ["Root/Prod", "Root/Prod/Payments", "Root/Prod/Payments/Deep"])
def test_an_ou_means_all_below_it(path: str) -> None:
    assert place(account(1, ou_path=path), PROD_ONLY).plan is Plan.SCAN


@pytest.mark.parametrize("path", ["Root", "Root/Dev", "Root/Production", "Root/Dev/Prod"])
def test_an_ou_means_nothing_beside_or_above_it(path: str) -> None:
    assert place(account(1, ou_path=path), PROD_ONLY).plan is Plan.OUTSIDE


def test_accounts_and_ous_that_are_named_add_up() -> None:
    both = selection(ous=frozenset([ou_id("Root/Prod")]), accounts=frozenset([account_id(7)]))
    assert place(account(1), both).plan is Plan.SCAN
    assert place(account(7, ou_path="Root/Dev"), both).plan is Plan.SCAN
    assert place(account(8, ou_path="Root/Dev"), both).plan is Plan.OUTSIDE


def test_exclusion_wins_over_selection_by_ou_and_by_account() -> None:
    by_account = selection(accounts=frozenset([account_id(1)]), excluded_accounts={account_id(1): "sold"})
    by_ou = selection(accounts=frozenset([account_id(1)]), excluded_ous={ou_id("Root/Prod"): "frozen"})
    for chosen, reason in ((by_account, "sold"), (by_ou, "frozen")):
        assert place(account(1), chosen) == Placement(plan=Plan.EXCLUDED, skip=SkipReason.EXCLUDED, detail=reason)


def test_what_is_outside_the_scope_is_not_called_excluded() -> None:
    chosen = selection(ous=frozenset([ou_id("Root/Dev")]), excluded_accounts={account_id(1): "sold"})
    assert place(account(1), chosen).plan is Plan.OUTSIDE


@pytest.mark.parametrize("state", ["SUSPENDED", "CLOSED", "PENDING_ACTIVATION"])
def test_an_account_in_a_dead_state_is_skipped_under_that_name(state: str) -> None:
    placement = place(account(1, state=state), WHOLE)
    assert (placement.plan, placement.skip) == (Plan.INACTIVE, SkipReason(state))
    assert state in placement.detail


@pytest.mark.parametrize("state", ["ACTIVE", "PENDING_CLOSURE", "SOMETHING_NEW", "suspended", "", None])
def test_every_other_state_is_attempted(state: str | None) -> None:
    assert place(account(1, state=state), WHOLE).plan is Plan.SCAN


def test_an_excluded_account_is_excluded_whatever_its_state() -> None:
    chosen = selection(excluded_accounts={account_id(1): "sold"})
    assert place(account(1, state="SUSPENDED"), chosen).plan is Plan.EXCLUDED


@pytest.mark.parametrize("chosen", [WHOLE, PROD_ONLY])
def test_an_account_whose_place_is_unknown_is_never_passed_over(chosen: Selection) -> None:
    """It may be in scope: it fails, and shows."""
    assert place(account(1, ou_path=None), chosen).plan is Plan.OU_UNKNOWN


# --- named on the command line ---------------------------------------------------------------------------------------

needs_a_workplace = pytest.mark.usefixtures("workplace")


def reconciles(done: Scanned) -> bool:
    counted = done.summary["coverage"]
    parts = ("outside_scope", "excluded", "inactive", "scanned", "failed")
    return bool(counted["listed"] == sum(counted[part] for part in parts) and counted["reconciles"])


SCOPES: dict[str, tuple[list[str], set[str]]] = {
    "everything": ([], {"management", *PROD, "dev", "sandbox"}),
    "an OU by path": (["--ou", "Root/Workloads/Prod"], set(PROD)),
    "a path with slashes around it": (["--ou", "/Root/Workloads/Prod/"], set(PROD)),
    "an OU by id": (["--ou", "<Prod>"], set(PROD)),
    "the root by path": (["--ou", "Root"], {"management", *PROD, "dev", "sandbox"}),
    "the root by id": (["--ou", "r-ex01"], {"management", *PROD, "dev", "sandbox"}),
    "two OUs": (["--ou", "Root/Sandbox", "--ou", "<Payments>"], {"sandbox", "payments-1", "payments-2"}),
    "an OU and one inside it": (["--ou", "<Prod>", "--ou", "<Core>"], set(PROD)),
    "an account": (["--account", "<<dev>>"], {"dev"}),
    "an OU and an account": (["--ou", "<Core>", "--account", "<<dev>>"], {"core", "dev"}),
    "less an OU": (["--ou", "<Prod>", "--exclude-ou", "Root/Workloads/Prod/Payments"], {"prod", "core"}),
    "less an OU by id": (["--exclude-ou", "<Workloads>"], {"management", "sandbox"}),
    "less an account": (["--ou", "<Prod>", "--exclude-account", "<<prod>>"], set(PROD) - {"prod"}),
    "less two accounts": (
        [
            "--ou",
            "<Payments>",
            "--ou",
            "<Core>",
            "--exclude-account",
            "<<core>>",
            "--exclude-account",
            "<<payments-1>>",
        ],
        {"payments-2"},
    ),
}


@needs_a_workplace
@pytest.mark.parametrize(("arguments", "expected"), SCOPES.values(), ids=SCOPES)
def test_a_scope_is_these_accounts_and_no_other(arguments: list[str], expected: set[str]) -> None:
    world = small_world()
    with running(world) as endpoint:
        done = scan(endpoint, "--evidence", "basic", *spelled(world, arguments))
    assert done.with_outcome("SCANNED") == ids(world, *expected)
    assert set(done.record.scans) == set(done.accounts)
    assert accounts_asked(endpoint.calls_to("iam:ListUsers")) == ids(world, *expected)
    assert accounts_asked(endpoint.calls_to("sts:AssumeRole")) == ids(world, *expected) - {world.management_account_id}
    assert reconciles(done)


@needs_a_workplace
def test_excluded_accounts_are_rows_with_their_reason_and_those_outside_are_none() -> None:
    world = small_world()
    reason = json.dumps([{"account": named(world, "core").id, "reason": "sold to Example Ltd"}])
    with pytest.MonkeyPatch.context() as patch, running(world) as endpoint:
        patch.setenv("IAM_SCANNER_EXCLUDE_ACCOUNT", reason)
        done = scan(endpoint, "--ou", "Root/Workloads/Prod")
    row = done.accounts[named(world, "core").id]
    assert (row["outcome"], row["reason"]) == ("SKIPPED", "EXCLUDED")
    assert "sold to Example Ltd" in row["detail"]
    assert set(done.accounts) == ids(world, *PROD)
    assert (done.summary["coverage"]["excluded"], done.summary["coverage"]["outside_scope"]) == (1, 3)


@needs_a_workplace
def test_everything_excluded_is_nothing_read() -> None:
    with running(small_world()) as endpoint:
        done = scan(endpoint, "--exclude-ou", "Root")
    assert (done.exit_code, done.summary["status"]) == (4, "NOTHING READ")
    assert endpoint.calls_to("sts:AssumeRole") == []


STATES = {
    "SUSPENDED": "SKIPPED",
    "CLOSED": "SKIPPED",
    "PENDING_ACTIVATION": "SKIPPED",
    "PENDING_CLOSURE": "SCANNED",
    "ACTIVE": "SCANNED",
    None: "SCANNED",
    "SOMETHING_NEW": "SCANNED",
}


@needs_a_workplace
def test_accounts_are_skipped_and_attempted_by_their_state() -> None:
    world = empty_organization()
    members = {state: world.add_account(f"account-{state}", state=state) for state in STATES}
    with running(world) as endpoint:
        done = scan(endpoint, "--evidence", "basic")
    found = {state: done.accounts[member.id]["outcome"] for state, member in members.items()}
    assert found == STATES
    assert {done.accounts[members[state].id]["reason"] for state in STATES if STATES[state] == "SKIPPED"} == {
        "SUSPENDED",
        "CLOSED",
        "PENDING_ACTIVATION",
    }
    assert done.summary["coverage"]["inactive"] == 3
    assert reconciles(done)


@needs_a_workplace
@pytest.mark.parametrize("members", [("Status",), ("State", "Status")])
def test_status_counts_only_where_state_is_absent(members: tuple[str, ...]) -> None:
    """A closed account has Status SUSPENDED and State CLOSED."""
    world = empty_organization()
    world.state_members = members
    closed = world.add_account("closed", state="CLOSED")
    with running(world) as endpoint:
        done = scan(endpoint, "--evidence", "basic")
    assert done.accounts[closed.id]["state"] == ("CLOSED" if "State" in members else "SUSPENDED")
    assert done.accounts[closed.id]["outcome"] == "SKIPPED"


# --- names that are wrong --------------------------------------------------------------------------------------------

WRONG: dict[str, tuple[list[str], list[str]]] = {
    "a path": (["--ou", "Root/Workloads/Pord"], ["--ou Root/Workloads/Pord", "Root/Workloads/Prod"]),
    "a path below an OU": (["--ou", "Root/Workloads/Prod/Absent"], ["Root/Workloads/Prod"]),
    "a path without the root": (["--ou", "Workloads/Prod"], ["Root/Workloads/Prod"]),
    "a path in another case": (["--ou", "Root/workloads"], ["Root/Workloads"]),
    "an OU's id": (["--ou", "ou-ex01-00000099"], ["--ou ou-ex01-00000099", "ou-ex01-0000000"]),
    "a root's id": (["--ou", "r-ex02"], ["--ou r-ex02"]),
    "an excluded path": (["--exclude-ou", "Root/Sandbx"], ["--exclude-ou Root/Sandbx", "Root/Sandbox"]),
    "an account": (["--account", "387420489014"], ["--account 387420489014", "387420489013 (management)"]),
    "an excluded account": (["--exclude-account", "999999999999"], ["--exclude-account 999999999999"]),
    "several at once": (
        ["--ou", "Root/A", "--account", "000000000000", "--exclude-ou", "Root/B"],
        ["Root/A", "000000000000", "Root/B"],
    ),
}


@needs_a_workplace
@pytest.mark.parametrize(("arguments", "told"), WRONG.values(), ids=WRONG)
def test_a_name_that_is_wrong_is_refused_with_the_nearest(arguments: list[str], told: list[str]) -> None:
    with running(small_world()) as endpoint:
        done = scan(endpoint, *arguments)
    assert done.exit_code == 2
    for part in told:
        assert part in done.err
    assert endpoint.calls_to("sts:AssumeRole") == []
    assert not done.output.exists()


@needs_a_workplace
def test_a_path_that_two_ous_share_is_refused_with_both() -> None:
    """OU names are unique in their parent; with a "/" in a name, two paths can still be the same text."""
    world = small_world()
    slashed = world.add_ou("Workloads/Prod")
    with running(world) as endpoint:
        done = scan(endpoint, "--ou", "Root/Workloads/Prod")
    assert done.exit_code == 2
    assert slashed.id in done.err
    assert unit(world, "Prod") in done.err
    assert endpoint.calls_to("sts:AssumeRole") == []


@needs_a_workplace
def test_a_path_with_a_slash_in_a_name_is_refused_with_the_id_to_use() -> None:
    world = small_world()
    slashed = world.add_ou("R&D/Labs")
    inside = world.add_account("labs", slashed.id)
    with running(world) as endpoint:
        by_path = scan(endpoint, "--ou", "Root/R&D/Labs")
        by_id = scan(endpoint, "--ou", slashed.id)
    assert by_path.exit_code == 2
    assert slashed.id in by_path.err
    assert set(by_id.accounts) == {inside.id}


@needs_a_workplace
def test_organizations_that_cannot_tell_whether_a_name_is_right_is_no_start() -> None:
    world = small_world()
    with running(world, [Fault("organizations:DescribeAccount", deny)]) as endpoint:
        done = scan(endpoint, "--account", named(world, "dev").id)
    assert done.exit_code == 5
    assert not done.output.exists()


# --- accounts from a file --------------------------------------------------------------------------------------------


def accounts_file(world: SimulatedOrganization, **paths: str) -> str:
    lines = [f"{named(world, name.replace('_', '-')).id},{name},{path}" for name, path in paths.items()]
    Path("accounts.csv").write_text("\n".join(["account_id,account_name,ou_path", *lines, ""]), encoding="utf-8-sig")
    return "accounts.csv"


@needs_a_workplace
def test_accounts_from_a_file_need_no_organizations() -> None:
    world = small_world()
    file = accounts_file(world, dev="Root/Dev", core="Root/Prod/Core")
    with running(world, [Fault("organizations:*", deny)]) as endpoint:
        done = scan(endpoint, "--accounts-file", file, key=MEMBER_KEY)
    assert done.exit_code == 3
    assert done.with_outcome("SCANNED") == ids(world, "dev", "core")
    assert not any(call.service == "organizations" for call in endpoint.calls)
    assert "not checked against Organizations" in done.summary["status_text"]
    assert done.summary["accounts_from"] == "accounts.csv"
    assert done.summary["organization"] is None
    assert reconciles(done)


@needs_a_workplace
def test_an_ou_selects_by_path_from_a_file() -> None:
    world = small_world()
    file = accounts_file(world, dev="Root/Dev", core="Root/Prod/Core", prod="Root/Prod")
    with running(world) as endpoint:
        done = scan(
            endpoint, "--accounts-file", file, "--ou", "Root/Prod", "--exclude-account", named(world, "prod").id
        )
    assert done.with_outcome("SCANNED") == ids(world, "core")
    assert done.with_outcome("SKIPPED") == ids(world, "prod")
    assert done.summary["coverage"]["outside_scope"] == 1


@needs_a_workplace
@pytest.mark.parametrize(
    ("option", "value", "near"),
    [
        ("--ou", "Root/Pord", "Root/Prod"),
        ("--exclude-ou", "Root/Dve", "Root/Dev"),
        ("--account", "999999999999", "no such account"),
    ],
)
def test_a_name_that_the_file_lacks_is_refused(option: str, value: str, near: str) -> None:
    world = small_world()
    file = accounts_file(world, dev="Root/Dev", core="Root/Prod")
    with running(world) as endpoint:
        done = scan(endpoint, "--accounts-file", file, option, value)
    assert done.exit_code == 2
    assert near in done.err
    assert endpoint.calls_to("sts:AssumeRole") == []


HEAD = "account_id,account_name,ou_path\n"
# What else is refused: tests/test_account_files.py.
BAD_FILES = {
    "no lines": (HEAD, "accounts.csv:1: The file lists no accounts"),
    "a quote that swallows lines": (
        f'{HEAD}123456789012,"x,Root\n123456789013,y,Root\n',
        "accounts.csv:2: A quote is not",
    ),
    "a comma that moves an account": (f"{HEAD}123456789012,x,Root/A,Root/B\n", "accounts.csv:2: 4 fields, where"),
    "a short row": (f"{HEAD}123456789012\n", "accounts.csv:2: 1 field, where"),
    "an OU without a name": (f"{HEAD}123456789012,x,Root//A\n", "accounts.csv:2: The ou_path 'Root//A' has an OU"),
}


@needs_a_workplace
@pytest.mark.parametrize(("text", "told"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_bad_file_of_accounts_is_refused_before_any_call(text: str, told: str) -> None:
    Path("accounts.csv").write_text(text, encoding="utf-8")
    with running(small_world()) as endpoint:
        done = scan(endpoint, "--accounts-file", "accounts.csv")
    assert done.exit_code == 2
    assert told in done.err
    assert endpoint.calls == []
    assert not done.output.exists()


@needs_a_workplace
def test_a_list_that_an_earlier_version_took_is_refused_when_its_run_is_resumed() -> None:
    """It is read from the journal, and as strictly as from the file."""
    world = small_world()
    file = accounts_file(world, dev="Root/Dev", core="Root/Prod")
    with running(world, [Fault("sts:AssumeRole", deny, account=named(world, "core").id)]) as endpoint:
        done = scan(endpoint, "--accounts-file", file)
        journal = done.folder / run_folder.JOURNAL
        lines = journal.read_bytes().replace(b",core,Root/Prod", b",core,Root//Prod", 1).splitlines(keepends=True)
        journal.write_bytes(b"".join(rechained(lines)))
        endpoint.calls.clear()
        with calling(endpoint):
            again = program("scan", "--resume", done.folder)
    assert again.exit_code == 2
    assert "accounts.csv:3: The ou_path 'Root//Prod' has an OU without a name in it." in again.err
    assert endpoint.calls == []


@needs_a_workplace
def test_owners_of_accounts_are_checked_before_any_call_too() -> None:
    Path("owners.csv").write_text("account_id,account_owner\n1,x\n", encoding="utf-8")
    with running(small_world()) as endpoint:
        done = scan(endpoint, "--account-owners", "owners.csv")
    assert done.exit_code == 2
    assert "owners.csv:2" in done.err
    assert endpoint.calls == []
