"""The words of the program: frozen types that every room shares, and that import nothing of ours.

A user's identity is `(account_id, user_id)`; names are for people. An account that is in scope ends as exactly one
`AccountScan`: `Scanned`, `Failed` or `Skipped`. What is unknown is `None`, never `False` and never 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Literal, NewType

RULE_ID = "IAM-058"
RULE_TITLE = "Check for unapproved IAM users"
RISK_LEVEL = "Medium"

AccountId = NewType("AccountId", str)
UserId = NewType("UserId", str)


def is_account_id(text: object) -> bool:
    """Twelve ASCII digits; leading zeros count."""
    return isinstance(text, str) and len(text) == 12 and text.isascii() and text.isdigit()


# --- the organization ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationalUnit:
    """A root or an OU, as ListRoots and ListOrganizationalUnitsForParent give it, and its place in the tree."""

    id: str | None  # None only where a file of accounts named the path and nothing else
    name: str
    path: str  # names joined by "/", from the root: "Root/Workloads/Prod"
    addressable: bool = True  # False where the path is not unique: two OUs share it, or a name on it holds a "/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account of the organization, as ListAccountsForParent gives it."""

    id: AccountId
    name: str
    state: str | None  # Organizations' State; its older Status where State is absent; None where AWS gave neither
    ous: tuple[OrganizationalUnit, ...]  # from the root to the OU that holds it; empty where that could not be found

    @property
    def ou_path(self) -> str | None:
        return self.ous[-1].path if self.ous else None

    @property
    def ou_id(self) -> str | None:
        return self.ous[-1].id if self.ous else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """DescribeOrganization; absent (None) where a file of accounts stands in for it."""

    id: str
    management_account_id: AccountId


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """GetCallerIdentity: who ran the scan."""

    account_id: AccountId
    arn: str
    partition: str  # "aws", "aws-us-gov", "aws-cn", ...: the second field of the ARN


