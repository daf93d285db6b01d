"""TLS: no server gets a request unless it shows a certificate that is trusted, behind a proxy or not."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import SSLError

from scanner.aws.clients import Clients, Session, sdk_session
from scanner.aws.credentials import caller_credentials
from scanner.errors import StartError
from scanner.model import FailReason
from tests.aws.asking import refusal
from tests.program import hurried

__all__ = ["hurried"]

pytestmark = pytest.mark.usefixtures("hurried")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for localhost, signed by nobody."""
    folder = tmp_path_factory.mktemp("certificate")
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost "
        "-addext subjectAltName=DNS:localhost"
    )
    subprocess.run(
        [*command.split(), "-keyout", "key.pem", "-out", "certificate.pem"], cwd=folder, check=True, capture_output=True
    )
    return folder


@dataclass
class Wire:
    """A TLS server, and the proxy before it."""

    server: int = 0
    proxy: int = 0
    tunnels: int = 0
    received: list[bytes] = field(default_factory=list)  # by the server, decrypted


@asynccontextmanager
async def tunnelled(certificate: Path) -> AsyncIterator[Wire]:
    wire = Wire()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire.received.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        wire.tunnels += 1
        there, back = await asyncio.open_connection("127.0.0.1", wire.server)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with suppress(asyncio.CancelledError):  # when the test has ended
            await asyncio.gather(_copy(reader, back), _copy(there, writer))

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "certificate.pem", certificate / "key.pem")
    server = await asyncio.start_server(serve, "127.0.0.1", ssl=context)
    proxy = await asyncio.start_server(forward, "127.0.0.1")
    wire.server, wire.proxy = (one.sockets[0].getsockname()[1] for one in (server, proxy))
    async with server, proxy:
        yield wire


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(4096):
            writer.write(data)
    except ConnectionError:
        pass
    finally:
        writer.close()


async def stranger() -> ReadOnlyCredentials:
    return ReadOnlyCredentials("AKIASTRANGER00000000", "x", "session-token")


def behind(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"https://localhost:{wire.server}")
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{wire.proxy}")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "")


BUNDLES = {"none": {}, "an empty name": {"AWS_CA_BUNDLE": ""}, "theirs": {"AWS_CA_BUNDLE": "certificate.pem"}}


@pytest.mark.parametrize("bundle", BUNDLES)
@pytest.mark.parametrize("proxy", [True, False], ids=["proxy", "direct"])
async def test_a_server_gets_a_request_only_with_a_trusted_certificate(
    monkeypatch: pytest.MonkeyPatch, certificate: Path, bundle: str, proxy: bool
) -> None:
    """The SDK (aiobotocore 2.25) checks no certificate behind a proxy, nor where AWS_CA_BUNDLE is set to nothing."""
    monkeypatch.chdir(certificate)
    for name, value in BUNDLES[bundle].items():
        monkeypatch.setenv(name, value)
    async with tunnelled(certificate) as wire:
        behind(wire, monkeypatch)
        if not proxy:
            monkeypatch.delenv("HTTPS_PROXY")
        async with Clients(profile=None, concurrency=2) as clients:
            failure = await refusal(Session(clients, stranger), "sts", "GetCallerIdentity")
    assert bool(wire.tunnels) is proxy
    if bundle == "theirs":
        assert wire.received
    else:
        assert not wire.received
        assert failure.reason is FailReason.UNREACHABLE
        assert "TLS" in failure.detail


@pytest.mark.parametrize("proxy", [True, False], ids=["proxy", "direct"])
async def test_a_trusted_certificate_of_another_name_gets_no_request(
    monkeypatch: pytest.MonkeyPatch, certificate: Path, proxy: bool
) -> None:
    """The SDK (aiobotocore 2.25) compares no names: any certificate of any public authority would pass for AWS's."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate / "certificate.pem"))
    async with tunnelled(certificate) as wire:
        behind(wire, monkeypatch)
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"https://127.0.0.1:{wire.server}")
        if not proxy:
            monkeypatch.delenv("HTTPS_PROXY")
        async with Clients(profile=None, concurrency=2) as clients:
            failure = await refusal(Session(clients, stranger), "sts", "GetCallerIdentity")
    assert not wire.received
    assert failure.reason is FailReason.UNREACHABLE
    assert "TLS" in failure.detail


async def test_a_role_of_the_profile_is_not_assumed_behind_a_proxy_without_a_trusted_certificate(
    monkeypatch: pytest.MonkeyPatch, certificate: Path, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text(
        "[profile audit]\nrole_arn = arn:aws:iam::123456789012:role/Auditor\ncredential_source = Environment\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    async with tunnelled(certificate) as wire:
        behind(wire, monkeypatch)
        with pytest.raises(StartError, match="The AWS credentials could not be loaded"):
            await caller_credentials("audit")
    assert wire.tunnels
    assert not wire.received


async def test_a_client_that_the_sdk_makes_to_sign_in_compares_names_too(
    monkeypatch: pytest.MonkeyPatch, certificate: Path
) -> None:
    """SSO's client has a configuration of its own, with which ours is merged."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate / "certificate.pem"))
    async with tunnelled(certificate) as wire:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"https://127.0.0.1:{wire.server}")
        config = Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1})
        async with sdk_session(None).create_client("sso", region_name="eu-west-1", config=config) as client:
            with pytest.raises(SSLError):
                await client.get_role_credentials(roleName="x", accountId="123456789012", accessToken="x")
    assert not wire.received
