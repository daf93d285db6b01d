"""What an import of users adds to the safelists, what it leaves as it is, and whom it does not approve."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from scanner.audit.what_if import evaluate
from scanner.cli.screen.safelist_import import Imported
from scanner.errors import FaultsError, UsageError
from scanner.model import Basis, Choice, Determination, FailReason, IamUser
from scanner.record import Record, SafelistText
from scanner.runs.stored import decide_record
from scanner.safelist.additions import Additions, additions
from scanner.safelist.check import check
from scanner.safelist.entries import parse
from scanner.safelist.import_request import Request
from scanner.safelist.run_comparison import RunUsers
from tests.builders import ORGANIZATION, access, account, failed, failure, header, listing, record, scanned, user
from tests.report.samples import decision, finding

TODAY = date(2026, 11, 28)
A, B = "000000000001", "000000000002"
POLICY = "version: 1\npolicy:\n  require: [owner, reason, approved_by, expires_on]\n  max_days: 365\nglobal: []\n"
BARE = "version: 1\nglobal: []\n"
FIELDS = {"owner": "ops@example.com", "reason": "Agents", "approved_by": "ciso@example.com", "expires_on": "2027-05-01"}


def of(text: str) -> SafelistText:
    return SafelistText(path="own.yaml", text=text)


def from_list(tmp_path: Path, text: str, safelist: str = BARE, *, name: str = "users.csv", **more: Any) -> Additions:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    request = Request(lists=(file,), is_baseline=False, **{"record": None, **more})
    return additions(request, [of(safelist)], None, TODAY)


def from_run(run: Record, safelist: str = BARE, **fields: str) -> Additions:
    request = Request(lists=(), is_baseline=True, record=run, fields=fields)
    return additions(request, [of(safelist)], None, TODAY)


def refusals(tmp_path: Path, text: str, safelist: str = BARE, **more: Any) -> list[str]:
    with pytest.raises(FaultsError) as caught:
        from_list(tmp_path, text, safelist, **more)
    return [str(fault).removeprefix(f"{tmp_path}/") for fault in caught.value.faults]


def after(added: Additions, before: str = BARE) -> str:
    (change,) = added.changes or (None,)
    return change.after if change else before


def run_of(*users: IamUser, owners: dict[str, str] | None = None) -> Record:
    start = header(safelists=(of(BARE),), account_owners=owners)
    return record(scanned(1, *users), header=start, listing=listing(account(1), account(2, ou_path="Root/Dev")))


def approved(run: Record, safelist: str) -> dict[str, Basis]:
    decided = evaluate(decide_record(run), (of(safelist),), TODAY)
    return {finding.user.user_name: finding.basis for finding in decided.findings}


# --- what is approved already ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("safelist", "request_of"),
    [
        pytest.param("global: [ALICE]", {"everywhere": True}, id="the same, in other letters"),
        pytest.param("global: [alice]", {"account": A}, id="everywhere"),
        pytest.param("global: [alice]", {"ou": "Root/Dev"}, id="everywhere, and wanted for an OU"),
        pytest.param("ous: {Root: [alice]}", {"ou": "Root/Dev/Web"}, id="an OU above, by path"),
        pytest.param("ous: {ou-abcd-12345678: [alice]}", {"ou": "ou-abcd-12345678"}, id="the same OU, by ID"),
        pytest.param(f'accounts: {{"{A}": [alice]}}', {"account": A}, id="the account"),
        pytest.param(
            f'accounts: {{"{A}": [{{user: alice, user_id: AIDA1}}]}}', {"account": A}, id="its user ID, and not known"
        ),
        pytest.param(
            f'accounts: {{"{A}": [{{arn: "arn:aws:iam::{A}:user/ops/alice"}}]}}',
            {"account": A},
            id="its ARN, with a path",
        ),
        pytest.param("policy: {allow_patterns: true}\nglobal: [{pattern: 'ali*'}]", {"account": A}, id="a pattern"),
    ],
)
def test_who_is_approved_already_is_not_added_again(tmp_path: Path, safelist: str, request_of: dict[str, Any]) -> None:
    added = from_list(tmp_path, "alice\n", f"version: 1\n{safelist}\n", name="users.txt", **request_of)
    assert added.changes == ()
    assert len(added.already) == 1


@pytest.mark.parametrize(
    ("safelist", "request_of"),
    [
        pytest.param(f'accounts: {{"{A}": [alice]}}', {"everywhere": True}, id="one account, and wanted everywhere"),
        pytest.param(f'accounts: {{"{B}": [alice]}}', {"account": A}, id="another account"),
        pytest.param("ous: {Root/Dev/Web: [alice]}", {"ou": "Root/Dev"}, id="an OU below"),
        pytest.param("ous: {Root/De: [alice]}", {"ou": "Root/Dev"}, id="an OU whose name begins so"),
        pytest.param("policy: {require: [ticket]}\nglobal: [alice]", {"account": A}, id="one that breaks the policy"),
        pytest.param("global: [{pattern: 'ali*'}]", {"account": A}, id="a pattern that the policy does not allow"),
    ],
)
def test_an_approval_that_does_not_reach_as_far_is_none(
    tmp_path: Path, safelist: str, request_of: dict[str, Any]
) -> None:
    before = f"version: 1\n{safelist}\n"
    added = from_list(tmp_path, "alice\n", before, name="users.txt", fields={"ticket": "SEC-1"}, **request_of)
    assert len(added.wanted.approvals) == 1
    assert set(before.splitlines()) - {safelist} <= set(after(added).splitlines())


def test_the_run_tells_which_ous_an_account_is_in(tmp_path: Path) -> None:
    safelist = "version: 1\nous: {Root/Prod: [alice]}\n"
    text = f"user,account_id\nalice,{A}\nalice,{B}\n"
    assert len(from_list(tmp_path, text, safelist).wanted.approvals) == 2
    added = from_list(tmp_path, text, safelist, record=run_of())
    assert [entry.scope_value for entry in added.wanted.approvals] == [B]


def test_a_user_that_comes_again_is_added_once(tmp_path: Path) -> None:
    added = from_list(tmp_path, "alice,bob\nALICE\n", name="users.txt", everywhere=True)
    assert [entry.value for entry in added.wanted.approvals] == ["alice", "bob"]
    assert (added.read, added.repeated) == (2, 1)


def test_a_user_that_comes_again_with_something_else_is_a_fault(tmp_path: Path) -> None:
    text = f"user,account_id,owner\nalice,{A},ops\nalice,{B},ops\nAlice,{A},dev\n"
    (fault,) = refusals(tmp_path, text)
    assert fault.startswith(f"users.csv:4: Alice is in {tmp_path}/users.csv:2 already")


# --- what is added ---------------------------------------------------------------------------------------------------


def test_entries_for_every_scope_stand_in_the_style_of_the_file(tmp_path: Path) -> None:
    safelist = POLICY.replace("global: []", "global: []  # nobody yet") + "ous:\n  Root/Dev:  # all of them\n  - bob\n"
    fields = {key: FIELDS[key] for key in ("owner", "reason", "approved_by", "expires_on")}
    everywhere = from_list(tmp_path, "alice\n", safelist, name="a.txt", everywhere=True, fields=fields)
    rest = "approved_by: ciso@example.com\n{0}approved_on: 2026-11-28\n{0}expires_on: 2027-05-01\n"
    assert (
        "global:  # nobody yet\n- user: alice\n  owner: ops@example.com\n  reason: Agents\n  " + rest.format("  ")
    ) in after(everywhere)
    in_ou = from_list(tmp_path, "alice\n", safelist, name="a.txt", ou="Root/Dev", fields=fields)
    assert "  Root/Dev:  # all of them\n  - bob\n  - user: alice\n" in after(in_ou)
    new_ou = from_list(tmp_path, "alice\n", safelist, name="a.txt", ou="Root/A & B", fields=fields)
    assert '  "Root/A & B":\n  - user: alice\n' in after(new_ou)
    for added in (everywhere, in_ou, new_ou):
        checked = check(parse([of(after(added))]), TODAY)
        assert {entry.value for entry in checked.invalid} == {"bob"}


def test_a_row_s_own_field_comes_before_that_of_an_option(tmp_path: Path) -> None:
    text = f"user,account_id,owner,approved_on\nalice,{A},own,2026-11-01\nbob,{A},,\n"
    added = from_list(tmp_path, text, fields=FIELDS)
    assert [(entry.owner, str(entry.approved_on)) for entry in added.wanted.approvals] == [
        ("own", "2026-11-01"),
        ("ops@example.com", "2026-11-28"),
    ]


def test_an_approval_that_ended_is_renewed_in_its_place(tmp_path: Path) -> None:
    safelist = (
        "version: 1\nglobal:\n"
        "  - user: Alice  # the first\n    owner: old\n    ticket: SEC-1\n    expires_on: 2026-01-01\n"
    )
    added = from_list(tmp_path, "alice\n", safelist, name="a.txt", everywhere=True, fields={"expires_on": "2027-01-01"})
    assert added.wanted.approvals == ()
    lines = after(added).splitlines()
    assert "  - user: Alice  # the first" in lines
    assert {"    owner: old", "    ticket: SEC-1", "    expires_on: 2027-01-01"} <= set(lines)


def test_an_arn_for_one_account_is_not_widened(tmp_path: Path) -> None:
    safelist = f'version: 1\nglobal: [{{arn: "arn:aws:iam::{A}:user/alice", expires_on: 2026-01-01}}]\n'
    added = from_list(tmp_path, "alice\n", safelist, name="a.txt", everywhere=True)
    assert (len(added.wanted.approvals), added.wanted.renewals) == (1, ())


def test_the_same_import_again_changes_nothing(tmp_path: Path) -> None:
    text = f"user,account_id,approved_on\nalice,{A},2026-11-01\nbob,{B},2027-02-01\n"
    once = from_list(tmp_path, text, POLICY, fields=FIELDS)
    assert len(once.wanted.approvals) == 2
    again = from_list(tmp_path, text, after(once), fields=FIELDS)
    assert (again.changes, len(again.already)) == ((), 2)


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("safelist", "row"),
    [
        pytest.param(f'revoked: [{{account: "{A}", user: ALICE}}]', "alice,", id="its name"),
        pytest.param(f'revoked: [{{account: "{A}", user: alice, user_id: AIDA1}}]', "alice,AIDA1", id="its ID"),
        pytest.param(f'revoked: [{{account: "{A}", user: old, user_id: AIDA1}}]', "alice,AIDA1", id="an older name"),
        pytest.param(f'revoked: [{{account: "{A}", user: alice, user_id: AIDA1}}]', "alice,", id="one of that name"),
        pytest.param(
            f'revoked: [{{account: "{A}", user: alice, user_id: AIDA1}}]', "alice,AIDA2", id="recreated since"
        ),
        pytest.param(f'global: [alice]\nrevoked: [{{account: "{A}", user: alice}}]', "alice,", id="approved elsewhere"),
    ],
)
def test_who_is_revoked_is_not_approved(tmp_path: Path, safelist: str, row: str) -> None:
    (fault,) = refusals(tmp_path, f"account_id,user,user_id\n{A},{row}\n", f"version: 1\n{safelist}\n")
    assert fault.startswith("users.csv:2: alice is not approved by an import. Revoked by own.yaml:")


def test_who_was_recreated_is_not_approved(tmp_path: Path) -> None:
    safelist = f'version: 1\naccounts: {{"{A}": [{{user: alice, user_id: AIDA1}}]}}\n'
    (fault,) = refusals(tmp_path, f"account_id,user,user_id\n{A},alice,AIDA2\n", safelist)
    assert "own.yaml:2 approves user ID AIDA1, and this is AIDA2: it was recreated." in fault


def test_a_name_whose_pinned_approval_ended_needs_its_user_id(tmp_path: Path) -> None:
    safelist = f'version: 1\naccounts: {{"{A}": [{{user: alice, user_id: AIDA1, expires_on: 2026-01-01}}]}}\n'
    (fault,) = refusals(tmp_path, f"account_id,user\n{A},alice\n", safelist)
    assert "is for user ID AIDA1 alone, and approves it no longer. Give its user ID too" in fault
    added = from_list(tmp_path, f"account_id,user,user_id\n{A},alice,AIDA1\n", safelist)
    assert len(added.wanted.renewals) == 1


def test_what_the_policy_asks_for_is_named_once_for_a_list_and_by_line_for_a_column(tmp_path: Path) -> None:
    text = f"user,account_id,owner\nalice,{A},ops\nbob,{A},\n"
    assert refusals(tmp_path, text, POLICY, fields={"reason": "Agents", "approved_by": "x"}) == [
        "users.csv: 2 users have no expires_on, which the policy requires. Give --expires-on.",
        "users.csv:3: bob has no owner, which the policy requires. Fill in owner, or give --owner.",
    ]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"expires_on": "2027-11-29"}, "--expires-on: The approval would break the policy: it is valid for 366 days"),
        ({"expires_on": "2026-11-27"}, "--expires-on: 2026-11-27 lies in the past. Give a later day."),
        ({"expires_on": "soon"}, "--expires-on: 'soon' is not a valid date. Write it as 2027-01-15."),
        ({"approved_by": "me"}, "--approved-by: The approval would break the policy: me is not among the policy's"),
        ({"kind": "robot"}, "--kind: 'robot' is unknown."),
        ({"owner": " "}, "--owner: has no value."),
    ],
)
def test_what_an_option_says_is_wrong_once_for_all_users(tmp_path: Path, fields: dict[str, str], expected: str) -> None:
    policy = POLICY.replace("max_days: 365", "max_days: 365\n  approvers: [ciso@example.com]")
    (fault,) = refusals(tmp_path, "alice\nbob\n", policy, name="a.txt", everywhere=True, fields={**FIELDS, **fields})
    assert fault.startswith(expected)


def test_what_a_row_says_is_wrong_in_its_line(tmp_path: Path) -> None:
    text = (
        f"user,account_id,approved_by,expires_on\nalice,{A},me,2027-01-01\nbob,{A},,2026-01-01\ncarol,{A},,2029-01-01\n"
    )
    policy = POLICY.replace("max_days: 365", "max_days: 365\n  approvers: [ciso@example.com]")
    faults = refusals(tmp_path, text, policy, fields=FIELDS)
    assert [fault.split(": ")[0] for fault in faults] == ["users.csv:2", "users.csv:3", "users.csv:4"]
    assert "Give a later day" in faults[1]
    assert "The last day possible is 2027-11-28." in faults[2]


@pytest.mark.parametrize(
    ("request_of", "expected"),
    [
        ({"account": "000000000003"}, "--account: The organization had no account 000000000003 in run 2026"),
        ({"ou": "Root/Prd"}, "--ou: The organization had no OU Root/Prd in run 20261123T164100Z-1a2b3c. Did you mean"),
        ({"account": "1"}, "--account: '1' is not a valid account ID. Give its 12 digits."),
        ({"ou": "Root//Prod"}, "--ou: Root//Prod is not the path of an OU."),
    ],
)
def test_a_place_that_the_run_does_not_have_is_a_fault(
    tmp_path: Path, request_of: dict[str, Any], expected: str
) -> None:
    (fault,) = refusals(tmp_path, "alice\nbob\n", name="a.txt", record=run_of(), **request_of)
    assert fault.startswith(expected)


def test_an_account_of_a_row_that_the_run_does_not_have_is_a_fault_in_its_line(tmp_path: Path) -> None:
    text = f"user,account_id\nalice,{A}\nbob,000000000003\n"
    (fault,) = refusals(tmp_path, text, record=run_of())
    assert fault.startswith("users.csv:3: The organization had no account 000000000003 in run")
    unlisted = replace(run_of(), header=header(organization=None))
    assert len(from_list(tmp_path, text, record=unlisted).wanted.approvals) == 2


@pytest.mark.parametrize("options", [{"account": A, "everywhere": True}, {"ou": "Root", "account": A}])
def test_one_place_is_said(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="give one of them"):
        from_list(tmp_path, "alice\n", name="a.txt", **options)


# --- the users of a run ----------------------------------------------------------------------------------------------


def test_a_baseline_approves_each_user_of_a_run_and_no_later_one_of_its_name() -> None:
    run = run_of(user("alice", user_id="AIDA1"), user("bob", user_id="AIDA2"))
    added = from_run(run, POLICY, owner="ops@example.com", approved_by="ciso@example.com")
    safelist = after(added)
    assert approved(run, safelist) == {"alice": Basis.SAFELISTED, "bob": Basis.SAFELISTED}
    assert check(parse([of(safelist)]), TODAY).invalid == ()
    recreated = run_of(user("alice", user_id="AIDA9"))
    assert approved(recreated, safelist) == {"alice": Basis.USER_RECREATED}
    assert from_run(run, safelist).changes == ()


def test_a_baseline_ends_and_says_that_it_needs_a_review() -> None:
    run = run_of(user("alice"), owners={A: "Payments"})
    (entry,) = from_run(run, BARE, reason="On-boarding", approved_by="x").wanted.approvals
    assert entry.reason == "Baseline of run 20261123T164100Z-1a2b3c, in need of review: On-boarding"
    assert (entry.owner, entry.approved_on, entry.expires_on) == ("Payments", TODAY, date(2027, 3, 8))
    (short,) = from_run(run, "version: 1\npolicy: {max_days: 30}\n").wanted.approvals
    assert short.expires_on == date(2026, 12, 28)
    (said,) = from_run(run, BARE, expires_on="2027-01-01", owner="other").wanted.approvals
    assert (said.expires_on, said.owner) == (date(2027, 1, 1), "Payments")


@pytest.mark.parametrize(
    ("owner", "expected"),
    [(" Ops\n Berlin ", "Ops Berlin"), (" ", "ops"), ("O\u200bps", "ops"), ("", "ops"), ("a: #b", "a: #b")],
)
def test_the_owner_of_an_account_stands_in_the_safelist_if_it_can(owner: str, expected: str) -> None:
    added = from_run(run_of(user("alice"), owners={A: owner}), POLICY, owner="ops", approved_by="x")
    (entry,) = parse([of(after(added))]).entries
    assert (entry.owner, entry.invalid) == (expected, ())


def test_a_baseline_leaves_out_who_is_revoked_or_recreated_and_says_why() -> None:
    names = ("alice", "bob", "carol", "dave")
    run = run_of(*(user(name, user_id=f"AIDA{name.upper()}") for name in names), user("a*b"))
    safelist = (
        f'version: 1\naccounts: {{"{A}": [dave, {{user: bob, user_id: AIDAOLD}}]}}\n'
        f'revoked: [{{account: "{A}", user: carol}}]\n'
    )
    added = from_run(run, safelist)
    assert [entry.value for entry in added.wanted.approvals] == ["alice"]
    assert {refused.entry.value: refused.why for refused in added.refused} == {
        "a*b": "user: 'a*b' holds a wildcard, which `user` does not support",
        "bob": "own.yaml:2 approves user ID AIDAOLD, and this is AIDABOB: it was recreated",
        "carol": "Revoked by own.yaml:3",
    }
    assert list(approved(run, after(added)).values()).count(Basis.SAFELISTED) == 2


def test_a_baseline_renews_what_ended_and_keeps_what_people_wrote() -> None:
    run = run_of(user("alice", user_id="AIDA1"), owners={A: "Payments"})
    entry = "{user: alice, owner: ann, reason: Export, expires_on: 2026-01-01}  # why"
    safelist = f'version: 1\naccounts:\n  "{A}":\n    - {entry}\n'
    added = from_run(run, safelist)
    ((_, new),) = added.wanted.renewals
    assert (new.user_id, new.owner) == ("AIDA1", "ann")
    assert new.reason == "Baseline of run 20261123T164100Z-1a2b3c, in need of review: Export"
    assert "# why" in after(added)
    assert approved(run, after(added)) == {"alice": Basis.SAFELISTED}


def test_a_run_of_another_organization_is_refused() -> None:
    with pytest.raises(
        FaultsError, match=f"This is organization {ORGANIZATION}, and the safelists are for o-other12345"
    ):
        from_run(run_of(user("alice")), "version: 1\norganization: o-other12345\nglobal: []\n")


def test_accounts_that_were_not_read_have_no_users_to_approve() -> None:
    run = record(scanned(1, user("alice")), failed(2), header=header(safelists=(of(BARE),)))
    assert [entry.value for entry in from_run(run).wanted.approvals] == ["alice"]


def test_a_baseline_says_itself_where_its_users_are() -> None:
    with pytest.raises(UsageError, match="--ou: a baseline approves each user in its own account"):
        additions(Request(lists=(), is_baseline=True, record=run_of(), ou="Root"), [of(BARE)], None, TODAY)


def test_what_is_added_approves_exactly_who_was_named(tmp_path: Path) -> None:
    """In every scope, beside what stood in the file."""
    run = record(
        scanned(1, user("alice"), user("bob")),
        scanned(2, user("alice", in_account=2), user("carol", in_account=2)),
        header=header(safelists=(of(BARE),)),
        listing=listing(account(1), account(2, ou_path="Root/Dev")),
    )
    safelist = after(from_list(tmp_path, "alice\n", POLICY, name="a.txt", ou="Root/Prod", fields=FIELDS))
    safelist = after(from_list(tmp_path, "carol\n", safelist, name="a.txt", everywhere=True, fields=FIELDS), safelist)
    text = f"account_id,user\n{A},bob\n"
    safelist = after(from_list(tmp_path, text, safelist, record=run, fields=FIELDS), safelist)
    decided = evaluate(decide_record(run), (of(safelist),), TODAY)
    assert [
        (finding.account.id, finding.user.user_name)
        for finding in decided.findings
        if finding.determination is Determination.APPROVED
    ] == [(A, "alice"), (A, "bob"), (B, "carol")]


def test_several_lists_are_read_together_and_each_fault_names_its_own(tmp_path: Path) -> None:
    paths: Sequence[Path] = [tmp_path / name for name in ("b.txt", "missing.txt", "a.txt")]
    paths[0].write_text("x y\nok\n", encoding="utf-8")
    paths[2].write_text("ok\n*\n", encoding="utf-8")
    request = Request(lists=tuple(paths), is_baseline=False, record=None, everywhere=True)
    with pytest.raises(FaultsError) as caught:
        additions(request, [of(BARE)], None, TODAY)
    assert [(Path(fault.file).name, fault.line) for fault in caught.value.faults] == [
        ("b.txt", 1),
        ("missing.txt", None),
        ("a.txt", 2),
    ]
    assert caught.value.outcome == "3 faults. Nothing was imported."


# --- who is who ------------------------------------------------------------------------------------------------------


def test_an_entry_for_the_arn_of_another_path_is_neither_an_approval_nor_renewed(tmp_path: Path) -> None:
    safelist = f'version: 1\naccounts: {{"{A}": [{{arn: "arn:aws:iam::{A}:user/ops/alice"}}]}}\n'
    added = from_list(tmp_path, f"arn\narn:aws:iam::{A}:user/alice\n", safelist)
    assert ([entry.value for entry in added.wanted.approvals], added.wanted.renewals) == (
        [f"arn:aws:iam::{A}:user/alice"],
        (),
    )


def test_a_run_whose_listing_broke_off_does_not_know_all_accounts(tmp_path: Path) -> None:
    run = replace(run_of(), listing=listing(account(1), problem=failure()))
    assert len(from_list(tmp_path, f"user,account_id\nbob,{B}\n", record=run).wanted.approvals) == 1


def test_an_ou_is_below_another_only_by_its_whole_name(tmp_path: Path) -> None:
    run = replace(run_of(), listing=listing(account(1, ou_path="Root/Dev"), account(2, ou_path="Root/Development")))
    safelist = "version: 1\nous: {Root/Dev: [alice]}\n"
    added = from_list(tmp_path, "alice\n", safelist, name="a.txt", ou="Root/Development", record=run)
    assert len(added.wanted.approvals) == 1
    above = "version: 1\nous: {Root: [alice]}\n"
    assert from_list(tmp_path, "alice\n", above, name="a.txt", ou="Root/Development", record=run).changes == ()


def test_of_two_ous_of_one_path_neither_counts_as_the_one_above(tmp_path: Path) -> None:
    whole = listing(account(1, ou_path="Root/A/B"))
    root, one, below = whole.ous
    twins = (replace(one, addressable=False), replace(one, id="ou-abcd-22222222", addressable=False))
    run = replace(run_of(), listing=replace(whole, ous=(root, *twins, below)))
    safelist = "version: 1\nous: {ou-abcd-22222222: [alice]}\n"
    added = from_list(tmp_path, "alice\n", safelist, name="a.txt", ou=str(below.id), record=run)
    assert len(added.wanted.approvals) == 1
    (fault,) = refusals(tmp_path, "alice\n", name="a.txt", ou="Root/A", record=run)
    assert fault.startswith("--ou: Root/A does not name one OU alone in run")


@pytest.mark.parametrize("choice", [Choice.REMOVE, Choice.QUARANTINE])
def test_whom_a_review_decided_to_remove_no_import_approves(tmp_path: Path, choice: Choice) -> None:
    """Also while the revocation waits to be merged; of another user of that name, nothing was decided."""
    alice, bob = user("alice"), user("bob")
    of_alice = decision(finding(alice), choice, date(2026, 11, 24), None)
    decided = {(of_alice.account_id, of_alice.user_id): of_alice}
    run = record(scanned(1, alice, bob), header=header(safelists=(of(BARE),)), listing=listing(account(1)))
    added = additions(
        Request(lists=(), is_baseline=True, record=run, decisions=decided, fields=FIELDS), [of(BARE)], None, TODAY
    )
    assert [entry.value for entry in added.wanted.approvals] == ["bob"]
    (refused,) = added.refused
    assert refused.why == f"A review decided on 2026-11-24 to {choice.lower()} it (by j.doe@example.com)"
    text = f"account_id,user,user_id\n{A},alice,{alice.user_id}\n"
    (fault,) = refusals(tmp_path, text, decisions=decided, fields=FIELDS)
    assert f"alice is not approved by an import. {refused.why}." in fault
    again = from_list(
        tmp_path, f"account_id,user,user_id\n{A},alice,AIDAANOTHER0000000000\n", decisions=decided, fields=FIELDS
    )
    assert len(again.wanted.approvals) == 1


def test_where_the_ous_are_not_known_a_user_may_be_one_that_was_recreated(tmp_path: Path) -> None:
    """An OU's entry is for another user of that name; a run says whether the account is in that OU."""
    safelist = "version: 1\nous:\n  Root/Prod: [{user: deploy, user_id: AIDAOLD0000000000000}]\n"
    text = f"account_id,user,user_id\n{A},Deploy,AIDANEW0000000000000\n"
    (fault,) = refusals(tmp_path, text, safelist, fields=FIELDS)
    assert "own.yaml:3 approves user ID AIDAOLD0000000000000 of that name in OU Root/Prod" in fault
    assert "Give --run RUN" in fault
    there = record(scanned(1), header=header(), listing=listing(account(1, ou_path="Root/Prod")))
    elsewhere = record(scanned(1), header=header(), listing=listing(account(1, ou_path="Root/Dev")))
    assert "it was recreated" in refusals(tmp_path, text, safelist, record=there, fields=FIELDS)[0]
    assert len(from_list(tmp_path, text, safelist, record=elsewhere, fields=FIELDS).wanted.approvals) == 1
    same = text.replace("AIDANEW", "AIDAOLD")
    assert len(from_list(tmp_path, same, safelist, fields=FIELDS).wanted.approvals) == 1


