"""What the sample organization holds, seen through the API that a scan uses."""

import csv
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from scanner.demo import Demo, sample
from scanner.demo.sample_files import account_owners_text
from scanner.demo.sample_organization import ACCOUNTS, OUS, user_id
from tests.demo.clients import all_users, client, in_account
from tests.demo_expected import EXPECTED, SUSPENDED, utc_today


def tree(organizations: Any, parent: str, above: str) -> dict[str, list[str]]:
    """Path of each OU from here down → the ids of the accounts in it."""
    accounts = organizations.get_paginator("list_accounts_for_parent").paginate(ParentId=parent).build_full_result()
    found = {above: sorted(account["Id"] for account in accounts["Accounts"])}
    pages = organizations.get_paginator("list_organizational_units_for_parent").paginate(ParentId=parent)
    for ou in pages.build_full_result()["OrganizationalUnits"]:
        found |= tree(organizations, ou["Id"], f"{above}/{ou['Name']}")
    return found


def report_rows(iam: Any) -> dict[str, dict[str, str]]:
    iam.generate_credential_report()
    content = iam.get_credential_report()["Content"].decode()
    return {row["user"]: row for row in csv.DictReader(content.splitlines())}


def test_the_ous_are_three_levels_deep(sample_organization: Demo) -> None:
    organizations = client("organizations", sample_organization.emulator)
    root = organizations.list_roots()["Roots"][0]

    assert tree(organizations, root["Id"], root["Name"]) == {
        "Root": ["210987654321", "905517342286"],
        "Root/Security": ["000123456789", "214365870921"],
        "Root/Workloads": [],
        "Root/Workloads/Prod": [],
        "Root/Workloads/Prod/Payments": ["557190284613", "557302918845"],
        "Root/Workloads/Prod/Core": ["602914873315", "618840027593"],
        "Root/Workloads/Dev": ["731920465582", "745561209938", "753300918274"],
        "Root/Sandbox": ["860012457739", "872219904456", "889930174520"],
    }


def test_fourteen_accounts_one_of_them_suspended(sample_organization: Demo) -> None:
    accounts = client("organizations", sample_organization.emulator).list_accounts()["Accounts"]

    assert len(accounts) == 14
    assert {account["Id"] for account in accounts if account["State"] != "ACTIVE"} == {SUSPENDED}


def test_the_owner_of_an_account_is_its_tag_too(sample_organization: Demo) -> None:
    organizations = client("organizations", sample_organization.emulator)
    tags = {account.id: organizations.list_tags_for_resource(ResourceId=account.id)["Tags"] for account in ACCOUNTS}
    assert tags.pop("905517342286") == []  # that nobody claims
    owners = {row["account_id"]: row["account_owner"] for row in csv.DictReader(account_owners_text().splitlines())}

    assert {account: tag["Value"] for account, (tag,) in tags.items() if tag["Key"] == "owner"} == owners


def test_the_organization_is_led_by_the_management_account(sample_organization: Demo) -> None:
    organization = client("organizations", sample_organization.emulator).describe_organization()["Organization"]

    assert (organization["Id"], organization["MasterAccountId"]) == ("o-demosample", "210987654321")


def test_the_account_of_the_example_has_exactly_its_seven_users(sample_organization: Demo) -> None:
    users = in_account(sample_organization.emulator, "557190284613").list_users()["Users"]

    assert {user["UserName"] for user in users} == {
        "cc-rds-manager",
        "cc-ec2-developers",
        "cc-platform-admin",
        "cc-accounting-dep",
        "cc-iam-manager",
        "cc-sysops-admin",
        "cc-aurora-developer",
    }


@pytest.mark.parametrize("account", [account for account in ACCOUNTS if not account.suspended], ids=lambda a: a.name)
def test_each_account_has_its_own_users(account: Any, sample_organization: Demo) -> None:
    users = in_account(sample_organization.emulator, account.id).list_users()["Users"]

    assert {user["UserName"] for user in users} == set(EXPECTED[account.id])
    assert {user["Arn"].split(":")[4] for user in users} <= {account.id}
    for user in users:
        assert user["UserId"] == user_id(account.id, user["UserName"])
        assert user["CreateDate"].microsecond == 0


def test_dates_lie_in_the_past_and_the_report_agrees_on_them_to_the_second(sample_organization: Demo) -> None:
    iam = in_account(sample_organization.emulator, "557190284613")
    rows = report_rows(iam)

    for user in iam.list_users()["Users"]:
        assert user["CreateDate"] < datetime.now(UTC)
        assert datetime.fromisoformat(rows[user["UserName"]]["user_creation_time"]) == user["CreateDate"]


