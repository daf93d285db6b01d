"""What was discovered and decided → ordered calls, and what of them is still to be made. Pure.

The order keeps a user's rights from rising at any step. AWSDenyAll comes first and goes last; what is reversible comes
before what is not; of what gives rights, that which also denies goes after all that does not. The permissions boundary
is never touched.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from scanner.aws.attachments import Attachment, AttachmentKind, Key, LiveUser
from scanner.model import Choice
from scanner.remediation.calls import (
    ACTIVE,
    ATTACH,
    DELETE_DEVICE,
    DELETE_USER,
    INACTIVE,
    WITH_STATUS,
    PlannedCall,
    attach_deny_all,
    delete_device,
    delete_user,
    set_status,
    take_off,
)
from scanner.remediation.limits import deny_all_arn

_CREDENTIALS = (
    AttachmentKind.LOGIN_PROFILE,
    AttachmentKind.ACCESS_KEY,
    AttachmentKind.SIGNING_CERTIFICATE,
    AttachmentKind.SSH_KEY,
    AttachmentKind.SERVICE_CREDENTIAL,
    AttachmentKind.MFA_DEVICE,
)
_RIGHTS = (AttachmentKind.INLINE_POLICY, AttachmentKind.ATTACHED_POLICY, AttachmentKind.GROUP)


def planned_calls(choice: Choice, user: LiveUser, partition: str) -> tuple[PlannedCall, ...]:
    """Return the calls that quarantine or remove the user, in the order in which they are to be made."""
    calls = tuple(_quarantine(user, partition))
    return (*calls, *_removal(user, partition)) if choice is Choice.REMOVE else calls


def _quarantine(user: LiveUser, partition: str) -> Iterator[PlannedCall]:
    """Deny first, then what is active is made inactive; the password stays, as it could not be given back."""
    yield attach_deny_all(user, partition)
    yield from (set_status(user, thing, INACTIVE) for thing in user.of_kind(*WITH_STATUS) if thing.active)


def _removal(user: LiveUser, partition: str) -> Iterator[PlannedCall]:
    for thing in user.of_kind(*_CREDENTIALS):
        yield take_off(user, thing)
        if thing.is_virtual_mfa:
            yield delete_device(thing)
    deny_all = _deny_all(partition)
    rights = [thing for thing in user.of_kind(*_RIGHTS) if thing.key != deny_all.key]
    yield from (take_off(user, thing) for thing in rights if not thing.denies)
    yield from (take_off(user, thing) for thing in rights if thing.denies)
    yield replace(take_off(user, deny_all), takes_away="the deny, once nothing else is left on the user")
    yield delete_user(user)


def _deny_all(partition: str) -> Attachment:
    arn = deny_all_arn(partition)
    return Attachment(kind=AttachmentKind.ATTACHED_POLICY, id=arn, arn=arn, denies=True)


def stages(calls: Sequence[PlannedCall]) -> tuple[tuple[PlannedCall, ...], ...]:
    """Return the calls in stages, each of which is read back before the next one begins.

    Quarantine; then all that hangs on the user but AWSDenyAll; then that, and the user. So AWSDenyAll goes only once it
    was seen that nothing else is left.
    """
    first = tuple(call for call in calls if call.reversible)
    last = tuple(
        call for call in calls if call.action == DELETE_USER or (not call.reversible and _is_deny(call, first))
    )
    between = tuple(call for call in calls if call not in first and call not in last)
    return tuple(stage for stage in (first, between, last) if stage)


def _is_deny(call: PlannedCall, quarantine: Collection[PlannedCall]) -> bool:
    return call.key is not None and any(call.key == other.key for other in quarantine if other.action == ATTACH)


def remaining(
    calls: Sequence[PlannedCall], user: LiveUser | None, deactivated: Collection[str], deleted: Collection[str]
) -> tuple[PlannedCall, ...]:
    """Return which of the calls are still to be made, by what hangs on the user now (None: it is gone).

    A virtual MFA device can no longer be seen on the user once it is deactivated: it is to be deleted where this
    program deactivated it (`deactivated`, serial numbers) and has not seen it deleted (`deleted`).
    """
    return tuple(call for call in calls if _is_to_do(call, user, deactivated, deleted))


def _is_to_do(call: PlannedCall, user: LiveUser | None, deactivated: Collection[str], deleted: Collection[str]) -> bool:
    if call.action == DELETE_DEVICE:
        on_user = user is not None and user.find((AttachmentKind.MFA_DEVICE, call.thing)) is not None
        return on_user or (call.thing in deactivated and call.thing not in deleted)
    if user is None:
        return False
    if call.action == DELETE_USER:
        return True
    thing = user.find(call.key) if call.key else None
    if call.action == ATTACH:
        return thing is None
    if "Status" in call.parameters:
        return thing is not None and thing.active is (call.parameters["Status"] == INACTIVE)
    return thing is not None


def newcomers(planned: LiveUser, now: LiveUser, ours: Collection[Key]) -> tuple[Attachment, ...]:
    """Return what hangs on the user now and did not when it was planned, or was inactive then and is active now.

    What this program attached itself (`ours`) is none of it. What has gone since is none of it either.
    """
    before = {thing.key: thing for thing in planned.attachments}
    return tuple(
        thing
        for thing in now.attachments
        if thing.key not in ours and (thing.key not in before or (thing.active and not before[thing.key].active))
    )


def undoing(done: Sequence[PlannedCall], user: LiveUser) -> tuple[PlannedCall, ...]:
    """Return the calls that put back what these calls did, in the reverse order: AWSDenyAll comes off last.

    Only where the user still is as this program left it; see `changed_since` for the rest.
    """
    calls = []
    for call in reversed(done):
        thing = user.find(call.key) if call.key else None
        if thing is None:
            continue
        if call.action == ATTACH:
            calls.append(take_off(user, thing))
        elif not thing.active:
            calls.append(set_status(user, thing, ACTIVE))
    return tuple(calls)


def changed_since(
    done: Sequence[PlannedCall], user: LiveUser, before: LiveUser, put_back: Collection[Key]
) -> tuple[str, ...]:
    """Name what somebody else changed since a quarantine, and what undo therefore leaves as it is.

    What an earlier undo has put back already (`put_back`) is none of it.
    """
    own: Mapping[Key | None, PlannedCall] = {call.key: call for call in done}
    return tuple(_changes(own, user, before, put_back))


def _changes(
    own: Mapping[Key | None, PlannedCall], user: LiveUser, before: LiveUser, put_back: Collection[Key]
) -> Iterator[str]:
    for key, call in own.items():
        thing = user.find(key) if key else None
        if key in put_back:
            continue
        if thing is None:
            yield f"{call.kind} {call.thing} is no longer there"
        elif call.action != ATTACH and thing.active:
            yield f"{thing.words} was made active already"
    for thing in newcomers(before, user, [key for key in own if key]):
        yield f"{thing.words} was {'made active' if before.find(thing.key) else 'attached'} since the plan"
    for thing in before.attachments:
        if thing.key not in own and user.find(thing.key) is None:
            yield f"{thing.words} was taken off since the plan"
