"""HTTP requests and replies, and the two formats AWS speaks here.

Organizations and CloudTrail speak JSON 1.1; STS and IAM take query parameters and answer in XML.
"""

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from tests.aws_endpoint.s3_request import s3_request

Parameters = dict[str, Any]  # of query requests: flat names as sent ("Filter.member.1"), and text

_JSON_TARGETS = {
    "AWSOrganizationsV20161128": "organizations",
    "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101": "cloudtrail",
}
JSON_SERVICES = frozenset(_JSON_TARGETS.values())
_SERVICE_BY_VERSION = {"2011-06-15": "sts", "2010-05-08": "iam"}
NAMESPACES = {
    "sts": "https://sts.amazonaws.com/doc/2011-06-15/",
    "iam": "https://iam.amazonaws.com/doc/2010-05-08/",
}
_request_numbers = itertools.count(1)


def _next_request_id() -> str:
    return f"{next(_request_numbers):08x}-0000-4000-8000-000000000000"


class AwsError(Exception):
    """An error as AWS would answer it; put into the service's format by `error_reply`."""

    def __init__(self, status: int, code: str, message: str, **more: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.more = more  # further members of a JSON error: Reason


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came in, and what it asks for."""

    headers: Mapping[str, str]  # lower-case names
    service: str  # "organizations", "cloudtrail", "sts", "iam"; "" where it cannot be told
    action: str
    parameters: Parameters

    @property
    def access_key_id(self) -> str | None:
        return self._scope[0] if self._scope else None

    @property
    def scoped_service(self) -> str | None:
        """The service that the signature is for."""
        return self._scope[3] if len(self._scope) == 5 else None

    @property
    def region(self) -> str:
        """The Region that the signature is for."""
        return self._scope[2] if len(self._scope) == 5 else ""

    @property
    def _scope(self) -> list[str]:
        _, found, rest = self.headers.get("authorization", "").partition("Credential=")
        return rest.partition(",")[0].strip().split("/") if found else []


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    content_type: str
    body: bytes
    request_id: str = field(default_factory=_next_request_id)
    headers: Mapping[str, str] = field(default_factory=dict)

    def head(self) -> bytes:
        more = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        return (
            f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}\r\n"
            f"x-amzn-RequestId: {self.request_id}\r\n"
            f"Content-Type: {self.content_type}\r\n{more}"
            f"Content-Length: {len(self.body)}\r\n\r\n"
        ).encode()


CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def waits_with_its_body(buffer: bytearray) -> bool:
    """Whether the client sends the body only when it is told to, as the SDK does for what it puts into S3."""
    end = buffer.find(b"\r\n\r\n")
    return end + 4 == len(buffer) and b"\r\nexpect: 100-continue\r\n" in buffer.lower()


def take_request(buffer: bytearray) -> Request | None:
    """Cut the first request off the buffer; None while it is not all there."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    first, *lines = buffer[:end].decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    total = end + 4 + int(headers.get("content-length", "0"))
    if len(buffer) < total:
        return None
    body = bytes(buffer[end + 4 : total])
    del buffer[:total]
    method, target, _ = first.split(" ")
    return _read(method, target, headers, body)


def _read(method: str, target: str, headers: dict[str, str], body: bytes) -> Request:
    if "/s3/aws4_request" in headers.get("authorization", ""):
        return Request(headers, "s3", *s3_request(method, target, headers, body))
    target_service, _, json_action = headers.get("x-amz-target", "").rpartition(".")
    if target_service in _JSON_TARGETS:
        return Request(headers, _JSON_TARGETS[target_service], json_action, json.loads(body or b"{}"))
    text = body.decode() or target.partition("?")[2]
    parameters: Parameters = dict(parse_qsl(text, keep_blank_values=True))
    service = _SERVICE_BY_VERSION.get(parameters.pop("Version", ""), "")
    return Request(headers, service, parameters.pop("Action", ""), parameters)


# --- replies ----------------------------------------------------------------------------------------------------------


def xml(text: str) -> str:
    """Text inside an element; a bare carriage return would be read as a line feed."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")


def reply_json(answer: Mapping[str, Any]) -> Reply:
    return Reply(200, "application/x-amz-json-1.1", json.dumps(answer).encode())


def reply_xml(service: str, action: str, result: str) -> Reply:
    request_id = _next_request_id()
    body = (
        f'<{action}Response xmlns="{NAMESPACES[service]}"><{action}Result>{result}</{action}Result>'
        f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{action}Response>"
    )
    return Reply(200, "text/xml", body.encode(), request_id)


def error_reply(service: str, error: AwsError) -> Reply:
    if service in JSON_SERVICES:
        body = json.dumps({"__type": error.code, "Message": error.message} | error.more).encode()
        return Reply(error.status, "application/x-amz-json-1.1", body)
    request_id = _next_request_id()
    if service == "s3":
        more = "".join(f"<{name}>{xml(value)}</{name}>" for name, value in error.more.items())
        text = f"<Error><Code>{xml(error.code)}</Code><Message>{xml(error.message)}</Message>{more}</Error>"
        region = {"x-amz-bucket-region": error.more["Region"]} if "Region" in error.more else {}
        return Reply(error.status, "application/xml", text.encode(), request_id, region)
    side = "Sender" if error.status < 500 else "Receiver"
    text = (
        f'<ErrorResponse xmlns="{NAMESPACES.get(service, NAMESPACES["sts"])}"><Error><Type>{side}</Type>'
        f"<Code>{xml(error.code)}</Code><Message>{xml(error.message)}</Message></Error>"
        f"<RequestId>{request_id}</RequestId></ErrorResponse>"
    )
    return Reply(error.status, "text/xml", text.encode(), request_id)
