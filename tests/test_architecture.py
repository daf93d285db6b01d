"""The arrows between the rooms, read from the imports: each room knows only the rooms below it."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "scanner"
MODULES = {
    ".".join(("scanner", *file.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__"): file
    for file in sorted(PACKAGE.rglob("*.py"))
}

SDK = {"aioboto3", "aiobotocore", "boto3", "botocore", "aiohttp"}
TABLES = {"pandas", "openpyxl"}
EMULATOR = {"moto", "flask", "werkzeug"}
PURE = (
    "scanner.audit.rule",
    "scanner.audit.diff",
    "scanner.audit.triage",
    "scanner.audit.credential_use",
    "scanner.scan.scope",
    "scanner.safelist.match",
)


@cache
def tree_of(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


@cache
def imports_of(module: str) -> frozenset[str]:
    """Every module that this one imports, anywhere; `from a import b` counts as `a`, or `a.b` where that is one."""
    found: set[str] = set()
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            source = str(node.module)
            whole = {f"{source}.{name.name}" for name in node.names}
            found |= {name for name in whole if name in MODULES}
            if source != "scanner" or not whole <= MODULES.keys():
                found.add(source)
    return frozenset(found)


def ours(module: str) -> set[str]:
    return {name for name in imports_of(module) if name.partition(".")[0] == "scanner"} - {"scanner"}


def foreign(module: str) -> set[str]:
    return {name.partition(".")[0] for name in imports_of(module)} - {"scanner"}


def reached(module: str) -> set[str]:
    """The modules of ours that are loaded with this one, itself among them."""
    seen: set[str] = set()
    left = [module]
    while left:
        at = left.pop()
        if at not in seen:
            seen.add(at)
            left += [name for name in ours(at) if name in MODULES]
    return seen


def within(module: str, *rooms: str) -> bool:
    return any(module == room or module.startswith(f"{room}.") for room in rooms)


def outside(*rooms: str) -> Iterator[str]:
    return (module for module in MODULES if not within(module, *rooms))


def test_the_imports_are_read_as_they_are() -> None:
    """The reader itself: what is known of one module."""
    assert {"scanner.runs.journal", "scanner.errors", "scanner.files"} <= ours("scanner.runs.folder")
    assert "pandas" in {name for module in MODULES for name in foreign(module)}
    assert "scanner.safelist.types" in reached("scanner.audit.rule")
    assert len(MODULES) > 50


def test_nothing_but_the_entrance_imports_the_command_line() -> None:
    assert {
        module for module in outside("scanner.cli") if any(within(name, "scanner.cli") for name in ours(module))
    } == {"scanner.__main__"}


@pytest.mark.parametrize("leaf", ["scanner.model", "scanner.errors", "scanner.text", "scanner.files"])
def test_a_leaf_imports_nothing_of_ours(leaf: str) -> None:
    assert ours(leaf) == set()


@pytest.mark.parametrize("module", ["scanner.model", "scanner.errors"])
def test_the_words_of_the_program_import_the_standard_library_alone(module: str) -> None:
    assert foreign(module) <= sys.stdlib_module_names


def test_nothing_but_aws_knows_the_sdk() -> None:
    assert {module for module in outside("scanner.aws") if foreign(module) & SDK} == set()


def test_nothing_but_report_knows_tables() -> None:
    """The review reads the workbook back."""
    assert {module for module in outside("scanner.report", "scanner.review") if foreign(module) & TABLES} == set()


def test_nothing_but_the_demo_s_own_process_knows_the_emulator() -> None:
    assert {module for module in MODULES if foreign(module) & EMULATOR} == {"scanner.demo.fill", "scanner.demo.server"}
    loaded = {name for module in outside("scanner.demo.fill", "scanner.demo.server") for name in ours(module)}
    assert not loaded & {"scanner.demo.fill", "scanner.demo.server"}


@pytest.mark.parametrize("module", PURE)
def test_a_pure_room_reaches_no_sdk_and_no_tables(module: str) -> None:
    everything = {name for each in reached(module) for name in foreign(each)}
    assert not everything & (SDK | TABLES | EMULATOR | {"typer", "rich", "asyncio"})
    assert not any(
        within(each, "scanner.aws", "scanner.report", "scanner.cli", "scanner.demo") for each in reached(module)
    )


CLOCKS = {"now", "utcnow", "today", "time", "monotonic"}


@pytest.mark.parametrize("module", PURE)
def test_a_pure_room_reads_no_clock_no_file_and_no_environment(module: str) -> None:
    calls = [node.func for node in ast.walk(tree_of(module)) if isinstance(node, ast.Call)]
    called = {func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "") for func in calls}
    assert not called & (CLOCKS | {"open", "read_text", "read_bytes", "getenv", "environ"})
    assert not foreign(module) & {"os", "time", "random", "secrets", "pathlib"}


def test_formats_are_not_known_where_runs_are_kept() -> None:
    for module in ("scanner.runs.folder", "scanner.runs.journal"):
        assert not any(within(name, "scanner.report", "scanner.aws", "scanner.scan") for name in reached(module))


def test_reports_do_not_reach_aws_or_the_scan() -> None:
    for module in MODULES:
        if within(module, "scanner.report"):
            assert not any(within(name, "scanner.aws", "scanner.scan", "scanner.cli") for name in reached(module)), (
                module
            )


def test_a_review_does_not_reach_aws_or_the_scan() -> None:
    """Its ledger reaches nothing else of the review either, as the scan and the reports read it."""
    for module in MODULES:
        if within(module, "scanner.review"):
            assert not any(within(name, "scanner.aws", "scanner.scan", "scanner.cli") for name in reached(module)), (
                module
            )
    assert reached("scanner.runs.ledger") <= {
        "scanner.runs.ledger",
        "scanner.errors",
        "scanner.model",
        "scanner.text",
    }


def test_aws_does_not_know_what_it_is_asked_for() -> None:
    for module in MODULES:
        if within(module, "scanner.aws"):
            rooms = (
                "scanner.scan",
                "scanner.report",
                "scanner.safelist",
                "scanner.audit.rule",
                "scanner.runs.folder",
                "scanner.settings",
            )
            assert not any(within(name, *rooms) for name in reached(module)), module


def test_no_module_imports_itself_by_a_detour() -> None:
    for module in MODULES:
        assert not any(module in reached(name) for name in ours(module) if name in MODULES and name != module), module


CHECKS = {"pydantic", "ruamel"}  # what settings, safelists and journals are checked by
HELP = SDK | TABLES | EMULATOR | CHECKS | {"asyncio"}


def loaded(program: str, *arguments: str) -> set[str]:
    """What of the heavy libraries a process has loaded at its end."""
    told = f"print(json.dumps([name for name in {sorted(HELP)} if name in sys.modules]), file=sys.stderr)"
    program = f"import json, sys\n{program}\n{told}"
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True, cwd=PACKAGE.parent
    )
    return set(json.loads(done.stderr))


COMMAND = "from scanner.cli.main import main\ntry:\n    main()\nexcept SystemExit as end:\n    assert not end.code"


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_and_version_load_nothing_heavy(arguments: list[str]) -> None:
    """Half a second and more for what they need nothing of."""
    assert loaded(COMMAND, *arguments) == set()


@pytest.mark.parametrize("command", ["scan", "accounts", "safelist", "report", "verify", "demo"])
def test_the_help_of_a_command_loads_nothing_heavy(command: str) -> None:
    assert loaded(COMMAND, command, "--help") <= {"pydantic"}  # by Typer itself


def test_checking_a_safelist_loads_no_sdk_and_no_tables(tmp_path: Path) -> None:
    safelist = tmp_path / "nobody.yaml"
    safelist.write_text("version: 1\nglobal: []\n", encoding="utf-8")
    assert loaded(COMMAND, "safelist", "check", str(safelist)) <= CHECKS


def test_a_report_without_a_workbook_loads_no_workbook() -> None:
    assert loaded("import scanner.cli.scanning") >= {"pandas", "aioboto3"}
    assert "openpyxl" not in loaded("import scanner.cli.scanning")
