"""IAM-058: what a run amounts to, in findings, totals, words and exit code."""

import pytest

from scanner.audit.assessment import Assessment
from scanner.audit.rule import assess, exit_code, unreached
from scanner.errors import ExitCode
from scanner.model import Basis, Evidence, FailReason, IamUser, SkipReason, Status
from scanner.record import Record, SafelistText
from scanner.safelist.entries import parse
from tests.builders import (
    access,
    account,
    credentials,
    failed,
    failure,
    header,
    listing,
    record,
    scanned,
    skipped,
    user,
)

SAFELIST = parse([SafelistText(path="a.yaml", text="version: 1\nglobal: [alice]\n")])


def assessed(run: Record) -> Assessment:
    assessment = assess(run, SAFELIST)
    totals = assessment.totals
    assert totals.listed == (
        totals.outside_scope + totals.excluded + totals.inactive + totals.scanned + totals.failed
    ), "the totals reconcile"
    assert totals.users == totals.approved + totals.unapproved == len(assessment.findings)
    return assessment


def test_every_user_of_every_account_read_is_a_finding_in_a_fixed_order() -> None:
    run = record(
        scanned(2, user("bob", in_account=2), user("alice", in_account=2)),
        scanned(1, user("zoe"), user("Zoe-2"), user("alice")),
        failed(3),
    )
    findings = assessed(run).findings
    assert [(each.account.id[-1], each.user.user_name, each.basis) for each in findings] == [
        ("1", "Zoe-2", Basis.NOT_SAFELISTED),
        ("1", "alice", Basis.SAFELISTED),
        ("1", "zoe", Basis.NOT_SAFELISTED),
        ("2", "alice", Basis.SAFELISTED),
        ("2", "bob", Basis.NOT_SAFELISTED),
    ]


def test_the_totals_count_each_account_once() -> None:
    accounts = [account(number) for number in range(1, 9)]
    run = record(
        scanned(1, user("alice"), user("bob")),
        failed(2),
        skipped(3, SkipReason.EXCLUDED),
        skipped(4, SkipReason.SUSPENDED),
        skipped(5, SkipReason.PENDING_ACTIVATION),
        listing=listing(*accounts, in_scope=range(1, 7)),
    )
    totals = assessed(run).totals
    assert (totals.listed, totals.outside_scope, totals.excluded, totals.inactive) == (8, 2, 1, 2)
    assert (totals.scanned, totals.failed) == (1, 2), "account 6 was not reached"
    assert (totals.users, totals.approved, totals.unapproved) == (2, 1, 1)
    assert [each.id for each in unreached(run)] == [accounts[5].id]


def test_a_scan_of_an_account_outside_the_scope_does_not_count() -> None:
    run = record(scanned(1), scanned(2, user("bob")), listing=listing(account(1), account(2), in_scope=[1]))
    assert assessed(run).totals.users == 0


TWO, THREE = listing(account(1), account(2)), listing(account(1), account(2), account(3))


@pytest.mark.parametrize(
    ("run", "status", "text"),
    [
        (
            record(scanned(1), scanned(2)),
            Status.COMPLETE,
            "complete for the whole organization: 2 of 2 accounts",
        ),
        (
            record(scanned(1), skipped(2)),
            Status.COMPLETE,
            "complete for the whole organization: 1 of 2 accounts (1 inactive)",
        ),
        (
            record(scanned(1), skipped(2, SkipReason.EXCLUDED)),
            Status.COMPLETE,
            "complete for its scope: 1 of 2 accounts (1 excluded)",
        ),
        (
            record(scanned(1), listing=listing(*(account(number) for number in range(1, 1501)), in_scope=[1])),
            Status.COMPLETE,
            "complete for its scope: 1 of 1,500 accounts (1,499 outside the scope)",
        ),
        (
            record(scanned(1), header=header(organization=None)),
            Status.COMPLETE,
            "complete for the list supplied; not checked against Organizations: 1 of 1 account",
        ),
        (
            record(scanned(1), failed(2)),
            Status.INCOMPLETE,
            "incomplete: 1 of 2 accounts in scope could not be read",
        ),
        (
            record(scanned(1), listing=TWO),
            Status.INCOMPLETE,
            "incomplete: 1 of 2 accounts in scope was not reached before the run ended",
        ),
        (
            record(scanned(1), failed(2), listing=THREE, interrupted=True),
            Status.INCOMPLETE,
            (
                "incomplete: 1 of 3 accounts in scope could not be read; "
                "1 of 3 accounts in scope was not reached before the run ended; the run was interrupted"
            ),
        ),
        (
            record(scanned(1), listing=listing(account(1), problem=failure(FailReason.ACCESS_DENIED))),
            Status.INCOMPLETE,
            "incomplete: population unknown, as the listing of accounts broke off",
        ),
        (
            record(failed(1), failed(2)),
            Status.NOTHING_READ,
            "nothing read: not one of 2 accounts in scope; 2 of 2 accounts in scope could not be read",
        ),
        (
            record(skipped(1)),
            Status.NOTHING_READ,
            "nothing read: not one of 1 account in scope (1 inactive)",
        ),
        (record(listing=listing()), Status.NOTHING_READ, "nothing read: not one of 0 accounts in scope"),
    ],
)
def test_the_status_says_in_words_what_was_covered(run: Record, status: Status, text: str) -> None:
    assessment = assessed(run)
    assert (assessment.status, assessment.status_text) == (status, text)


@pytest.mark.parametrize(
    ("run", "code"),
    [
        (record(scanned(1, user("alice"))), ExitCode.OK),
        (record(scanned(1)), ExitCode.OK),
        (record(scanned(1, user("bob"))), ExitCode.UNAPPROVED),
        (record(scanned(1, user("bob")), failed(2)), ExitCode.INCOMPLETE),
        (record(scanned(1, user("bob")), interrupted=True), ExitCode.INCOMPLETE),
        (record(failed(1)), ExitCode.INCOMPLETE),
        (record(listing=listing()), ExitCode.INCOMPLETE),
    ],
)
def test_the_exit_code_follows_from_the_result_and_incomplete_wins(run: Record, code: ExitCode) -> None:
    assert exit_code(assessed(run)) is code


@pytest.mark.parametrize(
    ("of_account", "who", "evidence"),
    [
        (Evidence.FULL, user("alice", credentials=credentials(), access=access()), Evidence.FULL),
        (Evidence.FULL, user("alice", access=access()), Evidence.PARTIAL),
        (Evidence.FULL, user("alice", credentials=credentials()), Evidence.PARTIAL),
        (Evidence.PARTIAL, user("alice", credentials=credentials(), access=access()), Evidence.PARTIAL),
        (Evidence.BASIC, user("alice"), Evidence.BASIC),
    ],
)
def test_evidence_is_full_only_where_all_of_it_came_for_account_and_user(
    of_account: Evidence, who: IamUser, evidence: Evidence
) -> None:
    run = record(scanned(1, who, evidence=of_account))
    assert assessed(run).findings[0].evidence is evidence


def test_approvals_are_judged_on_the_day_that_the_record_names() -> None:
    text = "version: 1\nglobal: [{user: alice, expires_on: 2026-11-22}]\n"
    expiring = parse([SafelistText(path="a.yaml", text=text)])
    (late,) = assess(record(scanned(1, user())), expiring).findings
    assert late.basis is Basis.APPROVAL_EXPIRED