def test_ages_are_whole_days_before_the_demos_day(sample_organization: Demo) -> None:
    rows = report_rows(in_account(sample_organization.emulator, "557190284613"))

    def day(cell: str) -> object:
        return datetime.fromisoformat(cell).date()

    today = sample_organization.today
    assert day(rows["cc-rds-manager"]["access_key_1_last_rotated"]) == today - timedelta(days=402)
    assert day(rows["cc-rds-manager"]["access_key_1_last_used_date"]) == today - timedelta(days=1)
    assert day(rows["cc-platform-admin"]["password_last_used"]) == today - timedelta(days=201)
    assert rows["cc-sysops-admin"]["access_key_1_last_used_date"] == "N/A"
    assert rows["cc-sysops-admin"]["access_key_1_last_used_service"] == "N/A"
    assert rows["cc-rds-manager"]["access_key_1_last_used_service"] == "rds"
    assert rows["cc-rds-manager"]["access_key_1_last_used_region"] == "us-east-1"


def test_console_users_without_mfa(sample_organization: Demo) -> None:
    rows = report_rows(in_account(sample_organization.emulator, "905517342286"))

    found = {name for name, row in rows.items() if row["password_enabled"] == "true" and row["mfa_active"] == "false"}

    assert found == {"=1+1", "paul.shop", "webmaster"}


def test_an_administrator_by_a_groups_inline_policy_and_one_who_could_become_one(sample_organization: Demo) -> None:
    iam = in_account(sample_organization.emulator, "602914873315")
    details = iam.get_account_authorization_details(Filter=["User", "Group", "LocalManagedPolicy"])
    users = {user["UserName"]: user for user in details["UserDetailList"]}
    groups = {group["GroupName"]: group["GroupPolicyList"] for group in details["GroupDetailList"]}

    assert users["k.watanabe"]["GroupList"] == ["platform-admins"]
    assert groups["platform-admins"][0]["PolicyDocument"]["Statement"] == [
        {"Effect": "Allow", "Action": "*", "Resource": "*"}
    ]
    assert users["backup-operator"]["AttachedManagedPolicies"] == [
        {"PolicyName": "run-backups", "PolicyArn": "arn:aws:iam::602914873315:policy/run-backups"}
    ]
    (policy,) = details["Policies"]
    assert policy["Arn"] == "arn:aws:iam::602914873315:policy/run-backups"
    (version,) = policy["PolicyVersionList"]
    assert (version["VersionId"], version["IsDefaultVersion"]) == (policy["DefaultVersionId"], True)
    assert "iam:AttachRolePolicy" in version["Document"]["Statement"][1]["Action"]
    assert {"Key": "team", "Value": "ci"} in users["ci-images"]["Tags"]


def test_cloudtrail_tells_who_created_the_young_users_and_of_no_others(sample_organization: Demo) -> None:
    """A user of the sample that is younger than CloudTrail's 90 days has an event; an older one has none."""
    now = datetime.now(UTC)
    for account in ACCOUNTS:
        if account.suspended:
            continue
        users = {
            user["UserName"]: user
            for user in in_account(sample_organization.emulator, account.id).list_users()["Users"]
        }
        events = in_account(sample_organization.emulator, account.id, "cloudtrail").lookup_events()["Events"]
        told = [json.loads(event["CloudTrailEvent"]) for event in events]
        young = {name for name, user in users.items() if now - user["CreateDate"] < timedelta(days=90)}
        assert {each["requestParameters"]["userName"] for each in told} == young
        for each in told:
            user = users[each["requestParameters"]["userName"]]
            assert each["responseElements"]["user"]["userId"] == user["UserId"]
            assert each["userIdentity"]["arn"].split(":")[4] == account.id


def test_service_credentials_are_listed_set_inactive_and_deleted() -> None:
    with sample(utc_today()) as demo:
        iam = in_account(demo.emulator, "860012457739")
        (key,) = iam.list_service_specific_credentials(AllUsers=True)["ServiceSpecificCredentials"]
        assert (key["UserName"], key["ServiceName"], key["Status"]) == (
            "BedrockAPIKey-abcd",
            "bedrock.amazonaws.com",
            "Active",
        )
        which = {"UserName": key["UserName"], "ServiceSpecificCredentialId": key["ServiceSpecificCredentialId"]}
        iam.update_service_specific_credential(**which, Status="Inactive")
        of_user = iam.list_service_specific_credentials(UserName=key["UserName"])["ServiceSpecificCredentials"]
        assert [each["Status"] for each in of_user] == ["Inactive"]
        iam.delete_service_specific_credential(**which)
        assert iam.list_service_specific_credentials(AllUsers=True)["ServiceSpecificCredentials"] == []


def test_the_table_is_consistent() -> None:
    ids = [user_id(account.id, user.name) for account, user in all_users()]

    assert len(set(ids)) == len(ids)
    for account in ACCOUNTS:
        assert account.ou in {"", *OUS}
        assert {group for user in account.users for group in user.groups} <= set(account.groups)
