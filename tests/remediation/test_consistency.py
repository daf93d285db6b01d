"""IAM replicates: reads that are behind, deletions that conflict with what is gone, users that are locked."""

from collections.abc import Callable
from dataclasses import replace

from scanner.model import Choice
from tests.aws_endpoint import Do, Fault, Refuse, after, always, first, nth
from tests.aws_endpoint.faults import Call
from tests.aws_endpoint.iam_state import LiveAccount, LiveKey, LiveUserState
from tests.remediation.site import LONG_AGO, Site, furnish, reasons, words

LOCKED = Refuse(
    409,
    "EntityTemporarilyUnmodifiable",
    "The request was rejected because it referenced an entity that is temporarily unmodifiable.",
)
CONFLICT = Refuse(409, "DeleteConflict", "Cannot delete entity, must delete access keys first.")
BOTH = {"alice": Choice.REMOVE, "bob": Choice.QUARANTINE}


def two(site: Site) -> LiveAccount:
    prod = site.account()
    furnish(prod)
    furnish(prod, "bob")
    site.decide(BOTH)
    return prod


def late(site: Site, *lags: int) -> dict[int, LiveAccount]:
    """An account for each lag."""
    accounts = {lag: site.account(f"late-by-{lag}") for lag in lags}
    for prod in accounts.values():
        furnish(prod)
        furnish(prod, "bob")
    return accounts


def test_reads_that_are_behind_are_waited_for(site: Site) -> None:
    accounts = late(site, 1, 3, 11, 25)
    site.decide(BOTH)
    for lag, prod in accounts.items():
        prod.lag = lag
    with site.serving():
        ended = site.apply(site.plan())
    assert {outcome.word for outcome in ended.outcomes} == {"DONE"}
    assert [set(prod.kept.users) for prod in accounts.values()] == [{"bob"}] * 4


def test_undo_waits_for_them_too(site: Site) -> None:
    accounts = late(site, 1, 3, 11)
    site.decide({"bob": Choice.QUARANTINE})
    before = [prod.snapshot() for prod in accounts.values()]
    with site.serving():
        made = site.plan()
        site.apply(made)
        for lag, prod in accounts.items():
            prod.lag = lag
        ended = site.undo(made)
    assert [outcome.word for outcome in ended.outcomes] == ["UNDONE"] * 3
    assert [prod.kept for prod in accounts.values()] == before


def test_a_conflict_with_what_is_gone_already_is_tried_again(site: Site) -> None:
    prod = two(site)
    faults = [Fault(f"iam:{action}", CONFLICT, when=first(3)) for action in ("DeleteUser", "DeleteVirtualMFADevice")]
    with site.serving(*faults):
        assert words(site.apply(site.plan())) == {"alice": "DONE", "bob": "DONE"}
    assert prod.kept.devices == {prod.device("bob")}


def test_a_user_that_is_locked_for_a_while_is_tried_again(site: Site) -> None:
    prod = site.account()
    actions = ("AttachUserPolicy", "UpdateAccessKey", "DeleteAccessKey", "DetachUserPolicy")
    for action in actions:
        furnish(prod, action)
    site.decide(dict.fromkeys(actions, Choice.REMOVE))
    faults = [Fault(f"iam:{name}", LOCKED, when=first(4), params={"UserName": name}) for name in actions]
    with site.serving(*faults):
        assert words(site.apply(site.plan())) == dict.fromkeys(actions, "DONE")


def test_while_the_deny_cannot_be_attached_no_key_is_touched(site: Site) -> None:
    prod = two(site)
    with site.serving(Fault("iam:AttachUserPolicy", LOCKED, when=always)):
        ended = site.apply(site.plan())
    assert words(ended) == {"alice": "FAILED", "bob": "FAILED"}
    assert prod.made == []


def test_after_a_bounded_number_of_looks_it_is_failed_with_aws_s_words_and_apply_goes_on(site: Site) -> None:
    prod = two(site)
    effects = {"alice": ("DeleteUser", CONFLICT), "bob": ("UpdateAccessKey", LOCKED)}
    with site.serving() as endpoint:
        made = site.plan()
        endpoint.faults.rules += [
            Fault(f"iam:{action}", effect, params={"UserName": name}) for name, (action, effect) in effects.items()
        ]
        for outcome in site.apply(made).outcomes:
            action, effect = effects[outcome.planned.target.user_name]
            assert (outcome.word, outcome.reason) == ("FAILED", "NOT_SETTLED")
            assert effect.message in outcome.detail
            assert sum(call.action == action for call in endpoint.calls) < 40
        endpoint.faults.rules.clear()
        assert words(site.apply(made)) == {"alice": "DONE", "bob": "DONE"}
    assert "alice" not in prod.kept.users


def test_a_user_that_aws_goes_on_showing_is_never_called_done(site: Site) -> None:
    """DeleteUser says that it worked, and GetUser goes on to show the user."""
    prod = site.account()
    alice = furnish(prod)
    site.decide({"alice": Choice.REMOVE})

    def come_back(_: Call) -> None:
        prod.kept.users["alice"] = alice
        prod.sync()

    with site.serving(Fault("iam:GetUser", Do(come_back), when=after(1))):
        ended = site.apply(site.plan())
    assert words(ended) == {"alice": "FAILED"}


