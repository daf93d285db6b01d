"""boto3 clients that reach nothing but the given emulator."""

from collections.abc import Iterator, Mapping
from typing import Any

import boto3

from scanner.demo.emulator import Emulator
from scanner.demo.sample_organization import ACCOUNTS, Account, User


def client(service: str, emulator: Emulator, credentials: Mapping[str, str] | None = None) -> Any:
    """A client with the caller's credentials, or others in the same form (AWS_ACCESS_KEY_ID, ...)."""
    given = credentials or emulator.credentials
    return boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url=emulator.url,
        aws_access_key_id=given["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=given["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=given["AWS_SESSION_TOKEN"],
    )


def in_account(emulator: Emulator, account_id: str, service: str = "iam") -> Any:
    """A client of another account, by a role assumed there."""
    session = client("sts", emulator).assume_role(
        RoleArn=f"arn:aws:iam::{account_id}:role/OrganizationAccountAccessRole", RoleSessionName="test"
    )["Credentials"]
    names = {"AccessKeyId": "ACCESS_KEY_ID", "SecretAccessKey": "SECRET_ACCESS_KEY", "SessionToken": "SESSION_TOKEN"}
    return client(service, emulator, {f"AWS_{name}": session[key] for key, name in names.items()})


def all_users() -> Iterator[tuple[Account, User]]:
    """Every user of the sample, those of the suspended account among them, which no scan will see."""
    for account in ACCOUNTS:
        for user in account.users:
            yield account, user
