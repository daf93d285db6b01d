"""The documents are true: their commands run, and their tables say what the program does, all of it and nothing else.

The README's commands run against the demo's emulator, in a folder as a newcomer would have it.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import typer
from ruamel.yaml import YAML

from scanner.aws.identity import hub_policy, member_policy, organizations_policy
from scanner.cli.main import app
from scanner.demo import ORGANIZATION_ID, Demo
from scanner.errors import ExitCode
from scanner.model import Basis, FailReason, Selector, SkipReason
from scanner.record import SafelistText
from scanner.report.changes import WORDS
from scanner.report.columns import ACCOUNTS, USERS
from scanner.report.formats import FILES
from scanner.report.render import Rendered
from scanner.runs.folder import JOURNAL, MANIFEST
from scanner.safelist.entries import parse
from scanner.settings import DEFAULT_FILE, PREFIX, Settings, load
from tests.demo_fixture import sample_organization
from tests.program import program
from tests.readme_picture import PICTURE, picture, scanned, words

__all__ = ["sample_organization"]

ROOT = Path(__file__).parents[1]
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "reports/README.md")
TEXTS = {name: (ROOT / name).read_text(encoding="utf-8") for name in DOCUMENTS}
README, CONTRIBUTING = TEXTS["README.md"], TEXTS["CONTRIBUTING.md"]
EXAMPLE = ROOT / "config/scanner.yaml.example"
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

RECORDED = "20261123T164100Z-1a2b3c"  # the run id that the documents use
LATER = "20270222T081500Z-4d5e6f"  # and that of a later run
DONE = {ExitCode.OK, ExitCode.UNAPPROVED}  # the command did what it is for

# First words of commands that are not run, and why.
NOT_RUN = {
    "aws": "another program, and it needs an AWS account",
    "pipx": "it downloads packages; its extras are held against pyproject.toml",
    "make": "it would run these very tests; its targets are held against the Makefile",
}
RUN_BY_A_SHELL = {"cp", "mkdir", "printf", "sha256sum"}
ONLY_PARSED = (
    ["demo", "--serve"],  # it serves until Ctrl-C
    [
        "scan",
        "--resume",
        "20261123T164100Z-1a2b3c",
    ],  # the run here is complete; tests/cli/test_resume.py goes on with some
)


# --- reading the documents -------------------------------------------------------------------------------------------


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def lines(block: str) -> list[str]:
    """The commands of a block, continued lines joined."""
    return [line for line in block.replace("\\\n", " ").splitlines() if line.strip()]


def section(text: str, heading: str) -> str:
    """What stands below a heading, up to the next one."""
    return re.split(r"^#+ ", text.split(f"# {heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def tables(text: str) -> list[list[list[str]]]:
    """Each table as rows of cells, without its head."""
    found = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    return [
        [[cell.strip() for cell in row.strip("|").split(" | ")] for row in table.splitlines()[2:]] for table in found
    ]


def firsts(rows: list[list[str]]) -> list[str]:
    """The first column of a table, as it is said in code."""
    return [row[0].strip("` |") for row in rows]


def commands() -> dict[str, Any]:
    """Every command by its whole name: "scan", "safelist check"."""
    found: dict[str, Any] = {}

    def walk(group: Any, names: tuple[str, ...]) -> None:
        for name, command in group.commands.items():
            if hasattr(command, "commands"):
                walk(command, (*names, name))
            else:
                found[" ".join((*names, name))] = command

    walk(typer.main.get_command(app), ())
    return found


COMMANDS = commands()


def command_of(arguments: list[str]) -> tuple[str, list[str]]:
    """The command that these arguments name, and what is left of them."""
    for words_ in (2, 1):
        if (name := " ".join(arguments[:words_])) in COMMANDS:
            return name, arguments[words_:]
    raise AssertionError(f"there is no command {' '.join(arguments[:2])!r}")


def parses(arguments: list[str]) -> None:
    """Have the command line parsed, without running anything."""
    name, rest = command_of(arguments)
    with COMMANDS[name].make_context(name, rest):
        pass


# --- the place where the commands run --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def place(sample_organization: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a newcomer's folder holds after the demo, a first safelist and a list of accounts."""
    folder = tmp_path_factory.mktemp("newcomer")
    shutil.copytree(ROOT / "config", folder / "config", ignore=shutil.ignore_patterns("*.yaml"))
    safelist = blocks(README, "yaml")[1].replace("o-a1b2c3d4e5", ORGANIZATION_ID)
    (folder / "config/safelists/safelist.yaml").write_text(safelist, encoding="utf-8")
    (folder / "accounts.csv").write_text(
        "account_id,account_name,ou_path\n557190284613,payments-prod,Root/Workloads/Prod/Payments\n", encoding="utf-8"
    )
    profile = {key.lower(): value for key, value in sample_organization.emulator.credentials.items()}
    (folder / "aws-config").write_text(
        "\n".join(["[profile audit]", *(f"{key} = {value}" for key, value in profile.items())]), encoding="utf-8"
    )
    return folder


@pytest.fixture(scope="module")
def published(sample_organization: Demo, place: Path) -> Rendered:
    return scanned(sample_organization, place)


