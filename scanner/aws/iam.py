"""What IAM says of one account: its users, and the evidence that a reviewer needs. No call is made per user.

Each getter pages, turns the answer into the domain's types at once, and raises `CallError` where the answer is cut
short, belongs to another account, or is none of AWS's.
"""

import asyncio
import csv
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scanner.aws.clients import Session
from scanner.aws.credential_report import CredentialReport, in_utc, parse
from scanner.aws.failures import CallError, bad_response, failure, incomplete_listing
from scanner.aws.iam_policies import ADMINISTRATOR_POLICIES, allows_all, is_aws_managed
from scanner.aws.identity import arn_account
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
    if len({user.user_id for user in users}) < len(users):  # one was renamed while the list was paged
        raise incomplete_listing(call, "The same user came twice; another may have been passed over.")
    if twice:
        raise bad_response(
            call, f"Two users are called {twice[0]!r}, but for the case of letters; IAM has no such pair."
        )
    return tuple(users)


async def authorization_details(session: Session, account_id: AccountId) -> AuthorizationDetails:
    """Read what each user belongs to and may do (GetAccountAuthorizationDetails, users and groups)."""
    call = "iam:GetAccountAuthorizationDetails"
    users: list[Mapping[str, Any]] = []
    groups: dict[str, _Grants] = {}
    try:
        async for page in _pages(session, "GetAccountAuthorizationDetails", Filter=["User", "Group"]):
            users += page["UserDetailList"]
            groups |= {
                group["GroupName"]: _grants(group, f" (via {group['GroupName']})") for group in page["GroupDetailList"]
            }
        for user in users:
            _check_account(user["Arn"], account_id, call)
        return AuthorizationDetails(
            names={UserId(user["UserId"]): user["UserName"] for user in users},
            access={UserId(user["UserId"]): _access(user, groups) for user in users},
        )
    except (KeyError, ValueError) as error:
        raise bad_response(call, "The users' details could not be read as IAM's.") from error


async def user_count(session: Session) -> int:
    """Return IAM's own count of the account's users (GetAccountSummary)."""
    answer = await session.call("iam", "GetAccountSummary")
    count = answer.get("SummaryMap", {}).get("Users")
    if count is None:
        raise bad_response("iam:GetAccountSummary", "The answer has no count of users.")
    return int(count)


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
            except (KeyError, ValueError, csv.Error) as error:
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
        more, previous, marker = page.get("IsTruncated"), marker, page.get("Marker")
        if more is False and not marker:
            return
        if not more or not marker or marker == previous:
            raise incomplete_listing(call, "AWS does not say plainly whether, or where, the list goes on.")


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
    except (KeyError, AttributeError, ValueError) as error:
        raise bad_response(call, "A user lacks its name, id, path, ARN or creation time.") from error
    _check_account(user.arn, account_id, call)
    return user


def _utc(value: datetime) -> datetime:
    """Return the time in UTC; raise ValueError for one without a zone, or outside of what can be counted."""
    try:
        return in_utc(value)
    except OverflowError as error:
        raise ValueError("a time outside the calendar") from error


def _check_account(arn: str, account_id: AccountId, call: str) -> None:
    """Hold what no signature shows: that the answer is about the account that was asked."""
    if arn_account(arn) != account_id:
        raise bad_response(call, f"Asked account {account_id}, the answer is about {arn}.")


@dataclass(frozen=True, slots=True)
class _Grants:
    """What a user or a group holds, judged once: a group may have thousands of members."""

    attached: tuple[str, ...]
    inline: tuple[str, ...]
    administrator: bool | None  # None: a customer-managed policy, which was not read


def _grants(holder: Mapping[str, Any], via: str = "") -> _Grants:
    attached = holder.get("AttachedManagedPolicies", [])
    inline = [*holder.get("UserPolicyList", []), *holder.get("GroupPolicyList", [])]
    return _Grants(
        attached=tuple(policy["PolicyName"] + via for policy in attached),
        inline=tuple(policy["PolicyName"] + via for policy in inline),
        administrator=_administrator(attached, inline),
    )


def _administrator(attached: list[Mapping[str, Any]], inline: list[Mapping[str, Any]]) -> bool | None:
    """Judge by names and inline documents; None where something that could make an administrator was not read."""
    managed = [policy for policy in attached if is_aws_managed(policy["PolicyArn"])]
    if any(policy["PolicyName"] in ADMINISTRATOR_POLICIES for policy in managed):
        return True
    if any(allows_all(policy["PolicyDocument"]) for policy in inline):
        return True
    return None if len(managed) < len(attached) else False


def _access(user: Mapping[str, Any], groups: Mapping[str, _Grants]) -> Access:
    memberships = tuple(user.get("GroupList", []))
    held = [_grants(user), *(groups[name] for name in memberships if name in groups)]
    judged = [grants.administrator for grants in held]
    unread = None in judged or any(name not in groups for name in memberships)
    boundary = user.get("PermissionsBoundary") or {}
    return Access(
        administrator=True if True in judged else None if unread else False,
        groups=memberships,
        attached_policies=tuple(name for grants in held for name in grants.attached),
        inline_policies=tuple(name for grants in held for name in grants.inline),
        permissions_boundary=boundary.get("PermissionsBoundaryArn"),
        tags=tuple((tag["Key"], tag["Value"]) for tag in user.get("Tags", [])),
    )
