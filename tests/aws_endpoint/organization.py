"""The world that the endpoint answers for: an organization, its accounts, and what IAM holds in each.

Worlds are plain values that a test may change, also while the endpoint runs; only the place of an account is changed
by `SimulatedOrganization.move`, as the lists by parent are indexed.
"""

import hashlib
import json
from base64 import b32encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from tests.aws_endpoint.s3_state import SimulatedBucket

CREATED = datetime(2025, 1, 6, 8, 30, 15, tzinfo=UTC)  # what a test does not date was made on this day
ADMINISTRATOR_ACCESS = "arn:aws:iam::aws:policy/AdministratorAccess"
READ_ONLY_ACCESS = "arn:aws:iam::aws:policy/ReadOnlyAccess"


class InlinePolicy(NamedTuple):
    name: str
    document: str  # JSON text

    @classmethod
    def allowing(cls, name: str, *actions: str, resource: str = "*") -> "InlinePolicy":
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
        return cls(name, json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedKey:
    """One access key, as far as the credential report tells of it."""

    active: bool = True
    last_rotated: datetime = CREATED
    last_used: datetime | None = None
    used_for: tuple[str, str] = ("us-east-1", "s3")  # Region and service, as the report has them


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedServiceKey:
    """A service-specific credential."""

    service: str = "bedrock.amazonaws.com"
    status: str = "Active"
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedUser:
    name: str
    user_id: str
    path: str = "/"
    created_at: datetime = CREATED
    console: bool = False  # has a password
    password_last_used: datetime | None = None
    password_last_changed: datetime | None = None  # None: when the user was created
    mfa: bool = False
    keys: tuple[SimulatedKey, ...] = ()
    service_keys: tuple[SimulatedServiceKey, ...] = ()
    groups: tuple[str, ...] = ()
    inline: tuple[InlinePolicy, ...] = ()
    attached: tuple[str, ...] = ()  # ARNs of managed policies
    boundary: str | None = None  # the ARN of a managed policy
    tags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedGroup:
    name: str
    path: str = "/"
    created_at: datetime = CREATED
    inline: tuple[InlinePolicy, ...] = ()
    attached: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedPolicy:
    """A customer-managed policy."""

    name: str
    document: str  # of the version in force, which is the newest
    older: tuple[str, ...] = ()  # documents of the versions before it
    path: str = "/"


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedRole:
    """A role, and who may assume it."""

    name: str
    path: str = "/"
    external_id: str | None = None  # demanded of everyone who assumes the role
    trusted: tuple[str, ...] = ("*",)  # principal ARNs, `*` and `?` as wildcards
    mfa_code: str | None = None  # demanded of everyone who assumes the role
    max_session: int = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedEvent:
    """An event of CloudTrail; `fields` are those in its text that say who did what, and how."""

    time: datetime
    name: str = "CreateUser"
    fields: Mapping[str, Any] = field(default_factory=dict)
    text: str | None = None  # in place of the event as JSON

    @property
    def id(self) -> str:
        return minted_id("event-", self.time, self.name, sorted(self.fields))


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReport:
    """A credential report that the account already has; its users may differ from those of today."""

    generated_at: datetime
    users: tuple[SimulatedUser, ...]


@dataclass(slots=True, kw_only=True)
class SimulatedAccount:
    id: str
    name: str
    parent_id: str  # change it with SimulatedOrganization.move
    state: str | None = "ACTIVE"  # None: Organizations tells neither State nor Status
    partition: str = "aws"
    tags: dict[str, str] = field(default_factory=dict)  # in Organizations
    users: list[SimulatedUser] = field(default_factory=list)
    groups: list[SimulatedGroup] = field(default_factory=list)
    policies: list[SimulatedPolicy] = field(default_factory=list)
    events: list[SimulatedEvent] = field(default_factory=list)  # in CloudTrail's Region for IAM
    roles: list[SimulatedRole] | None = None  # None: any role name exists and trusts everyone
    report: StoredReport | None = None
    report_polls: int = 0  # how many requests after STARTED find the report still in progress
    report_delay: float = 0.0  # seconds of the endpoint's clock until a report is ready
    counted_users: int | None = None  # what GetAccountSummary claims; None: the truth

    def add_user(self, name: str, *, serial: int = 1, **details: Any) -> SimulatedUser:
        """Create a user; another `serial` is the same name created again, with another id."""
        user = SimulatedUser(name=name, user_id=minted_id("AIDA", self.id, name, serial), **details)
        self.users.append(user)
        return user

    def record_creation(self, user: SimulatedUser, **fields: Any) -> None:
        """Have CloudTrail tell of the user's creation; `fields` say by whom and how."""
        told = {"requestParameters": {"userName": user.name}, "responseElements": {"user": {"userId": user.user_id}}}
        self.events.append(SimulatedEvent(time=user.created_at, fields=told | fields))

    def remove_user(self, name: str) -> None:
        self.users = [user for user in self.users if user.name != name]

    def arn(self, kind: str, path: str, name: str) -> str:
        return f"arn:{self.partition}:iam::{self.id}:{kind}{path}{name}"

    def user_arn(self, user: SimulatedUser) -> str:
        return self.arn("user", user.path, user.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedUnit:
    """The root, or an OU."""

    id: str
    name: str
    parent_id: str | None  # None: the root


@dataclass(slots=True, kw_only=True)
class SimulatedOrganization:
    id: str
    management_account_id: str
    root: SimulatedUnit
    ous: dict[str, SimulatedUnit]  # by id, without the root
    accounts: dict[str, SimulatedAccount]  # by id, in the order in which Organizations lists them
    partition: str = "aws"
    delegated_administrators: list[str] = field(default_factory=list)  # account ids
    state_members: tuple[str, ...] = ("State",)  # of "State" and "Status": what an account's description has
    buckets: dict[str, SimulatedBucket] = field(default_factory=dict)  # by name, of all accounts
    in_use: bool = True  # False: the caller's account belongs to no organization
    _by_parent: dict[str, list[str]] | None = None

    @property
    def management(self) -> SimulatedAccount:
        return self.accounts[self.management_account_id]

    @property
    def members(self) -> list[SimulatedAccount]:
        return [account for account in self.accounts.values() if account.id != self.management_account_id]

    def add_ou(self, name: str, parent_id: str | None = None) -> SimulatedUnit:
        unit = SimulatedUnit(id=ou_id(len(self.ous)), name=name, parent_id=parent_id or self.root.id)
        self.ous[unit.id] = unit
        return unit

    def add_account(self, name: str, parent_id: str | None = None, **details: Any) -> SimulatedAccount:
        number = len(self.accounts)
        details = {"id": account_id(number), "partition": self.partition} | details
        account = SimulatedAccount(name=name, parent_id=parent_id or self.root.id, **details)
        self.accounts[account.id] = account
        self._by_parent = None
        return account

    def move(self, account: str, parent_id: str) -> None:
        self.accounts[account].parent_id = parent_id
        self._by_parent = None

    def leave(self, account: str) -> None:
        """The account leaves the organization."""
        del self.accounts[account]
        self._by_parent = None

    def accounts_of(self, parent_id: str) -> list[str]:
        if self._by_parent is None:
            self._by_parent = {}
            for account in self.accounts.values():
                self._by_parent.setdefault(account.parent_id, []).append(account.id)
        return self._by_parent.get(parent_id, [])

    def units_of(self, parent_id: str) -> list[SimulatedUnit]:
        return [unit for unit in self.ous.values() if unit.parent_id == parent_id]

    def unit(self, unit_id: str) -> SimulatedUnit | None:
        return self.root if unit_id == self.root.id else self.ous.get(unit_id)


# --- ids, the same in every run ---------------------------------------------------------------------------------------


def account_id(number: int) -> str:
    """The id of the account of this number: scattered, so that the order of listing is not that of the ids."""
    return f"{(number + 1) * 387_420_489_013 % 10**12:012}"  # the factor and 10 have no common divisor: no id twice


def ou_id(number: int) -> str:
    return f"ou-ex01-{number:08}"


def minted_id(prefix: str, *of: object) -> str:
    digest = hashlib.sha256("/".join(map(str, of)).encode()).digest()
    return prefix + b32encode(digest[:10]).decode()


# --- worlds -----------------------------------------------------------------------------------------------------------


def empty_organization(*, partition: str = "aws") -> SimulatedOrganization:
    """An organization that has its management account, without users and roles, and nothing else."""
    root = SimulatedUnit(id="r-ex01", name="Root", parent_id=None)
    world = SimulatedOrganization(
        id="o-example0001",
        management_account_id=account_id(0),
        root=root,
        ous={},
        accounts={},
        partition=partition,
    )
    world.add_account("management", roles=[])
    return world


def organization(
    accounts: int = 10,
    users_per_account: int = 10,
    *,
    ous: int | None = None,
    full: bool = True,
    partition: str = "aws",
) -> SimulatedOrganization:
    """An organization of any size; the same arguments give the same world.

    The management account counts as one of the `accounts` and lies in the root, as some others do. With `full`, users
    have keys, passwords, groups, policies and tags; else they are names and nothing more.
    """
    world = empty_organization(partition=partition)
    _grow_tree(world, max(4, min(1000, accounts // 20)) if ous is None else ous)
    parents = [world.root.id, *world.ous]
    for number in range(1, accounts):
        world.add_account(f"account-{number:05}", parents[number % len(parents)])
    for account in world.accounts.values():
        _populate(account, users_per_account, full=full)
    return world


def _grow_tree(world: SimulatedOrganization, count: int) -> None:
    """Ten OUs below the root, ten below each of those, and so on: a thousand are three levels deep."""
    for number in range(count):
        parent = world.root.id if number < 10 else ou_id(number // 10 - 1)
        world.add_ou(f"Unit {number:04}", parent)


def _populate(account: SimulatedAccount, users: int, *, full: bool) -> None:
    if full:
        account.groups.extend(_groups(account.partition))
    for number in range(users):
        account.add_user(f"user-{number:04}", **(_details(number, account.partition) if full else {}))


def _groups(partition: str) -> Iterable[SimulatedGroup]:
    yield SimulatedGroup(name="administrators", attached=(in_partition(ADMINISTRATOR_ACCESS, partition),))
    yield SimulatedGroup(
        name="developers",
        attached=(in_partition(READ_ONLY_ACCESS, partition),),
        inline=(InlinePolicy.allowing("deploy", "s3:PutObject", resource="arn:aws:s3:::releases/*"),),
    )


_DEPLOY = InlinePolicy.allowing("read-metrics", "cloudwatch:GetMetricData")


def _details(number: int, partition: str) -> dict[str, Any]:
    """A person, or one time in three a program; one in ten is an administrator."""
    created = CREATED + timedelta(days=number % 300, seconds=number)
    program = number % 3 == 2
    key = SimulatedKey(last_rotated=created, last_used=created + timedelta(days=30))
    return {
        "created_at": created,
        "path": "/service/" if program else "/",
        "console": not program,
        "password_last_used": None if program else created + timedelta(days=45),
        "mfa": number % 2 == 0,
        "keys": (key,) if program else (),
        "groups": ("administrators",) if number % 10 == 0 else ("developers",),
        "inline": (_DEPLOY,) if program else (),
        "attached": (in_partition(READ_ONLY_ACCESS, partition),) if number % 4 == 0 else (),
        "tags": (("team", f"team-{number % 7}"), ("cost-center", "R&D <1>")),
    }


def in_partition(arn: str, partition: str) -> str:
    return arn.replace("arn:aws:", f"arn:{partition}:", 1)
