"""What every command has in common: its switches, and where its words go."""

import json
import logging
import os
import sys
from collections.abc import Collection, Mapping
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text
from typer.core import TyperArgument, TyperCommand, TyperGroup

from scanner.cli import completion
from scanner.errors import UsageError
from scanner.model import FailOn
from scanner.text import for_terminal, lines_for_terminal

if TYPE_CHECKING:
    from scanner.settings import Settings


def _without_types(parameters: list[Any]) -> list[Any]:
    """Typer shows `<bool>` behind a flag, as if one had to be given, and Python's types behind arguments."""
    for parameter in parameters:
        if getattr(parameter, "is_flag", False):
            parameter.metavar = ""
        elif isinstance(parameter, TyperArgument):
            parameter.display_type_rich = lambda **_: None  # type: ignore[method-assign]
    return parameters


def _in_paragraphs(text: str | None) -> str | None:
    """Join the lines of each paragraph: Typer would break them where the source does, and at the margin again."""
    return text and "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


class Command(TyperCommand):
    """A command whose --help shows no types of Python, and paragraphs as paragraphs."""

    def __init__(self, name: str | None, *, help: str | None = None, **settings: Any) -> None:
        super().__init__(name, help=_in_paragraphs(help), **settings)

    def get_params(self, ctx: Any) -> list[Any]:
        return _without_types(super().get_params(ctx))


