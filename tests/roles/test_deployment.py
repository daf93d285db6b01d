"""Who may be named as the caller, and what the roles may be called."""

from typing import Any

import pytest

from scanner.errors import FaultsError
from scanner.roles.deployment import Deployment, deployment
from scanner.settings import Settings

ACCOUNT = "arn:aws:iam::111122223333:"
ROLE = f"{ACCOUNT}role/IamScannerCaller"


def made(*callers: str, remediation: bool = False, **settings: Any) -> Deployment:
    return deployment(Settings(**settings), callers, remediation=remediation)


def refused(*callers: str, remediation: bool = False, **settings: Any) -> list[str]:
    with pytest.raises(FaultsError) as error:
        made(*callers, remediation=remediation, **settings)
    return [str(fault) for fault in error.value.faults]


@pytest.mark.parametrize(
    "arn",
    [
        ROLE,
        f"{ACCOUNT}role/audit/team/IamScannerCaller",
        f"{ACCOUNT}role/aws-reserved/sso.amazonaws.com*/AWSReservedSSO_Audit_*",
        f"{ACCOUNT}user/auditors/alice@example.com",
        f"{ACCOUNT}root",
        "arn:aws-us-gov:iam::111122223333:role/IamScannerCaller",
        "arn:aws-cn:iam::111122223333:role/x",
    ],
)
def test_a_caller_is_a_role_a_user_or_an_account(arn: str) -> None:
    found = made(arn)
    assert found.callers == (arn,)
    assert found.partition == arn.split(":")[1]


@pytest.mark.parametrize(
    ("arn", "remedy"),
    [
        ("arn:aws:sts::111122223333:assumed-role/Admin/me", f"Give the role: {ACCOUNT}role/Admin, and its path if"),
        (f"{ACCOUNT}assumed-role/Admin/me", f"Give the role: {ACCOUNT}role/Admin,"),
        (
            "arn:aws-cn:sts::111122223333:assumed-role/AWSReservedSSO_Audit_All_0123456789abcdef/me@example.com",
            "'arn:aws-cn:iam::111122223333:role/aws-reserved/sso.amazonaws.com*/AWSReservedSSO_Audit_All_*'.",
        ),
        ("arn:aws:sts::111122223333:federated-user/me", f"Give the ARN of the role that scans: {ACCOUNT}role/Name."),
        (f"{ACCOUNT}group/auditors", f"{ACCOUNT}role/Name."),
        (f"{ACCOUNT}policy/auditors", f"{ACCOUNT}role/Name."),
        ("111122223333", f"or {ACCOUNT}root for the whole account."),
        (f"{ACCOUNT}role/*", f"or {ACCOUNT}root for the whole account."),
        (f"{ACCOUNT}user/?*", f"or {ACCOUNT}root for the whole account."),
        (f"{ACCOUNT}*", f"{ACCOUNT}role/Name."),
        *((arn, f"Write it as {ROLE}.") for arn in (
            "", "*", "IamScannerCaller", "ec2.amazonaws.com", "arn:aws:s3:::bucket", f" {ROLE}", f"{ROLE}\n",
            f"{ACCOUNT}role/", f"{ACCOUNT}user", f"{ACCOUNT}role/a b", f"{ACCOUNT}role/{'x' * 65}", f"{ACCOUNT}role/$x",
            "arn:aws:iam::11112222333:role/x", "arn:aws:iam::*:role/x", "arn:aws:iam:us-east-1:111122223333:role/x",
        )),
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_what_to_write(arn: str, remedy: str) -> None:
    (fault,) = refused(arn)
    assert fault.startswith(f"--caller: {arn!r} ")
    assert remedy in fault


def test_every_wrong_caller_is_named() -> None:
    assert len(refused("x", ROLE, "y")) == 2


def test_a_caller_that_is_given_twice_counts_once() -> None:
    assert made(ROLE, ROLE).callers == (ROLE,)


@pytest.mark.parametrize("setting", ["hub_role_arn", "organizations_role_arn"])
def test_all_are_of_one_partition(setting: str) -> None:
    other = "arn:aws-cn:iam::111122223333:role/Other"
    given: dict[str, Any] = {setting: other}
    (fault,) = refused(ROLE, other)
    assert f"{ROLE} and {other} are of different partitions (aws, aws-cn). No credentials work in two" in fault
    assert f"{ROLE} and {other} are of different partitions" in refused(ROLE, **given)[0]
    assert made(**given).partition == "aws-cn"


def test_the_role_has_a_name_of_its_own_unless_the_settings_name_one() -> None:
    assert made().role_name == "audit/IamScanner"
    assert made(role_name="/security/Audit").role_name == "security/Audit"
    (fault,) = refused(role_name="OrganizationAccountAccessRole")
    assert fault.endswith("Give the role to deploy another name: audit/IamScanner.")


@pytest.mark.parametrize("name", ["a*/Audit", "a?/Audit", "$a/Audit"])
def test_a_path_that_a_policy_would_read_as_more_is_refused(name: str) -> None:
    assert "holds *, ? or $" in refused(role_name=name)[0]
    assert "holds *, ? or $" in refused(remediation=True, remediation_role_name=name)[0]


def test_the_role_that_scans_is_not_the_one_that_removes() -> None:
    """IAM compares names without their paths and without regard to case."""
    names: dict[str, Any] = {"role_name": "audit/Scanner", "remediation_role_name": "scanner"}
    assert "Give them different names" in refused(remediation=True, **names)[0]
    assert made(**names).role_name == "audit/Scanner"
