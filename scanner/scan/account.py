"""One account, from the role to its users and their evidence. Never raises for what the account does."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeVar

from scanner.aws import iam
from scanner.aws.clients import Session
from scanner.aws.credential_report import credential_report
from scanner.aws.failures import CallError, failure, incomplete_listing
from scanner.aws.identity import AssumedRole, role_arn
from scanner.aws.user_origins import Origin, recent, user_origins
from scanner.model import Account, AccountScan, Caller, Evidence, Failed, FailReason, Failure, IamUser, Scanned, UserId
from scanner.scan.account_notes import Answers, gaps, named, remarks

T = TypeVar("T")

# How IAM, and IAM alone, refuses session tokens that were made without MFA (GetSessionToken).
_TOKEN_REFUSED = frozenset({"InvalidClientTokenId", "UnrecognizedClientException"})

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """How accounts are entered: the caller's session, and what member roles are assumed from and with."""

    caller: Caller
    own: Session  # the caller's credentials
    hub: Session  # whence member roles are assumed: the caller's, or the hub role's credentials
    role_name: str
    session_name: str
    external_id: str | None
    policy: str | None  # the session policy for member roles
    full: bool  # read all the evidence
    seconds: float  # per account

    def role_of(self, account: Account) -> str:
        return role_arn(self.caller.partition, account.id, self.role_name)

    def member(self, account: Account, deadline: float) -> Session:
        """Return a session in the account, by its role."""
        assumed = AssumedRole(
            self.hub.until(deadline),
            self.role_of(account),
            session_name=self.session_name,
            policy=self.policy,
            external_id=self.external_id,
        )
        return Session(self.own.clients, assumed.credentials, deadline)


async def scan_account(account: Account, entrance: Entrance, release: Callable[[], None]) -> AccountScan:
    """Read the account within its time; `release` is called when nothing but its credential report is waited for."""
    deadline = asyncio.get_running_loop().time() + entrance.seconds
    role: str | None = None
    try:
        if account.id == entrance.caller.account_id:
            own = await _as_caller(account, entrance, deadline, release)
            if own is not None:
                return own
        role = entrance.role_of(account)
        return await _read(account, entrance.member(account, deadline), role, entrance, release)
    except CallError as error:
        return _failed(account, error.failure, role)
    except Exception:  # noqa: BLE001  # the account's edge: a fault here must cost one account and never the audit
        return _failed(account, not_understood(account, "iam"), role)


def not_understood(account: Account, call: str) -> Failure:
    """Log the exception that is being handled, which nobody foresaw, and return it as a failure of this call."""
    log.exception("account %s: unexpected", account.id)
    detail = "The program did not understand an answer of this account; --debug shows where."
    return failure(FailReason.BAD_RESPONSE, call, detail)


def is_refused_to_caller(refused: Failure) -> bool:
    """Whether IAM does not let the caller in with its own credentials, so that the role is tried."""
    return refused.reason is FailReason.ACCESS_DENIED or refused.code in _TOKEN_REFUSED


async def _as_caller(
    account: Account, entrance: Entrance, deadline: float, release: Callable[[], None]
) -> Scanned | None:
    """Read the caller's own account with the caller's own credentials; None where IAM refuses those.

    Where only evidence is denied, the role is tried for that, and what the caller could read is kept if it fails.
    """
    try:
        own = await _read(account, entrance.own.until(deadline), None, entrance, release)
    except CallError as error:
        if not is_refused_to_caller(error.failure):
            raise
        return None
    if own.evidence is not Evidence.PARTIAL:
        return own
    try:
        return await _read(account, entrance.member(account, deadline), entrance.role_of(account), entrance, release)
    except CallError:
        return own


def _failed(account: Account, failure: Failure, role: str | None) -> Failed:
    log.debug("account %s: %s at %s (%s)", account.id, failure.reason, failure.call, failure.code or "no code")
    return Failed(account_id=account.id, failure=failure, role_arn=role, scanned_at=datetime.now(UTC))


