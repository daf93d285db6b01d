"""What is printed when a run has ended, as a terminal shows it and as a file holds it."""

import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from scanner.audit.assessment import Assessment
from scanner.audit.diff import snapshot
from scanner.audit.rule import assess
from scanner.cli.screen.scan_outcome import show
from scanner.model import AccountScan, Basis, Choice, Failed, FailOn, FailReason, IamUser, SkipReason, Status, UserId
from scanner.record import ReviewDecision, SafelistText
from scanner.report.figures import figures
from scanner.report.render import Rendered
from scanner.report.rows import account_rows, user_rows
from scanner.report.summary import summary
from scanner.report.view import View
from scanner.safelist.entries import parse
from scanner.safelist.usage import EntryStatus, EntryUse
from scanner.settings import Settings
from tests.builders import (
    MANAGEMENT,
    START,
    access,
    account,
    account_id,
    credentials,
    failed,
    header,
    record,
    scanned,
    skipped,
    user,
)
from tests.report.samples import assessed, entry, finding, revocation, sample

ALL = ("accounts.csv", "iam-users.csv", "iam-users.xlsx", "summary.json")


def shown(
    assessment: Assessment,
    *,
    files: Sequence[str] = ALL,
    width: int | None = 140,
    height: int = 80,
    colours: bool = False,
) -> str:
    """On a terminal of this size; `width=None`: into a file."""
    folder = Path("reports/run")
    rendered = Rendered(
        view=View(assessment),
        run_folder=folder,
        folder=folder,
        files=tuple(folder / name for name in files),
        manifest_digest=None,
    )
    out = io.StringIO()
    terminal = width is not None
    system: Any = "standard" if colours else None
    console = Console(
        file=out, width=width, height=height, force_terminal=terminal, color_system=system, highlight=False
    )
    show(rendered, console)
    return "\n".join(row.rstrip() for row in out.getvalue().split("\n")) if terminal else out.getvalue()


def with_header(assessment: Assessment, **changes: Any) -> Assessment:
    record = assessment.record
    return replace(assessment, record=replace(record, header=replace(record.header, **changes)))


def decision(user_id: str, choice: Choice, *, at: int = 1) -> ReviewDecision:
    return ReviewDecision(
        run_id="20260823T164100Z-1a2b3c",
        account_id=account_id(at),
        user_id=UserId(user_id),
        choice=choice,
        reviewer="ciso@example.com",
        reviewed_on=date(2026, 8, 24),
    )


def quarter(settings: Settings | None = None) -> Assessment:
    """A run that is compared with the one of the quarter before, with a change of each kind, and a backlog."""

    def who(name: str, *, administrator: bool = False, serial: str = "") -> IamUser:
        rights = replace(access(), administrator=administrator)
        return user(name, user_id=f"AIDA{serial or name}".upper(), access=rights, credentials=credentials())

    backlog = [who(f"old-{number}") for number in range(11)]
    before = [*backlog, who("promoted"), who("expired"), who("reborn"), who("gone")]
    promoted, reborn = who("promoted", administrator=True), who("reborn", serial="AGAIN")
    after = [*backlog, promoted, who("expired"), reborn, who("brand-new")]
    everything = parse([SafelistText(path="a.yaml", text="version: 1\nglobal: [expired, old-9, old-10]\n")])
    nobody = parse([SafelistText(path="a.yaml", text="version: 1\nglobal: [old-9, old-10]\n")])
    first = assess(record(scanned(1, *before)), everything)
    previous = replace(snapshot(first.record, first.findings), run_id="20260823T164100Z-1a2b3c")
    kinds = (Choice.REMOVE, Choice.REMOVE, Choice.QUARANTINE, Choice.APPROVE)
    head = replace(
        header(settings=settings),
        previous_run=previous,
        previous_why="the newest complete run for this scope",
        decisions=tuple(decision(f"AIDAOLD-{number}", kind) for number, kind in enumerate(kinds)),
    )
    return assess(record(scanned(1, *after), header=head), nobody)


def line(text: str, label: str) -> str:
    (found,) = (row for row in text.splitlines() if row.startswith(label))
    return found.removeprefix(label).strip()


def advice(assessment: Assessment, *files: str) -> str:
    """What is said to be next, with the command below it."""
    text = shown(assessment, files=files or ALL, width=200)
    return " ".join(
        [line(text, "Next"), *(row for row in text.splitlines() if row.startswith(("cp ", "iam-scanner ")))]
    )


NO_ONE = assessed(accounts=[account(1)])
APPROVED = assessed([finding(basis=Basis.SAFELISTED, by=entry())])