def test_whom_the_run_shows_as_revoked_or_recreated_no_import_approves() -> None:
    """Also where the safelists of today say nothing of it, as those of a new repository do."""
    alice, bob = user("alice"), user("bob")
    run = record(scanned(1, alice, bob), header=header(safelists=(of(BARE),)), listing=listing(account(1)))
    forbidden = {(account(1).id, alice.user_id): "Revoked by old.yaml:3 on 2026-10-02."}
    request = Request(lists=(), is_baseline=True, record=run, forbidden=forbidden, fields=FIELDS)
    added = additions(request, [of(BARE)], None, TODAY)
    assert [entry.value for entry in added.wanted.approvals] == ["bob"]
    assert [refused.why for refused in added.refused] == [
        "By the safelists of the run: Revoked by old.yaml:3 on 2026-10-02"
    ]


# --- who is not there ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "is_absent"),
    [
        (f"{A},alice,", False),
        (f"{A},ALICE,AIDAALICE", False),
        (f"{A},alice,AIDAOTHER", True),  # recreated since
        (f"{A},carol,", True),
        (f"{B},alice,", True),  # she is in another account
        ("000000000003,alice,", False),  # not read, so nobody knows
    ],
)
def test_an_entry_for_nobody_in_the_accounts_that_were_read_is_named(tmp_path: Path, row: str, is_absent: bool) -> None:
    listed = listing(account(1), account(2, ou_path="Root/Dev"), account(3))
    alice = user("alice", user_id="AIDAALICE")
    run = record(scanned(1, alice), scanned(2), failed(3, FailReason.ACCESS_DENIED), header=header(), listing=listed)
    added = from_list(tmp_path, f"account_id,user,user_id\n{row}\n", record=run)
    assert len(added.compared.absent) == is_absent


