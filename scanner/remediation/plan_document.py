"""A plan as it is stored: who is to be removed or quarantined, by which calls, and whom it spares. Checked by digest.

The digest guards against an accident and a careless edit, not against somebody who computes it anew: that one is shown
only by the digest that `plan` prints, noted elsewhere.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from scanner.aws.attachments import LiveUser
from scanner.errors import UsageError
from scanner.model import Account, AccountId, Choice, UserId
from scanner.record import UserKey
from scanner.remediation.calls import PlannedCall
from scanner.remediation.limits import PLAN_LIFE, Allowances
from scanner.remediation.plan import planned_calls

SCHEMA_VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """Whose users these are."""

    id: str | None  # None: a list of accounts stood in for AWS Organizations
    partition: str
    caller_account_id: AccountId  # what stands for the organization where its ID is None

    @property
    def key(self) -> tuple[str, str]:
        """What is the same for two of one organization."""
        return self.id or self.caller_account_id, self.partition

    @property
    def words(self) -> str:
        return f"{self.id or f'account {self.caller_account_id}'} in {self.partition}"


class Reason(StrEnum):
    """Why a user was refused, or could not be done."""

    # refused: what was decided is not carried out
    EXCLUDED = "EXCLUDED"  # its account, or the OU that holds it, is excluded by the settings
    CALLER_ITSELF = "CALLER_ITSELF"
    BREAK_GLASS = "BREAK_GLASS"
    APPROVED = "APPROVED"
    NOT_DECIDED = "NOT_DECIDED"  # the ledger does not say so, or no longer
    OTHER_USER_ID = "OTHER_USER_ID"  # the name belongs to a user that was made anew
    RENAMED = "RENAMED"
    USER_GONE = "USER_GONE"
    CHANGED_SINCE_PLANNING = "CHANGED_SINCE_PLANNING"  # something was attached, or activated
    WILDCARD_IN_ARN = "WILDCARD_IN_ARN"
    OTHER_ORGANIZATION = "OTHER_ORGANIZATION"
    ACCOUNT_MOVED = "ACCOUNT_MOVED"
    RECENTLY_USED = "RECENTLY_USED"
    USE_UNKNOWN = "USE_UNKNOWN"
    LAST_ADMINISTRATOR = "LAST_ADMINISTRATOR"
    POLICY_QUOTA = "POLICY_QUOTA"
    NOT_QUARANTINED = "NOT_QUARANTINED"  # for as long as removal_after_quarantine_days asks
    USED_SINCE_QUARANTINE = "USED_SINCE_QUARANTINE"
    SESSION_POLICY = "SESSION_POLICY"  # it cannot be narrowed to this user
    NOT_REVERSIBLE = "NOT_REVERSIBLE"  # undo: something was deleted
    # failed: it was to be carried out, and was not, or not wholly
    CALL_FAILED = "CALL_FAILED"
    READ_FAILED = "READ_FAILED"
    ROLE_NOT_ASSUMABLE = "ROLE_NOT_ASSUMABLE"
    NOT_SETTLED = "NOT_SETTLED"  # AWS still showed another state when the patience was at its end
    INTERRUPTED = "INTERRUPTED"  # stopped between two calls
    PROGRAM = "PROGRAM"  # the program itself failed at this user


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A user that is to be removed or quarantined, as the run has it, and on whose word."""

    account: Account
    user_id: UserId
    user_name: str
    path: str
    arn: str
    choice: Choice  # REMOVE or QUARANTINE
    run_id: str
    why: str  # one sentence for people
    reviewer: str | None = None  # None: nobody decided; the run found it unapproved
    reviewed_on: date | None = None
    ticket: str | None = None
    comment: str | None = None

    @property
    def key(self) -> UserKey:
        return self.account.id, self.user_id

    @property
    def order(self) -> tuple[str, str, str]:
        return self.account.id, self.user_name, self.user_id


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedUser:
    """What is to be done with one user."""

    target: Target
    before: LiveUser  # as it was found when the plan was made
    calls: tuple[PlannedCall, ...]
    notes: tuple[str, ...]  # what a person should know before


@dataclass(frozen=True, slots=True, kw_only=True)
class Spared:
    """A user that was decided about and is not planned."""

    target: Target
    failed: bool  # it could not be read; else it was refused
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a plan was made from."""

    run_id: str
    journal_sha256: str
    removals_sha256: str | None  # None: from the run itself, for quarantine


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The whole plan."""

    schema_version: int
    program_version: str
    plan_id: str
    created_at: datetime
    organization_id: str | None  # None: the run was made from a list of accounts
    partition: str
    caller_account_id: AccountId
    caller_arn: str
    role_name: str
    allowances: Allowances
    sources: tuple[Source, ...]
    users: tuple[PlannedUser, ...]  # by account ID, user name, user ID
    spared: tuple[Spared, ...]

    @property
    def of(self) -> Organization:
        return Organization(id=self.organization_id, partition=self.partition, caller_account_id=self.caller_account_id)

    @property
    def expires_at(self) -> datetime:
        return self.created_at + PLAN_LIFE


_PLAN = TypeAdapter(Plan)


def encode(plan: Plan) -> tuple[bytes, str]:
    """Return the bytes of plan.json, and the plan's digest."""
    content = _PLAN.dump_python(plan, mode="json")
    digest = _digest(content)
    return (json.dumps({"sha256": digest, "plan": content}, indent=2) + "\n").encode("ascii"), digest


def decode(data: bytes, name: str) -> tuple[Plan, str]:
    """Read plan.json, and return the plan with its digest; raise `UsageError` where it is not what was written."""
    try:
        document = json.loads(data)
        content, digest = document["plan"], document["sha256"]
        version = content["schema_version"]
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{name} is not a plan of this program. Make a new one with iam-scanner remediate plan."
        ) from (error)
    if digest != _digest(content):
        raise UsageError(f"{name} was changed since it was written: its digest differs. Make a new plan; edit none.")
    if version != SCHEMA_VERSION:
        raise UsageError(f"{name} was written by another version of the program. Make a new plan with this one.")
    try:
        plan = _PLAN.validate_python(content)
    except ValidationError as error:
        raise UsageError(f"{name} is not a plan of this program. Make a new one.") from error
    _refuse_doubles(plan, name)
    if not all(_is_consistent(user, plan.partition) for user in plan.users):
        raise UsageError(f"{name} has calls that do not follow from what it says of its users. Make a new plan.")
    return plan, digest


def _digest(content: Any) -> str:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def _is_consistent(user: PlannedUser, partition: str) -> bool:
    """Tell whether the calls are those that this program plans for this user, whoever computed the digest."""
    target, before = user.target, user.before
    arn = f"arn:{partition}:iam::{target.account.id}:user{before.path}{before.user_name}"
    same = before.user_id == target.user_id and before.user_name.lower() == target.user_name.lower()
    return same and before.arn == arn and planned_calls(target.choice, before, partition) == user.calls


def _refuse_doubles(plan: Plan, name: str) -> None:
    keys = [user.target.key for user in plan.users]
    doubled = next((user.target for user in plan.users if keys.count(user.target.key) > 1), None)
    if doubled is not None:
        raise UsageError(f"{name} plans the user {doubled.user_name} of {doubled.account.id} twice. Make a new plan.")
