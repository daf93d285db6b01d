"""`iam-scanner demo`: the very same scan, on an embedded AWS emulator with a sample organization."""

import contextlib
import os
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scanner.cli import options

if TYPE_CHECKING:
    from scanner.demo import Demo


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
            run_scan(
                settings.with_(safelist=(files.safelist,), account_owners=files.account_owners),
                as_json=as_json,
                quiet=quiet,
            )
        if serve:
            _serve(demo)


def _serve(demo: "Demo") -> None:
    lines = "\n".join(f"  {line}" for line in demo.shell_lines())
    options.stderr().print(
        f"\nThe emulator stays up until Ctrl-C. To use it, paste this into another shell:\n\n{lines}\n",
        soft_wrap=True,
    )
    with contextlib.suppress(KeyboardInterrupt):
        signal.pause()