def test_accounts_that_were_not_read_come_first() -> None:
    text = shown(sample())
    assert text.index("Not read: 3 accounts") < text.index("Most urgent") < text.index("Most unapproved users")


def test_the_status_is_said_once() -> None:
    assert "INCOMPLETE: 3 of 15 accounts in scope could not be read" in shown(sample())
    assert "COMPLETE for its scope: 1 of 1 accounts" in shown(APPROVED)


def test_what_makes_users_urgent_is_told_of_the_unapproved_alone() -> None:
    made = sample()
    counted = figures(made, tuple(user_rows(made)), tuple(account_rows(made)))
    assert counted.unapproved_console_without_mfa < counted.console_without_mfa
    assert (
        f"of the 43: 12 administrators, {counted.unapproved_console_without_mfa} with console and no MFA, "
        "24 dormant" in shown(made)
    )


def test_the_ground_of_each_urgent_user_is_told_in_words() -> None:
    text = shown(sample(), width=200)
    assert "approval not started yet" in text
    assert not any(basis in text for basis in Basis)


@pytest.mark.parametrize(
    ("administrators", "expected"), [(0, None), (1, "of the 2: 1 administrator"), (2, "2 administra")]
)
def test_one_is_not_many(administrators: int, expected: str | None) -> None:
    rights = [replace(access(), administrator=number < administrators) for number in range(2)]
    text = shown(assessed([finding(user(f"u{number}", access=right)) for number, right in enumerate(rights)]))
    assert expected in text if expected else "of the 2" not in text
    assert administrators != 1 or "administrators" not in text


def test_of_a_single_unapproved_user_nothing_is_counted() -> None:
    who = user(access=replace(access(), administrator=True), credentials=replace(credentials(), console_access=True))
    assert "it is: administrator, with console and no MFA" in shown(assessed([finding(who)]))


def test_the_statuses_of_the_safelist_add_up() -> None:
    uses = [EntryUse(entry=entry(), status=status, users=0, remark="") for status in EntryStatus]
    uses += [EntryUse(entry=entry(), status=EntryStatus.UNUSED, users=0, remark="not judged: not all was read")] * 2
    uses += [EntryUse(entry=revocation(), status=EntryStatus.REVOCATION, users=0, remark="")]
    assert line(shown(replace(APPROVED, safelist=tuple(uses))), "Safelist") == (
        "9 entries: 1 in use, 1 expiring, 1 unused, 1 expired, 1 not started, 1 invalid, 1 unmatched, 2 not judged; "
        "2 revocations"
    )
    assert line(shown(replace(APPROVED, safelist=tuple(uses[:1]))), "Safelist") == "1 entry: 1 in use"


def test_terms_that_are_nothing_are_left_out_of_the_equation() -> None:
    assert line(shown(APPROVED), "Accounts") == "1 listed = 1 scanned + 0 failed"
    assert line(shown(sample()), "Accounts") == "16 listed = 1 outside the scope + 1 excluded + 11 scanned + 3 failed"


def test_of_a_long_path_the_end_is_shown() -> None:
    path = "Root/Workloads-of-all-kinds/Production-and-similar/Payments-and-ledgers"
    text = shown(assessed([finding(at=account(1, ou_path=path))]), width=80)
    assert path not in text
    assert any(row.rstrip().endswith("/Payments-and-ledgers") for row in text.splitlines())


@pytest.mark.parametrize(("columns", "width"), [(None, 100), ("70", 70), ("none", 100)])
def test_a_file_gets_plain_lines(monkeypatch: pytest.MonkeyPatch, columns: str | None, width: int) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns:
        monkeypatch.setenv("COLUMNS", columns)
    text = shown(sample(), width=None)
    lines = text.splitlines()
    assert lines == [row.rstrip() for row in lines]
    assert width - 12 < max(map(len, lines)) <= width
    assert "Most unapproved users" in text


@pytest.mark.parametrize("width", [80, 140])
def test_a_usual_run_fits_a_terminal_of_24_lines(width: int) -> None:
    """Ten users that need a decision, all kinds of entries, a previous run, and decisions not carried out."""
    text = shown(quarter(), width=width, height=24)
    assert text.startswith("COMPLETE")
    assert text.count("\n") <= 24
    assert "Most unapproved users" not in text
    assert "Most unapproved users" in shown(quarter(), width=width, height=60)


