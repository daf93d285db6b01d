"""What became of each entry in a run, and what is worth saying of entries before any run."""

from dataclasses import replace

import pytest

from scanner.audit.rule import assess
from scanner.model import AccountScan, SkipReason
from scanner.record import Record, SafelistText
from scanner.safelist.check import check
from scanner.safelist.entries import parse
from scanner.safelist.types import Safelist
from scanner.safelist.usage import EntryStatus
from tests.builders import (
    AS_OF,
    account,
    account_id,
    failed,
    failure,
    header,
    listing,
    ou_id,
    record,
    scanned,
    skipped,
    user,
)

ONE, TWO, NINE = account_id(1), account_id(2), account_id(9)


def safelist(content: str, policy: str = "{allow_patterns: true}") -> Safelist:
    return parse([SafelistText(path="a.yaml", text=f"version: 1\npolicy: {policy}\n{content}\n")])


def uses(content: str, run: Record | None = None) -> list[tuple[int, str, int, str]]:
    run = run or record(scanned(1, user("alice", user_id="AIDA1"), user("bob")))
    return [(each.entry.line, each.status, each.users, each.remark) for each in assess(run, safelist(content)).safelist]


def test_an_entry_counts_every_user_that_it_approves_also_where_another_one_is_the_reason() -> None:
    content = f'global:\n  - {{pattern: "ali*"}}\n  - alice\n  - bob\naccounts: {{"{ONE}": [alice]}}'
    assert uses(content) == [
        (4, EntryStatus.IN_USE, 1, ""),
        (5, EntryStatus.IN_USE, 1, ""),
        (6, EntryStatus.IN_USE, 1, ""),
        (7, EntryStatus.IN_USE, 1, ""),
    ]


def test_each_status_has_its_entry() -> None:
    content = """\
global:
  - {user: alice, expires_on: 2027-02-21}
  - {user: bob, expires_on: 2027-02-22}
  - carol
  - {user: alice, expires_on: 2026-11-22}
  - {user: alice, approved_on: 2026-11-24}"""
    assert [status for _line, status, _users, _remark in uses(content)] == [
        EntryStatus.EXPIRING,
        EntryStatus.IN_USE,
        EntryStatus.UNUSED,
        EntryStatus.EXPIRED,
        EntryStatus.NOT_STARTED,
    ]


def test_an_entry_that_breaks_the_policy_says_how() -> None:
    (use,) = assess(record(scanned(1, user())), safelist("global: [alice]", "{require: [owner]}")).safelist
    assert (use.status, use.users, use.remark) == (EntryStatus.INVALID, 0, "it has no owner")


def test_what_the_organization_does_not_have_is_unmatched() -> None:
    content = "\n".join(
        [
            "ous:",
            "  Root/Prod: [alice]",
            f"  {ou_id('Root/Prod')}: [alice]",
            "  Root/Gone: [alice]",
            "accounts:",
            f'  "{NINE}": [{{user: alice, expires_on: 2020-01-01}}]',
            f"global: [{{arn: 'arn:aws:iam::{NINE}:user/alice'}}]",
        ]
    )
    assert uses(content) == [
        (4, EntryStatus.IN_USE, 1, ""),
        (5, EntryStatus.IN_USE, 1, ""),
        (6, EntryStatus.UNMATCHED, 0, "the organization has no OU Root/Gone"),
        (8, EntryStatus.UNMATCHED, 0, f"the organization has no account {NINE}"),
        (9, EntryStatus.UNMATCHED, 0, f"the organization has no account {NINE}"),
    ]


def test_an_unused_entry_for_an_account_that_was_not_read_says_so() -> None:
    run = record(scanned(1), failed(2))
    assert uses(f'accounts: {{"{TWO}": [alice]}}', run) == [
        (3, EntryStatus.UNUSED, 0, "not judged: its account was not read in this run")
    ]


def test_revocations_count_the_users_they_hold_for_in_the_order_of_the_lines() -> None:
    content = f'revoked:\n  - {{account: "{ONE}", user: ALICE}}\n  - {{account: "{NINE}", user: bob}}\nglobal: [alice]'
    assert uses(content) == [
        (4, EntryStatus.REVOCATION, 1, ""),
        (5, EntryStatus.REVOCATION, 0, "the organization has no such account"),
        (6, EntryStatus.UNUSED, 0, f"no effect: a.yaml:4 revokes alice in account {ONE}"),
    ]