# --- what is read of one account -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKey:
    """One of the two access keys that a credential report knows of a user."""

    active: bool | None
    last_rotated: datetime | None
    last_used: datetime | None  # None: never used, or AWS has no information


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A user's row of the credential report (GetCredentialReport)."""

    console_access: bool | None  # password_enabled
    password_last_used: datetime | None
    password_last_changed: datetime | None
    mfa_active: bool | None
    access_keys: tuple[AccessKey, ...]  # those that exist, active or not


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What a user may do and belongs to (GetAccountAuthorizationDetails, User and Group)."""

    administrator: bool | None  # None: a customer-managed policy is attached whose document was not read
    groups: tuple[str, ...]
    attached_policies: tuple[str, ...]  # "ReadOnlyAccess", "ReadOnlyAccess (via devs)"
    inline_policies: tuple[str, ...]  # the same
    permissions_boundary: str | None  # its ARN
    tags: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IamUser:
    """An IAM user (ListUsers), with the evidence that could be read of it."""

    user_id: UserId
    user_name: str
    path: str
    arn: str
    created_at: datetime
    credentials: Credentials | None = None  # None: not asked for, refused, or the report has no row for this very user
    access: Access | None = None  # None: not asked for, or refused


class Evidence(StrEnum):
    """How much of the evidence stands behind a row."""

    FULL = "FULL"  # all that was asked for with --evidence full
    PARTIAL = "PARTIAL"  # some was refused or did not come in time; the account's notes name the call
    BASIC = "BASIC"  # --evidence basic: ListUsers alone


class FailReason(StrEnum):
    """Why an account could not be read."""

    ROLE_NOT_ASSUMABLE = "ROLE_NOT_ASSUMABLE"  # AssumeRole refused
    ACCESS_DENIED = "ACCESS_DENIED"  # ListUsers refused
    THROTTLED = "THROTTLED"  # still throttled when the account's time was up
    TIMEOUT = "TIMEOUT"  # the account's time was up
    CREDENTIALS_EXPIRED = "CREDENTIALS_EXPIRED"  # the caller's, or the session's, in mid-scan
    UNREACHABLE = "UNREACHABLE"  # no connection, or nothing but server errors
    BAD_RESPONSE = "BAD_RESPONSE"  # an answer that cannot be true or cannot be read
    INCOMPLETE_LISTING = "INCOMPLETE_LISTING"  # a list of users that is known to be cut short
    OU_UNKNOWN = "OU_UNKNOWN"  # listed, but its place in the organization could not be found


class SkipReason(StrEnum):
    """Why an account in scope was not attempted."""

    EXCLUDED = "EXCLUDED"
    SUSPENDED = "SUSPENDED"
    CLOSED = "CLOSED"
    PENDING_ACTIVATION = "PENDING_ACTIVATION"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A call that did not work: which, what AWS said, and what to do about it."""

    reason: FailReason
    call: str  # "sts:AssumeRole"
    code: str | None  # AWS's error code; None where no answer came
    detail: str  # AWS's own message, or a plain sentence where there is none
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """The account was read, and `users` are all the users it has."""

    account_id: AccountId
    users: tuple[IamUser, ...]
    evidence: Evidence
    notes: tuple[str, ...]
    role_arn: str | None  # None: read with the caller's own credentials
    scanned_at: datetime
    credential_report_at: datetime | None = None  # when AWS generated the credential report
    outcome: Literal["SCANNED"] = "SCANNED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The account could not be read; nothing is known of its users."""

    account_id: AccountId
    failure: Failure
    role_arn: str | None
    scanned_at: datetime
    outcome: Literal["FAILED"] = "FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """The account is in scope but was not attempted."""

    account_id: AccountId
    reason: SkipReason
    detail: str  # "excluded by --exclude-account 123456789012: ...", "AWS reports the account as SUSPENDED"
    outcome: Literal["SKIPPED"] = "SKIPPED"


AccountScan = Scanned | Failed | Skipped


# --- words for decisions ---------------------------------------------------------------------------------------------


class Determination(StrEnum):
    APPROVED = "APPROVED"
    UNAPPROVED = "UNAPPROVED"


class Basis(StrEnum):
    """Why; of the reasons against, the first that holds, in this order."""

    SAFELISTED = "SAFELISTED"
    REVOKED = "REVOKED"
    USER_RECREATED = "USER_RECREATED"
    APPROVAL_EXPIRED = "APPROVAL_EXPIRED"
    APPROVAL_NOT_STARTED = "APPROVAL_NOT_STARTED"
    APPROVAL_INVALID = "APPROVAL_INVALID"
    NOT_SAFELISTED = "NOT_SAFELISTED"


class Kind(StrEnum):
    """Whom a user stands for."""

    HUMAN = "human"
    SERVICE = "service"
    BREAK_GLASS = "break-glass"


class Status(StrEnum):
    COMPLETE = "COMPLETE"
    INCOMPLETE = "INCOMPLETE"
    NOTHING_READ = "NOTHING READ"


class Choice(StrEnum):
    """What a reviewer decides about a user."""

    APPROVE = "Approve"  # an entry in the safelist, for this very user
    KEEP = "Keep"  # the approval that there is stays as it is
    REMOVE = "Remove"  # revoked, and to be removed
    QUARANTINE = "Quarantine"  # revoked, and to be disabled first
    DEFER = "Defer"  # looked at and put off, with a comment


class Change(StrEnum):
    """What became of a user since an earlier run."""

    NEW = "NEW"
    RECREATED = "RECREATED"  # the same name, and another user id
    RENAMED = "RENAMED"  # the same user id, and another name
    NEWLY_UNAPPROVED = "NEWLY_UNAPPROVED"
    NEWLY_APPROVED = "NEWLY_APPROVED"
    PRIVILEGE_GAINED = "PRIVILEGE_GAINED"  # claimed only where both runs had all the evidence of the user
    UNCHANGED = "UNCHANGED"
    NOT_PREVIOUSLY_SCANNED = "NOT_PREVIOUSLY_SCANNED"  # the earlier run did not read the account
    GONE = "GONE"  # only where both runs read the account
    NOT_RESCANNED = "NOT_RESCANNED"  # the later run did not read the account


# --- what went before a run ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class UserState:
    """A user in one run: the fields that runs are compared by."""

    account_id: AccountId
    user_id: UserId
    user_name: str
    determination: Determination
    basis: Basis
    evidence: Evidence
    administrator: bool | None
    policies: tuple[str, ...]  # managed and inline, those of groups too, without the group's name
    boundary: bool  # whether a permissions boundary limits it


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A run, reduced to what a later one is compared with."""

    run_id: str
    digest: str  # SHA-256 of its journal
    started_at: datetime
    accounts: Mapping[AccountId, str]  # those that were read → their names
    outside: frozenset[AccountId]  # those that were listed and out of its scope
    users: tuple[UserState, ...]  # by account id, user name, user id


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewDecision:
    """What a reviewer decided about a user in the review of a run: a line of the ledger."""

    run_id: str
    account_id: AccountId
    user_id: UserId
    choice: Choice
    reviewer: str
    reviewed_on: date
    owner: str | None = None
    kind: Kind | None = None
    approve_until: date | None = None
    ticket: str | None = None
    comment: str | None = None

    @property
    def is_removal(self) -> bool:
        """Whether the user is to go, at once or by way of quarantine."""
        return self.choice in {Choice.REMOVE, Choice.QUARANTINE}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendPoint:
    """A finished run in four numbers."""

    run_id: str
    started_at: datetime
    status: Status
    users: int
    unapproved: int
    scanned: int  # accounts
    active: int  # accounts in scope that were to be read


