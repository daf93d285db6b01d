"""Builds the sample organization inside the emulator. Runs in the emulator's process: it imports moto.

Through moto's backends and not its API, as no API sets ids and dates of the past.
"""

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from typing import Any
from unittest import mock
from zlib import crc32

from moto.iam.models import AccessKeyLastUsed, AWSManagedPolicy, iam_backends
from moto.organizations import utils as organizations_utils
from moto.organizations.models import organizations_backends
from moto.sts.models import sts_backends

from scanner.demo import sample_organization as sample
from scanner.demo.sample_files import account_owners_text
from scanner.demo.sample_organization import Account, User, user_id

_PARTITION = "aws"
_SESSION_SECONDS = 12 * 3600


class _Calendar:
    """Days before the demo's day, as moto has times: naive, UTC, whole seconds."""

    def __init__(self, today: date) -> None:
        self._midnight = datetime.combine(today, time())

    def ago(self, days: int, of: str) -> datetime:
        """That many days ago, at a time of day that looks like chance and is the same in every demo."""
        return self._midnight - timedelta(days=days) + timedelta(seconds=crc32(of.encode()) % 86_400)


def fill(today: date) -> None:
    """Create the organization, its accounts and their users."""
    calendar = _Calendar(today)
    _create_organization(calendar)
    _create_caller_role()
    for account in sample.ACCOUNTS:
        _create_users(account, calendar)


def credentials() -> dict[str, str]:
    """A session in the management account, as the environment variables that the AWS SDKs read.

    Moto knows a caller by the access key id alone; short values for the rest can be pasted, and look like no secret.
    """
    role_arn = f"arn:aws:iam::{sample.MANAGEMENT.id}:role/{sample.CALLER_ROLE}"
    session = sts_backends[sample.MANAGEMENT.id][_PARTITION].assume_role(
        region_name=sample.REGION,
        role_session_name="demo",
        role_arn=role_arn,
        policy="",
        duration=_SESSION_SECONDS,
        external_id="",
    )
    return {
        "AWS_ACCESS_KEY_ID": session.access_key_id,
        "AWS_SECRET_ACCESS_KEY": "sample",
        "AWS_SESSION_TOKEN": "sample",
    }


# --- the organization ------------------------------------------------------------------------------------------------


@contextmanager
def _chosen_ids() -> Iterator[None]:
    """Let moto take the sample's ids where it would draw them; it spreads them through several places at once."""
    accounts = iter([account.id for account in sample.ACCOUNTS])
    ous = iter([sample.ROOT_ID, *sample.OUS.values()])  # the root draws one too, and drops it
    with mock.patch.multiple(
        organizations_utils,
        make_random_org_id=lambda: sample.ORGANIZATION_ID,
        make_random_root_id=lambda: sample.ROOT_ID,
        make_random_account_id=lambda: next(accounts),
        make_random_ou_id=lambda _root_id: next(ous),
    ):
        yield


def _create_organization(calendar: _Calendar) -> None:
    backend = organizations_backends[sample.MANAGEMENT.id][_PARTITION]
    with _chosen_ids():
        backend.create_organization(region=sample.REGION, FeatureSet="ALL")
        parents = {"": sample.ROOT_ID}
        for path, ou_id in sample.OUS.items():
            above, _, name = path.rpartition("/")
            backend.create_organizational_unit(Name=name, ParentId=parents[above])
            parents[path] = ou_id
        for account in sample.ACCOUNTS[1:]:
            backend.create_account(AccountName=account.name, Email=_email(account))
    owners = {row["account_id"]: row["account_owner"] for row in csv.DictReader(account_owners_text().splitlines())}
    for account, made in zip(sample.ACCOUNTS, backend.accounts, strict=True):
        made.name, made.email = account.name, _email(account)
        made.create_time = calendar.ago(account.joined, account.id)
        made.parent_id = parents[account.ou]
        made.tags = {sample.OWNER_TAG: owners[account.id]} if account.id in owners else {}
        if account.suspended:
            made.close()
    if backend.org is not None:
        backend.org.master_account_email = _email(sample.MANAGEMENT)


def _email(account: Account) -> str:
    return f"aws+{account.name}@example.com"


def _create_caller_role() -> None:
    """Only to be looked at: the emulator lets every role be assumed, whether it exists or not."""
    account_id = sample.MANAGEMENT.id
    trust = _policy([{"Effect": "Allow", "Principal": {"AWS": account_id}, "Action": "sts:AssumeRole"}])
    iam_backends[account_id][_PARTITION].create_role(
        sample.CALLER_ROLE, trust, "/", None, "Who runs the demo", [], str(_SESSION_SECONDS)
    )


# --- the users of one account ----------------------------------------------------------------------------------------


def _create_users(account: Account, calendar: _Calendar) -> None:
    iam = iam_backends[account.id][_PARTITION]
    _create_deny_all(iam)
    for name, document in account.groups.items():
        iam.create_group(name)
        iam.put_group_policy(name, document, _document(document))
    for name in sorted({policy for user in account.users for policy in user.managed}):
        iam.create_policy("", "/", _document(name), name, [])
    for user in account.users:
        _create_user(iam, account, user, calendar)


def _create_deny_all(iam: Any) -> None:
    """The one policy of AWS's own that a quarantine needs; moto has them all or none, and all take half a gigabyte."""
    data = {
        "DefaultVersionId": "v1",
        "Path": "/",
        "Document": {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]},
        "CreateDate": "2019-05-01T22:36:14+00:00",
        "UpdateDate": "2019-05-01T22:36:14+00:00",
    }
    deny_all: Any = AWSManagedPolicy.from_data("AWSDenyAll", iam.account_id, iam.region_name, data)
    iam.aws_managed_policies.append(deny_all)
    iam.managed_policies[deny_all.arn] = deny_all


def _create_user(iam: Any, account: Account, user: User, calendar: _Calendar) -> None:
    tags = [{"Key": key, "Value": value} for key, value in user.tags]
    made = iam.create_user(sample.REGION, user.name, user.path, tags)
    made.id = user_id(account.id, user.name)
    made.create_date = calendar.ago(user.created, made.id)
    if user.console:
        iam.create_login_profile(user.name, "not-a-password")
    if user.signed_in is not None:
        made.password_last_used = calendar.ago(user.signed_in, made.id)
    if user.mfa:
        device = iam.create_virtual_mfa_device(user.name, "/")
        iam.enable_mfa_device(user.name, device.serial_number, "123456", "654321")
    _create_keys(iam, user, made.id, calendar)
    for group in user.groups:
        iam.add_user_to_group(group, user.name)
    for name in user.inline:
        iam.put_user_policy(user.name, name, _document(name))
    for name in user.managed:
        iam.attach_user_policy(f"arn:aws:iam::{account.id}:policy/{name}", user.name)


def _create_keys(iam: Any, user: User, chance: str, calendar: _Calendar) -> None:
    for key in user.keys:
        made = iam.create_access_key(user.name, status="Active" if key.active else "Inactive")
        made.create_date = calendar.ago(key.age, chance)
        if key.used is not None:
            made.last_used = AccessKeyLastUsed(calendar.ago(key.used, chance), _used_for(user), sample.REGION)


def _used_for(user: User) -> str:
    return sample.USED_FOR.get(user.name, "s3")


def _document(name: str) -> str:
    return _policy(sample.DOCUMENTS[name])


def _policy(statements: list[dict[str, object]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
