"""Why a user is not to be touched, whatever was decided. Pure: all that is judged by comes in as values.

Judged when the plan is made, and again right before the first call on the user.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from scanner.aws.attachments import AttachmentKind, Key, LiveUser
from scanner.model import DENY_ALL, Choice, Determination, Entry
from scanner.record import ReviewDecision
from scanner.remediation.last_use import CONSOLE, CredentialUse, unknown_uses, uses
from scanner.remediation.limits import ATTACHED_POLICIES, RECENT, Allowances, deny_all_arn
from scanner.remediation.plan import newcomers, planned_calls
from scanner.remediation.plan_document import Reason, Target
from scanner.remediation.session_policy import grants, wild_arns
from scanner.safelist.match import Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A user that is left as it is, and why, in a sentence for people."""

    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A user that was decided about, and all that speaks for or against carrying it out now."""

    target: Target
    user: LiveUser
    partition: str
    caller_arn: str
    now: datetime
    excluded: str | None  # why its account, or the OU that holds it, is excluded by the settings
    approval: Decision  # by the safelists of today
    break_glass: Entry | None  # an entry of that kind that is about the user, whether or not it still approves
    ledger: ReviewDecision | None  # the last decision about the user
    last_administrator: bool
    quarantined_at: datetime | None  # by this program, and not undone
    allowances: Allowances
    planned: LiveUser | None = None  # as it was when planned; None: it is being planned
    ours: Collection[Key] = ()  # what this program attached since

    @property
    def removal(self) -> bool:
        return self.target.choice is Choice.REMOVE


def refusal(case: Case) -> Refusal | None:
    """Return the first reason against, or None."""
    return next(filter(None, (check(case) for check in _CHECKS)), None)


def _other_user(case: Case) -> Refusal | None:
    if case.user.user_id == case.target.user_id:
        return None
    detail = f"The user {case.user.user_name} is {case.user.user_id} now, and {case.target.user_id} was decided about."
    return Refusal(reason=Reason.OTHER_USER_ID, detail=detail)


def _excluded(case: Case) -> Refusal | None:
    if case.excluded is None:
        return None
    return Refusal(reason=Reason.EXCLUDED, detail=f"The settings exclude its account: {case.excluded}.")


def _caller(case: Case) -> Refusal | None:
    if case.user.arn.lower() != case.caller_arn.lower():
        return None
    return Refusal(reason=Reason.CALLER_ITSELF, detail="This is the user that iam-scanner is run as.")


def _break_glass(case: Case) -> Refusal | None:
    if case.break_glass is None:
        return None
    detail = f"{case.break_glass.at} names it as break-glass. Take that entry out of the safelist first."
    return Refusal(reason=Reason.BREAK_GLASS, detail=detail)


def _approved(case: Case) -> Refusal | None:
    if case.approval.determination is not Determination.APPROVED:
        return None
    return Refusal(reason=Reason.APPROVED, detail=f"{case.approval.explanation}.")


def _not_decided(case: Case) -> Refusal | None:
    last = case.ledger
    if case.target.reviewer is None:
        if last is None or last.is_removal:
            return None
        detail = f"{last.reviewer} decided {last.choice} on {last.reviewed_on}: a review decides on this user."
    elif last is None:
        detail = "The ledger has no decision about this user. Import the review again."
    elif last.choice is case.target.choice:
        return None
    else:
        detail = f"The ledger's last decision is {last.choice}, of {last.reviewer} on {last.reviewed_on}."
    return Refusal(reason=Reason.NOT_DECIDED, detail=detail)


def _changed(case: Case) -> Refusal | None:
    if case.planned is None:
        return None
    if case.user.arn != case.planned.arn:
        detail = f"It is called {case.user.arn} now, and was planned as {case.planned.arn}. Make a new plan."
        return Refusal(reason=Reason.RENAMED, detail=detail)
    new = newcomers(case.planned, case.user, case.ours)
    if not new:
        return None
    named = ", ".join(thing.words for thing in new)
    detail = f"New or active again since the plan was made: {named}. Make a new plan."
    return Refusal(reason=Reason.CHANGED_SINCE_PLANNING, detail=detail)


def _wildcard(case: Case) -> Refusal | None:
    wild = wild_arns(planned_calls(case.target.choice, case.user, case.partition))
    if not wild:
        return None
    detail = f"{', '.join(wild)}: a policy would read *, ? or $ as more than this name. Do it by hand."
    return Refusal(reason=Reason.WILDCARD_IN_ARN, detail=detail)


def _session_policy(case: Case) -> Refusal | None:
    if grants(planned_calls(case.target.choice, case.user, case.partition)) is not None:
        return None
    detail = "Its names are too long for a session policy of 2,048 characters. Do it by hand."
    return Refusal(reason=Reason.SESSION_POLICY, detail=detail)


def _quota(case: Case) -> Refusal | None:
    attached = case.user.of_kind(AttachmentKind.ATTACHED_POLICY)
    denied = any(policy.id == deny_all_arn(case.partition) for policy in attached)
    if denied or len(attached) < ATTACHED_POLICIES:
        return None
    detail = f"{len(attached)} managed policies are attached, so {DENY_ALL} cannot be. Detach one that gives rights."
    return Refusal(reason=Reason.POLICY_QUOTA, detail=detail)


def _last_administrator(case: Case) -> Refusal | None:
    if not case.last_administrator or case.allowances.include_last_administrator:
        return None
    detail = (
        "It is an administrator, or may be one, and no other IAM user of the account is known to be one who can get "
        "in. Give --include-last-administrator once somebody else can administer it."
    )
    return Refusal(reason=Reason.LAST_ADMINISTRATOR, detail=detail)


def _quarantine_first(case: Case) -> Refusal | None:
    wait = timedelta(days=case.allowances.removal_after_quarantine_days)
    if not wait or not case.removal:
        return None
    rule = f"removal_after_quarantine_days is {wait.days}"
    if case.quarantined_at is None:
        detail = f"{rule}, and this program has not quarantined it. Quarantine it first."
        return Refusal(reason=Reason.NOT_QUARANTINED, detail=detail)
    if case.now - case.quarantined_at < wait:
        due = case.quarantined_at + wait
        detail = f"{rule}; it was quarantined on {case.quarantined_at:%Y-%m-%d} and may go on {due:%Y-%m-%d}."
        return Refusal(reason=Reason.NOT_QUARANTINED, detail=detail)
    if case.planned is None and not _is_quarantined(case):
        detail = (
            f"It was quarantined on {case.quarantined_at:%Y-%m-%d}, and is not any more. Quarantine it again first."
        )
        return Refusal(reason=Reason.NOT_QUARANTINED, detail=detail)
    since = next((use for use in uses(case.user) if use.at > case.quarantined_at), None)
    if since is None:
        return None
    detail = f"{_words(since)}, after it was quarantined on {case.quarantined_at:%Y-%m-%d}."
    return Refusal(reason=Reason.USED_SINCE_QUARANTINE, detail=detail)


def _is_quarantined(case: Case) -> bool:
    """Tell whether the quarantine still stands: somebody may have taken it off by other means."""
    denied = case.user.find((AttachmentKind.ATTACHED_POLICY, deny_all_arn(case.partition))) is not None
    return denied and not any(thing.active for thing in case.user.attachments)


def _active(case: Case) -> Refusal | None:
    if not case.removal or case.allowances.include_active:
        return None
    allow = "Quarantine it first, or give --include-active."
    newest = next(iter(uses(case.user)), None)
    if newest is not None and case.now - newest.at < RECENT:
        detail = f"{_words(newest)}, less than {RECENT.days} days ago. {allow}"
        return Refusal(reason=Reason.RECENTLY_USED, detail=detail)
    unknown = unknown_uses(case.user)
    if not unknown:
        return None
    detail = f"AWS does not say when this was last used: {', '.join(unknown)}. {allow}"
    return Refusal(reason=Reason.USE_UNKNOWN, detail=detail)


def _words(use: CredentialUse) -> str:
    what = "was set" if use.by_setting else "was used"
    used_for = f" for {use.used_for}" if use.used_for and use.used_for != CONSOLE else ""
    return f"Its {use.credential} {what} on {use.at:%Y-%m-%d}{used_for}"


_CHECKS: tuple[Callable[[Case], Refusal | None], ...] = (
    _excluded,
    _other_user,
    _caller,
    _break_glass,
    _approved,
    _not_decided,
    _changed,
    _wildcard,
    _session_policy,
    _quota,
    _last_administrator,
    _quarantine_first,
    _active,
)
