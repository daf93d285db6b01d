"""One account, from the role to its users and their evidence. Never raises for what the account does."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeVar

from scanner.aws import iam
from scanner.aws.clients import Session
from scanner.aws.credential_report import CredentialReport
from scanner.aws.failures import CallError, failure, incomplete_listing
from scanner.aws.identity import AssumedRole, role_arn
from scanner.model import Account, AccountScan, Caller, Evidence, Failed, FailReason, Failure, IamUser, Scanned

T = TypeVar("T")

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
        return await _read(account, entrance.member(account, deadline), role, entrance.full, release)
    except CallError as error:
        return _failed(account, error.failure, role)
    except Exception:  # the account's edge: a fault here must cost one account and never the audit
        log.exception("account %s: unexpected", account.id)
        detail = "The program did not understand an answer of this account; --debug shows where."
        return _failed(account, failure(FailReason.BAD_RESPONSE, "iam", detail), role)


async def _as_caller(
    account: Account, entrance: Entrance, deadline: float, release: Callable[[], None]
) -> Scanned | None:
    """Read the caller's own account with the caller's own credentials; None where those are denied.

    Where only evidence is denied, the role is tried for that, and what the caller could read is kept if it fails.
    """
    try:
        own = await _read(account, entrance.own.until(deadline), None, entrance.full, release)
    except CallError as error:
        if error.failure.reason is not FailReason.ACCESS_DENIED:
            raise
        return None
    if own.evidence is not Evidence.PARTIAL:
        return own
    try:
        return await _read(account, entrance.member(account, deadline), entrance.role_of(account), True, release)
    except CallError:
        return own


def _failed(account: Account, failure: Failure, role: str | None) -> Failed:
    log.debug("account %s: %s at %s (%s)", account.id, failure.reason, failure.call, failure.code or "no code")
    return Failed(account_id=account.id, failure=failure, role_arn=role, scanned_at=datetime.now(UTC))


async def _read(
    account: Account, session: Session, role: str | None, full: bool, release: Callable[[], None]
) -> Scanned:
    await session.credentials()  # a role that cannot be assumed shows here, under its own call
    if not full:
        users = await iam.list_users(session, account.id)
        return _scanned(account, users, Evidence.BASIC, (), role)
    # Asked for first and read last: AWS takes seconds to make the report, and the rest is read meanwhile.
    asked = asyncio.create_task(_attempt(iam.credential_report(session)))
    try:
        users = await iam.list_users(session, account.id)
        details = await _attempt(iam.authorization_details(session, account.id))
        count = await _attempt(iam.user_count(session))
        if isinstance(details, iam.AuthorizationDetails):
            users = await _complete(users, details, session, account)
        release()
        report = await asked
    finally:
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)  # no call of the account outlives it
    refused = tuple(_refusal(part) for part in (report, details, count) if isinstance(part, Failure))
    notes = refused + _remarks(users, details, count, report)
    evidenced = tuple(_with_evidence(user, details, report) for user in users)
    scanned = _scanned(account, evidenced, Evidence.PARTIAL if refused else Evidence.FULL, notes, role)
    return replace(scanned, credential_report_at=None if isinstance(report, Failure) else report.generated_at)


async def _attempt(reading: Coroutine[None, None, T]) -> T | Failure:
    """Read a piece of evidence; what does not come leaves columns empty, and does not cost the account."""
    try:
        return await reading
    except CallError as error:
        return error.failure


async def _complete(
    users: tuple[IamUser, ...], details: iam.AuthorizationDetails, session: Session, account: Account
) -> tuple[IamUser, ...]:
    """Hold the list against the authorization details; list once more where it lacks a user that those have."""
    if not _missing(users, details):
        return users
    again = await iam.list_users(session, account.id)
    missing = _missing(again, details)
    if missing:
        raise incomplete_listing(
            "iam:ListUsers", f"GetAccountAuthorizationDetails has users that ListUsers lacks: {', '.join(missing)}."
        )
    return again


def _missing(users: tuple[IamUser, ...], details: iam.AuthorizationDetails) -> list[str]:
    return sorted(details.names[key] for key in details.names.keys() - {user.user_id for user in users})


def _with_evidence(
    user: IamUser, details: iam.AuthorizationDetails | Failure, report: CredentialReport | Failure
) -> IamUser:
    return replace(
        user,
        access=None if isinstance(details, Failure) else details.access.get(user.user_id),
        credentials=None if isinstance(report, Failure) else report.of(user),
    )


def _refusal(failure: Failure) -> str:
    code = f" ({failure.code})" if failure.code else ""
    return f"{failure.call} gave no evidence: {failure.reason}{code}. {failure.detail}"


def _remarks(
    users: tuple[IamUser, ...],
    details: iam.AuthorizationDetails | Failure,
    count: int | Failure,
    report: CredentialReport | Failure,
) -> tuple[str, ...]:
    """Say what does not agree, where all calls worked."""
    remarks = []
    if isinstance(report, CredentialReport) and (absent := sum(report.of(user) is None for user in users)):
        remarks.append(f"{absent} of {len(users)} users are not in the credential report: it is older than they are.")
    if not isinstance(details, Failure) and (absent := sum(user.user_id not in details.access for user in users)):
        remarks.append(f"{absent} of {len(users)} users are not in the authorization details.")
    if isinstance(count, int) and count != len(users):
        remarks.append(f"GetAccountSummary counts {count} users, ListUsers gave {len(users)}; it can lag behind.")
    return tuple(remarks)


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
