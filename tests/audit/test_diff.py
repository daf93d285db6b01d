"""What changed between two runs: each value of `change`, and that nothing is claimed of what was not looked at."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from scanner.audit.diff import Difference, compare, snapshot
from scanner.audit.rule import assess
from scanner.model import AccountId, Basis, Change, Determination, Evidence, UserId
from scanner.record import SafelistText, Snapshot, UserState
from scanner.safelist.entries import parse
from tests.builders import START, access, account_id, credentials, record, scanned, user
from tests.program import NOBODY


def state(name: str = "alice", user_id: str | None = None, *, approved: bool = True, number: int = 1) -> UserState:
    return UserState(
        account_id=account_id(number),
        user_id=UserId(user_id or f"AIDA{number}{name}"),
        user_name=name,
        determination=Determination.APPROVED if approved else Determination.UNAPPROVED,
        basis=Basis.SAFELISTED if approved else Basis.NOT_SAFELISTED,
        evidence=Evidence.FULL,
        administrator=False,
        policies=(),
        boundary=False,
    )


def a_run(*users: UserState, read: Iterable[int] = (1,), outside: Iterable[int] = ()) -> Snapshot:
    return Snapshot(
        run_id="20261123T164100Z-1a2b3c",
        digest="0" * 64,
        started_at=START,
        accounts={account_id(number): f"account-{number}" for number in read},
        outside=frozenset(map(account_id, outside)),
        users=users,
    )


def changes(old: Snapshot, new: Snapshot) -> dict[str, tuple[Change, ...]]:
    return {each.user.user_name: each.changes for each in compare(old, new)}


def test_a_user_that_is_as_it_was_is_unchanged() -> None:
    assert changes(a_run(state()), a_run(state())) == {"alice": (Change.UNCHANGED,)}


def test_a_user_that_the_earlier_run_did_not_find_is_new() -> None:
    assert changes(a_run(), a_run(state())) == {"alice": (Change.NEW,)}


def test_a_user_of_an_account_that_was_not_read_before_is_not_called_new() -> None:
    assert changes(a_run(read=()), a_run(state())) == {"alice": (Change.NOT_PREVIOUSLY_SCANNED,)}


def test_a_user_is_gone_where_both_runs_looked() -> None:
    assert changes(a_run(state()), a_run()) == {"alice": (Change.GONE,)}


def test_a_user_is_not_gone_where_the_later_run_did_not_look() -> None:
    assert changes(a_run(state()), a_run(read=())) == {"alice": (Change.NOT_RESCANNED,)}


def test_accounts_outside_the_later_scope_are_no_difference() -> None:
    assert compare(a_run(state()), a_run(read=(), outside=[1])) == ()


def test_the_same_name_with_another_id_was_recreated_and_is_not_gone_as_well() -> None:
    (difference,) = compare(a_run(state("Alice", "AIDA1")), a_run(state("alice", "AIDA2")))
    assert difference.changes == (Change.RECREATED,)
    assert (difference.before, difference.after) == (state("Alice", "AIDA1"), state("alice", "AIDA2"))


def test_another_name_with_the_same_id_was_renamed() -> None:
    assert changes(a_run(state("alice", "AIDA1")), a_run(state("bob", "AIDA1"))) == {"bob": (Change.RENAMED,)}


def test_a_name_that_changed_hands_makes_one_renamed_and_one_new_user() -> None:
    """The first alice is now bob; the alice of today is another user and did not replace her."""
    old, new = a_run(state("alice", "AIDA1")), a_run(state("alice", "AIDA2"), state("bob", "AIDA1"))
    assert changes(old, new) == {"alice": (Change.NEW,), "bob": (Change.RENAMED,)}


@pytest.mark.parametrize(("approved", "change"), [(True, Change.NEWLY_APPROVED), (False, Change.NEWLY_UNAPPROVED)])
def test_another_determination_is_a_change(approved: bool, change: Change) -> None:
    assert changes(a_run(state(approved=not approved)), a_run(state(approved=approved))) == {"alice": (change,)}


def test_several_changes_of_one_user_come_together() -> None:
    later = replace(state("bob", "AIDA1", approved=False), administrator=True)
    assert changes(a_run(state("alice", "AIDA1")), a_run(later)) == {
        "bob": (Change.RENAMED, Change.NEWLY_UNAPPROVED, Change.PRIVILEGE_GAINED)
    }


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (state(), replace(state(), administrator=True)),
        (replace(state(), administrator=None), replace(state(), administrator=True)),
        (state(), replace(state(), policies=("ReadOnlyAccess",))),
        (replace(state(), policies=("A", "B")), replace(state(), policies=("A", "C"))),
        (replace(state(), boundary=True), state()),
        (replace(state(), denied_by=("AWSDenyAll",)), state()),
        (replace(state(), escalation=()), replace(state(), escalation=("iam:PutUserPolicy",))),
        (
            replace(state(), escalation=("iam:PutUserPolicy",)),
            replace(state(), escalation=("iam:PutUserPolicy", "iam:AddUserToGroup")),
        ),
    ],
)
def test_more_rights_are_a_gain(before: UserState, after: UserState) -> None:
    assert changes(a_run(before), a_run(after)) == {"alice": (Change.PRIVILEGE_GAINED,)}
    assert changes(a_run(after), a_run(after)) == {"alice": (Change.UNCHANGED,)}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (state(), replace(state(), escalation=("iam:PutUserPolicy",))),
        (replace(state(), escalation=()), state()),
        (replace(state(), escalation=("iam:PutUserPolicy", "iam:AddUserToGroup")), replace(state(), escalation=())),
        (
            replace(state(), administrator=True, escalation=("iam:*",)),
            replace(state(), escalation=("iam:PutUserPolicy",)),
        ),
    ],
)
def test_a_way_to_become_administrator_is_a_gain_only_where_both_runs_know_and_it_is_new(
    before: UserState, after: UserState
) -> None:
    assert changes(a_run(before), a_run(after)) == {"alice": (Change.UNCHANGED,)}


def test_what_the_earlier_version_did_not_read_is_no_gain() -> None:
    """It left open who is an administrator by a customer-managed policy; the same policy now tells."""
    before, after = a_run(replace(state(), administrator=None)), a_run(replace(state(), administrator=True))
    known = replace(after, judges_texts=True)
    assert changes(before, known) == {"alice": (Change.UNCHANGED,)}
    assert changes(a_run(state()), known) == {"alice": (Change.PRIVILEGE_GAINED,)}
    assert changes(replace(before, judges_texts=True), known) == {"alice": (Change.PRIVILEGE_GAINED,)}
    assert changes(before, after) == {"alice": (Change.PRIVILEGE_GAINED,)}


def test_a_snapshot_says_whether_its_version_read_the_texts_of_policies() -> None:
    made = record(scanned(1, user("alice", access=replace(access(), escalation=("iam:PutUserPolicy",)))))
    for version, judges in ((1, False), (2, True)):
        one = replace(made, header=replace(made.header, schema_version=version))
        taken = snapshot(one, assess(one, parse([SafelistText(path="nobody.yaml", text=NOBODY)])).findings)
        assert (taken.judges_texts, taken.users[0].escalation) == (judges, ("iam:PutUserPolicy",))


def test_a_deny_of_aws_s_own_is_no_gain_and_a_policy_that_is_called_the_same_is_one() -> None:
    """As `snapshot` reduces them: a quarantine must not look like an attack, nor an attack like a quarantine."""
    held = access()
    denied = replace(held, attached_policies=("AWSDenyAll",), denied_by=("AWSDenyAll",))
    both = replace(held, attached_policies=("AWSDenyAll", "AWSDenyAll"), denied_by=("AWSDenyAll",))
    records = [
        record(scanned(1, user("alice", access=each, credentials=credentials()))) for each in (held, denied, both)
    ]
    runs = [
        snapshot(each, assess(each, parse([SafelistText(path="nobody.yaml", text=NOBODY)])).findings)
        for each in records
    ]
    assert changes(runs[0], runs[1]) == {"alice": (Change.UNCHANGED,)}
    assert changes(runs[1], runs[2]) == {"alice": (Change.PRIVILEGE_GAINED,)}


@pytest.mark.parametrize("evidence", [Evidence.PARTIAL, Evidence.BASIC])
def test_a_gain_is_not_claimed_where_not_all_was_known_both_times(evidence: Evidence) -> None:
    gained = replace(state(), administrator=True, policies=("AdministratorAccess",))
    assert changes(a_run(replace(state(), evidence=evidence)), a_run(gained)) == {"alice": (Change.UNCHANGED,)}
    assert changes(a_run(state()), a_run(replace(gained, evidence=evidence))) == {"alice": (Change.UNCHANGED,)}


def test_the_same_user_id_in_two_accounts_is_two_users() -> None:
    old, new = (
        a_run(state("alice", "AIDA1", number=1), read=(1, 2)),
        a_run(state("bob", "AIDA1", number=2), read=(1, 2)),
    )
    assert changes(old, new) == {"alice": (Change.GONE,), "bob": (Change.NEW,)}


def test_differences_come_by_account_and_name_with_the_name_of_the_account() -> None:
    old = a_run(state("zoe", number=1), state("gone", number=1), read=(1, 2))
    new = a_run(state("zoe", number=1), state("adam", number=2), read=(1, 2))
    found: list[Difference] = list(compare(old, new))
    assert [(each.account_id, each.user.user_name) for each in found] == [
        (account_id(1), "gone"),
        (account_id(1), "zoe"),
        (account_id(2), "adam"),
    ]
    assert [each.account_name for each in found] == ["account-1", "account-1", "account-2"]
    assert AccountId("000000000001") == found[0].account_id
