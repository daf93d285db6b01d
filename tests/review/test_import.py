"""`review import`: what reviewers decided, read back by identity, all or nothing, and the same the second time."""

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl.workbook import Workbook
from rich.console import Console

from scanner.cli.screen.review_outcome import show
from scanner.model import Choice
from scanner.review.importing import Request, import_review
from scanner.safelist.entries import parse
from scanner.safelist.match import Index
from scanner.safelist.read import read as read_safelists
from tests.program import Done, program
from tests.review.desk import CISO, LATER, Desk, approve, decided, remove

EVERYTHING = {
    "prod/alice": approve(ticket="SEC-7"),
    "dev/bob": remove(),
    "core/=1+1": decided("Quarantine"),
    "dev/carol": decided("keep"),
    "sandbox/bob": decided(" DEFER ", comment="owner is away\nuntil May"),
}


def verdicts(desk: Desk) -> dict[str, str]:
    """What the safelists say now of each user of the run."""
    index = Index(parse(read_safelists([Path("safelists")])), desk.today)
    accounts = {account.id: account for account in desk.record.listing.accounts}
    return {
        f"{accounts[scan.account_id].name}/{user.user_name}": index.decide(accounts[scan.account_id], user).basis
        for scan in desk.record.scans.values()
        if scan.outcome == "SCANNED"
        for user in scan.users
    }


def faults(done: Done) -> list[str]:
    assert done.exit_code == 2
    return [line.removeprefix("error: ") for line in done.err.splitlines()]


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


# --- what an import does ---------------------------------------------------------------------------------------------


def test_decisions_are_recorded_and_the_safelist_only_shown(desk: Desk) -> None:
    before = desk.safelist.read_bytes()
    done = desk.imported(desk.filled(EVERYTHING))
    assert done.exit_code == 0
    assert desk.safelist.read_bytes() == before
    assert "+    - user: alice\n" in done.out
    assert "UNCHANGED; --write would add 1 approval and 2 revocations: safelists/prod.yaml" in done.out
    assert sorted((row["user_name"], row["decision"]) for row in rows_of(desk.ledger)) == [
        ("'=1+1", "Quarantine"),
        ("alice", "Approve"),
        ("bob", "Defer"),
        ("bob", "Remove"),
        ("carol", "Keep"),
    ]
    assert {row["workbook"] for row in rows_of(desk.ledger)} == {"review.xlsx"}
    assert {row["journal_sha256"] for row in rows_of(desk.ledger)} == {desk.record.digest}


def test_with_write_the_safelist_says_what_was_decided(desk: Desk) -> None:
    before, was = desk.safelist.read_text(encoding="utf-8"), verdicts(desk)
    desk.safelist.chmod(0o640)
    assert desk.imported(desk.filled(EVERYTHING), "--write").exit_code == 0
    now = verdicts(desk)
    changed = {user: now[user] for user in now if now[user] != was[user]}
    assert changed == {"prod/alice": "SAFELISTED", "dev/bob": "REVOKED", "core/=1+1": "REVOKED"}
    after = desk.safelist.read_text(encoding="utf-8")
    assert [line for line in before.splitlines() if line not in after.splitlines()] == []
    assert desk.safelist.stat().st_mode & 0o777 == 0o640
    assert program("safelist", "check", "safelists").exit_code == 0


def test_an_approval_carries_all_that_the_reviewer_said(desk: Desk) -> None:
    why = {"comment": "Nightly: export\nof the ledger", "ticket": 42, "kind": "Break-Glass"}
    desk.imported(desk.filled({"prod/alice": approve(**why)}), "--write")
    (entry,) = (each for each in parse(read_safelists([Path("safelists")])).entries if each.value == "alice")
    assert (entry.user_id, entry.kind, entry.owner) == (desk.user_ids["prod/alice"], "break-glass", "db@example.com")
    assert (entry.reason, entry.ticket) == ("Nightly: export of the ledger", "42")
    assert (entry.approved_by, entry.approved_on, entry.expires_on) == (CISO, desk.today, LATER)


