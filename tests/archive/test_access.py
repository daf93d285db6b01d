"""Into the archive: known before anything depends on it, by a role for it alone, and what hinders it is named."""

import json
from pathlib import Path
from typing import Any

import pytest

from scanner.archive.access import session_policy
from scanner.aws import object_store
from scanner.aws.identity import archive_policy
from scanner.runs import folder as run_folder
from tests.archive.site import ARCHIVE, BUCKET, QUICK, Kept, Site, bytes_of
from tests.aws_endpoint import KMS_KEY, Fault, Refuse, deny, expired_token
from tests.aws_endpoint.faults import Effect
from tests.aws_endpoint.s3 import permission
from tests.program import calling, named, program

ROLE = "arn:aws:iam::{}:role/audit/IamScannerArchive"


def role(site: Site) -> tuple[str, str]:
    return "--archive-role-arn", ROLE.format(named(site.world, "core").id)


# --- before the scan --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "effect", "said"),
    [
        ("s3:ListObjectsV2", deny, "s3:ListObjectsV2: AccessDenied: Access Denied. Allow s3:ListBucket to the caller"),
        (
            "s3:CreateMultipartUpload",
            deny,
            "s3:CreateMultipartUpload: AccessDenied: Access Denied. Allow s3:PutObject to the",
        ),
        ("s3:*", expired_token, "s3:ListObjectsV2: ExpiredToken: The provided token has expired. Sign in again"),
        (
            "s3:CreateMultipartUpload",
            Refuse(400, "KMS.DisabledException", "The key is disabled."),
            "KMS.DisabledException: The key is disabled. Check that the KMS key exists in the bucket's Region",
        ),
    ],
)
def test_what_would_fail_after_an_hour_fails_before_it(site: Site, action: str, effect: Effect, said: str) -> None:
    site.endpoint.faults.rules.append(Fault(action, effect))
    done = site.run("scan", "--output", "two", *QUICK, "--archive", ARCHIVE)
    assert done.exit_code == 5
    assert f"The archive {ARCHIVE} cannot be used: " in done.err
    assert said in done.err
    assert site.endpoint.calls_to("iam:ListUsers") == []
    assert not Path("two").exists()


def test_a_bucket_that_is_not_there_is_named(site: Site) -> None:
    done = site.run("archive", "pull", "latest", "--archive", "s3://example-typo", "--json")
    assert done.exit_code == 5
    assert done.document["error"]["message"] == (
        "The archive s3://example-typo cannot be used: s3:ListObjectsV2: NoSuchBucket: The specified bucket does not "
        "exist. Correct the bucket's name, or create that bucket: this program creates none."
    )


def test_a_bucket_of_another_region_is_found(site: Site, kept: Kept) -> None:
    site.bucket.region = "eu-central-1"
    assert site.pull("two").exit_code == 0


def test_where_the_region_is_not_said_the_remedy_is(site: Site) -> None:
    message = "The eu-south-1 location constraint is incompatible for the region specific endpoint."
    site.endpoint.faults.rules.append(
        Fault("s3:ListObjectsV2", Refuse(400, "IllegalLocationConstraintException", message))
    )
    done = site.pull("two")
    assert done.exit_code == 5
    assert message in done.err
    assert "Set AWS_REGION to the Region of the bucket." in done.err


def test_the_look_before_the_scan_leaves_nothing(empty_site: Site) -> None:
    assert empty_site.pull("two").exit_code == 2
    assert (empty_site.bucket.objects, empty_site.bucket.uploads, empty_site.bucket.begun) == ({}, {}, 1)


