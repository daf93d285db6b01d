"""`iam-scanner demo`: the very same scan, on an embedded AWS emulator with a sample organization."""

import contextlib
import os
import shlex
import shutil
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from scanner.cli import options
from scanner.cli.shells import PROGRAM
from scanner.text import for_terminal

if TYPE_CHECKING:
    from scanner.demo import Demo

TO_TRY = (
    "iam-scanner accounts",
    "iam-scanner doctor",
    "iam-scanner scan --ou Root/Workloads/Prod",
    "iam-scanner safelist explain --account 557302918845 --user cc-rds-manger",
)
NOT_AWS = (
    "The emulator is not AWS: it lets every role be assumed, whatever its name and external ID, so doctor finds no\n"
    "fault of a role here. In a folder of your own, such as a repository that init lays out, the settings there count."
)


def demo_command(
    context: typer.Context,
    *,
    serve: Annotated[bool, typer.Option("--serve", help="Keep the emulator up to play with, until Ctrl-C.")] = False,
    output: options.Output = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Scan a sample organization on an embedded AWS emulator: no AWS account is needed, and none is touched.

    Example: iam-scanner demo --serve
    """
    from scanner.cli.scan_to_reports import run_scan
    from scanner.demo import sample, write_settings
    from scanner.settings import load

    options.log_to_stderr(debug)
    settings = load(options.given(context.params), {}, Path(os.devnull))  # whatever the user's own settings say
    if serve:  # what is printed here is for another shell, in another folder
        settings = settings.with_(output=settings.output.absolute())
    if not quiet:
        options.stderr().print("Starting the embedded AWS emulator with a sample organization ...")
    with sample(datetime.now(UTC).date()) as demo:
        files = demo.write_files(settings.output / "demo")
        folder = write_settings(files, settings.output) if serve else None
        if files.kept and not quiet:
            words = f"The sample begins anew: {files.safelist} as it was is kept as {files.kept.name}."
            options.stderr().print(Text(for_terminal(words)), soft_wrap=True)
        with demo.applied():
            settings = settings.with_(safelist=(files.safelist,), account_owners=files.account_owners)
            rendered = run_scan(settings, quiet=quiet)

        from scanner.cli.screen.scan_outcome import print_outcome  # by now it is loaded

        print_outcome(rendered, as_json=as_json, quiet=quiet)
        if folder is not None:
            _serve(demo, folder)
        elif not quiet and shutil.which(PROGRAM) is None and (to_program := _way_to_program()):
            options.stderr().print(f"\nTo run {PROGRAM} in this shell: {to_program}", soft_wrap=True)


def _serve(demo: "Demo", folder: Path) -> None:
    """Say how to use the emulator from another shell, in a folder that has the sample's settings; wait for Ctrl-C."""
    to_program = _way_to_program()
    to_paste = [f"cd {shlex.quote(str(folder))}", *([to_program] if to_program else []), *demo.shell_lines()]
    options.stderr().print(
        "\nThe emulator stays up until Ctrl-C. To use it, paste this into another shell:\n",
        *(f"  {line}" for line in to_paste),
        "\nThen try there, for example:\n",
        *(f"  {command}" for command in TO_TRY),
        f"\n{NOT_AWS}",
        "",
        sep="\n",
        soft_wrap=True,
    )
    with contextlib.suppress(KeyboardInterrupt):
        signal.pause()


def _way_to_program() -> str | None:
    """What puts this program, which may be on this PATH alone, on that of a shell; None where it has no folder."""
    programs = Path(sys.executable).parent
    to_programs = f'export PATH="$PATH":{shlex.quote(str(programs))}'  # at the end: there is a `python` in it, too
    return to_programs if (programs / PROGRAM).exists() else None
