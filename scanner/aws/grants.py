"""What the users of one account hold and may do, put together from the pages of GetAccountAuthorizationDetails.

A policy is judged as it comes, and no text of one is kept; what is attached is looked up when all pages are there.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from scanner.aws.iam_policies import (
    UNKNOWN,
    Verdict,
    combined,
    escalation,
    is_aws_managed,
    judge,
    judge_by_name,
    only_denies,
)
from scanner.model import Access, UserId


@dataclass(frozen=True, slots=True)
class _Attached:
    name: str
    arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Holder:
    """What a user or a group holds; its inline policies are judged."""

    attached: tuple[_Attached, ...]
    inline: tuple[str, ...]
    verdict: Verdict  # of those inline policies that can be read
    unreadable: tuple[str, ...]  # inline policies that are not policies, and whose they are


@dataclass(frozen=True, slots=True, kw_only=True)
class _User:
    name: str
    own: _Holder
    groups: tuple[str, ...]
    boundary: str | None
    tags: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grants:
    """What comes of a holder, or of a user with all its groups."""

    attached: tuple[str, ...]
    inline: tuple[str, ...]
    verdict: Verdict
    unreadable: tuple[str, ...]


class Held:
    """The users, groups and customer-managed policies of an account, in whatever order they come."""

    def __init__(self) -> None:
        self._users: dict[UserId, _User] = {}
        self._groups: dict[str, _Holder] = {}
        self._policies: dict[str, Verdict | None] = {}  # by ARN; None: it cannot be read

    def take(self, page: Mapping[str, Any]) -> None:
        """Judge a page. Raises KeyError where it is not in the form that IAM documents."""
        for user in page["UserDetailList"]:
            self._users[UserId(user["UserId"])] = _User(
                name=user["UserName"],
                own=_holder(user, user.get("UserPolicyList", []), f"user {user['UserName']}"),
                groups=tuple(user.get("GroupList", [])),
                boundary=(user.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn"),
                tags=tuple((tag["Key"], tag["Value"]) for tag in user.get("Tags", [])),
            )
        for group in page["GroupDetailList"]:
            name = group["GroupName"]
            self._groups[name] = _holder(group, group.get("GroupPolicyList", []), f"group {name}")
        for policy in page.get("Policies", []):
            self._policies[policy["Arn"]] = _default_version(policy)

    @property
    def names(self) -> dict[UserId, str]:
        return {user_id: user.name for user_id, user in self._users.items()}

    def access(self) -> dict[UserId, Access | None]:
        """Return what each user may do. None where a policy that could make it an administrator is unreadable."""
        groups = {name: self._grants(holder, f" (via {name})") for name, holder in self._groups.items()}
        return {user_id: self._access(user, groups) for user_id, user in self._users.items()}

    def unreadable(self) -> tuple[str, ...]:
        """Name the policies of users and groups whose text did not come, or is none."""
        holders = [*(user.own for user in self._users.values()), *self._groups.values()]
        return tuple(dict.fromkeys(name for holder in holders for name in self._unreadable(holder)))

    def _access(self, user: _User, groups: Mapping[str, _Grants]) -> Access | None:
        sources = [self._grants(user.own), *(groups[name] for name in user.groups if name in groups)]
        unknown = [UNKNOWN for name in user.groups if name not in groups]
        verdict = combined([*(grants.verdict for grants in sources), *unknown])
        if verdict.administrator is not True and any(grants.unreadable for grants in sources):
            return None
        return Access(
            administrator=verdict.administrator,
            groups=user.groups,
            attached_policies=tuple(name for grants in sources for name in grants.attached),
            inline_policies=tuple(name for grants in sources for name in grants.inline),
            permissions_boundary=user.boundary,
            tags=user.tags,
            denied_by=tuple(each.name for each in user.own.attached if only_denies(each.name, each.arn)),
            escalation=escalation(verdict, limited=user.boundary is not None),
        )

    def _grants(self, holder: _Holder, via: str = "") -> _Grants:
        verdicts = (self._of(each) for each in holder.attached)
        return _Grants(
            attached=tuple(each.name + via for each in holder.attached),
            inline=tuple(name + via for name in holder.inline),
            verdict=combined([holder.verdict, *(verdict for verdict in verdicts if verdict is not None)]),
            unreadable=tuple(self._unreadable(holder)),
        )

    def _unreadable(self, holder: _Holder) -> Iterator[str]:
        yield from holder.unreadable
        yield from (f"customer-managed policy {each.name}" for each in holder.attached if self._of(each) is None)

    def _of(self, attached: _Attached) -> Verdict | None:
        """Return the verdict on an attached policy; None where its text was not, or could not be, read."""
        if is_aws_managed(attached.arn):
            return judge_by_name(attached.name)
        return self._policies.get(attached.arn)


def _holder(raw: Mapping[str, Any], inline: list[Mapping[str, Any]], whose: str) -> _Holder:
    verdicts, unreadable = [], []
    for policy in inline:
        try:
            verdicts.append(judge(policy.get("PolicyDocument"), raw["Arn"]))
        except ValueError:
            unreadable.append(f"inline policy {policy['PolicyName']} of {whose}")
    attached = raw.get("AttachedManagedPolicies", [])
    return _Holder(
        attached=tuple(_Attached(policy["PolicyName"], policy["PolicyArn"]) for policy in attached),
        inline=tuple(policy["PolicyName"] for policy in inline),
        verdict=combined(verdicts),
        unreadable=tuple(unreadable),
    )


def _default_version(policy: Mapping[str, Any]) -> Verdict | None:
    """Judge the version that is in force; None where it is not told which, or its text is none of a policy."""
    versions = [
        version for version in (policy.get("PolicyVersionList") or []) if version.get("IsDefaultVersion") is True
    ]
    if len(versions) != 1 or versions[0].get("VersionId") != policy.get("DefaultVersionId"):
        return None
    try:
        return judge(versions[0].get("Document"), policy["Arn"])
    except ValueError:
        return None
