"""An account whose IAM keeps state: users with all that can hang on them, groups, roles, and what it refuses to delete.

    account = live_account(world, "prod")
    account.user("alice", password=True, keys={"AKIAALICE1": LiveKey()}, groups=["devs"])

A test may change the state at any time, as other people would. `lag` makes the next reads after each change show what
was there before it. The lists of users and groups that other calls of the endpoint answer from follow the state.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.aws_endpoint.organization import (
    CREATED,
    InlinePolicy,
    SimulatedAccount,
    SimulatedGroup,
    SimulatedKey,
    SimulatedOrganization,
    SimulatedUser,
    empty_organization,
    minted_id,
)
from tests.aws_endpoint.wire import AwsError

# Planted where AWS would never put them in a list, to be searched for in whatever the program writes.
SECRETS = ("planted-console-password", "planted-secret-access-key", "planted-service-password")


@dataclass(slots=True)
class LiveKey:
    """An access key, a signing certificate, an SSH key or a service-specific credential."""

    active: bool = True
    created_at: datetime = CREATED
    last_used: datetime | None = None  # access keys only
    used_for: str = "s3"
    service: str = "codecommit.amazonaws.com"  # service-specific credentials only


@dataclass(slots=True, kw_only=True)
class LiveUserState:
    name: str
    user_id: str
    path: str = "/"
    created_at: datetime = CREATED
    password: datetime | None = None  # when it was set
    password_last_used: datetime | None = None
    boundary: str | None = None
    keys: dict[str, LiveKey] = field(default_factory=dict)
    certificates: dict[str, LiveKey] = field(default_factory=dict)
    ssh_keys: dict[str, LiveKey] = field(default_factory=dict)
    service_credentials: dict[str, LiveKey] = field(default_factory=dict)
    mfa: list[str] = field(default_factory=list)  # serial numbers
    inline: dict[str, str] = field(default_factory=dict)  # name → document
    attached: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class LiveGroup:
    name: str
    path: str = "/"
    inline: dict[str, str] = field(default_factory=dict)
    attached: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class LiveRole:
    name: str
    trust: str  # JSON text
    path: str = "/"


@dataclass(slots=True, kw_only=True)
class State:
    """Everything that a change can touch, so that it can be copied, kept and compared."""

    users: dict[str, LiveUserState] = field(default_factory=dict)  # by lower-case name
    devices: set[str] = field(default_factory=set)  # serial numbers of all virtual MFA devices
    live_groups: dict[str, LiveGroup] = field(default_factory=dict)  # by name


@dataclass(slots=True, kw_only=True)
class LiveAccount(SimulatedAccount):
    """An account that remembers what was changed in it."""

    kept: State = field(default_factory=State)
    documents: dict[str, str] = field(default_factory=dict)  # ARN of a managed policy → document
    live_roles: list[LiveRole] = field(default_factory=list)
    lag: int = 0  # how many reads after a change still show what was before
    role_policy: str | None = None  # what the role may do by which this account is entered; None: everything
    missing_actions: frozenset[str] = frozenset()  # what this partition answers with InvalidAction
    made: list[tuple[str, dict[str, Any]]] = field(default_factory=list)  # the changing calls that worked, in order
    raised: list[str] = field(default_factory=list)  # of these, the ones that left their user with more rights
    _stale: State | None = None
    _stale_reads: int = 0

    # --- building

    def user(self, name: str, *, serial: int = 1, password: bool = False, **details: Any) -> LiveUserState:
        """Create a user; another `serial` is the same name created again, with another ID."""
        set_at = details.get("created_at", CREATED) if password else None
        user_id = minted_id("AIDA", self.id, name, serial)
        values: dict[str, Any] = {"password": set_at} | details
        user = LiveUserState(name=name, user_id=user_id, **values)
        self.kept.users[name.lower()] = user
        self.kept.devices.update(serial for serial in user.mfa if ":mfa/" in serial)
        for group in user.groups:
            self.kept.live_groups.setdefault(group, LiveGroup(name=group))
        self.sync()
        return user

    def group(self, name: str, **details: Any) -> LiveGroup:
        group = LiveGroup(name=name, **details)
        self.kept.live_groups[name] = group
        self.sync()
        return group

    def device(self, name: str) -> str:
        """The serial number of a virtual MFA device of this name."""
        return self.arn("mfa", "/", name)

    def aws_policy(self, name: str) -> str:
        return f"arn:{self.partition}:iam::aws:policy/{name}"

    def own_policy(self, name: str, document: str) -> str:
        arn = self.arn("policy", "/", name)
        self.documents[arn] = document
        return arn

    # --- state as reads see it

    def seen(self) -> State:
        """What a read shows now; with `lag`, what was there before the last change."""
        if self._stale is not None and self._stale_reads > 0:
            self._stale_reads -= 1
            return self._stale
        self._stale = None
        return self.kept

    def before_change(self) -> None:
        if self.lag and self._stale is None:
            self._stale, self._stale_reads = copy.deepcopy(self.kept), self.lag

    def snapshot(self) -> State:
        return copy.deepcopy(self.kept)

    def sync(self) -> None:
        """Let ListUsers, GetAccountAuthorizationDetails and the credential report show the same."""
        self.users = [_listed(user) for user in self.kept.users.values()]
        self.groups = [
            SimulatedGroup(
                name=group.name, path=group.path, inline=_inline(group.inline), attached=tuple(group.attached)
            )
            for group in self.kept.live_groups.values()
        ]

    def find(self, state: State, name: str) -> LiveUserState:
        user = state.users.get(name.lower())
        if user is None:
            raise no_such(f"The user with name {name} cannot be found.")
        return user


def no_such(message: str) -> AwsError:
    return AwsError(404, "NoSuchEntity", message)


def live_account(world: SimulatedOrganization, name: str, parent_id: str | None = None, **details: Any) -> LiveAccount:
    """Add an account that keeps state."""
    plain = world.add_account(name, parent_id)
    account = LiveAccount(id=plain.id, name=name, parent_id=plain.parent_id, partition=plain.partition, **details)
    world.accounts[plain.id] = account
    return account


def live_organization(accounts: int, users: int) -> SimulatedOrganization:
    """An organization of accounts that keep state, each with users that have much hanging on them, unused for long."""
    world = empty_organization()
    for number in range(1, accounts + 1):
        account = live_account(world, f"account-{number:04}")
        for own in range(users):
            name = f"user-{own:04}"
            account.user(
                name,
                password=True,
                keys={f"AKIA{number:06}{own:04}A": LiveKey(), f"AKIA{number:06}{own:04}B": LiveKey(active=False)},
                mfa=[account.device(name)],
                inline={"deploy": '{"Version":"2012-10-17","Statement":[]}'},
                attached=[account.aws_policy("ReadOnlyAccess")],
                groups=["developers"],
            )
    return world


def _listed(user: LiveUserState) -> SimulatedUser:
    return SimulatedUser(
        name=user.name,
        user_id=user.user_id,
        path=user.path,
        created_at=user.created_at,
        console=user.password is not None,
        password_last_used=user.password_last_used,
        mfa=bool(user.mfa),
        keys=tuple(
            SimulatedKey(active=key.active, last_rotated=key.created_at, last_used=key.last_used)
            for key in user.keys.values()
        ),
        groups=tuple(user.groups),
        inline=_inline(user.inline),
        attached=tuple(user.attached),
        boundary=user.boundary,
    )


def _inline(documents: Mapping[str, str]) -> tuple[InlinePolicy, ...]:
    return tuple(InlinePolicy(name, document) for name, document in documents.items())