def test_removals_are_listed_for_whoever_carries_them_out(desk: Desk) -> None:
    desk.imported(desk.filled(EVERYTHING))
    document = json.loads(desk.removals.read_bytes())
    assert (document["run_id"], document["journal_sha256"]) == (desk.folder.name, desk.record.digest)
    found = {each["user_name"]: each for each in document["removals"]}
    assert {name: each["decision"] for name, each in found.items()} == {"bob": "Remove", "=1+1": "Quarantine"}
    assert found["bob"]["arn"].endswith(":user/bob")
    assert (found["bob"]["path"], found["bob"]["ticket"], found["bob"]["reviewer"]) == ("/", "SEC-140", CISO)
    assert desk.removals.parent.stat().st_mode & 0o777 == 0o700
    assert desk.removals.stat().st_mode & 0o777 == 0o600


def test_the_second_time_nothing_changes(desk: Desk) -> None:
    book = desk.filled(EVERYTHING)
    desk.imported(book)
    desk.imported(book, "--write")
    before = desk.state()
    again = desk.imported(book, "--write")
    assert again.exit_code == 0
    assert desk.state() == before
    assert "5 of them imported before" in again.out
    assert not again.out.startswith("---")


def test_workbooks_of_one_run_may_come_one_after_another(desk: Desk) -> None:
    desk.imported(desk.filled({"dev/bob": remove()}, "one.xlsx"))
    done = desk.imported(desk.filled({"prod/bob": remove()}, "two.xlsx"), "--json").document
    assert done["ledger"]["added"] == 1
    assert done["removals"]["users"] == 2
    assert len(json.loads(desk.removals.read_bytes())["removals"]) == 2


def test_several_workbooks_come_at_once(desk: Desk) -> None:
    one = desk.filled({"dev/bob": remove(), "prod/alice": approve()}, "one.xlsx")
    two = desk.filled({"prod/bob": remove(), "prod/alice": approve()}, "two.xlsx")
    done = desk.imported(one, two, "--json").document
    assert {choice: count for choice, count in done["decisions"].items() if count} == {"Approve": 1, "Remove": 2}
    assert done["users_due"] - done["undecided"] == 3


def test_a_report_made_again_is_a_workbook_of_the_run(desk: Desk) -> None:
    program("report", desk.folder, "--format", "xlsx")
    again = Desk(Path("reports") / f"{desk.folder.name}-report")
    book = desk.filled({"dev/bob": remove()})
    (again.folder / "iam-users.xlsx").replace(book)
    assert desk.imported(book).exit_code == 0


@pytest.mark.parametrize("width", [80, 140])
def test_a_person_reads_it_without_a_cut_line(desk: Desk, width: int) -> None:
    done = import_review(
        Request(
            workbooks=(desk.filled(EVERYTHING),),
            safelist=(Path("safelists"),),
            output=Path("reports"),
            into=None,
            write=True,
            supersede=False,
            imported_by="auditor",
            now=datetime.now(UTC),
        )
    )
    out = io.StringIO()
    show(done, Console(file=out, width=width, force_terminal=True, color_system="standard"), quiet=False)
    plain = [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue()).splitlines()]
    start = plain.index(f"Review of run {desk.folder.name}")
    assert max(map(len, plain[start:])) <= width  # a line of the diff is left whole: it may be copied
    assert plain[start + 1 : start + 4] == [
        "Decided    5 users: 1 Approve, 1 Keep, 1 Remove, 1 Quarantine, 1 Defer",
        f"Undecided  {done.due - 5} of {done.due} users that the run says need a decision",
        "Safelist   1 approval and 2 revocations added: safelists/prod.yaml",
    ]
    assert "\x1b[32m+    - user: alice" in out.getvalue()


def test_quiet_prints_the_diff_and_nothing_else(desk: Desk) -> None:
    done = desk.imported(desk.filled({"prod/alice": approve()}), "--quiet")
    assert done.out.startswith("--- safelists/prod.yaml\n+++ safelists/prod.yaml\n@@")
    assert all(line[0] in "+-@ " for line in done.out.splitlines())


def test_an_import_that_broke_off_is_repaired_by_the_same_command(desk: Desk) -> None:
    book = desk.filled(EVERYTHING)
    obstacle = desk.safelist.with_name(".prod.yaml.partial")
    obstacle.mkdir()
    broken = desk.imported(book, "--write")
    assert broken.exit_code == 1
    assert "Cannot write safelists/prod.yaml" in broken.err
    ledger = desk.ledger.read_bytes()
    obstacle.rmdir()
    desk.removals.unlink()
    assert desk.imported(book, "--write").exit_code == 0
    assert desk.ledger.read_bytes() == ledger
    assert len(json.loads(desk.removals.read_bytes())["removals"]) == 2
    assert verdicts(desk)["prod/alice"] == "SAFELISTED"


