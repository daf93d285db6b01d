"""What a request to S3 asks for, by its method, path, query and headers."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote


def action_of(method: str, query: Mapping[str, str], *, has_key: bool) -> str:
    """What a request asks for; "" for what this endpoint does not know."""
    if not has_key:
        return {("GET", "2"): "ListObjectsV2", ("HEAD", None): "HeadBucket"}.get((method, query.get("list-type")), "")
    if "uploadId" in query:
        return {"PUT": "UploadPart", "POST": "CompleteMultipartUpload", "DELETE": "AbortMultipartUpload"}.get(
            method, ""
        )
    if "uploads" in query:
        return "CreateMultipartUpload" if method == "POST" else ""
    return {"GET": "GetObject", "PUT": "PutObject"}.get(method, "")


def s3_request(method: str, target: str, headers: Mapping[str, str], body: bytes) -> tuple[str, dict[str, Any]]:
    """The action and the parameters of a request in path style, headers among them."""
    path, _, text = target.partition("?")
    bucket, _, key = path.lstrip("/").partition("/")
    query = dict(parse_qsl(text, keep_blank_values=True))
    sent = {name: headers[header] for name, header in _HEADERS.items() if header in headers}
    named: dict[str, Any] = {"Bucket": bucket, "Key": unquote(key), "Body": body}
    return action_of(method, query, has_key=bool(key)), {**named, **query, **sent}


_HEADERS = {
    "IfNoneMatch": "if-none-match",
    "Range": "range",
    "ChecksumAlgorithm": "x-amz-checksum-algorithm",
    "ChecksumSHA256": "x-amz-checksum-sha256",
    "SSEKMSKeyId": "x-amz-server-side-encryption-aws-kms-key-id",
}
