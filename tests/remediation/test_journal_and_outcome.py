"""The journal of a plan: chained, refused where it was changed; and what became of users, by its lines alone."""

import asyncio
import functools
import json
import shutil
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from scanner.aws.call_answers import CallResult
from scanner.errors import OutputError, UsageError
from scanner.files import write_all
from scanner.model import AccountId, Choice, UserId
from scanner.record import RemediationOutcome
from scanner.remediation.calls import PlannedCall
from scanner.remediation.earlier_plans import carried_out
from scanner.remediation.outcome import exit_code, history, standing_of
from scanner.remediation.plan import planned_calls
from scanner.remediation.plan_document import Reason
from scanner.remediation.remediation_journal import (
    CallBegun,
    CallEnded,
    Concluded,
    Doing,
    RemediationJournal,
    UserEvent,
    decode,
    encode,
)
from scanner.remediation.status import status, still_valid
from scanner.remediation.verify_plan import verify_plan
from scanner.runs.folder import JOURNAL
from scanner.runs.journal import NO_LINE, JournalError
from tests.aws_endpoint.iam_state import LiveKey
from tests.program import program
from tests.remediation.site import LONG_AGO, NOW, Site, furnish, words
from tests.remediation.users import everything

ACCOUNT, USER = AccountId("111122223333"), UserId("AIDAALICE")
CALLS = {call.words: call for call in planned_calls(Choice.REMOVE, everything(), "aws")}
KEY, PASSWORD = CALLS["UpdateAccessKey AKIA1"], CALLS["DeleteLoginProfile"]
WRITE = "scanner.remediation.remediation_journal.write_all"
DENY = next(call for call in CALLS.values() if call.action == "AttachUserPolicy")


def begun(call: PlannedCall, doing: Doing = Doing.APPLY) -> CallBegun:
    return CallBegun(account_id=ACCOUNT, user_id=USER, doing=doing, call=call, at=NOW)


def ended(result: CallResult = CallResult.DONE) -> CallEnded:
    return CallEnded(account_id=ACCOUNT, user_id=USER, result=result, code=None, detail=None, at=NOW)


def concluded(outcome: RemediationOutcome, reason: Reason | None = None, doing: Doing = Doing.APPLY) -> Concluded:
    return Concluded(
        account_id=ACCOUNT, user_id=USER, doing=doing, outcome=outcome, reason=reason, detail="", left=(), at=NOW
    )


# --- outcome ---------------------------------------------------------------------------------------------------------

DONE, REFUSED, FAILED, UNDONE = RemediationOutcome
OUTCOMES: dict[str, tuple[list[UserEvent], RemediationOutcome | None, Reason | None]] = {
    "nothing was begun": ([], None, None),
    "stopped before the answer": ([begun(KEY)], FAILED, Reason.INTERRUPTED),
    "stopped after it": ([begun(KEY), ended()], FAILED, Reason.INTERRUPTED),
    "done": ([begun(KEY), ended(), concluded(DONE)], DONE, None),
    "refused": ([concluded(REFUSED, Reason.APPROVED)], REFUSED, Reason.APPROVED),
    "half done, and then refused": (
        [begun(KEY), ended(), concluded(FAILED, Reason.CALL_FAILED), concluded(REFUSED, Reason.APPROVED)],
        FAILED,
        Reason.APPROVED,
    ),
    "refused, with nothing done but a call that failed": (
        [begun(KEY), ended(CallResult.FAILED), concluded(REFUSED, Reason.POLICY_QUOTA)],
        REFUSED,
        Reason.POLICY_QUOTA,
    ),
    "failed, and done later": (
        [begun(KEY), ended(CallResult.FAILED), concluded(FAILED), begun(KEY), ended(), concluded(DONE)],
        DONE,
        None,
    ),
    "undone": (
        [begun(KEY), ended(), concluded(DONE), begun(KEY, Doing.UNDO), ended(), concluded(UNDONE, None, Doing.UNDO)],
        UNDONE,
        None,
    ),
    "an undo that was stopped": (
        [begun(KEY), ended(), concluded(DONE), begun(KEY, Doing.UNDO)],
        FAILED,
        Reason.INTERRUPTED,
    ),
    "done, and its undo was refused": (
        [begun(KEY), ended(), concluded(DONE), concluded(REFUSED, Reason.NOT_REVERSIBLE, Doing.UNDO)],
        DONE,
        None,
    ),
}


@pytest.mark.parametrize(("events", "word", "reason"), OUTCOMES.values(), ids=OUTCOMES)
def test_what_became_of_a_user_follows_from_its_lines(
    events: list[UserEvent], word: RemediationOutcome | None, reason: Reason | None
) -> None:
    standing = standing_of(events)
    assert (standing.word, standing.reason) == (word, reason)


