"""The order of the calls, what of them is still to be made, and what undo takes back: pure."""

from dataclasses import replace

import pytest

from scanner.aws.attachments import Attachment, LiveUser
from scanner.model import Choice
from scanner.remediation.plan import changed_since, newcomers, planned_calls, remaining, stages, undoing
from tests.remediation.users import (
    DENY_ALL,
    attached,
    certificate,
    everything,
    group,
    hardware_mfa,
    inline,
    key,
    password,
    service_credential,
    ssh_key,
    user,
    virtual_mfa,
)

ALLOW_GROUP, DENY_GROUP = group("allows"), group("denies", denies=True)
DENY_INLINE, DENY_ATTACHED = inline("no-s3", denies=True), attached("arn:aws:iam::111122223333:policy/no", denies=True)


def calls(choice: Choice, of: LiveUser) -> list[str]:
    return [call.words for call in planned_calls(choice, of, "aws")]


def without(of: LiveUser, *gone: Attachment) -> LiveUser:
    keys = {thing.key for thing in gone}
    return replace(of, attachments=tuple(thing for thing in of.attachments if thing.key not in keys))


def with_more(of: LiveUser, *more: Attachment) -> LiveUser:
    return replace(of, attachments=(*of.attachments, *more))


def inactive(of: LiveUser) -> LiveUser:
    things = (replace(thing, active=False) if thing.active else thing for thing in of.attachments)
    return replace(of, attachments=tuple(things))


def left(choice: Choice, of: LiveUser, now: LiveUser | None, **more: frozenset[str]) -> list[str]:
    known = {"deactivated": frozenset[str](), "deleted": frozenset[str]()} | more
    return [call.words for call in remaining(planned_calls(choice, of, "aws"), now, **known)]


# --- order -----------------------------------------------------------------------------------------------------------


def test_a_quarantine_denies_first_then_makes_inactive_what_is_active_and_leaves_the_password() -> None:
    assert calls(Choice.QUARANTINE, everything()) == [
        f"AttachUserPolicy {DENY_ALL}",
        "UpdateAccessKey AKIA1",
        "UpdateSigningCertificate CERT1",
        "UpdateSSHPublicKey APKA1",
        "UpdateServiceSpecificCredential ACCA1",
    ]


def test_a_removal_is_a_quarantine_and_then_all_that_delete_user_asks_for_in_aws_s_order() -> None:
    serial = virtual_mfa().id
    assert calls(Choice.REMOVE, everything()) == [
        *calls(Choice.QUARANTINE, everything()),
        "DeleteLoginProfile",
        "DeleteAccessKey AKIA1",
        "DeleteAccessKey AKIA2",
        "DeleteSigningCertificate CERT1",
        "DeleteSSHPublicKey APKA1",
        "DeleteServiceSpecificCredential ACCA1",
        f"DeactivateMFADevice {serial}",
        f"DeleteVirtualMFADevice {serial}",
        "DeactivateMFADevice GAHT12345678",
        "DeleteUserPolicy deploy",
        "DetachUserPolicy arn:aws:iam::aws:policy/ReadOnlyAccess",
        "RemoveUserFromGroup devs",
        f"DetachUserPolicy {DENY_ALL}",
        "DeleteUser",
    ]


def test_what_denies_goes_after_all_that_does_not_and_awsdenyall_after_that() -> None:
    of = user(DENY_INLINE, inline("allows"), DENY_ATTACHED, attached(), DENY_GROUP, ALLOW_GROUP)
    assert calls(Choice.REMOVE, of)[1:] == [
        "DeleteUserPolicy allows",
        "DetachUserPolicy arn:aws:iam::aws:policy/ReadOnlyAccess",
        "RemoveUserFromGroup allows",
        "DeleteUserPolicy no-s3",
        "DetachUserPolicy arn:aws:iam::111122223333:policy/no",
        "RemoveUserFromGroup denies",
        f"DetachUserPolicy {DENY_ALL}",
        "DeleteUser",
    ]


@pytest.mark.parametrize("partition", ["aws-us-gov", "aws-cn", "aws-eusc"])
def test_awsdenyall_is_the_partition_s_own(partition: str) -> None:
    first, *_ = planned_calls(Choice.QUARANTINE, user(), partition)
    assert first.parameters["PolicyArn"] == f"arn:{partition}:iam::aws:policy/AWSDenyAll"


def test_the_boundary_is_never_touched() -> None:
    of = replace(everything(), boundary="arn:aws:iam::aws:policy/ReadOnlyAccess")
    assert calls(Choice.REMOVE, of) == calls(Choice.REMOVE, everything())


def test_every_call_but_that_on_a_virtual_device_names_the_user() -> None:
    for call in planned_calls(Choice.REMOVE, everything(), "aws"):
        expected = None if call.action == "DeleteVirtualMFADevice" else "alice"
        assert call.parameters.get("UserName") == expected


def test_each_call_is_checked_by_the_arn_that_iam_checks_it_by() -> None:
    resources = {call.action: call.resource for call in planned_calls(Choice.REMOVE, everything(), "aws")}
    groups_and_devices = {
        "RemoveUserFromGroup": "arn:aws:iam::111122223333:group/devs",
        "DeleteVirtualMFADevice": virtual_mfa().id,
    }
    assert resources == dict.fromkeys(resources, everything().arn) | groups_and_devices


