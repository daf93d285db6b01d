"""What IAM says of one account: its users, and the evidence that a reviewer needs. No call is made per user.

Each getter pages, turns the answer into the domain's types at once, and raises `CallError` where the answer is cut
short, belongs to another account, or is none of AWS's.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scanner.aws.clients import Session
from scanner.aws.credential_report import CredentialReport, parse
from scanner.aws.failures import CallError, bad_response, failure, incomplete_listing
from scanner.aws.identity import arn_account
from scanner.aws.policies import ADMINISTRATOR_POLICIES, allows_all, is_aws_managed
from scanner.model import Access, AccountId, FailReason, IamUser, UserId

PAGE_SIZE = 1000  # the most that IAM gives; it may give fewer
POLL_SECONDS = (1.0, 2.0, 3.0, 5.0)  # between two looks at a credential report in the making; the last one repeats
_NOT_READY = frozenset({"ReportInProgress", "ReportNotPresent", "ReportExpired"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationDetails:
    """GetAccountAuthorizationDetails, reduced to what columns are made of."""

    names: Mapping[UserId, str]
    access: Mapping[UserId, Access]


async def list_users(session: Session, account_id: AccountId) -> tuple[IamUser, ...]:
    """List all users of the account (ListUsers).

    Raises `CallError`: BAD_RESPONSE for another account's users and for names that IAM could not hold side by side;
    INCOMPLETE_LISTING for a page that says that there are more, and not where.
    """
    call = "iam:ListUsers"
    users: list[IamUser] = []
    async for page in _pages(session, "ListUsers"):
        users += [_user(raw, account_id, call) for raw in _rows(page, "Users", call)]
    twice = [name for name, count in Counter(user.user_name.lower() for user in users).items() if count > 1]
    if twice:
        raise bad_response(
            call, f"Two users are called {twice[0]!r}, but for the case of letters; IAM has no such pair."
        )
    return tuple(users)


async def authorization_details(session: Session, account_id: AccountId) -> AuthorizationDetails:
    """Read what each user belongs to and may do (GetAccountAuthorizationDetails, users and groups)."""
    call = "iam:GetAccountAuthorizationDetails"
    users: list[Mapping[str, Any]] = []
    groups: dict[str, Mapping[str, Any]] = {}
    async for page in _pages(session, "GetAccountAuthorizationDetails", Filter=["User", "Group"]):
        users += page.get("UserDetailList", [])
        groups |= {group["GroupName"]: group for group in page.get("GroupDetailList", [])}
    for user in users:
        _check_account(user["Arn"], account_id, call)
    try:
        return AuthorizationDetails(
            names={UserId(user["UserId"]): user["UserName"] for user in users},
            access={UserId(user["UserId"]): _access(user, groups) for user in users},
        )
    except (KeyError, ValueError) as error:
        raise bad_response(call, "A user's details could not be read as IAM's.") from error


async def user_count(session: Session) -> int | None:
    """Return IAM's own count of the account's users (GetAccountSummary); None where it gives none."""
    answer = await session.call("iam", "GetAccountSummary")
    count = answer.get("SummaryMap", {}).get("Users")
    return None if count is None else int(count)


async def credential_report(session: Session) -> CredentialReport:
    """Have the credential report made, wait for it, and read it; the session's deadline bounds the wait.

    Making one replaces the account's stored report, unless that is younger than four hours: then AWS gives that one.
    """
    call = "iam:GetCredentialReport"
    await session.call("iam", "GenerateCredentialReport")
    for pause in _pauses():
        try:
            answer = await session.call("iam", "GetCredentialReport")
        except CallError as error:
            if error.failure.code not in _NOT_READY:
                raise
            if error.failure.code != "ReportInProgress":  # it expired while we waited, or was never begun
                await session.call("iam", "GenerateCredentialReport")
        else:
            try:
                return parse(answer["Content"], answer.get("GeneratedTime"))
            except (KeyError, ValueError) as error:
                raise bad_response(call, "The report could not be read as a credential report.") from error
        if not session.time_left(pause):
            raise CallError(failure(FailReason.TIMEOUT, call, "AWS did not finish the report in time.", code=None))
        await asyncio.sleep(pause)
    raise AssertionError  # _pauses has no end


def _pauses() -> Any:
    yield from POLL_SECONDS
    while True:
        yield POLL_SECONDS[-1]


async def _pages(session: Session, operation: str, **parameters: Any) -> AsyncIterator[dict[str, Any]]:
    """Page by marker. The SDK's own paginator takes a cut list (`IsTruncated` without `Marker`) for a whole one."""
    call = f"iam:{operation}"
    marker: str | None = None
    while True:
        page = await session.call(
            "iam", operation, MaxItems=PAGE_SIZE, **parameters, **({"Marker": marker} if marker else {})
        )
        yield page
        previous, marker = marker, page.get("Marker")
        if not page.get("IsTruncated"):
            return
        if not marker or marker == previous:
            raise incomplete_listing(call, "AWS says that there is more to list, but not where it goes on.")