def test_an_import_that_was_killed_while_it_wrote_the_ledger_is_repaired_by_the_same_command(desk: Desk) -> None:
    book = desk.filled(EVERYTHING)
    desk.imported(book, "--write")
    whole = desk.ledger.read_bytes()
    times = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ,")
    desk.ledger.write_bytes(whole[: whole.rindex(b"\r\n", 0, -2) + 40])
    again = desk.imported(book, "--write", "--json")
    assert again.exit_code == 0
    assert again.document["ledger"]["added"] == 1
    assert "decisions.csv was cut off" in again.document["notes"][0]
    assert times.sub(b"", desk.ledger.read_bytes()) == times.sub(b"", whole)
    assert desk.imported(book, "--write", "--json").document["notes"] == []


def test_without_an_approval_policy_a_bare_approval_will_do(desk: Desk) -> None:
    text = desk.safelist.read_text(encoding="utf-8")
    start, end = text.index("policy:"), text.index("global:")
    desk.safelist.write_text(text[:start] + text[end:], encoding="utf-8")
    bare = decided("Approve", reviewer="anybody@example.com")
    assert desk.imported(desk.filled({"prod/alice": bare}), "--write").exit_code == 0
    assert verdicts(desk)["prod/alice"] == "SAFELISTED"


# --- how workbooks come back -----------------------------------------------------------------------------------------


def test_rows_and_columns_may_stand_anywhere(desk: Desk) -> None:
    def disturb(book: Workbook) -> None:
        sheet = book["Review"]
        head, *rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
        user = head.index("user_name")
        kept = [row for row in rows if row[user] in {"alice", "bob"}]
        sheet.delete_rows(1, sheet.max_row)
        for row in (head, *reversed(kept)):
            sheet.append([None, "mine", *reversed(row)])
        sheet.append([])
        sheet.append(["a note below"])

    done = desk.imported(desk.filled({"sandbox/bob": remove(), "prod/alice": approve()}, edit=disturb), "--write")
    assert done.exit_code == 0, done.err
    assert (verdicts(desk)["sandbox/bob"], verdicts(desk)["prod/alice"]) == ("REVOKED", "SAFELISTED")


def test_names_that_a_spreadsheet_escapes_are_still_the_same(desk: Desk) -> None:
    users = ("=1+1", "user_x000D_y", "a_x005F_bx005F_")
    done = desk.imported(desk.filled({f"prod/{user}": approve() for user in users}), "--write")
    assert done.exit_code == 0, done.err
    assert {verdicts(desk)[f"prod/{user}"] for user in users} == {"SAFELISTED"}


def test_dates_may_be_text_and_account_ids_numbers(desk: Desk) -> None:
    def numbers(book: Workbook) -> None:
        for (cell,) in book["Review"].iter_rows(min_row=2, max_col=1):
            if not str(cell.value).startswith("0"):
                cell.value = int(str(cell.value))

    later, today = LATER.isoformat(), f" {desk.today.isoformat()} "
    book = desk.filled({"prod/alice": approve(approve_until=later, reviewed_on=today)}, edit=numbers)
    assert desk.imported(book).exit_code == 0


# --- what is refused -------------------------------------------------------------------------------------------------