def test_the_stages_end_where_the_user_is_read_back() -> None:
    quarantine, between, last = stages(planned_calls(Choice.REMOVE, everything(), "aws"))
    assert quarantine == planned_calls(Choice.QUARANTINE, everything(), "aws")
    assert [call.words for call in last] == [f"DetachUserPolicy {DENY_ALL}", "DeleteUser"]
    assert (*quarantine, *between, *last) == planned_calls(Choice.REMOVE, everything(), "aws")


def test_a_quarantine_is_one_stage() -> None:
    planned = planned_calls(Choice.QUARANTINE, everything(), "aws")
    assert stages(planned) == (planned,)


# --- what is still to be made ----------------------------------------------------------------------------------------


def test_nothing_is_made_that_shows_on_the_user_already() -> None:
    of = everything()
    denied = with_more(inactive(of), attached(DENY_ALL))
    assert left(Choice.QUARANTINE, of, denied) == []
    assert left(Choice.QUARANTINE, of, with_more(of, attached(DENY_ALL)))[0] == "UpdateAccessKey AKIA1"
    assert left(Choice.QUARANTINE, of, inactive(of)) == [f"AttachUserPolicy {DENY_ALL}"]


@pytest.mark.parametrize("gone", everything().attachments, ids=lambda thing: thing.words)
def test_what_is_gone_is_not_taken_off_again(gone: Attachment) -> None:
    of = everything()
    todo = left(Choice.REMOVE, of, without(of, gone))
    assert [words for words in calls(Choice.REMOVE, of) if words not in todo] != []
    assert not any(words.endswith(f" {gone.id}") for words in todo if gone.id)


def test_a_virtual_device_is_deleted_where_this_program_took_it_off_and_not_where_others_did() -> None:
    of, serial = user(virtual_mfa()), virtual_mfa().id
    now = without(of, virtual_mfa())
    delete = f"DeleteVirtualMFADevice {serial}"
    assert delete not in left(Choice.REMOVE, of, now)
    assert delete in left(Choice.REMOVE, of, now, deactivated=frozenset({serial}))
    known = {"deactivated": frozenset({serial}), "deleted": frozenset({serial})}
    assert delete not in left(Choice.REMOVE, of, now, **known)
    assert left(Choice.REMOVE, of, None, deactivated=frozenset({serial})) == [delete]


def test_nothing_is_to_be_done_to_a_user_that_is_gone() -> None:
    assert left(Choice.REMOVE, everything(), None) == []


# --- what is new -----------------------------------------------------------------------------------------------------

NEW = {
    "password": password(),
    "key": key("AKIA9"),
    "certificate": certificate(),
    "SSH key": ssh_key(),
    "service credential": service_credential(active=False),
    "device": hardware_mfa(),
    "inline policy": inline("new"),
    "attached policy": attached("arn:aws:iam::aws:policy/AdministratorAccess"),
    "group": group("admins"),
    "AWSDenyAll": attached(DENY_ALL),
}


@pytest.mark.parametrize("new", NEW.values(), ids=NEW)
def test_whatever_was_attached_since_is_noticed(new: Attachment) -> None:
    of = user(key("AKIA1"))
    assert newcomers(of, with_more(of, new), ours=()) == (new,)
    assert newcomers(of, with_more(of, new), ours=[new.key]) == ()


def test_what_was_made_active_since_is_noticed_and_what_was_made_inactive_or_taken_off_is_not() -> None:
    of = user(key("AKIA1"), key("AKIA2", active=False))
    woken = user(key("AKIA1"), key("AKIA2"))
    assert newcomers(of, woken, ours=()) == (key("AKIA2"),)
    assert newcomers(woken, of, ours=()) == ()
    assert newcomers(of, user(), ours=()) == ()


# --- undo ------------------------------------------------------------------------------------------------------------


def test_undo_takes_the_quarantine_back_in_reverse_and_nothing_else() -> None:
    before = everything()
    done = planned_calls(Choice.QUARANTINE, before, "aws")
    now = with_more(inactive(before), attached(DENY_ALL))
    assert [(call.words, call.parameters.get("Status")) for call in undoing(done, now)] == [
        ("UpdateServiceSpecificCredential ACCA1", "Active"),
        ("UpdateSSHPublicKey APKA1", "Active"),
        ("UpdateSigningCertificate CERT1", "Active"),
        ("UpdateAccessKey AKIA1", "Active"),
        (f"DetachUserPolicy {DENY_ALL}", None),
    ]
    assert changed_since(done, now, before, put_back=()) == ()


def test_undo_leaves_and_names_what_somebody_changed_since() -> None:
    before = user(key("AKIA1"), key("AKIA2"), key("AKIA3", active=False), group("devs"))
    done = planned_calls(Choice.QUARANTINE, before, "aws")
    now = user(key("AKIA1"), key("AKIA3"), inline("new"))
    assert undoing(done, now) == ()
    assert changed_since(done, now, before, put_back=()) == (
        "attached policy arn:aws:iam::aws:policy/AWSDenyAll is no longer there",
        "access key AKIA1 was made active already",
        "access key AKIA2 is no longer there",
        "access key AKIA3 was made active since the plan",
        "inline policy new was attached since the plan",
        "group devs was taken off since the plan",
    )


def test_what_an_undo_that_was_stopped_has_put_back_is_nobody_else_s_change() -> None:
    before = user(key("AKIA1"), key("AKIA2"))
    done = planned_calls(Choice.QUARANTINE, before, "aws")
    now = with_more(user(key("AKIA1"), key("AKIA2", active=False)), attached(DENY_ALL))
    assert changed_since(done, now, before, put_back=[key("AKIA1").key]) == ()