def _rows(page: Mapping[str, Any], key: str, call: str) -> list[Mapping[str, Any]]:
    if key not in page:
        raise bad_response(call, f"The answer has no {key}.")
    rows: list[Mapping[str, Any]] = page[key]
    return rows


def _user(raw: Mapping[str, Any], account_id: AccountId, call: str) -> IamUser:
    try:
        user = IamUser(
            user_id=UserId(raw["UserId"]),
            user_name=raw["UserName"],
            path=raw["Path"],
            arn=raw["Arn"],
            created_at=_utc(raw["CreateDate"]),
        )
    except (KeyError, AttributeError) as error:
        raise bad_response(call, "A user lacks its name, id, path, ARN or creation time.") from error
    _check_account(user.arn, account_id, call)
    return user


def _utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise AttributeError("a time without zone")
    return value


def _check_account(arn: str, account_id: AccountId, call: str) -> None:
    """Hold what no signature shows: that the answer is about the account that was asked."""
    if arn_account(arn) != account_id:
        raise bad_response(call, f"Asked account {account_id}, the answer is about {arn}.")


def _access(user: Mapping[str, Any], groups: Mapping[str, Mapping[str, Any]]) -> Access:
    memberships = tuple(user.get("GroupList", []))
    holders = [(user, "")] + [(groups[name], f" (via {name})") for name in memberships if name in groups]
    attached = [(policy, via) for holder, via in holders for policy in holder.get("AttachedManagedPolicies", [])]
    inline = [
        (policy, via)
        for holder, via in holders
        for policy in [*holder.get("UserPolicyList", []), *holder.get("GroupPolicyList", [])]
    ]
    unread = any(name not in groups for name in memberships)
    boundary = user.get("PermissionsBoundary") or {}
    return Access(
        administrator=_administrator(
            [policy for policy, _ in attached], [policy for policy, _ in inline], unread=unread
        ),
        groups=memberships,
        attached_policies=tuple(policy["PolicyName"] + via for policy, via in attached),
        inline_policies=tuple(policy["PolicyName"] + via for policy, via in inline),
        permissions_boundary=boundary.get("PermissionsBoundaryArn"),
        tags=tuple((tag["Key"], tag["Value"]) for tag in user.get("Tags", [])),
    )


def _administrator(attached: list[Mapping[str, Any]], inline: list[Mapping[str, Any]], *, unread: bool) -> bool | None:
    """Judge by names and inline documents; None where something that could make an administrator was not read."""
    managed = [policy for policy in attached if is_aws_managed(policy["PolicyArn"])]
    if any(policy["PolicyName"] in ADMINISTRATOR_POLICIES for policy in managed):
        return True
    if any(allows_all(policy["PolicyDocument"]) for policy in inline):
        return True
    return None if unread or len(managed) < len(attached) else False