@pytest.mark.parametrize(
    ("states", "remark"),
    [
        ("", ""),
        ("failed", "not judged: 1 of its accounts was not read in this run"),
        ("excluded outside unreached", "not judged: 3 of its accounts were not read in this run"),
        ("suspended outside-and-closed", ""),
        ("suspended failed", "not judged: 1 of its accounts was not read in this run"),
    ],
)
@pytest.mark.parametrize("content", ["ous: {Root/Prod: [nobody]}", "global: [nobody]"])
def test_an_unused_entry_is_not_judged_where_its_accounts_were_not_all_read(
    content: str, states: str, remark: str
) -> None:
    assert uses(content, partly_read(states)) == [(3, EntryStatus.UNUSED, 0, remark)]


def partly_read(states: str) -> Record:
    """Account 1 was read; one more account for each of the words, in which it did not come to that."""
    accounts, scans, in_scope = [account(1)], [scanned(1, user("alice"))], [1]
    others: list[AccountScan] = []
    for number, state in enumerate(states.split(), start=2):
        aws_state = {"suspended": "SUSPENDED", "outside-and-closed": "CLOSED"}.get(state, "ACTIVE")
        accounts.append(account(number, state=aws_state))
        if not state.startswith("outside"):
            in_scope.append(number)
        if state == "failed":
            others.append(failed(number))
        elif state in {"excluded", "suspended"}:
            others.append(skipped(number, SkipReason(state.upper())))
    return record(*scans, *others, listing=listing(*accounts, in_scope=in_scope))


def test_an_entry_all_of_whose_accounts_are_inactive_is_not_judged() -> None:
    run = record(scanned(1), skipped(2), listing=listing(account(1), account(2, ou_path="Root/Old", state="SUSPENDED")))
    assert uses("ous: {Root/Old: [alice]}", run)[0][3] == "not judged: 1 of its accounts was not read in this run"
    assert uses(f'accounts: {{"{TWO}": [alice]}}', run)[0][3] == "not judged: its account was not read in this run"


def test_accounts_of_another_ou_do_not_matter() -> None:
    run = record(scanned(1), failed(2), listing=listing(account(1), account(2, ou_path="Root/Test")))
    assert uses("ous: {Root/Prod: [alice]}", run) == [(3, EntryStatus.UNUSED, 0, "")]


UNKNOWN = f"""\
global: [{{arn: 'arn:aws:iam::{NINE}:user/alice'}}]
ous: {{Root/Gone: [alice]}}
accounts: {{"{NINE}": [alice]}}
revoked: [{{account: "{NINE}", user: bob}}]"""


@pytest.mark.parametrize(
    ("run", "doubt"),
    [
        (record(scanned(1), header=header(organization=None)), "the accounts came from a supplied list"),
        (record(scanned(1), listing=listing(account(1), problem=failure())), "the listing of accounts broke off"),
    ],
)
def test_nothing_is_called_unmatched_where_the_organization_is_not_known_whole(run: Record, doubt: str) -> None:
    assert uses(UNKNOWN, run) == [
        (3, EntryStatus.UNUSED, 0, f"not judged: account {NINE} was not found; {doubt}"),
        (4, EntryStatus.UNUSED, 0, f"not judged: OU Root/Gone was not found; {doubt}"),
        (5, EntryStatus.UNUSED, 0, f"not judged: account {NINE} was not found; {doubt}"),
        (6, EntryStatus.REVOCATION, 0, f"not judged: account {NINE} was not found; {doubt}"),
    ]
    assert uses("global: [alice]", run) == [(3, EntryStatus.UNUSED, 0, f"not judged: {doubt}")]
    assert uses(f'accounts: {{"{ONE}": [alice]}}', run) == [(3, EntryStatus.UNUSED, 0, "")]


def test_no_ou_is_called_unmatched_while_the_place_of_an_account_is_not_known() -> None:
    run = record(scanned(1), failed(2), listing=listing(account(1), account(2, ou_path=None)))
    doubt = "the OU of 1 account is not known"
    assert [each[1:] for each in uses(UNKNOWN, run)] == [
        (EntryStatus.UNMATCHED, 0, f"the organization has no account {NINE}"),
        (EntryStatus.UNUSED, 0, f"not judged: OU Root/Gone was not found; {doubt}"),
        (EntryStatus.UNMATCHED, 0, f"the organization has no account {NINE}"),
        (EntryStatus.REVOCATION, 0, "the organization has no such account"),
    ]
    assert uses("ous: {Root/Prod: [bob]}", run) == [(3, EntryStatus.UNUSED, 0, f"not judged: {doubt}")]


