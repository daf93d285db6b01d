"""The calls that change an IAM user. Each names its user: without UserName, IAM would act on the caller.

What a call came to is a value and not an exception, as the caller records it whatever it is.
"""

from collections.abc import Mapping

from scanner.aws.call_answers import CallAnswer, CallResult
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


_BY_CODE = {
    "NoSuchEntity": CallResult.ABSENT,
    "DeleteConflict": CallResult.TRY_AGAIN,
    "EntityTemporarilyUnmodifiable": CallResult.TRY_AGAIN,
    "ConcurrentModification": CallResult.TRY_AGAIN,
    "InvalidAction": CallResult.UNSUPPORTED,
    "LimitExceeded": CallResult.QUOTA,
}


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
