"""Accounts: the role, and each call of a scan, by the functions of the scan itself.

A scan reads an account's credential report after it had IAM make a new one. Here the stored one is read and none is
made, so whether the role may have one made is not tried.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from scanner.aws import iam
from scanner.aws.clients import Session
from scanner.aws.credential_report import NOT_READY, stored_report
from scanner.aws.failures import DENIED, CallError
from scanner.aws.user_origins import check_history
from scanner.doctor.checks import Check, Outcome, Part, of_failure
from scanner.model import Account, AccountId, FailReason, Failure
from scanner.scan.account import Entrance, is_refused_to_caller, listed_again, not_understood
from scanner.scan.account_notes import not_here
from scanner.scan.prepare import Ready
from scanner.scan.scope import Placed, Plan

Answers = Mapping[str, object]  # by call: what it gave, or its Failure

ROLE, LIST, REPORT = "sts:AssumeRole", "iam:ListUsers", "iam:GetCredentialReport"
DETAILS, SUMMARY = "iam:GetAccountAuthorizationDetails", "iam:GetAccountSummary"
KEYS, HISTORY = "iam:ListServiceSpecificCredentials", "cloudtrail:LookupEvents"
_HERE = Part.ACCOUNTS

NOT_TRIED: Final = Check(
    part=_HERE,
    what="iam:GenerateCredentialReport",
    outcome=Outcome.NOT_TRIED,
    detail="it would replace the stored report; a scan needs the permission",
)
_BY_HAND: Final = (
    "This is the management account, which a StackSet does not reach: deploy the role there by hand, or exclude the "
    "account with a reason."
)


def calls(*, full: bool) -> tuple[str, ...]:
    """The calls that are made in each account, with all the evidence or without."""
    return (LIST, SUMMARY, DETAILS, REPORT, KEYS, HISTORY) if full else (LIST,)


def chosen(placed: Sequence[Placed], ready: Ready, *, every: bool) -> list[Account]:
    """The accounts to enter: every one that a scan would read, or of each OU that directly holds any that of lowest ID.

    The caller's own account and the management account stand for no OU and come on top: the one is read with the
    caller's own credentials, and the other does not have its role from a StackSet.
    """
    accounts = sorted(
        (one.account for one in placed if one.placement.plan is Plan.SCAN), key=lambda account: account.id
    )
    if every:
        return accounts
    apart = {ready.caller.account_id, ready.organization and ready.organization.management_account_id}
    by_ou: dict[str, Account] = {}
    for account in accounts:
        place = account.id if account.id in apart else str(account.ou_id or account.ou_path)
        by_ou.setdefault(place, account)
    return list(by_ou.values())


async def check_account(account: Account, entrance: Entrance, management: AccountId | None) -> tuple[Check, ...]:
    """Enter the account as a scan does, within its time, and make each call. Never raises for what the account does."""
    deadline = asyncio.get_running_loop().time() + entrance.seconds
    if account.id != entrance.caller.account_id:
        return await _by_role(account, entrance, deadline, management)
    own = await _answers(account, entrance.own.until(deadline), entrance)
    if _is_read_by_role(own):
        by_role = await _by_role(account, entrance, deadline, management)
        if not any(check.is_missing for check in by_role):
            return by_role
    return tuple(_for_caller(check, entrance.role_of(account)) for check in _checks(account, own))


def _is_read_by_role(own: Answers) -> bool:
    """Whether a scan would try the role in the caller's own account, as the caller itself is denied something."""
    listed = own[LIST]
    if isinstance(listed, Failure):
        return is_refused_to_caller(listed)
    return any(isinstance(answer, Failure) for answer in own.values())


def _for_caller(check: Check, role: str) -> Check:
    if check.outcome is not Outcome.FAILED or check.code not in DENIED:
        return check
    remedy = f"Allow the caller this call in its own account, or deploy {role} there, too."
    return replace(check, remedy=remedy)


async def _by_role(
    account: Account, entrance: Entrance, deadline: float, management: AccountId | None
) -> tuple[Check, ...]:
    session = entrance.member(account, deadline)
    assumed = await _answer(account, ROLE, session.credentials)
    if isinstance(assumed, Failure):
        refused = of_failure(_HERE, ROLE, assumed, account)
        if account.id == management and assumed.reason is FailReason.ROLE_NOT_ASSUMABLE:
            refused = replace(refused, remedy=f"{_BY_HAND} {refused.remedy}")
        return (refused, *_not_checked(account, entrance))
    answers = await _answers(account, session, entrance)
    return (_check(account, ROLE, Outcome.OK, "assumed"), *_checks(account, answers))


def _not_checked(account: Account, entrance: Entrance) -> list[Check]:
    why = "the role was not assumed"
    return [_check(account, what, Outcome.NOT_CHECKED, why) for what in calls(full=entrance.full)]


async def _answers(account: Account, session: Session, entrance: Entrance) -> Answers:
    """What each call gave: side by side, so that one that hangs does not take the others' time."""
    readings: Mapping[str, Callable[[], Awaitable[object]]] = {
        LIST: lambda: iam.list_users(session, account.id),
        SUMMARY: lambda: iam.user_count(session),
        DETAILS: lambda: iam.authorization_details(session, account.id),
        REPORT: lambda: stored_report(session),
        KEYS: lambda: iam.service_credentials(session),
        HISTORY: lambda: check_history(session, entrance.caller.partition),
    }
    made = calls(full=entrance.full)
    given = await asyncio.gather(*(_answer(account, what, readings[what]) for what in made))
    answers = dict(zip(made, given, strict=True))
    users, details = answers[LIST], answers.get(DETAILS)
    if isinstance(users, tuple) and isinstance(details, iam.AuthorizationDetails):
        answers[LIST] = await _answer(account, LIST, lambda: listed_again(users, details, session, account))
    return answers


async def _answer(account: Account, what: str, reading: Callable[[], Awaitable[object]]) -> object:
    try:
        return await reading()
    except CallError as error:
        return error.failure
    except Exception:  # noqa: BLE001  # the account's edge, as in a scan
        return not_understood(account, what)


def _checks(account: Account, answers: Answers) -> tuple[Check, ...]:
    return tuple(
        _of_refusal(account, what, answer)
        if isinstance(answer, Failure)
        else _check(account, what, Outcome.OK, "answered")
        for what, answer in answers.items()
    )


def _of_refusal(account: Account, what: str, refusal: Failure) -> Check:
    """A refusal fails the check, but for one that costs a scan nothing."""
    if what == REPORT and refusal.code in NOT_READY:
        return _check(account, what, Outcome.OK, f"{refusal.code}, which is fine: a scan has one made")
    if not_here(refusal):
        return _check(account, what, Outcome.OK, "not available in this partition; its columns stay empty")
    return of_failure(_HERE, what, refusal, account)


def _check(account: Account, what: str, outcome: Outcome, detail: str) -> Check:
    return Check(part=_HERE, what=what, outcome=outcome, detail=detail, account=account)
