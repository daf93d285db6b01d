"""Runs a scan, or goes on with one, with its progress and its outcome; `scan` and `demo` share it."""

import asyncio
import signal
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from scanner import run
from scanner.cli import outcome
from scanner.cli.options import print_json, stderr, stdout
from scanner.cli.progress import ScanProgress
from scanner.errors import ExitCode, InterruptedRunError, UsageError
from scanner.publish import Published, publish
from scanner.report.summary import summary
from scanner.rule import exit_code
from scanner.scan.use_case import go_on, inputs_of, read_inputs, scan
from scanner.settings import Settings

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    published: Published
    exit_code: ExitCode


def run_scan(settings: Settings, *, as_json: bool, quiet: bool) -> Ended:
    """Scan, render and show."""
    inputs = read_inputs(settings)
    with ScanProgress(stderr(), quiet=quiet) as progress:
        folder = asyncio.run(_stoppable(scan(inputs, progress)))
        progress.says("Writing the reports")
        published = publish(folder, settings.format)
    return _ended(published, as_json=as_json, quiet=quiet)


def resume_scan(folder: Path, pace: Mapping[str, object], *, as_json: bool, quiet: bool) -> Ended:
    """Go on with a run, render and show; a run that lacks nothing but its reports is rendered without calling AWS."""
    begun = run.read_begun(folder)
    if begun.whole and run.is_sealed(folder):
        raise UsageError(f"The run {folder} is complete: there is nothing to go on with.")
    inputs = inputs_of(begun, pace)
    with ScanProgress(stderr(), quiet=quiet) as progress:
        progress.says(f"Going on with {folder}: {len(begun.read):,} accounts are read")
        if begun.torn:
            progress.notes("The last line of its journal was cut off when it stopped; that line was dropped.")
        if not begun.whole:
            asyncio.run(_stoppable(go_on(folder, begun, inputs, progress)))
        progress.says("Writing the reports")
        published = publish(folder, inputs.settings.format)
    return _ended(published, as_json=as_json, quiet=quiet)


def _ended(published: Published, *, as_json: bool, quiet: bool) -> Ended:
    show(published, as_json=as_json, quiet=quiet)
    return Ended(published=published, exit_code=exit_code(published.assessment))


async def _stoppable(work: Coroutine[None, None, T]) -> T:
    """Let SIGINT and SIGTERM cancel the work once, so that it can bring its journal to an end."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        raise InterruptedRunError("Interrupted.") from None
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def show(published: Published, *, as_json: bool, quiet: bool) -> None:
    """Show the outcome on stdout: as JSON, as a summary, or with `quiet` as the folder's path alone."""
    if as_json:
        parts = {"parts": outcome.parts(published)} if published.parts else {}
        print_json(summary(published.assessment) | parts)
    elif quiet:
        print(published.folder)  # noqa: T201  # the result
    else:
        outcome.show(published, stdout())
