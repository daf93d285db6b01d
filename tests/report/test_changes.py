"""What changed of a user in words: each thing by itself, the same in both directions."""

from dataclasses import replace

import pytest

from scanner.audit.diff import Difference, compare
from scanner.model import Basis, Determination, Evidence, UserId
from scanner.record import Snapshot, UserState
from scanner.report.changes import after, aspects, before
from tests.builders import START, account_id

WAYS = ("iam:PutUserPolicy", "iam:AddUserToGroup")
USER = UserState(
    account_id=account_id(1),
    user_id=UserId("AIDA1"),
    user_name="alice",
    determination=Determination.APPROVED,
    basis=Basis.SAFELISTED,
    evidence=Evidence.FULL,
    administrator=False,
    policies=(),
    boundary=False,
)
READER = replace(USER, policies=("ReadOnlyAccess",))
ADMINISTRATOR = replace(USER, administrator=True, policies=("AdministratorAccess", "ReadOnlyAccess"))
EXPIRED = replace(USER, determination=Determination.UNAPPROVED, basis=Basis.APPROVAL_EXPIRED)


def a_run(*users: UserState) -> Snapshot:
    read = {account_id(1): "prod"}
    return Snapshot(run_id="", digest="", started_at=START, accounts=read, outside=frozenset(), users=users)


def difference(old: UserState | None, new: UserState | None) -> Difference:
    before_it, after_it = (a_run() if user is None else a_run(user) for user in (old, new))
    (found,) = compare(before_it, after_it)
    return found


def words(old: UserState | None, new: UserState | None) -> list[str]:
    return [str(aspect) for aspect in aspects(difference(old, new))]


@pytest.mark.parametrize(
    ("one", "other", "rights"),
    [
        (USER, READER, ("none", "policy ReadOnlyAccess")),
        (READER, ADMINISTRATOR, ("not an administrator", "administrator, policy AdministratorAccess")),
        (READER, replace(READER, policies=("A", "B", "ReadOnlyAccess")), ("without policies A, B", "policies A, B")),
        (READER, replace(READER, policies=("A",)), ("policy ReadOnlyAccess", "policy A")),
        (USER, replace(USER, boundary=True), ("no permissions boundary", "permissions boundary")),
        (
            USER,
            replace(READER, boundary=True),
            ("none, no permissions boundary", "policy ReadOnlyAccess, permissions boundary"),
        ),
        (USER, replace(USER, administrator=None), ("none", "administrator: not known")),
        (
            replace(READER, escalation=()),
            replace(READER, escalation=WAYS),
            ("cannot make itself administrator", f"can make itself administrator by {', '.join(WAYS)}"),
        ),
        (
            replace(USER, escalation=()),
            replace(READER, escalation=WAYS[:1]),
            ("none", "policy ReadOnlyAccess, can make itself administrator by iam:PutUserPolicy"),
        ),
        (
            replace(USER, escalation=WAYS[:1]),
            replace(USER, escalation=WAYS),
            ("not by these actions", "can make itself administrator by iam:AddUserToGroup"),
        ),
        (
            replace(USER, escalation=WAYS[:1]),
            replace(USER, administrator=True, escalation=("iam:*",)),
            ("not an administrator, can make itself administrator by iam:PutUserPolicy", "administrator"),
        ),
    ],
)
def test_rights_change_in_an_arrow_of_their_own_both_ways(
    one: UserState, other: UserState, rights: tuple[str, str]
) -> None:
    assert words(one, other) == [f"rights: {rights[0]} -> {rights[1]}", "approval: approved"]
    assert words(other, one) == [f"rights: {rights[1]} -> {rights[0]}", "approval: approved"]


def test_what_changed_comes_first_and_approval_and_rights_stand_apart() -> None:
    later = replace(EXPIRED, user_name="bob", administrator=True)
    assert words(USER, later) == [
        "name: alice -> bob",
        "approval: approved -> unapproved (approval expired)",
        "rights: none -> administrator",
    ]


def test_a_way_to_become_administrator_is_no_change_where_one_run_did_not_know_it() -> None:
    assert words(USER, replace(USER, escalation=WAYS)) == ["approval: approved"]
    assert words(replace(USER, escalation=WAYS), USER) == ["approval: approved"]
    (*_, rights) = words(None, replace(USER, escalation=WAYS))
    assert rights == f"rights: can make itself administrator by {', '.join(WAYS)}"


def test_rights_are_not_compared_where_not_all_of_them_were_known() -> None:
    assert words(replace(USER, evidence=Evidence.PARTIAL), ADMINISTRATOR) == ["approval: approved"]


def test_of_a_user_that_only_one_run_has_all_is_said() -> None:
    assert words(None, ADMINISTRATOR) == [
        "user: not there -> there",
        "approval: approved",
        "rights: administrator, policies AdministratorAccess, ReadOnlyAccess",
    ]
    assert words(EXPIRED, None) == [
        "user: there -> not there any more",
        "approval: unapproved (approval expired)",
        "rights: none",
    ]


def test_the_columns_have_the_two_sides() -> None:
    gained = difference(EXPIRED, replace(EXPIRED, administrator=True))
    assert before(gained) == "rights: none"
    assert after(gained) == "rights: administrator; approval: unapproved (approval expired)"
    gone = difference(EXPIRED, None)
    assert (before(gone), after(gone)) == (
        "approval: unapproved (approval expired); rights: none",
        "not there any more",
    )


def test_the_sentence_of_the_rule_says_why_it_is_so_now() -> None:
    sentence = "The approval at prod.yaml:3 ended on 2026-12-31"
    lost = replace(difference(USER, EXPIRED), reason=sentence)
    assert [*map(str, aspects(lost))] == [f"approval: approved -> unapproved ({sentence})"]
    regained = replace(difference(EXPIRED, USER), reason="Approved for this account by prod.yaml:3 until 2027-12-31")
    assert after(regained) == "approval: approved for this account by prod.yaml:3 until 2027-12-31"
    assert before(regained) == "approval: unapproved (approval expired)"
