"""What went wrong for others when they removed IAM users: each a named test. The numbers are those of their issues."""

import json
from datetime import timedelta

import pytest

from scanner.errors import UsageError
from scanner.model import Choice
from scanner.remediation import remediation_journal
from scanner.remediation.limits import Allowances
from scanner.remediation.outcome import outcomes
from scanner.remediation.targets import Part
from scanner.settings import ExcludedAccount, ExcludedOu
from tests.aws_endpoint import Do, Fault, deny, empty_organization, first
from tests.aws_endpoint.iam_state import LiveKey, LiveRole
from tests.remediation.site import LONG_AGO, NOW, RUN_ID, Site, furnish, reasons, spared, words

TWO_KEYS = {"AKIAONE": LiveKey(last_used=LONG_AGO), "AKIATWO": LiveKey(last_used=LONG_AGO)}


def test_cloud_custodian_5583_a_key_that_the_plan_does_not_name_is_neither_disabled_nor_deleted(site: Site) -> None:
    """Two keys, of which one was meant, and both were disabled, and later deleted."""
    prod = site.account()
    alice = prod.user("alice", keys={"AKIAONE": LiveKey(last_used=LONG_AGO)})
    site.decide({"alice": Choice.QUARANTINE})
    with site.serving():
        made = site.plan()
        alice.keys["AKIATWO"] = LiveKey()
        assert words(site.apply(made)) == {"alice": "REFUSED"}
        assert alice.keys["AKIATWO"].active
        del alice.keys["AKIATWO"]
        assert words(site.apply(made)) == {"alice": "DONE"}
    assert [parameters.get("AccessKeyId") for _, parameters in prod.made] == [None, "AKIAONE"]


def test_cloud_custodian_6732_a_key_that_was_used_the_same_day_keeps_its_user(site: Site) -> None:
    """An age filter disabled keys that were in use: age says nothing of use, and unknown use counts as use."""
    prod = site.account()
    prod.user("alice", keys={"AKIAOLD": LiveKey(created_at=LONG_AGO, last_used=NOW)})
    prod.user("bob", ssh_keys={"APKAOLD": LiveKey(created_at=LONG_AGO)})
    site.decide(dict.fromkeys(("alice", "bob"), Choice.REMOVE))
    with site.serving():
        assert spared(site.plan()) == {"alice": "RECENTLY_USED", "bob": "USE_UNKNOWN"}


def test_guardian_security_hq_missing_data_selects_nobody(site: Site) -> None:
    """A tag that was missing selected users. Here: a row of removals.json that lacks what says who and what."""
    furnish(site.account())
    removals = site.decide({"alice": Choice.REMOVE})
    document = json.loads(removals.read_bytes())
    for lost in ("decision", "user_id", "account_id", "user_name", "arn", "reviewer", "reviewed_on"):
        entry = {name: value for name, value in document["removals"][0].items() if name != lost}
        removals.write_text(json.dumps(document | {"removals": [entry]}), encoding="utf-8")
        with pytest.raises(UsageError, match="removal 1"):
            site.plan()


def test_guardian_security_hq_an_account_that_was_not_read_has_nobody_to_quarantine(site: Site) -> None:
    site.account("prod").user("alice")
    folder = site.scan()
    journal = (folder / "journal.jsonl").read_bytes()
    assert b'"outcome":"SCANNED"' in journal
    site.accounts["prod"].user("bob")  # made since: the run does not have it
    with site.serving():
        made = site.plan(RUN_ID, quarantine=True)
    assert [user.target.user_name for user in made.plan.users] == ["alice"]


def test_an_aws_solutions_runbook_an_error_is_never_swallowed_into_success(site: Site) -> None:
    prod = site.account()
    furnish(prod)
    site.decide({"alice": Choice.REMOVE})
    with site.serving(Fault("iam:DetachUserPolicy", deny)):
        ended = site.apply(site.plan())
    assert words(ended) == {"alice": "FAILED"}
    assert ended.exit_code == 4


