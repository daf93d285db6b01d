"""The calls that change an IAM user. Each names its user: without UserName, IAM would act on the caller.

What a call came to is a value and not an exception, as the caller records it whatever it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from scanner.aws.clients import Session
from scanner.aws.failures import CallError

WITHOUT_USER_NAME = "DeleteVirtualMFADevice"  # the one call that has no UserName: the device stands for itself
CHANGES = (  # all that remediation may ever call to change something
    "AttachUserPolicy",
    "DeactivateMFADevice",
    "DeleteAccessKey",
    "DeleteLoginProfile",
    "DeleteSSHPublicKey",
    "DeleteServiceSpecificCredential",
    "DeleteSigningCertificate",
    "DeleteUser",
    "DeleteUserPolicy",
    WITHOUT_USER_NAME,
    "DetachUserPolicy",
    "RemoveUserFromGroup",
    "UpdateAccessKey",
    "UpdateSSHPublicKey",
    "UpdateServiceSpecificCredential",
    "UpdateSigningCertificate",
)


class CallResult(StrEnum):
    """What a changing call came to."""

    DONE = "DONE"
    ABSENT = "ABSENT"  # NoSuchEntity: what it is about is not there
    TRY_AGAIN = "TRY_AGAIN"  # what AWS knows has not settled yet
    UNSUPPORTED = "UNSUPPORTED"  # InvalidAction: this partition does not have the action
    QUOTA = "QUOTA"  # LimitExceeded
    FAILED = "FAILED"


_BY_CODE = {
    "NoSuchEntity": CallResult.ABSENT,
    "DeleteConflict": CallResult.TRY_AGAIN,
    "EntityTemporarilyUnmodifiable": CallResult.TRY_AGAIN,
    "ConcurrentModification": CallResult.TRY_AGAIN,
    "InvalidAction": CallResult.UNSUPPORTED,
    "LimitExceeded": CallResult.QUOTA,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallAnswer:
    """What AWS said to a changing call."""

    result: CallResult
    code: str | None = None  # AWS's error code
    detail: str | None = None  # AWS's own message

    @property
    def words(self) -> str:
        return ": ".join(filter(None, (self.code, self.detail))) or self.result


async def change(session: Session, action: str, parameters: Mapping[str, str]) -> CallAnswer:
    """Make one changing call, again after throttling and server errors; never raises for what AWS answers."""
    if action not in CHANGES or (not parameters.get("UserName") and action != WITHOUT_USER_NAME):
        raise ValueError(f"{action} is not a call that names the user it changes")
    try:
        await session.call("iam", action, **parameters)
    except CallError as error:
        failure = error.failure
        result = _BY_CODE.get(failure.code or "", CallResult.FAILED)
        return CallAnswer(result=result, code=failure.code or failure.reason, detail=failure.detail)
    return CallAnswer(result=CallResult.DONE)
