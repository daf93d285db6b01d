"""`review import`: what reviewers decided, read back by identity, all or nothing, and the same the second time."""

import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from scanner.cli.screen.review_outcome import show
from scanner.model import Choice
from scanner.review.importing import Request, import_review
from scanner.safelist.entries import parse
from scanner.safelist.read import read as read_safelists
from tests.program import program
from tests.review.desk import CISO, EVERYTHING, LATER, Desk, approve, decided, remove, rows_of, verdicts


def everything_below(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file, with when it was written."""
    files = (file for file in folder.rglob("*") if file.is_file())
    return {str(file): (file.read_bytes(), file.stat().st_mtime_ns) for file in files}


# --- what an import does ---------------------------------------------------------------------------------------------


def test_a_preview_says_what_would_be_done_and_writes_nothing(desk: Desk) -> None:
    book, before = desk.filled(EVERYTHING), everything_below(Path())
    done = desk.imported(book)
    assert done.exit_code == 0
    assert everything_below(Path()) == before
    assert "+    - user: alice\n" in done.out
    assert f"Review of run {desk.folder.name}: PREVIEW, nothing was written\n" in done.out
    assert "Safelist   would add 1 approval and 2 revocations: safelists/prod.yaml\n" in done.out
    assert "Ledger     would add 5 decisions: reports/decisions.csv\n" in done.out


def test_who_is_revoked_already_is_counted_so_that_the_figures_add_up(desk: Desk) -> None:
    desk.imported(desk.filled({"dev/bob": remove()}), "--write")
    both = desk.imported(desk.filled({"dev/bob": remove(), "prod/alice": remove()})).out
    assert "Safelist   would add 1 revocation: safelists/prod.yaml\n" in both
    assert "1 of the removals and quarantines is revoked there already\n" in both
    assert "already" not in desk.imported(desk.filled({"prod/alice": remove()})).out


def test_a_preview_and_the_import_after_it_have_the_same_figures(desk: Desk) -> None:
    book = desk.filled(EVERYTHING)
    preview, done = desk.imported(book, "--json").document, desk.imported(book, "--write", "--json").document
    assert (preview.pop("written"), done.pop("written")) == (False, True)
    assert preview == done
    assert desk.imported(book, "--json").document["ledger"]["new"] == 0


def test_what_was_only_previewed_may_be_corrected_without_further_words(desk: Desk) -> None:
    """As it was not recorded, another decision contradicts nothing."""
    assert desk.imported(desk.filled({"dev/bob": remove()})).exit_code == 0
    assert desk.imported(desk.filled({"dev/bob": approve()}), "--write").exit_code == 0
    assert verdicts(desk)["dev/bob"] == "SAFELISTED"
    assert [row["decision"] for row in rows_of(desk.ledger)] == ["Approve"]


@pytest.mark.parametrize("lock", [".~lock.review.xlsx#", "~$review.xlsx"])
def test_a_workbook_that_is_still_open_is_warned_of(desk: Desk, lock: str) -> None:
    book = desk.filled({"dev/bob": remove()})
    Path(lock).touch()
    done = desk.imported(book, "--json")
    assert done.exit_code == 0
    assert f"warning: review.xlsx seems to be open in a spreadsheet program ({lock} is beside it)" in done.err
    assert len(done.document["warnings"]) == 1
    refused = desk.imported(desk.filled({"dev/bob": remove(reviewer=None)}))
    assert (refused.exit_code, refused.err.count("warning: ")) == (2, 1)


def test_a_lock_file_of_another_workbook_is_no_warning(desk: Desk) -> None:
    Path("~$other.xlsx").touch()
    assert desk.imported(desk.filled({"dev/bob": remove()}), "--json").document["warnings"] == []


def test_with_write_decisions_are_recorded(desk: Desk) -> None:
    assert desk.imported(desk.filled(EVERYTHING), "--write").exit_code == 0
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
    desk.imported(desk.filled(EVERYTHING), "--write")
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
    desk.imported(book, "--write")
    before = desk.state()
    again = desk.imported(book, "--write")
    assert again.exit_code == 0
    assert desk.state() == before
    assert "5 of them imported before" in again.out
    assert not again.out.startswith("---")


def test_workbooks_of_one_run_may_come_one_after_another(desk: Desk) -> None:
    desk.imported(desk.filled({"dev/bob": remove()}, "one.xlsx"), "--write")
    done = desk.imported(desk.filled({"prod/bob": remove()}, "two.xlsx"), "--write", "--json").document
    assert done["ledger"]["new"] == 1
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
            into=(),
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
    assert again.document["ledger"]["new"] == 1
    assert "decisions.csv was cut off" in again.document["notes"][0]
    assert times.sub(b"", desk.ledger.read_bytes()) == times.sub(b"", whole)
    assert desk.imported(book, "--write", "--json").document["notes"] == []


def test_without_an_approval_policy_a_bare_approval_will_do(desk: Desk) -> None:
    text = desk.safelist.read_text(encoding="utf-8")
    start, end = text.index("policy:"), text.index("global:")
    desk.safelist.write_text(text[:start] + text[end:], encoding="utf-8")
    bare = decided("Approve", reviewer="anybody@example.com")
    done = desk.imported(desk.filled({"prod/alice": bare}), "--write")
    assert done.exit_code == 0
    assert "of the approvals: 1 with no owner and 1 with no end date" in " ".join(done.out.split())
    assert verdicts(desk)["prod/alice"] == "SAFELISTED"


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
    assert "none: every decision is blank" in done.out
    assert "1 row is filled in and has no decision" in done.out
    assert not desk.ledger.exists()


def test_the_meaning_of_all_choices_is_known() -> None:
    assert {cells["decision"].strip().capitalize() for cells in EVERYTHING.values()} == set(Choice)