def test_success_and_failure_are_counted_from_the_journal_and_not_on_the_way(site: Site) -> None:
    """Counted the wrong way round elsewhere: what is shown, results.csv and status all come from the same lines."""
    prod = site.account()
    furnish(prod)
    furnish(prod, "bob")
    site.decide(dict.fromkeys(("alice", "bob"), Choice.REMOVE))
    with site.serving(Fault("iam:DeleteLoginProfile", deny, params={"UserName": "bob"})):
        made = site.plan()
        ended = site.apply(made)
    again = outcomes(made.plan, remediation_journal.read(made.folder))
    assert [(each.planned.target.user_name, each.word) for each in again] == [("alice", "DONE"), ("bob", "FAILED")]
    assert ended.outcomes == again


def test_terraform_9863_what_is_said_to_be_destroyed_is_not_there(site: Site) -> None:
    prod = site.account()
    alice = furnish(prod)
    site.decide({"alice": Choice.REMOVE})

    def back(_: object) -> None:
        prod.kept.users.setdefault("alice", alice)
        prod.sync()

    with site.serving() as endpoint:
        made = site.plan()
        endpoint.faults.rules.append(Fault("iam:ListUsers", Do(back)))
        assert words(site.apply(made)) == {"alice": "FAILED"}


def test_ansible_27247_what_can_stop_a_deletion_is_found_before_the_first_change(site: Site) -> None:
    """The password was gone, and then the MFA device could not be read: the user was left half deleted."""
    prod = site.account()
    furnish(prod)
    before = prod.snapshot()
    site.decide({"alice": Choice.REMOVE})
    for call in ("ListMFADevices", "ListServiceSpecificCredentials", "ListSSHPublicKeys", "ListSigningCertificates"):
        with site.serving(Fault(f"iam:{call}", deny)):
            assert spared(site.plan()) == {"alice": "READ_FAILED"}
    with site.serving() as endpoint:
        made = site.plan()
        endpoint.faults.rules.append(Fault("iam:ListMFADevices", deny))
        assert words(site.apply(made)) == {"alice": "FAILED"}
    assert prod.kept == before


def test_aws_nuke_281_and_470_what_is_reversible_comes_first_and_a_half_done_user_says_what_is_left(
    site: Site,
) -> None:
    prod = site.account()
    furnish(prod)
    site.decide({"alice": Choice.REMOVE})
    with site.serving(Fault("iam:DeleteLoginProfile", deny)):
        ended = site.apply(site.plan())
    assert [action for action, _ in prod.made] == ["AttachUserPolicy", "UpdateAccessKey"]
    (failed,) = ended.outcomes
    assert "console password" in failed.left
    assert f"MFA device {prod.device('alice')}" in failed.left
    assert "SSH public key APKAALICE (inactive)" in failed.left


def test_terraform_provider_aws_4176_each_of_the_nine_kinds_is_taken_off(site: Site) -> None:
    prod = site.account()
    furnish(prod)
    site.decide({"alice": Choice.REMOVE})
    with site.serving():
        assert words(site.apply(site.plan())) == {"alice": "DONE"}
    taken = {action for action, _ in prod.made}
    assert taken >= {
        "DeleteLoginProfile",
        "DeleteAccessKey",
        "DeleteSigningCertificate",
        "DeleteSSHPublicKey",
        "DeleteServiceSpecificCredential",
        "DeactivateMFADevice",
        "DeleteVirtualMFADevice",
        "DeleteUserPolicy",
        "DetachUserPolicy",
        "RemoveUserFromGroup",
    }


