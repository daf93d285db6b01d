"""For any mix of what hangs on users, and in any storm of kills, throttling, denials and changes by others.

No user outside the plan is touched; no step of apply raises rights; nothing is called done that is not; what nobody
disturbs ends as decided; and a quarantine that is undone ends in the state before.
"""

import copy
import os
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from scanner.aws.clients import Meter
from scanner.model import Choice
from scanner.remediation import remediation_journal
from scanner.remediation.carry_out import Application
from scanner.remediation.limits import Allowances
from scanner.remediation.make_plan import Made
from scanner.remediation.outcome import outcomes
from scanner.remediation.remediation_journal import Doing
from tests.aws_endpoint import Do, Fault, deny, sometimes, throttle
from tests.aws_endpoint.faults import Call
from tests.aws_endpoint.iam_state import LiveAccount, LiveKey, State
from tests.remediation.site import ALLOW_S3, DENY_S3, Quiet, Site, words
from tests.remediation.test_kills import KilledError, killed_at_line

EVERYTHING = Allowances(include_active=True, include_last_administrator=True)
NAMES = ("alice", "bob", "carol", "dave")
SEEDS = int(os.environ.get("SEEDS", "2"))  # CONTRIBUTING.md says how to run many


def mixed(prod: LiveAccount, chance: random.Random) -> None:
    """Four users with whatever there is, in groups and under policies that allow, deny, or both."""
    own = prod.own_policy("no-s3", DENY_S3)
    policies = [prod.aws_policy(name) for name in ("ReadOnlyAccess", "AdministratorAccess", "AWSDenyAll")] + [own]
    prod.group("devs", attached=[prod.aws_policy("ReadOnlyAccess")])
    prod.group("admins", attached=[prod.aws_policy("AdministratorAccess")], path="/staff/")
    prod.group("held-back", inline={"no-s3": DENY_S3})
    for name in NAMES:
        mark = name.upper()
        prod.user(
            name,
            path=chance.choice(["/", "/people/"]),
            password=chance.random() < 0.5,
            boundary=chance.choice([None, prod.aws_policy("ReadOnlyAccess")]),
            keys=_keys(f"AKIA{mark}", 2, chance),
            certificates=_keys(f"CERT{mark}", 2, chance),
            ssh_keys=_keys(f"APKA{mark}", 3, chance),
            service_credentials=_keys(f"ACCA{mark}", 2, chance),
            mfa=chance.sample([prod.device(name), f"GAHT{mark}", prod.device(f"{name}-2")], chance.randint(0, 3)),
            inline=dict(chance.sample([("deploy", ALLOW_S3), ("held-back", DENY_S3)], chance.randint(0, 2))),
            attached=chance.sample(policies, chance.randint(0, 4)),
            groups=chance.sample(["devs", "admins", "held-back"], chance.randint(0, 3)),
        )


def _keys(mark: str, most: int, chance: random.Random) -> dict[str, LiveKey]:
    return {f"{mark}{number}": LiveKey(active=chance.random() < 0.6) for number in range(chance.randint(0, most))}


def expected(before: State, choices: dict[str, Choice], prod: LiveAccount) -> State:
    """The state that carrying out the decisions on this one comes to, and nothing else."""
    after = copy.deepcopy(before)
    deny_all = prod.aws_policy("AWSDenyAll")
    for name, choice in choices.items():
        user = after.users[name]
        if choice is Choice.REMOVE:
            after.devices -= set(user.mfa)
            del after.users[name]
            continue
        if deny_all not in user.attached:
            user.attached.append(deny_all)
        for things in (user.keys, user.certificates, user.ssh_keys, user.service_credentials):
            for thing in things.values():
                thing.active = False
    return after


def decided(chance: random.Random) -> dict[str, Choice]:
    """Three of the four users; the fourth is nobody's business."""
    return {name: chance.choice([Choice.REMOVE, Choice.QUARANTINE]) for name in chance.sample(NAMES, 3)}


