"""The ways to run the endpoint, and what keeps the tests to loopback."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import NoReturn

import aioboto3
import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError
from botocore.parsers import ResponseParserError

from tests.aws_endpoint import MANAGEMENT_KEY, Endpoint, Fault, SimulatedAccount, deny, organization, running
from tests.aws_endpoint.sdk_client import ONCE, client
from tests.conftest import OutsideConnectionError


def test_a_thread_serves_a_synchronous_client() -> None:
    world = organization(2, 3)
    with running(world, [Fault("iam:GetAccountSummary", deny)]) as endpoint:
        iam = boto3.Session(MANAGEMENT_KEY, "secret").client("iam", endpoint_url=endpoint.url)
        assert len(iam.list_users()["Users"]) == 3
        iam.close()
    assert endpoint.counts == {"iam:ListUsers": 1}


def test_a_process_of_its_own_serves_until_stdin_closes(
    endpoint_environment: Callable[..., dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [sys.executable, "-m", "tests.aws_endpoint", "--accounts", "3", "--users", "4", "--bucket", "9,9"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url, key = (process.stdout.readline().strip() for _ in range(2))
        for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID"):
            monkeypatch.setenv(name, endpoint_environment(url, key)[name])
        monkeypatch.delenv("AWS_SESSION_TOKEN")
        iam = boto3.Session().client("iam")
        assert len(iam.list_users()["Users"]) == 4
        iam.close()
        told, _ = process.communicate("", timeout=10)
    assert process.returncode == 0
    assert json.loads(told)["calls"] == {"iam:ListUsers": 1}


async def test_a_defect_of_the_endpoint_is_raised_when_it_ends() -> None:
    endpoint = await Endpoint(organization(1, 0)).__aenter__()
    endpoint.services.iam["ListUsers"] = _broken
    async with client(endpoint, "iam") as iam:
        with pytest.raises(ResponseParserError):
            await iam.list_users()
    with pytest.raises(ZeroDivisionError):
        await endpoint.__aexit__()


def _broken(account: SimulatedAccount, ask: object) -> NoReturn:
    raise ZeroDivisionError


def test_the_same_arguments_give_the_same_world() -> None:
    assert organization(30, 4) == organization(30, 4)
    assert len(organization(2000, 0).accounts) == 2000


# --- conftest.py ------------------------------------------------------------------------------------------------------


def test_nothing_but_loopback_can_be_reached() -> None:
    for address in [("192.0.2.1", 80), ("::ffff:192.0.2.1", 80)]:
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        with socket.socket(family) as bare, pytest.raises(OutsideConnectionError, match="tests may reach loopback"):
            bare.connect(address)
    with pytest.raises(OutsideConnectionError, match="reach iam"):
        socket.getaddrinfo("iam.amazonaws.com", 443)


async def test_without_an_endpoint_every_call_is_refused() -> None:
    assert os.environ["AWS_ACCESS_KEY_ID"].startswith("AKIABROKEN")
    async with aioboto3.Session().client("sts", config=Config(retries=ONCE)) as sts:
        with pytest.raises(EndpointConnectionError):
            await sts.get_caller_identity()


async def test_the_sdk_cannot_get_out_either() -> None:
    async with aioboto3.Session().client("sts", endpoint_url="http://192.0.2.1") as sts:
        with pytest.raises(OutsideConnectionError):
            await sts.get_caller_identity()