async def _read(
    account: Account, session: Session, role: str | None, entrance: Entrance, release: Callable[[], None]
) -> Scanned:
    await session.credentials()  # a role that cannot be assumed shows here, under its own call
    if not entrance.full:
        users = await iam.list_users(session, account.id)
        return _scanned(account, users, Evidence.BASIC, (), role)
    # Asked for first and read last: AWS takes seconds to make the report, and the rest is read meanwhile.
    asked = asyncio.create_task(_attempt(credential_report(session)))
    try:
        first = await iam.list_users(session, account.id)
        details = await _attempt(iam.authorization_details(session, account.id))
        async with asyncio.TaskGroup() as rest:  # beside each other, as what the account costs is mostly waiting
            counting = rest.create_task(_attempt(iam.user_count(session)))
            keys = rest.create_task(_attempt(iam.service_credentials(session)))
            origins = rest.create_task(_attempt(_origins(session, entrance.caller.partition, first)))
        last = await listed_again(first, details, session, account)
        release()
        report = await asked
    finally:
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)  # no call of the account outlives it
    answers = Answers(
        first=first,
        last=last,
        details=details,
        count=counting.result(),
        service_keys=keys.result(),
        origins=origins.result(),
        report=report,
        read_at=datetime.now(UTC),
    )
    missing, notes = tuple(gaps(answers)), tuple(remarks(answers))
    users = tuple(_with_evidence(user, answers) for user in answers.users)
    scanned = _scanned(account, users, Evidence.PARTIAL if missing else Evidence.FULL, (*missing, *notes), role)
    return replace(scanned, credential_report_at=None if isinstance(report, Failure) else report.generated_at)


async def _attempt(reading: Coroutine[None, None, T]) -> T | Failure:
    """Read a piece of evidence; what does not come leaves columns empty, and does not cost the account."""
    try:
        return await reading
    except CallError as error:
        return error.failure


async def listed_again(
    first: tuple[IamUser, ...], details: iam.AuthorizationDetails | Failure, session: Session, account: Account
) -> tuple[IamUser, ...]:
    """List once more where the list lacks a user that the authorization details have; else return the same list.

    A user that was created or deleted between the calls is in one of the two lists. One that is in neither was passed
    over: INCOMPLETE_LISTING.
    """
    names = {} if isinstance(details, Failure) else details.names
    lacking = names.keys() - {user.user_id for user in first}
    if not lacking:
        return first
    again = await iam.list_users(session, account.id)
    if passed_over := lacking - {user.user_id for user in again}:
        which = named(names[user_id] for user_id in passed_over)
        raise incomplete_listing(
            "iam:ListUsers", f"GetAccountAuthorizationDetails has users that ListUsers lacks: {which}."
        )
    return again


async def _origins(session: Session, partition: str, users: tuple[IamUser, ...]) -> Mapping[UserId, Origin] | None:
    """Look up who created the users; None where all are too old for that, and nothing is asked."""
    young = recent(users, datetime.now(UTC))
    return await user_origins(session, partition, young) if young else None


def _with_evidence(user: IamUser, answers: Answers) -> IamUser:
    details, report, keys, origins = answers.details, answers.report, answers.service_keys, answers.origins
    origin = origins.get(user.user_id) if isinstance(origins, Mapping) else None
    return replace(
        user,
        access=None if isinstance(details, Failure) else details.access.get(user.user_id),
        credentials=None if isinstance(report, Failure) else report.of(user),
        service_credentials=None if isinstance(keys, Failure) else keys.get(user.user_name.lower(), ()),
        created_by=origin.created_by if origin else None,
        created_with=origin.created_with if origin else None,
    )


def _scanned(
    account: Account, users: tuple[IamUser, ...], evidence: Evidence, notes: tuple[str, ...], role: str | None
) -> Scanned:
    return Scanned(
        account_id=account.id,
        users=users,
        evidence=evidence,
        notes=notes,
        role_arn=role,
        scanned_at=datetime.now(UTC),
    )
