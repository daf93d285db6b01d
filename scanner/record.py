"""What a run's journal holds: the types of its lines, frozen."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from scanner.model import (
    Account,
    AccountId,
    AccountScan,
    Basis,
    Caller,
    Choice,
    Determination,
    Evidence,
    Failure,
    Kind,
    Organization,
    OrganizationalUnit,
    Status,
    UserId,
)
from scanner.settings import Settings

UserKey = tuple[AccountId, UserId]  # who a user is; names are for people


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
    policies: tuple[str, ...]  # that may allow something: managed and inline, those of groups too, without its name
    boundary: bool  # whether a permissions boundary limits it
    denied_by: tuple[str, ...] = ()  # policies of AWS's own that allow nothing; none of `policies`
    escalation: tuple[str, ...] | None = None  # actions by which it could become administrator; None: not known


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A run, reduced to what a later one is compared with."""

    run_id: str
    digest: str  # SHA-256 of its journal
    started_at: datetime
    accounts: Mapping[AccountId, str]  # those that were read → their names
    outside: frozenset[AccountId]  # those that were listed and out of its scope
    users: tuple[UserState, ...]  # by account id, user name, user id
    judges_texts: bool = False  # whether administrators by the text of a customer-managed policy are known


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


class RemediationOutcome(StrEnum):
    """What became of a user of a plan."""

    DONE = "DONE"  # seen by a read
    REFUSED = "REFUSED"  # left as it was
    FAILED = "FAILED"  # not done, or not wholly
    UNDONE = "UNDONE"  # a quarantine that was put back


@dataclass(frozen=True, slots=True, kw_only=True)
class Remediation:
    """What a plan of `remediate` made of a user, by that plan's journal."""

    plan_id: str
    account_id: AccountId
    user_id: UserId
    choice: Choice  # REMOVE or QUARANTINE
    outcome: RemediationOutcome
    reason: str | None  # of a refusal or a failure
    at: datetime


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
    settings: Settings  # without the ExternalId
    safelists: tuple[SafelistText, ...]
    account_owners: Mapping[str, str]  # account id → owner, by the file of --account-owners; see that of the record
    caller: Caller
    organization: Organization | None
    session_policies: Mapping[str, str]  # "member" | "hub" | "organizations" | "archive" → the policy document in force
    previous_run: Snapshot | None = None  # the run that this one is compared with
    previous_why: str = ""  # why that one, or why none; "" in journals that are older than this field
    decisions: tuple[ReviewDecision, ...] = ()  # of earlier reviews: the last one of each user
    remediations: tuple[Remediation, ...] = ()  # what plans made of users, one for each user of each plan
    trend: tuple[TrendPoint, ...] = ()  # the finished runs of the same organization before this one, by their start
    external_id_given: bool = False
    accounts_file: str | None = None  # its text as it was read, where a file of accounts stands in for Organizations


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The result of enumerating the accounts."""

    source: str  # "AWS Organizations", or the name of a file of accounts
    ous: tuple[OrganizationalUnit, ...]
    accounts: tuple[Account, ...]  # every account known, in scope or not
    in_scope: frozenset[AccountId]  # the selected ones; excluded and inactive ones among them
    problem: Failure | None  # not None: the listing broke off, and the population is unknown
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerTags:
    """The owners of accounts by their tags in AWS Organizations."""

    values: Mapping[AccountId, str | None]  # of the accounts that were read; None: without the tag, or with a blank one
    problem: Failure | None  # why others were not read; None: all were, or the time for it was over


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumption:
    """A line of a journal: an interrupted or incomplete run was resumed."""

    resumed_at: datetime
    program_version: str
    caller: Caller | None = None  # None: nobody was called, only the reports were missing
    killed: bool = False  # the run had been killed: the calls that it had made are not counted
    torn: bool = False  # its last line had been cut off, and was dropped


@dataclass(frozen=True, slots=True, kw_only=True)
class Footer:
    """The last line of a journal."""

    finished_at: datetime
    api_calls: Mapping[str, int]  # "iam:ListUsers" → attempts
    throttled: int  # throttled responses
    interrupted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """How a run was decided, kept with a record that is decided by other safelists or on another day."""

    as_of: date
    safelists: tuple[SafelistText, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A run as its journal has it. Every report is a view of this."""

    header: Header
    listing: Listing
    scans: Mapping[AccountId, AccountScan]  # one for each finished account in scope; the last line counts
    footer: Footer
    digest: str  # SHA-256 of the journal
    resumptions: tuple[Resumption, ...] = ()
    what_if: WhatIf | None = None  # not None: the header's day and safelists are not those of the run
    owner_tags: OwnerTags | None = None  # None: no tags were asked for

    @property
    def account_owners(self) -> Mapping[str, str]:
        """Who owns each account: whom the file of owners names, else whom the account's tag names. Made at each use."""
        named = self.header.account_owners
        tagged = self.owner_tags.values if self.owner_tags else {}
        return {**named, **{each: owner for each, owner in tagged.items() if owner and not named.get(each)}}