@dataclass(frozen=True)
class Newcomer:
    """Somebody who types a document's commands, one after the other."""

    variables: pytest.MonkeyPatch

    def types(self, line: str) -> None:
        said = shlex.split(line)
        match said[0]:
            case "iam-scanner":
                self._calls(said[1 : said.index(">")] if ">" in said else said[1:])
            case "export":
                self.variables.setenv(*said[1].split("=", 1))
            case "make":
                assert said[1] in targets(), line
            case "pipx":
                extras = re.findall(r"\[(.*)\]", line)
                assert set(extras) <= PROJECT["project"]["optional-dependencies"].keys(), line
            case name if name in RUN_BY_A_SHELL:
                subprocess.run(line, shell=True, check=True, timeout=10)
            case name:
                assert name in NOT_RUN, f"{line}: say in NOT_RUN why it is not run, or run it"

    def _calls(self, arguments: list[str]) -> None:
        if arguments in ONLY_PARSED:
            parses(arguments)
            return
        done = program(*arguments)
        assert done.exit_code in DONE, f"iam-scanner {shlex.join(arguments)}: {done.err}"


@pytest.fixture
def newcomer(
    sample_organization: Demo, place: Path, published: Rendered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Newcomer]:
    folder = tmp_path / "checkout"
    shutil.copytree(place, folder)
    for run_id in (RECORDED, LATER):
        shutil.copytree(folder / published.folder, folder / Settings().output / run_id)
    monkeypatch.chdir(folder)
    with sample_organization.applied():
        monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "aws-config"))
        yield Newcomer(monkeypatch)


def targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


# --- commands --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(block, id=f"{name}-{lines(block)[-1][:60]}")
        for name, text in TEXTS.items()
        for block in blocks(text, "sh")
    ],
)
def test_the_commands_of_a_document_run(newcomer: Newcomer, block: str) -> None:
    for line in lines(block):
        newcomer.types(line)


def test_the_readme_runs_each_kind_of_command() -> None:
    run = [shlex.split(line) for block in blocks(README, "sh") for line in lines(block)]
    assert {command_of(said[1:])[0] for said in run if said[0] == "iam-scanner" and said[1] != "--version"} == set(
        COMMANDS
    )
    assert {said[1] for said in run if said[0] == "make"} == {"demo", "test"}


@pytest.mark.parametrize("name", COMMANDS)
def test_help_shows_an_example_that_parses(name: str) -> None:
    example = re.search(r"Example: iam-scanner (.+)", COMMANDS[name].help)
    assert example, "it shows none"
    arguments = shlex.split(example[1])
    assert command_of(arguments)[0] == name
    parses(arguments)


@pytest.mark.parametrize("name", TEXTS)
def test_a_document_names_only_commands_that_there_are(name: str) -> None:
    code = "\n".join([*re.findall(r"`([^`\n]+)`", TEXTS[name]), *blocks(TEXTS[name], "sh")])
    for named in re.findall(r"iam-scanner ([a-z]+(?: [a-z]+)?)", code):
        command_of(named.split())


@pytest.mark.parametrize("name", TEXTS)
def test_a_document_names_only_make_targets_that_there_are(name: str) -> None:
    assert set(re.findall(r"`make ([a-z]+)", TEXTS[name])) <= targets()


def test_contributing_names_every_make_target() -> None:
    assert set(firsts(tables(section(CONTRIBUTING, "Set-up"))[0])) == {f"make {target}" for target in targets()}


# --- options, settings, exit codes -----------------------------------------------------------------------------------

OPTIONS = tables(section(README, "Options"))[0]


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


def test_options_that_the_readme_names_are_there() -> None:
    every: list[Any] = [typer.main.get_command(app), *COMMANDS.values()]
    real = {option for each in every for one in each.params for option in (*one.opts, *one.secondary_opts)}
    outside = re.sub(r"^```.*?^```$", "", README, flags=re.MULTILINE | re.DOTALL)
    named = {option for code in re.findall(r"`([^`\n]+)`", outside) for option in options_in(code)}
    assert named <= real | {"--help", "-h", "-m"}  # -m is Python's


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


def test_the_settings_of_the_readme_load(tmp_path: Path) -> None:
    (block,) = (block for block in blocks(README, "yaml") if block.startswith("role_name"))
    file = tmp_path / "scanner.yaml"
    file.write_text(block, encoding="utf-8")
    settings = load({}, {}, file)
    assert settings.exclude_account
    assert PREFIX in section(README, "Settings file and environment")


def test_the_exit_codes_are_those_of_the_program() -> None:
    assert firsts(tables(section(README, "Exit codes"))[0]) == [str(int(code)) for code in ExitCode]


# --- AWS -------------------------------------------------------------------------------------------------------------


def statements() -> dict[str, dict[str, Any]]:
    """Every statement of the README's JSON policies, by its Sid."""
    policies = [json.loads(block) for block in blocks(README, "json")]
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
        ("ReadOwnAccount", member_policy(full=True)),
        ("MemberRole", member_policy(full=True)),
    ],
)
def test_a_policy_allows_what_the_scan_needs_and_no_more(sid: str, policy: str) -> None:
    written, wanted = statements()[sid], needed(policy)
    assert actions(written) == actions(wanted)
    assert written["Effect"] == "Allow"
    assert written["Resource"] == wanted["Resource"]


