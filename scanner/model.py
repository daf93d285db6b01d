"""Domain types of AWS and of the rule, frozen, shared by every room.

A user's identity is `(account_id, user_id)`; names are for people. An account that is in scope ends as exactly one
`AccountScan`: `Scanned`, `Failed` or `Skipped`. What is unknown is `None`, never `False` and never 0.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final, Literal, NewType

RULE_ID = "IAM-058"
RULE_TITLE = "Check for unapproved IAM users"
RISK_LEVEL = "Medium"

AccountId = NewType("AccountId", str)
UserId = NewType("UserId", str)
SortKey = tuple[str, str, str]


def user_order(account_id: AccountId, user_name: str, user_id: UserId) -> SortKey:
    """The order of users in every list and file, so that the same run gives the same bytes."""
    return account_id, user_name, user_id


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
    ous: tuple[OrganizationalUnit, ...]  # from the root to the OU that holds it; empty where it is unknown

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
    last_used_service: str | None = None  # "s3": the service of the last use; None: as above
    last_used_region: str | None = None  # "us-east-1"; None for a service without Regions, too


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A user's row of the credential report (GetCredentialReport)."""

    console_access: bool | None  # password_enabled
    password_last_used: datetime | None
    password_last_changed: datetime | None
    mfa_active: bool | None
    access_keys: tuple[AccessKey, ...]  # those that exist, active or not


DENY_ALL: Final = "AWSDenyAll"  # AWS's own policy by which `remediate` quarantines


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What a user may do and belongs to (GetAccountAuthorizationDetails)."""

    administrator: bool | None  # None: that cannot be told, as under a condition
    groups: tuple[str, ...]
    attached_policies: tuple[str, ...]  # "ReadOnlyAccess", "ReadOnlyAccess (via devs)"
    inline_policies: tuple[str, ...]  # the same
    permissions_boundary: str | None  # its ARN
    tags: tuple[tuple[str, str], ...]
    denied_by: tuple[str, ...] = ()  # of the attached policies, AWS's own that deny and allow nothing: "AWSDenyAll"
    escalation: tuple[str, ...] | None = None  # IAM actions by which it could make itself administrator; None: unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceCredential:
    """An active service-specific credential (ListServiceSpecificCredentials)."""

    service: str  # "bedrock", "codecommit", "cassandra"
    expires_at: datetime | None = None  # None: it has no end


@dataclass(frozen=True, slots=True, kw_only=True)
class IamUser:
    """An IAM user (ListUsers), with the evidence that could be read of it."""

    user_id: UserId
    user_name: str
    path: str
    arn: str
    created_at: datetime
    credentials: Credentials | None = None  # None: not asked for, refused, or no readable row is this very user's
    access: Access | None = None  # None: not asked for, refused, or a policy of this user could not be read
    service_credentials: tuple[ServiceCredential, ...] | None = None  # the active ones; None: not known
    created_by: str | None = None  # ARN of the principal that made it (CloudTrail); None: not known
    created_with: str | None = None  # "console", "aws-cli", "terraform"; None: not known


class Evidence(StrEnum):
    """How much of the evidence stands behind a row."""

    FULL = "FULL"  # all that was asked for with --evidence full
    PARTIAL = "PARTIAL"  # some was refused, did not come in time or could not be read; see the account's notes
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
    OU_UNKNOWN = "OU_UNKNOWN"  # listed, but its place in the organization is unknown


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


class SplitBy(StrEnum):
    """What the accounts of a part have in common: a column of the reports."""

    ACCOUNT_OWNER = "account_owner"
    OU_PATH = "ou_path"


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

    @property
    def option(self) -> str:
        """As options take it: `privilege-gained`."""
        return self.lower().replace("_", "-")


# What is said of the users of the later run; the others are of users that it does not have.
CHANGES_OF_USERS = tuple(change for change in Change if change not in {Change.GONE, Change.NOT_RESCANNED})


class FailOn(StrEnum):
    """What makes a complete scan exit with 3: any unapproved user, nothing, or a change since the previous run."""

    UNAPPROVED = "unapproved"
    NONE = "none"
    NEW = "new"
    RECREATED = "recreated"
    RENAMED = "renamed"
    NEWLY_UNAPPROVED = "newly-unapproved"
    PRIVILEGE_GAINED = "privilege-gained"
    NOT_PREVIOUSLY_SCANNED = "not-previously-scanned"

    @property
    def change(self) -> Change | None:
        """The change that it stands for; None for `unapproved` and `none`."""
        return Change.__members__.get(self.name)


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

    @property
    def sort_key(self) -> SortKey:
        return user_order(self.account.id, self.user.user_name, self.user.user_id)
