"""Whom remediation does not touch, whatever was decided: judged when planned, and again right before it acts."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from scanner.model import Choice
from scanner.remediation.apply import Ended
from scanner.remediation.limits import Allowances
from scanner.remediation.make_plan import Made
from tests.aws_endpoint import Caller
from tests.aws_endpoint.iam_state import LiveAccount, LiveKey
from tests.program import calling
from tests.remediation.site import CISO, LONG_AGO, NOW, RUN_ID, Site, decision, furnish, reasons, spared, words

Change = Callable[[Site, LiveAccount], object]


def approve(site: Site, prod: LiveAccount, more: str = "") -> None:
    """Put alice of this account on the safelist."""
    text = site.safelist.read_text(encoding="utf-8")
    text = text if "accounts:" in text else "version: 1\naccounts:\n"
    entry = f"  '{prod.id}':\n    - {{user: alice, reason: needed{more}}}\n"
    site.safelist.write_text(text + entry, encoding="utf-8")


def break_glass(site: Site, prod: LiveAccount) -> None:
    approve(site, prod, ", kind: break-glass, expires_on: 2020-01-01")


def recreate(site: Site, prod: LiveAccount) -> None:
    del prod.kept.users["alice"]
    prod.user("alice", serial=2)


def rename(site: Site, prod: LiveAccount) -> None:
    alice = prod.kept.users.pop("alice")
    alice.name = "alice.new"
    prod.kept.users["alice.new"] = alice
    prod.sync()


def delete(site: Site, prod: LiveAccount) -> None:
    del prod.kept.users["alice"]
    prod.sync()


def decide_again(choice: Choice) -> Change:
    def change(site: Site, prod: LiveAccount) -> None:
        site.record(decision(prod.id, prod.kept.users["alice"].user_id, choice))

    return change


def use_key(site: Site, prod: LiveAccount) -> None:
    prod.kept.users["alice"].keys["AKIAALICE1"].last_used = NOW - timedelta(days=29)


def sign_in(site: Site, prod: LiveAccount) -> None:
    prod.kept.users["alice"].password_last_used = NOW - timedelta(hours=1)


def wake(site: Site, prod: LiveAccount) -> None:
    prod.kept.users["alice"].keys["AKIAALICE2"].active = True


def fill_up(site: Site, prod: LiveAccount) -> None:
    prod.kept.users["alice"].attached[:] = [prod.aws_policy(f"P{number}") for number in range(10)]


def move(site: Site, prod: LiveAccount) -> None:
    site.world.move(prod.id, site.world.add_ou("Elsewhere").id)


def wild_path(site: Site, prod: LiveAccount) -> None:
    prod.kept.users["alice"].path = "/a*b/"


CHANGES: dict[str, tuple[Change, str]] = {
    "approved by now": (approve, "APPROVED"),
    "a break-glass entry, even one that is expired": (break_glass, "BREAK_GLASS"),
    "made anew under the same name": (recreate, "OTHER_USER_ID"),
    "renamed": (rename, "RENAMED"),
    "decided otherwise since": (decide_again(Choice.APPROVE), "NOT_DECIDED"),
    "to be quarantined and no longer removed": (decide_again(Choice.QUARANTINE), "NOT_DECIDED"),
    "a key used in the last 30 days": (use_key, "RECENTLY_USED"),
    "signed in an hour ago": (sign_in, "RECENTLY_USED"),
    "a key made active": (wake, "CHANGED_SINCE_PLANNING"),
    "ten managed policies": (fill_up, "CHANGED_SINCE_PLANNING"),
    "the account moved": (move, "ACCOUNT_MOVED"),
}


def accounts_for(site: Site, cases: Mapping[str, object], *names: str) -> dict[str, LiveAccount]:
    """An account for each case, with these users, all of them to be removed."""
    accounts = {case: site.account(case) for case in cases}
    for prod in accounts.values():
        for name in names:
            furnish(prod, name)
    site.decide(dict.fromkeys(names, Choice.REMOVE))
    return accounts


def test_what_changed_between_plan_and_apply_is_noticed_and_nothing_is_touched(site: Site) -> None:
    accounts = accounts_for(site, CHANGES, "alice", "bob")
    with site.serving():
        made = site.plan(max_users=50)
        assert spared(made) == {}
        for case, (change, _) in CHANGES.items():
            change(site, accounts[case])
        before = {case: prod.snapshot() for case, prod in accounts.items()}
        ended = site.apply(made, max_users=50)
    of = {(each.planned.target.account.name, each.planned.target.user_name): each for each in ended.outcomes}
    for case, (_, reason) in CHANGES.items():
        alice, bob = of[case, "alice"], of[case, "bob"]
        assert (alice.word, alice.reason) == ("REFUSED", reason), case
        assert bob.word == ("REFUSED" if reason == "ACCOUNT_MOVED" else "DONE"), case
        kept = {name: user for name, user in accounts[case].kept.users.items() if name != "bob"}
        assert kept == {name: user for name, user in before[case].users.items() if name != "bob"}, case
    assert ended.exit_code == 3


SPARED: dict[str, tuple[Change, str]] = {
    **{name: case for name, case in CHANGES.items() if case[1] != "CHANGED_SINCE_PLANNING"},
    "gone by now": (delete, "USER_GONE"),
    "ten managed policies": (fill_up, "POLICY_QUOTA"),
    "a path with a wildcard": (wild_path, "WILDCARD_IN_ARN"),
}


def test_whoever_must_not_be_touched_is_spared_by_the_plan_with_the_reason(site: Site) -> None:
    accounts = accounts_for(site, SPARED, "alice")
    for case, (change, _) in SPARED.items():
        change(site, accounts[case])
    with site.serving():
        made = site.plan()
    found = {each.target.account.name: each.reason for each in made.plan.spared}
    assert found == {case: reason for case, (_, reason) in SPARED.items()}
    assert made.plan.users == ()
    assert made.exit_code == 3


def plan_and_apply(site: Site, **more: Any) -> tuple[Made, Ended]:
    with site.serving():
        made = site.plan(**more)
        return made, site.apply(made)


def test_the_caller_itself_is_never_touched(site: Site) -> None:
    prod = site.account()
    furnish(prod)
    furnish(prod, "bob")
    site.decide({"alice": Choice.REMOVE, "bob": Choice.QUARANTINE})
    site.world.delegated_administrators.append(prod.id)
    caller = Caller(access_key_id="AKIAALICEHERSELF0000", account_id=prod.id, arn=prod.arn("user", "/", "alice"))
    with site.serving(callers=[caller]) as endpoint, calling(endpoint, caller.access_key_id):
        made = site.plan()
        assert spared(made) == {"alice": "CALLER_ITSELF"}
        assert words(site.apply(made)) == {"bob": "DONE"}


def test_an_account_that_left_the_organization_is_not_entered(site: Site) -> None:
    prod = site.account()
    furnish(prod)
    site.decide({"alice": Choice.REMOVE})
    with site.serving() as endpoint:
        made = site.plan()
        site.world.leave(prod.id)
        endpoint.calls.clear()
        ended = site.apply(made)
    assert reasons(ended) == {"alice": "OTHER_ORGANIZATION"}
    assert not any(call.service == "iam" for call in endpoint.calls)


def test_a_decision_that_the_ledger_does_not_have_is_not_carried_out(site: Site) -> None:
    prod = site.account()
    furnish(prod)
    site.decide({"alice": Choice.REMOVE})
    (site.output / "decisions.csv").unlink()
    with site.serving():
        assert spared(site.plan()) == {"alice": "NOT_DECIDED"}


def test_of_users_that_nobody_decided_about_those_that_a_review_put_off_are_spared(site: Site) -> None:
    prod = site.account()
    for name in ("alice", "bob", "carol"):
        furnish(prod, name)
    site.scan()
    site.record(decision(prod.id, prod.kept.users["alice"].user_id, Choice.DEFER))
    site.record(decision(prod.id, prod.kept.users["bob"].user_id, Choice.REMOVE))
    with site.serving():
        made = site.plan(RUN_ID, quarantine=True)
    assert spared(made) == {"alice": "NOT_DECIDED"}
    assert [user.target.user_name for user in made.plan.users] == ["bob", "carol"]
    assert {user.target.choice for user in made.plan.users} == {Choice.QUARANTINE}


def test_an_entry_for_another_user_of_that_name_is_no_break_glass_of_this_one(site: Site) -> None:
    prod = site.account()
    furnish(prod)
    approve(site, prod, ", kind: break-glass, user_id: AIDASOMEBODYELSE00000")
    site.decide({"alice": Choice.REMOVE})
    _, ended = plan_and_apply(site)
    assert words(ended) == {"alice": "DONE"}


# --- unknown use -----------------------------------------------------------------------------------------------------


def test_what_has_no_last_use_counts_as_used_while_it_is_active(site: Site) -> None:
    prod = site.account()
    prod.user("ssh", ssh_keys={"APKA1": LiveKey()})
    prod.user("service", service_credentials={"ACCA1": LiveKey()})
    prod.user("certificate", certificates={"CERT1": LiveKey()})
    everybody = ("ssh", "service", "certificate")
    site.decide(dict.fromkeys(everybody, Choice.REMOVE))
    with site.serving():
        assert spared(site.plan()) == dict.fromkeys(everybody, "USE_UNKNOWN")
        made = site.plan(allowances=Allowances(include_active=True))
        assert words(site.apply(made)) == dict.fromkeys(everybody, "DONE")


def test_a_quarantine_does_not_ask_when_a_credential_was_used(site: Site) -> None:
    prod = site.account()
    prod.user("alice", keys={"AKIA1": LiveKey(last_used=NOW)}, ssh_keys={"APKA1": LiveKey()})
    site.decide({"alice": Choice.QUARANTINE})
    _, ended = plan_and_apply(site)
    assert words(ended) == {"alice": "DONE"}


def test_a_key_that_was_never_used_counts_from_when_it_was_made(site: Site) -> None:
    prod = site.account()
    prod.user("alice", keys={"AKIA1": LiveKey(created_at=NOW - timedelta(days=3))})
    prod.user("bob", keys={"AKIA2": LiveKey(created_at=LONG_AGO)})
    site.decide(dict.fromkeys(("alice", "bob"), Choice.REMOVE))
    with site.serving():
        made = site.plan()
    assert spared(made) == {"alice": "RECENTLY_USED"}


# --- the last administrator ------------------------------------------------------------------------------------------


def administrators(site: Site, *names: str, account: str = "prod") -> LiveAccount:
    prod = site.account(account)
    prod.group("admins", attached=[prod.aws_policy("AdministratorAccess")])
    for name in names:
        prod.user(name, password=True, groups=["admins"], created_at=LONG_AGO)
    return prod


def test_the_last_usable_administrator_needs_its_own_option(site: Site) -> None:
    administrators(site, "alice")
    site.decide({"alice": Choice.QUARANTINE})
    with site.serving():
        assert spared(site.plan()) == {"alice": "LAST_ADMINISTRATOR"}
        made = site.plan(allowances=Allowances(include_last_administrator=True))
        assert words(site.apply(made)) == {"alice": "DONE"}


def test_of_two_administrators_who_are_both_to_go_neither_stands_for_the_other(site: Site) -> None:
    administrators(site, "alice", "bob")
    site.decide(dict.fromkeys(("alice", "bob"), Choice.REMOVE))
    with site.serving():
        assert spared(site.plan()) == dict.fromkeys(("alice", "bob"), "LAST_ADMINISTRATOR")


def test_that_another_administrator_can_get_in_is_looked_at_again_before_the_call(site: Site) -> None:
    cases = ("deleted", "denied", "no credential", "no longer in the group", "still there")
    accounts = {case: administrators(site, "alice", "bob", account=case) for case in cases}
    site.decide({"alice": Choice.REMOVE})
    with site.serving():
        made = site.plan()
        assert spared(made) == {}
        bob = {case: prod.kept.users["bob"] for case, prod in accounts.items()}
        del accounts["deleted"].kept.users["bob"]
        bob["denied"].attached.append(accounts["denied"].aws_policy("AWSDenyAll"))
        bob["no credential"].password = None
        bob["no longer in the group"].groups.clear()
        for prod in accounts.values():
            prod.sync()
        ended = site.apply(made)
    found = {each.planned.target.account.name: each.reason for each in ended.outcomes}
    assert found == {**dict.fromkeys(cases, "LAST_ADMINISTRATOR"), "still there": None}


def test_an_administrator_who_cannot_get_in_is_no_loss(site: Site) -> None:
    prod = administrators(site, "alice")
    prod.kept.users["alice"].password = None
    site.decide({"alice": Choice.REMOVE})
    _, ended = plan_and_apply(site)
    assert words(ended) == {"alice": "DONE"}


# --- removal only after a quarantine ---------------------------------------------------------------------------------

AFTER_14 = Allowances(removal_after_quarantine_days=14)


def quarantined(site: Site, prod: LiveAccount, days_ago: int) -> Made:
    """Alice was quarantined at least that many days ago, and is now to be removed."""
    furnish(prod)
    site.decide({"alice": Choice.QUARANTINE})
    with site.serving():
        made = site.plan()
        assert words(site.apply(made)) == {"alice": "DONE"}
    site.record(decision(prod.id, prod.kept.users["alice"].user_id, Choice.REMOVE))
    text = site.removals.read_text(encoding="utf-8").replace("Quarantine", "Remove")
    site.removals.write_text(text, encoding="utf-8")
    site.now = NOW + timedelta(days=days_ago)
    return made


def test_a_user_that_was_never_quarantined_is_not_removed_where_the_setting_asks_for_it(site: Site) -> None:
    furnish(site.account())
    site.decide({"alice": Choice.REMOVE})
    with site.serving():
        assert spared(site.plan(allowances=AFTER_14)) == {"alice": "NOT_QUARANTINED"}


def test_a_user_is_removed_once_it_was_quarantined_for_long_enough(site: Site) -> None:
    prod = site.account()
    quarantined(site, prod, 13)
    with site.serving():
        assert spared(site.plan(allowances=AFTER_14)) == {"alice": "NOT_QUARANTINED"}
        site.now = NOW + timedelta(days=15)
        made = site.plan(allowances=AFTER_14)
        assert words(site.apply(made)) == {"alice": "DONE"}


def test_a_user_that_was_used_since_its_quarantine_is_not_removed(site: Site) -> None:
    prod = site.account()
    quarantined(site, prod, 40)
    prod.kept.users["alice"].password_last_used = NOW + timedelta(days=2)
    with site.serving():
        assert spared(site.plan(allowances=AFTER_14)) == {"alice": "USED_SINCE_QUARANTINE"}


def test_a_quarantine_that_was_undone_counts_for_nothing(site: Site) -> None:
    prod = site.account()
    made = quarantined(site, prod, 40)
    with site.serving():
        site.undo(made)
        assert spared(site.plan(allowances=AFTER_14)) == {"alice": "NOT_QUARANTINED"}


def test_a_quarantine_that_somebody_took_off_by_hand_counts_for_nothing(site: Site) -> None:
    prod = site.account()
    quarantined(site, prod, 40)
    alice = prod.kept.users["alice"]
    with site.serving():
        alice.keys["AKIAALICE1"].active = True
        assert spared(site.plan(allowances=AFTER_14)) == {"alice": "NOT_QUARANTINED"}
        alice.keys["AKIAALICE1"].active = False
        alice.attached.remove(prod.aws_policy("AWSDenyAll"))
        made = site.plan(allowances=AFTER_14)
    assert spared(made) == {"alice": "NOT_QUARANTINED"}
    assert made.plan.spared[0].detail.endswith("and is not any more. Quarantine it again first.")


def test_the_stricter_setting_holds_where_plan_and_apply_differ(site: Site) -> None:
    furnish(site.account())
    site.decide({"alice": Choice.REMOVE})
    with site.serving():
        made = site.plan()
        assert reasons(site.apply(made, allowances=AFTER_14)) == {"alice": "NOT_QUARANTINED"}


def test_what_the_plan_allowed_need_not_be_allowed_again(site: Site) -> None:
    prod = site.account()
    prod.user("alice", keys={"AKIA1": LiveKey(last_used=NOW)})
    site.decide({"alice": Choice.REMOVE})
    with site.serving():
        made = site.plan(allowances=replace(Allowances(), include_active=True))
        assert words(site.apply(made)) == {"alice": "DONE"}


def test_who_decided_and_why_is_in_the_plan(site: Site) -> None:
    furnish(site.account())
    site.decide({"alice": Choice.REMOVE})
    with site.serving():
        (user,) = site.plan().plan.users
    assert user.target.why == f"Remove, decided by {CISO} on {NOW.date()} (SEC-140): as agreed"
