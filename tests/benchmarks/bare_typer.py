"""A Typer app with the program's commands, options and help texts, and nothing in them, to compare its start with.

python -m tests.benchmarks.bare_typer FILE writes it from the program's own signatures: it imports Typer alone.
"""

import inspect
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import typer
from typer.models import ParameterInfo

from scanner.cli.main import app

_TOLD = ("metavar", "help", "rich_help_panel", "show_default")


def source() -> str:
    """Return the app as a module's text."""
    return "\n".join(
        [
            "import pathlib",
            "from typing import Annotated",
            "import typer",
            *_app("app", app),
            'app(prog_name="iam-scanner")',
        ]
    )


def _app(name: str, made: typer.Typer) -> Iterator[str]:
    info = made.info
    yield f"{name} = typer.Typer(name={_plain(info.name)!r}, help={_plain(info.help)!r}, no_args_is_help=True)"
    for command in made.registered_commands:
        assert command.callback is not None
        yield f"@{name}.command({command.name!r})"
        yield from _function(command.callback)
    for number, group in enumerate(made.registered_groups):
        assert group.typer_instance is not None
        yield from _app(f"{name}_{number}", group.typer_instance)
        yield f"{name}.add_typer({name}_{number})"
    if made.registered_callback and made.registered_callback.callback:
        yield f"@{name}.callback()"
        yield from _function(made.registered_callback.callback)


def _function(callback: Callable[..., Any]) -> Iterator[str]:
    hints = get_type_hints(callback, include_extras=True)
    told = inspect.signature(callback).parameters.items()
    kept = [_parameter(name, hints[name], each.default) for name, each in told if get_origin(hints[name]) is Annotated]
    yield f"def {callback.__name__}({', '.join(['*', *kept] if kept else [])}) -> None:"
    yield f"    {inspect.getdoc(callback)!r}"


def _parameter(name: str, hint: Any, default: Any) -> str:
    kind, info = get_args(hint)
    assert isinstance(info, ParameterInfo)
    word = type(info).__name__.removesuffix("Info")
    told = [repr(each) for each in getattr(info, "param_decls", None) or ()]
    told += [f"{each}={getattr(info, each)!r}" for each in _TOLD]
    given = "" if default is inspect.Parameter.empty else f" = {default!r}"
    plain = re.sub(r"scanner[\w.]+", "str", inspect.formatannotation(kind))  # of an enum of ours: it imports none
    return f"{name}: Annotated[{plain}, typer.{word}({', '.join(told)})]{given}"


def _plain(value: Any) -> str | None:
    return value if isinstance(value, str) else None


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(source(), encoding="utf-8")
