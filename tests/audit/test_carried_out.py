"""What became of users that were to go: gone only where it was looked, quarantined only where that still stands."""

from dataclasses import replace
from datetime import timedelta

import pytest

from scanner.audit.carried_out import Fate, decided
from scanner.audit.split import restrict
from scanner.model import Choice, SplitBy, UserId
from scanner.record import Record, Remediation, RemediationOutcome, ReviewDecision
from scanner.report.changes import after, documents
from scanner.report.view import View
from scanner.report.words import decided_words, fates_words
from scanner.runs.stored import decide_record
from tests.audit.test_diff import a_run, state
from tests.builders import START, account_id, failed, header, record, scanned, user

DONE, UNDONE = RemediationOutcome.DONE, RemediationOutcome.UNDONE


def decision(name: str, choice: Choice, number: int = 1) -> ReviewDecision:
    return ReviewDecision(
        run_id="20261123T164100Z-1a2b3c",
        account_id=account_id(number),
        user_id=user(name, in_account=number).user_id,
        choice=choice,
        reviewer="ciso@example.com",
        reviewed_on=START.date(),
    )


def done(
    name: str, choice: Choice, outcome: RemediationOutcome = DONE, *, hours: int = 1, reason: str | None = None
) -> Remediation:
    return Remediation(
        plan_id=f"20261123T{hours:02}0000Z-4d5e6f",
        account_id=account_id(1),
        user_id=user(name).user_id,
        choice=choice,
        outcome=outcome,
        reason=reason,
        at=START + timedelta(hours=hours),
    )


def a_record(*decisions: ReviewDecision, done: tuple[Remediation, ...] = (), users: tuple[str, ...] = ()) -> Record:
    own = replace(header(), decisions=decisions, remediations=done)
    return record(scanned(1, *(user(name) for name in users)), failed(2), header=own)


def fate(record: Record) -> Fate:
    (only,) = decided(record).values()
    return only.fate


def test_a_user_is_gone_where_its_account_was_read() -> None:
    assert fate(a_record(decision("alice", Choice.REMOVE))) is Fate.GONE
    assert fate(a_record(decision("alice", Choice.REMOVE), users=("alice",))) is Fate.STILL_THERE
    assert fate(a_record(decision("alice", Choice.REMOVE, number=2))) is Fate.NOT_READ
    assert decided(a_record(decision("alice", Choice.REMOVE, number=3))) == {}, "not in the scope of this run"


def test_who_is_to_stay_is_none_of_them() -> None:
    decisions = [decision("alice", choice) for choice in (Choice.APPROVE, Choice.KEEP, Choice.DEFER)]
    assert decided(a_record(*decisions)) == {}


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        ((done("alice", Choice.QUARANTINE),), Fate.QUARANTINED),
        ((done("alice", Choice.QUARANTINE, UNDONE),), Fate.STILL_THERE),
        ((done("alice", Choice.QUARANTINE, RemediationOutcome.FAILED),), Fate.STILL_THERE),
        ((done("alice", Choice.REMOVE),), Fate.STILL_THERE),
        ((done("alice", Choice.QUARANTINE, UNDONE), done("alice", Choice.QUARANTINE, hours=9)), Fate.QUARANTINED),
    ],
)
def test_a_quarantine_counts_while_it_stands(actions: tuple[Remediation, ...], expected: Fate) -> None:
    assert fate(a_record(done=actions, users=("alice",))) is expected


def test_what_was_done_is_told_in_its_order() -> None:
    refused = done("alice", Choice.REMOVE, RemediationOutcome.REFUSED, hours=5, reason="RECENTLY_USED")
    actions = (done("alice", Choice.REMOVE, hours=7), refused, done("alice", Choice.QUARANTINE, hours=3))
    (alice,) = decided(a_record(decision("alice", Choice.REMOVE), done=actions)).values()
    assert decided_words(alice) == (
        "Remove decided by ciso@example.com on 2026-11-23",
        "quarantined on 2026-11-23 by plan 20261123T030000Z-4d5e6f",
        "removal refused on 2026-11-23 by plan 20261123T050000Z-4d5e6f (RECENTLY_USED)",
        "removed on 2026-11-23 by plan 20261123T070000Z-4d5e6f",
    )


def test_the_numbers_in_words() -> None:
    gone = a_record(
        decision("alice", Choice.REMOVE), decision("bob", Choice.QUARANTINE), decision("x", Choice.REMOVE, number=2)
    )
    told = "Of 3 users to be removed or quarantined: 2 gone, 1 in accounts that were not read"
    assert fates_words(decided(gone).values()) == told
    assert fates_words(()) == ""


def test_a_change_of_such_a_user_says_what_was_done() -> None:
    before = state("alice", user_id=str(user("alice").user_id))
    own = a_record(decision("alice", Choice.REMOVE), done=(done("alice", Choice.REMOVE),))
    own = replace(own, header=replace(own.header, previous_run=a_run(before)))
    (gone,) = decide_record(own).differences or ()
    said = "Remove decided by ciso@example.com on 2026-11-23", "removed on 2026-11-23 by plan 20261123T010000Z-4d5e6f"
    assert after(gone) == f"not there any more; remediation: {', '.join(said)}"
    assert documents([gone])[0]["decided"] == list(said)


def test_of_a_user_that_was_recreated_the_decision_about_its_earlier_self_is_told() -> None:
    before = state("alice", user_id=str(user("alice").user_id))
    own = a_record(decision("alice", Choice.REMOVE))
    namesake = replace(user("alice"), user_id=UserId("AIDANEW"))
    own = replace(
        own, header=replace(own.header, previous_run=a_run(before)), scans={account_id(1): scanned(1, namesake)}
    )
    (recreated,) = decide_record(own).differences or ()
    assert after(recreated).endswith("Remove decided by ciso@example.com on 2026-11-23")


def test_a_part_of_a_run_tells_of_its_own_accounts_alone() -> None:
    whole = decide_record(a_record(decision("alice", Choice.REMOVE), decision("bob", Choice.REMOVE, number=2)))
    part = restrict(whole, SplitBy.OU_PATH, "Root/Prod", frozenset({account_id(2)}))
    assert [key[0] for key in decided(part.record)] == [account_id(2)]


def test_a_quarantine_that_was_decided_and_stands_is_not_outstanding() -> None:
    """And a removal is, though the user is quarantined meanwhile."""
    quarantined = done("alice", Choice.QUARANTINE), done("bob", Choice.QUARANTINE)
    decisions = decision("alice", Choice.QUARANTINE), decision("bob", Choice.REMOVE)
    view = View(decide_record(a_record(*decisions, done=quarantined, users=("alice", "bob"))))
    assert [one.finding.user.user_name for one in view.outstanding] == ["bob"]
    why = {row.user.finding.user.user_name: row.reasons for row in view.review}
    assert "quarantined, as decided on 2026-11-23, and still there" in why["alice"]
    assert "to be removed since 2026-11-23, and still there" in why["bob"]
    undone = done("alice", Choice.QUARANTINE, UNDONE)
    view = View(decide_record(a_record(decision("alice", Choice.QUARANTINE), done=(undone,), users=("alice",))))
    assert [one.finding.user.user_name for one in view.outstanding] == ["alice"]