def test_an_expired_entry_that_was_not_found_in_half_a_listing_is_expired() -> None:
    run = record(scanned(1), listing=listing(account(1), problem=failure()))
    content = "ous: {Root/Gone: [{user: alice, expires_on: 2020-01-01}]}"
    assert uses(content, run) == [(3, EntryStatus.EXPIRED, 0, "")]


@pytest.mark.parametrize("run", [record(scanned(1)), record(failed(1))])
def test_an_entry_for_one_account_that_is_revoked_says_by_what(run: Record) -> None:
    arn = f"arn:aws:iam::{ONE}:user/bob"
    content = f"""\
accounts: {{"{ONE}": [alice, {{user: carol, user_id: AIDA3}}]}}
global: [{{arn: '{arn}'}}]
revoked:
  - {{account: "{ONE}", user: ALICE}}
  - {{account: "{ONE}", user: bob}}
  - {{account: "{ONE}", user: caroline, user_id: AIDA3}}"""
    assert [(line, remark) for line, status, _users, remark in uses(content, run) if status is EntryStatus.UNUSED] == [
        (3, "no effect: a.yaml:6 revokes it"),
        (3, "no effect: a.yaml:8 revokes it"),
        (4, "no effect: a.yaml:7 revokes it"),
    ]


def test_an_entry_whose_users_are_all_revoked_or_recreated_says_so() -> None:
    run = record(*(scanned(number, user(in_account=number, user_id=f"AIDA{number}")) for number in (1, 2)))
    content = f"""\
global: [alice]
accounts:
  "{ONE}": [{{user: alice, user_id: AIDAOLD}}]
revoked: [{{account: "{TWO}", user: alice}}]"""
    pinned = f"a.yaml:5 approves alice in account {ONE} for another user ID"
    assert uses(content, run) == [
        (3, EntryStatus.UNUSED, 0, f"no effect: {pinned}; 1 more user that it matches is not approved either"),
        (5, EntryStatus.UNUSED, 0, "no effect: alice has another user ID, AIDA1"),
        (6, EntryStatus.REVOCATION, 1, ""),
    ]


def test_a_revocation_of_another_user_id_leaves_an_entry_its_effect() -> None:
    content = f'accounts: {{"{ONE}": [alice]}}\nrevoked: [{{account: "{ONE}", user: alice, user_id: AIDAOLD}}]'
    assert uses(content)[0] == (3, EntryStatus.IN_USE, 1, "")


def test_an_ou_without_accounts_is_matched_and_one_that_shares_its_path_is_not() -> None:
    unit = account(1).ous[-1]
    shared = listing(account(1))
    shared = replace(shared, ous=(replace(unit, path="Root/Twin", addressable=False), replace(unit, path="Root/Empty")))
    run = record(scanned(1), listing=shared)
    assert uses("ous: {Root/Empty: [alice]}", run)[0][1] is EntryStatus.UNUSED
    assert uses("ous: {Root/Twin: [alice]}", run)[0][1:] == (
        EntryStatus.UNMATCHED,
        0,
        "this path does not name one OU alone: use its ID",
    )


def test_a_check_lists_what_needs_a_look() -> None:
    content = """\
global:
  - {user: alice, owner: x, expires_on: 2026-11-22}
  - {user: bob, owner: x, expires_on: 2026-11-23}
  - {user: carol, owner: x, expires_on: 2027-02-22}
  - {user: dave, owner: x, approved_on: 2026-11-24}
  - erin
  - {user: ALICE, owner: x}"""
    checked = check(safelist(content, "{require: [owner]}"), AS_OF)
    assert [[entry.line for entry in entries] for entries in (checked.expired, checked.expiring)] == [[4], [5]]
    assert [[entry.line for entry in entries] for entries in (checked.not_started, checked.invalid)] == [[7], [8]]
    assert [[entry.line for entry in group] for group in checked.duplicates] == [[4, 9]]
