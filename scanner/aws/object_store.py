"""Objects in an S3 bucket: listed, read, and put where there is none. Nothing is overwritten, and nothing deleted.

Each upload, and each part of a large one, carries its SHA-256, which S3 checks before it keeps anything; a bucket with
Object Lock asks for that. `If-None-Match: *` has S3 itself refuse to put an object where there is one.
"""

import asyncio
import hashlib
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, BinaryIO, Final

from scanner.aws.clients import Session
from scanner.aws.failures import DENIED, CallError, bad_response
from scanner.model import FailReason, Failure

PART: Final = 8 * 1024 * 1024  # bytes that are sent or read at once; S3 takes 10,000 parts
ABORT_SECONDS: Final = 1.5  # for S3 to drop the parts of an upload that failed; Ctrl-C waits for it, too
# S3 did not put the object, as one is there; or it is, as an answer that got lost said; which, the object itself says.
_TAKEN: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "NoSuchUpload"})

_REGION = "Set AWS_REGION to the Region of the bucket."
_REMEDIES = {
    "NoSuchBucket": "Correct the bucket's name, or create that bucket: this program creates none.",
    "PermanentRedirect": _REGION,
    "AuthorizationHeaderMalformed": _REGION,
    "IllegalLocationConstraintException": _REGION,
    "InvalidAccessKeyId": "Sign in again. Keys of another partition are not known here either.",
    "InvalidToken": "Sign in again.",
    "InvalidRequest": "See AWS's message; a bucket for an archive is one that takes SHA-256 checksums.",
    "InvalidObjectState": "The object was moved to a storage class that must be restored first: restore it in S3.",
    "NoSuchKey": "Somebody removed it: look for another copy, or an older version of the object.",
    "NotImplemented": "AWS_ENDPOINT_URL_S3 leads to a server that lacks this call of S3: use another one.",
}
_BY_REASON = {
    FailReason.THROTTLED: "Try again at a quieter time.",
    FailReason.TIMEOUT: "Check the network on the way to S3, and try again.",
    FailReason.CREDENTIALS_EXPIRED: "Sign in again, or use credentials that refresh themselves.",
    FailReason.UNREACHABLE: "Check the network, proxy and endpoint settings on the way to S3, and try again.",
    FailReason.BAD_RESPONSE: (
        "Check AWS's message, and that no proxy or custom endpoint (AWS_ENDPOINT_URL_S3) answers in S3's place."
    ),
}

_NOT_ALLOWED = (
    "Allow {} to the caller, or to the archive's role, and check the bucket's policy, SCPs, the session policy and, "
    "where a KMS key encrypts, the key's policy."
)
# What a call needs that has no permission of its own name.
_PERMISSIONS = {"s3:ListObjectsV2": "s3:ListBucket"} | dict.fromkeys(
    ("s3:CreateMultipartUpload", "s3:UploadPart", "s3:CompleteMultipartUpload"), "s3:PutObject"
)


class FileChangedError(Exception):
    """What was to be uploaded is not what it was said to be; nothing was put."""


