"""What is printed when a run has ended, as a terminal shows it and as a file holds it."""

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from scanner.audit.assessment import Assessment
from scanner.cli.screen.scan_outcome import show
from scanner.model import Basis, SkipReason, Status
from scanner.report.figures import figures
from scanner.report.render import Rendered
from scanner.report.rows import account_rows, user_rows
from scanner.report.view import View
from scanner.safelist.usage import EntryStatus, EntryUse
from tests.builders import access, account, credentials, failed, skipped, user
from tests.report.samples import assessed, entry, finding, revocation, sample

ALL = ("accounts.csv", "iam-users.csv", "iam-users.xlsx", "summary.json")


def shown(assessment: Assessment, *, files: Sequence[str] = ALL, width: int | None = 140) -> str:
    """On a terminal of this width; `width=None`: into a file."""
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
    show(rendered, Console(file=out, width=width, force_terminal=terminal, color_system=None, highlight=False))
    return out.getvalue()


def line(text: str, label: str) -> str:
    (found,) = (row for row in text.splitlines() if row.startswith(label))
    return found.removeprefix(label).strip()


def advice(assessment: Assessment, *files: str) -> str:
    return line(shown(assessment, files=files or ALL, width=200), "Next")


NO_ONE = assessed(accounts=[account(1)])
APPROVED = assessed([finding(basis=Basis.SAFELISTED, by=entry())])


def test_accounts_that_were_not_read_come_first() -> None:
    text = shown(sample())
    assert text.index("Not read") < text.index("Most unapproved users")
    assert "What happened" in text


def test_the_status_is_said_once() -> None:
    assert "INCOMPLETE: 3 of 15 accounts in scope could not be read" in shown(sample())
    assert "COMPLETE for its scope: 1 of 1 accounts" in shown(APPROVED)


def test_what_makes_users_urgent_is_told_of_the_unapproved_alone() -> None:
    made = sample()
    counted = figures(made, tuple(user_rows(made)), tuple(account_rows(made)))
    assert counted.unapproved_console_without_mfa < counted.console_without_mfa
    assert (
        f"of the 43: 12 administrators, {counted.unapproved_console_without_mfa} with console access and no MFA, "
        "24 dormant" in shown(made)
    )


def test_grounds_are_told_in_words() -> None:
    text = shown(sample(), width=200)
    assert "12 on no safelist" in text
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
    assert "that one: administrator, with console access and no MFA" in shown(assessed([finding(who)]))


def test_the_statuses_of_the_safelist_add_up() -> None:
    uses = [EntryUse(entry=entry(), status=status, users=0, remark="") for status in EntryStatus]
    uses += [EntryUse(entry=entry(), status=EntryStatus.UNUSED, users=0, remark="not judged: not all was read")] * 2
    uses += [EntryUse(entry=revocation(), status=EntryStatus.REVOCATION, users=0, remark="")]
    assert line(shown(replace(APPROVED, safelist=tuple(uses))), "Safelist") == (
        "11 entries: 1 in use, 1 expiring, 1 unused, 1 expired, 1 not started, 1 invalid, 1 unmatched, 2 revocations, "
        "2 not judged"
    )
    assert line(shown(replace(APPROVED, safelist=tuple(uses[:1]))), "Safelist") == "1 entry: 1 in use"


def test_terms_that_are_nothing_are_left_out_of_the_equation() -> None:
    assert line(shown(APPROVED), "Accounts") == "1 listed = 1 scanned + 0 failed"
    assert line(shown(sample()), "Accounts") == "16 listed = 1 outside the scope + 1 excluded + 11 scanned + 3 failed"


def test_a_path_breaks_between_names() -> None:
    names = ["Root", "Workloads-of-all-kinds", "Production-and-similar", "Payments-and-ledgers"]
    text = shown(assessed([finding(at=account(1, ou_path="/".join(names)))]), width=72)
    assert "/".join(names) not in text
    assert all(name in text for name in names)


@pytest.mark.parametrize(("columns", "width"), [(None, 100), ("70", 70), ("none", 100)])
def test_a_file_gets_plain_lines(monkeypatch: pytest.MonkeyPatch, columns: str | None, width: int) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns:
        monkeypatch.setenv("COLUMNS", columns)
    text = shown(sample(), width=None)
    assert text.isascii()
    lines = text.splitlines()
    assert lines == [row.rstrip() for row in lines]
    assert width - 12 < max(map(len, lines)) <= width
    assert "Most unapproved users" in text


def test_a_terminal_gets_frames() -> None:
    assert "╭" in shown(sample())


@pytest.mark.parametrize(
    ("files", "opened"),
    [
        (ALL, "the workbook"),
        (("accounts.csv", "iam-users.csv", "iam-users.json", "summary.json"), "iam-users.csv"),
        (("accounts.csv", "iam-users.json", "summary.json"), "iam-users.json"),
    ],
)
def test_next_names_the_file_to_open(files: Sequence[str], opened: str) -> None:
    assert advice(assessed([finding()]), *files) == (
        f"open {opened}. Unapproved users: remove them, or approve them in a safelist; then scan again."
    )
    assert advice(APPROVED, *files) == f"every user is approved; keep {opened} as evidence."


def test_without_users_there_is_nothing_to_open() -> None:
    assert advice(NO_ONE) == "no IAM user was found; keep the reports as evidence."


def test_a_scope_that_left_nothing_is_to_be_widened() -> None:
    nothing = assessed(accounts=[account(1)], scans=[skipped(1, SkipReason.EXCLUDED)])
    nothing = replace(nothing, status=Status.NOTHING_READ, status_text="nothing read: not one of 1 account in scope")
    assert advice(nothing) == "the scope left nothing to scan; widen it."
    unread = assessed(accounts=[account(1)], scans=[failed(1)])
    assert "--resume reports/run" in advice(replace(unread, status=Status.NOTHING_READ))


def test_what_is_left_out_is_where_it_is_said_to_be() -> None:
    many = assessed([finding(user(in_account=n), at=account(n)) for n in range(1, 12)])
    assert "and 3 more: see the Accounts sheet" in shown(many)
    assert "and 3 more: see accounts.csv" in shown(many, files=("accounts.csv", "iam-users.json", "summary.json"))