class Group(TyperGroup):
    """The same for a group of commands."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _without_types(super().get_params(ctx))


AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document to stdout and nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print no progress, and only what was asked for.")]
Debug = Annotated[bool, typer.Option("--debug", help="Log failed attempts and failed accounts to stderr.")]

_SCOPE = "Scope"
_ACCESS = "Access"
_DECISION = "Evidence and decision"
_OUTPUT = "Output"
_ARCHIVE = "Archive"
_PACE = "Pace"


def option(panel: str, metavar: str, text: str, *names: str, completed_by: Any = None) -> Any:
    """Return an option whose default is written out, as the real one comes from the settings."""
    return typer.Option(
        *names, metavar=metavar, help=text, rich_help_panel=panel, show_default=False, autocompletion=completed_by
    )


def run_argument(metavar: str, what: str) -> Any:
    """Return an argument that takes a run."""
    return typer.Argument(metavar=metavar, help=f"{what}: {RUN_WORDS}", autocompletion=completion.runs)


def choice(panel: str, text: str, *values: str, name: str = "--format") -> Any:
    """Return an option that takes these values alone."""
    return option(panel, "|".join(values), text, name, completed_by=completion.one_of(*values))


RUN_WORDS = "its folder, its ID under --output or how that begins, or latest."

Run = Annotated[str, run_argument("RUN", "The run")]
Ou = Annotated[
    list[str] | None,
    option(_SCOPE, "ID|PATH", "Only this OU and all below it; repeatable.", completed_by=completion.ous),
]
ExcludeOu = Annotated[
    list[str] | None,
    option(_SCOPE, "ID|PATH", "Leave this OU and all below it out; repeatable.", completed_by=completion.ous),
]
AccountIds = Annotated[
    list[str] | None, option(_SCOPE, "ID", "Only this account; repeatable.", completed_by=completion.accounts)
]
ExcludeAccount = Annotated[
    list[str] | None, option(_SCOPE, "ID", "Leave this account out; repeatable.", completed_by=completion.accounts)
]
AccountsFile = Annotated[
    str | None,
    option(_SCOPE, "FILE.csv", "Accounts from a CSV (account_id, account_name, ou_path), not AWS Organizations."),
]
Profile = Annotated[str | None, option(_ACCESS, "NAME", "Profile of the AWS configuration.")]
RoleName = Annotated[
    str | None,
    option(
        _ACCESS, "NAME", "Role to assume in each account; may hold a path.  \\[default: OrganizationAccountAccessRole]"
    ),
]
ExternalId = Annotated[str | None, option(_ACCESS, "ID", "External ID that the member roles require.")]
SessionName = Annotated[
    str | None, option(_ACCESS, "NAME", "Role session name, as CloudTrail shows it.  \\[default: iam-scanner]")
]
OrganizationsRoleArn = Annotated[str | None, option(_ACCESS, "ARN", "Role to read AWS Organizations with.")]
HubRoleArn = Annotated[str | None, option(_ACCESS, "ARN", "Role to assume the member roles from.")]
NoSessionPolicy = Annotated[
    bool,
    typer.Option(
        "--no-session-policy",
        help="Do not narrow the assumed roles to the calls that they are for.",
        rich_help_panel=_ACCESS,
        show_default=False,
    ),
]
Evidence = Annotated[
    str | None,
    choice(
        _DECISION,
        "full: credentials, groups and policies too; basic: ListUsers alone.  \\[default: full]",
        *("full", "basic"),
        name="--evidence",
    ),
]
Safelists = Annotated[
    list[str] | None,
    option(
        _DECISION,
        "PATH",
        "Safelist file or folder; repeatable.  \\[default: config/safelists]",
        completed_by=completion.safelists,
    ),
]
Into = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Safelist file that takes the changes; needed where there are several.",
        autocompletion=completion.safelist_files,
    ),
]
Write = Annotated[bool, typer.Option("--write", help="Make the changes, not only show them.")]
AsOf = Annotated[
    str | None, option(_DECISION, "DATE", "Judge approvals on this day, YYYY-MM-DD.  \\[default: today, UTC]")
]
OtherSafelists = Annotated[
    list[str] | None,
    option(
        _DECISION,
        "PATH",
        "Safelist file or folder to decide by; repeatable.  \\[default: the run's own]",
        completed_by=completion.safelists,
    ),
]
FailOnValues = Annotated[
    list[str] | None,
    option(
        _DECISION,
        "VALUE",
        "What makes the exit code 3; repeatable: unapproved, none, new, recreated, renamed, newly-unapproved, "
        "privilege-gained, not-previously-scanned.  \\[default: unapproved]",
        "--fail-on",
        completed_by=completion.one_of(*FailOn),
    ),
]
OtherDay = Annotated[
    str | None, option(_DECISION, "DATE", "Judge approvals on this day, YYYY-MM-DD.  \\[default: the run's own]")
]
DormantDays = Annotated[
    int | None, option(_DECISION, "N", "Days without use after which a credential is dormant.  \\[default: 45]")
]
Output = Annotated[
    str | None, option(_OUTPUT, "DIR", "Folder that holds the runs.  \\[default: reports]", "--output", "-o")
]
Formats = Annotated[
    list[str] | None,
    choice(
        _OUTPUT,
        "Report to write; repeatable.  \\[default: xlsx and csv]",
        *("xlsx", "csv", "json", "ocsf"),
    ),
]
AccountOwners = Annotated[
    str | None, option(_OUTPUT, "FILE.csv", "CSV of who owns each account (account_id, account_owner).")
]
AccountOwnerTag = Annotated[
    str | None,
    option(
        _OUTPUT, "KEY", "Tag of accounts in AWS Organizations that names the owner where --account-owners does not."
    ),
]
Archive = Annotated[
    str | None,
    option(_ARCHIVE, "s3://BUCKET/PREFIX", "Archive that keeps the runs and the ledger; nothing in it is overwritten."),
]
ArchiveRoleArn = Annotated[str | None, option(_ARCHIVE, "ARN", "Role to read and write the archive with.")]
ArchiveKmsKey = Annotated[
    str | None, option(_ARCHIVE, "KEY", "KMS key to encrypt with.  \\[default: as the bucket encrypts]")
]
Previous = Annotated[
    str | None,
    option(
        _OUTPUT,
        "RUN|none",
        "Run to compare with.  \\[default: the newest complete one of the same organization that covers the scope]",
        completed_by=completion.runs_to_compare,
    ),
]
Resume = Annotated[
    str | None,
    option(
        _PACE,
        "RUN",
        "Resume an interrupted or incomplete run: only accounts that were not read are called.",
        completed_by=completion.runs_to_resume,
    ),
]
Concurrency = Annotated[
    int | None,
    option(_PACE, "N", "Maximum concurrent accounts and calls; fewer while AWS throttles.  \\[default: 64]"),
]
AccountTimeout = Annotated[
    int | None, option(_PACE, "SECONDS", "Time for each account, retries included.  \\[default: 120]")
]
Config = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Settings file.  \\[default: config/scanner.yaml, if any]", show_default=False),
]


def log_to_stderr(debug: bool) -> None:
    """Show the program's own log with --debug, and no log at all without.

    Never the SDK's, which writes tokens and request bodies: its loggers are not below ours.
    """
    shown = logging.StreamHandler(sys.stderr)
    shown.setFormatter(_Harmless())
    ours = logging.getLogger("scanner")
    ours.propagate = False
    ours.handlers = [shown if debug else logging.NullHandler()]
    ours.setLevel(logging.DEBUG)
    # Without a handler, Python itself would print its warnings, with what a credential_process wrote in them.
    logging.getLogger("aiobotocore").handlers = [logging.NullHandler()]


class _Harmless(logging.Formatter):
    """A server chooses the codes and messages in the log, and in tracebacks."""

    def format(self, record: logging.LogRecord) -> str:
        return lines_for_terminal(super().format(record))


def print_json(document: Any) -> None:
    """Print the one document; ASCII, so that it is valid whatever the terminal's encoding."""
    sys.stdout.write(json.dumps(document, indent=2, default=date.isoformat) + "\n")
    sys.stdout.flush()


