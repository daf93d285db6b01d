"""The least that the calls of a basic scan cost in Python, to compare with: signed by hand (Signature Version 4), sent
over asyncio streams that are kept alive, and the answers read by the standard library's parsers.

python -m tests.benchmarks.hand_signed prints how many calls it made and how many users there are.
"""

import asyncio
import hashlib
import hmac
import json
import os
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.benchmarks.basic_calls import Calls, Keys

VERSIONS = {"sts": "2011-06-15", "iam": "2010-05-08"}
REGION = "us-east-1"
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class HandSigned:
    """A client of one endpoint: no TLS, no retries, and an error is the end."""

    def __init__(self, url: str) -> None:
        at = urlsplit(url)
        self._host, self._port, self._name = str(at.hostname), at.port, at.netloc
        self._idle: list[Streams] = []

    async def call(self, keys: Keys, service: str, operation: str, **parameters: Any) -> Mapping[str, Any]:
        headers = {"host": self._name, "x-amz-date": f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"}
        if service == "organizations":
            body = json.dumps(parameters).encode()
            headers |= {"content-type": "application/x-amz-json-1.1"}
            headers |= {"x-amz-target": f"AWSOrganizationsV20161128.{operation}"}
        else:
            body = urlencode({"Action": operation, "Version": VERSIONS[service], **parameters}).encode()
            headers |= {"content-type": "application/x-www-form-urlencoded"}
        answer = await self._post(headers | signed(headers, body, keys, service), body)
        if service == "organizations":
            return dict(json.loads(answer))
        return dict(_read(ET.fromstring(answer)[0]))

    async def _post(self, headers: Mapping[str, str], body: bytes) -> bytes:
        reader, writer = self._idle.pop() if self._idle else await asyncio.open_connection(self._host, self._port)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"POST / HTTP/1.1\r\n{lines}content-length: {len(body)}\r\n\r\n".encode() + body)
        status, *told = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
        length = next(line for line in told if line.startswith("content-length:"))
        answer = await reader.readexactly(int(length.partition(":")[2]))
        self._idle.append((reader, writer))
        if " 200 " not in status:
            raise RuntimeError(f"{status}: {answer.decode()}")
        return answer

    async def close(self) -> None:
        for _, writer in self._idle:
            writer.close()
            await writer.wait_closed()


def signed(headers: Mapping[str, str], body: bytes, keys: Keys, service: str) -> dict[str, str]:
    """Return the headers that sign a POST to "/": Signature Version 4, as the IAM user guide lays it down."""
    key_id, secret, token = keys
    held = {**headers, **({"x-amz-security-token": token} if token else {})}
    names = sorted(held)
    listed = ";".join(names)
    lines = "".join(f"{name}:{held[name]}\n" for name in names)
    request = f"POST\n/\n\n{lines}\n{listed}\n{hashlib.sha256(body).hexdigest()}"
    moment = headers["x-amz-date"]
    scope = f"{moment[:8]}/{REGION}/{service}/aws4_request"
    digest = hashlib.sha256(request.encode()).hexdigest()
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{digest}".encode(), "sha256").hex()
    credential = f"Credential={key_id}/{scope}, SignedHeaders={listed}, Signature={signature}"
    return {
        "authorization": f"AWS4-HMAC-SHA256 {credential}",
        **({"x-amz-security-token": token} if token else {}),
    }


def _read(element: ET.Element) -> Any:
    """A list, a structure or a text, as AWS's XML has them."""
    if not len(element):
        return element.text or []
    if element[0].tag.endswith("}member"):
        return [_read(each) for each in element]
    return {each.tag.rpartition("}")[2]: _read(each) for each in element}


async def main() -> None:
    client = HandSigned(os.environ["AWS_ENDPOINT_URL"])
    calls = Calls(client, (os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"], None))
    users = await calls.count_users()
    await client.close()
    print(calls.made, users)


if __name__ == "__main__":
    asyncio.run(main())
