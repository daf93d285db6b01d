"""The simulated S3 refuses what S3 refuses: the archive's tests stand on that."""

import base64
import hashlib
from typing import Any

import pytest

from tests.aws_endpoint import Endpoint, SimulatedBucket, organization
from tests.aws_endpoint.sdk_client import client, refusal


def sha256(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


@pytest.fixture
def bucket() -> SimulatedBucket:
    return SimulatedBucket(region="eu-west-1", page=2)


@pytest.fixture
async def s3(bucket: SimulatedBucket) -> Any:
    world = organization(2, 0)
    world.buckets["audit"] = bucket
    async with Endpoint(world) as endpoint, client(endpoint, "s3") as aws:
        yield aws


async def test_what_was_put_is_read_and_listed_in_pages(s3: Any) -> None:
    for key in ("a/1", "a/2", "a/ü 3", "b"):
        await s3.put_object(Bucket="audit", Key=key, Body=key.encode())
    page = await s3.list_objects_v2(Bucket="audit", Prefix="a/")
    rest = await s3.list_objects_v2(Bucket="audit", Prefix="a/", ContinuationToken=page["NextContinuationToken"])
    assert [item["Key"] for found in (page, rest) for item in found["Contents"]] == ["a/1", "a/2", "a/ü 3"]
    answer = await s3.get_object(Bucket="audit", Key="a/ü 3", Range="bytes=2-3")
    async with answer["Body"] as body:
        assert await body.read() == "ü".encode()
    assert (await refusal(s3.get_object(Bucket="audit", Key="c")))[:2] == (404, "NoSuchKey")
    assert (await refusal(s3.list_objects_v2(Bucket="other")))[:2] == (404, "NoSuchBucket")
    assert (await refusal(s3.delete_object(Bucket="audit", Key="b")))[:2] == (501, "NotImplemented")


async def test_nothing_is_put_where_something_is(s3: Any, bucket: SimulatedBucket) -> None:
    bucket.objects["a"] = b"first"
    put = s3.put_object(Bucket="audit", Key="a", Body=b"second", IfNoneMatch="*")
    assert (await refusal(put))[:2] == (412, "PreconditionFailed")
    upload = (await s3.create_multipart_upload(Bucket="audit", Key="a"))["UploadId"]
    whole = {"Bucket": "audit", "Key": "a", "UploadId": upload, "MultipartUpload": {"Parts": []}, "IfNoneMatch": "*"}
    assert (await refusal(s3.complete_multipart_upload(**whole)))[:2] == (412, "PreconditionFailed")
    assert bucket.objects["a"] == b"first"


async def test_checksums_are_compared_and_object_lock_asks_for_them(s3: Any, bucket: SimulatedBucket) -> None:
    wrong = s3.put_object(Bucket="audit", Key="a", Body=b"other", ChecksumSHA256=sha256(b"this"))
    assert (await refusal(wrong))[:2] == (400, "BadDigest")
    bucket.object_lock = True
    upload = (await s3.create_multipart_upload(Bucket="audit", Key="a", ChecksumAlgorithm="SHA256"))["UploadId"]
    part = {"Bucket": "audit", "Key": "a", "UploadId": upload, "PartNumber": 1, "Body": b"this"}
    await s3.upload_part(**part, ChecksumSHA256=sha256(b"this"))
    named = {"PartNumber": 1, "ETag": "x", "ChecksumSHA256": sha256(b"that")}
    whole = {"Bucket": "audit", "Key": "a", "UploadId": upload, "MultipartUpload": {"Parts": [named]}}
    assert (await refusal(s3.complete_multipart_upload(**whole)))[:2] == (400, "InvalidPart")
    await s3.abort_multipart_upload(Bucket="audit", Key="a", UploadId=upload)
    assert (await refusal(s3.abort_multipart_upload(Bucket="audit", Key="a", UploadId=upload)))[1] == "NoSuchUpload"
    assert bucket.objects == {}
