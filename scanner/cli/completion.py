"""What Tab offers: runs, the newest first, and the values of options that take no others.

A completion is quick, and silent whatever is wrong: an error would land in the line that is being typed.
"""

import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.markup import escape

from scanner.cli.shells import Offer
from scanner.text import for_terminal

if TYPE_CHECKING:
    from scanner.record import Listing
    from scanner.settings import Settings

NOT_FINISHED = "not finished"
DESCRIBED = 50  # the newest runs are offered with what they found; older ones by name alone


@dataclass(frozen=True, slots=True)
class _Run:
    name: str
    status: str = ""  # "": not looked at, or not readable
    text: str = ""

    @property
    def offer(self) -> Offer:
        return self.name, self.text


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


def safelists(context: typer.Context) -> list[Offer]:
    """What --safelist may be: the safelists that the settings name, by folder and by file."""
    with suppress(Exception):
        folders = [place for place in _settings(context).safelist if place.is_dir()]
        return [*((str(folder), "all safelists in it") for folder in folders), *safelist_files(context)]
    return []


def safelist_files(context: typer.Context) -> list[Offer]:
    """What --into may be: the files among them."""
    with suppress(Exception):
        from scanner.safelist.read import files_of

        return [(str(file), "") for place in _settings(context).safelist for file in files_of(place, [])]
    return []


def accounts(context: typer.Context) -> list[Offer]:
    """What an account may be: those that the newest run listed, with their names."""
    with suppress(Exception):
        return [(account.id, _plain(account.name)) for account in _listing(context).accounts]
    return []


def ous(context: typer.Context) -> list[Offer]:
    """What an OU may be: those that the newest run listed, by their paths, and by their IDs."""
    with suppress(Exception):
        found = _listing(context).ous
        by_path = [(ou.path, ou.id or "") for ou in found if ou.addressable]
        return [*by_path, *((ou.id, _plain(ou.path)) for ou in found if ou.id)]
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


def _listing(context: typer.Context) -> "Listing":
    """What the newest run found in the organization, of those that got so far."""
    from scanner.runs.folder import all_under, read_listing

    listings = map(read_listing, all_under(_output(context))[::-1])
    return next(listing for listing in listings if listing is not None)


def _output(context: typer.Context) -> Path:
    """The folder that holds the runs: --output where it is typed already, else as the settings have it."""
    typed = context.params.get("output")
    return Path(typed) if typed else _settings(context).output


def _settings(context: typer.Context) -> "Settings":
    from scanner.settings import load

    return load({}, os.environ, context.params.get("config"))


def _plain(text: str) -> str:
    """A name that others chose, beside a value: on one line, and no markup, which Typer would take for its own."""
    return escape(for_terminal(text))


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
