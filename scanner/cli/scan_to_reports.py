"""Run or resume a scan, with its progress, up to its reports: for `scan` and `demo`."""

import asyncio
import shlex
from collections.abc import Collection, Mapping
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from scanner import __version__
from scanner.archive.transfer import push
from scanner.cli.options import check_installed, stderr
from scanner.cli.screen.progress import ScanProgress
from scanner.cli.screen.stage_progress import StageProgress
from scanner.cli.stopping import stoppable
from scanner.errors import FaultsError, InterruptedRunError, OutputError, ScannerError, UsageError
from scanner.report.words import many
from scanner.runs import folder as run_folder
from scanner.scan.prepare import read_inputs
from scanner.scan.resume import inputs_of, resume, resume_with_reports
from scanner.scan.scan import scan
from scanner.settings import Settings

if TYPE_CHECKING:
    from scanner.report.render import Rendered

OUTCOME = "scanner.cli.screen.scan_outcome"  # and pandas with it
WRITERS = {"xlsx": "scanner.report.workbook.assemble", "ocsf": "scanner.report.ocsf"}  # and their libraries


def run_scan(settings: Settings, *, quiet: bool) -> "Rendered":
    """Scan and render."""
    check_installed(settings.format)
    inputs = read_inputs(settings)
    with ScanProgress(stderr(), quiet=quiet) as progress:
        _load_reports_meanwhile(settings.format)
        folder = asyncio.run(stoppable(scan(inputs, progress), "No account was entered, and nothing was written."))
        progress.says("Writing the reports")
        return _report(folder, settings.format)


def resume_scan(folder: Path, changes: Mapping[str, object], *, quiet: bool) -> "Rendered":
    """Resume a run and render it; a run that lacks nothing but its reports is rendered without calling AWS."""
    begun = run_folder.read_begun(folder)
    if begun.whole and run_folder.is_sealed(folder):
        raise UsageError(f"The run {folder} is complete: there is nothing to resume.")
    inputs = inputs_of(begun, changes)
    check_installed(inputs.settings.format)
    with ScanProgress(stderr(), quiet=quiet) as progress:
        progress.says(f"Resuming {folder}: {many(len(begun.read), 'account')} already read")
        if begun.torn:
            progress.notes("The last line of its journal was cut off when it stopped; that line was dropped.")
        if begun.header.program_version != __version__:
            progress.notes(f"It was started by iam-scanner {begun.header.program_version}; this is {__version__}.")
        _load_reports_meanwhile(inputs.settings.format)
        rest = resume_with_reports(folder, begun) if begun.whole else resume(folder, begun, inputs, progress)
        asyncio.run(stoppable(rest, f"The run was not changed. Resume it with: {run_folder.resume_command(folder)}"))
        progress.says("Writing the reports")
        return _report(folder, inputs.settings.format)


def archive_scan(rendered: "Rendered", changes: Mapping[str, object], *, quiet: bool) -> None:
    """Put a run that has just ended into the archive, if there is one, and the ledger with it.

    Raises `ScannerError`, with the command that tries again, where that does not come to its end.
    """
    settings = rendered.assessment.record.header.settings.with_(**changes)
    if settings.archive is None:
        return
    folder = rendered.folder
    output = folder.parent  # and not that of the settings: a run may be resumed in another place than it was begun in
    command = ("iam-scanner", "archive", "push", str(folder), "--output", str(output))
    again = shlex.join([*command, "--archive", settings.archive])
    rest = f"The run is kept in {folder}. Archive it with: {again}"
    with StageProgress(stderr(), quiet=quiet) as progress:
        try:
            pushed = asyncio.run(stoppable(push(settings, folder, output, progress), rest))
        except InterruptedRunError:
            raise
        except FaultsError as error:  # a ledger that has forked; the command will show what to do
            raise ScannerError(f"{' '.join(map(str, error.faults))} {rest}") from error
        except (ScannerError, OSError) as error:
            raise ScannerError(f"{error} {rest}") from error
        progress.notes(f"The run is in the archive: {pushed.uri}")


def _load_reports_meanwhile(formats: Collection[str]) -> None:
    """Import what the reports need while the network is waited for: a third of a second that nobody waits for."""

    def load() -> None:
        for module in (OUTCOME, *(WRITERS[name] for name in formats if name in WRITERS)):
            import_module(module)

    Thread(target=load, daemon=True).start()


def _report(folder: Path, formats: Collection[str]) -> "Rendered":
    """Render and seal; where that does not come to its end, say how to do it again."""
    from scanner.report.render import render_run

    rest = f"What was read is kept. Write the reports with: {run_folder.resume_command(folder)}"
    try:
        return render_run(folder, formats)
    except KeyboardInterrupt:
        raise InterruptedRunError(f"Interrupted while the reports were written. {rest}") from None
    except OutputError as error:
        raise OutputError(f"{error} {rest}") from error