def test_an_arn_is_for_a_user_of_that_path_alone(tmp_path: Path) -> None:
    right = user("alice").arn
    wrong = right.replace(":user/", ":user/ops/")
    run = record(scanned(1, user("alice")), header=header(), listing=listing(account(1)))
    for arn, expected in ((right, ()), (wrong, (wrong,))):
        added = from_list(tmp_path, f"arn\n{arn}\n", record=run)
        assert tuple(entry.value for entry in added.compared.absent) == expected
    (entry,) = added.compared.absent
    assert RunUsers(run).meant(entry) == right


def test_of_accounts_that_were_not_read_it_is_said_that_nobody_knows(tmp_path: Path) -> None:
    run = record(
        scanned(1, user("alice")),
        failed(2, FailReason.ACCESS_DENIED),
        header=header(),
        listing=listing(account(1), account(2, ou_path="Root/Dev")),
    )
    added = from_list(tmp_path, f"account_id,user\n{A},alice\n{B},bob\n", record=run)
    assert [entry.scope_value for entry in added.compared.unread] == [B]
    assert from_list(tmp_path, "bob\n", name="names.txt", record=run, ou="Root/Dev").compared.unread
    assert not from_list(tmp_path, "alice\n", name="names.txt", record=run, everywhere=True).compared.unread


