"""What does not fit together ends with exit 2 before any call in an account, each in its own words."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from scanner.errors import ExitCode, ScannerError, UsageError
from scanner.model import Basis, Choice, Determination, Evidence, UserId
from scanner.record import SafelistText, Snapshot, UserState
from scanner.remediation import plan_folder
from scanner.remediation.plan_document import PlannedUser, encode
from scanner.remediation.targets import Part
from tests.aws_endpoint import Fault, deny, empty_organization
from tests.builders import account_id
from tests.program import NOBODY
from tests.remediation.site import NOW, RUN_ID, Site, furnish, words

Edit = Callable[[dict[str, Any]], object]


@pytest.fixture
def decided(site: Site) -> Site:
    prod = site.account()
    furnish(prod)
    furnish(prod, "bob")
    site.decide({"alice": Choice.REMOVE, "bob": Choice.QUARANTINE})
    return site


def refused(site: Site, call: Callable[[], object]) -> str:
    """The words of the refusal; nothing of any account was asked, and nothing written."""
    before = {path: path.stat().st_mtime_ns for path in site.output.rglob("*")}
    asked = len(site.endpoint.calls) if site.endpoint else 0
    with pytest.raises(ScannerError) as caught:
        call()
    assert caught.value.exit_code is ExitCode.USAGE
    calls = site.endpoint.calls[asked:] if site.endpoint else []
    assert not [each.name for each in calls if each.service == "iam" or each.action == "AssumeRole"]
    assert {path: path.stat().st_mtime_ns for path in site.output.rglob("*")} == before
    return str(caught.value)


# --- removals.json ---------------------------------------------------------------------------------------------------

EDITS: dict[str, tuple[Edit, str]] = {
    "a run that is not there": (
        lambda doc: doc.update(run_id="20200101T000000Z-abcdef"),
        r"Its run cannot be read: There is no run 'reports/20200101T000000Z-abcdef'",
    ),
    "no run id": (lambda doc: doc.update(run_id="../../etc"), r"'../../etc' is not a run ID"),
    "another journal": (
        lambda doc: doc.update(journal_sha256="0" * 64),
        r"The journal of run .* is not the one that was reviewed",
    ),
    "an unknown decision": (
        lambda doc: doc["removals"][0].update(decision="Delete"),
        r"removal 1: 'Delete' is not a decision to remove or quarantine",
    ),
    "a decision to keep": (
        lambda doc: doc["removals"][0].update(decision="Keep"),
        r"removal 1: 'Keep' is not a decision to remove or quarantine",
    ),
    "a user that is not in the run": (
        lambda doc: doc["removals"][0].update(user_id="AIDAMALLORY"),
        r"removal 1: The run does not have the user 'alice' \(AIDAMALLORY\)",
    ),
    "another name": (
        lambda doc: doc["removals"][0].update(user_name="root"),
        r"removal 1: The run has AIDA\w+ as arn:aws:iam::\d+:user/alice",
    ),
    "the same user twice": (
        lambda doc: doc["removals"].append(dict(doc["removals"][0])),
        r"removal 3: The user alice of account \d+ stands there twice",
    ),
    "another schema": (lambda doc: doc.update(schema_version=9), "This is not a removals.json of this program"),
    "no list": (lambda doc: doc.update(removals={}), "This is not a removals.json of this program"),
    "a list of numbers": (lambda doc: doc.update(removals=[1]), "removal 1: None is not a decision"),
}


@pytest.mark.parametrize(("edit", "told"), EDITS.values(), ids=EDITS)
def test_removals_that_do_not_fit_their_run(decided: Site, edit: Edit, told: str) -> None:
    document = json.loads(decided.removals.read_bytes())
    edit(document)
    decided.removals.write_text(json.dumps(document), encoding="utf-8")
    with decided.serving():
        assert re.search(told, refused(decided, decided.plan))


def test_all_that_is_wrong_is_said_at_once(decided: Site) -> None:
    document = json.loads(decided.removals.read_bytes())
    document["removals"][0]["decision"] = "Delete"
    document["removals"][1]["user_id"] = "AIDAMALLORY"
    decided.removals.write_text(json.dumps(document), encoding="utf-8")
    assert re.search("removal 1: (.|\n)*removal 2: ", refused(decided, decided.plan))


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b'{"removals": []}'])
def test_a_file_that_is_none(decided: Site, content: bytes) -> None:
    decided.removals.write_bytes(content)
    assert "This is not a removals.json of this program" in refused(decided, decided.plan)


def test_no_file_at_all_and_a_run_without_its_option(decided: Site) -> None:
    assert "or a run with --quarantine" in refused(decided, lambda: decided.plan("nowhere.json"))
    assert "or a run with --quarantine" in refused(decided, lambda: decided.plan(decided.output / RUN_ID))


def test_a_journal_that_was_changed(decided: Site) -> None:
    journal = decided.output / RUN_ID / "journal.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b'"alice"', b'"malle"'))
    assert "journal line 3 does not follow line 2" in refused(decided, decided.plan)


def test_two_sources_for_one_user(decided: Site) -> None:
    other = decided.removals.with_name("copy.json")
    other.write_bytes(decided.removals.read_bytes())
    told = refused(decided, lambda: decided.plan(decided.removals, other))
    assert re.search(r"The user alice \(AIDA\w+\) of account \d+ is in two of the sources", told)


def test_nobody_to_remove(decided: Site) -> None:
    document = json.loads(decided.removals.read_bytes()) | {"removals": []}
    decided.removals.write_text(json.dumps(document), encoding="utf-8")
    assert "there is nothing to plan" in refused(decided, decided.plan)


@pytest.mark.parametrize(
    ("part", "told"),
    [
        (Part(users=("mallory",)), "Nobody of mallory is to be removed or quarantined here"),
        (Part(accounts=("123",)), "'123' is not a valid account ID"),
        (Part(accounts=("000000000000",)), "Nobody of 000000000000"),
        (Part(users=("alice", "mallory")), "Nobody of mallory"),
    ],
)
def test_a_part_that_is_none(decided: Site, part: Part, told: str) -> None:
    assert told in refused(decided, lambda: decided.plan(part=part))


# --- runs, for quarantine --------------------------------------------------------------------------------------------


def safelisted(*names: str) -> str:
    return "version: 1\nglobal:\n" + "".join(f"  - {name}\n" for name in names)


def test_a_lost_safelist_does_not_quarantine_a_company(site: Site) -> None:
    """The run was decided with a safelist that approved three of four; today's approves one."""
    prod = site.account()
    for name in ("alice", "bob", "carol", "dave"):
        furnish(prod, name)
    site.scan(safelists=(SafelistText(path="s.yaml", text=safelisted("alice", "bob", "carol")),))
    site.safelist.write_text(safelisted("alice"), encoding="utf-8")
    told = refused(site, lambda: site.plan(RUN_ID, quarantine=True))
    assert "the approved users fell by more than half, as they do where a safelist is lost" in told
    site.safelist.write_text(safelisted("alice", "bob"), encoding="utf-8")
    with site.serving():
        made = site.plan(RUN_ID, quarantine=True)
    assert [user.target.user_name for user in made.plan.users] == ["carol", "dave"]


