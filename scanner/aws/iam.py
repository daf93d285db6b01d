"""What IAM says of one account: its users, and the evidence that a reviewer needs. No call is made per user.

Each getter pages, turns the answer into the domain's types at once, and raises `CallError` where the answer is cut
short, belongs to another account, or is none of AWS's.
"""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from scanner.aws.clients import Session
from scanner.aws.credential_report import in_utc
from scanner.aws.failures import NO_SUCH_ACTION, CallError, bad_response, incomplete_listing
from scanner.aws.iam_policies import ADMINISTRATOR_POLICIES, allows_all, any_of, is_aws_managed, only_denies
from scanner.aws.identity import arn_account
from scanner.model import Access, AccountId, FailReason, Failure, IamUser, ServiceCredential, UserId

PAGE_SIZE = 1000  # the most that IAM gives; it may give fewer
_LIST = "iam:ListUsers"
_DETAILS = "iam:GetAccountAuthorizationDetails"
_SERVICE_KEYS = "ListServiceSpecificCredentials"
_SERVICES_WITH_KEYS = ("bedrock", "cassandra", "codecommit")  # asked one by one where AWS takes no AllUsers for all


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationDetails:
    """GetAccountAuthorizationDetails, reduced to what columns are made of."""

    names: Mapping[UserId, str]
    access: Mapping[UserId, Access | None]  # None: a policy that decides it is among the `unreadable`
    unreadable: tuple[str, ...] = ()  # "inline policy deploy of user alice"


async def list_users(session: Session, account_id: AccountId) -> tuple[IamUser, ...]:
    """List all users of the account (ListUsers); once more where users changed while the list was paged.

    Raises `CallError`: BAD_RESPONSE for another account's users and for two names that differ by case alone;
    INCOMPLETE_LISTING for a page that says that there are more, and not where, and for a user that comes twice.
    """
    users = await _listed(session, account_id)
    contradiction = _contradiction(users)
    if contradiction:
        users = await _listed(session, account_id)
        contradiction = _contradiction(users)
    if contradiction:
        raise contradiction
    return users


async def _listed(session: Session, account_id: AccountId) -> tuple[IamUser, ...]:
    users: list[IamUser] = []
    async for page in _pages(session, "ListUsers"):
        if "Users" not in page:
            raise bad_response(_LIST, "The response has no Users.")
        users += [_user(raw, account_id) for raw in page["Users"]]
    return tuple(users)


def _contradiction(users: tuple[IamUser, ...]) -> CallError | None:
    """Return what cannot be true of a list; it can come of a user that was renamed or recreated between two pages."""
    if len({user.user_id for user in users}) < len(users):
        return incomplete_listing(_LIST, "The same user is listed twice; another may be missing.")
    twice = [name for name, count in Counter(user.user_name.lower() for user in users).items() if count > 1]
    if twice:
        detail = f"Two users are called {twice[0]!r}, except for letter case, which IAM does not allow."
        return bad_response(_LIST, detail)
    return None


async def authorization_details(session: Session, account_id: AccountId) -> AuthorizationDetails:
    """Read what each user belongs to and may do (GetAccountAuthorizationDetails, users and groups).

    A policy document that cannot be read costs the access of its user, or of its group's members, and of nobody else.
    """
    users: list[Mapping[str, Any]] = []
    groups: list[Mapping[str, Any]] = []
    try:
        async for page in _pages(session, "GetAccountAuthorizationDetails", Filter=["User", "Group"]):
            users += page["UserDetailList"]
            groups += page["GroupDetailList"]
        for user in users:
            _check_account(user["Arn"], account_id, _DETAILS)
        of_group = {group["GroupName"]: _grants(group, group["GroupName"]) for group in groups}
        by_id = {UserId(user["UserId"]): user for user in users}
        of_user = {key: _grants(user) for key, user in by_id.items()}
        access = {key: _access(user, of_user[key], of_group) for key, user in by_id.items()}
        names = {key: user["UserName"] for key, user in by_id.items()}
    except KeyError as error:
        raise bad_response(_DETAILS, "The users' details are not in the form that IAM documents.") from error
    unreadable = tuple(text for grants in (*of_user.values(), *of_group.values()) for text in grants.unreadable)
    return AuthorizationDetails(names=names, access=access, unreadable=unreadable)


async def user_count(session: Session) -> int:
    """Return IAM's own count of the account's users (GetAccountSummary)."""
    answer = await session.call("iam", "GetAccountSummary")
    count = answer.get("SummaryMap", {}).get("Users")
    if count is None:
        raise bad_response("iam:GetAccountSummary", "The response has no number of users.")
    return int(count)


async def service_credentials(session: Session) -> Mapping[str, tuple[ServiceCredential, ...]]:
    """Return the active service-specific credentials of the account, by the user's name in lower case.

    ListServiceSpecificCredentials with AllUsers; where AWS refuses that without a service, once a service. It names
    users and not their IDs. Without AllUsers it would tell of the caller alone.
    """
    try:
        return _by_user([raw async for raw in _service_keys(session)])
    except CallError as error:
        if not _asks_for_a_service(error.failure):
            raise
    found: list[Mapping[str, Any]] = []
    for service in _SERVICES_WITH_KEYS:
        try:
            found += [raw async for raw in _service_keys(session, ServiceName=f"{service}.amazonaws.com")]
        except CallError as error:
            if error.failure.code not in _NO_SUCH_SERVICE:
                raise
    return _by_user(found)


