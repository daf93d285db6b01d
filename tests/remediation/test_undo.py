"""A quarantine put back: exactly as it was found, and what somebody changed since left and named."""

from datetime import timedelta
from typing import Any

import pytest

from scanner.model import Choice
from scanner.remediation.make_plan import Made
from scanner.remediation.targets import Part
from tests.aws_endpoint import Fault, deny, first
from tests.aws_endpoint.iam_state import LiveAccount, LiveKey
from tests.program import table
from tests.remediation.site import Site, changing, furnish, words


def quarantined(site: Site, **more: Any) -> tuple[LiveAccount, Made]:
    """Alice, quarantined; the endpoint is not served any more."""
    prod = site.account()
    furnish(prod, ssh_keys={"APKA1": LiveKey(), "APKA2": LiveKey(active=False)}, **more)
    furnish(prod, "bob")
    site.decide({"alice": Choice.QUARANTINE})
    with site.serving():
        made = site.plan()
        assert words(site.apply(made)) == {"alice": "DONE"}
    return prod, made


def test_quarantine_and_undo_end_in_the_state_before(site: Site) -> None:
    prod = site.account()
    furnish(prod, ssh_keys={"APKA1": LiveKey(), "APKA2": LiveKey(active=False)})
    before = prod.snapshot()
    site.decide({"alice": Choice.QUARANTINE})
    with site.serving():
        made = site.plan()
        site.apply(made)
        assert prod.kept != before
        ended = site.undo(made)
    assert words(ended) == {"alice": "UNDONE"}
    assert ended.exit_code == 0
    assert ended.outcomes[0].left == ()
    assert prod.kept == before


def test_without_being_told_nothing_is_undone_and_what_is_undone_stays_so(site: Site) -> None:
    prod, made = quarantined(site)
    with site.serving() as endpoint:
        site.undo(made)
        before = prod.snapshot()
        endpoint.calls.clear()
        assert words(site.apply(made)) == {"alice": "UNDONE"}, "a plan that was undone is not carried out again"
        assert changing(endpoint.calls) == []
    assert prod.kept == before


def test_awsdenyall_that_was_there_before_stays(site: Site) -> None:
    prod = site.account()
    alice = furnish(prod, attached=[prod.aws_policy("AWSDenyAll")])
    before = prod.snapshot()
    site.decide({"alice": Choice.QUARANTINE})
    with site.serving():
        made = site.plan()
        site.apply(made)
        assert words(site.undo(made)) == {"alice": "UNDONE"}
    assert alice.attached == [prod.aws_policy("AWSDenyAll")]
    assert prod.kept == before


def test_what_somebody_changed_since_is_left_and_named(site: Site) -> None:
    prod, made = quarantined(site)
    alice = prod.kept.users["alice"]
    alice.keys["AKIAALICE1"].active = True
    del alice.ssh_keys["APKA2"]
    alice.keys["AKIANEW"] = LiveKey()
    alice.inline.clear()
    with site.serving():
        ended = site.undo(made)
    assert words(ended) == {"alice": "UNDONE"}
    assert ended.outcomes[0].left == (
        "access key AKIAALICE1 was made active already",
        "access key AKIANEW was attached since the plan",
        "SSH public key APKA2 (inactive) was taken off since the plan",
        "inline policy deploy was taken off since the plan",
    )
    assert "AKIANEW" in table(ended.results)[0]["left"]
    assert alice.ssh_keys["APKA1"].active
    assert alice.attached == [prod.aws_policy("ReadOnlyAccess")]
    assert set(alice.keys) == {"AKIAALICE1", "AKIAALICE2", "AKIANEW"}


def test_a_key_that_was_deleted_since_is_named_and_the_rest_is_put_back(site: Site) -> None:
    prod, made = quarantined(site)
    del prod.kept.users["alice"].keys["AKIAALICE1"]
    with site.serving():
        ended = site.undo(made)
    assert ended.outcomes[0].left == ("access key AKIAALICE1 is no longer there",)
    assert prod.kept.users["alice"].ssh_keys["APKA1"].active


