"""Faults, planted one by one: doctor finds each, names the remedy, and fails exactly where a scan is not complete.

Each is tried by `doctor` and then by `scan`, on the same endpoint, with the same options.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scanner.doctor.checks import Part
from scanner.runs import folder as run_folder
from tests.aws_endpoint import (
    DELEGATED_KEY,
    MANAGEMENT_KEY,
    MEMBER_KEY,
    Caller,
    Fault,
    Refuse,
    SimulatedOrganization,
    SimulatedRole,
    StoredReport,
    clipped,
    deny,
    empty_organization,
    html,
    missing_user,
    no_marker,
    running,
    wrong_account,
)
from tests.conftest import REFUSED
from tests.program import Done, calling, named, program, table

pytestmark = pytest.mark.usefixtures("workplace", "hurried")

ROLE = "OrganizationAccountAccessRole"
SAFELIST = ("--safelist", "nobody.yaml")
EXPIRED = Caller(
    access_key_id="AKIAEXPIRED000000000",
    account_id="387420489013",
    arn="arn:aws:iam::387420489013:user/auditor",
    expires_at=datetime(2026, 1, 1, tzinfo=UTC),
)
NEW = datetime.now(UTC) - timedelta(days=1)


def checks(done: Done, *outcomes: str) -> list[dict[str, Any]]:
    return [check for check in done.document["checks"] if check["outcome"] in (outcomes or ("failed",))]


def is_complete(done: Done) -> bool:
    """Whether the scan read every account in scope, with all the evidence."""
    if done.exit_code not in {0, 3}:
        return False
    rows = table(Path("reports", done.document["run_id"], "accounts.csv"))
    return {row["evidence"] for row in rows if row["outcome"] == "SCANNED"} == {"FULL"}


# --- faults of everything --------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Planted:
    """What is wrong, the check that fails, and words of what it says; `check` None: nothing that a scan cannot do."""

    check: str | None
    says: Sequence[str] = ()
    options: Sequence[str] = SAFELIST
    key: str = MANAGEMENT_KEY
    environment: Mapping[str, str | None] = field(default_factory=dict)
    faults: Sequence[Fault] = ()
    world: Callable[[SimulatedOrganization], object] = lambda world: None
    files: Mapping[str, str] = field(default_factory=dict)
    warns: str | None = None  # a check


def three_accounts() -> SimulatedOrganization:
    """Root with the management account, Workloads with `dev`, and Sandbox with `sandbox`; each has a user."""
    world = empty_organization()
    for name, unit in (("dev", "Workloads"), ("sandbox", "Sandbox")):
        world.add_account(name, world.add_ou(unit).id)
    for account in world.accounts.values():
        account.add_user("alice")
    return world


def not_in_use(world: SimulatedOrganization) -> None:
    world.in_use = False


def asks_for_an_external_id(world: SimulatedOrganization) -> None:
    for account in world.members:
        account.roles = [SimulatedRole(name=ROLE, external_id="EXT-1")]


def delegated(world: SimulatedOrganization) -> None:
    world.delegated_administrators.append(named(world, "sandbox").id)


def delegated_with_roles(world: SimulatedOrganization) -> None:
    delegated(world)
    world.management.roles = None


def stored_reports(world: SimulatedOrganization) -> None:
    for hours, account in enumerate(world.accounts.values()):
        generated_at = datetime.now(UTC) - timedelta(hours=hours)
        account.report = StoredReport(generated_at=generated_at, users=tuple(account.users))


HUB = "arn:aws:iam::387420489013:role/Hub"
NO_ACTION = Refuse(400, "InvalidAction", "Could not find operation ListServiceSpecificCredentials")
HERE = "organizations:ListAccountsForParent"
OLD = "global: [{user: alice, owner: a, reason: b, expires_on: 2020-01-01}]"

FAULTS = {
    "no credentials": Planted(
        check="Credentials", says=["Sign in (aws sso login)"], environment={"AWS_ACCESS_KEY_ID": None}
    ),
    "expired credentials": Planted(
        check="sts:GetCallerIdentity", says=["ExpiredToken", "Sign in again"], key=EXPIRED.access_key_id
    ),
    "an unknown access key": Planted(
        check="sts:GetCallerIdentity", says=["InvalidClientTokenId", "Sign in again"], key="AKIANOBODY0000000000"
    ),
    "a profile that there is not": Planted(
        check="AWS settings", says=["aws configure list-profiles"], options=[*SAFELIST, "--profile", "audti"]
    ),
    "a proxy that is none": Planted(
        check="AWS settings", says=["http://proxy.example.com:3128"], environment={"HTTPS_PROXY": "proxy:no"}
    ),
    "an endpoint that does not answer": Planted(
        check="sts:GetCallerIdentity",
        says=[f"not be reached at {REFUSED} (AWS_ENDPOINT_URL)", "Check the network, proxy and endpoint settings"],
        environment={"AWS_ENDPOINT_URL": REFUSED.replace("://", "://somebody:secret@")},
    ),
    "a caller in a member account": Planted(
        check="organizations:ListRoots", says=["AccessDenied", "delegated administrator"], key=MEMBER_KEY
    ),
    "a caller whose policy lacks the reads": Planted(
        check="organizations:ListRoots",
        says=["AccessDenied", "iam-scanner role --format policy"],
        faults=[Fault("organizations:ListRoots", deny)],
    ),
    "no organization": Planted(
        check="organizations:DescribeOrganization",
        says=["AWSOrganizationsNotInUseException", "--accounts-file"],
        world=not_in_use,
    ),
    "a listing of accounts that is denied": Planted(
        check="organizations:ListAccounts", says=["AccessDenied"], faults=[Fault("organizations:ListAccounts", deny)]
    ),
    "accounts that are nowhere": Planted(
        check="Accounts to scan",
        says=["3 OU unknown", "allow organizations:ListParents"],
        faults=[Fault(HERE, deny), Fault("organizations:ListParents", deny)],
        warns="OUs and their accounts",
    ),
    "a role for AWS Organizations that cannot be assumed": Planted(
        check="Role for AWS Organizations",
        says=[":role/Reader cannot be assumed", "trust policy"],
        options=[*SAFELIST, "--organizations-role-arn", "arn:aws:iam::387420489013:role/Reader"],
    ),
    "a hub role that cannot be assumed": Planted(
        check="Hub role",
        says=[":role/Hub cannot be assumed", "trust policy"],
        options=[*SAFELIST, "--hub-role-arn", HUB],
    ),
    "an archive that is not there": Planted(
        check="Archive",
        says=["s3://no-such-bucket", "NoSuchBucket"],
        options=[*SAFELIST, "--archive", "s3://no-such-bucket/runs"],
    ),
    "owners by tags beside a file of accounts": Planted(
        check="Settings",
        says=["--account-owner-tag needs AWS Organizations"],
        options=[*SAFELIST, "--accounts-file", "accounts.csv", "--account-owner-tag", "owner"],
        files={"accounts.csv": "account_id,account_name,ou_path\n387420489013,management,Root\n"},
    ),
    "tags that may not be read": Planted(
        check=None,
        says=[],
        options=[*SAFELIST, "--account-owner-tag", "owner"],
        faults=[Fault("organizations:ListTagsForResource", deny)],
        warns="organizations:ListTagsForResource",
    ),
    "an unknown OU": Planted(
        check="Scope", says=["Root/Workloads"], options=[*SAFELIST, "--ou", "Root/Workload", "--ou", "Root/Sandbox"]
    ),
    "an unknown account": Planted(
        check="Scope",
        says=["--exclude-account 999999999999: no such account", "iam-scanner accounts"],
        options=[*SAFELIST, "--exclude-account", "999999999999"],
    ),
    "nothing in the scope": Planted(
        check="Accounts to scan",
        says=["0 of 3", "Widen --ou"],
        options=[*SAFELIST, "--ou", "Root/Sandbox", "--exclude-ou", "Root/Sandbox"],
    ),
    "no safelist": Planted(
        check="Safelists",
        says=["There is no such file or folder", "mkdir -p config/safelists"],
        options=["--safelist", "config/safelists"],
    ),
    "a safelist with two faults": Planted(
        check="Safelists",
        says=["bad.yaml:1", "bad.yaml:2"],
        options=["--safelist", "bad.yaml"],
        files={"bad.yaml": "version: 7\nglobl: []\n"},
    ),
    "a safelist of another organization": Planted(
        check="Safelists",
        says=["o-other00001", "Use the safelists of this organization"],
        options=["--safelist", "other.yaml"],
        files={"other.yaml": "version: 1\norganization: o-other00001\nglobal: []\n"},
    ),
    "a setting that there is not": Planted(
        check="Settings",
        says=["config/scanner.yaml:1", "Did you mean role_name?"],
        files={"config/scanner.yaml": "rolename: Auditor\n"},
    ),
    "an option that cannot be": Planted(
        check="Settings", says=["--role-name"], options=[*SAFELIST, "--role-name", "no such role!"]
    ),
    "owners that cannot be read": Planted(
        check="Account owners",
        says=["owners.csv:1", "account_owner"],
        options=[*SAFELIST, "--account-owners", "owners.csv"],
        files={"owners.csv": "account_id,owner\n"},
    ),
    "a file of accounts that is none": Planted(
        check="Accounts file", says=["accounts.csv"], options=[*SAFELIST, "--accounts-file", "accounts.csv"]
    ),
    "a ledger that cannot be read": Planted(
        check="Earlier runs", says=["decisions.csv"], files={"reports/decisions.csv": "nonsense\r\nmore\r\n"}
    ),
    "an earlier run that there is not": Planted(
        check="Earlier runs", says=["no run"], environment={"IAM_SCANNER_PREVIOUS": "20200101T000000Z-000000"}
    ),
    "an output folder that cannot be written to": Planted(
        check="Output folder",
        says=["Not a directory", "--output"],
        environment={"IAM_SCANNER_OUTPUT": "nobody.yaml/reports"},
    ),
    "an external ID that is wrong everywhere": Planted(
        check="sts:AssumeRole",
        says=["AccessDenied", "external ID", "the external ID is not the one that they ask for"],
        options=[*SAFELIST, "--external-id", "EXT-2"],
        world=asks_for_an_external_id,
    ),
    "no role in the management account": Planted(
        check="sts:AssumeRole",
        says=["AccessDenied", "which a StackSet does not reach"],
        key=DELEGATED_KEY,
        world=delegated,
    ),
    # what a scan can do without
    "nothing": Planted(check=None),
    "a report in each account, young or old": Planted(check=None, world=stored_reports),
    "a delegated administrator": Planted(check=None, key=DELEGATED_KEY, world=delegated_with_roles),
    "a partition without service-specific credentials": Planted(
        check=None, faults=[Fault("iam:ListServiceSpecificCredentials", NO_ACTION)]
    ),
    "OUs that cannot be listed": Planted(check=None, faults=[Fault(HERE, deny)], warns="OUs and their accounts"),
    "an expired approval": Planted(
        check=None, options=["--safelist", "old.yaml"], files={"old.yaml": f"version: 1\n{OLD}\n"}, warns="Safelists"
    ),
    "accounts of a file": Planted(
        check=None,
        options=[*SAFELIST, "--accounts-file", "accounts.csv", "--ou", "Root/Here"],
        faults=[Fault("organizations:*", deny)],
        files={"accounts.csv": "account_id,account_name,ou_path\n387420489013,management,Root/Here\n"},
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_doctor_fails_exactly_where_a_scan_is_not_complete(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    planted, world = FAULTS[name], three_accounts()
    planted.world(world)
    for path, text in planted.files.items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text, encoding="utf-8")
    before = files()
    with running(world, planted.faults, callers=[EXPIRED]) as endpoint, calling(endpoint, planted.key):
        for variable, value in planted.environment.items():
            monkeypatch.setenv(variable, value) if value else monkeypatch.delenv(variable)
        done = program("doctor", "--json", *planted.options)
        assert files() == before  # it leaves nothing behind
        scanned = program("scan", "--json", "--format", "csv", *planted.options)
    failed = checks(done)
    assert {check["check"] for check in failed} == ({planted.check} if planted.check else set())
    said = "\n".join(f"{check['code']} {check['detail']} {check['remedy']}" for check in failed)
    said += "\n".join(done.document["advice"])
    assert [words for words in planted.says if words not in said] == []
    assert {check["check"] for check in checks(done, "warning")} == ({planted.warns} if planted.warns else set())
    assert {check["part"] for check in done.document["checks"]} == set(Part)  # what was not checked is shown, too
    assert done.exit_code == (5 if planted.check else 0)
    assert done.document["ready"] == is_complete(scanned) == (planted.check is None)


def files() -> set[str]:
    return {str(path) for path in Path().rglob("*")}


# --- faults of one account -------------------------------------------------------------------------------------------

DETAILS, REPORT = "iam:GetAccountAuthorizationDetails", "iam:GetCredentialReport"
KEYS, HISTORY = "iam:ListServiceSpecificCredentials", "cloudtrail:LookupEvents"
SCP = Refuse(
    403,
    "AccessDenied",
    "User: x is not authorized to perform: iam:ListUsers with an explicit deny in a service control policy",
)

# What goes wrong in an account, the call at which a scan notices, and words of the remedy.
IN_ONE_ACCOUNT: dict[str, tuple[Any, str, str]] = {
    "no role": (deny, "sts:AssumeRole", "that the role exists"),
    "STS that rejects the session policy": (
        Refuse(400, "PackedPolicyTooLarge", "Packed size of session tags consumes 101% of allotted space."),
        "sts:AssumeRole",
        "give --no-session-policy",
    ),
    "no ListUsers": (deny, "iam:ListUsers", "Allow this call in the role's policies"),
    "an SCP": (SCP, "iam:ListUsers", "check SCPs"),
    "a portal": (html, "iam:ListUsers", "no proxy or custom endpoint"),
    "a list that is cut": (no_marker, "iam:ListUsers", "users may be missing"),
    "a user that is passed over": (missing_user, "iam:ListUsers", "users may be missing"),
    "another account's users": (wrong_account, "iam:ListUsers", "no proxy or custom endpoint"),
    "no authorization details": (deny, DETAILS, "Allow this call in the role's policies"),
    "no summary": (deny, "iam:GetAccountSummary", "Allow this call in the role's policies"),
    "no credential report": (deny, REPORT, "Allow this call in the role's policies"),
    "no service-specific credentials": (deny, KEYS, "Allow this call in the role's policies"),
    "no CloudTrail": (deny, HISTORY, "Allow this call in the role's policies"),
    "a CloudTrail that breaks off": (clipped, HISTORY, "no proxy or custom endpoint"),
}
SOUND = ("one", "another")


def test_in_each_account_doctor_fails_exactly_where_a_scan_fails_or_lacks_evidence() -> None:
    """One OU for each account, so that each is one that doctor enters."""
    world = empty_organization()
    for name in (*IN_ONE_ACCOUNT, *SOUND):
        account = world.add_account(name, world.add_ou(name).id)
        account.add_user("alice", created_at=NEW)  # whose creation CloudTrail is asked about
    faults = [Fault(call, effect, account=named(world, name).id) for name, (effect, call, _) in IN_ONE_ACCOUNT.items()]
    with running(world, faults) as endpoint, calling(endpoint):
        done = program("doctor", "--json", *SAFELIST)
        made = [call.name for call in endpoint.calls]
        sessions = list(endpoint.sessions)
        scanned = program("scan", "--json", "--format", "csv", *SAFELIST)
    rows = table(Path("reports", scanned.document["run_id"], "accounts.csv"))
    lacking = {row["account_name"] for row in rows if row["evidence"] != "FULL"}
    failed = {check["account_name"]: check for check in checks(done)}
    assert failed.keys() == lacking == IN_ONE_ACCOUNT.keys()
    for name, (_, call, words) in IN_ONE_ACCOUNT.items():
        assert failed[name]["check"] == call
        assert failed[name]["detail"]
        assert words in failed[name]["remedy"], name
    assert (done.exit_code, scanned.exit_code) == (5, 4)
    assert "iam:GenerateCredentialReport" not in made
    assert set(made) < {call.name for call in endpoint.calls[len(made) :]}  # none that a scan does not make
    assert {session.policy for session in sessions} == {scan_policy(scanned)}


def scan_policy(scanned: Done) -> str:
    header = run_folder.read(Path("reports", scanned.document["run_id"])).header
    return header.session_policies["member"]