def test_a_call_counts_as_made_where_it_was_or_may_have_been() -> None:
    assert history([begun(KEY)]).made == (KEY,)
    assert history([begun(KEY), ended()]).made == (KEY,)
    for result in (CallResult.FAILED, CallResult.ABSENT, CallResult.TRY_AGAIN, CallResult.QUOTA):
        assert history([begun(KEY), ended(result)]).made == ()
    assert history([begun(KEY), begun(KEY), ended(CallResult.FAILED)]).made == (KEY,), "the first may have worked"
    undone = concluded(UNDONE, None, Doing.UNDO)
    assert history([begun(KEY), ended(), undone]).made == ()
    assert history([begun(KEY), ended(), undone, begun(DENY), ended()]).ours == {DENY.key}
    assert history([begun(KEY), ended(), begun(PASSWORD), ended()]).irreversible == (PASSWORD,)


@pytest.mark.parametrize(
    ("words_", "code"),
    [([], 0), ([None], 0), ([DONE, UNDONE], 0), ([DONE, REFUSED], 3), ([REFUSED, FAILED], 4), ([FAILED, DONE], 4)],
)
def test_failed_wins_over_refused(words_: list[RemediationOutcome | None], code: int) -> None:
    assert exit_code(words_) == code


# --- the chain -------------------------------------------------------------------------------------------------------


@functools.cache  # once for all tests here, in the environment of the first
def a_plan_carried_out() -> Path:
    """A plan that was carried out: its folder. Tests change copies of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tempfile.mkdtemp())
        site = Site()
        prod = site.account()
        furnish(prod)
        furnish(prod, "bob")
        site.decide({"alice": Choice.REMOVE, "bob": Choice.QUARANTINE})
        with site.serving():
            made = site.plan()
            site.apply(made)
        return made.folder.resolve()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that, under `reports` of the current folder."""
    monkeypatch.chdir(tmp_path)
    original = a_plan_carried_out()
    copied = Path("reports") / original.parent.name / original.name
    shutil.copytree(original, copied)
    return copied


@pytest.fixture
def journal(folder: Path) -> Path:
    return folder / JOURNAL


def drop(lines: list[bytes]) -> list[bytes]:
    return [*lines[:5], *lines[6:]]


TAMPERED: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "changed": lambda lines: [line.replace(b"DONE", b"FAILED") for line in lines],
    "dropped": drop,
    "swapped": lambda lines: [*lines[:3], lines[4], lines[3], *lines[5:]],
    "begun elsewhere": lambda lines: lines[1:],
    "torn in the middle": lambda lines: [*lines[:3], lines[3][:20] + b"\n", *lines[4:]],
    "added": lambda lines: [*lines, b'{"type":"outcome","previous":"0"}\n'],
}


@pytest.mark.parametrize("tamper", TAMPERED.values(), ids=TAMPERED)
def test_a_journal_that_was_changed_is_refused(journal: Path, tamper: Callable[[list[bytes]], list[bytes]]) -> None:
    lines = journal.read_bytes().splitlines(keepends=True)
    decode(b"".join(lines))
    with pytest.raises(JournalError, match="journal line"):
        decode(b"".join(tamper(lines)))


