"""The rows and columns of the Review sheet: who needs a decision, what decides it, and the cells for the reviewers.

The import of a review finds columns by their names and users by `IDENTITY`, wherever a spreadsheet has moved them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC

from scanner.audit.assessment import Assessment
from scanner.audit.carried_out import Decided, Fate, decided
from scanner.audit.credential_use import Activity
from scanner.audit.triage import Days, Risk, reasons, risks, urgency
from scanner.model import Entry
from scanner.record import Header, Remediation, ReviewDecision, UserKey
from scanner.report.columns import DATE, LIST, TEXT, USERS, Column, Value
from scanner.report.rows import UserRow
from scanner.report.words import ADMINISTRATOR_WORDS, days, many, remediation_words
from scanner.runs.ledger import latest

POLICIES_NAMED = 3  # of a user; the sheet Users has them all

IDENTITY = ("account_id", "account_name", "user_name", "arn", "user_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRow:
    """A user that needs a decision."""

    user: UserRow
    risks: tuple[Risk, ...]
    reasons: tuple[str, ...]
    last: ReviewDecision | None  # of an earlier review
    done: tuple[Remediation, ...]  # what plans made of it


def review_rows(assessment: Assessment, users: Sequence[UserRow]) -> tuple[ReviewRow, ...]:
    """Those of the users that need a decision, the most urgent first."""
    due = _due(assessment.record.header, users, decided(assessment.record))
    return tuple(sorted(due, key=lambda row: urgency(row.risks, row.user.finding)))


def _due(header: Header, users: Sequence[UserRow], to_go: Mapping[UserKey, Decided]) -> Iterator[ReviewRow]:
    decisions = latest(header.decisions)
    by = Days(
        as_of=header.as_of,
        today=header.started_at.astimezone(UTC).date(),
        review_every=header.settings.review_every_days,
    )
    for row in users:
        finding = row.finding
        key = finding.account.id, finding.user.user_id
        last, own = decisions.get(key), to_go.get(key)
        quarantined = own is not None and own.fate is Fate.QUARANTINED
        if why := tuple(reasons(finding, last, by, quarantined=quarantined)):
            yield ReviewRow(
                user=row,
                risks=risks(finding.user, row.activity),
                reasons=why,
                last=last,
                done=own.done if own else (),
            )


# --- what decides it, in words ---------------------------------------------------------------------------------------


def _approval(row: ReviewRow) -> Value:
    """The entry behind the user, whether or not it still approves it; its end stands in the explanation."""
    entry = row.user.finding.entry
    if not isinstance(entry, Entry):
        return None
    on = f" on {entry.approved_on}" if entry.approved_on else ""
    words = (
        entry.reason,
        entry.kind,
        entry.owner and f"owner {entry.owner}",
        entry.approved_by and f"approved by {entry.approved_by}{on}",
        entry.ticket,
    )
    return tuple(word for word in words if word) or None


def _rights(row: ReviewRow) -> Value:
    access = row.user.finding.user.access
    if access is None:
        return ("not known",)
    policies = (*access.attached_policies, *access.inline_policies)
    more = len(policies) - POLICIES_NAMED
    named = (*policies[:POLICIES_NAMED], *((f"{more:,} more: see Users",) if more > 0 else ()))
    return (ADMINISTRATOR_WORDS[access.administrator], *(named or ("no policy",)))


def _credentials(row: ReviewRow) -> Value:
    user, used = row.user.finding.user, row.user.activity
    created = f"created {user.created_at.astimezone(UTC):%Y-%m-%d}"
    if user.credentials is None:
        return "not known", created
    since = used.days_since_activity
    return _console(used), _keys(used), "no use known" if since is None else f"last used {days(since)} ago", created


def _console(used: Activity) -> str:
    if not used.console_access:
        return "no console" if used.console_access is False else "console not known"
    return {True: "console with MFA", False: "console without MFA", None: "console, MFA not known"}[used.mfa_active]


def _keys(used: Activity) -> str:
    if not used.active_access_keys:
        return "no active key" if used.active_access_keys == 0 else "keys not known"
    age = used.oldest_active_key_age_days
    old = "" if age is None else f", {'the oldest ' if used.active_access_keys > 1 else ''}set {days(age)} ago"
    return f"{many(used.active_access_keys, 'active key')}{old}"


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

DECISION: tuple[Column[ReviewRow], ...] = (
    Column("decision", TEXT, 13, "What is decided", _REVIEWER, _blank),
    Column("reviewer", TEXT, 20, "Who decides", _REVIEWER, _blank),
    Column("reviewed_on", DATE, 13, "On which day", _REVIEWER, _blank),
    Column("owner", TEXT, 20, "Who answers for the user from now on", _REVIEWER, _blank),
    Column("kind", TEXT, 12, "Human, service or break-glass", _REVIEWER, _blank),
    Column("approve_until", DATE, 15, "Last day of the approval", _REVIEWER, _blank),
    Column("ticket", TEXT, 12, "Ticket", _REVIEWER, _blank),
    Column("comment", TEXT, 34, "Why; of an approval, the reason that the safelist gives", _REVIEWER, _blank),
)

REVIEW: tuple[Column[ReviewRow], ...] = (
    _users("account_id"),
    _users("account_name"),
    _users("user_name"),
    Column(
        "risk",
        LIST,
        18,
        "What makes it urgent; rows are ordered by the first that is named",
        "administrator, console_access, mfa_active, dormant, active_access_keys of Users",
        lambda row: row.risks,
    ),
    Column("needs_decision", LIST, 24, "Why it needs a decision", "this run and earlier ones", lambda row: row.reasons),
    _users("determination", 15),
    _users("explanation", 32),
    Column("approval", LIST, 26, "What the entry that decided says", "safelist, the entry that decided", _approval),
    Column(
        "rights",
        LIST,
        26,
        "Administrator or not, and policies",
        "administrator, attached_policies, inline_policies of Users",
        _rights,
    ),
    Column(
        "credentials",
        LIST,
        36,
        "What it signs in with, when that was used, and since when the user exists",
        "console_access to days_since_activity of Users, created_at",
        _credentials,
    ),
    *DECISION,
    Column("last_decision", TEXT, 15, "What was decided before", _LEDGER, _last("choice")),
    Column("last_reviewer", TEXT, 20, "Who decided that", _LEDGER, _last("reviewer")),
    Column("last_reviewed_on", DATE, 18, "On which day", _LEDGER, _last("reviewed_on")),
    Column("last_comment", TEXT, 24, "Why", _LEDGER, _last("comment")),
    Column(
        "last_action",
        LIST,
        30,
        "What was done about it",
        "the journals of remediate, as they were when this run started",
        lambda row: tuple(map(remediation_words, row.done)),
    ),
    _users("arn", 36),
    _users("user_id", 28),
)
