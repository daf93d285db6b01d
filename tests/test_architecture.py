"""The house: pyproject.toml says which room may import which, and these tests hold code and documents to it."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from scanner.runs import folder as run_folder
from tests.aws_endpoint import running
from tests.conftest import BROKEN_AWS
from tests.program import scan, small_world
from tests.runs.recording import recorded

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "scanner"
MODULES = {
    ".".join(("scanner", *file.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__"): file
    for file in sorted(PACKAGE.rglob("*.py"))
}
LINTER: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]

# The emulator's packages, and the modules that run in its own process.
EMULATOR = {"moto", "flask", "werkzeug"}
EMULATOR_PROCESS = {"scanner.demo.fill", "scanner.demo.missing_calls", "scanner.demo.server"}
# Decide and compare: the same input gives the same output, on any day.
PURE = sorted(
    {name for name in MODULES if name.startswith("scanner.audit.")}
    | {"scanner.scan.scope", "scanner.safelist.match"}
    | {f"scanner.remediation.{name}" for name in ("plan", "refusals", "session_policy", "outcome", "commands_script")}
)
# The same name twice means the same thing: the command, and the room or step that it is about.
SHARED_NAMES = {"__init__", "accounts", "diff", "progress", "report", "review", "safelist", "scan", "verify"}


def imports_of(module: str) -> set[str]:
    """The top-level packages that a module imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            found.add(str(node.module).partition(".")[0])
    return found


# --- the rooms -------------------------------------------------------------------------------------------------------


def test_every_room_imports_only_what_it_may() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache", "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def layers() -> list[list[str]]:
    """The rooms from top to bottom, those beside each other together."""
    house = next(contract for contract in LINTER["contracts"] if contract["id"] == "house")
    return [[name.strip() for name in layer.split("|")] for layer in house["layers"]]


def purpose(room: str) -> str:
    """The first sentence of a room's docstring."""
    docstring = ast.get_docstring(ast.parse(MODULES[f"scanner.{room}"].read_text(encoding="utf-8")))
    assert docstring, f"scanner/{room} does not say what it is for"
    return " ".join(docstring.partition("\n\n")[0].split())


def test_contributing_shows_the_same_house() -> None:
    """The table lists the rooms as the layers do, each with the first paragraph of its docstring."""
    rows = [
        f"| `{room}/` | {purpose(room)} |" if (PACKAGE / room).is_dir() else f"| `{room}.py` | {purpose(room)} |"
        for layer in layers()
        for room in layer
    ]
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = re.search(r"\| room \| what it is for \|\n\| --- \| --- \|\n((?:\|.*\n)+)", contributing)
    assert table is not None
    assert table[1].splitlines() == rows, "CONTRIBUTING.md should have:\n" + "\n".join(rows)


def test_the_hall_is_small_and_each_file_is_a_room_that_one_can_overlook() -> None:
    assert len(list(PACKAGE.glob("*.py"))) <= 10
    lines = {name: len(file.read_text(encoding="utf-8").splitlines()) for name, file in MODULES.items()}
    assert {name: count for name, count in lines.items() if count > 400} == {}


def test_no_file_name_means_two_things() -> None:
    names = Counter(file.stem for file in MODULES.values())
    assert {name for name, count in names.items() if count > 1} <= SHARED_NAMES


# --- what no layer can say -------------------------------------------------------------------------------------------


def test_only_the_demo_s_own_process_imports_the_emulator() -> None:
    assert {module for module in MODULES if imports_of(module) & EMULATOR} == EMULATOR_PROCESS
    texts = {module: file.read_text(encoding="utf-8") for module, file in MODULES.items()}
    importers = {
        module
        for module, text in texts.items()
        if re.search(r"^\s*from scanner\.demo(\.| import )(fill|server)", text, re.MULTILINE)
    }
    assert importers <= EMULATOR_PROCESS


@pytest.mark.parametrize("module", PURE)
def test_a_pure_module_reads_no_clock_no_file_and_no_environment(module: str) -> None:
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    called = {func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "") for func in calls}
    clocks = {"now", "utcnow", "today", "time", "monotonic"}
    assert not called & (clocks | {"open", "read_text", "read_bytes", "getenv", "environ"})
    assert not imports_of(module) & {"os", "time", "random", "secrets", "pathlib"}