_NO_SUCH_SERVICE = frozenset({"NotSupportedService", "ServiceNotSupported", "ServiceNotSupportedException"})


def _asks_for_a_service(failure: Failure) -> bool:
    """Whether AWS understood the call and rejected what it asks for."""
    return failure.code is not None and failure.reason is FailReason.BAD_RESPONSE and failure.code not in NO_SUCH_ACTION


async def _service_keys(session: Session, **service: str) -> AsyncIterator[Mapping[str, Any]]:
    async for page in _pages(session, _SERVICE_KEYS, AllUsers=True, **service):
        if "ServiceSpecificCredentials" not in page:
            raise bad_response(f"iam:{_SERVICE_KEYS}", "The response has no ServiceSpecificCredentials.")
        for raw in page["ServiceSpecificCredentials"]:
            yield raw


def _by_user(found: list[Mapping[str, Any]]) -> Mapping[str, tuple[ServiceCredential, ...]]:
    keys: dict[str, tuple[ServiceCredential, ...]] = {}
    try:
        for raw in {raw["ServiceSpecificCredentialId"]: raw for raw in found if raw["Status"] == "Active"}.values():
            end = raw.get("ExpirationDate")
            key = ServiceCredential(
                service=raw["ServiceName"].partition(".")[0], expires_at=None if end is None else in_utc(end)
            )
            name = raw["UserName"].lower()
            keys[name] = (*keys.get(name, ()), key)
    except (KeyError, AttributeError, ValueError) as error:
        raise bad_response(f"iam:{_SERVICE_KEYS}", "A credential lacks its user, service or status.") from error
    return keys


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
            raise incomplete_listing(call, "The response does not say whether, or where, the list continues.")


def _user(raw: Mapping[str, Any], account_id: AccountId) -> IamUser:
    try:
        user = IamUser(
            user_id=UserId(raw["UserId"]),
            user_name=raw["UserName"],
            path=raw["Path"],
            arn=raw["Arn"],
            created_at=in_utc(raw["CreateDate"]),
        )
    except (KeyError, AttributeError, ValueError) as error:
        raise bad_response(_LIST, "A user lacks its name, ID, path, ARN or creation time.") from error
    _check_account(user.arn, account_id, _LIST)
    return user


def _check_account(arn: str, account_id: AccountId, call: str) -> None:
    """Check what no signature shows: that the answer is about the account that was asked."""
    if arn_account(arn) != account_id:
        raise bad_response(call, f"Account {account_id} was asked, but the response is about {arn}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grants:
    """What a user or a group holds, judged once: a group may have thousands of members."""

    attached: tuple[str, ...]
    inline: tuple[str, ...]
    administrator: bool | None  # None: that cannot be told
    unreadable: tuple[str, ...]  # inline policies that are not policies, and whose they are
    denying: tuple[str, ...]  # of the attached ones, those that allow nothing


def _grants(holder: Mapping[str, Any], group: str | None = None) -> _Grants:
    """Judge the policies of a user, or of the `group` of this name."""
    whose, via = (f"group {group}", f" (via {group})") if group else (f"user {holder['UserName']}", "")
    attached = holder.get("AttachedManagedPolicies", [])
    inline = [*holder.get("UserPolicyList", []), *holder.get("GroupPolicyList", [])]
    verdicts = [_by_name(policy) for policy in attached]
    unreadable = []
    for policy in inline:
        try:
            verdicts.append(allows_all(policy.get("PolicyDocument"), holder["Arn"]))
        except ValueError:
            unreadable.append(f"inline policy {policy['PolicyName']} of {whose}")
    return _Grants(
        attached=tuple(policy["PolicyName"] + via for policy in attached),
        inline=tuple(policy["PolicyName"] + via for policy in inline),
        administrator=any_of(verdicts),
        unreadable=tuple(unreadable),
        denying=tuple(
            policy["PolicyName"] for policy in attached if only_denies(policy["PolicyName"], policy["PolicyArn"])
        ),
    )


def _by_name(policy: Mapping[str, Any]) -> bool | None:
    """Judge an attached policy; None for a customer-managed one, whose document is not read."""
    return policy["PolicyName"] in ADMINISTRATOR_POLICIES if is_aws_managed(policy["PolicyArn"]) else None


def _access(user: Mapping[str, Any], own: _Grants, groups: Mapping[str, _Grants]) -> Access | None:
    """Put together what a user may do. None where a policy that could make it an administrator is unreadable."""
    memberships = tuple(user.get("GroupList", []))
    sources = [own, *(groups[name] for name in memberships if name in groups)]
    unknown_groups = [None for name in memberships if name not in groups]
    administrator = any_of([*(grants.administrator for grants in sources), *unknown_groups])
    if administrator is not True and any(grants.unreadable for grants in sources):
        return None
    boundary = user.get("PermissionsBoundary") or {}
    return Access(
        administrator=administrator,
        groups=memberships,
        attached_policies=tuple(name for grants in sources for name in grants.attached),
        inline_policies=tuple(name for grants in sources for name in grants.inline),
        permissions_boundary=boundary.get("PermissionsBoundaryArn"),
        denied_by=own.denying,
        tags=tuple((tag["Key"], tag["Value"]) for tag in user.get("Tags", [])),
    )