def test_every_fault_is_named_by_its_cell_and_nothing_is_written(desk: Desk) -> None:
    tomorrow = desk.today + timedelta(days=2)
    before = desk.state()
    wrong: dict[str, dict[str, Any]] = {
        "core/alice": {"decision": "Approve", "reviewed_on": None},
        "core/bob": decided("Aprove", reviewed_on="24.11.2026"),
        "core/=1+1": approve(owner=None, comment=" ", reviewer="me@example.com"),
        "dev/alice": approve(approve_until=desk.today + timedelta(days=400)),
        "dev/bob": approve(reviewed_on=tomorrow, kind="robot"),
        "dev/=1+1": remove(reviewed_on=desk.today - timedelta(days=1)),
        "sandbox/alice": decided("Defer"),
        "sandbox/bob": decided("Keep"),
        "sandbox/carol": decided("Keep", approve_until=LATER),
        "prod/alice": approve(approve_until=desk.today - timedelta(days=1)),
        "prod/bob": remove(ticket="=1+1"),
        "prod/=1+1": remove(ticket=desk.today),
        "payments-1/alice": remove(comment="a\x85b\x9fc"),
        "payments-1/bob": {"decision": "=A1", "reviewed_on": None},
        "payments-2/alice": {"user_name": "another", "reviewed_on": None},
        "payments-2/bob": {"account_id": 12345, "reviewed_on": None},
        "payments-2/=1+1": {"user_id": "AIDANOBODY", "reviewed_on": None},
        "payments-2/eve": {"user_id": None, "account_id": None, **remove()},
        "prod/eve": approve(),
    }
    found = faults(desk.imported(desk.filled(wrong), "--write"))
    expected = (
        ("core/alice", "reviewer is empty beside a decision. Say who decided."),
        ("core/alice", "reviewed_on is empty beside a decision."),
        ("core/bob", "'Aprove' is unknown. Use one of: Approve, Keep, Remove, Quarantine, Defer."),
        ("core/bob", "'24.11.2026' is not a valid date. Write it as 2027-01-15."),
        ("core/=1+1", "it has no owner. Fill in owner."),
        ("core/=1+1", "it has no reason. Fill in comment."),
        ("core/=1+1", "me@example.com is not among the policy's approvers."),
        ("dev/alice", f"The last day possible is {desk.today + timedelta(days=365)}."),
        ("dev/bob", f"{tomorrow} lies outside the run"),
        ("dev/bob", "'robot' is unknown. Use one of: human, service, break-glass."),
        ("dev/=1+1", "lies outside the run"),
        ("sandbox/alice", "Defer needs a comment."),
        ("sandbox/bob", "Keep: this user is not approved (NOT_SAFELISTED)."),
        ("sandbox/carol", "approve_until stands beside Keep"),
        ("prod/alice", "lies before reviewed_on."),
        ("prod/bob", "The cell holds a formula. Put in the value itself."),
        ("prod/=1+1", "is a date, not text."),
        ("payments-1/alice", "which cannot be seen."),
        ("payments-1/bob", "The cell holds a formula."),
        ("payments-2/alice", "user_name was changed: the program wrote 'alice' for this user."),
        ("payments-2/bob", "The account id is 12345, and an account id has 12 digits."),
        ("payments-2/=1+1", "The run has no user with the id AIDANOBODY"),
        ("payments-2/eve", "A decision stands here, and the row names no user."),
        ("prod/eve", "revokes this user, which beats every approval. Give --supersede"),
    )
    assert [each for each in expected if not any(each[1] in line for line in found)] == []
    assert [line for line in found if not any(part in line for _, part in expected)] == []
    assert all(line.startswith("review.xlsx, Review!") for line in found)
    assert desk.state() == before


def test_json_has_each_fault_with_file_sheet_and_cell(desk: Desk) -> None:
    done = desk.imported(desk.filled({"dev/bob": remove(reviewer=None)}), "--json")
    (fault,) = done.document["error"]["faults"]
    assert (fault["file"], fault["sheet"]) == ("review.xlsx", "Review")
    assert fault["cell"][1:].isdecimal()
    assert (fault["problem"], fault["remedy"]) == ("reviewer is empty beside a decision.", "Say who decided.")


def rename_sheet(book: Workbook) -> None:
    book["Review"].title = "Reviewed"


def rename_column(book: Workbook) -> None:
    head_of(book, "decision").value = "what to do"


def double_column(book: Workbook) -> None:
    head_of(book, "last_comment").value = "comment"


def merge_decisions(book: Workbook) -> None:
    column = head_of(book, "decision").column
    book["Review"].merge_cells(start_row=3, end_row=5, start_column=column, end_column=column)


def double_row(book: Workbook) -> None:
    book["Review"].append([cell.value for cell in book["Review"][3]])


def as_what_if(book: Workbook) -> None:
    book["Evidence"].append(["What this is", "WHAT-IF: decided again by other safelists"])


def forget_run(book: Workbook) -> None:
    fact_of(book, "Run id").value = None


