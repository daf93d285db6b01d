"""`iam-scanner demo`: the very same scan, on an embedded AWS emulator with a sample organization."""

import contextlib
import os
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scanner.cli.options import AsJson, Debug, Output, Quiet, log_to_stderr, stderr

if TYPE_CHECKING:
    from scanner.demo import Demo


def demo_command(
    *,
    serve: Annotated[bool, typer.Option("--serve", help="Keep the emulator up to play with, until Ctrl-C.")] = False,
    output: Output = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Scan a sample organization on an embedded AWS emulator: no AWS account is needed, and none is touched.

    Example: iam-scanner demo --serve
    """
    from scanner.demo import sample

    log_to_stderr(debug)
    if not quiet:
        stderr().print("Starting the embedded AWS emulator with a sample organization ...")
    with sample(datetime.now(UTC).date()) as demo:
        _scan(demo, output, as_json=as_json, quiet=quiet)
        if serve:
            _serve(demo)


def _scan(demo: "Demo", output: Path | None, *, as_json: bool, quiet: bool) -> None:
    from scanner.cli.scanning import run_scan
    from scanner.settings import Settings, load

    root = output or Settings().output
    files = demo.write_files(root / "demo")
    with demo.applied():
        settings = load(
            {"safelist": (files.safelist,), "account_owners": files.account_owners, "output": root},
            {},
            Path(os.devnull),
        )
        run_scan(settings, as_json=as_json, quiet=quiet)


def _serve(demo: "Demo") -> None:
    lines = "\n".join(f"  {line}" for line in demo.shell_lines())
    typer.echo(
        f"\nThe emulator stays up until Ctrl-C. To use it, paste this into another shell:\n\n{lines}\n", err=True
    )
    with contextlib.suppress(KeyboardInterrupt):
        signal.pause()
