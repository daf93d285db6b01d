"""The changing calls that may be planned for a user: which call does what to which kind of attachment. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from scanner.aws.attachments import Attachment, AttachmentKind, Key, LiveUser
from scanner.remediation.limits import deny_all_arn

ATTACH, DETACH = "AttachUserPolicy", "DetachUserPolicy"
DEACTIVATE = "DeactivateMFADevice"
DELETE_USER, DELETE_DEVICE = "DeleteUser", "DeleteVirtualMFADevice"
ACTIVE, INACTIVE = "Active", "Inactive"

# Kind → the call that sets its status, and the parameter that names the thing.
_SET_STATUS = {
    AttachmentKind.ACCESS_KEY: ("UpdateAccessKey", "AccessKeyId"),
    AttachmentKind.SIGNING_CERTIFICATE: ("UpdateSigningCertificate", "CertificateId"),
    AttachmentKind.SSH_KEY: ("UpdateSSHPublicKey", "SSHPublicKeyId"),
    AttachmentKind.SERVICE_CREDENTIAL: ("UpdateServiceSpecificCredential", "ServiceSpecificCredentialId"),
}
# Kind → the call that takes it off the user for good, and the parameter that names the thing ("" where none does).
_TAKE_OFF = {
    AttachmentKind.LOGIN_PROFILE: ("DeleteLoginProfile", ""),
    AttachmentKind.ACCESS_KEY: ("DeleteAccessKey", "AccessKeyId"),
    AttachmentKind.SIGNING_CERTIFICATE: ("DeleteSigningCertificate", "CertificateId"),
    AttachmentKind.SSH_KEY: ("DeleteSSHPublicKey", "SSHPublicKeyId"),
    AttachmentKind.SERVICE_CREDENTIAL: ("DeleteServiceSpecificCredential", "ServiceSpecificCredentialId"),
    AttachmentKind.MFA_DEVICE: (DEACTIVATE, "SerialNumber"),
    AttachmentKind.INLINE_POLICY: ("DeleteUserPolicy", "PolicyName"),
    AttachmentKind.ATTACHED_POLICY: (DETACH, "PolicyArn"),
    AttachmentKind.GROUP: ("RemoveUserFromGroup", "GroupName"),
}
# What is lost with it, for people.
_LOSES = {
    AttachmentKind.LOGIN_PROFILE: "the password, which nobody can restore",
    AttachmentKind.ACCESS_KEY: "the access key for good: its secret cannot be had again",
    AttachmentKind.SIGNING_CERTIFICATE: "the signing certificate",
    AttachmentKind.SSH_KEY: "the SSH public key",
    AttachmentKind.SERVICE_CREDENTIAL: "the credential for good: its secret cannot be had again",
    AttachmentKind.MFA_DEVICE: "the link between the user and its MFA device",
    AttachmentKind.INLINE_POLICY: "the policy and its text",
    AttachmentKind.ATTACHED_POLICY: "the rights that the policy gives; the policy itself stays",
    AttachmentKind.GROUP: "the rights that the group gives; the group itself stays",
}
WITH_STATUS = tuple(_SET_STATUS)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCall:
    """One changing call of IAM, exactly as it is to be made."""

    action: str  # "DeleteAccessKey"
    parameters: Mapping[str, str]
    resource: str  # the ARN that IAM checks the call by
    kind: AttachmentKind | None  # what it is about; None: the user itself, or a virtual MFA device
    thing: str  # the ID of that: of the attachment, the serial number of a device, "" for the user
    takes_away: str  # for people: "the access key for good: its secret cannot be had again"
    reversible: bool

    @property
    def key(self) -> Key | None:
        return None if self.kind is None else (self.kind, self.thing)

    @property
    def same_as(self) -> tuple[str, str]:
        """What makes two calls on one user the same call."""
        return self.action, self.thing

    @property
    def words(self) -> str:
        return f"{self.action} {self.thing}".rstrip()


def attach_deny_all(user: LiveUser, partition: str) -> PlannedCall:
    arn = deny_all_arn(partition)
    return PlannedCall(
        action=ATTACH,
        parameters={"UserName": user.user_name, "PolicyArn": arn},
        resource=user.arn,
        kind=AttachmentKind.ATTACHED_POLICY,
        thing=arn,
        takes_away="every right that the user has, by an explicit deny",
        reversible=True,
    )


def set_status(user: LiveUser, attachment: Attachment, status: str) -> PlannedCall:
    """Return the call that makes a key, certificate or credential `ACTIVE` or `INACTIVE`."""
    action, parameter = _SET_STATUS[attachment.kind]
    away = f"the use of this {attachment.kind}, until it is made active again" if status == INACTIVE else "nothing"
    return PlannedCall(
        action=action,
        parameters={"UserName": user.user_name, parameter: attachment.id, "Status": status},
        resource=user.arn,
        kind=attachment.kind,
        thing=attachment.id,
        takes_away=away,
        reversible=True,
    )


def take_off(user: LiveUser, attachment: Attachment) -> PlannedCall:
    """Return the call that takes an attachment off the user for good."""
    action, parameter = _TAKE_OFF[attachment.kind]
    own = {parameter: attachment.id} if parameter else {}
    is_group = attachment.kind is AttachmentKind.GROUP
    return PlannedCall(
        action=action,
        parameters={"UserName": user.user_name, **own},
        resource=str(attachment.arn) if is_group else user.arn,
        kind=attachment.kind,
        thing=attachment.id,
        takes_away=_LOSES[attachment.kind],
        reversible=False,
    )


def delete_device(device: Attachment) -> PlannedCall:
    return PlannedCall(
        action=DELETE_DEVICE,
        parameters={"SerialNumber": device.id},
        resource=device.id,
        kind=None,
        thing=device.id,
        takes_away="the virtual MFA device, which is nobody's once it is deactivated",
        reversible=False,
    )


def delete_user(user: LiveUser) -> PlannedCall:
    return PlannedCall(
        action=DELETE_USER,
        parameters={"UserName": user.user_name},
        resource=user.arn,
        kind=None,
        thing="",
        takes_away="the user, for good: one made anew under this name is another user",
        reversible=False,
    )