def test_the_deny_comes_off_last(site: Site) -> None:
    prod, made = quarantined(site)
    prod.made.clear()
    with site.serving():
        site.undo(made)
    assert [action for action, _ in prod.made] == ["UpdateSSHPublicKey", "UpdateAccessKey", "DetachUserPolicy"]


@pytest.mark.parametrize("serial", [None, 2], ids=["deleted", "made anew"])
def test_a_user_that_is_gone_is_not_undone(site: Site, serial: int | None) -> None:
    prod, made = quarantined(site)
    del prod.kept.users["alice"]
    if serial:
        prod.user("alice", serial=serial, keys={"AKIAALICE1": LiveKey(active=False)})
    prod.sync()
    with site.serving() as endpoint:
        ended = site.undo(made)
    assert [(each.outcome, each.reason) for each in ended.concluded] == [("REFUSED", "USER_GONE")]
    assert ended.exit_code == 3
    assert changing(endpoint.calls) == []


def test_a_removal_is_not_undone_and_what_is_removed_wholly_is_not_asked_about(site: Site) -> None:
    prod = site.account()
    furnish(prod)
    furnish(prod, "bob")
    site.decide({"alice": Choice.REMOVE, "bob": Choice.QUARANTINE})
    with site.serving(Fault("iam:DeactivateMFADevice", deny, when=first(1))):
        made = site.plan()
        assert words(site.apply(made)) == {"alice": "FAILED", "bob": "DONE"}
        half = site.undo(made)
        assert [(each.outcome, each.reason) for each in half.concluded] == [
            ("REFUSED", "NOT_REVERSIBLE"),
            ("UNDONE", None),
        ]
        assert words(half) == {"alice": "FAILED", "bob": "UNDONE"}
        assert "DeleteLoginProfile" in half.concluded[0].detail
        assert words(site.apply(made)) == {"alice": "DONE", "bob": "UNDONE"}
        with pytest.raises(Exception, match="There is nothing to undo"):
            site.undo(made)


def test_a_removal_that_stopped_before_anything_was_deleted_can_be_undone(site: Site) -> None:
    prod = site.account()
    furnish(prod)
    before = prod.snapshot()
    site.decide({"alice": Choice.REMOVE})
    with site.serving(Fault("iam:DeleteLoginProfile", deny)):
        made = site.plan()
        assert words(site.apply(made)) == {"alice": "FAILED"}
        assert words(site.undo(made)) == {"alice": "UNDONE"}
    assert prod.kept == before


def test_undo_needs_no_safelist_and_no_young_plan(site: Site) -> None:
    prod, made = quarantined(site)
    site.safelist.write_text("not: a safelist", encoding="utf-8")
    with site.serving():
        assert words(site.undo(made, now=site.now + timedelta(days=300))) == {"alice": "UNDONE"}
    assert prod.kept.users["alice"].keys["AKIAALICE1"].active


def test_an_undo_that_fails_is_failed_and_the_next_one_goes_on(site: Site) -> None:
    prod, made = quarantined(site)
    with site.serving(Fault("iam:UpdateAccessKey", deny, when=first(1))):
        ended = site.undo(made)
        assert words(ended) == {"alice": "FAILED"}
        assert ended.exit_code == 4
        assert "UpdateAccessKey AKIAALICE1" in ended.outcomes[0].detail
        again = site.undo(made)
    assert words(again) == {"alice": "UNDONE"}
    assert again.outcomes[0].left == ()
    assert prod.kept.users["alice"].keys["AKIAALICE1"].active


def test_a_part_can_be_undone(site: Site) -> None:
    prod = site.account()
    furnish(prod)
    furnish(prod, "bob")
    site.decide(dict.fromkeys(("alice", "bob"), Choice.QUARANTINE))
    with site.serving():
        made = site.plan()
        site.apply(made)
        assert words(site.undo(made, part=Part(users=("BOB",)))) == {"bob": "UNDONE"}
    assert not prod.kept.users["alice"].keys["AKIAALICE1"].active
    assert prod.kept.users["bob"].keys["AKIABOB1"].active
