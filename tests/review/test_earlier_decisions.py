"""Decisions against those that were imported before, and against what the safelists say."""

import json
from datetime import timedelta

from scanner.safelist.entries import parse
from scanner.safelist.read import read as read_safelists
from tests.review.desk import CISO, Desk, approve, decided, faults, remove, rows_of, verdicts


def test_a_contradiction_needs_to_be_meant(desk: Desk) -> None:
    desk.imported(desk.filled({"dev/bob": remove()}), "--write")
    before = desk.state()
    changed = desk.filled({"dev/bob": approve()}, "changed.xlsx")
    found = faults(desk.imported(changed, "--write"))
    assert f"{CISO} decided Remove on {desk.today}, which was imported already. Give --supersede" in found[0]
    assert "revokes this user" in found[1]
    assert desk.state() == before
    assert desk.imported(changed, "--write", "--supersede").exit_code == 0
    assert verdicts(desk)["dev/bob"] == "SAFELISTED"
    assert json.loads(desk.removals.read_bytes())["removals"] == []
    assert [row["decision"] for row in rows_of(desk.ledger)] == ["Remove", "Approve"]
    again = desk.state()
    assert desk.imported(changed, "--write").exit_code == 0
    assert desk.state() == again


def test_a_revocation_is_taken_out_only_by_supersede(desk: Desk) -> None:
    book = desk.filled({"prod/eve": approve()})
    assert desk.imported(book, "--write").exit_code == 2
    done = desk.imported(book, "--write", "--supersede")
    assert "1 approval added, 1 revocation removed: safelists/prod.yaml" in done.out
    assert verdicts(desk)["prod/eve"] == "SAFELISTED"
    assert "# Decided in reviews:\nrevoked: []\n" in desk.safelist.read_text(encoding="utf-8")


def test_what_a_later_review_decided_is_not_undone(desk: Desk) -> None:
    """The old workbook may come again; it is of an earlier run than the decision that stands."""
    book = desk.filled({"dev/bob": approve()})
    desk.imported(book, "--write")
    ledger = desk.ledger.read_text(encoding="utf-8-sig")
    row = ledger.splitlines()[1].replace(desk.folder.name, "29991231T000000Z-abcdef").replace("Approve", "Remove")
    with desk.ledger.open("a", encoding="utf-8", newline="") as file:
        file.write(f"{row}\r\n")
    before = desk.state()
    done = desk.imported(book, "--write")
    assert done.exit_code == 0
    assert "decided again in the review of another run, which takes precedence" in done.out
    assert desk.state() == before
    (fault,) = faults(desk.imported(desk.filled({"dev/bob": decided("Quarantine")}, "late.xlsx")))
    assert "in the later run 29991231T000000Z-abcdef" in fault


def test_an_approval_that_is_renewed_takes_the_place_of_the_entry_that_it_renews(desk: Desk) -> None:
    """Four quarters, four renewals, one entry; its comment stays."""
    desk.imported(desk.filled({"prod/alice": approve()}), "--write")
    text = desk.safelist.read_text(encoding="utf-8")
    assert text.count("user: alice") == 1
    desk.safelist.write_text(text.replace("user: alice", "user: alice   # of finance"), encoding="utf-8")
    for days in (101, 102, 103):
        until = desk.today + timedelta(days=days)
        book = desk.filled({"prod/alice": approve(approve_until=until, ticket=f"SEC-{days}")}, f"{days}.xlsx")
        done = desk.imported(book, "--write", "--supersede")
        assert done.exit_code == 0
        assert "1 approval renewed" in done.out
    (entry,) = (entry for entry in parse(read_safelists([desk.safelist])).entries if entry.value == "alice")
    assert (entry.expires_on, entry.ticket) == (desk.today + timedelta(days=103), "SEC-103")
    assert desk.safelist.read_text(encoding="utf-8").count("user: alice   # of finance") == 1
