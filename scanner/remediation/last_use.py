"""When a user's credentials were last used, as read live. Pure. What cannot be known counts as used."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from scanner.aws.attachments import Attachment, AttachmentKind, LiveUser
from scanner.remediation.limits import KEY_USE_TRACKED, PASSWORD_USE_TRACKED

CONSOLE: Final = "console"  # what a password is used for
_WITHOUT_LAST_USE = (
    AttachmentKind.SIGNING_CERTIFICATE,
    AttachmentKind.SSH_KEY,
    AttachmentKind.SERVICE_CREDENTIAL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialUse:
    """A use of one credential: the last one that IAM knows, or that it was set, as it is used from then on."""

    credential: str  # "access key AKIA...", "console password"
    at: datetime
    used_for: str | None  # "s3 (us-east-1)"; None: not known
    by_setting: bool = False  # it was never used; this is when it was set


def uses(user: LiveUser) -> tuple[CredentialUse, ...]:
    """Return the last use of each credential, the newest first."""
    return tuple(sorted(_uses(user), key=lambda use: use.at, reverse=True))


def unknown_uses(user: LiveUser) -> tuple[str, ...]:
    """Name the credentials that can be used now and of which IAM does not say when they last were."""
    return tuple(thing.words for thing in user.attachments if _is_unknown(thing, user))


def _is_unknown(thing: Attachment, user: LiveUser) -> bool:
    if thing.kind is AttachmentKind.LOGIN_PROFILE:
        return user.password_last_used is None and _untracked(thing, PASSWORD_USE_TRACKED)
    if thing.kind is AttachmentKind.ACCESS_KEY:
        return thing.active is True and thing.last_used_at is None and _untracked(thing, KEY_USE_TRACKED)
    return thing.kind in _WITHOUT_LAST_USE and thing.active is True


def _uses(user: LiveUser) -> Iterator[CredentialUse]:
    password = next(iter(user.of_kind(AttachmentKind.LOGIN_PROFILE)), None)
    if user.password_last_used is not None:
        yield CredentialUse(credential="console password", at=user.password_last_used, used_for=CONSOLE)
    if password is not None and password.created_at is not None:
        yield CredentialUse(credential="console password", at=password.created_at, used_for=None, by_setting=True)
    for key in user.of_kind(AttachmentKind.ACCESS_KEY):
        name = f"{key.kind} {key.id}"
        if key.last_used_at is not None:
            yield CredentialUse(credential=name, at=key.last_used_at, used_for=key.last_used_for)
        elif key.active and key.created_at is not None:
            yield CredentialUse(credential=name, at=key.created_at, used_for=None, by_setting=True)


def _untracked(thing: Attachment, since: datetime) -> bool:
    return thing.created_at is None or thing.created_at < since
