"""The documents, and how their blocks, sections and tables are read."""

import re
import tomllib
from pathlib import Path
from typing import Any

import typer

from scanner.cli.main import app

ROOT = Path(__file__).parents[1]
DOCUMENTS = (
    "README.md",
    "config/README.md",
    "config/examples/README.md",
    "reports/README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
)
TEXTS = {name: (ROOT / name).read_text(encoding="utf-8") for name in DOCUMENTS}
README, CONFIG, REPORTS = TEXTS["README.md"], TEXTS["config/README.md"], TEXTS["reports/README.md"]
GUIDES = {"README.md": README, "config/README.md": CONFIG, "reports/README.md": REPORTS}
CONTRIBUTING = TEXTS["CONTRIBUTING.md"]
EXAMPLE = ROOT / "config/scanner.yaml.example"
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


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
