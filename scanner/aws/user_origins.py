"""Who created an account's users, and by what means: CloudTrail's event history, of which AWS keeps 90 days.

LookupEvents needs no trail. It is asked once an account, for CreateUser, and read from the newest event back until
every user that is looked for is found. Sources: LookupEvents; for an event's fields the CloudTrail user guide,
"CloudTrail record contents" and "userIdentity element".
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from scanner.aws.clients import Session
from scanner.aws.failures import bad_response, incomplete_listing
from scanner.model import IamUser, UserId

KEPT: Final = timedelta(days=90)
PAGE_PAUSE = 0.5  # seconds: AWS answers two calls a second, an account and Region
LOOKING = 0.5  # of the time that is left may go to it: in some networks, CloudTrail cannot be reached
REGIONS: Final = {  # where a partition records the events of IAM, a service without Regions
    "aws": "us-east-1",
    "aws-cn": "cn-north-1",
    "aws-eusc": "eusc-de-east-1",
    "aws-iso": "us-iso-east-1",
    "aws-iso-b": "us-isob-east-1",
    "aws-iso-e": "eu-isoe-west-1",
    "aws-iso-f": "us-isof-south-1",
    "aws-us-gov": "us-gov-west-1",
}

_CALL = "cloudtrail:LookupEvents"
_PAGE_SIZE = 50  # the most that CloudTrail gives
_SLACK = timedelta(minutes=15)  # between the time of an event and the user's creation time


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What the event says; None: it does not."""

    created_by: str | None  # the principal's ARN, or the AWS service
    created_with: str | None


def recent(users: Iterable[IamUser], now: datetime) -> tuple[IamUser, ...]:
    """Return the users of whose creation CloudTrail may still know."""
    return tuple(user for user in users if now - user.created_at < KEPT)


async def user_origins(session: Session, partition: str, users: Iterable[IamUser]) -> Mapping[UserId, Origin]:
    """Look up who created these users; one whose event is not found is left out. Raises `CallError`."""
    wanted = {user.user_id: user.created_at for user in users}
    since = max(min(wanted.values()) - _SLACK, datetime.now(UTC) - KEPT)
    found: dict[UserId, Origin] = {}
    async for event in _events(session.within(LOOKING), REGIONS.get(partition), since):
        user_id = _created(event)
        if user_id in wanted:
            found.setdefault(user_id, Origin(created_by=_principal(event), created_with=_means(event)))
        if len(found) == len(wanted):
            break
    return found


async def check_history(session: Session, partition: str) -> None:
    """Ask for what `user_origins` asks for, and read the first answer alone; raise `CallError` where none comes."""
    async for _ in _events(session.within(LOOKING), REGIONS.get(partition), datetime.now(UTC) - KEPT):
        return


async def _events(session: Session, region: str | None, since: datetime) -> AsyncIterator[Mapping[str, Any]]:
    """Page through the CreateUser events, the newest first."""
    await session.clients.open_for(_CALL, region)
    token: str | None = None
    seen: set[str] = set()
    while True:
        page = await session.call(
            "cloudtrail",
            "LookupEvents",
            LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "CreateUser"}],
            StartTime=since,
            MaxResults=_PAGE_SIZE,
            **({"NextToken": token} if token else {}),
        )
        if "Events" not in page:
            raise bad_response(_CALL, "The response has no Events.")
        for event in page["Events"]:
            yield _parsed(event.get("CloudTrailEvent"))
        token = page.get("NextToken")
        if not token:
            return
        if token in seen:
            raise incomplete_listing(_CALL, "The list does not advance, and would never end.")
        seen.add(token)
        await asyncio.sleep(PAGE_PAUSE)


def _parsed(text: object) -> Mapping[str, Any]:
    """Return the event; an empty one where it cannot be read, so that it counts for no user."""
    try:
        event = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        event = None
    return event if isinstance(event, dict) else {}


def _created(event: Mapping[str, Any]) -> UserId | None:
    """Return the id of the user that the call created; None where it failed, or is another call."""
    if event.get("errorCode") or event.get("eventSource") != "iam.amazonaws.com":
        return None
    user_id = _member(_member(event, "responseElements"), "user").get("userId")
    return UserId(user_id) if isinstance(user_id, str) else None


def _principal(event: Mapping[str, Any]) -> str | None:
    """Return the ARN of who called: of a role, its session's; of an AWS service, the service's name."""
    who = _member(event, "userIdentity")
    if arn := _text(who, "arn"):
        return arn
    if service := _text(who, "invokedBy"):
        return service
    account, principal = _text(who, "accountId"), _text(who, "principalId")
    return ", ".join(filter(None, [account and f"account {account}", principal])) or None


# --- by what means ----------------------------------------------------------------------------------------------------

_TOOLS = (  # a mark in the user agent → the tool; the first one that is found, as tools name the SDK below them too
    ("terraform", "terraform"),
    ("opentofu", "opentofu"),
    ("pulumi", "pulumi"),
    ("ansible", "ansible"),
    ("aws-cli/", "aws-cli"),
    ("aws-tools/powershell", "powershell"),
    ("awspowershell", "powershell"),
    ("aws internal", "console"),
    ("aws-internal/", "console"),
)
_CONSOLE_SERVICES = frozenset({"console", "signin"})
_SERVICE = re.compile(r"(?:[a-z0-9-]+\.)*?([a-z0-9-]+)(?:\.[a-z]+-[a-z-]+-\d)?\.amazonaws\.com(?:\.cn)?")
_SDK = re.compile(r"aws-sdk-[a-z0-9-]+|boto3(?=/)|botocore(?=/)")
_PRODUCT = re.compile(r"[\w.-]+(?=/)")


def _means(event: Mapping[str, Any]) -> str | None:
    """Return the tool: an AWS service that called, a tool by its mark, the console, an SDK, or how it calls itself."""
    agent = (_text(event, "userAgent") or "").lower()
    for name in (_text(_member(event, "userIdentity"), "invokedBy") or "", agent):
        if service := _SERVICE.fullmatch(name.lower()):
            return "console" if service[1] in _CONSOLE_SERVICES else service[1]
    for mark, tool in _TOOLS:
        if mark in agent:
            return tool
    if _text(event, "sessionCredentialFromConsole") == "true":
        return "console"
    named = _SDK.search(agent) or _PRODUCT.match(agent)
    return named[0] if named else None


def _member(holder: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = holder.get(name)
    return value if isinstance(value, dict) else {}


def _text(holder: Mapping[str, Any], name: str) -> str | None:
    value = holder.get(name)
    return value if isinstance(value, str) and value else None