@pytest.mark.parametrize("seed", range(SEEDS))
def test_any_mix_ends_as_decided_with_nothing_else_touched_and_no_rights_raised(site: Site, seed: int) -> None:
    chance = random.Random(seed)
    prod = site.account()
    mixed(prod, chance)
    choices = decided(chance)
    site.decide(choices)
    before = prod.snapshot()
    with site.serving():
        ended = site.apply(site.plan(allowances=EVERYTHING))
    assert words(ended) == dict.fromkeys(choices, "DONE")
    assert prod.kept == expected(before, choices, prod)
    assert prod.raised == []


@pytest.mark.parametrize("seed", range(SEEDS))
def test_any_mix_is_as_before_once_its_quarantine_is_undone(site: Site, seed: int) -> None:
    chance = random.Random(seed)
    prod = site.account()
    mixed(prod, chance)
    prod.lag = chance.choice([0, 0, 2, 7])
    site.decide(dict.fromkeys(NAMES[:3], Choice.QUARANTINE))
    before = prod.snapshot()
    with site.serving():
        made = site.plan(allowances=EVERYTHING)
        assert set(words(site.apply(made)).values()) == {"DONE"}
        assert prod.raised == []
        touched = {name for name in NAMES[:3] if prod.kept.users[name] != before.users[name]}
        ended = site.undo(made)
    assert words(ended) == {name: "UNDONE" if name in touched else "DONE" for name in NAMES[:3]}
    assert {outcome.left for outcome in ended.outcomes} == {()}
    _assert_same(prod.kept, before)


def _assert_same(now: State, before: State) -> None:
    """The same, but for the order in which policies were attached."""
    for state in (now, before):
        for user in state.users.values():
            user.attached.sort()
    assert now == before


# --- storms ----------------------------------------------------------------------------------------------------------


class Watch(Quiet):
    """Looks, at the moment at which a user is said to be done, whether it is."""

    def __init__(self, made: Made, prod: LiveAccount) -> None:
        super().__init__()
        self._made = made
        self._prod = prod

    def finished(self, word: str, meter: Meter) -> None:
        super().finished(word, meter)
        events = remediation_journal.read(self._made.folder).events
        last = [event for event in events if isinstance(event, remediation_journal.Concluded)][-1]
        assert last.outcome == word
        if word != "DONE":
            return
        (planned,) = (user for user in self._made.plan.users if user.target.user_id == last.user_id)
        user = next((each for each in self._prod.kept.users.values() if each.user_id == last.user_id), None)
        if planned.target.choice is Choice.REMOVE:
            assert user is None, "a user that is still there was called done"
            return
        assert user is not None
        assert self._prod.aws_policy("AWSDenyAll") in user.attached
        things = (user.keys, user.certificates, user.ssh_keys, user.service_credentials)
        assert not any(thing.active for kind in things for thing in kind.values())


def others_at_work(prod: LiveAccount, chance: random.Random, names: tuple[str, ...]) -> Callable[[Call], None]:
    """Change something about one of these users now and then, right before a user is read."""

    def change(_: Call) -> None:
        name = chance.choice(names)
        user = prod.kept.users.get(name)
        if user is None or f"AKIAOTHER{name}" in user.keys:  # a namesake is left as it was made
            return
        what = chance.randrange(7)
        if what == 0:
            user.keys[f"AKIANEW{len(user.keys)}"] = LiveKey()
        elif what == 1 and user.keys:
            user.keys.popitem()
        elif what == 2 and user.keys:
            chance.choice(list(user.keys.values())).active = True
        elif what == 3:
            user.attached.append(prod.aws_policy(f"Policy{len(user.attached)}"))
        elif what == 4 and user.attached:
            user.attached.pop()
        elif what == 5:
            del prod.kept.users[name]
            prod.user(name, serial=chance.randrange(1000), keys={f"AKIAOTHER{name}": LiveKey()})
        else:
            user.password = None
        prod.sync()

    return change


