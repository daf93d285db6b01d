"""`iam-scanner demo`: the very same scan, on an embedded AWS emulator with a sample organization."""

import contextlib
import json
import os
import shlex
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scanner.cli import options

if TYPE_CHECKING:
    from scanner.demo import Demo, SampleFiles

TO_TRY = (
    "iam-scanner accounts",
    "iam-scanner doctor",
    "iam-scanner scan --ou Root/Workloads/Prod",
    "iam-scanner safelist explain --account 557302918845 --user cc-rds-manger",
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
    from scanner.demo import sample
    from scanner.settings import load

    options.log_to_stderr(debug)
    settings = load(options.given(context.params), {}, Path(os.devnull))  # whatever the user's own settings say
    if not quiet:
        options.stderr().print("Starting the embedded AWS emulator with a sample organization ...")
    with sample(datetime.now(UTC).date()) as demo:
        files = demo.write_files(settings.output / "demo")
        with demo.applied():
            settings = settings.with_(safelist=(files.safelist,), account_owners=files.account_owners)
            rendered = run_scan(settings, quiet=quiet)

        from scanner.cli.screen.scan_outcome import print_outcome  # by now it is loaded

        print_outcome(rendered, as_json=as_json, quiet=quiet)
        if serve:
            _serve(demo, files, settings.output)


def _serve(demo: "Demo", files: "SampleFiles", output: Path) -> None:
    to_paste = [*_way_here(files), *demo.shell_lines(_sample_settings(files, output))]
    options.stderr().print(
        "\nThe emulator stays up until Ctrl-C. To use it, paste this into another shell:\n",
        *(f"  {line}" for line in to_paste),
        "\nThen try there, for example:\n",
        *(f"  {command}" for command in TO_TRY),
        "",
        sep="\n",
        soft_wrap=True,
    )
    with contextlib.suppress(KeyboardInterrupt):
        signal.pause()


def _way_here(files: "SampleFiles") -> list[str]:
    """To a folder without a settings file of the user's own, and to this program, which may be on this PATH alone."""
    programs = Path(sys.executable).parent
    to_programs = f'export PATH="$PATH":{shlex.quote(str(programs))}'  # at the end: there is a `python` in it, too
    return [
        f"cd {shlex.quote(str(files.safelist.parent.absolute()))}",
        *([to_programs] if (programs / "iam-scanner").exists() else []),
    ]


def _sample_settings(files: "SampleFiles", output: Path) -> dict[str, str]:
    """What the scan here was told by settings, as variables of the environment; lists are JSON."""
    from scanner.settings import PREFIX

    return {
        f"{PREFIX}OUTPUT": str(output.absolute()),
        f"{PREFIX}SAFELIST": json.dumps([str(files.safelist.absolute())]),
        f"{PREFIX}ACCOUNT_OWNERS": str(files.account_owners.absolute()),
    }
