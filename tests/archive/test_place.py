"""Where an archive may be: what is given is checked before anything is called."""

import pytest

from scanner.archive.place import Place
from scanner.errors import FaultsError
from scanner.settings import load


@pytest.mark.parametrize(
    ("given", "bucket", "prefix"),
    [
        ("s3://example-audit/iam-058", "example-audit", "iam-058/"),
        ("s3://example-audit/iam-058/", "example-audit", "iam-058/"),
        ("s3://example.audit.2026/a/b_c/team=x", "example.audit.2026", "a/b_c/team=x/"),
        ("s3://example-audit", "example-audit", ""),
        ("s3://example-audit/", "example-audit", ""),
    ],
)
def test_a_place_in_s3(given: str, bucket: str, prefix: str) -> None:
    uri = load({"archive": given}, {}).archive
    assert uri is not None
    assert Place.of(uri) == Place(bucket, prefix)
    assert Place.of(uri).uri() == given.rstrip("/")


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("example-audit/iam-058", "is not a place in S3. Write it as s3://BUCKET/PREFIX."),
        ("https://example-audit.s3.amazonaws.com/", "is not a place in S3."),
        ("s3://", "does not name a valid bucket."),
        ("s3://Example-Audit/x", "does not name a valid bucket. A name is 3 to 63 lower-case letters"),
        ("s3://ex/x", "does not name a valid bucket."),
        ("s3://192.168.5.4/x", "does not name a valid bucket."),
        ("s3://a..b/x", "does not name a valid bucket."),
        ("s3://-audit/x", "does not name a valid bucket."),
        ("s3://xn--audit/x", "does not name a valid bucket."),
        ("s3://audit--use1-az4--x-s3/x", "does not name a valid bucket."),
        ("s3://arn:aws:s3:us-east-1:111122223333:accesspoint/x", "does not name a valid bucket."),
        ("s3://example-audit/{}", "the prefix in 's3://example-audit/{}' cannot be used."),
        ("s3://example-audit/*", "cannot be used. Write parts between single slashes"),
        ("s3://example-audit/${aws:username}", "cannot be used."),
        ("s3://example-audit/a?", "cannot be used."),
        ("s3://example-audit/a//b", "cannot be used."),
        ("s3://example-audit//", "is not a place in S3."),
        ("s3://example-audit/../other", "cannot be used."),
        ("s3://example-audit/a b", "cannot be used."),
        ("s3://example-audit/" + "a" * 201, "cannot be used."),
    ],
)
def test_what_is_no_place_in_s3(given: str, problem: str) -> None:
    with pytest.raises(FaultsError) as refused:
        load({"archive": given}, {})
    (fault,) = refused.value.faults
    assert fault.file == "--archive"
    assert problem in f"{fault.problem} {fault.remedy}"


@pytest.mark.parametrize(
    "key",
    [
        "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "arn:aws-us-gov:kms:us-gov-west-1:111122223333:alias/audit",
        "1234abcd-12ab-34cd-56ef-1234567890ab",
        "mrk-1234abcd12ab34cd56ef1234567890ab",
        "alias/audit/archive",
    ],
)
def test_a_kms_key(key: str) -> None:
    assert load({"archive_kms_key": key}, {}).archive_kms_key == key


def test_what_is_no_kms_key() -> None:
    with pytest.raises(FaultsError, match="'audit' is not a KMS key"):
        load({"archive_kms_key": "audit"}, {})
