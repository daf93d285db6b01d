"""Which users need a decision in a review, why, and how urgent each is. Pure: days are passed in.

A decision to approve or keep settles a user until it expires. A decision to remove, quarantine or defer does not: the
user comes up again as long as it exists.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from scanner.audit.credential_use import Activity
from scanner.model import Basis, Change, Choice, Determination, Entry, Finding, IamUser, SortKey
from scanner.record import ReviewDecision
from scanner.safelist.usage import ends_soon

API_KEY_USER_NAME = "bedrockapikey-"  # lower-case: in names, IAM takes no notice of case
Urgency = tuple[int, bool, bool, SortKey]


class Risk(StrEnum):
    """What makes a user urgent, most urgent first. Unknown is never taken for harmless."""

    API_KEY_USER = "made for a Bedrock API key, yet has an access key or a password"  # it never needs one
    ADMINISTRATOR = "administrator"
    ESCALATION = "can make itself administrator"  # as urgent as one
    CONSOLE_WITHOUT_MFA = "console without MFA"
    DORMANT_KEYS = "dormant with active keys"
    MADE_BY_USER = "made by another IAM user"
    RIGHTS_UNKNOWN = "rights not known"
    USE_UNKNOWN = "credentials not known"
    NONE = "none listed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """The days that a review is measured by."""

    as_of: date  # approvals are judged on this day
    today: date  # on which the run started, and from which ages count
    review_every: int  # days after which a user is due again


NOT_APPROVED = "not approved"
# On what ground a user is not approved.
GROUNDS: Mapping[Basis, str] = {
    Basis.NOT_SAFELISTED: "on no safelist",
    Basis.APPROVAL_EXPIRED: "approval expired",
    Basis.APPROVAL_NOT_STARTED: "approval not started yet",
    Basis.APPROVAL_INVALID: "approval breaks the policy",
    Basis.USER_RECREATED: "recreated since approval",
    Basis.REVOKED: "revoked",
}
CHANGED = {
    Change.RECREATED: "recreated since the previous run",
    Change.RENAMED: "renamed since the previous run",
    Change.PRIVILEGE_GAINED: "gained privilege since the previous run",
}
_UNSETTLED = {
    Choice.REMOVE: "to be removed since {}, and still there",
    Choice.QUARANTINE: "to be quarantined since {}, and still there",
    Choice.DEFER: "deferred on {}",
}
_QUARANTINED = "quarantined, as decided on {}, and still there"


def reasons(finding: Finding, last: ReviewDecision | None, days: Days, *, quarantined: bool = False) -> Iterator[str]:
    """Every reason why a user needs a decision, in plain words; none where it needs no decision.

    `quarantined`: a quarantine by this program stands.
    """
    entry = _approving(finding)
    if finding.determination is Determination.UNAPPROVED:
        yield f"{NOT_APPROVED}: {GROUNDS[finding.basis]}"
    if entry is not None and ends_soon(entry, days.as_of):
        yield f"approval ends on {entry.expires_on}"
    yield from (words for change, words in CHANGED.items() if change in finding.changes)
    if last is not None and last.choice in _UNSETTLED:
        done = quarantined and last.choice is Choice.QUARANTINE
        yield (_QUARANTINED if done else _UNSETTLED[last.choice]).format(last.reviewed_on)
    elif finding.determination is Determination.APPROVED:
        yield from _overdue(entry, last, days)


def risks(user: IamUser, used: Activity) -> tuple[Risk, ...]:
    """All risks of a user, most urgent first; the first one gives its rank."""
    administrator = None if user.access is None else user.access.administrator
    applies = {
        Risk.API_KEY_USER: _misuses_api_key_user(user),
        Risk.ADMINISTRATOR: administrator is True,
        Risk.ESCALATION: administrator is not True and bool(user.access and user.access.escalation),
        Risk.CONSOLE_WITHOUT_MFA: used.console_without_mfa is True,
        Risk.DORMANT_KEYS: used.dormant_with_keys is True,
        Risk.MADE_BY_USER: user.created_by is not None and ":user/" in user.created_by,
        Risk.RIGHTS_UNKNOWN: administrator is None,
        Risk.USE_UNKNOWN: used.console_without_mfa is None or used.dormant_with_keys is None,
    }
    return tuple(risk for risk, does in applies.items() if does) or (Risk.NONE,)


def rank(risks: tuple[Risk, ...]) -> int:
    """The lower, the more urgent."""
    first = Risk.ADMINISTRATOR if risks[0] is Risk.ESCALATION else risks[0]
    return list(Risk).index(first)


def _misuses_api_key_user(user: IamUser) -> bool:
    """Whether a user that the Bedrock console made for an API key has what such a user never needs.

    Next to no such user is harmless, and a known way to stay in an account is to hide behind its name. Source: Elastic,
    detection-rules, rules on Bedrock API keys (2026).
    """
    held = user.credentials
    named_so = user.user_name.lower().startswith(API_KEY_USER_NAME)
    return named_so and held is not None and bool(held.console_access or held.access_keys)


def urgency(risks: tuple[Risk, ...], finding: Finding) -> Urgency:
    """The key to sort users by, the most urgent first.

    By risk; of the same risk those first that are unapproved; of these, those that changed; then as everywhere.
    """
    changed = any(change in finding.changes for change in (*CHANGED, Change.NEWLY_UNAPPROVED, Change.NEW))
    return rank(risks), finding.determination is Determination.APPROVED, not changed, finding.sort_key


def _approving(finding: Finding) -> Entry | None:
    approved = finding.determination is Determination.APPROVED
    return finding.entry if approved and isinstance(finding.entry, Entry) else None


def _overdue(entry: Entry | None, last: ReviewDecision | None, days: Days) -> Iterator[str]:
    """The newer of review and approval counts; a day in the future, from a clock ahead of ours, counts as today."""
    approved_on, reviewed_on = entry and entry.approved_on, last and last.reviewed_on
    looked_at = [day for day in (approved_on, reviewed_on) if day]
    if not looked_at:
        yield "never reviewed"
    elif (age := (days.today - max(looked_at)).days) > days.review_every:
        ago = f"{age:,} {'day' if age == 1 else 'days'} ago"
        yield f"last reviewed {ago}" if max(looked_at) == reviewed_on else f"approved {ago}, not reviewed since"
