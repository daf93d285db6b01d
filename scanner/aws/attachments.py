"""What hangs on an IAM user, as read live: the types. No SDK here, so that pure rooms may use them.

The kinds stand in the order in which AWS asks for them to be gone before DeleteUser (API reference, DeleteUser).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from scanner.model import UserId


class AttachmentKind(StrEnum):
    """What DeleteUser refuses to delete a user with."""

    LOGIN_PROFILE = "console password"
    ACCESS_KEY = "access key"
    SIGNING_CERTIFICATE = "signing certificate"
    SSH_KEY = "SSH public key"
    SERVICE_CREDENTIAL = "service-specific credential"
    MFA_DEVICE = "MFA device"
    INLINE_POLICY = "inline policy"
    ATTACHED_POLICY = "attached policy"
    GROUP = "group"


Key = tuple[AttachmentKind, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """One thing that hangs on a user."""

    kind: AttachmentKind
    id: str  # as IAM's calls name it: key ID, serial number, policy ARN, name of a group; "" for the password
    arn: str | None = None  # of a group, an attached policy and a virtual MFA device: what calls on it are checked by
    active: bool | None = None  # None: such a thing has no status
    label: str | None = None  # what people know it by, where that is not its ID: the service of a credential
    created_at: datetime | None = None
    last_used_at: datetime | None = None  # of an access key; None: never, or AWS does not know
    last_used_for: str | None = None  # "s3 (us-east-1)"
    denies: bool = False  # a policy, or a group with one, that denies something, or whose text cannot be read
    only_member: bool = False  # of a group: the user is its only one

    @property
    def key(self) -> Key:
        return self.kind, self.id

    @property
    def is_virtual_mfa(self) -> bool:
        """Whether AWS holds the device itself, which is then deleted by a call of its own."""
        return self.kind is AttachmentKind.MFA_DEVICE and self.arn is not None

    @property
    def words(self) -> str:
        """The thing for people: "access key AKIA... (inactive)"."""
        label = f" for {self.label}" if self.label else ""
        status = " (inactive)" if self.active is False else ""
        return f"{self.kind} {self.id}".rstrip() + label + status


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveUser:
    """A user and all that hangs on it, at one moment."""

    user_id: UserId
    user_name: str
    path: str
    arn: str
    created_at: datetime
    boundary: str | None  # the ARN of its permissions boundary; never touched
    password_last_used: datetime | None
    attachments: tuple[Attachment, ...]  # in the order of the kinds, then as AWS lists them
    notes: tuple[str, ...] = ()  # what this partition of AWS cannot be asked for

    def of_kind(self, *kinds: AttachmentKind) -> tuple[Attachment, ...]:
        return tuple(attachment for attachment in self.attachments if attachment.kind in kinds)

    def find(self, key: Key) -> Attachment | None:
        return next((attachment for attachment in self.attachments if attachment.key == key), None)
