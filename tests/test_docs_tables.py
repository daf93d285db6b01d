"""The tables and files of the documents say what the program does, all of it and nothing else."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import typer
from ruamel.yaml import YAML

from scanner.aws.escalation import WAYS, WAYS_BY_AWS
from scanner.aws.identity import hub_policy, member_policy, organizations_policy
from scanner.cli.main import app
from scanner.demo import Demo
from scanner.errors import ExitCode
from scanner.model import Basis, FailReason, Selector, SkipReason
from scanner.record import RemediationOutcome, SafelistText
from scanner.remediation.limits import ATTACHED_POLICIES, MAX_USERS, PLAN_LIFE, RECENT, SESSION_LIFE, TOKEN_LIFE
from scanner.remediation.plan_document import Reason
from scanner.remediation.plan_folder import COMMANDS as COMMANDS_SH
from scanner.remediation.plan_folder import PLAN, PLAN_CSV, RESULTS
from scanner.remediation.session_policy import LIMIT
from scanner.report.changes import WORDS
from scanner.report.columns import ACCOUNTS, USERS
from scanner.report.formats import FILES
from scanner.runs.folder import JOURNAL, MANIFEST
from scanner.safelist.entries import parse
from scanner.settings import DEFAULT_FILE, PREFIX, Settings, load
from tests.documents import COMMANDS, CONFIG, EXAMPLE, GUIDES, README, REPORTS, ROOT, blocks, firsts, section, tables
from tests.readme_picture import scanned


@pytest.fixture(scope="module")
def run(sample_organization: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run."""
    folder = tmp_path_factory.mktemp("newcomer")
    return folder / scanned(sample_organization, folder).folder


# --- options, settings, exit codes ---

OPTIONS = tables(section(CONFIG, "Options"))[0]


def options_in(cell: str) -> set[str]:
    return set(re.findall(r"(?<![\w>-])--?[a-z][a-z-]*", cell))


def test_the_table_of_options_has_all_of_scan_and_no_other() -> None:
    documented = [option for row in OPTIONS for option in options_in(row[0])]
    real = {option for each in COMMANDS["scan"].params for option in (*each.opts, *each.secondary_opts)}
    assert set(documented) == real | {"--help", "-h"}
    assert len(documented) == len(set(documented))


def test_the_table_of_options_has_the_true_defaults() -> None:
    named = {"ou": "all", "account": "all", "as_of": "today, UTC", "previous": "the newest that fits"}
    for row in OPTIONS:
        key = re.findall("--([a-z-]+)", row[0])[0].replace("-", "_")
        if key in Settings.model_fields:
            assert row[1] == named.get(key, shown(Settings.model_fields[key].default)), key
    assert f"`{DEFAULT_FILE}`" in next(row[1] for row in OPTIONS if "--config" in row[0])


def shown(default: object) -> str:
    """A default as the table says it."""
    if default is None or default == ():
        return "none"
    if isinstance(default, bool):
        return f"`{'on' if default else 'off'}`"
    many = default if isinstance(default, tuple) else (default,)
    return ", ".join(f"`{each}`" for each in many)


def test_the_table_of_filters_has_all_of_users_and_no_other() -> None:
    documented = [option for row in tables(section(REPORTS, "List users"))[0] for option in options_in(row[0])]
    shared = {option for each in COMMANDS["verify"].params for option in each.opts}
    assert set(documented) == {option for each in COMMANDS["users"].params for option in each.opts} - shared
    assert len(documented) == len(set(documented))


def test_options_that_the_guides_name_are_there() -> None:
    every: list[Any] = [typer.main.get_command(app), *COMMANDS.values()]
    real = {option for each in every for one in each.params for option in (*one.opts, *one.secondary_opts)}
    outside = re.sub(r"^```.*?^```$", "", "".join(GUIDES.values()), flags=re.MULTILINE | re.DOTALL)
    named = {option for code in re.findall(r"`([^`\n]+)`", outside) for option in options_in(code)}
    assert named <= real | {"--help", "-h", "-m", "--no-deps"}  # the last two are Python's and pip's


