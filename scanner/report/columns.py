"""The column tables: name, order, kind, width, origin and value of each column, in one place.

CSV, JSON, workbook and the reader of the workbook all go by these. The names and their order are the contract's; a
column has the same name wherever it appears, so that a file can be held beside another.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Generic, TypeVar

from scanner.model import RISK_LEVEL, RULE_ID, Access, Entry
from scanner.report.rows import AccountRow, UserRow
from scanner.report.words import service_credential
from scanner.safelist.usage import EntryUse

Row = TypeVar("Row")
Value = str | int | date | datetime | tuple[str, ...] | None  # bool is an int; None is unknown or does not apply


class CellKind(StrEnum):
    TEXT = "text"
    DATE = "date"
    DATETIME = "datetime"  # UTC
    BOOL = "bool"
    INT = "int"
    LIST = "list"  # joined by "; "


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    key: str  # its name in every file
    kind: CellKind
    width: int  # in characters, in the workbook
    title: str  # what it says, for people
    source: str  # where it comes from: an API and its field, a safelist's field, or how it follows
    get: Callable[[Row], Value]
    none: str = ""  # what a list says that is known to be empty; "" where other columns tell that from unknown


TEXT, DATE, DATETIME, BOOL, INT, LIST = CellKind

_ORGANIZATIONS = "Organizations ListAccountsForParent"
_OUS = "Organizations ListRoots, ListOrganizationalUnitsForParent"
_OWNERS = "file of account owners, else Organizations ListTagsForResource"
_LIST_USERS = "IAM ListUsers"
_DETAILS = "IAM GetAccountAuthorizationDetails"
_REPORT = "IAM GetCredentialReport"
_ENTRY = "safelist, the entry that decided"
_RULE = "the rule, from the safelists"
_RUN = "this run"


def _entry(field: str) -> Callable[[UserRow], Value]:
    """A field of the entry that decided; None where there is no entry, or a revocation, which has no such field."""

    def get(row: UserRow) -> Value:
        value: Value = getattr(row.finding.entry, field, None)
        return value

    return get


def _access(read: Callable[[Access], Value]) -> Callable[[UserRow], Value]:
    def get(row: UserRow) -> Value:
        access = row.finding.user.access
        return None if access is None else read(access)

    return get


def _safelist_scope(row: UserRow) -> Value:
    entry = row.finding.entry
    if entry is None:
        return None
    return entry.scope_text if isinstance(entry, Entry) else f"account {entry.account_id}"


def _service_credentials(row: UserRow) -> Value:
    found = row.finding.user.service_credentials
    return None if found is None else tuple(map(service_credential, found))


USERS: tuple[Column[UserRow], ...] = (
    Column("account_id", TEXT, 14, "Account", f"{_ORGANIZATIONS}, Id", lambda row: row.finding.account.id),
    Column("account_name", TEXT, 18, "Its name", f"{_ORGANIZATIONS}, Name", lambda row: row.finding.account.name),
    Column("account_owner", TEXT, 22, "Who answers for the account", _OWNERS, lambda row: row.account_owner),
    Column("ou_path", TEXT, 26, "Organizational unit", f"{_OUS}, Name", lambda row: row.finding.account.ou_path),
    Column("user_name", TEXT, 22, "User", f"{_LIST_USERS}, UserName", lambda row: row.finding.user.user_name),
    Column("determination", TEXT, 17, "Approved or not", _RULE, lambda row: row.finding.determination),
    Column("basis", TEXT, 23, "On what ground", _RULE, lambda row: row.finding.basis),
    Column("explanation", TEXT, 44, "The ground in a sentence", _RULE, lambda row: row.finding.explanation),
    Column("safelist_scope", TEXT, 24, "How far the entry reaches", f"{_ENTRY}, its section", _safelist_scope),
    Column("safelist_entry", TEXT, 26, "The entry's file and line", _ENTRY, _entry("at")),
    Column("kind", TEXT, 12, "Human, service or break-glass", f"{_ENTRY}, kind", _entry("kind")),
    Column("owner", TEXT, 22, "Who answers for the user", f"{_ENTRY}, owner", _entry("owner")),
    Column("reason", TEXT, 30, "Why the user may exist", f"{_ENTRY}, reason", _entry("reason")),
    Column("approved_by", TEXT, 22, "Who approved", f"{_ENTRY}, approved_by", _entry("approved_by")),
    Column("approved_on", DATE, 14, "First day of the approval", f"{_ENTRY}, approved_on", _entry("approved_on")),
    Column("expires_on", DATE, 13, "Last day of the approval", f"{_ENTRY}, expires_on", _entry("expires_on")),
    Column("ticket", TEXT, 12, "Ticket of the approval", f"{_ENTRY}, ticket", _entry("ticket")),
    Column(
        "console_access",
        BOOL,
        17,
        "Has a console password",
        f"{_REPORT}, password_enabled",
        lambda row: row.activity.console_access,
    ),
    Column("mfa_active", BOOL, 13, "Has MFA", f"{_REPORT}, mfa_active", lambda row: row.activity.mfa_active),
    Column(
        "active_access_keys",
        INT,
        21,
        "Access keys that work",
        f"{_REPORT}, access_key_1_active, access_key_2_active",
        lambda row: row.activity.active_access_keys,
    ),
    Column(
        "oldest_active_key_age_days",
        INT,
        28,
        "Days since the oldest working key was set",
        f"{_REPORT}, access_key_…_last_rotated",
        lambda row: row.activity.oldest_active_key_age_days,
    ),
    Column(
        "service_credentials",
        LIST,
        24,
        "Active keys for single services, with their end; none: known to have none",
        "ListServiceSpecificCredentials, AllUsers",
        _service_credentials,
        none="none",
    ),
    Column(
        "stale_credentials",
        LIST,
        27,
        "Working password and keys not used for the days set; none: known to have none",
        f"{_REPORT}, by last use, else by when it was set, else by the user's creation",
        lambda row: row.activity.stale_credentials,
        none="none",
    ),
    Column(
        "last_activity_at",
        DATETIME,
        18,
        "Newest use of password or access keys (UTC)",
        f"{_REPORT}, password_last_used, access_key_…_last_used_date",
        lambda row: row.activity.last_activity_at,
    ),
    Column(
        "last_activity_service",
        TEXT,
        22,
        "What the newest use was",
        f"{_REPORT}, password_last_used, access_key_…_last_used_service and _region",
        lambda row: row.activity.last_activity_service,
    ),
    Column(
        "days_since_activity",
        INT,
        22,
        "Days from that to the start of the run",
        f"{_REPORT}, as last_activity_at",
        lambda row: row.activity.days_since_activity,
    ),
    Column(
        "dormant",
        BOOL,
        11,
        "Some credential works, and none was used for the days set",
        f"{_REPORT}, as stale_credentials",
        lambda row: row.activity.dormant,
    ),
    Column(
        "administrator",
        BOOL,
        15,
        "May do everything, or everything in IAM",
        f"{_DETAILS}, AWS's policies by name, all others by text; empty where a condition, NotAction, NotResource or "
        "variable decides, or one could not be read",
        _access(lambda access: access.administrator),
    ),
    Column(
        "escalation",
        LIST,
        30,
        "IAM actions by which it could make itself administrator; none: known to have none",
        f"{_DETAILS}, as for administrator, what they allow on all resources; iam:* for an administrator",
        _access(lambda access: access.escalation),
        none="none",
    ),
    Column("groups", LIST, 20, "Groups", f"{_DETAILS}, GroupList", _access(lambda access: access.groups)),
    Column(
        "attached_policies",
        LIST,
        30,
        "Managed policies, those of groups too",
        f"{_DETAILS}, AttachedManagedPolicies",
        _access(lambda access: access.attached_policies),
    ),
    Column(
        "inline_policies",
        LIST,
        22,
        "Inline policies, those of groups too",
        f"{_DETAILS}, UserPolicyList, GroupPolicyList",
        _access(lambda access: access.inline_policies),
    ),
    Column(
        "permissions_boundary",
        TEXT,
        26,
        "Permissions boundary",
        f"{_DETAILS}, PermissionsBoundary",
        _access(lambda access: access.permissions_boundary),
    ),
    Column(
        "tags",
        LIST,
        28,
        "Tags, as key=value",
        f"{_DETAILS}, Tags",
        _access(lambda access: tuple(f"{key}={value}" for key, value in access.tags)),
    ),
    Column(
        "created_at",
        DATETIME,
        18,
        "When the user was created (UTC)",
        f"{_LIST_USERS}, CreateDate",
        lambda row: row.finding.user.created_at,
    ),
    Column(
        "created_by",
        TEXT,
        34,
        "Who created the user",
        "CloudTrail LookupEvents, CreateUser, of the last 90 days",
        lambda row: row.finding.user.created_by,
    ),
    Column(
        "created_with",
        TEXT,
        14,
        "By what means",
        "CloudTrail LookupEvents, CreateUser, the user agent",
        lambda row: row.finding.user.created_with,
    ),
    Column("path", TEXT, 14, "IAM path", f"{_LIST_USERS}, Path", lambda row: row.finding.user.path),
    Column("arn", TEXT, 40, "ARN", f"{_LIST_USERS}, Arn", lambda row: row.finding.user.arn),
    Column("user_id", TEXT, 24, "Unique id", f"{_LIST_USERS}, UserId", lambda row: row.finding.user.user_id),
    Column("ou_id", TEXT, 20, "Organizational unit's id", f"{_OUS}, Id", lambda row: row.finding.account.ou_id),
    Column("evidence", TEXT, 12, "How much of the evidence came", _RUN, lambda row: row.finding.evidence),
    Column(
        "change",
        LIST,
        24,
        "What changed since the previous run; empty: compared with none",
        "this run and the previous one",
        lambda row: row.finding.changes or None,
    ),
    Column("rule_id", TEXT, 10, "Rule", _RUN, lambda _: RULE_ID),
    Column("risk_level", TEXT, 13, "Risk of a violation", _RUN, lambda _: RISK_LEVEL),
)

# First in each table of a report on several organizations; its row is the organization's ID.
ORGANIZATION: Column[str] = Column(
    "organization_id", TEXT, 18, "Organization", "Organizations DescribeOrganization, Id", lambda row: row
)

_FAILURE = "the call that failed"

ACCOUNTS: tuple[Column[AccountRow], ...] = (
    Column("account_id", TEXT, 14, "Account", f"{_ORGANIZATIONS}, Id", lambda row: row.account.id),
    Column("account_name", TEXT, 18, "Its name", f"{_ORGANIZATIONS}, Name", lambda row: row.account.name),
    Column("account_owner", TEXT, 22, "Who answers for the account", _OWNERS, lambda row: row.account_owner),
    Column("ou_path", TEXT, 26, "Organizational unit", f"{_OUS}, Name", lambda row: row.account.ou_path),
    Column("ou_id", TEXT, 20, "Organizational unit's id", f"{_OUS}, Id", lambda row: row.account.ou_id),
    Column("state", TEXT, 12, "State of the account", f"{_ORGANIZATIONS}, State", lambda row: row.account.state),
    Column("outcome", TEXT, 12, "Scanned, failed or skipped", _RUN, lambda row: row.outcome),
    Column("reason", TEXT, 21, "Why it failed or was skipped", _RUN, lambda row: row.reason),
    Column("failed_call", TEXT, 16, "Call that failed", _FAILURE, lambda row: row.failed_call),
    Column("error_code", TEXT, 16, "AWS's error code", _FAILURE, lambda row: row.error_code),
    Column("detail", TEXT, 36, "AWS's own message, or why skipped", _FAILURE, lambda row: row.detail),
    Column("remedy", TEXT, 36, "What to do", _RUN, lambda row: row.remedy),
    Column("users", INT, 9, "Users found", _LIST_USERS, lambda row: row.users),
    Column("approved", INT, 12, "Of these approved", _RULE, lambda row: row.approved),
    Column("unapproved", INT, 14, "Of these unapproved", _RULE, lambda row: row.unapproved),
    Column("evidence", TEXT, 12, "How much of the evidence came", _RUN, lambda row: row.evidence),
    Column("notes", LIST, 30, "What else is to be known", _RUN, lambda row: row.notes),
    Column("role_arn", TEXT, 32, "Role it was read with; empty: the caller's own", _RUN, lambda row: row.role_arn),
    Column("scanned_at", DATETIME, 18, "When it was read (UTC)", _RUN, lambda row: row.scanned_at),
    Column(
        "credential_report_at",
        DATETIME,
        23,
        "When AWS made the credential report (UTC)",
        f"{_REPORT}, GeneratedTime",
        lambda row: row.credential_report_at,
    ),
)


def _field(name: str) -> Callable[[EntryUse], Value]:
    """A field of an entry; None where it is a revocation, which has no such field."""

    def get(use: EntryUse) -> Value:
        value: Value = getattr(use.entry, name, None)
        return value

    return get


def _scope(use: EntryUse) -> str:
    return use.entry.scope_text if isinstance(use.entry, Entry) else f"account {use.entry.account_id}"


def _selector(use: EntryUse) -> str:
    return use.entry.selector if isinstance(use.entry, Entry) else "user"


def _selected(use: EntryUse) -> str:
    return use.entry.value if isinstance(use.entry, Entry) else use.entry.user


def _remark(use: EntryUse) -> str | None:
    """Who revoked stands here: under `approved_by` it would read as an approval."""
    if isinstance(use.entry, Entry) or not (use.entry.by or use.entry.on):
        return use.remark or None
    by = f" by {use.entry.by}" if use.entry.by else ""
    on = f" on {use.entry.on}" if use.entry.on else ""
    return f"Revoked{by}{on}. {use.remark}".rstrip()


_SAFELIST = "safelist"

SAFELIST: tuple[Column[EntryUse], ...] = (
    Column("status", TEXT, 13, "What became of the entry", _RULE, lambda use: use.status),
    Column("users", INT, 9, "Users that it approves (a revocation: forbids)", _RULE, lambda use: use.users),
    Column("remark", TEXT, 34, "What else is to be known", _RULE, _remark),
    Column("scope", TEXT, 24, "How far it reaches", f"{_SAFELIST}, section", _scope),
    Column("selector", TEXT, 11, "Selects by", _SAFELIST, _selector),
    Column("value", TEXT, 26, "What it selects", _SAFELIST, _selected),
    Column("user_id", TEXT, 28, "Only this very user", f"{_SAFELIST}, user_id", _field("user_id")),
    Column("kind", TEXT, 12, "Human, service or break-glass", f"{_SAFELIST}, kind", _field("kind")),
    Column("owner", TEXT, 22, "Who answers for the user", f"{_SAFELIST}, owner", _field("owner")),
    Column("reason", TEXT, 30, "Why the user may exist", f"{_SAFELIST}, reason", _field("reason")),
    Column("approved_by", TEXT, 22, "Who approved", f"{_SAFELIST}, approved_by", _field("approved_by")),
    Column("approved_on", DATE, 14, "First day of the approval", f"{_SAFELIST}, approved_on", _field("approved_on")),
    Column("expires_on", DATE, 13, "Last day", f"{_SAFELIST}, expires_on", _field("expires_on")),
    Column("ticket", TEXT, 12, "Ticket of the approval", f"{_SAFELIST}, ticket", _field("ticket")),
    Column("file", TEXT, 26, "File", _SAFELIST, lambda use: use.entry.file),
    Column("line", INT, 7, "Line", _SAFELIST, lambda use: use.entry.line),
)
