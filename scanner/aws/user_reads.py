"""One IAM user, live: who it is and everything that hangs on it. Reads only, and always by UserName.

Without UserName, most of these calls answer about the caller. Every list is complete or raises `CallError`: what is not
seen here would be in the way of a deletion, or survive a quarantine.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from scanner.aws.attachments import Attachment, AttachmentKind, LiveUser
from scanner.aws.clients import Session
from scanner.aws.credential_report import in_utc
from scanner.aws.failures import CallError, bad_response, incomplete_listing
from scanner.aws.iam import check_account, pages
from scanner.model import AccountId, UserId

READS = (  # what reading one user calls
    "GetAccessKeyLastUsed",
    "GetLoginProfile",
    "GetUser",
    "ListAccessKeys",
    "ListAttachedUserPolicies",
    "ListGroupsForUser",
    "ListMFADevices",
    "ListSSHPublicKeys",
    "ListServiceSpecificCredentials",
    "ListSigningCertificates",
    "ListUserPolicies",
)
NO_SUCH_ENTITY = "NoSuchEntity"
_NO_SUCH_ACTION = "InvalidAction"  # what a partition answers that does not have the action


async def read_user(
    session: Session, account_id: AccountId, user_name: str, *, with_last_use: bool = True
) -> LiveUser | None:
    """Read the user of this name; None where there is none. Raises `CallError` where anything could not be read.

    Without `with_last_use` its access keys have no last use, which costs a call a key and does not change what hangs on
    the user. Whether its policies and groups deny something is not read here: see `user_rights`.
    """
    try:
        answer = await session.call("iam", "GetUser", UserName=user_name)
    except CallError as error:
        if error.failure.code == NO_SUCH_ENTITY:
            return None
        raise
    reading = _Reading(session, account_id, user_name, with_last_use=with_last_use)
    attachments = [attachment for read in reading.in_order for attachment in await read()]
    try:
        raw = answer["User"]
        used = raw.get("PasswordLastUsed")
        user = LiveUser(
            user_id=UserId(raw["UserId"]),
            user_name=raw["UserName"],
            path=raw["Path"],
            arn=raw["Arn"],
            created_at=in_utc(raw["CreateDate"]),
            boundary=raw.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
            password_last_used=in_utc(used) if used else None,
            attachments=tuple(attachments),
            notes=tuple(reading.notes),
        )
    except (KeyError, AttributeError, ValueError) as error:
        raise bad_response("iam:GetUser", "The user lacks its name, ID, path, ARN or creation time.") from error
    check_account(user.arn, account_id, "iam:GetUser")
    reading.check_name(user.user_name, "iam:GetUser")
    return user


class _Reading:
    """The lists of one user."""

    def __init__(self, session: Session, account_id: AccountId, user_name: str, *, with_last_use: bool) -> None:
        if not user_name:
            raise ValueError("without a user name, IAM answers about the caller")
        self._session = session
        self._account_id = account_id
        self._user_name = user_name
        self._ask_last_use = with_last_use
        self.notes: list[str] = []
        self.in_order: tuple[Callable[[], Awaitable[list[Attachment]]], ...] = (
            self._password,
            self._access_keys,
            self._signing_certificates,
            self._ssh_keys,
            self._service_credentials,
            self._mfa_devices,
            self._inline_policies,
            self._attached_policies,
            self._groups,
        )

    def check_name(self, named: object, call: str) -> None:
        """Check that an answer is about this user; IAM ignores the case of letters."""
        if not isinstance(named, str) or named.lower() != self._user_name.lower():
            raise bad_response(call, f"Asked for user {self._user_name!r}, the answer is about {named!r}.")

    async def _list(self, operation: str, key: str) -> list[Any]:
        """Read all pages of a list about the user; none, with a note, where the partition lacks the action."""
        call = f"iam:{operation}"
        rows: list[Any] = []
        try:
            async for page in self._pages(operation):
                if key not in page:
                    raise bad_response(call, f"The answer has no {key}.")
                rows += page[key]
        except CallError as error:
            if error.failure.code != _NO_SUCH_ACTION:
                raise
            self.notes.append(f"This partition of AWS has no {operation}.")
        return rows

    def _pages(self, operation: str) -> AsyncIterator[dict[str, Any]]:
        if operation == "ListServiceSpecificCredentials":
            return self._loose_pages(operation)
        return pages(self._session, operation, UserName=self._user_name)

    async def _loose_pages(self, operation: str) -> AsyncIterator[dict[str, Any]]:
        """Page through a list that came in one piece, without IsTruncated, for years."""
        marker: dict[str, str] = {}
        while True:
            page = await self._session.call("iam", operation, UserName=self._user_name, **marker)
            yield page
            if page.get("Marker") == marker.get("Marker", "") or (page.get("IsTruncated") and not page.get("Marker")):
                raise incomplete_listing(f"iam:{operation}", "AWS does not say where the list goes on.")
            if not page.get("Marker"):
                return
            marker = {"Marker": page["Marker"]}

    async def _made(
        self, operation: str, key: str, make: Callable[[Mapping[str, Any]], Attachment], *, names_user: bool = True
    ) -> list[Attachment]:
        call = f"iam:{operation}"
        rows = await self._list(operation, key)
        try:
            for row in rows:
                if names_user:
                    self.check_name(row["UserName"], call)
            return [make(row) for row in rows]
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise bad_response(call, f"An entry of {key} lacks what identifies it.") from error

    async def _password(self) -> list[Attachment]:
        try:
            answer = await self._session.call("iam", "GetLoginProfile", UserName=self._user_name)
        except CallError as error:
            if error.failure.code == NO_SUCH_ENTITY:
                return []
            raise
        profile = answer.get("LoginProfile", {})
        self.check_name(profile.get("UserName"), "iam:GetLoginProfile")
        return [Attachment(kind=AttachmentKind.LOGIN_PROFILE, id="", created_at=_time(profile, "CreateDate"))]

    async def _access_keys(self) -> list[Attachment]:
        keys = await self._made(
            "ListAccessKeys",
            "AccessKeyMetadata",
            lambda row: Attachment(
                kind=AttachmentKind.ACCESS_KEY,
                id=row["AccessKeyId"],
                active=row["Status"] == "Active",
                created_at=_time(row, "CreateDate"),
            ),
        )
        return [await self._with_last_use(key) for key in keys] if self._ask_last_use else keys

    async def _with_last_use(self, key: Attachment) -> Attachment:
        call = "iam:GetAccessKeyLastUsed"
        answer = await self._session.call("iam", "GetAccessKeyLastUsed", AccessKeyId=key.id)
        self.check_name(answer.get("UserName"), call)
        if "AccessKeyLastUsed" not in answer:
            raise bad_response(call, "The answer has no AccessKeyLastUsed.")
        use = answer["AccessKeyLastUsed"]
        used_at = _time(use, "LastUsedDate")
        if used_at is None:
            return key
        service, region = use.get("ServiceName"), use.get("Region")
        used_for = f"{service} ({region})" if region and region != "N/A" else service
        return Attachment(
            kind=key.kind,
            id=key.id,
            active=key.active,
            created_at=key.created_at,
            last_used_at=used_at,
            last_used_for=used_for,
        )

    async def _signing_certificates(self) -> list[Attachment]:
        return await self._made(
            "ListSigningCertificates",
            "Certificates",
            lambda row: _with_status(AttachmentKind.SIGNING_CERTIFICATE, row, "CertificateId", "UploadDate"),
        )

    async def _ssh_keys(self) -> list[Attachment]:
        return await self._made(
            "ListSSHPublicKeys",
            "SSHPublicKeys",
            lambda row: _with_status(AttachmentKind.SSH_KEY, row, "SSHPublicKeyId", "UploadDate"),
        )

    async def _service_credentials(self) -> list[Attachment]:
        return await self._made(
            "ListServiceSpecificCredentials",
            "ServiceSpecificCredentials",
            lambda row: _with_status(
                AttachmentKind.SERVICE_CREDENTIAL,
                row,
                "ServiceSpecificCredentialId",
                "CreateDate",
                label=row["ServiceName"].removesuffix(".amazonaws.com"),
            ),
        )

    async def _mfa_devices(self) -> list[Attachment]:
        return await self._made("ListMFADevices", "MFADevices", _mfa_device)

    async def _inline_policies(self) -> list[Attachment]:
        names = await self._list("ListUserPolicies", "PolicyNames")
        return [Attachment(kind=AttachmentKind.INLINE_POLICY, id=str(name)) for name in names]

    async def _attached_policies(self) -> list[Attachment]:
        return await self._made(
            "ListAttachedUserPolicies",
            "AttachedPolicies",
            lambda row: Attachment(kind=AttachmentKind.ATTACHED_POLICY, id=row["PolicyArn"], arn=row["PolicyArn"]),
            names_user=False,
        )

    async def _groups(self) -> list[Attachment]:
        groups = await self._made(
            "ListGroupsForUser",
            "Groups",
            lambda row: Attachment(kind=AttachmentKind.GROUP, id=row["GroupName"], arn=row["Arn"]),
            names_user=False,
        )
        for group in groups:
            check_account(str(group.arn), self._account_id, "iam:ListGroupsForUser")
        return groups


def _with_status(
    kind: AttachmentKind, row: Mapping[str, Any], identifier: str, created: str, label: str | None = None
) -> Attachment:
    return Attachment(
        kind=kind, id=row[identifier], active=row["Status"] == "Active", created_at=_time(row, created), label=label
    )


def _mfa_device(row: Mapping[str, Any]) -> Attachment:
    """Tell a virtual device by its serial number, which is an ARN; those of hardware and passkeys differ."""
    serial: str = row["SerialNumber"]
    virtual = serial.startswith("arn:") and serial.split(":", 5)[-1].startswith("mfa/")
    return Attachment(
        kind=AttachmentKind.MFA_DEVICE,
        id=serial,
        arn=serial if virtual else None,
        created_at=_time(row, "EnableDate"),
    )


def _time(raw: Mapping[str, Any], key: str) -> datetime | None:
    value = raw.get(key)
    return in_utc(value) if value else None
