"""What `doctor` prints: at 80 and at 140 columns, quietly, and as a document.

The screens are written into this file as those of `test_screens.py` are; read what that changes.
"""

# a screen has 140 columns

# ruff: noqa: E501  # a screen has 140 columns

from pathlib import Path

import pytest
from inline_snapshot import snapshot

from scanner.aws.failures import REMEDIES
from scanner.model import FailReason
from scanner.safelist import starter
from tests.aws_endpoint import Endpoint, Fault, Refuse, SimulatedOrganization, SimulatedRole, deny, running
from tests.program import Done, calling, named, program, small_world
from tests.screens import Screens

pytestmark = pytest.mark.usefixtures("workplace", "hurried")


def doctor(endpoint: Endpoint, *options: str) -> Done:
    with calling(endpoint):
        return program("doctor", "--safelist", "nobody.yaml", *options)


def planted() -> tuple[SimulatedOrganization, list[Fault]]:
    """A role without one permission in two accounts, and with none in another; a name that may not steer a terminal."""
    world = small_world()
    dev, core, sandbox = named(world, "dev"), named(world, "core"), named(world, "sandbox")
    dev.name = "dev\x1b[2J[red]"
    faults = [Fault("cloudtrail:LookupEvents", deny, account=account.id) for account in (core, sandbox)]
    return world, [*faults, Fault("sts:AssumeRole", deny, account=dev.id)]


def screen(width: int, *options: str) -> str:
    """What it prints into a terminal of this width."""
    screens = Screens(width)
    world, faults = planted()
    with running(world, faults) as endpoint, calling(endpoint):
        screens.run("doctor", "doctor", "--safelist", "nobody.yaml", "--ou", "Root/Workloads", *options, code=5)
    return screens.shown["doctor"]


def test_the_screen_at_80_columns() -> None:
    assert screen(80) == snapshot("""\

Settings and files
ok          Settings
            there is no config/scanner.yaml; options, environment and defaults
            count
ok          Safelists      0 entries
ok          Output folder  reports: a run can be written and locked there
Caller
ok          AWS settings           Region us-east-1
ok          Credentials            found
ok          sts:GetCallerIdentity
            arn:aws:iam::387420489013:user/auditor, partition aws
Organization
ok          organizations:DescribeOrganization
            o-example0001, management account 387420489013, which is the
            caller's own
ok          organizations:ListRoots             Root (r-ex01)
ok          Scope                               only Root/Workloads
ok          Earlier runs
            no earlier finished run of this organization in reports
ok          organizations:ListAccounts          7 accounts
ok          OUs and their accounts              7 roots and OUs read
ok          Accounts to scan
            5 of 7 accounts (2 outside the scope)
Accounts: one of each OU, 4 of 5 to scan
ok          sts:AssumeRole                      3 accounts: assumed
failed      sts:AssumeRole
            in 324522934078 (dev\\x1b[2J[red], Root/Workloads/Dev)
            AccessDenied: User: arn:aws:iam::387420489013:user/auditor is not
            authorized to perform: sts:AssumeRole on resource:
            arn:aws:iam::324522934078:role/OrganizationAccountAccessRole
            Check in this account that the role exists, that its trust policy
            names the caller (and the external ID, if one is asked for), and
            that no SCP denies it: AWS does not say which.
ok          iam:ListUsers                       3 accounts: answered
not checked iam:ListUsers, iam:GetAccountSummary,
            iam:GetAccountAuthorizationDetails, iam:GetCredentialReport,
            iam:ListServiceSpecificCredentials, cloudtrail:LookupEvents
            in 324522934078 (dev\\x1b[2J[red], Root/Workloads/Dev): the role was
            not assumed
ok          iam:GetAccountSummary               3 accounts: answered
ok          iam:GetAccountAuthorizationDetails  3 accounts: answered
ok          iam:GetCredentialReport
            3 accounts: ReportNotPresent, which is fine: a scan has one made
ok          iam:ListServiceSpecificCredentials  3 accounts: answered
ok          cloudtrail:LookupEvents             2 accounts: answered
failed      cloudtrail:LookupEvents
            in 937102445065 (core, Root/Workloads/Prod/Core)
            AccessDeniedException: User:
            arn:aws:sts::937102445065:assumed-role/OrganizationAccountAccessRole
            /iam-scanner is not authorized to perform: cloudtrail:LookupEvents
            on resource: *
            Allow this call in the role's policies, and check SCPs, permissions
            boundaries and the session policy.
not tried   iam:GenerateCredentialReport
            it would replace the stored report; a scan needs the permission

Checks     42 checks: 33 ok, 2 failed, 6 not checked, 1 not tried
Next       fix what failed, from the top; then run iam-scanner doctor again.
""")