class ObjectStore:
    """A bucket, worked on by one session. Every method raises `CallError`, with a remedy that is about S3."""

    def __init__(self, session: Session, bucket: str, *, kms_key: str | None) -> None:
        self.bucket = bucket
        self._session = session
        self._encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}

    async def keys(self, prefix: str) -> dict[str, int]:
        """Return the keys that begin so, each with the size of its object."""
        found: dict[str, int] = {}
        more: dict[str, str] = {}
        seen: set[str] = set()
        while True:
            page = await self._call("ListObjectsV2", Prefix=prefix, **more)
            found |= {item["Key"]: item["Size"] for item in page.get("Contents", ())}
            token = page.get("NextContinuationToken")
            if not page.get("IsTruncated"):
                return found
            if not token or token in seen:
                raise bad_response("s3:ListObjectsV2", "The list does not advance, and would never end.")
            seen.add(token)
            more = {"ContinuationToken": token}

    async def parts(self, key: str, size: int) -> AsyncIterator[bytes]:
        """Read an object of this size, a part at a time."""
        for start in range(0, size, PART):
            end = min(start + PART, size) - 1
            answer = await self._call("GetObject", Key=key, Range=f"bytes={start}-{end}")
            data: bytes = answer["Body"]
            if len(data) != end - start + 1:
                raise bad_response("s3:GetObject", f"{len(data):,} bytes came, and {end - start + 1:,} were requested.")
            yield data

    async def read(self, key: str, size: int) -> bytes:
        """Read a small object as a whole."""
        return b"".join([data async for data in self.parts(key, size)])

    async def can_put(self, key: str) -> None:
        """Find out whether objects can be put here: an upload is begun, with the KMS key, and dropped."""
        upload = await self._call("CreateMultipartUpload", Key=key, ChecksumAlgorithm="SHA256", **self._encryption)
        try:
            await self._call("AbortMultipartUpload", Key=key, UploadId=upload["UploadId"])
        except CallError as error:
            if error.failure.code != "NoSuchUpload":  # it was dropped, and the answer got lost
                raise

    async def put(self, key: str, file: BinaryIO, size: int, digest: str, sent: Callable[[int], None]) -> bool:
        """Put a file with this SHA-256; tell whether it was, as where an object may be it is left as it is.

        Raises `FileChangedError` where the file has another SHA-256. Then, and where anything fails, no object is put.
        """
        try:
            if size > PART:
                await self._put_in_parts(key, file, digest, sent)
            else:
                await self._put_at_once(key, file, digest)
                sent(size)
        except CallError as error:
            if error.failure.code in _TAKEN:
                return False
            raise
        return True

    async def _put_at_once(self, key: str, file: BinaryIO, digest: str) -> None:
        data = file.read(PART + 1)
        if hashlib.sha256(data).hexdigest() != digest:
            raise FileChangedError
        await self._call("PutObject", Key=key, IfNoneMatch="*", **_body(data), **self._encryption)

    async def _put_in_parts(self, key: str, file: BinaryIO, digest: str, sent: Callable[[int], None]) -> None:
        """The object is there when the last call is through, and not before."""
        begun = await self._call("CreateMultipartUpload", Key=key, ChecksumAlgorithm="SHA256", **self._encryption)
        upload = {"Key": key, "UploadId": begun["UploadId"]}
        whole, parts = hashlib.sha256(), list[Mapping[str, object]]()
        try:
            while data := file.read(PART):
                whole.update(data)
                body, number = _body(data), len(parts) + 1
                answer = await self._call("UploadPart", **upload, PartNumber=number, **body)
                parts.append({"PartNumber": number, "ETag": answer["ETag"], "ChecksumSHA256": body["ChecksumSHA256"]})
                sent(len(data))
            if whole.hexdigest() != digest:
                raise FileChangedError  # noqa: TRY301  # the upload is dropped below, as for any failure
            await self._call("CompleteMultipartUpload", **upload, MultipartUpload={"Parts": parts}, IfNoneMatch="*")
        except BaseException:
            with suppress(CallError, TimeoutError):
                async with asyncio.timeout(ABORT_SECONDS):
                    await self._call("AbortMultipartUpload", **upload)
            raise

    async def _call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        name = f"s3:{operation}"
        try:
            await self._session.clients.open_for(name, None)
            return await self._session.call("s3", operation, Bucket=self.bucket, **parameters)
        except CallError as error:
            raise CallError(replace(error.failure, remedy=_remedy(error.failure))) from None


def _body(data: bytes) -> dict[str, Any]:
    checksum = b64encode(hashlib.sha256(data).digest()).decode()
    return {"Body": data, "ChecksumAlgorithm": "SHA256", "ChecksumSHA256": checksum}


def _remedy(failure: Failure) -> str:
    code = failure.code or ""
    if not failure.call.startswith("s3:"):  # the role was to be assumed anew, and that failed
        return failure.remedy
    if code.startswith("KMS."):
        return "Check that the KMS key exists in the bucket's Region, is enabled, and may be used by this caller."
    if code in DENIED:
        return _NOT_ALLOWED.format(_PERMISSIONS.get(failure.call, failure.call))
    return _REMEDIES.get(code) or _BY_REASON.get(failure.reason) or failure.remedy