def test_a_renewal_of_who_is_gone_is_named_too(tmp_path: Path) -> None:
    ended = f'version: 1\naccounts:\n  "{A}": [{{user: gone, expires_on: 2026-01-01}}]\n'
    run = record(scanned(1, user("alice")), header=header(), listing=listing(account(1)))
    added = from_list(
        tmp_path, f"account_id,user,expires_on\n{A},gone,2027-01-01\n", ended, record=run, columns=("account_id",)
    )
    assert len(added.wanted.renewals) == len(added.compared.absent) == 1


def test_in_a_mistyped_place_nothing_is_asked_for_who_is_approved_everywhere(tmp_path: Path) -> None:
    everywhere = POLICY.replace(
        "global: []",
        "global: [{user: alice, owner: o, reason: r, approved_by: a, approved_on: 2026-11-01, expires_on: 2027-05-01}]",
    )
    run = record(scanned(1, user("alice")), header=header(), listing=listing(account(1, ou_path="Root/Dev")))
    only = refusals(tmp_path, "alice\n", everywhere, name="names.txt", record=run, ou="Root/Devv")
    assert len(only) == 1
    assert only[0].startswith("--ou: The organization had no OU Root/Devv")
    both = refusals(tmp_path, "alice\nbob\n", everywhere, name="names.txt", record=run, ou="Root/Devv")
    assert [fault for fault in both if "1 user has no owner" in fault]


