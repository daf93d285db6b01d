"""The rows and columns of the Review sheet: who needs a decision, what decides it, and the cells for the reviewers.

The import of a review finds columns by their names and users by `IDENTITY`, wherever a spreadsheet has moved them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC

from scanner.audit.assessment import Assessment
from scanner.audit.carried_out import Decided, Fate, decided
from scanner.audit.triage import Days, Risk, reasons, risks, urgency
from scanner.model import DENY_ALL, AccountId
from scanner.record import Header, Remediation, ReviewDecision, UserKey
from scanner.report.columns import DATE, LIST, TEXT, USERS, Column, Value
from scanner.report.review_facts import facts
from scanner.report.rows import UserRow
from scanner.report.suggestion import is_to_go, left_unadministered, suggestion
from scanner.report.words import remediation_words
from scanner.runs.ledger import latest

IDENTITY = ("account_id", "account_name", "user_name", "arn", "user_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRow:
    """A user that needs a decision."""

    user: UserRow
    risks: tuple[Risk, ...]
    reasons: tuple[str, ...]
    last: ReviewDecision | None  # of an earlier review
    by: Days
    done: tuple[Remediation, ...]  # what plans made of it
    unadministered: str = ""  # what to see to, where no administrator might be left in its account


def review_rows(assessment: Assessment, users: Sequence[UserRow]) -> tuple[ReviewRow, ...]:
    """Those of the users that need a decision, the most urgent first."""
    due = _due(assessment.record.header, users, decided(assessment.record))
    return tuple(sorted(_warned(list(due), users), key=lambda row: urgency(row.risks, row.user.finding)))


def _due(header: Header, users: Sequence[UserRow], to_go: Mapping[UserKey, Decided]) -> Iterator[ReviewRow]:
    decisions = latest(header.decisions)
    by = Days(
        as_of=header.as_of,
        today=header.started_at.astimezone(UTC).date(),
        review_every=header.settings.review_every_days,
    )
    for row in users:
        finding = row.finding
        last, own = decisions.get(_key(row)), to_go.get(_key(row))
        quarantined = own is not None and own.fate is Fate.QUARANTINED
        if why := tuple(reasons(finding, last, by, quarantined=quarantined)):
            yield ReviewRow(
                user=row,
                risks=risks(finding.user, row.activity),
                reasons=why,
                last=last,
                by=by,
                done=own.done if own else (),
            )


def _warned(due: Sequence[ReviewRow], users: Sequence[UserRow]) -> Iterator[ReviewRow]:
    """The rows, with a word on accounts that would be left without an administrator."""
    administrators: dict[AccountId, list[UserKey]] = {}
    for user in users:
        if user.administrator and _can_get_in(user):
            administrators.setdefault(user.finding.account.id, []).append(_key(user))
    to_go = {_key(row.user) for row in due if row.user.administrator and is_to_go(row.user, row.last, row.by)}
    for row in due:
        words = left_unadministered(_key(row.user), administrators.get(row.user.finding.account.id, ()), to_go)
        yield replace(row, unadministered=words) if words else row


def _can_get_in(row: UserRow) -> bool:
    """As for `remediate`: a user that is denied everything cannot, even with its password."""
    access = row.finding.user.access
    denied = access is not None and DENY_ALL in access.denied_by
    return not denied and bool(row.activity.console_access or row.activity.active_access_keys)


def _key(row: UserRow) -> UserKey:
    return row.finding.account.id, row.finding.user.user_id


# --- the columns -----------------------------------------------------------------------------------------------------


def _last(field: str) -> Callable[[ReviewRow], Value]:
    def get(row: ReviewRow) -> Value:
        value: Value = getattr(row.last, field, None)
        return value

    return get


def _users(key: str, width: int | None = None) -> Column[ReviewRow]:
    """A column of the sheet Users, with the same values."""
    column = next(column for column in USERS if column.key == key)
    return Column(
        key, column.kind, width or column.width, column.title, column.source, lambda row: column.get(row.user)
    )


def _blank(_: ReviewRow) -> None:
    """What a reviewer fills in begins empty."""


_REVIEWER = "the reviewer"
_LEDGER = "decisions.csv, as it was when this run started"

# Where a reviewer fills in a field of a safelist's entry whose column is called otherwise.
FILLED_IN_AS = {
    "reason": "comment",
    "approved_by": "reviewer",
    "approved_on": "reviewed_on",
    "expires_on": "approve_until",
}

DECISION: tuple[Column[ReviewRow], ...] = (
    Column("decision", TEXT, 11, "What is decided", _REVIEWER, _blank),
    Column("reviewer", TEXT, 10, "Who decides", _REVIEWER, _blank),
    Column("reviewed_on", DATE, 12, "On which day", _REVIEWER, _blank),
    Column("owner", TEXT, 10, "Who answers for the user from now on", _REVIEWER, _blank),
    Column("kind", TEXT, 10, "Human, service or break-glass", _REVIEWER, _blank),
    Column("approve_until", DATE, 14, "Last day of the approval", _REVIEWER, _blank),
    Column("ticket", TEXT, 8, "Ticket", _REVIEWER, _blank),
    Column("comment", TEXT, 15, "Why; of an approval, the reason that the safelist gives", _REVIEWER, _blank),
)

# Up to the last column to fill in, it is as wide as a screen of 1,440 pixels: what else there is stands behind, and
# narrow enough for all that is about the last decision to stand on the same printed page.
REVIEW: tuple[Column[ReviewRow], ...] = (
    _users("account_name", 14),
    _users("user_name", 16),
    Column(
        "risk",
        LIST,
        14,
        "What makes it urgent; rows are ordered by the first that is named",
        "administrator, console_access, mfa_active, dormant, active_access_keys of Users",
        lambda row: row.risks,
    ),
    Column(
        "facts",
        TEXT,
        28,
        "Who made it and when; what it may do; what it is used for; what the safelists say of it",
        "created_at to created_with, administrator to inline_policies, console_access to days_since_activity, "
        "explanation, owner to ticket of Users",
        lambda row: facts(row.user, row.by.today),
    ),
    Column("needs_decision", LIST, 15, "Why it needs a decision", "this run and earlier ones", lambda row: row.reasons),
    Column(
        "suggestion",
        TEXT,
        20,
        "What might be decided, on what ground, and whom to ask; it counts for nothing",
        "this run and earlier ones; tags and account_owner of Users",
        lambda row: suggestion(row.user, row.last, row.by, unadministered=row.unadministered),
    ),
    *DECISION,
    Column("last_decision", TEXT, 18, "What was decided before", _LEDGER, _last("choice")),
    Column("last_reviewer", TEXT, 18, "Who decided that", _LEDGER, _last("reviewer")),
    Column("last_reviewed_on", DATE, 17, "On which day", _LEDGER, _last("reviewed_on")),
    Column("last_comment", TEXT, 20, "Why", _LEDGER, _last("comment")),
    Column(
        "last_action",
        LIST,
        26,
        "What was done about it",
        "the journals of remediate, as they were when this run started",
        lambda row: tuple(map(remediation_words, row.done)),
    ),
    _users("account_id"),
    _users("arn", 34),
    _users("user_id", 23),
)
