"""What became of each entry in a run, and what is worth saying of entries before any run."""

from dataclasses import replace

from scanner.model import EntryStatus, Record, SafelistText
from scanner.rule import assess
from scanner.safelist.check import check
from scanner.safelist.entries import parse
from scanner.safelist.types import Safelist
from tests.builders import AS_OF, account, account_id, failed, listing, ou_id, record, scanned, user

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
        (3, EntryStatus.UNUSED, 0, "its account was not read in this run")
    ]


def test_revocations_count_the_users_they_hold_for_in_the_order_of_the_lines() -> None:
    content = f'revoked:\n  - {{account: "{ONE}", user: ALICE}}\n  - {{account: "{NINE}", user: bob}}\nglobal: [alice]'
    assert uses(content) == [
        (4, EntryStatus.REVOCATION, 1, ""),
        (5, EntryStatus.REVOCATION, 0, "the organization has no such account"),
        (6, EntryStatus.UNUSED, 0, ""),
    ]


def test_an_ou_without_accounts_is_matched_and_one_that_shares_its_path_is_not() -> None:
    unit = account(1).ous[-1]
    shared = listing(account(1))
    shared = replace(shared, ous=(replace(unit, path="Root/Twin", addressable=False), replace(unit, path="Root/Empty")))
    run = record(scanned(1), listing=shared)
    assert uses("ous: {Root/Empty: [alice]}", run)[0][1] is EntryStatus.UNUSED
    assert uses("ous: {Root/Twin: [alice]}", run)[0][1:] == (
        EntryStatus.UNMATCHED,
        0,
        "this path is not one OU's own: use the id",
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