def test_the_screen_at_140_columns() -> None:
    assert screen(140) == snapshot("""\

Settings and files
ok          Settings       there is no config/scanner.yaml; options, environment and defaults count
ok          Safelists      0 entries
ok          Output folder  reports: a run can be written and locked there
Caller
ok          AWS settings           Region us-east-1
ok          Credentials            found
ok          sts:GetCallerIdentity  arn:aws:iam::387420489013:user/auditor, partition aws
Organization
ok          organizations:DescribeOrganization  o-example0001, management account 387420489013, which is the caller's own
ok          organizations:ListRoots             Root (r-ex01)
ok          Scope                               only Root/Workloads
ok          Earlier runs                        no earlier finished run of this organization in reports
ok          organizations:ListAccounts          7 accounts
ok          OUs and their accounts              7 roots and OUs read
ok          Accounts to scan                    5 of 7 accounts (2 outside the scope)
Accounts: one of each OU, 4 of 5 to scan
ok          sts:AssumeRole                      3 accounts: assumed
failed      sts:AssumeRole                      in 324522934078 (dev\\x1b[2J[red], Root/Workloads/Dev)
            AccessDenied: User: arn:aws:iam::387420489013:user/auditor is not authorized to perform: sts:AssumeRole on resource:
            arn:aws:iam::324522934078:role/OrganizationAccountAccessRole
            Check in this account that the role exists, that its trust policy names the caller (and the external ID, if one is asked for),
            and that no SCP denies it: AWS does not say which.
ok          iam:ListUsers                       3 accounts: answered
not checked iam:ListUsers, iam:GetAccountSummary, iam:GetAccountAuthorizationDetails, iam:GetCredentialReport,
            iam:ListServiceSpecificCredentials, cloudtrail:LookupEvents
            in 324522934078 (dev\\x1b[2J[red], Root/Workloads/Dev): the role was not assumed
ok          iam:GetAccountSummary               3 accounts: answered
ok          iam:GetAccountAuthorizationDetails  3 accounts: answered
ok          iam:GetCredentialReport             3 accounts: ReportNotPresent, which is fine: a scan has one made
ok          iam:ListServiceSpecificCredentials  3 accounts: answered
ok          cloudtrail:LookupEvents             2 accounts: answered
failed      cloudtrail:LookupEvents             in 937102445065 (core, Root/Workloads/Prod/Core)
            AccessDeniedException: User: arn:aws:sts::937102445065:assumed-role/OrganizationAccountAccessRole/iam-scanner is not authorized
            to perform: cloudtrail:LookupEvents on resource: *
            Allow this call in the role's policies, and check SCPs, permissions boundaries and the session policy.
not tried   iam:GenerateCredentialReport        it would replace the stored report; a scan needs the permission

Checks     42 checks: 33 ok, 2 failed, 6 not checked, 1 not tried
Next       fix what failed, from the top; then run iam-scanner doctor again.
""")


def test_quiet_shows_only_what_is_to_be_seen_to() -> None:
    shown = screen(140, "--quiet")
    starts = [line[:28] for line in shown.splitlines() if line and not line.startswith(" ")]
    assert starts == ["failed      sts:AssumeRole  ", "not checked iam:ListUsers, i", "failed      cloudtrail:Looku"]


def test_quiet_says_nothing_where_nothing_is_missing() -> None:
    with running(small_world()) as endpoint:
        done = doctor(endpoint, "--quiet")
    assert (done.exit_code, done.out, done.err) == (0, "", "")


def test_the_document_has_each_check_of_each_account() -> None:
    world = small_world()
    core = named(world, "core")
    with running(world, [Fault("iam:GetAccountSummary", deny, account=core.id)]) as endpoint:
        done = doctor(endpoint, "--json")
    document = done.document
    (failed,) = (check for check in document["checks"] if check["outcome"] == "failed")
    assert failed == {
        "part": "Accounts",
        "check": "iam:GetAccountSummary",
        "outcome": "failed",
        "account_id": core.id,
        "account_name": "core",
        "ou_path": "Root/Workloads/Prod/Core",
        "code": "AccessDenied",
        "detail": f"User: arn:aws:sts::{core.id}:assumed-role/OrganizationAccountAccessRole/iam-scanner is not "
        "authorized to perform: iam:GetAccountSummary on resource: *",
        "remedy": REMEDIES[FailReason.ACCESS_DENIED],
    }
    assert document["counts"] == {"ok": 53, "warning": 0, "failed": 1, "not checked": 0, "not tried": 1}
    assert (document["ready"], document["accounts_checked"], document["accounts_to_scan"]) == (False, 6, 7)
    assert done.err == ""


def test_where_no_role_can_be_assumed_the_likely_cause_is_said() -> None:
    world = small_world()
    for account in world.members:
        account.roles = [SimulatedRole(name="OrganizationAccountAccessRole", external_id="EXT-1")]
    with running(world) as endpoint:
        done = doctor(endpoint)
    assert "the external ID is missing (--external-id)" in done.out.split("Next")[1]


def test_commands_to_paste_stand_below_on_one_line_each() -> None:
    with running(small_world()) as endpoint, calling(endpoint):
        done = program("doctor")
    assert done.exit_code == 5
    assert done.out.splitlines()[-2:] == [f"  {command}" for command in starter.commands(Path("config/safelists"))]


def test_the_external_id_is_never_shown() -> None:
    world = small_world()
    refusal = Refuse(403, "AccessDenied", "No role for external id EXT-SECRET here")
    with running(world, [Fault("sts:AssumeRole", refusal)]) as endpoint:
        shown = [doctor(endpoint, "--external-id", "EXT-SECRET", *more) for more in (("--json",), ("--debug",))]
    assert [done for done in shown if "EXT-SECRET" in done.out + done.err] == []
    assert all("(external id)" in done.out for done in shown)