def another_digest(book: Workbook) -> None:
    fact_of(book, "SHA-256 of the journal").value = "0" * 64


def another_run(book: Workbook) -> None:
    fact_of(book, "Run id").value = "20200101T000000Z-000000"


def head_of(book: Workbook, key: str) -> Any:
    return next(cell for cell in book["Review"][1] if cell.value == key)


def fact_of(book: Workbook, label: str) -> Any:
    return next(row[1] for row in book["Evidence"].iter_rows() if row[0].value == label)


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (rename_sheet, "review.xlsx: there is no sheet Review; there are Summary, Reviewed, Users"),
        (rename_column, "review.xlsx, Review: the column decision is missing from row 1. Give the column its name"),
        (double_column, "comment is there twice. Keep one of the columns."),
        (merge_decisions, "Cells are merged here, in column decision. Split them"),
        (double_row, "This user has a row already, row 3. Keep one row of a user."),
        (as_what_if, "review.xlsx, Evidence: this is a what-if"),
        (forget_run, "There is no Run id. Decide in a workbook of the run"),
        (another_digest, "The journal of the run has another SHA-256"),
        (another_run, "There is no run 'reports/20200101T000000Z-000000'"),
    ],
)
def test_a_workbook_that_cannot_be_trusted_is_refused(desk: Desk, edit: Callable[[Workbook], None], said: str) -> None:
    before = desk.state()
    (fault,) = faults(desk.imported(desk.filled({"dev/bob": remove()}, edit=edit), "--write"))
    assert said in fault
    assert desk.state() == before


def test_a_merge_hides_no_other_fault(desk: Desk) -> None:
    found = faults(desk.imported(desk.filled({"dev/bob": remove(reviewer=None)}, edit=merge_decisions)))
    assert len(found) == 2


def test_workbooks_of_two_runs_are_refused(desk: Desk) -> None:
    one, two = desk.filled({"dev/bob": remove()}), desk.filled({}, "other.xlsx", another_run)
    (fault,) = faults(desk.imported(one, two))
    assert fault.startswith("other.xlsx, Evidence!B")
    assert "is of run 20200101T000000Z-000000, and the first one of" in fault


def test_two_workbooks_that_disagree_are_refused(desk: Desk) -> None:
    one, two = desk.filled({"dev/bob": remove()}), desk.filled({"dev/bob": approve()}, "two.xlsx")
    (fault,) = faults(desk.imported(one, two))
    assert fault.startswith("two.xlsx, Review!")
    assert "The same user is decided otherwise in review.xlsx, Review!" in fault


# --- what was decided before -----------------------------------------------------------------------------------------


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
    assert "1 approval added, 1 revocation taken out: safelists/prod.yaml" in done.out
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
    assert "decided again in the review of another run, which stands" in done.out
    assert desk.state() == before
    (fault,) = faults(desk.imported(desk.filled({"dev/bob": decided("Quarantine")}, "late.xlsx")))
    assert "in the later run 29991231T000000Z-abcdef" in fault


# --- which safelist --------------------------------------------------------------------------------------------------


def test_of_several_safelist_files_one_must_be_named(desk: Desk) -> None:
    other = Path("safelists/teams.yaml")
    other.write_text("version: 1\naccounts: {}\n", encoding="utf-8")
    book = desk.filled({"prod/alice": approve(), "prod/eve": approve()})
    done = desk.imported(book, "--write", "--supersede")
    assert done.exit_code == 2
    assert "several safelist files: safelists/prod.yaml, safelists/teams.yaml. Say with --into" in done.err
    assert not desk.ledger.exists()
    assert "--into elsewhere.yaml is not among" in desk.imported(book, "--supersede", "--into", "elsewhere.yaml").err
    assert desk.imported(book, "--write", "--supersede", "--into", other).exit_code == 0
    assert "user: alice" in other.read_text(encoding="utf-8")
    assert "revoked: []" in desk.safelist.read_text(encoding="utf-8")


def test_a_review_without_changes_needs_no_file_to_be_named(desk: Desk) -> None:
    Path("safelists/teams.yaml").write_text("version: 1\naccounts: {}\n", encoding="utf-8")
    assert desk.imported(desk.filled({"dev/carol": decided("Keep")}), "--write").exit_code == 0


