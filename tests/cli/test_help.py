"""`--help` of the program and of each command."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main

from scanner.cli.main import app
from scanner.settings import Settings
from tests.program import program


def commands(command: Any, *names: str) -> Iterator[tuple[str, ...]]:
    yield names
    for name, below in getattr(command, "commands", {}).items():
        yield from commands(below, *names, name)


PROGRAM = typer.main.get_command(app)
ALL = sorted(commands(PROGRAM))


def command(names: tuple[str, ...]) -> Any:
    found: Any = PROGRAM
    for name in names:
        found = found.commands[name]
    return found


def shown(names: tuple[str, ...]) -> str:
    done = program(*names, "--help")
    assert done.exit_code == 0
    return done.out


def test_these_are_all_commands() -> None:
    assert {" ".join(names) for names in ALL} == {
        *("", "scan", "accounts", "doctor", "report", "evaluate", "users", "diff", "verify", "role", "init", "demo"),
        *("archive", "archive push", "archive pull"),
        *("safelist", "safelist check", "safelist explain", "safelist import", "review", "review import"),
        *("remediate", "remediate plan", "remediate apply", "remediate undo", "remediate status"),
    }


@pytest.mark.parametrize("names", ALL, ids=" ".join)
def test_help_shows_an_example(names: tuple[str, ...]) -> None:
    command_line = " ".join(("iam-scanner", *names))
    assert re.search(rf"Example.*: {command_line}( |$)", shown(names), re.MULTILINE)


@pytest.mark.parametrize("names", ALL, ids=" ".join)
def test_help_shows_no_types_of_python(names: tuple[str, ...]) -> None:
    """Such as <bool> behind a flag, as if one had to be given."""
    assert re.findall(r"<(?!run id>|8 digits>)[^>]*>|\b(?:bool|str|Path|list)\b", shown(names)) == []


@pytest.mark.parametrize("names", ALL, ids=" ".join)
def test_a_flag_takes_no_value_and_an_option_names_its_own(names: tuple[str, ...]) -> None:
    text = shown(names)
    options = [option for option in command(names).params if option.opts[0].startswith("--")]
    for option in options:
        (line,) = re.findall(rf"^\W*{option.opts[0]} +(?:-\w +)?(.*)$", text, re.MULTILINE)
        starts = "" if option.is_flag else f"{option.metavar or option.display_type_rich(ctx=None)}  "
        assert line.startswith(starts), line
        assert not option.is_flag or line.startswith(option.help.split()[0]), line


@pytest.mark.parametrize("names", ALL, ids=" ".join)
def test_a_paragraph_is_broken_at_the_margin_alone(names: tuple[str, ...]) -> None:
    text = command(names).help
    for paragraph in text.split("\n\n"):
        assert "\n" not in paragraph
        assert paragraph in shown(names)


def test_the_help_of_scan_has_the_defaults_of_the_settings() -> None:
    """They are written there by hand, as --help does not wait for the settings to be loaded."""
    helps = {option.name: option.help for option in command(("scan",)).params}
    defaults = {key: value for key, value in Settings() if value and key in helps}
    assert len(defaults) == 10
    for key, default in defaults.items():
        values = default if isinstance(default, tuple) else (default,)
        assert helps[key].endswith(f"\\[default: {' and '.join(map(str, values))}]"), key
