"""A plan carried out on an IAM that keeps state: what is gone, what is left alone, and in which order it happens."""

import json
import os
from typing import Any

import pytest

from scanner.aws.user_changes import CHANGES
from scanner.model import Choice
from scanner.remediation.carry_out import Application
from scanner.remediation.connection import READS
from scanner.remediation.remediation_journal import CallBegun, CallEnded, decode
from scanner.runs.folder import JOURNAL
from tests.aws_endpoint import (
    Bucket,
    Do,
    Fault,
    deny,
    first,
    http_500,
    nth,
    reset,
    throttle,
)
from tests.aws_endpoint.faults import Call
from tests.aws_endpoint.iam_state import LiveKey
from tests.program import table
from tests.remediation.site import (
    NOW,
    RUN_ID,
    Site,
    changing,
    furnish,
    reasons,
    words,
)

REMOVE, QUARANTINE = {"alice": Choice.REMOVE}, {"alice": Choice.QUARANTINE}


def test_a_removed_user_is_gone_with_all_that_hung_on_it_and_nothing_else_is_touched(site: Site) -> None:
    prod = site.account()
    furnish(prod)
    furnish(prod, "bob")
    site.decide(REMOVE)
    before = prod.snapshot()
    with site.serving():
        ended = site.apply(site.plan())
    assert words(ended) == {"alice": "DONE"}
    assert ended.exit_code == 0
    del before.users["alice"]
    before.devices.discard(prod.device("alice"))
    assert prod.kept == before


def test_a_quarantined_user_can_do_nothing_and_keeps_its_password(site: Site) -> None:
    prod = site.account()
    alice = furnish(prod, ssh_keys={"APKA1": LiveKey()}, certificates={"CERT1": LiveKey()})
    site.decide(QUARANTINE)
    expected = prod.snapshot()
    quarantined = expected.users["alice"]
    quarantined.attached.append(prod.aws_policy("AWSDenyAll"))
    for things in (quarantined.keys, quarantined.ssh_keys, quarantined.certificates):
        for thing in things.values():
            thing.active = False
    with site.serving():
        ended = site.apply(site.plan())
    assert words(ended) == {"alice": "DONE"}
    assert alice.password is not None
    assert prod.kept == expected


def test_planning_changes_nothing_and_shows_everything(site: Site) -> None:
    prod = site.account()
    furnish(prod, boundary=prod.aws_policy("ReadOnlyAccess"))
    site.decide(REMOVE)
    before = prod.snapshot()
    with site.serving() as endpoint:
        made = site.plan()
    assert prod.kept == before
    assert changing(endpoint.calls) == []
    (user,) = made.plan.users
    assert len(user.before.attachments) == 11
    assert user.before.boundary == prod.aws_policy("ReadOnlyAccess")
    assert {path.name for path in made.folder.iterdir()} == {"plan.json", "plan.csv", "commands.sh"}
    rows = table(made.folder / "plan.csv")
    assert [row["action"] for row in rows] == [call.action for call in user.calls]
    assert {row["why"] for row in rows} == {user.target.why}
    assert made.folder.parent.name == f"{RUN_ID}-remediation"
    assert made.folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in made.folder.iterdir()} == {0o600}


def test_the_session_that_reads_can_change_nothing_and_those_that_change_are_one_user_s(site: Site) -> None:
    prod = site.account()
    furnish(prod)
    furnish(prod, "bob")
    site.decide({"alice": Choice.REMOVE, "bob": Choice.QUARANTINE})
    with site.serving() as endpoint:
        site.apply(site.plan())
    policies = [json.loads(session.policy or "{}")["Statement"] for session in endpoint.sessions]
    for statements in policies:
        actions = {action for each in statements for action in _listed(each["Action"])}
        resources = {resource for each in statements for resource in _listed(each["Resource"])}
        if resources == {"*"}:
            assert actions == {f"iam:{action}" for action in READS}
        else:
            assert actions <= {f"iam:{action}" for action in CHANGES}
            assert len({resource for resource in resources if ":user/" in resource}) == 1
    assert len(policies) == 4  # one to plan, one to read again, and one for each of the users
    assert all(session.role_arn.endswith(":role/IamScannerRemediation") for session in endpoint.sessions)


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else value


# --- the journal -----------------------------------------------------------------------------------------------------