# --- the record of a run: what the journal holds ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SafelistText:
    """One safelist file, as it was read."""

    path: str  # as given, for people: "config/safelists/prod.yaml"
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The first line of a journal: everything that a run was started with."""

    schema_version: int
    program_version: str
    versions: Mapping[str, str]  # Python, boto3, aioboto3, pandas, openpyxl, ...
    run_id: str
    started_at: datetime
    as_of: date  # approvals are judged on this day
    settings: Mapping[str, object]  # JSON values; without the ExternalId
    safelists: tuple[SafelistText, ...]
    account_owners: Mapping[str, str]  # account id → owner
    caller: Caller
    organization: Organization | None
    session_policies: Mapping[str, str]  # "member" | "hub" | "organizations" → the policy document in force
    previous_run: Snapshot | None = None  # the run that this one is compared with
    decisions: tuple[ReviewDecision, ...] = ()  # of earlier reviews: the last one of each user
    trend: tuple[TrendPoint, ...] = ()  # the finished runs of the same organization before this one, by their start
    accounts_file: str | None = None  # its text as it was read, where a file of accounts stands in for Organizations


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What the enumeration of accounts found."""

    source: str  # "AWS Organizations", or the name of a file of accounts
    ous: tuple[OrganizationalUnit, ...]
    accounts: tuple[Account, ...]  # every account known, in scope or not
    in_scope: frozenset[AccountId]  # the selected ones; excluded and inactive ones among them
    problem: Failure | None  # not None: the listing broke off, and the population is unknown
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumption:
    """A line of a journal that says that an interrupted or incomplete run goes on."""

    resumed_at: datetime
    program_version: str
    caller: Caller | None = None  # None: nobody was called, only the reports were missing
    killed: bool = False  # the run had been killed: the calls that it made up to then are counted nowhere
    torn: bool = False  # the line that it was writing was cut off, and was dropped