def test_what_changed_and_since_which_run_and_why_that_one() -> None:
    text = shown(quarter())
    changed = "1 privilege gained (promoted), 1 newly unapproved (expired), 1 recreated (reborn), 1 new (brand-new), "
    assert changed in " ".join(text.split())
    assert "since 20260823T164100Z-1a2b3c, the newest complete run for this scope" in text
    first = shown(with_header(APPROVED, previous_why="no earlier finished run"))
    assert line(first, "Changes") == "unknown: no earlier finished run"
    assert line(shown(APPROVED), "Changes") == "unknown"  # a journal of a version before


def test_grave_changes_are_red_and_others_are_not() -> None:
    out = shown(quarter(), colours=True)
    for change in ("1 privilege gained", "1 newly unapproved", "1 recreated"):
        assert f"\x1b[1;31m{change}" in out
    assert "\x1b[1;31m1 new\x1b" not in out


def test_the_most_urgent_users_are_named_with_account_and_why() -> None:
    text = shown(quarter())
    (row,) = (row for row in text.splitlines() if "  promoted  " in row)
    assert row == ("000000000001  account-1  promoted   privilege gained, administrator, on no safelist")
    assert "Most urgent of 15 to review (iam-scanner users 20261123T164100Z-1a2b3c)\n" in text
    assert sum(row.startswith("000000000001  account-1  ") for row in text.splitlines()) == 10 + 1  # and the account


def test_decisions_that_were_not_carried_out_are_named() -> None:
    text = shown(quarter())
    assert line(text, "Decisions") == "2 to be removed and still there: old-0 (account-1), old-1 (account-1)"
    assert "1 to be quarantined and still there: old-2 (account-1)\n" in text
    assert "1 approved in a review and on no safelist: old-3 (account-1)\n" in text


def test_of_users_in_accounts_that_were_not_read_it_is_not_said_that_they_are_gone() -> None:
    gone = assessed([finding()], accounts=[account(1), account(2)], scans=[scanned(1, user()), failed(2)])
    decisions = (decision("AIDA2", Choice.REMOVE, at=2), decision("AIDA3", Choice.APPROVE, at=2))
    decided = with_header(gone, decisions=decisions)
    assert line(shown(decided), "Decisions") == (
        "1 to be removed or quarantined: not known, as their accounts were not read"
    )
    assert "Decisions" not in shown(gone)


def test_all_that_stands_on_the_screen_is_in_the_summary() -> None:
    made = quarter()
    document: Any = summary(View(made))
    text = shown(made)
    assert document["compared_with"]["run_id"] in text
    assert document["compared_with"]["why"] in text
    assert {str(count) for count in document["changes"]["counts"].values()} == {"1", "11"}
    assert document["users_due"] == 15
    assert document["most_urgent_users"][0]["user_name"] == "promoted"
    assert document["most_urgent_users"][0]["why"] == ["privilege gained", "administrator", "on no safelist"]
    assert len(document["most_urgent_users"]) == 10
    assert [(each["user_name"], each["decision"]) for each in document["decisions_not_carried_out"]] == [
        ("old-0", "Remove"), ("old-1", "Remove"), ("old-2", "Quarantine"), ("old-3", "Approve"),
    ]  # fmt: skip
    assert [each["unapproved"] for each in document["most_unapproved_accounts"]] == [made.totals.unapproved]
    assert (document["exit_code"], document["fail_on"]) == (3, {"conditions": ["unapproved"], "users": 13})


def test_what_the_exit_code_depends_on_is_told_where_it_is_not_the_usual() -> None:
    assert "Fail on" not in shown(quarter())
    gate = quarter(Settings(fail_on=(FailOn.NEW, FailOn.RECREATED)))
    assert line(shown(gate), "Fail on") == "new, recreated: 2 users, exit code 3"
    quiet = with_header(APPROVED, settings=Settings(fail_on=(FailOn.NEW,)))
    assert line(shown(quiet), "Fail on") == "new: 0 users, exit code 0"


def refused(number: int) -> Failed:
    detail = f"User: arn:aws:iam::000000000099:user/me is not authorized to assume 00000000000{number}"
    return replace(failed(number), failure=replace(failed(number).failure, detail=detail))


def test_accounts_that_failed_alike_are_one_entry_with_one_remedy() -> None:
    scans: list[AccountScan] = [
        scanned(1, user()),
        *(refused(number) for number in range(2, 7)),
        failed(7, FailReason.THROTTLED),
    ]
    made = assessed([finding()], accounts=[account(number) for number in range(1, 8)], scans=scans)
    text = " ".join(shown(made, width=80).split())
    named = "account-2 000000000002, account-3 000000000003, account-4 000000000004 and 2 more, see accounts.csv"
    assert f"5 accounts: {named}" in text
    assert "AccessDenied (of account-2): User: arn:aws:iam::000000000099:user/me" in text
    assert text.count(refused(2).failure.remedy) == 2  # one for each entry
    assert "1 account: account-7 000000000007 THROTTLED" in text
    document: Any = summary(View(made))
    assert [each["accounts"] for each in document["failures"]] == [5, 1]
    assert document["failures"][0]["account_ids"][-1] == "000000000006"
    assert document["likely_cause"] is None