def test_every_statement_of_the_readme_is_held_against_the_program() -> None:
    known = {"ListAccounts", "DelegateListing", "AssumeMemberRoles", "ReadOwnAccount", "MemberRole", "TrustTheScanner"}
    assert statements().keys() == known


def test_basic_needs_no_more_than_the_readme_says() -> None:
    assert actions(needed(member_policy(full=False))) == ["iam:ListUsers"]
    assert "With `--evidence basic`, `iam:ListUsers` alone is enough" in section(README, "3. Give each account a role")


def test_the_template_makes_the_role_of_the_policies() -> None:
    (role,) = YAML(typ="safe").load(blocks(README, "yaml")[0])["Resources"].values()
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
    assert f"--role-name {path}" in README


# --- safelists -------------------------------------------------------------------------------------------------------


def test_the_safelist_of_the_readme_is_valid_and_keeps_its_own_policy() -> None:
    safelist = parse([SafelistText(path="README.md", text=blocks(README, "yaml")[1])])
    assert [entry.invalid for entry in safelist.entries if entry.invalid] == []
    assert safelist.policy
    assert safelist.revocations


def test_the_selectors_are_those_of_the_program() -> None:
    assert firsts(tables(section(README, "Safelists"))[0]) == list(Selector)


# --- what a run leaves -----------------------------------------------------------------------------------------------


def test_the_columns_are_those_of_the_program_in_order() -> None:
    users, basis = tables(section(README, "Columns of iam-users.csv"))
    (accounts,) = tables(section(README, "Columns of accounts.csv"))
    assert firsts(users) == [column.key for column in USERS]
    assert firsts(accounts) == [column.key for column in ACCOUNTS]
    assert firsts(basis) == list(Basis)


def test_the_files_are_those_of_a_run() -> None:
    assert set(firsts(tables(section(README, "What a run leaves"))[0])) == {*FILES, JOURNAL, MANIFEST}


def test_the_changes_are_those_of_the_program() -> None:
    """In the order in which `diff` tells them."""
    *_, changes = tables(section(README, "Options"))
    assert firsts(changes) == list(WORDS)


def test_the_sheets_are_those_of_the_workbook(place: Path, published: Rendered) -> None:
    workbook = openpyxl.load_workbook(place / published.folder / "iam-users.xlsx", read_only=True)
    assert firsts(tables(section(README, "Read the workbook"))[0]) == workbook.sheetnames
    workbook.close()


def test_the_keys_for_scripts_are_in_the_summary(place: Path, published: Rendered) -> None:
    summary = json.loads((place / published.folder / "summary.json").read_bytes())
    for key in firsts(tables(section(README, "For scripts"))[0]):
        value = summary
        for part in key.split("."):
            assert part in value, key
            value = value[part]


def test_every_reason_has_its_remedy() -> None:
    failed, skipped, _ = tables(section(README, "Troubleshooting"))
    assert firsts(failed) == list(FailReason)
    assert firsts(skipped) == list(SkipReason)


def test_messages_that_the_readme_quotes_are_the_programs() -> None:
    *_, messages = tables(section(README, "Troubleshooting"))
    source = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "scanner").rglob("*.py"))
    quoted = [row[0].strip("`") for row in messages if re.fullmatch("`[A-Z][^`]+`", row[0])]
    assert len(quoted) == 3
    assert [message for message in quoted if message not in source] == []


# --- the documents themselves ----------------------------------------------------------------------------------------


def anchors(text: str) -> set[str]:
    """The anchors of a document's headings, as the usual renderers make them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", TEXTS)
def test_links_within_the_repository_lead_somewhere(name: str) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", TEXTS[name]):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        file = (ROOT / name).parent / path if path else ROOT / name
        assert file.exists(), link
        if anchor:
            assert anchor in anchors(file.read_text(encoding="utf-8")), link


def test_contributing_says_why_each_dependency_is_there() -> None:
    rows = [name for table in tables(section(CONTRIBUTING, "Dependencies")) for name in firsts(table)]
    project = PROJECT["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["demo"], *PROJECT["dependency-groups"]["dev"]]
    assert rows == [re.split("[=<>]", each)[0] for each in wanted]


def test_the_picture_shows_what_a_scan_prints(published: Rendered) -> None:
    drawn = words(PICTURE.read_text(encoding="utf-8"))
    assert drawn == words(picture(published)), "draw it again: python -m tests.readme_picture"
    assert f"({PICTURE.relative_to(ROOT)})" in README


def test_the_picture_fetches_nothing_and_names_no_path_of_a_machine() -> None:
    drawn = PICTURE.read_text(encoding="utf-8")
    assert re.findall(r"https?://[^\"]+", drawn) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"(?<![\w…])/\w+/\w+/", "\n".join(words(drawn)))
    assert os.sep + ROOT.name + os.sep not in drawn
