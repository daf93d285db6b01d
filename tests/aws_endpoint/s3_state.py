"""Buckets of the simulated S3, and what lies in them."""

from dataclasses import dataclass, field

KMS_KEY = "arn:aws:kms:us-east-1:000000000001:key/11111111-2222-3333-4444-555555555555"


@dataclass(slots=True)
class SimulatedUpload:
    """An upload in parts that was begun; the parts are nothing until it is completed."""

    key: str
    parts: dict[int, bytes] = field(default_factory=dict)


@dataclass(slots=True)
class SimulatedBucket:
    region: str = "us-east-1"
    object_lock: bool = False  # with a default retention: what is put needs a checksum
    kms_key: str | None = None  # by which it encrypts, where the request names none
    page: int = 1000  # keys
    objects: dict[str, bytes] = field(default_factory=dict)
    encrypted: dict[str, str | None] = field(default_factory=dict)  # key → KMS key
    uploads: dict[str, SimulatedUpload] = field(default_factory=dict)  # under way
    begun: int = 0  # uploads in parts, ever