@pytest.mark.parametrize(("ou", "is_absent"), [("Root/Dev", True), ("Root", False)])
def test_in_an_ou_it_is_the_accounts_below_it_that_count(tmp_path: Path, ou: str, is_absent: bool) -> None:
    listed = listing(account(1, ou_path="Root/Prod"), account(2, ou_path="Root/Dev"))
    run = record(scanned(1, user("alice")), scanned(2), header=header(), listing=listed)
    added = from_list(tmp_path, "alice\n", name="names.txt", record=run, ou=ou)
    assert len(added.compared.absent) == is_absent


@pytest.mark.parametrize(
    ("in_scope", "said"),
    [((1,), "The run is COMPLETE for its scope: 1 of 2 accounts (1 outside the scope)."), (None, "")],
)
def test_a_baseline_of_a_part_of_the_organization_says_so(in_scope: tuple[int, ...] | None, said: str) -> None:
    listed = listing(account(1), account(2, ou_path="Root/Dev"), in_scope=in_scope)
    scans = [scanned(1, user("alice")), *([] if in_scope else [scanned(2)])]
    run = record(*scans, header=header(safelists=(of(BARE),)), listing=listed)
    request = Request(lists=(), is_baseline=True, record=run)
    imported = Imported(additions=from_run(run), request=request, run=decide_record(run), written=False)
    lost = " Users of accounts that it did not read are not among these."
    assert list(imported.notes) == ([said + lost] if said else [])


