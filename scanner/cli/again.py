"""The options of a command line, as a further command needs them."""

import shlex
from collections.abc import Collection

import typer

from scanner.text import for_terminal

# How it was to print, what confirmed it, and how much it was to look at.
_OWN = frozenset({"as_json", "quiet", "debug", "execute", "yes", "every", "quarantine"})
_HIDDEN = frozenset({"external_id"})  # a secret


def typed(context: typer.Context, *, but: Collection[str] = (), only: Collection[str] | None = None) -> str:
    """The options that were typed, each with a space before it, to be put behind a command."""
    return "".join(f" {option}" for option in typed_options(context, but=but, only=only))


def typed_options(
    context: typer.Context, *, but: Collection[str] = (), only: Collection[str] | None = None
) -> list[str]:
    """The options that were typed, each with its value; those that settings give are found there again.

    The external ID is not repeated: three dots say that it is to be given.
    """
    words: list[str] = []
    for parameter in context.command.params:
        name = parameter.name or ""
        source = context.get_parameter_source(name)
        is_wanted = name not in {*_OWN, *but} and (only is None or name in only)
        option = next((form for form in parameter.opts if form.startswith("--")), None)
        if option is None or not is_wanted or source is None or source.name != "COMMANDLINE":
            continue
        value = context.params[name]
        if getattr(parameter, "is_flag", False):
            words.append(option)
        else:
            values = value if isinstance(value, list | tuple) else [value]
            words += [f"{option} {'...' if name in _HIDDEN else shlex.quote(str(each))}" for each in values]
    return [for_terminal(word) for word in words]
