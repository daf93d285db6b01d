"""What a person should know before a user is touched. Pure: sentences from what was read."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from scanner.aws.attachments import AttachmentKind, LiveUser
from scanner.remediation.last_use import CONSOLE, unknown_uses, uses
from scanner.remediation.limits import NOTEWORTHY
from scanner.safelist.types import fold

# Names that AWS's own consoles give, and what stops working without the user.
_SERVICE_MADE = {
    "bedrockapikey-": "Made by the Bedrock console for a long-term API key: what calls Bedrock with it stops working.",
    "ses-smtp-user.": "Made by the SES console: its access key is an SMTP login, and what sends mail with it stops.",
}
_QUARANTINE = "AWSCompromisedKeyQuarantine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What was read of the account around a user."""

    administrator: bool | None  # None: it could not be told
    only_user: bool  # of its account
    trusted_by: tuple[str, ...]  # ARNs of roles of the account whose trust policies name the user


def notes(user: LiveUser, around: Surroundings, now: datetime) -> tuple[str, ...]:
    return tuple(_notes(user, around, now))


def _notes(user: LiveUser, around: Surroundings, now: datetime) -> Iterator[str]:
    for use in uses(user):
        if not use.by_setting and now - use.at < NOTEWORTHY:
            service = "" if use.used_for == CONSOLE else f" for {use.used_for or 'an unknown service'}"
            yield f"Its {use.credential} was used on {use.at:%Y-%m-%d}{service}."
    for thing in unknown_uses(user):
        yield f"AWS does not say when its {thing} was last used."
    if around.administrator is not False:
        yield "It is an administrator." if around.administrator else "Whether it is an administrator is not known."
    for group in user.of_kind(AttachmentKind.GROUP):
        if group.only_member:
            yield f"It is the only member of the group {group.id}."
    if around.only_user:
        yield "It is the only user of its account."
    yield from (words for start, words in _SERVICE_MADE.items() if fold(user.user_name).startswith(start))
    yield from _on_policies(user)
    for role in around.trusted_by:
        yield f"The trust policy of {role} names it, and cannot be edited as it stands once the user is gone."
    if user.boundary:
        yield f"Its permissions boundary, {user.boundary}, is left as it is."
    yield from user.notes


def _on_policies(user: LiveUser) -> Iterator[str]:
    for policy in user.of_kind(AttachmentKind.ATTACHED_POLICY):
        name = policy.id.rpartition("/")[2]
        if name.startswith(_QUARANTINE):
            yield f"{name} is attached: AWS, or somebody, found its keys exposed. See the support case before."
