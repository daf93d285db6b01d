"""What an account that keeps state does at the changing calls, and which of them it refuses, in AWS's words.

Sources of the messages: public issues that quote them, for each of the nine kinds that are in DeleteUser's way.
"""

from collections.abc import Callable
from typing import Any

from tests.aws_endpoint.ask import Ask
from tests.aws_endpoint.iam_permissions import check_caller, rights
from tests.aws_endpoint.iam_state import LiveAccount, LiveKey, LiveUserState, no_such
from tests.aws_endpoint.iam_state_reads import READS, answer_read
from tests.aws_endpoint.wire import AwsError, Parameters, Reply

Change = Callable[[LiveAccount, LiveUserState, Parameters], None]
QUOTA_OF_ATTACHED = 10
WITHOUT_USER_NAME = {
    "DeleteVirtualMFADevice",
    "GetAccessKeyLastUsed",
    "GetGroup",
    "GetGroupPolicy",
    "GetPolicy",
    "GetPolicyVersion",
    "ListAttachedGroupPolicies",
    "ListGroupPolicies",
    "ListRoles",
}

# What DeleteUser says while something of a kind is left, in the order in which it looks.
CONFLICTS: tuple[tuple[str, Callable[[LiveUserState], Any]], ...] = (
    ("must delete login profile first.", lambda user: user.password is not None),
    ("must delete access keys first.", lambda user: user.keys),
    ("must delete certificates first.", lambda user: user.certificates),
    ("must remove referenced objects first.", lambda user: user.ssh_keys),
    ("must remove referenced objects first.", lambda user: user.service_credentials),
    ("must delete MFA device first.", lambda user: user.mfa),
    ("must delete policies first.", lambda user: user.inline),
    ("must detach all policies first.", lambda user: user.attached),
    ("must remove users from group first.", lambda user: user.groups),
)


def answer_stateful(account: LiveAccount, ask: Ask) -> Reply:
    """Answer a call about one user: checked against the session policy, and done, or refused, as IAM would."""
    if ask.action in account.missing_actions:
        raise AwsError(400, "InvalidAction", f"Could not find operation {ask.action} for version 2010-05-08")
    if ask.action not in WITHOUT_USER_NAME and not ask.parameters.get("UserName"):
        raise RuntimeError(f"{ask.action} without UserName would act on the caller")
    arn = ask.parameters.get("PolicyArn")
    context = {"iam:PolicyARN": arn} if arn and "UserPolicy" in ask.action else {}
    check_caller(ask.caller, account.role_policy, f"iam:{ask.action}", resource_of(account, ask), context)
    if ask.action in READS:
        return answer_read(account, ask)
    _change(account, ask)
    return ask.reply("")


def resource_of(account: LiveAccount, ask: Ask) -> str:
    """The ARN that IAM checks a call by (Service Authorization Reference)."""
    parameters = ask.parameters
    if ask.action == "DeleteVirtualMFADevice":
        return str(parameters["SerialNumber"])
    if "GroupName" in parameters:
        group = account.kept.live_groups.get(parameters["GroupName"])
        return account.arn("group", group.path if group else "/", parameters["GroupName"])
    if ask.action == "GetAccessKeyLastUsed":  # by the user that has the key
        users = account.kept.users.values()
        owner = next((user for user in users if parameters["AccessKeyId"] in user.keys), None)
        return account.arn("user", owner.path if owner else "/", owner.name if owner else "")
    if "UserName" in parameters:
        user = account.kept.users.get(parameters["UserName"].lower())
        return account.arn("user", user.path if user else "/", user.name if user else parameters["UserName"])
    return str(parameters.get("PolicyArn") or account.arn("role", "/", ""))


def _change(account: LiveAccount, ask: Ask) -> None:
    if ask.action == "DeleteVirtualMFADevice":
        _delete_device(account, ask.parameters["SerialNumber"])
    else:
        user = account.find(account.kept, ask.parameters["UserName"])
        if ask.action == "DeleteUser":
            _refuse_conflict(account.find(account.seen(), user.name))
        account.before_change()
        before = rights(account, account.kept, user)
        CHANGES[ask.action](account, user, ask.parameters)
        if user.name.lower() in account.kept.users and rights(account, account.kept, user) - before:
            account.raised.append(f"{ask.action} {user.name}")
    account.made.append((ask.action, dict(ask.parameters)))
    account.sync()


def _refuse_conflict(user: LiveUserState) -> None:
    for message, is_left in CONFLICTS:
        if is_left(user):
            raise AwsError(409, "DeleteConflict", f"Cannot delete entity, {message}")