def test_aws_nuke_a_removal_that_fails_leaves_no_user_with_more_rights_than_before(site: Site) -> None:
    """The boundary was removed before DeleteUser, which then failed. Each user is named after the call that fails."""
    prod = site.account()
    prod.group("admins", attached=[prod.aws_policy("AdministratorAccess")])
    fails = ("DeleteUser", "DetachUserPolicy", "RemoveUserFromGroup", "DeleteUserPolicy")
    boundary = prod.aws_policy("ReadOnlyAccess")
    users = [furnish(prod, call, boundary=boundary, groups=["admins"]) for call in fails]
    site.decide(dict.fromkeys(fails, Choice.REMOVE))
    with site.serving(*(Fault(f"iam:{call}", deny, params={"UserName": call}) for call in fails)):
        made = site.plan(allowances=Allowances(include_last_administrator=True))
        assert words(site.apply(made)) == dict.fromkeys(fails, "FAILED")
    assert prod.raised == []
    for user in users:
        assert user.boundary == boundary
        assert prod.aws_policy("AWSDenyAll") in user.attached
    assert "DeleteUserPermissionsBoundary" not in {action for action, _ in prod.made}


def test_offensai_a_deny_that_the_attacker_takes_off_again_is_read_again_and_put_back(site: Site) -> None:
    prod = site.account()
    alice = furnish(prod)
    site.decide({"alice": Choice.REMOVE})
    deny_all = prod.aws_policy("AWSDenyAll")

    def take_off(_: object) -> None:
        alice.attached.remove(deny_all)

    with site.serving(Fault("iam:UpdateAccessKey", Do(take_off), when=first(1))):
        ended = site.apply(site.plan())
    assert words(ended) == {"alice": "DONE"}
    assert [action for action, _ in prod.made][:3] == ["AttachUserPolicy", "UpdateAccessKey", "AttachUserPolicy"]


def test_terraform_provider_aws_48471_and_10386_an_action_that_a_partition_lacks_stops_nothing(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("china"))
    site = Site(world=empty_organization(partition="aws-cn"))
    prod = site.account()
    furnish(prod, service_credentials={}, ssh_keys={})
    prod.missing_actions = frozenset({"ListServiceSpecificCredentials", "ListSSHPublicKeys"})
    site.decide({"alice": Choice.REMOVE})
    with site.serving():
        assert words(site.apply(site.plan())) == {"alice": "DONE"}


def test_aws_size_62_ten_managed_policies_are_a_clear_refusal(site: Site) -> None:
    prod = site.account()
    prod.user("alice", attached=[prod.aws_policy(f"Policy{number}") for number in range(10)])
    site.decide({"alice": Choice.QUARANTINE})
    with site.serving():
        made = site.plan()
    assert spared(made) == {"alice": "POLICY_QUOTA"}
    detail = "10 managed policies are attached, so AWSDenyAll cannot be. Detach one that gives rights."
    assert made.plan.spared[0].detail == detail
    assert prod.made == []


def test_cloud_nuke_764_exclusion_wins_and_the_plan_names_whom_it_spares(site: Site) -> None:
    """Excluded things were removed all the same."""
    prod = site.account()
    furnish(prod)
    furnish(prod, "bob")
    entry = f"version: 1\naccounts:\n  '{prod.id}':\n    - {{user: bob, reason: needed}}\n"
    site.safelist.write_text(entry, encoding="utf-8")
    site.decide(dict.fromkeys(("alice", "bob"), Choice.REMOVE))
    with site.serving():
        made = site.plan()
        assert spared(made) == {"bob": "APPROVED"}
        assert [user.target.user_name for user in made.plan.users] == ["alice"]
        site.apply(made)
    assert set(prod.kept.users) == {"bob"}
    assert b"bob" in (made.folder / "plan.json").read_bytes()


