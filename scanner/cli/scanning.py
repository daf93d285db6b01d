"""Runs a scan with its progress and its outcome; `scan` and `demo` share it."""

import asyncio
from dataclasses import dataclass

from scanner.cli import outcome
from scanner.cli.options import print_json, stderr, stdout
from scanner.cli.progress import ScanProgress
from scanner.errors import ExitCode
from scanner.publish import Published, publish
from scanner.report.summary import summary
from scanner.rule import exit_code
from scanner.scan.use_case import read_inputs, scan
from scanner.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    published: Published
    exit_code: ExitCode


def run_scan(settings: Settings, *, as_json: bool, quiet: bool) -> Ended:
    """Scan, render and show."""
    inputs = read_inputs(settings)
    with ScanProgress(stderr(), quiet=quiet) as progress:
        folder = asyncio.run(scan(inputs, progress))
        progress.says("Writing the reports")
        published = publish(folder, settings.format)
    show(published, as_json=as_json, quiet=quiet)
    return Ended(published=published, exit_code=exit_code(published.assessment))


def show(published: Published, *, as_json: bool, quiet: bool) -> None:
    """Show the outcome on stdout: as JSON, as a summary, or with `quiet` as the folder's path alone."""
    if as_json:
        print_json(summary(published.assessment))
    elif quiet:
        print(published.folder)  # noqa: T201  # the result
    else:
        outcome.show(published, stdout())
