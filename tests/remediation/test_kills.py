"""Killed between any two calls, apply again ends in the same state: at each position, and in the middle of a line."""

import copy
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from scanner.aws.user_changes import CHANGES
from scanner.files import write_all
from scanner.model import Choice
from scanner.remediation import remediation_journal
from scanner.remediation.make_plan import Made
from scanner.remediation.outcome import outcomes
from scanner.remediation.plan_folder import RESULTS
from scanner.remediation.remediation_journal import Doing
from scanner.runs.folder import JOURNAL
from tests.aws_endpoint import Do, Fault, nth
from tests.aws_endpoint.iam_state import LiveAccount, LiveKey, State
from tests.remediation.site import LONG_AGO, Site, furnish, words
from tests.subject import Subject


class KilledError(BaseException):
    """The process is dead: nothing catches this, and nothing is written after it."""


@contextmanager
def killed_at_line(monkeypatch: pytest.MonkeyPatch, number: int) -> Iterator[None]:
    """Die at the journal's line of this number, from 1.

    A line that announces a call is written, and the call is not made; of any other line, that of an answer too, only a
    part is written. So dying at every line is dying before and after every call.
    """
    lines = 0

    def write(descriptor: int, data: bytes) -> None:
        nonlocal lines
        lines += 1
        if lines == number:
            write_all(descriptor, data if b'"type":"call"' in data else data[: len(data) // 2])
        if lines >= number:
            raise KilledError
        write_all(descriptor, data)

    with monkeypatch.context() as patch:
        patch.setattr("scanner.remediation.remediation_journal.write_all", write)
        yield


def world(site: Site) -> LiveAccount:
    prod = site.account()
    furnish(prod)
    furnish(prod, "bob", ssh_keys={"APKA2": LiveKey()})
    furnish(prod, "carol")
    site.decide({"alice": Choice.REMOVE, "bob": Choice.QUARANTINE})
    return prod


def begin_again(prod: LiveAccount, made: Made, state: State) -> None:
    """Put the account back into this state, and the plan's folder to where nothing was begun."""
    prod.kept = copy.deepcopy(state)
    prod.made.clear()
    prod.sync()
    for name in (JOURNAL, RESULTS):
        (made.folder / name).unlink(missing_ok=True)


def test_killed_at_each_line_of_its_journal_apply_again_ends_in_the_same_state(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    prod = site.account()
    one_key = {"AKIA1": LiveKey(last_used=LONG_AGO)}
    furnish(prod, keys=one_key, certificates={}, ssh_keys={}, service_credentials={}, mfa=[prod.device("alice")])
    prod.user("bob", ssh_keys={"APKABOB": LiveKey()})
    site.decide({"alice": Choice.REMOVE, "bob": Choice.QUARANTINE})
    before = prod.snapshot()
    with site.serving():
        made = site.plan()
        site.apply(made)
        end = prod.snapshot()
        lines = (made.folder / JOURNAL).read_bytes().count(b"\n")
        assert lines >= 30
        for number in range(1, lines + 1):
            begin_again(prod, made, before)
            with killed_at_line(monkeypatch, number), pytest.raises(KilledError):
                site.apply(made)
            assert_nothing_false(made, prod)
            assert words(site.apply(made)) == {"alice": "DONE", "bob": "DONE"}, number
            assert prod.kept == end, number
            assert {parameters.get("UserName", "") for _, parameters in prod.made} <= {"alice", "bob", ""}


def assert_nothing_false(made: Made, prod: LiveAccount) -> None:
    """Whatever the journal of the dead process says is done, is done."""
    for outcome in outcomes(made.plan, remediation_journal.read(made.folder)):
        name = outcome.planned.target.user_name
        if outcome.word == "DONE" and name == "alice":
            assert "alice" not in prod.kept.users
        if outcome.word == "DONE" and name == "bob":
            assert not prod.kept.users["bob"].ssh_keys["APKABOB"].active


def test_killed_at_each_line_undo_again_ends_in_the_state_before(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    prod = site.account()
    furnish(prod, "bob", ssh_keys={"APKA1": LiveKey()})
    before = prod.snapshot()
    site.decide({"bob": Choice.QUARANTINE})
    with site.serving():
        made = site.plan()
        site.apply(made)
        quarantined, journal = prod.snapshot(), (made.folder / JOURNAL).read_bytes()
        site.undo(made)
        lines = (made.folder / JOURNAL).read_bytes().count(b"\n") - journal.count(b"\n")
        assert lines > 8
        for number in range(1, lines + 1):
            begin_again(prod, made, quarantined)
            (made.folder / JOURNAL).write_bytes(journal)
            with killed_at_line(monkeypatch, number), pytest.raises(KilledError):
                site.undo(made)
            if outcomes(made.plan, remediation_journal.read(made.folder))[0].word != "UNDONE":
                ended = site.undo(made)
                assert words(ended) == {"bob": "UNDONE"}, number
                assert ended.outcomes[0].left == ()
            assert prod.kept == before, number


# --- real kills ------------------------------------------------------------------------------------------------------


def test_a_process_that_gets_sigkill_at_a_changing_call_is_made_up_for(site: Site) -> None:
    prod = world(site)
    subject = Subject()
    seen: list[Any] = []

    def kill(call: Any) -> None:
        if call.action in CHANGES:
            seen.append(call)
            if len(seen) == 12:
                subject.gets(signal.SIGKILL)(call)

    with site.serving() as endpoint:
        made = site.plan()
        endpoint.faults.rules.append(Fault("iam:*", Do(kill)))
        arguments = ("remediate", "apply", made.folder, "--execute", "--yes", "--safelist", site.safelist)
        ended = subject.run(dict(os.environ), *arguments, "--max-users", 2)
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        assert words(site.apply(made)) == {"alice": "DONE", "bob": "DONE"}
    assert set(prod.kept.users) == {"bob", "carol"}


def test_ctrl_c_ends_it_with_130_and_apply_goes_on(site: Site) -> None:
    prod = world(site)
    subject = Subject()
    with site.serving() as endpoint:
        made = site.plan()
        endpoint.faults.rules.append(Fault("iam:DeleteAccessKey", Do(subject.gets(signal.SIGINT)), when=nth(1)))
        arguments = ("remediate", "apply", made.folder, "--execute", "--yes", "--safelist", site.safelist)
        ended = subject.run(dict(os.environ), *arguments)
        assert ended.returncode == 130, ended.stderr
        assert f"Resume with: iam-scanner remediate apply {made.plan.plan_id} --execute" in ended.stderr
        last = remediation_journal.read(made.folder).events[-1]
        assert isinstance(last, remediation_journal.Closed)
        assert last.interrupted
        (made.folder / "results.csv").read_text(encoding="utf-8").index("INTERRUPTED")
        assert words(site.apply(made)) == {"alice": "DONE", "bob": "DONE"}
    assert set(prod.kept.users) == {"bob", "carol"}


def test_two_processes_on_one_plan_are_kept_apart(site: Site) -> None:
    world(site)
    with site.serving():
        made = site.plan()
        with (
            remediation_journal.RemediationJournal(made.folder, made.digest),
            pytest.raises(Exception, match="Another process is at work on"),
        ):
            site.apply(made, Doing.APPLY)
