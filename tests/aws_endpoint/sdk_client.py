"""How the tests of the endpoint ask it: by aioboto3, each call tried once."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import aioboto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.aws_endpoint import MANAGEMENT_KEY, Endpoint

ONCE = {"mode": "standard", "total_max_attempts": 1}


@cache
def sdk() -> Any:
    return aioboto3.Session()


@asynccontextmanager
async def client(endpoint: Endpoint, service: str, key: str = MANAGEMENT_KEY, **more: Any) -> AsyncIterator[Any]:
    settings = {"aws_access_key_id": key, "aws_secret_access_key": "secret", "region_name": "eu-west-1"}
    config = more.pop("config", Config(retries=ONCE))
    async with sdk().client(service, endpoint_url=endpoint.url, config=config, **(settings | more)) as opened:
        yield opened


async def assume(endpoint: Endpoint, account: str, *, key: str = MANAGEMENT_KEY, **details: Any) -> dict[str, str]:
    """AssumeRole; what the clients of the session are opened with."""
    role = details.pop("role", "auditor")
    asked = {"RoleArn": f"arn:aws:iam::{account}:role/{role}", "RoleSessionName": "review", "DurationSeconds": 900}
    token = {"aws_session_token": details.pop("token")} if "token" in details else {}
    async with client(endpoint, "sts", key, **token) as sts:
        credentials = (await sts.assume_role(**(asked | details)))["Credentials"]
    return {
        "key": credentials["AccessKeyId"],
        "aws_secret_access_key": credentials["SecretAccessKey"],
        "aws_session_token": credentials["SessionToken"],
    }


async def refusal(call: Awaitable[Any]) -> tuple[int, str, str]:
    """Status, code and message of the error that the call ends with."""
    with pytest.raises(ClientError) as caught:
        await call
    answer = caught.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"]["Message"]


async def pages(operation: Callable[..., Any], member: str, **asked: Any) -> list[list[Any]]:
    """All pages, followed by hand, by whichever token the service uses."""
    found: list[list[Any]] = []
    while True:
        answer = await operation(**asked)
        found.append(answer[member])
        if "NextToken" in answer:
            asked["NextToken"] = answer["NextToken"]
        elif answer.get("IsTruncated"):
            asked["Marker"] = answer["Marker"]
        else:
            return found


def sizes(found: list[list[Any]]) -> list[int]:
    return [len(page) for page in found]