def test_who_is_approved_already_and_otherwise_than_the_list_says_is_named(tmp_path: Path) -> None:
    approved = f'version: 1\naccounts:\n  "{A}": [{{user: alice, owner: ops, expires_on: 2027-02-26}}]\n'
    for row, expected in ((f"{A},alice,shop,", 1), (f"{A},alice,ops,2027-02-26", 0), (f"{A},alice,,", 0)):
        added = from_list(tmp_path, f"account_id,user,owner,expires_on\n{row}\n", approved)
        assert (len(added.already), len(added.otherwise), added.changes) == (1, expected, ())
    assert from_list(tmp_path, "alice\n", approved, name="n.txt", account=A, fields={"owner": "shop"}).otherwise


def test_an_id_that_the_run_knows_otherwise_may_be_wrong_in_the_list(tmp_path: Path) -> None:
    approved = f'version: 1\naccounts:\n  "{A}": [{{user: alice, user_id: AIDAALICE}}]\n'
    run = record(scanned(1, user("alice", user_id="AIDAALICE")), header=header(), listing=listing(account(1)))
    (fault,) = refusals(tmp_path, f"account_id,user,user_id\n{A},alice,AIDAWRONG\n", approved, record=run)
    assert "In the run its user ID is AIDAALICE: is user_id right?" in fault


def test_a_baseline_says_how_many_administrators_it_would_approve() -> None:
    everything = replace(access(), administrator=True)
    run = record(
        scanned(1, user("alice", access=everything), user("bob", access=access()), user("carol")),
        header=header(safelists=(of(BARE),)),
        listing=listing(account(1)),
    )
    request = Request(lists=(), is_baseline=True, record=run)
    imported = Imported(additions=from_run(run), request=request, run=decide_record(run), written=False)
    assert list(imported.notes) == ["1 of these users is an administrator: is each of them to be approved?"]
