"""S3, as far as an archive needs it: buckets in which objects are listed, read, and put, at once or in parts.

It checks what it is sent as S3 does: checksums of SHA-256, `If-None-Match`, Object Lock's demand for a checksum, the
Region that the signature is for. What was put is never changed by the endpoint itself; deleting is no action here.
"""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from urllib.parse import quote

from tests.aws_endpoint.ask import Ask
from tests.aws_endpoint.faults import denied
from tests.aws_endpoint.iam_permissions import permits
from tests.aws_endpoint.s3_state import SimulatedBucket, SimulatedUpload
from tests.aws_endpoint.wire import AwsError, Reply, xml

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_PERMISSIONS = {
    "ListObjectsV2": "ListBucket",
    "GetObject": "GetObject",
    "AbortMultipartUpload": "AbortMultipartUpload",
}  # all others: PutObject


def permission(action: str) -> str:
    """The permission that a call needs; for uploads in parts it is that to put."""
    return f"s3:{_PERMISSIONS.get(action, 'PutObject')}"


def answer_s3(buckets: Mapping[str, SimulatedBucket], ask: Ask) -> Reply:
    bucket = buckets.get(ask.parameters["Bucket"])
    if ask.action == "HeadBucket":  # the SDK asks so for the Region, where it was not told
        region = {"x-amz-bucket-region": bucket.region} if bucket else {}
        return Reply(200 if bucket else 404, "application/xml", b"", headers=region)
    if bucket is None:
        raise AwsError(404, "NoSuchBucket", "The specified bucket does not exist")
    if ask.region != bucket.region:
        message = "The bucket you are attempting to access must be addressed using the specified endpoint."
        raise AwsError(301, "PermanentRedirect", message, Region=bucket.region)
    _check_access(bucket, ask)
    return _ACTIONS[ask.action](bucket, ask)


def _check_access(bucket: SimulatedBucket, ask: Ask) -> None:
    """Judge the session policy, its conditions too; long-lived keys may do everything."""
    if ask.caller.policy is None:
        return
    statements = json.loads(ask.caller.policy)["Statement"]
    name, key = ask.parameters["Bucket"], ask.parameters["Key"]
    resource = f"arn:aws:s3:::{name}/{key}" if key else f"arn:aws:s3:::{name}"
    needed = [(permission(ask.action), resource, {"s3:prefix": ask.parameters.get("prefix", "")})]
    via = {"kms:ViaService": f"s3.{bucket.region}.amazonaws.com"}
    if ask.action == "GetObject" and (kms_key := bucket.encrypted.get(key)):
        needed.append(("kms:Decrypt", kms_key, via))
    if ask.action in {"PutObject", "CreateMultipartUpload"} and (kms_key := _kms_key(bucket, ask)):
        needed.append(("kms:GenerateDataKey", kms_key, via))
    for action, on, context in needed:
        if not permits(statements, action, on, context):
            raise denied(ask.caller.arn, action, f'"{on}"', f" because no session policy allows the {action} action")


def _kms_key(bucket: SimulatedBucket, ask: Ask) -> str | None:
    return ask.parameters.get("SSEKMSKeyId", bucket.kms_key)


def _list(bucket: SimulatedBucket, ask: Ask) -> Reply:
    prefix, after = ask.parameters.get("prefix", ""), ask.parameters.get("continuation-token", "")
    keys = sorted(key for key in bucket.objects if key.startswith(prefix) and key > after)
    page = keys[: bucket.page]
    more = len(keys) > len(page)
    items = "".join(
        f"<Contents><Key>{quote(key)}</Key><Size>{len(bucket.objects[key])}</Size></Contents>" for key in page
    )
    token = f"<NextContinuationToken>{xml(page[-1])}</NextContinuationToken>" if more else ""
    truncated = f"<IsTruncated>{'true' if more else 'false'}</IsTruncated>"
    return _reply(f"<ListBucketResult>{truncated}<EncodingType>url</EncodingType>{token}{items}</ListBucketResult>")


def _get(bucket: SimulatedBucket, ask: Ask) -> Reply:
    data = bucket.objects.get(ask.parameters["Key"])
    if data is None:
        raise AwsError(404, "NoSuchKey", "The specified key does not exist.")
    found = re.fullmatch(r"bytes=(\d+)-(\d+)", ask.parameters.get("Range", ""))
    if found is None:
        return Reply(200, "binary/octet-stream", data)
    if int(found[1]) >= len(data):
        raise AwsError(416, "InvalidRange", "The requested range is not satisfiable")
    return Reply(206, "binary/octet-stream", data[int(found[1]) : int(found[2]) + 1])


