"""What Tab offers: runs, the newest first, and the values of options that take no others.

A completion is quick, and silent whatever is wrong: an error would land in the line that is being typed.
"""

import json
import os
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import typer

VARIABLE = "_IAM_SCANNER_COMPLETE"  # the shell asks by setting it
VARIABLE_OF_BASH = "COMP_WORDS"
NOT_FINISHED = "not finished"
DESCRIBED = 50  # the newest runs are offered with what they found; older ones by name alone

Offer = tuple[str, str]  # a value, and what it is


@dataclass(frozen=True, slots=True)
class _Run:
    name: str
    status: str = ""  # "": not looked at, or not readable
    text: str = ""

    @property
    def offer(self) -> Offer:
        return self.name, self.text


def answer(program: Callable[..., object]) -> None:
    """Let the program answer the shell, which asks by variables, and never say what went wrong."""
    with suppress(Exception):
        if VARIABLE_OF_BASH in os.environ:
            _join_options(os.environ)
        program(prog_name="iam-scanner", complete_var=VARIABLE)


def _join_options(environment: MutableMapping[str, str]) -> None:
    """Take out the "=" of `--output=DIR`, which bash hands over as three words, where Typer knows two."""
    words, current = environment[VARIABLE_OF_BASH].split("\n"), int(environment["COMP_CWORD"])
    signs = [at for at in range(1, current) if words[at] == "=" and words[at - 1].startswith("--")]
    environment[VARIABLE_OF_BASH] = "\n".join(word for at, word in enumerate(words) if at not in signs)
    environment["COMP_CWORD"] = str(current - len(signs))


def one_of(*values: str) -> Callable[[], list[str]]:
    """What completes an option that takes these values alone."""
    return lambda: list(values)


def runs(context: typer.Context) -> list[Offer]:
    """What RUN may be: `latest`, or a run under --output."""
    found = _runs(context)
    latest = [("latest", "the newest finished run")] if any(run.status != NOT_FINISHED for run in found) else []
    return [*latest, *(run.offer for run in found)]


def runs_to_resume(context: typer.Context) -> list[Offer]:
    """What --resume may be: of the newest runs those that lack something; `latest` if that is one of them."""
    found = _runs(context)[:DESCRIBED]
    lacking = [run for run in found if run.status not in {"", "COMPLETE"}]
    latest = [("latest", "the newest run")] if lacking and lacking[0] is found[0] else []
    return [*latest, *(run.offer for run in lacking)]


def runs_to_compare(context: typer.Context) -> list[Offer]:
    """What --previous may be."""
    return [*runs(context), ("none", "compare with no run")]


def plans(context: typer.Context) -> list[Offer]:
    """What PLAN may be: the plans under --output, the newest first."""
    with suppress(Exception):
        from scanner.remediation.plan_folder import all_under

        newest_first = all_under(_output(context))[::-1]
        return [(folder.name, f"of run {folder.parent.name.rpartition('-')[0]}") for folder in newest_first]
    return []


def _runs(context: typer.Context) -> list[_Run]:
    """The runs, the newest first."""
    with suppress(Exception):  # what is wrong with the settings, the command says once it is run
        from scanner.runs.folder import all_under  # keeps --help quick

        newest_first = all_under(_output(context))[::-1]
        return [
            *map(_described, newest_first[:DESCRIBED]),
            *(_Run(folder.name) for folder in newest_first[DESCRIBED:]),
        ]
    return []


def _output(context: typer.Context) -> Path:
    """The folder that holds the runs: --output where it is typed already, else as the settings have it."""
    from scanner.settings import load

    typed = context.params.get("output")
    return Path(typed) if typed else load({}, os.environ, context.params.get("config")).output


def _described(folder: Path) -> _Run:
    """A run with its day and outcome, by its summary alone."""
    from scanner.runs.folder import is_sealed

    try:
        day = date.fromisoformat(folder.name[:8]).isoformat()
        if not is_sealed(folder):
            return _Run(folder.name, NOT_FINISHED, f"{day}, {NOT_FINISHED}")
        summary = json.loads((folder / "summary.json").read_bytes())
        status, users = str(summary["status"]), summary["users"]
        found = f"{users['unapproved']:,} of {users['found']:,} users unapproved"
    except (OSError, ValueError, LookupError, TypeError):
        return _Run(folder.name)
    return _Run(folder.name, status, f"{day}, {status}, {found}")