def test_a_user_that_only_the_list_of_users_still_has_is_not_called_done(site: Site) -> None:
    prod = site.account()
    furnish(prod)
    site.decide({"alice": Choice.REMOVE})
    listed = [*prod.users]

    def lag(_: Call) -> None:
        prod.users = listed

    with site.serving(Fault("iam:ListUsers", Do(lag))):
        made = site.plan()
        ended = site.apply(made)
        assert (words(ended), reasons(ended)) == ({"alice": "FAILED"}, {"alice": "NOT_SETTLED"})
        assert ended.exit_code == 4
    prod.sync()
    with site.serving():
        assert words(site.apply(made)) == {"alice": "DONE"}


# --- others at work meanwhile ----------------------------------------------------------------------------------------


def when_called(prod: LiveAccount, action: str, change: Callable[[], object]) -> Fault:
    def go(_: Call) -> None:
        change()
        prod.sync()

    return Fault(f"iam:{action}", Do(go), when=first(1))


def test_a_deny_that_is_taken_off_while_the_keys_are_disabled_is_put_on_again(site: Site) -> None:
    prod = site.account()
    alice = furnish(prod)
    site.decide({"alice": Choice.QUARANTINE})
    deny = prod.aws_policy("AWSDenyAll")
    with site.serving(when_called(prod, "UpdateAccessKey", lambda: alice.attached.remove(deny))):
        assert words(site.apply(site.plan())) == {"alice": "DONE"}
    assert deny in alice.attached
    assert [action for action, _ in prod.made] == ["AttachUserPolicy", "UpdateAccessKey", "AttachUserPolicy"]


def test_a_deny_that_is_taken_off_again_and_again_is_a_failure(site: Site) -> None:
    prod = site.account()
    alice = furnish(prod)
    site.decide({"alice": Choice.QUARANTINE})
    deny = prod.aws_policy("AWSDenyAll")

    def take_off(call: Call) -> None:
        if deny in alice.attached:
            alice.attached.remove(deny)

    with site.serving(Fault("iam:ListAttachedUserPolicies", Do(take_off))):
        ended = site.apply(site.plan())
    assert words(ended) == {"alice": "FAILED"}
    assert f"AttachUserPolicy {deny} was not done" in ended.outcomes[0].left


def test_a_key_that_is_made_in_the_last_moment_fails_the_user_and_is_named(site: Site) -> None:
    """Made before the deny took effect: the user is denied, and a new plan has to take the key in."""
    prod = site.account()
    alice = furnish(prod)
    site.decide({"alice": Choice.QUARANTINE})

    def make_key() -> None:
        alice.keys["AKIASNEAKED"] = LiveKey()

    with site.serving(when_called(prod, "UpdateAccessKey", make_key)):
        made = site.plan()
        ended = site.apply(made)
        assert reasons(ended) == {"alice": "CHANGED_SINCE_PLANNING"}
        assert words(ended) == {"alice": "FAILED"}
        assert "access key AKIASNEAKED" in ended.outcomes[0].detail
        assert words(site.apply(made)) == {"alice": "FAILED"}, "half done and then refused is no refusal"
    assert alice.keys["AKIASNEAKED"].active


def test_a_policy_that_is_attached_in_the_middle_of_a_removal_leaves_the_user_denied(site: Site) -> None:
    """Each user is named after the call during which somebody attaches it."""
    prod = site.account()
    actions = ("DeleteLoginProfile", "RemoveUserFromGroup", "DetachUserPolicy")
    users = [furnish(prod, action, attached=[]) for action in actions]
    site.decide(dict.fromkeys(actions, Choice.REMOVE))
    admin, deny_all = prod.aws_policy("AdministratorAccess"), prod.aws_policy("AWSDenyAll")

    def attaching(user: LiveUserState) -> Fault:
        return replace(
            when_called(prod, user.name, lambda: user.attached.append(admin)), params={"UserName": user.name}
        )

    with site.serving(*map(attaching, users)):
        ended = site.apply(site.plan())
    assert words(ended) == dict.fromkeys(actions, "FAILED")
    for user in users:
        assert set(user.attached[-2:]) == {admin, deny_all}


def test_a_user_that_others_delete_meanwhile_is_done_and_that_is_said(site: Site) -> None:
    prod = site.account()
    furnish(prod)
    site.decide({"alice": Choice.REMOVE})
    with site.serving(when_called(prod, "DeleteLoginProfile", lambda: prod.kept.users.pop("alice"))):
        ended = site.apply(site.plan())
    assert words(ended) == {"alice": "DONE"}
    assert ended.outcomes[0].detail == "Somebody else had deleted it."


def test_a_namesake_that_is_made_in_the_middle_is_not_touched(site: Site) -> None:
    """The planned user is deleted and made anew between the last look at it and the next call."""
    prod = site.account()
    furnish(prod)
    site.decide({"alice": Choice.REMOVE})

    def recreate() -> None:
        del prod.kept.users["alice"]
        prod.user("alice", serial=2, password=True, keys={"AKIAALICE9": LiveKey(last_used=LONG_AGO)})

    with site.serving() as endpoint:
        made = site.plan()
        endpoint.faults.rules.append(Fault("iam:GetUser", Do(lambda _: recreate()), when=nth(2)))
        ended = site.apply(made)
    namesake = prod.kept.users["alice"]
    assert words(ended) == {"alice": "DONE"}
    assert ended.outcomes[0].detail == "Somebody else had deleted it."
    assert namesake.password is not None
    assert set(namesake.keys) == {"AKIAALICE9"}