def test_cloud_nuke_764_what_the_settings_exclude_is_not_touched_either(site: Site) -> None:
    """Also where it was excluded only after the plan was made, and by an OU above it."""
    accounts = {name: site.account(name, unit) for name, unit in (("prod", None), ("legacy", "Old"), ("dev", None))}
    for prod in accounts.values():
        furnish(prod)
    site.decide({"alice": Choice.REMOVE})
    excluded = ExcludedAccount(account=accounts["prod"].id, reason="audited by another team")
    site.settings = site.settings.with_(exclude_account=(excluded,))
    with site.serving():
        made = site.plan()
        assert {(each.target.account.name, each.reason) for each in made.plan.spared} == {("prod", "EXCLUDED")}
        assert made.plan.spared[0].detail == "The settings exclude its account: audited by another team."
        site.settings = site.settings.with_(exclude_ou=(ExcludedOu(ou="Root/Old", reason="frozen"),))
        ended = site.apply(made)
    found = {each.planned.target.account.name: each.reason or each.word for each in ended.outcomes}
    assert found == {"legacy": "EXCLUDED", "dev": "DONE"}
    assert [prod.made == [] for prod in accounts.values()] == [True, True, False]


def test_baton_aws_a_namesake_that_was_made_anew_is_not_deleted_by_its_name(site: Site) -> None:
    prod = site.account()
    furnish(prod)
    site.decide({"alice": Choice.REMOVE})
    with site.serving():
        made = site.plan()
        del prod.kept.users["alice"]
        namesake = furnish(prod, serial=2)
        before = prod.snapshot()
        assert reasons(site.apply(made)) == {"alice": "OTHER_USER_ID"}
    assert namesake.user_id != made.plan.users[0].target.user_id
    assert prod.kept == before


def test_cloud_custodian_9961_roles_whose_trust_names_the_user_are_listed(site: Site) -> None:
    """Once the principal is gone, AWS no longer takes the policy as it stands."""
    prod = site.account()
    alice = furnish(prod)
    for name, principal in (("by-arn", prod.arn("user", "/", "alice")), ("by-id", alice.user_id), ("no", "*")):
        trust = {"Statement": [{"Principal": {"AWS": ["arn:aws:iam::1:root", principal]}, "Effect": "Allow"}]}
        prod.live_roles.append(LiveRole(name=name, trust=json.dumps(trust)))
    site.decide({"alice": Choice.REMOVE})
    with site.serving():
        (user,) = site.plan().plan.users
    told = [note for note in user.notes if "trust policy" in note]
    assert [note.split(" names it")[0] for note in told] == [
        f"The trust policy of {prod.arn('role', '/', 'by-arn')}",
        f"The trust policy of {prod.arn('role', '/', 'by-id')}",
    ]


def test_modernisation_platform_12213_hundreds_at_once_need_to_be_asked_for(site: Site) -> None:
    prod = site.account()
    for number in range(26):
        prod.user(f"user{number}")
    site.decide({f"user{number}": Choice.REMOVE for number in range(26)})
    with site.serving() as endpoint:
        with pytest.raises(UsageError, match=r"26 users are more than the 25 .* --max-users 26"):
            site.plan()
        assert endpoint.calls == []
        part = site.plan(part=Part(users=("user1", "user2")))
        assert len(part.plan.users) == 2
        made = site.plan(max_users=26)
        endpoint.calls.clear()
        with pytest.raises(UsageError, match="--max-users 26"):
            site.apply(made)
        assert endpoint.calls == []
    assert prod.made == []


def test_modernisation_platform_12213_a_removal_can_be_made_to_wait_for_a_quarantine(site: Site) -> None:
    furnish(site.account())
    site.decide({"alice": Choice.REMOVE})
    with site.serving():
        made = site.plan(allowances=Allowances(removal_after_quarantine_days=30))
    assert spared(made) == {"alice": "NOT_QUARANTINED"}


def test_two_keys_are_told_apart_by_their_ids_to_the_end(site: Site) -> None:
    prod = site.account()
    prod.user("alice", keys={**TWO_KEYS, "AKIAONE": LiveKey(active=False, created_at=NOW - timedelta(days=90))})
    site.decide({"alice": Choice.QUARANTINE})
    with site.serving():
        made = site.plan()
        site.apply(made)
        site.undo(made)
    keys = prod.kept.users["alice"].keys
    assert (keys["AKIAONE"].active, keys["AKIATWO"].active) == (False, True)