def test_each_call_is_on_the_disk_before_it_is_made_and_its_answer_after(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    prod = site.account()
    furnish(prod)
    site.decide(REMOVE)
    journals: list[list[str]] = []
    forced: list[int] = []  # how long the journal was when it was last forced to the disk
    bare = os.fsync

    def fsync(descriptor: int) -> None:
        bare(descriptor)
        forced.append(os.fstat(descriptor).st_size)

    def look(call: Call) -> None:
        if call.action in CHANGES:
            (journal,) = site.output.glob(f"*/*/{JOURNAL}")
            events = decode(journal.read_bytes()).events
            assert forced[-1] == journal.stat().st_size
            begun = [event for event in events if isinstance(event, CallBegun)]
            ended = [event for event in events if isinstance(event, CallEnded)]
            assert begun[-1].call.action == call.action
            assert len(begun) == len(ended) + 1
            journals.append([event.call.action for event in begun])

    with site.serving(Fault("iam:*", Do(look))):
        made = site.plan()
        monkeypatch.setattr("os.fsync", fsync)
        ended = site.apply(made)
    assert words(ended) == {"alice": "DONE"}
    assert journals[-1] == [action for action, _ in prod.made]


def test_results_are_one_row_a_user_and_say_the_same_as_the_journal(site: Site) -> None:
    prod = site.account()
    furnish(prod)
    prod.user("bob", keys={"AKIABOB": LiveKey(last_used=NOW)})
    prod.user("carol")
    site.decide({"alice": Choice.REMOVE, "bob": Choice.QUARANTINE, "carol": Choice.QUARANTINE})
    with site.serving(Fault("iam:AttachUserPolicy", deny, params={"UserName": "carol"})):
        ended = site.apply(site.plan())
    rows = {row["user_name"]: row for row in table(ended.results)}
    assert {name: row["outcome"] for name, row in rows.items()} == {"alice": "DONE", "bob": "DONE", "carol": "FAILED"}
    assert rows["carol"]["reason"] == "CALL_FAILED"
    assert "AttachUserPolicy" in rows["carol"]["detail"]
    assert rows["alice"]["calls"] == str(len([each for each in prod.made if each[1].get("UserName") != "bob"]))
    assert rows["alice"]["finished_at"] >= rows["alice"]["started_at"] > ""


# --- others go on ----------------------------------------------------------------------------------------------------


def test_a_new_key_after_planning_refuses_that_user_and_the_others_are_done(site: Site) -> None:
    prod = site.account()
    furnish(prod)
    furnish(prod, "bob")
    site.decide({"alice": Choice.REMOVE, "bob": Choice.REMOVE})
    with site.serving() as endpoint:
        made = site.plan()
        prod.kept.users["alice"].keys["AKIANEW"] = LiveKey()
        endpoint.calls.clear()
        ended = site.apply(made)
    assert words(ended) == {"alice": "REFUSED", "bob": "DONE"}
    assert reasons(ended)["alice"] == "CHANGED_SINCE_PLANNING"
    (refused,) = (each for each in ended.outcomes if each.word == "REFUSED")
    assert refused.detail == "New or active again since the plan was made: access key AKIANEW. Make a new plan."
    assert ended.exit_code == 3
    assert not any(each[1].get("UserName") == "alice" for each in prod.made)


def test_a_failure_in_one_account_stops_no_other(site: Site) -> None:
    prod, dev = site.account("prod"), site.account("dev")
    furnish(prod)
    furnish(dev, "bob")
    site.decide({"alice": Choice.REMOVE, "bob": Choice.REMOVE})
    with site.serving() as endpoint:
        made = site.plan()
        endpoint.faults.rules.append(Fault("sts:AssumeRole", deny, account=prod.id))
        ended = site.apply(made)
    assert words(ended) == {"alice": "FAILED", "bob": "DONE"}
    assert reasons(ended)["alice"] == "ROLE_NOT_ASSUMABLE"
    assert ended.exit_code == 4


def test_a_denied_call_is_a_failure_with_aws_s_words_and_what_is_left_and_apply_again_goes_on(site: Site) -> None:
    prod = site.account()
    furnish(prod)
    site.decide(REMOVE)
    with site.serving(Fault("iam:DeactivateMFADevice", deny, when=first(1))):
        made = site.plan()
        ended = site.apply(made)
        (failed,) = ended.outcomes
        assert failed.word == "FAILED"
        assert "DeactivateMFADevice" in failed.detail
        assert "is not authorized to perform: iam:DeactivateMFADevice" in failed.detail
        assert f"MFA device {prod.device('alice')}" in failed.left
        assert "group devs" in failed.left
        assert not any("access key" in left for left in failed.left)
        assert words(site.apply(made)) == {"alice": "DONE"}
    assert prod.kept.users == {}


def test_done_users_are_left_alone_by_the_next_apply(site: Site) -> None:
    prod = site.account()
    furnish(prod)
    site.decide(REMOVE)
    with site.serving() as endpoint:
        made = site.plan()
        site.apply(made)
        endpoint.calls.clear()
        assert words(site.apply(made)) == {"alice": "DONE"}
        assert [call.name for call in endpoint.calls if call.service == "iam"] == []


def test_accounts_are_worked_on_side_by_side_and_a_user_s_calls_one_after_the_other(site: Site) -> None:
    for number in range(6):
        furnish(site.account(f"account-{number}"), f"user{number}")
    site.decide({f"user{number}": Choice.REMOVE for number in range(6)})
    site.settings = site.settings.with_(concurrency=3)
    with site.serving(latency=0.01) as endpoint:
        made = site.plan(max_users=6)
        assert 1 < endpoint.most_concurrent <= 3
        assert set(words(site.apply(made)).values()) == {"DONE"}
        assert 1 < endpoint.most_concurrent <= 3


def test_two_users_of_one_account_never_have_calls_under_way_at_once(site: Site) -> None:
    prod = site.account()
    for name in ("alice", "bob", "carol"):
        furnish(prod, name)
    site.decide(dict.fromkeys(("alice", "bob", "carol"), Choice.REMOVE))
    with site.serving(latency=0.005) as endpoint:
        made = site.plan()
        assert set(words(site.apply(made)).values()) == {"DONE"}
        assert endpoint.most_concurrent == 1


# --- throttling, server errors, broken connections -------------------------------------------------------------------


def test_calls_are_made_again_after(site: Site) -> None:
    """After throttled responses, server errors, and connections that are cut off: each for a user of its own."""
    prod = site.account()
    effects: dict[str, Any] = {"throttled": throttle, "server-errors": http_500, "cut-off": reset}
    for name in effects:
        furnish(prod, name)
    site.decide(dict.fromkeys(effects, Choice.REMOVE))
    faults = [
        Fault("iam:*", effect, when=lambda number: number % 3 == 0, params={"UserName": name})
        for name, effect in effects.items()
    ]
    with site.serving(*faults):
        assert words(site.apply(site.plan())) == dict.fromkeys(effects, "DONE")
    assert prod.kept.users == {}


def test_a_call_that_worked_and_whose_answer_was_lost_counts_as_done(site: Site) -> None:
    """Each changing call is cut off after it was done: the SDK makes it again, and AWS no longer finds the thing."""
    prod = site.account()
    furnish(prod)
    site.decide(REMOVE)
    faults = [Fault(f"iam:{action}", reset, when=nth(1)) for action in CHANGES]
    with site.serving(*faults):
        assert words(site.apply(site.plan())) == {"alice": "DONE"}
    assert prod.kept.users == {}
    assert prod.kept.devices == set()


def test_throttling_beyond_the_user_s_time_is_a_failure_that_says_so(site: Site) -> None:
    prod = site.account()
    furnish(prod)
    site.decide(QUARANTINE)
    site.settings = site.settings.with_(account_timeout=1)
    with site.serving() as endpoint:
        made = site.plan()
        endpoint.faults.rules.append(Fault("iam:UpdateAccessKey", throttle))
        ended = site.apply(made)
        (failed,) = ended.outcomes
        assert (failed.word, failed.reason) == ("FAILED", "CALL_FAILED")
        assert "Throttling: Rate exceeded" in failed.detail
        assert failed.left == ("UpdateAccessKey AKIAALICE1 was not done",)


def test_a_rate_limit_is_kept_to(site: Site) -> None:
    for number in range(3):
        furnish(site.account(f"account-{number}"), f"user{number}")
    site.decide({f"user{number}": Choice.REMOVE for number in range(3)})
    with site.serving(Fault("iam:*", Bucket(rate=200, burst=2))):
        assert set(words(site.apply(site.plan())).values()) == {"DONE"}


def test_a_fault_of_the_program_itself_costs_one_user(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    prod = site.account()
    furnish(prod)
    furnish(prod, "bob")
    site.decide({"alice": Choice.REMOVE, "bob": Choice.REMOVE})
    original = Application.through

    def through(self: Application) -> Any:
        if self.target.user_name == "alice":
            raise KeyError("a fault")
        return original(self)

    with site.serving():
        made = site.plan()
        monkeypatch.setattr(Application, "through", through)
        ended = site.apply(made)
    assert words(ended) == {"alice": "FAILED", "bob": "DONE"}
    assert reasons(ended)["alice"] == "PROGRAM"