def test_the_endpoint_for_s3_is_honoured(site: Site, kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """In path style, as such servers have no names for buckets."""
    with calling(site.endpoint):
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", site.endpoint.url.replace("127.0.0.1", "localhost"))
        done = program("archive", "pull", "latest", "--archive", ARCHIVE, "--output", "two")
    assert done.exit_code == 0, done.err


def test_a_resumed_run_is_archived_where_it_was_to_be(empty_site: Site) -> None:
    empty_site.endpoint.faults.rules.append(Fault("iam:ListUsers", deny))
    folder = empty_site.scan("one")
    empty_site.endpoint.faults.rules[:] = [Fault("s3:ListObjectsV2", deny)]
    done = empty_site.run("scan", "--resume", folder, "--json")
    assert done.exit_code == 5
    assert run_folder.is_sealed(folder), "it was not touched"
    empty_site.endpoint.faults.rules.clear()
    assert empty_site.run("scan", "--resume", folder, "--json").exit_code == 3
    manifests = [key for key in empty_site.bucket.objects if key.endswith("manifest.json")]
    assert len(manifests) == 2


# --- the role ---------------------------------------------------------------------------------------------------------


def allowed(found: list[dict[str, Any]]) -> set[str]:
    actions = [each["Action"] for each in found]
    return {action for each in actions for action in ([each] if isinstance(each, str) else each)}


def test_the_policy_allows_what_the_program_calls_and_nothing_else(
    empty_site: Site, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session policy is evaluated by the endpoint: without one of its actions, this would not go through."""
    monkeypatch.setattr(object_store, "PART", 8000)
    site, run = empty_site, kept.machine / kept.second
    access = (*role(site), "--archive", ARCHIVE)
    site.endpoint.faults.rules.append(Fault("s3:UploadPart", deny))
    failed = site.run("archive", "push", run, "--output", kept.machine, *access, "--archive-kms-key", KMS_KEY)
    assert failed.exit_code == 1
    site.endpoint.faults.rules.clear()
    pushed = site.run("archive", "push", run, "--output", kept.machine, *access, "--archive-kms-key", KMS_KEY)
    assert pushed.exit_code == 0, pushed.err
    pulled = site.run("archive", "pull", "latest", "--output", "two", *access)
    assert pulled.exit_code == 0, pulled.err
    assert bytes_of(Path("two") / kept.second) == bytes_of(run)
    assert {site.bucket.encrypted[key] for key in site.bucket.objects} == {KMS_KEY}
    assert [session.role_arn for session in site.endpoint.sessions] == [role(site)[1]] * 3
    assert {call.account_id for call in site.endpoint.calls if call.service == "s3"} == {named(site.world, "core").id}
    called = {permission(call.action) for call in site.endpoint.calls if call.service == "s3"}
    policy = archive_policy("aws", BUCKET, "iam-058/")
    assert {session.policy for session in site.endpoint.sessions} == {policy}
    session = json.loads(policy)["Statement"]
    keys = {"kms:Decrypt", "kms:GenerateDataKey"}
    assert allowed(session) == called | keys


def test_the_policy_is_for_this_place_alone() -> None:
    session = json.loads(archive_policy("aws", BUCKET, "iam-058/"))["Statement"]
    assert session[0]["Condition"] == {"StringLike": {"s3:prefix": "iam-058/*"}}
    whole_bucket = json.loads(archive_policy("aws-cn", BUCKET, ""))["Statement"]
    assert "Condition" not in whole_bucket[0]
    assert whole_bucket[1]["Resource"] == "arn:aws-cn:s3:::example-audit/*"
    longest = archive_policy("aws-us-gov", "b" * 63, "p" * 200 + "/")
    assert len(longest) < 2048, "what STS takes of a session policy"


def test_the_session_policy_stands_in_the_evidence(empty_site: Site) -> None:
    folder = empty_site.scan("one", *role(empty_site))
    header = run_folder.read(folder).header
    assert header.session_policies["archive"] == archive_policy("aws", BUCKET, "iam-058/")
    assert session_policy(header.settings.with_(session_policy=False), header.caller) is None


def test_a_role_that_cannot_be_assumed_is_named(site: Site) -> None:
    site.endpoint.faults.rules.append(Fault("sts:AssumeRole", deny))
    done = site.pull("two", "latest", *role(site))
    assert done.exit_code == 5
    assert f"The role {role(site)[1]} cannot be assumed. AccessDenied" in done.err