def test_a_safelist_that_was_lost_before_the_run_does_not_either(site: Site) -> None:
    prod = site.account()
    for name in ("alice", "bob", "carol"):
        furnish(prod, name)
    previous = Snapshot(
        run_id="20260101T000000Z-abcdef",
        digest="0" * 64,
        started_at=NOW - timedelta(days=90),
        accounts={account_id(prod.id): "prod"},
        outside=frozenset(),
        users=tuple(_approved(prod.id, name) for name in ("alice", "bob", "carol")),
    )
    site.scan(previous_run=previous)
    assert "there were 3 before" in refused(site, lambda: site.plan(RUN_ID, quarantine=True))


def _approved(account: str, name: str) -> UserState:
    return UserState(
        account_id=account_id(account),
        user_id=UserId(f"AIDA{name}"),
        user_name=name,
        determination=Determination.APPROVED,
        basis=Basis.SAFELISTED,
        evidence=Evidence.BASIC,
        administrator=None,
        policies=(),
        boundary=False,
    )


def test_a_run_that_is_not_there(site: Site) -> None:
    assert "There is no run 'nowhere'" in refused(site, lambda: site.plan("nowhere", quarantine=True))


# --- plans -----------------------------------------------------------------------------------------------------------


def edited(folder: Path, edit: Callable[[str], str]) -> None:
    path = folder / plan_folder.PLAN
    path.write_text(edit(path.read_text(encoding="ascii")), encoding="ascii")


def test_a_plan_that_was_edited(decided: Site) -> None:
    with decided.serving():
        made = decided.plan()
        edited(made.folder, lambda text: text.replace("AKIAALICE1", "AKIAROOT01"))
        assert "was changed since it was written: its digest differs" in refused(decided, lambda: decided.apply(made))


def test_a_plan_that_is_older_than_seven_days(decided: Site) -> None:
    with decided.serving():
        made = decided.plan()
        late = NOW + timedelta(days=7, seconds=1)
        assert "a plan lives for seven days" in refused(decided, lambda: decided.apply(made, now=late))
        assert set(words(decided.apply(made, now=late - timedelta(seconds=1))).values()) == {"DONE"}


def test_a_plan_of_another_organization(decided: Site) -> None:
    with decided.serving():
        made = decided.plan()
        decided.world.id = "o-elsewhere01"
        told = refused(decided, lambda: decided.apply(made))
    assert told.startswith("This is of o-example0001 in aws, and the caller is of o-elsewhere01 in aws.")