def test_a_safelist_of_another_organization_is_refused(desk: Desk) -> None:
    text = desk.safelist.read_text(encoding="utf-8")
    desk.safelist.write_text(text.replace("version: 1", "version: 1\norganization: o-zzzzzzzzzz"), encoding="utf-8")
    assert "the safelists are for o-zzzzzzzzzz" in desk.imported(desk.filled({"dev/bob": remove()})).err
    assert not desk.ledger.exists()


def test_a_workbook_where_nothing_is_decided_is_no_fault(desk: Desk) -> None:
    begun: dict[str, dict[str, Any]] = {
        "dev/bob": {"comment": "to be seen", "reviewed_on": "soon"},
        "dev/alice": {"reviewed_on": None},
    }
    done = desk.imported(desk.filled(begun))
    assert done.exit_code == 0
    assert "nobody: every decision is blank" in done.out
    assert "1 row has something filled in, and no decision" in done.out
    assert not desk.ledger.exists()


def test_the_meaning_of_all_choices_is_known() -> None:
    assert {cells["decision"].strip().capitalize() for cells in EVERYTHING.values()} == set(Choice)


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


# --- what reviewers do to the sheet ----------------------------------------------------------------------------------


def fill_down(book: Workbook) -> None:
    sheet = book["Review"]
    at = head_of(book, "decision").column
    for row in range(sheet.max_row + 1, 20_001):
        sheet.cell(row, at).value = "Remove"


def test_a_decision_filled_down_far_below_the_users_is_one_fault(desk: Desk) -> None:
    (fault,) = faults(desk.imported(desk.filled({"dev/bob": remove()}, edit=fill_down)))
    assert re.search(r"Review![A-Z]+\d+:[A-Z]+20000: A decision stands here, and the row names no user\.", fault)
    assert re.search(r"\([\d,]+ rows\)", fault)


def put_title_above(book: Workbook) -> None:
    book["Review"].insert_rows(1, 2)
    book["Review"]["A1"].value = "Quarterly review"


def test_a_title_above_the_columns_is_said_so(desk: Desk) -> None:
    (fault,) = faults(desk.imported(desk.filled({}, edit=put_title_above)))
    assert "the names of the columns are in row 3, and not in row 1. Delete the rows above them." in fault


def decide_in_a_copy(book: Workbook) -> None:
    copy = book.copy_worksheet(book["Review"])
    copy.title = "Review (2)"
    copy.cell(2, head_of(book, "decision").column).value = "Remove"


def test_decisions_in_a_copy_of_the_sheet_are_not_lost_without_a_word(desk: Desk) -> None:
    (fault,) = faults(desk.imported(desk.filled({}, edit=decide_in_a_copy)))
    assert "Review (2)!" in fault
    assert "decisions stand in this sheet, and only those in Review are read. Move them to Review" in fault


def test_a_reviewer_ahead_of_utc_may_type_the_local_day(desk: Desk) -> None:
    book = desk.filled({"dev/bob": remove(reviewed_on=desk.today + timedelta(days=1))})
    assert desk.imported(book).exit_code == 0


@pytest.mark.parametrize("blank", ["\u200b", "\u00a0", "\u2060 ", "\u3164"])
def test_a_field_that_looks_blank_is_not_filled_in(desk: Desk, blank: str) -> None:
    assert "it has no owner" in faults(desk.imported(desk.filled({"dev/bob": approve(owner=blank)})))[0]
    assert (
        "Defer needs a comment" in faults(desk.imported(desk.filled({"dev/bob": decided("Defer", comment=blank)})))[0]
    )
    assert "reviewer is empty" in faults(desk.imported(desk.filled({"dev/bob": remove(reviewer=blank)})))[0]


def test_what_a_spreadsheet_stored_as_an_escape_is_read_as_what_it_stands_for(desk: Desk) -> None:
    book = desk.filled({"dev/bob": approve(owner="db@example.com_x000D_", ticket="SEC_x002D_7", comment="a_x000A_b")})
    assert desk.imported(book, "--write").exit_code == 0
    (entry,) = (entry for entry in parse(read_safelists([desk.safelist])).entries if entry.value == "bob")
    assert (entry.owner, entry.ticket, entry.reason) == ("db@example.com", "SEC-7", "a b")