@pytest.mark.parametrize("seed", range(SEEDS))
def test_in_a_storm_with_kills_nothing_false_is_said_and_it_ends_as_decided(
    site: Site, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Throttling, denials, reads that are behind, and kills; nobody else is at work, so it must all come right."""
    chance = random.Random(seed)
    prod = site.account()
    mixed(prod, chance)
    prod.lag = chance.choice([0, 1, 5])
    choices = decided(chance)
    site.decide(choices)
    before = prod.snapshot()
    with site.serving() as endpoint:
        made = site.plan(allowances=EVERYTHING)
        endpoint.faults.rules += [
            Fault("iam:*", throttle, when=sometimes(0.2, seed)),
            Fault("iam:D*", deny, when=sometimes(0.05, seed)),
            Fault("iam:Update*", deny, when=sometimes(0.05, seed + 1)),
        ]
        for _ in range(4):
            with killed_at_line(monkeypatch, chance.randint(2, 60)):
                _survive(site, made, prod)
        endpoint.faults.rules.clear()
        ended = site.apply(made, progress=Watch(made, prod))
    assert words(ended) == dict.fromkeys(choices, "DONE")
    _assert_same(prod.kept, expected(before, choices, prod))
    assert prod.raised == []


@pytest.mark.parametrize("seed", range(2 * SEEDS))
def test_with_others_at_work_no_stranger_is_touched_no_rights_are_raised_and_nothing_false_is_said(
    site: Site, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)
    prod = site.account()
    mixed(prod, chance)
    choices = decided(chance)
    site.decide(choices)
    strangers = {name: copy.deepcopy(user) for name, user in prod.kept.users.items() if name not in choices}
    planned = {prod.kept.users[name].user_id for name in choices}
    with site.serving() as endpoint:
        made = site.plan(allowances=EVERYTHING)
        change = others_at_work(prod, chance, tuple(choices))
        endpoint.faults.rules += [
            Fault("iam:GetUser", Do(change), when=sometimes(0.3, seed)),
            Fault("iam:*", throttle, when=sometimes(0.1, seed)),
            Fault("iam:D*", deny, when=sometimes(0.03, seed)),
        ]
        for _ in range(3):
            with killed_at_line(monkeypatch, chance.randint(2, 80)):
                _survive(site, made, prod)
        endpoint.faults.rules.clear()
        site.apply(made, progress=Watch(made, prod))
    assert {name: prod.kept.users[name] for name in strangers} == strangers
    assert {str(parameters.get("UserName", "")) for _, parameters in prod.made} <= {*choices, ""}
    for name in choices:
        user = prod.kept.users.get(name)
        if user is not None and user.user_id not in planned:  # a namesake, made anew, has all that it was made with
            assert user.keys == {f"AKIAOTHER{name}": LiveKey()}
            assert user.attached == []
    assert prod.raised == []


def _survive(site: Site, made: Made, prod: LiveAccount) -> None:
    with suppress(KilledError):
        site.apply(made, progress=Watch(made, prod))
    for outcome in outcomes(made.plan, remediation_journal.read(made.folder)):
        assert outcome.word in {None, "DONE", "FAILED", "REFUSED"}


def test_the_storms_can_show_a_fault(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a program that takes a read for granted, the watch above finds what is called done and is not."""

    async def trust(self: Any, stage: Any, user: Any) -> Any:
        await self.make(self._todo(stage, user))
        return None if stage[-1].action == "DeleteUser" else user

    prod = site.account()
    mixed(prod, random.Random(1))
    site.decide(dict.fromkeys(NAMES, Choice.QUARANTINE))
    monkeypatch.setattr(Application, "_stage", trust)
    with site.serving() as endpoint:
        made = site.plan(allowances=EVERYTHING)
        wake = others_at_work(prod, random.Random(3), NAMES)
        endpoint.faults.rules.append(Fault("iam:Update*", Do(wake)))
        with pytest.raises(AssertionError):
            site.apply(made, Doing.APPLY, progress=Watch(made, prod))
