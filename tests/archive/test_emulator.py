"""The same against the emulator's S3, which knows more of the wire: checksums, encryption, parts of real size."""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scanner.aws.object_store import PART
from scanner.demo import Demo
from scanner.files import sha256
from scanner.runs.folder import JOURNAL, seal
from tests.archive.site import Kept, bytes_of
from tests.demo.clients import client
from tests.program import program

BUCKET = "example-locked"


@pytest.fixture(scope="module")
def s3(sample_organization: Demo) -> Iterator[Any]:
    """A bucket with Object Lock and a default retention."""
    opened = client("s3", sample_organization.emulator)
    opened.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
    rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 365}}
    opened.put_object_lock_configuration(
        Bucket=BUCKET, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
    )
    yield opened
    opened.close()


def test_a_run_comes_out_as_it_went_in(workplace: Path, kept: Kept, s3: Any, sample_organization: Demo) -> None:
    run = Path("one") / kept.second
    shutil.copytree(kept.machine / kept.second, run)
    (run / "iam-users.xlsx").write_bytes(bytes(range(256)) * (PART // 256) + b"and a part of another length")
    seal(run, [path.name for path in run.iterdir() if path.name != "manifest.json"], sha256(run / JOURNAL))
    access = ("--archive", f"s3://{BUCKET}/iam-058", "--archive-kms-key", "alias/aws/s3")
    with sample_organization.applied():
        pushed = program("archive", "push", run, "--output", "one", *access)
        assert pushed.exit_code == 0, pushed.err
        pulled = program("archive", "pull", "latest", "--output", "two", *access[:2])
        assert pulled.exit_code == 0, pulled.err
        assert bytes_of(Path("two") / kept.second) == bytes_of(run)
        again = program("archive", "push", run, "--output", "one", *access)
        assert "all of them were there already" in again.out
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert len(keys) == 6
    for key in keys:
        head = s3.head_object(Bucket=BUCKET, Key=key, ChecksumMode="ENABLED")
        assert head["ServerSideEncryption"] == "aws:kms"
        assert "ChecksumSHA256" in head, key
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=BUCKET)
    versions = s3.list_object_versions(Bucket=BUCKET)["Versions"]
    assert len(versions) == len(keys), "nothing was put twice"


def test_s3_refuses_to_put_where_something_is(workplace: Path, kept: Kept, s3: Any, sample_organization: Demo) -> None:
    run = kept.machine / kept.first
    manifest = hashlib.sha256((run / "manifest.json").read_bytes()).hexdigest()
    state = f"iam-058/runs/{kept.first}/{(run / JOURNAL).stat().st_size:015d}-{manifest}"
    s3.put_object(Bucket=BUCKET, Key=f"{state}/accounts.csv", Body=b"something else", ChecksumAlgorithm="SHA256")
    with sample_organization.applied():
        done = program("archive", "push", run, "--output", "one", "--archive", f"s3://{BUCKET}/iam-058")
    assert done.exit_code == 2
    assert f"Somebody else wrote s3://{BUCKET}/{state}/accounts.csv first" in done.err