def test_a_run_of_another_organization(decided: Site) -> None:
    decided.world.id = "o-elsewhere01"
    with decided.serving():
        assert "the caller is of o-elsewhere01" in refused(decided, decided.plan)


def test_a_plan_of_another_partition(decided: Site) -> None:
    with decided.serving():
        made = decided.plan()
    elsewhere = replace(decided, world=empty_organization(partition="aws-us-gov"))
    with elsewhere.serving():
        assert "in aws-us-gov" in refused(elsewhere, lambda: elsewhere.apply(made))


def test_a_plan_that_names_a_user_twice(decided: Site) -> None:
    with decided.serving():
        made = decided.plan()
        doubled = replace(made.plan, users=(made.plan.users[0], *made.plan.users))
        (made.folder / plan_folder.PLAN).write_bytes(encode(doubled)[0])
        assert "plans the user alice of" in refused(decided, lambda: decided.apply(made))


FORGED: dict[str, Callable[[PlannedUser], PlannedUser]] = {
    "another user's call": lambda user: replace(
        user, calls=tuple(replace(call, parameters={**call.parameters, "UserName": "root"}) for call in user.calls)
    ),
    "another resource": lambda user: replace(user, calls=tuple(replace(call, resource="*") for call in user.calls)),
    "one call less": lambda user: replace(user, calls=user.calls[1:]),
    "another ARN": lambda user: replace(user, before=replace(user.before, arn="arn:aws:iam::1:user/root")),
    "another ID": lambda user: replace(user, before=replace(user.before, user_id=UserId("AIDAROOT"))),
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_a_plan_whose_calls_do_not_follow_from_it_though_its_digest_was_made_anew(
    decided: Site, forge: Callable[[PlannedUser], PlannedUser]
) -> None:
    with decided.serving():
        made = decided.plan()
        forged = replace(made.plan, users=(forge(made.plan.users[0]), *made.plan.users[1:]))
        (made.folder / plan_folder.PLAN).write_bytes(encode(forged)[0])
        assert "has calls that do not follow from what it says" in refused(decided, lambda: decided.apply(made))


def test_a_plan_that_was_exchanged_after_it_was_begun(decided: Site) -> None:
    with decided.serving():
        made = decided.plan()
        decided.apply(made, part=Part(users=("alice",)))
        (made.folder / plan_folder.PLAN).write_bytes(encode(replace(made.plan, role_name="Other"))[0])
        assert "plan.json was exchanged since" in refused(decided, lambda: decided.apply(made))


@pytest.mark.parametrize("content", [b"", b"[]", b'{"plan": {}, "sha256": ""}', b"\xff"])
def test_a_file_that_is_no_plan(decided: Site, content: bytes) -> None:
    with decided.serving():
        made = decided.plan()
        (made.folder / plan_folder.PLAN).write_bytes(content)
        assert re.search("is not a plan of this program|was changed", refused(decided, lambda: decided.apply(made)))


def test_a_user_that_is_half_done_by_another_plan(decided: Site) -> None:
    with decided.serving(Fault("iam:DeleteAccessKey", deny)) as endpoint:
        first = decided.plan()
        second = decided.plan(now=NOW + timedelta(seconds=1))
        assert words(decided.apply(first)) == {"alice": "FAILED", "bob": "DONE"}
        told = refused(decided, lambda: decided.apply(second))
        assert f"is half done by the plan {first.plan.plan_id}" in told
        assert "is half done by the plan" in refused(decided, decided.plan)
        endpoint.faults.rules.clear()
        assert words(decided.apply(first)) == {"alice": "DONE", "bob": "DONE"}


def test_a_plan_that_is_not_there_or_not_the_only_one(decided: Site) -> None:
    with decided.serving():
        made = decided.plan()
        decided.plan(now=NOW + timedelta(seconds=1))
    with pytest.raises(UsageError, match="There is no plan 'nowhere'"):
        plan_folder.find("nowhere", decided.output)
    with pytest.raises(UsageError, match="the beginning of several plans"):
        plan_folder.find(made.plan.plan_id[:8], decided.output)
    assert plan_folder.find(made.plan.plan_id, decided.output) == made.folder


def test_a_safelist_that_is_broken_or_of_another_organization(decided: Site) -> None:
    with decided.serving():
        made = decided.plan()
        decided.safelist.write_text(NOBODY + "nonsense: 1\n", encoding="utf-8")
        assert "nonsense" in refused(decided, lambda: decided.apply(made))
        decided.safelist.write_text(NOBODY + "organization: o-elsewhere01\n", encoding="utf-8")
        assert "o-elsewhere01" in refused(decided, lambda: decided.apply(made))


def test_a_ledger_that_is_broken(decided: Site) -> None:
    with decided.serving():
        made = decided.plan()
        (decided.output / "decisions.csv").write_text("nonsense", encoding="utf-8")
        assert "decisions.csv" in refused(decided, lambda: decided.apply(made))
