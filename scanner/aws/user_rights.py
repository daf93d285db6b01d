"""What the rights of an account's users rest on, live: denying policies, groups, and roles that trust a user.

Each policy and group of an account is read once, however many users hold it. Reads only.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from scanner.aws.attachments import Attachment, AttachmentKind, LiveUser
from scanner.aws.clients import Session
from scanner.aws.failures import bad_response
from scanner.aws.iam import pages

READS = (  # what judging the rights of users calls
    "GetGroup",
    "GetGroupPolicy",
    "GetPolicy",
    "GetPolicyVersion",
    "GetUserPolicy",
    "ListAttachedGroupPolicies",
    "ListGroupPolicies",
    "ListRoles",
)


class Rights:
    """The policies, groups and roles of one account, as far as they were asked for."""

    def __init__(self) -> None:
        self._managed: dict[str, bool] = {}
        self._groups: dict[str, tuple[bool, int]] = {}
        self._trusts: tuple[tuple[str, frozenset[str]], ...] | None = None

    async def judged(self, session: Session, user: LiveUser) -> LiveUser:
        """Return the user with what is known of its policies and groups: do they deny, is it the only member."""
        try:
            attachments = [await self._judged(session, user.user_name, attachment) for attachment in user.attachments]
        except (KeyError, TypeError) as error:
            raise bad_response("iam:ListAttachedGroupPolicies", "A policy lacks its ARN.") from error
        return replace(user, attachments=tuple(attachments))

    async def roles_trusting(self, session: Session, user: LiveUser) -> tuple[str, ...]:
        """Return the ARNs of this account's roles whose trust policy names the user."""
        if self._trusts is None:
            self._trusts = await _read_trusts(session)
        return tuple(role for role, principals in self._trusts if principals & {user.arn, user.user_id})

    async def _judged(self, session: Session, user_name: str, attachment: Attachment) -> Attachment:
        if attachment.kind is AttachmentKind.INLINE_POLICY:
            answer = await session.call("iam", "GetUserPolicy", UserName=user_name, PolicyName=attachment.id)
            return replace(attachment, denies=denies(answer.get("PolicyDocument")))
        if attachment.kind is AttachmentKind.ATTACHED_POLICY:
            return replace(attachment, denies=await self._managed_denies(session, attachment.id))
        if attachment.kind is AttachmentKind.GROUP:
            group_denies, members = await self._group(session, attachment.id)
            return replace(attachment, denies=group_denies, only_member=members == 1)
        return attachment

    async def _managed_denies(self, session: Session, arn: str) -> bool:
        if arn not in self._managed:
            policy = await session.call("iam", "GetPolicy", PolicyArn=arn)
            version = policy.get("Policy", {}).get("DefaultVersionId")
            if version is None:
                raise bad_response("iam:GetPolicy", "The policy has no default version.")
            answer = await session.call("iam", "GetPolicyVersion", PolicyArn=arn, VersionId=version)
            self._managed[arn] = denies(answer.get("PolicyVersion", {}).get("Document"))
        return self._managed[arn]

    async def _group(self, session: Session, name: str) -> tuple[bool, int]:
        """Return whether a policy of the group denies something, and how many members it has."""
        if name not in self._groups:
            members = await _all(session, "GetGroup", "Users", GroupName=name)
            attached = await _all(session, "ListAttachedGroupPolicies", "AttachedPolicies", GroupName=name)
            inline = await _all(session, "ListGroupPolicies", "PolicyNames", GroupName=name)
            verdicts = [await self._managed_denies(session, policy["PolicyArn"]) for policy in attached]
            for policy in inline:
                answer = await session.call("iam", "GetGroupPolicy", GroupName=name, PolicyName=policy)
                verdicts.append(denies(answer.get("PolicyDocument")))
            self._groups[name] = any(verdicts), len(members)
        return self._groups[name]


async def _read_trusts(session: Session) -> tuple[tuple[str, frozenset[str]], ...]:
    roles = await _all(session, "ListRoles", "Roles")
    try:
        return tuple((role["Arn"], _principals(role.get("AssumeRolePolicyDocument"))) for role in roles)
    except (KeyError, TypeError) as error:
        raise bad_response("iam:ListRoles", "A role lacks its ARN, or its trust policy cannot be read.") from error


async def _all(session: Session, operation: str, key: str, **parameters: str) -> list[Any]:
    rows: list[Any] = []
    async for page in pages(session, operation, **parameters):
        if key not in page:
            raise bad_response(f"iam:{operation}", f"The answer has no {key}.")
        rows += page[key]
    return rows


def denies(document: object) -> bool:
    """Tell whether a policy document denies anything; one that cannot be read counts as one that does.

    `document` comes decoded from the SDK, or as the URL-encoded JSON that AWS sends.
    """
    statements = _statements(document)
    return statements is None or any(statement.get("Effect") != "Allow" for statement in statements)


def _principals(document: object) -> frozenset[str]:
    """Return the AWS principals that a trust policy names."""
    principals: set[str] = set()
    for statement in _statements(document) or ():
        principal = statement.get("Principal")
        named = principal.get("AWS", ()) if isinstance(principal, Mapping) else ()
        principals.update([named] if isinstance(named, str) else named)
    return frozenset(principals)


def _statements(document: object) -> list[Mapping[str, Any]] | None:
    try:
        policy = json.loads(unquote(document)) if isinstance(document, str) else document
        statements = policy["Statement"]  # type: ignore[index]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    listed = [statements] if isinstance(statements, Mapping) else statements
    if not isinstance(listed, list) or not all(isinstance(statement, Mapping) for statement in listed):
        return None
    return listed