@pytest.mark.parametrize(
    ("external_id", "said"), [(False, "the external ID is missing"), (True, "is not the one that they ask for")]
)
def test_where_all_but_the_own_account_fail_alike_the_likely_cause_is_said(external_id: bool, said: str) -> None:
    own = scanned(MANAGEMENT, user(in_account=MANAGEMENT))
    accounts = [account(MANAGEMENT), *(account(number) for number in range(2, 5))]
    made = assessed([], accounts=accounts, scans=[own, *(refused(number) for number in range(2, 5))])
    made = with_header(made, external_id_given=external_id)
    text = " ".join(shown(made, width=80).split())
    assert "No account but the caller's own could be entered. Most likely their role is not called" in text
    assert "OrganizationAccountAccessRole (give its name with --role-name)" in text
    assert said in text
    other = assessed([], accounts=accounts, scans=[scanned(2, user(in_account=2)), *map(refused, (3, 4)), own])
    assert "Most likely" not in shown(other)
    one = assessed([], accounts=accounts[:2], scans=[own, refused(2)])
    assert "Most likely" not in shown(one)


def test_next_is_the_review_by_a_command_that_can_be_pasted() -> None:
    assert advice(assessed([finding()])) == (
        "decide on the sheet Review of a copy, and read it back: cp reports/run/iam-users.xlsx review.xlsx "
        "iam-scanner review import review.xlsx"
    )
    others = Settings(safelist=(Path("a.yaml"), Path("my safelists")))
    assert advice(with_header(assessed([finding()]), settings=others)).endswith(
        "review.xlsx --safelist a.yaml --safelist 'my safelists'"
    )
    without = advice(assessed([finding()]), "accounts.csv", "iam-users.csv", "summary.json")
    assert (
        without
        == "have a workbook written, and decide on its sheet Review: iam-scanner report reports/run --format xlsx"
    )


def test_where_the_role_is_most_likely_wrong_a_resume_would_not_help() -> None:
    own = scanned(MANAGEMENT, user(in_account=MANAGEMENT))
    made = assessed([], accounts=[account(MANAGEMENT), *map(account, (2, 3))], scans=[own, *map(refused, (2, 3))])
    assert advice(made) == "start a new scan with what was missing: a resumed run keeps its role and external ID."


def test_many_failures_do_not_push_the_status_out_of_sight() -> None:
    others = [*map(refused, range(2, 5)), failed(5, FailReason.THROTTLED), failed(6, FailReason.TIMEOUT)]
    users = [user(f"u{number}", user_id=f"AIDA{number}") for number in range(9)]
    scans: list[AccountScan] = [scanned(1, *users), *others]
    findings = [finding(who) for who in users]
    made = assessed(findings, accounts=[account(number) for number in range(1, 7)], scans=scans)
    text = shown(made, width=80, height=24)
    assert text.count("\n") <= 24
    assert "is not authorized" not in text
    assert "is not authorized" in " ".join(shown(made, width=80, height=60).split())


def test_without_anything_to_decide_there_is_nothing_to_do() -> None:
    reviewed = replace(entry(), approved_on=START.date(), expires_on=date(2028, 1, 1))
    settled = assessed([finding(basis=Basis.SAFELISTED, by=reviewed)])
    assert advice(settled) == "every user is approved; keep the reports as evidence."
    assert advice(NO_ONE) == "no IAM user was found; keep the reports as evidence."


def test_a_scope_that_left_nothing_is_to_be_widened() -> None:
    nothing = assessed(accounts=[account(1)], scans=[skipped(1, SkipReason.EXCLUDED)])
    nothing = replace(nothing, status=Status.NOTHING_READ, status_text="nothing read: not one of 1 account in scope")
    assert advice(nothing) == (
        "no account is left to scan in this scope; widen --ou or --account, or remove exclusions."
    )
    unread = assessed(accounts=[account(1)], scans=[failed(1)])
    assert "--resume reports/run" in advice(replace(unread, status=Status.NOTHING_READ))


def test_the_accounts_left_out_are_counted() -> None:
    made = assessed([finding(user(in_account=n), at=account(n)) for n in range(1, 12)])
    assert "Most unapproved users; 3 more accounts in accounts.csv\n" in shown(made)