def _put(bucket: SimulatedBucket, ask: Ask) -> Reply:
    _check_body(bucket, ask)
    _keep(bucket, ask, ask.parameters["Body"], _kms_key(bucket, ask))
    return Reply(200, "application/xml", b"")


def _create(bucket: SimulatedBucket, ask: Ask) -> Reply:
    if bucket.object_lock and "ChecksumAlgorithm" not in ask.parameters:
        raise _no_checksum()
    bucket.begun += 1
    upload = f"upload-{bucket.begun}"
    bucket.uploads[upload] = SimulatedUpload(ask.parameters["Key"])
    bucket.encrypted[upload] = _kms_key(bucket, ask)
    return _reply(f"<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>")


def _upload_part(bucket: SimulatedBucket, ask: Ask) -> Reply:
    _check_body(bucket, ask)
    data: bytes = ask.parameters["Body"]
    _upload(bucket, ask).parts[int(ask.parameters["partNumber"])] = data
    return Reply(200, "application/xml", b"", headers={"ETag": f'"{hashlib.md5(data).hexdigest()}"'})


def _complete(bucket: SimulatedBucket, ask: Ask) -> Reply:
    upload = _upload(bucket, ask)
    text = ask.parameters["Body"].decode()
    named = list(
        zip(re.findall(r"<PartNumber>(\d+)<", text), re.findall(r"<ChecksumSHA256>([^<]+)<", text), strict=True)
    )
    if [int(number) for number, _ in named] != sorted(upload.parts) or any(
        _checksum(upload.parts[int(number)]) != checksum for number, checksum in named
    ):
        raise AwsError(400, "InvalidPart", "One or more of the specified parts could not be found.")
    data = b"".join(upload.parts[number] for number in sorted(upload.parts))
    _keep(bucket, ask, data, bucket.encrypted.get(ask.parameters["uploadId"]))
    del bucket.uploads[ask.parameters["uploadId"]]
    return _reply("<CompleteMultipartUploadResult><ETag>etag</ETag></CompleteMultipartUploadResult>")


def _abort(bucket: SimulatedBucket, ask: Ask) -> Reply:
    _upload(bucket, ask)
    del bucket.uploads[ask.parameters["uploadId"]]
    return Reply(204, "application/xml", b"")


def _upload(bucket: SimulatedBucket, ask: Ask) -> SimulatedUpload:
    upload = bucket.uploads.get(ask.parameters["uploadId"])
    if upload is None or upload.key != ask.parameters["Key"]:
        raise AwsError(404, "NoSuchUpload", "The specified multipart upload does not exist.")
    return upload


def _check_body(bucket: SimulatedBucket, ask: Ask) -> None:
    checksum = ask.parameters.get("ChecksumSHA256")
    if checksum is None and bucket.object_lock:
        raise _no_checksum()
    if checksum is not None and checksum != _checksum(ask.parameters["Body"]):
        raise AwsError(400, "BadDigest", "The SHA256 you specified did not match the calculated checksum.")


def _keep(bucket: SimulatedBucket, ask: Ask, data: bytes, kms_key: str | None) -> None:
    key = ask.parameters["Key"]
    if ask.parameters.get("IfNoneMatch") == "*" and key in bucket.objects:
        raise AwsError(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
    bucket.objects[key] = data
    bucket.encrypted[key] = kms_key


def _no_checksum() -> AwsError:
    message = (
        "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters"
    )
    return AwsError(400, "InvalidRequest", message)


def _checksum(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def _reply(text: str) -> Reply:
    start, end = text.split(">", 1)
    return Reply(200, "application/xml", f'{start} xmlns="{NAMESPACE}">{end}'.encode())


_ACTIONS: Mapping[str, Callable[[SimulatedBucket, Ask], Reply]] = {
    "ListObjectsV2": _list,
    "GetObject": _get,
    "PutObject": _put,
    "CreateMultipartUpload": _create,
    "UploadPart": _upload_part,
    "CompleteMultipartUpload": _complete,
    "AbortMultipartUpload": _abort,
}
ACTIONS = frozenset({*_ACTIONS, "HeadBucket"})