def _delete_device(account: LiveAccount, serial: str) -> None:
    if serial not in account.kept.devices:
        raise no_such(f"VirtualMFADevice with serial number {serial} doesn't exist.")
    if any(serial in user.mfa for user in account.kept.users.values()):
        raise AwsError(409, "DeleteConflict", "MFA VirtualDevice in use. Must deactivate first.")
    account.before_change()
    account.kept.devices.discard(serial)


def _set_status(kind: str, parameter: str, name: str) -> Change:
    def change(account: LiveAccount, user: LiveUserState, parameters: Parameters) -> None:
        _one(user, kind, parameters[parameter], name).active = parameters["Status"] == "Active"

    return change


def _delete(kind: str, parameter: str, name: str) -> Change:
    def change(account: LiveAccount, user: LiveUserState, parameters: Parameters) -> None:
        _one(user, kind, parameters[parameter], name)
        del getattr(user, kind)[parameters[parameter]]

    return change


def _one(user: LiveUserState, kind: str, identifier: str, name: str) -> LiveKey:
    keys: dict[str, LiveKey] = getattr(user, kind)
    if identifier not in keys:
        raise no_such(f"The {name} with id {identifier} cannot be found.")
    return keys[identifier]


def _delete_login_profile(account: LiveAccount, user: LiveUserState, parameters: Parameters) -> None:
    if user.password is None:
        raise no_such(f"Login Profile for User {user.name} cannot be found.")
    user.password = None


def _deactivate(account: LiveAccount, user: LiveUserState, parameters: Parameters) -> None:
    _take(user.mfa, parameters["SerialNumber"], "MFA Device invalid for user.")


def _attach(account: LiveAccount, user: LiveUserState, parameters: Parameters) -> None:
    arn = parameters["PolicyArn"]
    if arn in user.attached:
        return
    if len(user.attached) >= QUOTA_OF_ATTACHED:
        message = f"Cannot exceed quota for PoliciesPerUser: {QUOTA_OF_ATTACHED}"
        raise AwsError(409, "LimitExceeded", message)
    user.attached.append(arn)


def _detach(account: LiveAccount, user: LiveUserState, parameters: Parameters) -> None:
    arn = parameters["PolicyArn"]
    _take(user.attached, arn, f"Policy {arn} was not found.")


def _delete_user_policy(account: LiveAccount, user: LiveUserState, parameters: Parameters) -> None:
    name = parameters["PolicyName"]
    if user.inline.pop(name, None) is None:
        raise no_such(f"The user policy with name {name} cannot be found.")


def _leave_group(account: LiveAccount, user: LiveUserState, parameters: Parameters) -> None:
    name = parameters["GroupName"]
    _take(user.groups, name, f"User {user.name} is not in group {name}.")


def _delete_user(account: LiveAccount, user: LiveUserState, parameters: Parameters) -> None:
    del account.kept.users[user.name.lower()]


def _take(values: list[str], value: str, otherwise: str) -> None:
    if value not in values:
        raise no_such(otherwise)
    values.remove(value)


CHANGES: dict[str, Change] = {
    "AttachUserPolicy": _attach,
    "DeactivateMFADevice": _deactivate,
    "DeleteAccessKey": _delete("keys", "AccessKeyId", "Access Key"),
    "DeleteLoginProfile": _delete_login_profile,
    "DeleteSSHPublicKey": _delete("ssh_keys", "SSHPublicKeyId", "Public Key"),
    "DeleteServiceSpecificCredential": _delete(
        "service_credentials", "ServiceSpecificCredentialId", "Service Specific Credential"
    ),
    "DeleteSigningCertificate": _delete("certificates", "CertificateId", "Certificate"),
    "DeleteUser": _delete_user,
    "DeleteUserPolicy": _delete_user_policy,
    "DetachUserPolicy": _detach,
    "RemoveUserFromGroup": _leave_group,
    "UpdateAccessKey": _set_status("keys", "AccessKeyId", "Access Key"),
    "UpdateSSHPublicKey": _set_status("ssh_keys", "SSHPublicKeyId", "Public Key"),
    "UpdateServiceSpecificCredential": _set_status(
        "service_credentials", "ServiceSpecificCredentialId", "Service Specific Credential"
    ),
    "UpdateSigningCertificate": _set_status("certificates", "CertificateId", "Certificate"),
}
STATEFUL = frozenset({*READS, *CHANGES, "DeleteVirtualMFADevice"})