def test_the_example_of_settings_has_every_key_once_in_order_with_its_default() -> None:
    uncommented = re.sub(r"^#(?=[a-z])", "", EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    content = YAML(typ="safe").load(uncommented)
    defaults = Settings().model_dump(mode="json")
    assert list(content) == list(defaults)
    assert content == defaults


def test_the_example_of_settings_loads_as_it_is_and_uncommented(tmp_path: Path) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    uncommented = tmp_path / "scanner.yaml"
    uncommented.write_text(re.sub(r"^#(?=[a-z])", "", text, flags=re.MULTILINE), encoding="utf-8")
    assert load({}, {}, EXAMPLE) == Settings()
    assert load({}, {}, uncommented) == Settings()


def test_the_example_of_settings_is_not_read_as_it_lies_there() -> None:
    assert EXAMPLE.relative_to(ROOT) != DEFAULT_FILE
    assert EXAMPLE.name == f"{DEFAULT_FILE.name}.example"


def test_the_settings_of_the_guide_load(tmp_path: Path) -> None:
    (block,) = (block for block in blocks(CONFIG, "yaml") if block.startswith("role_name"))
    file = tmp_path / "scanner.yaml"
    file.write_text(block, encoding="utf-8")
    settings = load({}, {}, file)
    assert settings.exclude_account
    assert PREFIX in section(CONFIG, "Settings file and environment")


def test_the_exit_codes_are_those_of_the_program() -> None:
    assert firsts(tables(section(README, "Exit codes"))[0]) == [str(int(code)) for code in ExitCode]


# --- AWS ---

AWS = ROOT / "config/aws"


def statements() -> dict[str, dict[str, Any]]:
    """Every statement of the JSON policies under config/aws, by its Sid."""
    policies = [json.loads(file.read_bytes()) for file in sorted(AWS.glob("*.json"))]
    assert {policy["Version"] for policy in policies} == {"2012-10-17"}
    return {each["Sid"]: each for policy in policies for each in policy["Statement"]}


def needed(policy: str) -> dict[str, Any]:
    (statement,) = json.loads(policy)["Statement"]
    assert isinstance(statement, dict)
    return statement


def actions(statement: Mapping[str, Any]) -> list[str]:
    found = statement["Action"]
    return [found] if isinstance(found, str) else sorted(found)


@pytest.mark.parametrize(
    ("sid", "policy"),
    [
        ("ListAccounts", organizations_policy()),
        ("DelegateListing", organizations_policy()),
        ("AssumeMemberRoles", hub_policy("aws", "audit/IamScanner")),
        ("HubRole", hub_policy("aws", "audit/IamScanner")),
        ("OrganizationsRole", organizations_policy()),
        ("ReadOwnAccount", member_policy(full=True)),
        ("MemberRole", member_policy(full=True)),
    ],
)
def test_a_policy_allows_what_the_scan_needs_and_no_more(sid: str, policy: str) -> None:
    written, wanted = statements()[sid], needed(policy)
    assert actions(written) == actions(wanted)
    assert written["Effect"] == "Allow"
    assert written["Resource"] == wanted["Resource"]


def test_every_statement_is_compared_with_the_program() -> None:
    caller = {"ListAccounts", "AssumeMemberRoles", "ReadOwnAccount"}
    roles = {"DelegateListing", "HubRole", "OrganizationsRole", "MemberRole", "TrustTheScanner"}
    remediation = {"TrustTheRemediator", "ReadOrganization", "AssumeRemediationRole", "KeepTheDeny", "ReadUsers"}
    remediation |= {"ChangeUsers", "AttachTheDeny", "LeaveGroups", "DeleteDevices", "NeverTheScannersRoles"}
    archive = {"ListArchive", "AddToArchive", "UseArchiveKey"}  # tests/archive/test_access.py
    assert statements().keys() == caller | roles | remediation | archive  # remediation: tests/remediation/test_role.py


def test_the_guide_leads_to_every_file_for_aws() -> None:
    linked = set(re.findall(r"\]\(aws/([^)]+)\)", CONFIG))
    assert linked == {file.name for file in AWS.iterdir()}


def test_basic_needs_no_more_than_the_guide_says() -> None:
    assert actions(needed(member_policy(full=False))) == ["iam:ListUsers"]
    assert "With `--evidence basic`, `iam:ListUsers` alone is enough" in section(CONFIG, "The role in each account")


def test_the_template_makes_the_role_of_the_policies() -> None:
    (role,) = YAML(typ="safe").load((AWS / "member-role.yaml").read_text(encoding="utf-8"))["Resources"].values()
    made = role["Properties"]
    (policy,) = made["Policies"]
    (permission,) = policy["PolicyDocument"]["Statement"]
    (trust,) = made["AssumeRolePolicyDocument"]["Statement"]
    assert permission == statements()["MemberRole"]
    wanted = statements()["TrustTheScanner"]
    assert {key: trust[key] for key in ("Sid", "Effect", "Action")} == {
        key: wanted[key] for key in ("Sid", "Effect", "Action")
    }
    assert {name: list(test) for name, test in trust["Condition"].items()} == {
        name: list(test) for name, test in wanted["Condition"].items()
    }
    path = f"{made['Path']}{made['RoleName']}".lstrip("/")
    assert statements()["AssumeMemberRoles"]["Resource"].endswith(f":role/{path}")
    assert f"--role-name {path}" in CONFIG


# --- remediation ---


def test_the_table_of_options_has_those_of_remediate() -> None:
    """But for those that the sentence below it names, which are those of scan."""
    text = section(CONFIG, "Options of remediate")
    named = {option for row in tables(text)[0] for option in options_in(row[0])} | options_in(text.split("\n\n")[-2])
    named |= options_in(re.findall("^`--safelist.*?\\.", text, re.MULTILINE | re.DOTALL)[0])
    commands = [command for name, command in COMMANDS.items() if name.startswith("remediate ")]
    real = {option for command in commands for one in command.params for option in one.opts if option[:2] == "--"}
    assert named == real - {"--help"}


def test_every_reason_why_a_user_is_not_touched_is_explained() -> None:
    refused, failed = tables(section(CONFIG, "Who is refused"))
    assert [*firsts(refused), *firsts(failed)] == list(Reason)


def test_the_files_and_outcomes_are_those_of_a_plan() -> None:
    files, outcomes = tables(section(REPORTS, "What a plan leaves"))
    assert firsts(files) == [PLAN, PLAN_CSV, COMMANDS_SH, JOURNAL, RESULTS]
    assert firsts(outcomes) == list(RemediationOutcome)


def test_the_numbers_of_the_chapter_are_those_of_the_program() -> None:
    chapter = CONFIG.split("## Remove and quarantine users", 1)[1].split("\n## ")[0]
    for words in (
        f"refuse to touch more users than that at once ({MAX_USERS})",
        f"up to **{TOKEN_LIFE.total_seconds() / 3600:.0f}\n  hours**",
        f"last up to {SESSION_LIFE.total_seconds() / 3600:.0f} hours",
        f"used in the last {RECENT.days} days",
        f"a session policy of {LIMIT:,} characters",
    ):
        assert words in chapter
    assert (PLAN_LIFE.days, ATTACHED_POLICIES) == (7, 10)
    assert "seven days" in chapter
    assert "ten managed policies" in chapter


# --- safelists ---


def test_the_safelist_of_the_guide_is_valid_and_keeps_its_own_policy() -> None:
    safelist = parse([SafelistText(path="config/README.md", text=blocks(CONFIG, "yaml")[0])])
    assert [entry.invalid for entry in safelist.entries if entry.invalid] == []
    assert safelist.policy
    assert safelist.revocations


def test_the_selectors_are_those_of_the_program() -> None:
    assert firsts(tables(section(CONFIG, "What one says"))[0]) == list(Selector)


# --- what a run leaves ---


def test_the_columns_are_those_of_the_program_in_order() -> None:
    users, basis = tables(section(REPORTS, "Columns of iam-users.csv"))
    (accounts,) = tables(section(REPORTS, "Columns of accounts.csv"))
    assert firsts(users) == [column.key for column in USERS]
    assert firsts(accounts) == [column.key for column in ACCOUNTS]
    assert firsts(basis) == list(Basis)


def test_the_reference_has_every_way_to_become_administrator() -> None:
    below = section(REPORTS, "How a user could make itself an administrator")
    (ways,) = tables(below)
    assert firsts(ways) == [way.action for way in WAYS]
    assert [row[1].partition(";")[0].rstrip(" |") for row in ways] == [way.clause for way in WAYS]
    assert all(f"`{name}`" in below for name in WAYS_BY_AWS)


def test_the_files_are_those_of_a_run() -> None:
    assert set(firsts(tables(section(REPORTS, "What a run leaves"))[0])) == {*FILES, JOURNAL, MANIFEST}


def test_the_changes_are_those_of_the_program() -> None:
    """In the order in which `diff` tells them."""
    *_, changes = tables(section(REPORTS, "Compare two runs"))
    assert firsts(changes) == list(WORDS)


def test_the_sheets_are_those_of_the_workbook(run: Path) -> None:
    workbook = openpyxl.load_workbook(run / "iam-users.xlsx", read_only=True)
    assert firsts(tables(section(REPORTS, "Read the workbook"))[0]) == workbook.sheetnames
    workbook.close()


def test_the_keys_for_scripts_are_in_the_summary(run: Path) -> None:
    summary = json.loads((run / "summary.json").read_bytes())
    for key in firsts(tables(section(CONFIG, "For scripts"))[0]):
        value = summary
        for part in key.split("."):
            assert part in value, key
            value = value[part]


def test_every_reason_has_its_remedy() -> None:
    failed, skipped, _ = tables(section(REPORTS, "Troubleshooting"))
    assert firsts(failed) == list(FailReason)
    assert firsts(skipped) == list(SkipReason)


def test_messages_that_the_guide_quotes_are_the_programs() -> None:
    *_, messages = tables(section(REPORTS, "Troubleshooting"))
    source = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "scanner").rglob("*.py"))
    quoted = [row[0].strip("`") for row in messages if re.fullmatch("`[A-Z][^`]+`", row[0])]
    assert len(quoted) == 3
    assert [message for message in quoted if message not in source] == []