@dataclass(frozen=True, slots=True, kw_only=True)
class Footer:
    """The last line of a journal."""

    finished_at: datetime
    api_calls: Mapping[str, int]  # "iam:ListUsers" → attempts
    throttled: int  # answers that asked to slow down
    interrupted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """That a record is decided otherwise than its run was, and how the run itself was decided."""

    as_of: date
    safelists: tuple[SafelistText, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A run as its journal has it. Every report is a view of this."""

    header: Header
    listing: Listing
    scans: Mapping[AccountId, AccountScan]  # one for each account in scope that was finished; the last line counts
    footer: Footer
    digest: str  # SHA-256 of the journal
    resumptions: tuple[Resumption, ...] = ()
    what_if: WhatIf | None = None  # not None: the header's day and safelists are not those of the run


# --- what was decided ------------------------------------------------------------------------------------------------


class Scope(StrEnum):
    """How far an entry of a safelist reaches; the later, the more specific."""

    GLOBAL = "global"
    OU = "ou"
    ACCOUNT = "account"


class Selector(StrEnum):
    """What an entry of a safelist selects users by."""

    USER = "user"
    ARN = "arn"
    PATTERN = "pattern"
    PATH = "path"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One approval of a safelist."""

    scope: Scope
    scope_value: str  # "" for global; the OU's path or id; the account's id
    selector: Selector
    value: str
    user_id: str | None = None
    kind: Kind | None = None
    owner: str | None = None
    reason: str | None = None
    approved_by: str | None = None
    approved_on: date | None = None
    expires_on: date | None = None
    ticket: str | None = None
    file: str
    line: int
    invalid: tuple[str, ...] = ()  # how it breaks the policy; such an entry approves nobody

    @property
    def at(self) -> str:
        return f"{self.file}:{self.line}"

    @property
    def scope_text(self) -> str:
        return f"{self.scope} {self.scope_value}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """A review decided to remove this user; beats every approval."""

    account_id: AccountId
    user: str
    user_id: str | None = None
    by: str | None = None
    on: date | None = None
    ticket: str | None = None
    file: str
    line: int

    @property
    def at(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One user, decided."""

    account: Account
    user: IamUser
    evidence: Evidence  # of this row: FULL only where all evidence for this very user came
    determination: Determination
    basis: Basis
    explanation: str  # one plain sentence
    entry: Entry | Revocation | None  # the entry that decided it, for it or against it
    changes: tuple[Change, ...] = ()  # since the run that this one is compared with; () where there is none


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A user in two runs; None in the one that does not have it."""

    account_id: AccountId
    account_name: str
    before: UserState | None
    after: UserState | None
    changes: tuple[Change, ...]

    @property
    def user(self) -> UserState:
        """As the later run has it, or where that has it not, the earlier one."""
        state = self.after or self.before
        assert state is not None
        return state


class EntryStatus(StrEnum):
    """What became of an entry of a safelist in this run."""

    IN_USE = "in use"
    EXPIRING = "expiring"  # in use, and ends within 90 days
    UNUSED = "unused"
    EXPIRED = "expired"
    NOT_STARTED = "not started"
    INVALID = "invalid"
    UNMATCHED = "unmatched"  # its OU or account is not in the organization
    REVOCATION = "revocation"  # not an approval: it forbids


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryUse:
    """An entry, what became of it, and how many users it approves."""

    entry: Entry | Revocation
    status: EntryStatus
    users: int  # for a revocation: how many users it holds for
    remark: str  # one sentence where the status alone does not say why; else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The numbers that always reconcile: listed = outside_scope + excluded + inactive + scanned + failed."""

    listed: int
    outside_scope: int
    excluded: int
    inactive: int
    scanned: int
    failed: int
    users: int
    approved: int
    unapproved: int

    @property
    def in_scope(self) -> int:
        return self.listed - self.outside_scope


class SplitBy(StrEnum):
    """What the accounts of a part have in common: a column of the reports."""

    ACCOUNT_OWNER = "account_owner"
    OU_PATH = "ou_path"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Some accounts of a run, reported for themselves."""

    by: SplitBy
    value: str | None  # what they have in common; None: they have none of it
    listed: int  # how many accounts of it were listed
    of: int  # and how many in the whole run

    @property
    def words(self) -> str:
        if self.by is SplitBy.ACCOUNT_OWNER:
            whose = "accounts without an owner" if self.value is None else f"accounts of owner {self.value}"
        else:
            whose = "accounts whose OU is unknown" if self.value is None else f"accounts directly in {self.value}"
        return f"{whose}: {self.listed:,} of {self.of:,} in the run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """A record, decided: what all reports are made of."""

    record: Record
    status: Status
    status_text: str  # "complete for its scope: 1,200 of 1,500 accounts"
    totals: Totals
    findings: tuple[Finding, ...]  # by account id, user name, user id
    safelist: tuple[EntryUse, ...] = field(default=())  # in the order of files and lines
    differences: tuple[Difference, ...] | None = None  # to the previous run; None where there is none
    part: Part | None = None  # None: the whole run
    owners_from: str | None = None  # file whose owners of accounts stand in for those of the record; None: none does
