"""`commands.sh`: a plan as `aws iam` commands, for those who would rather type. Pure.

It does what the plan says and checks less than `apply` does: that it runs in the right account, and that the user is
still the planned one. It stops at the first error.
"""

import shlex
from collections.abc import Iterable, Iterator
from itertools import groupby

from scanner.remediation.calls import PlannedCall
from scanner.remediation.plan_document import Plan, PlannedUser
from scanner.text import for_terminal

_COMMANDS = {
    "AttachUserPolicy": "attach-user-policy",
    "DeactivateMFADevice": "deactivate-mfa-device",
    "DeleteAccessKey": "delete-access-key",
    "DeleteLoginProfile": "delete-login-profile",
    "DeleteSSHPublicKey": "delete-ssh-public-key",
    "DeleteServiceSpecificCredential": "delete-service-specific-credential",
    "DeleteSigningCertificate": "delete-signing-certificate",
    "DeleteUser": "delete-user",
    "DeleteUserPolicy": "delete-user-policy",
    "DeleteVirtualMFADevice": "delete-virtual-mfa-device",
    "DetachUserPolicy": "detach-user-policy",
    "RemoveUserFromGroup": "remove-user-from-group",
    "UpdateAccessKey": "update-access-key",
    "UpdateSSHPublicKey": "update-ssh-public-key",
    "UpdateServiceSpecificCredential": "update-service-specific-credential",
    "UpdateSigningCertificate": "update-signing-certificate",
}
_OPTIONS = {
    "AccessKeyId": "--access-key-id",
    "CertificateId": "--certificate-id",
    "GroupName": "--group-name",
    "PolicyArn": "--policy-arn",
    "PolicyName": "--policy-name",
    "SSHPublicKeyId": "--ssh-public-key-id",
    "SerialNumber": "--serial-number",
    "ServiceSpecificCredentialId": "--service-specific-credential-id",
    "Status": "--status",
    "UserName": "--user-name",
}
_HEAD = """\
#!/bin/sh
# Plan {plan_id}: {users}, made {created}, not to be used after {expires}.
# The same as: iam-scanner remediate apply {plan_id} --execute
# That checks much more right before each user, keeps a journal, and can undo a quarantine. This script does not.
#
# Sign in to one account, with rights to change its users, and run: sh commands.sh ACCOUNT_ID
# It stops at the first error. What stands before that has been done.
set -eu

same() {{ # what is it, what it is now, what it should be
    if [ "$2" != "$3" ]; then
        echo "$1 is $2 and not $3: nothing was changed here. Stopping." >&2
        exit 1
    fi
}}

same "the account that you are signed in to" "$(aws sts get-caller-identity --query=Account --output=text)" "${{1:-}}"

case "$1" in
"""
_FOOT = """\
*)
    echo "The plan has no account $1. It has: {accounts}" >&2
    exit 1
    ;;
esac
"""


def script(plan: Plan) -> str:
    """Return the whole script. Every value stands in its own word, quoted for the shell."""
    parts = [_head(plan)]
    accounts = []
    for account_id, users in groupby(plan.users, key=lambda user: user.target.account.id):
        accounts.append(account_id)
        parts.append(f"{account_id})\n")
        parts += (f"    {line}\n" if line else "\n" for user in users for line in _user(user))
        parts.append("    ;;\n")
    parts.append(_FOOT.format(accounts=" ".join(accounts)))
    return "".join(parts)


def command(call: PlannedCall) -> str:
    """Return one call as a command. Options have the form --name=value, as a name may begin with a hyphen."""
    options = (f"{_OPTIONS[name]}={shlex.quote(value)}" for name, value in call.parameters.items())
    return " ".join(["aws", "iam", _COMMANDS[call.action], *options])


def _head(plan: Plan) -> str:
    count = len(plan.users)
    return _HEAD.format(
        plan_id=plan.plan_id,
        users="1 user" if count == 1 else f"{count} users",
        created=f"{plan.created_at:%Y-%m-%d %H:%M} UTC",
        expires=f"{plan.expires_at:%Y-%m-%d %H:%M} UTC",
    )


def _user(planned: PlannedUser) -> Iterator[str]:
    target = planned.target
    yield ""
    yield from _comment([f"{target.user_name} ({target.user_id})", target.why, *planned.notes])
    name = f"--user-name={shlex.quote(target.user_name)}"
    current_id = f'"$(aws iam get-user {name} --query=User.UserId --output=text)"'
    yield f"same {shlex.quote(f'the user {target.user_name}')} {current_id} {shlex.quote(target.user_id)}"
    for call in planned.calls:
        yield from _comment([f"takes away {call.takes_away}"])
        yield command(call)


def _comment(lines: Iterable[str]) -> Iterator[str]:
    """Give comments of one line each, whatever line ends others' text holds."""
    return (f"# {for_terminal(line)}" for line in lines)
