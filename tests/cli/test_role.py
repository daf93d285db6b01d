"""`role`: what it prints, and where."""

import json
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from scanner.cli.screen.role_screen import after_template
from scanner.roles.deployment import deployment
from scanner.settings import Settings
from tests.aws_documents import files
from tests.program import program
from tests.roles.test_deployment import ACCOUNT, ROLE

pytestmark = pytest.mark.usefixtures("workplace")

SECRET = "s3cr3t-external-id"


def test_the_template_goes_to_stdout_and_what_to_do_next_to_stderr() -> None:
    done = program("role")
    assert (done.exit_code, done.out) == (0, files()["member-role.yaml"])
    for words in (
        "--permission-model SERVICE_MANAGED",
        "--auto-deployment Enabled=true,RetainStacksOnAccountRemoval=false",
        "ParameterKey=CallerArn,ParameterValue='<ARN of the caller>'",
        "aws cloudformation deploy --stack-name iam-scanner",
        "iam-scanner scan --role-name audit/IamScanner",
    ):
        assert words in done.err
    assert "A service-managed StackSet does not reach the management account." in " ".join(done.err.split())
    assert max(map(len, done.err.splitlines())) <= 80


def test_the_template_itself_says_what_to_do_for_the_management_account() -> None:
    for arguments in ((), ("--quiet",), ("--json",)):
        template = YAML(typ="safe").load(program("role", *arguments).out)
        assert "does not reach the management account" in template["Metadata"]["ManagementAccount"][0]
    both = program("role", "--remediation")
    for text in (both.out, " ".join(both.err.split())):
        assert "Remediation enters each account by its role alone" in text


@pytest.mark.parametrize("option", ["--quiet", "--json"])
def test_scripts_are_told_nothing_on_stderr(option: str) -> None:
    for name in ("cloudformation", "policy"):
        assert program("role", "--format", name, option).err == ""


def test_json_is_one_document() -> None:
    template = program("role", "--json", "--caller", ROLE).document
    assert template["Resources"].keys() == {"AuditRole"}
    policies = program("role", "--json", "--format", "policy", "--remediation", "--caller", ROLE).document
    assert {"caller", "member", "trust", "delegation", "remediation"} <= policies.keys()
    assert policies["trust"]["Statement"][0]["Principal"] == {"AWS": f"{ACCOUNT}root"}


def test_the_bare_policies_stand_below_each_other_each_with_its_name_and_purpose() -> None:
    out = program("role", "--format", "policy", "--remediation", "--hub-role-arn", f"{ACCOUNT}role/Hub").out
    assert "# member: permissions of the role audit/IamScanner in each account\n{\n" in out
    parts = out.split("\n\n")
    documents = [json.loads(text[text.index("{\n") :]) for text in parts]
    assert [text.split(":")[0] for text in parts] == [
        *("# caller", "# hub", "# hub_trust", "# delegation", "# member", "# trust"),
        *("# remediation", "# remediation_trust", "# remediation_caller", "# keep_deny"),
    ]
    assert {document["Version"] for document in documents} == {"2012-10-17"}


def test_the_settings_of_the_scan_fill_it_in() -> None:
    Path("config").mkdir()
    hub = f"{ACCOUNT}role/Hub"
    Path("config/scanner.yaml").write_text(
        f"role_name: security/Audit\nremediation_role_name: Cleaner\nhub_role_arn: {hub}\nevidence: basic\n",
        encoding="utf-8",
    )
    done = program("role", "--remediation")
    made = YAML(typ="safe").load(done.out)["Resources"]
    names = [(each["Properties"]["Path"], each["Properties"]["RoleName"]) for each in made.values()]
    assert names == [("/security/", "Audit"), ("/", "Cleaner")]
    assert f"iam-scanner scan --role-name security/Audit \\\n     --hub-role-arn {hub}\n" in done.err
    assert "cloudtrail" not in json.dumps(made)


@pytest.mark.parametrize(
    "form", [("--json",), (), ("--format", "policy"), ("--format", "policy", "--json"), ("--debug",)]
)
def test_an_external_id_is_never_printed(form: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IAM_SCANNER_EXTERNAL_ID", SECRET)
    for arguments in ((), ("--external-id", f"{SECRET}-2"), ("--caller", "wrong"), ("--external-id", f"{SECRET} 3")):
        done = program("role", *form, *arguments, "--remediation")
        assert SECRET not in done.out + done.err


def test_a_caller_that_is_a_whole_account_and_the_remediation_role_are_warned_of() -> None:
    err = " ".join(program("role", "--caller", f"{ACCOUNT}root", "--remediation").err.split())
    assert f"Note: {ACCOUNT}root trusts whoever in that account may call sts:AssumeRole." in err
    assert "Note: Whoever may assume the remediation role may delete any IAM user of the account." in err
    assert "Note:" not in program("role", "--caller", ROLE).err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--format", "terraform"), "--format: 'terraform' is not cloudformation or policy."),
        (("--caller", "x", "--caller", "y"), "--caller: 'y' is not the ARN of a role or a user. Write it as arn:"),
        (("--role-name", "arn:aws:iam::1:role/x"), "not the ARN"),
    ],
)
def test_what_is_wrong_is_a_usage_error(arguments: tuple[str, ...], words: str) -> None:
    done = program("role", *arguments)
    assert (done.exit_code, done.out) == (2, "")
    assert words in done.err


def test_elsewhere_the_region_of_the_stack_set_is_one_of_the_partition() -> None:
    for partition, region in {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}.items():
        assert f"--regions {region} " in program("role", "--caller", ROLE.replace("arn:aws:", f"arn:{partition}:")).err


def test_on_a_terminal_it_says_how_to_save_the_template() -> None:
    save = "1. Save the template as iam-scanner-role.yaml"
    wanted = deployment(Settings(), (), remediation=False)
    assert save in after_template(wanted, remediation=False, is_saved=False, again=())
    assert save not in program("role").err


def test_settings_of_a_first_look_name_no_role_to_deploy() -> None:
    """Which `init` writes by default: the role that AWS Organizations makes is none to deploy, unless typed."""
    Path("config").mkdir(exist_ok=True)
    Path("config/scanner.yaml").write_text("role_name: OrganizationAccountAccessRole\n", encoding="utf-8")
    done = program("role", "--caller", ROLE)
    assert done.exit_code == 0
    assert "iam-scanner scan --role-name audit/IamScanner" in done.err
    assert f"iam-scanner role --format policy \\\n     --caller {ROLE}" in done.err
    typed = program("role", "--caller", ROLE, "--role-name", "OrganizationAccountAccessRole")
    assert (typed.exit_code, "Give the role to deploy another name" in typed.err) == (2, True)
