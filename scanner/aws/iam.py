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
from scanner.aws.grants import Held
from scanner.aws.identity import arn_account
from scanner.model import Access, AccountId, FailReason, Failure, IamUser, ServiceCredential, UserId

PAGE_SIZE = 1000  # the most that IAM gives; it may give fewer
DETAILS = ("User", "Group", "LocalManagedPolicy")
DETAILS_PAGE_SIZE = 200  # a policy comes with up to five versions of 6 KB, and many accounts are read at once
_LIST = "iam:ListUsers"
_DETAILS = "iam:GetAccountAuthorizationDetails"
_SERVICE_KEYS = "ListServiceSpecificCredentials"
_SERVICES_WITH_KEYS = ("bedrock", "cassandra", "codecommit")  # asked one by one where AWS takes no AllUsers for all


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationDetails:
    """GetAccountAuthorizationDetails, reduced to what columns are made of."""

    names: Mapping[UserId, str]
    access: Mapping[UserId, Access | None]  # None: a policy that decides it is among the `unreadable`
    unreadable: tuple[str, ...] = ()  # "inline policy deploy of user alice", "customer-managed policy deploy"


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
    async for page in pages(session, "ListUsers"):
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
    """Read what users belong to and may do (GetAccountAuthorizationDetails: users, groups, customer-managed policies).

    Each policy is judged as its page comes, and its text goes with the page. One that cannot be read, or that is
    attached and did not come, costs the access of its user, or of its group's members, and of nobody else.
    """
    held = Held()
    every_page = pages(session, "GetAccountAuthorizationDetails", MaxItems=DETAILS_PAGE_SIZE, Filter=DETAILS)
    try:
        async for page in every_page:
            _take(page, account_id, held)
            del page  # no two at once
        return AuthorizationDetails(names=held.names, access=held.access(), unreadable=held.unreadable())
    except KeyError as error:
        raise bad_response(_DETAILS, "The users' details are not in the form that IAM documents.") from error


def _take(page: Mapping[str, Any], account_id: AccountId, held: Held) -> None:
    for thing in (*page["UserDetailList"], *page.get("Policies", ())):
        check_account(thing["Arn"], account_id, _DETAILS)
    held.take(page)


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
    async for page in pages(session, _SERVICE_KEYS, AllUsers=True, **service):
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


async def pages(session: Session, operation: str, **parameters: Any) -> AsyncIterator[dict[str, Any]]:
    """Page by marker. The SDK's own paginator takes a cut list (`IsTruncated` without `Marker`) for a whole one."""
    call = f"iam:{operation}"
    marker: str | None = None
    while True:
        asked = {"MaxItems": PAGE_SIZE, **parameters, **({"Marker": marker} if marker else {})}
        page = await session.call("iam", operation, **asked)
        yield page
        more, previous, marker = page.get("IsTruncated"), marker, page.get("Marker")
        del page  # before the next one comes
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
    check_account(user.arn, account_id, _LIST)
    return user


def check_account(arn: str, account_id: AccountId, call: str) -> None:
    """Check what no signature shows: that the answer is about the account that was asked."""
    if arn_account(arn) != account_id:
        raise bad_response(call, f"Account {account_id} was asked, but the response is about {arn}.")