def test_a_torn_last_line_is_dropped(journal: Path) -> None:
    data = journal.read_bytes()
    whole = decode(data)
    last = data.splitlines(keepends=True)[-1]
    torn = decode(data[: -len(last) // 2])
    assert torn.events == whole.events[:-1]
    assert torn.length == len(data) - len(last)


def test_each_line_reads_back_as_it_was_written() -> None:
    for event in (begun(PASSWORD), ended(CallResult.ABSENT), concluded(FAILED, Reason.NOT_SETTLED)):
        data, _ = encode(event, NO_LINE)
        assert json.loads(data)["previous"] == NO_LINE
        with pytest.raises(JournalError, match="does not say which plan"):
            decode(data)


def test_when_the_disk_takes_no_line_no_further_call_is_made(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    prod = site.account()
    furnish(prod)
    furnish(prod, "bob")
    site.decide(dict.fromkeys(("alice", "bob"), Choice.REMOVE))
    lines = 0

    def full(descriptor: int, data: bytes) -> None:
        nonlocal lines
        lines += 1
        if lines > 6:
            raise OSError(28, "No space left on device")
        write_all(descriptor, data)

    with site.serving():
        made = site.plan()
        with monkeypatch.context() as patch:
            patch.setattr(WRITE, full)
            with pytest.raises(OutputError, match=r"No space left on device\. No further call was made"):
                site.apply(made)
        assert len(prod.made) == 3
        assert words(site.apply(made)) == {"alice": "DONE", "bob": "DONE"}


def test_a_journal_takes_no_line_after_one_that_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with RemediationJournal(tmp_path, "0" * 64) as journal:
        with monkeypatch.context() as patch:
            patch.setattr(
                "scanner.remediation.remediation_journal.write_all",
                lambda *_: (_ for _ in ()).throw(OSError(28, "full")),
            )
            with pytest.raises(OutputError):
                asyncio.run(journal.append(begun(KEY)))
        with pytest.raises(OutputError):
            asyncio.run(journal.append(begun(KEY)))
    assert (tmp_path / JOURNAL).read_bytes() == b""


# --- verify and status -----------------------------------------------------------------------------------------------


def checks(folder: Path, digest: str | None = None) -> dict[str, bool | None]:
    return {check.what: check.holds for check in verify_plan(folder, digest)}


def test_verify_says_that_plan_journal_and_results_are_whole(folder: Path) -> None:
    files = ("plan.json", "plan.csv", "commands.sh", "journal.jsonl", "results.csv")
    assert checks(folder) == dict.fromkeys(files, True)
    assert checks(folder, "0" * 64)["plan.json"] is False
    with pytest.raises(UsageError, match="this is not a SHA-256"):
        verify_plan(folder, "DONE")
    found = program("verify", folder.name)
    assert (found.exit_code, found.err) == (0, "")
    assert "The plan is whole." in found.out
    assert program("verify", folder, "--json").document["plan"] == str(folder)
    assert program("verify", folder, "--digest", "0" * 64).exit_code == 3


def test_verify_of_a_plan_that_was_killed_says_how_to_resume_it(journal: Path) -> None:
    for keep in (journal.read_bytes().rpartition(b'{"type":"closed"')[0], journal.read_bytes()[:-1]):
        journal.write_bytes(keep)
        found = program("verify", journal.parent)
        assert found.exit_code == 2
        assert f"Resume it: iam-scanner remediate apply {journal.parent.name} --execute" in found.err


def test_what_another_version_rendered_is_not_compared(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.remediation.verify_plan.__version__", "9.9.9")
    found = checks(folder)
    assert {name for name, holds in found.items() if holds is None} == {"plan.csv", "commands.sh", "results.csv"}


@pytest.mark.parametrize("name", ["plan.csv", "commands.sh", "journal.jsonl", "results.csv"])
def test_verify_finds_the_file_that_was_changed(folder: Path, name: str) -> None:
    (folder / name).write_bytes(
        (folder / name).read_bytes().replace(b"alice", b"malle", 1).replace(b"DONE", b"FINE", 1)
    )
    assert [what for what, holds in checks(folder).items() if holds is False] == [name]


def test_verify_of_a_plan_that_was_edited_or_not_carried_out(site: Site) -> None:
    prod = site.account()
    furnish(prod)
    site.decide({"alice": Choice.REMOVE})
    with site.serving():
        made = site.plan()
    assert checks(made.folder, made.digest)["journal.jsonl"] is None
    plan = made.folder / "plan.json"
    plan.write_bytes(plan.read_bytes().replace(b"AKIAALICE1", b"AKIAROOT01"))
    assert checks(made.folder) == {"plan.json": False}


def test_status_says_what_may_still_be_valid_and_until_when(site: Site) -> None:
    prod = site.account()
    furnish(prod)
    prod.user("bob", keys={"AKIABOB": LiveKey(active=False, last_used=LONG_AGO)})
    site.decide(dict.fromkeys(("alice", "bob"), Choice.QUARANTINE))
    with site.serving():
        made = site.plan()
        planned = status(made.folder)
        assert [outcome.word for outcome in planned.outcomes] == [None, None]
        site.apply(made)
    alice, bob = status(made.folder).outcomes
    assert alice.finished_at is not None
    valid = still_valid(alice, alice.finished_at)
    assert valid.tokens_until == alice.finished_at + timedelta(hours=36)
    assert valid.roles_until == alice.finished_at + timedelta(hours=12)
    later = still_valid(alice, alice.finished_at + timedelta(hours=12))
    assert (later.tokens_until is not None, later.roles_until) == (True, None)
    gone = still_valid(alice, alice.finished_at + timedelta(hours=36))
    assert (gone.tokens_until, gone.roles_until) == (None, None)
    never = still_valid(bob, alice.finished_at)
    assert (never.tokens_until, never.roles_until) == (None, None), "it had nothing to get in with"


# --- what the next scan reads ----------------------------------------------------------------------------------------


def test_a_scan_reads_what_each_plan_made_of_its_users(folder: Path) -> None:
    notes: list[str] = []
    found = carried_out(Path("reports"), notes)
    assert [(each.choice, each.outcome, each.plan_id) for each in found] == [
        (Choice.REMOVE, DONE, folder.name),
        (Choice.QUARANTINE, DONE, folder.name),
    ]
    assert notes == []


@pytest.mark.parametrize("name", ["plan.json", "journal.jsonl"])
def test_a_plan_that_cannot_be_read_stops_no_scan_and_is_noted(folder: Path, name: str) -> None:
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data.replace(b"alice", b"malle"))
    notes: list[str] = []
    assert carried_out(Path("reports"), notes) == ()
    (note,) = notes
    assert note.startswith(f"What the plan {folder.name} did is not shown, as it cannot be read: ")
