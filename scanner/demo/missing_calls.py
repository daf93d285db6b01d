"""What the emulator does not know: CloudTrail's event history, service-specific credentials, what keys were used for.

The events are those of the sample alone: who creates a user while the demo is served leaves none.
"""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from moto.cloudtrail.responses import CloudTrailResponse
from moto.core.responses import ActionResult
from moto.iam.models import User, iam_backends
from moto.iam.responses import IamResponse

from scanner.demo import sample_organization as sample

_KEPT = timedelta(days=90)
_REGION_OF_KEY_1, _KEY_COLUMNS = 11, 5  # of the credential report: the service comes next
_keys: Final[dict[str, list[dict[str, Any]]]] = {}  # account → its service-specific credentials


def _users(account_id: str) -> Any:
    return iam_backends[account_id]["aws"].users.values()


def fill_service_keys(today: date) -> None:
    """Give the users of the sample their service-specific credentials; after `fill`."""
    for account in sample.ACCOUNTS:
        holders = [user for user in _users(account.id) if user.name in sample.SERVICE_KEYS]
        _keys[account.id] = [_service_key(user, today) for user in holders]


def _service_key(user: Any, today: date) -> dict[str, Any]:
    service, days = sample.SERVICE_KEYS[user.name]
    end = datetime(today.year, today.month, today.day, 12, tzinfo=UTC) + timedelta(days=days or 0)
    return {
        "UserName": user.name,
        "ServiceName": service,
        "ServiceSpecificCredentialId": f"ACCA{user.id[4:]}",
        "Status": "Active",
        "CreateDate": user.create_date.replace(tzinfo=UTC),
        **({"ExpirationDate": end} if days is not None else {}),
    }


def _list(self: IamResponse) -> ActionResult:
    all_users, name = self._get_param("AllUsers"), self._get_param("UserName")
    found = [key for key in _keys[self.current_account] if all_users or key["UserName"] == name]
    return ActionResult({"ServiceSpecificCredentials": found, "IsTruncated": False})


def _update(self: IamResponse) -> ActionResult:
    for key in _keys[self.current_account]:
        if key["ServiceSpecificCredentialId"] == self._get_param("ServiceSpecificCredentialId"):
            key["Status"] = self._get_param("Status")
    return ActionResult({})


def _delete(self: IamResponse) -> ActionResult:
    gone, keys = self._get_param("ServiceSpecificCredentialId"), _keys[self.current_account]
    keys[:] = [key for key in keys if key["ServiceSpecificCredentialId"] != gone]
    return ActionResult({})


def _lookup_events(self: CloudTrailResponse) -> ActionResult:
    since = datetime.now(UTC) - _KEPT
    events = [
        _event(self.current_account, user)
        for user in _users(self.current_account)
        if user.name in sample.CREATIONS and user.create_date.replace(tzinfo=UTC) > since
    ]
    return ActionResult({"Events": sorted(events, key=lambda event: event["EventTime"], reverse=True)})


def _event(account_id: str, user: Any) -> dict[str, Any]:
    who, agent = sample.CREATIONS[user.name]
    kinds = {"root": "Root", "user": "IAMUser", "assumed-role": "AssumedRole"}
    service = "sts" if who.startswith("assumed-role/") else "iam"
    at = user.create_date.replace(tzinfo=UTC)
    text = {
        "eventTime": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": "iam.amazonaws.com",
        "eventName": "CreateUser",
        "userIdentity": {
            "type": kinds[who.partition("/")[0]],
            "arn": f"arn:aws:{service}::{account_id}:{who}",
            "accountId": account_id,
        },
        "userAgent": agent,
        "requestParameters": {"userName": user.name},
        "responseElements": {"user": {"userName": user.name, "userId": user.id}},
    }
    return {"EventName": "CreateUser", "EventTime": at, "CloudTrailEvent": json.dumps(text)}


def _with_last_use(row: Callable[[User], str]) -> Callable[[User], str]:
    """Put into a user's row of the credential report what its access keys were last used for."""

    def told(user: User) -> str:
        fields = row(user).split(",")
        for number, key in enumerate(user.access_keys[:2]):
            use = key.last_used
            at = _REGION_OF_KEY_1 + number * _KEY_COLUMNS
            fields[at : at + 2] = [use.region, use.service] if use else ["N/A", "N/A"]
        return ",".join(fields)

    return told


def teach() -> None:
    """Have the emulator answer them."""
    setattr(User, "to_csv", _with_last_use(User.to_csv))  # noqa: B010 — as the next ones, of moto's classes
    answers: dict[str, Callable[[Any], ActionResult]] = {
        "list_service_specific_credentials": _list,
        "update_service_specific_credential": _update,
        "delete_service_specific_credential": _delete,
    }
    for method, answer in answers.items():
        setattr(IamResponse, method, answer)
    setattr(CloudTrailResponse, "lookup_events", _lookup_events)  # noqa: B010
