"""Which bucket an archive is in, and below what: known without a look at it."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Place:
    """A bucket, and what every key of the archive begins with: "" or something that ends with a slash."""

    bucket: str
    prefix: str

    @classmethod
    def of(cls, uri: str) -> Self:
        """Take a URI as the settings have it, `s3://bucket/prefix`."""
        bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        return cls(bucket, prefix and f"{prefix}/")

    def uri(self, key: str = "") -> str:
        return f"s3://{self.bucket}/{self.prefix}{key}".rstrip("/")