def literal_console(**options: Any) -> Console:
    """Return a console that shows text as it is: rich takes [red], [link=...] and :name: in it for its own."""
    return Console(highlight=False, markup=False, emoji=False, **options)


def stdout() -> Console:
    return literal_console()


def stderr() -> Console:
    return literal_console(stderr=True)


def check_installed(formats: Collection[str]) -> None:
    """Refuse a format whose package is missing before anything is called or written; raise `UsageError`."""
    if "ocsf" in formats and find_spec("py_ocsf_models") is None:
        raise UsageError(
            "--format ocsf needs a package that is not installed: py-ocsf-models. "
            "Install iam-scanner again, with its extra ocsf beside those that it has: pipx install --force "
            "'PATH[demo,ocsf]' or python -m pip install 'PATH[ocsf]', where PATH is its wheel or its source folder. "
            "A job that installs pins takes requirements-all.txt in place of requirements.txt."
        )


def find_run(run: str, output: Path, *, quiet: bool, finished: bool = True) -> Path:
    """The folder that RUN names. Where RUN is short for it, stderr says which one was taken.

    Raises `UsageError` as `runs.folder.find`, which says what RUN may be.
    """
    from scanner.runs import folder as runs  # keeps --help quick

    folder = runs.find(run, output, finished=finished)
    if not quiet and folder.name != Path(run).name:
        newest = runs.all_under(output)[-1]
        later = "" if run != runs.LATEST or newest == folder else f" The later run {newest.name} is not finished."
        stderr().print(Text(for_terminal(f"{run} is run {folder.name}.{later}")), soft_wrap=True)
    return folder


def settings(parameters: Mapping[str, Any]) -> "Settings":
    """The settings in force, from the parameters of a command: every command takes them in this way.

    Raises `FaultsError` with all that is wrong in the settings file, the environment and the options.
    """
    from scanner.settings import load  # keeps --help quick

    return load(given(parameters), os.environ, parameters.get("config"))


def given(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The options that are settings and were given."""
    from scanner.settings import Settings  # keeps --help quick

    options = {key: value for key, value in parameters.items() if key in Settings.model_fields}
    if parameters.get("no_session_policy"):
        options["session_policy"] = False
    return {key: value for key, value in options.items() if value not in (None, (), [])}
