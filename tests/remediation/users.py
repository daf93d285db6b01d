"""Users for the pure tests: what hangs on them is named in a word or two.

alice = user(key("AKIA1"), key("AKIA2", active=False), group("devs"))
"""

from datetime import UTC, datetime

from scanner.aws.attachments import Attachment, AttachmentKind, LiveUser
from scanner.model import UserId

CREATED = datetime(2025, 1, 6, 8, 30, 15, tzinfo=UTC)
ACCOUNT = "111122223333"
DENY_ALL = "arn:aws:iam::aws:policy/AWSDenyAll"
KINDS = AttachmentKind


def user(*attachments: Attachment, name: str = "alice", path: str = "/", **more: object) -> LiveUser:
    in_order = sorted(attachments, key=lambda thing: list(AttachmentKind).index(thing.kind))
    values: dict[str, object] = {
        "user_id": UserId(f"AIDA{name.upper():0>16}"),
        "user_name": name,
        "path": path,
        "arn": f"arn:aws:iam::{ACCOUNT}:user{path}{name}",
        "created_at": CREATED,
        "boundary": None,
        "password_last_used": None,
        "attachments": tuple(in_order),
    }
    return LiveUser(**(values | more))  # type: ignore[arg-type]


def password(created_at: datetime = CREATED) -> Attachment:
    return Attachment(kind=KINDS.LOGIN_PROFILE, id="", created_at=created_at)


def key(
    key_id: str = "AKIA1", *, active: bool = True, used: datetime | None = None, created_at: datetime = CREATED
) -> Attachment:
    used_for = "s3 (us-east-1)" if used else None
    return Attachment(
        kind=KINDS.ACCESS_KEY,
        id=key_id,
        active=active,
        last_used_at=used,
        last_used_for=used_for,
        created_at=created_at,
    )


def certificate(*, active: bool = True) -> Attachment:
    return Attachment(kind=KINDS.SIGNING_CERTIFICATE, id="CERT1", active=active, created_at=CREATED)


def ssh_key(*, active: bool = True) -> Attachment:
    return Attachment(kind=KINDS.SSH_KEY, id="APKA1", active=active, created_at=CREATED)


def service_credential(*, active: bool = True) -> Attachment:
    return Attachment(kind=KINDS.SERVICE_CREDENTIAL, id="ACCA1", active=active, label="codecommit", created_at=CREATED)


def virtual_mfa(name: str = "alice") -> Attachment:
    serial = f"arn:aws:iam::{ACCOUNT}:mfa/{name}"
    return Attachment(kind=KINDS.MFA_DEVICE, id=serial, arn=serial)


def hardware_mfa() -> Attachment:
    return Attachment(kind=KINDS.MFA_DEVICE, id="GAHT12345678")


def inline(name: str = "deploy", *, denies: bool = False) -> Attachment:
    return Attachment(kind=KINDS.INLINE_POLICY, id=name, denies=denies)


def attached(arn: str = "arn:aws:iam::aws:policy/ReadOnlyAccess", *, denies: bool = False) -> Attachment:
    return Attachment(kind=KINDS.ATTACHED_POLICY, id=arn, arn=arn, denies=denies)


def group(name: str = "devs", *, denies: bool = False, path: str = "/", only_member: bool = False) -> Attachment:
    arn = f"arn:aws:iam::{ACCOUNT}:group{path}{name}"
    return Attachment(kind=KINDS.GROUP, id=name, arn=arn, denies=denies, only_member=only_member)


def everything() -> LiveUser:
    """A user with one of each kind, and a second key that is inactive."""
    return user(
        password(),
        key("AKIA1"),
        key("AKIA2", active=False),
        certificate(),
        ssh_key(),
        service_credential(),
        virtual_mfa(),
        hardware_mfa(),
        inline(),
        attached(),
        group(),
    )