# --- what a command loads --------------------------------------------------------------------------------------------

SDK = {"aioboto3", "aiobotocore", "boto3", "botocore", "aiohttp"}
TABLES = {"pandas", "openpyxl"}
CHECKS = {"pydantic", "ruamel"}  # what settings, safelists and journals are checked by
HEAVY = SDK | TABLES | EMULATOR | CHECKS | {"asyncio"}


def loaded(program: str, *arguments: str) -> set[str]:
    """What of the heavy libraries a process has loaded at its end."""
    report = f"print(json.dumps([name for name in {sorted(HEAVY)} if name in sys.modules]), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", f"import json, sys\n{program}\n{report}", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stderr.splitlines()[-1]))


COMMAND = """
from scanner.cli.main import main
try:
    main()
except SystemExit as end:
    assert end.code in {0, 3, None}
"""


COMMANDS = """
from scanner.cli.main import main
unwanted, *lines = json.loads(sys.argv[1])
for line in lines:
    sys.argv = ["iam-scanner", *line]
    try:
        main()
    except SystemExit as end:
        assert end.code in {0, 3, None}, line
    loaded = [name for name in unwanted if name in sys.modules]
    assert not loaded, f"{line} loads {loaded}"
"""


def load_none_of(unwanted: set[str], *lines: Sequence[str]) -> None:
    """Run these command lines one after the other in one process; after none of them may one of these be loaded."""
    loaded(COMMANDS, json.dumps([sorted(unwanted), *lines]))


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_and_version_load_nothing_heavy(arguments: list[str]) -> None:
    """Half a second and more for what they need nothing of."""
    assert loaded(COMMAND, *arguments) == set()


def test_the_help_of_a_command_loads_nothing_heavy() -> None:
    reading = ("scan", "accounts", "safelist", "report", "evaluate", "users", "diff", "verify")
    commands = (*reading, "doctor", "role", "init", "archive", "review", "remediate", "demo")
    load_none_of(HEAVY - {"pydantic"}, *((command, "--help") for command in commands))  # pydantic: by Typer itself


def test_checking_a_safelist_loads_no_sdk_and_no_tables(tmp_path: Path) -> None:
    safelist = tmp_path / "nobody.yaml"
    safelist.write_text("version: 1\nglobal: []\n", encoding="utf-8")
    assert loaded(COMMAND, "safelist", "check", str(safelist)) <= CHECKS


def test_the_roles_are_printed_without_the_sdk() -> None:
    assert loaded(COMMAND, "role", "--quiet") <= CHECKS


def test_a_completion_and_the_table_of_users_load_no_sdk_and_no_tables(tmp_path: Path) -> None:
    """Tab is pressed while a line is typed, and a table for the terminal needs no frames."""
    run = run_folder.create(tmp_path, "20261123T164100Z-1a2b3c")
    recorded(run)
    assert not loaded(COMMAND, "users", str(run)) & (SDK | TABLES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("_IAM_SCANNER_COMPLETE", "complete_bash")
        patch.setenv("COMP_WORDS", f"iam-scanner\nscan\n-o\n{tmp_path}\n--ou\n")
        patch.setenv("COMP_CWORD", "5")
        completion = loaded(f"sys.argv = ['iam-scanner']{COMMAND}")
    assert not completion & (SDK | TABLES)


def test_what_is_recorded_is_read_without_the_aws_sdk(tmp_path: Path) -> None:
    """Reading, deciding, comparing and verifying a run need neither the SDK nor its third of a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        for name, value in BROKEN_AWS.items():
            patch.setenv(name, value)
        Path("nobody.yaml").write_text("version: 1\nglobal: []\n", encoding="utf-8")
        with running(small_world()) as endpoint:
            run = str(scan(endpoint, "--format", "csv").folder.resolve())
        output = ("--output", str(tmp_path / "again"), "--format", "csv")
        load_none_of(
            SDK,
            ("verify", run),
            ("safelist", "check", str(Path("nobody.yaml").resolve()), "--run", run),
            ("diff", run, run),
            ("users", run, "--json"),
            ("report", run, *output),
            ("evaluate", run, "--as-of", "2030-01-01", *output),
        )
