"""summary.json: figures that reconcile, and JSON values only."""

import json
from dataclasses import replace
from typing import Any

from scanner.audit.rule import assess
from scanner.model import Evidence
from scanner.report.figures import UNPLACED, figures
from scanner.report.rows import account_rows, user_rows
from scanner.report.summary import summary
from scanner.report.view import View
from scanner.safelist.types import Safelist
from tests.builders import access, account, credentials, failure, listing, record, scanned, user
from tests.report.samples import assessed, finding, sample


def document(assessment: Any) -> Any:
    return json.loads(json.dumps(summary(View(assessment))))


def test_the_totals_reconcile_and_are_shown() -> None:
    coverage = document(sample())["coverage"]
    assert coverage == {
        "listed": 16,
        "outside_scope": 1,
        "excluded": 1,
        "inactive": 0,
        "scanned": 11,
        "failed": 3,
        "in_scope": 15,
        "reconciles": True,
    }


def test_totals_that_do_not_reconcile_say_so() -> None:
    wrong = replace(sample(), totals=replace(sample().totals, listed=17))
    assert document(wrong)["coverage"]["reconciles"] is False


def test_it_says_who_ran_what_when_and_how_it_ended() -> None:
    made = document(sample())
    assert made["status"] == "INCOMPLETE"
    assert made["status_text"] == "incomplete: 3 of 15 accounts in scope could not be read"
    assert made["caller"]["arn"].endswith("assumed-role/Audit/reviewer")
    assert made["organization"] == {"id": "o-a1b2c3d4e5", "management_account_id": "000000000100"}
    assert made["times"]["started_at"] == "2026-11-23T16:41:00Z"
    assert made["times"]["accounts_read_until"] == "2026-11-23T16:42:00Z"
    assert made["scope"]["exclude_account"] == [{"account": "000000000113", "reason": "being closed, SEC-77"}]
    assert made["api_calls_total"] == sum(made["api_calls"].values())
    assert made["journal_sha256"] == sample().record.digest


def test_failed_accounts_are_named_with_reason_and_remedy() -> None:
    first, _, unreached = document(sample())["failed_accounts"]
    assert (first["account_id"], first["reason"]) == ("000000000111", "ROLE_NOT_ASSUMABLE")
    assert first["remedy"].startswith("Deploy the role")
    assert unreached["detail"] == "not reached before the run ended"


def test_users_by_ou_and_by_ground_add_up() -> None:
    made = document(sample())
    assert sum(ou["unapproved"] for ou in made["by_ou"]) == made["users"]["unapproved"]
    assert sum(ou["users"] for ou in made["by_ou"]) == made["users"]["found"]
    assert sum(made["users"]["unapproved_by_basis"].values()) == made["users"]["unapproved"]


def test_a_broken_listing_is_told() -> None:
    record = sample().record
    broken = replace(record, listing=replace(record.listing, problem=failure()))
    assert document(replace(sample(), record=broken))["listing_problem"]["failed_call"] == "sts:AssumeRole"


def test_without_an_organization_there_is_none() -> None:
    record = sample().record
    alone = replace(record, header=replace(record.header, organization=None))
    assert document(replace(sample(), record=alone))["organization"] is None


def test_an_account_without_a_place_is_counted_under_one_heading() -> None:
    lost = assessed([finding(user(), at=account(ou_path=None))])
    assert document(lost)["by_ou"][0]["ou_path"] == UNPLACED


def test_two_units_of_one_path_stay_apart() -> None:
    twins = [account(1, ou_path="Root/Prod"), account(2, ou_path="Root/Prod")]
    twins[1] = replace(twins[1], ous=(*twins[1].ous[:1], replace(twins[1].ous[1], id="ou-abcd-twin0000")))
    assert len(document(assessed([finding(user(), at=each) for each in twins]))["by_ou"]) == 2


def test_a_run_that_read_nothing_has_no_window() -> None:
    record = replace(sample().record, scans={}, listing=listing())
    empty = replace(assessed(record=record), findings=())
    assert document(empty)["times"]["accounts_read_from"] is None


def test_the_figures_count_what_is_known_only() -> None:
    counted = figures(sample(), tuple(user_rows(sample())), tuple(account_rows(sample())))
    assert counted.usage_unknown == 6
    assert counted.accounts_by_evidence == {Evidence.FULL: 10, Evidence.PARTIAL: 1}
    assert [row.unapproved for row in counted.worst] == sorted(
        (row.unapproved or 0 for row in counted.worst), reverse=True
    )


def test_the_evidence_of_an_account_is_no_better_than_that_of_its_users() -> None:
    """A user made after the credential report has no row in it, though every call for evidence worked."""
    full = user("alice", credentials=credentials(), access=access())
    run = record(scanned(1, full, user("bob", access=access())), scanned(2, user("eve", in_account=2)), scanned(3))
    assert document(assess(run, Safelist()))["evidence"] == {"FULL": 1, "PARTIAL": 2}
