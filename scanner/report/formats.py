"""The files of a report: each appears whole or not at all, and for its owner alone."""

import json
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import BinaryIO, Final

from scanner.errors import OutputError
from scanner.files import partial_of, whole
from scanner.model import SplitBy
from scanner.report.changes import DIFFERENCES, changed
from scanner.report.frames import accounts_table, differences_frame, users_table
from scanner.report.summary import summary
from scanner.report.tables import write_csv, write_json
from scanner.report.view import View

Writer = Callable[[View, BinaryIO], None]

FLIPS: Final = "flips.csv"  # only of a what-if, and always of that


def write(view: View, folder: Path, formats: Collection[str]) -> list[Path]:
    """Write the files for these formats, and those that belong to every run, into the folder.

    A file that is there already is replaced at once, never written over. Raises OutputError where that fails.
    """
    flips = (FLIPS,) if any(run.assessment.flips is not None for run in view.runs) else ()
    return [_write_whole(folder / name, WRITERS[name], view) for name in (*names(formats), *flips)]


def names(formats: Collection[str]) -> list[str]:
    """The files that `write` writes for these formats."""
    return [name for name, needed in FILES.items() if needed is None or needed in formats]


def remove_others(folder: Path, kept: Collection[Path]) -> None:
    """Remove the files of an earlier rendering, of the whole run or in parts, but for those that are written now.

    What was begun and not ended is removed, too.

    Touches no other file, and no folder that holds one.
    """
    parts = [part for by in SplitBy for part in folder.glob(f"{parts_folder(by)}/*")]
    try:
        for path in (place / name for place in (folder, *parts) for name in FILES):
            partial_of(path).unlink(missing_ok=True)
            if path not in kept:
                path.unlink(missing_ok=True)
        for place in (*parts, *(folder / parts_folder(by) for by in SplitBy)):
            if place.is_dir() and not any(place.iterdir()):
                place.rmdir()
    except OSError as problem:
        why = problem.strerror or problem
        raise OutputError(f"Cannot remove {problem.filename}, of an earlier report: {why}.") from problem


def parts_folder(by: SplitBy) -> str:
    return f"by-{by}"


def write_users_csv(view: View, out: BinaryIO) -> None:
    write_csv(*users_table(view), out)


def write_accounts_csv(view: View, out: BinaryIO) -> None:
    write_csv(*accounts_table(view), out)


def write_flips_csv(view: View, out: BinaryIO) -> None:
    write_csv(DIFFERENCES, differences_frame(changed(view.assessment.flips or ())), out)


def write_users_json(view: View, out: BinaryIO) -> None:
    write_json(*users_table(view), out)


def write_ocsf(view: View, out: BinaryIO) -> None:
    from scanner.report import ocsf  # noqa: PLC0415  # its library is in an extra, and no other format needs it

    ocsf.write_ocsf(view, out)


def write_summary(view: View, out: BinaryIO) -> None:
    out.write(json.dumps(summary(view), indent=2).encode("ascii") + b"\n")


def write_workbook(view: View, out: BinaryIO) -> None:
    from scanner.report.workbook import assemble  # noqa: PLC0415  # openpyxl takes a fifth of a second, and CSV needs none

    assemble.write_workbook(view, out)


WRITERS: Mapping[str, Writer] = {
    "iam-users.xlsx": write_workbook,
    "iam-users.csv": write_users_csv,
    "accounts.csv": write_accounts_csv,
    "iam-users.json": write_users_json,
    "iam-users.ocsf.jsonl": write_ocsf,
    "summary.json": write_summary,
    FLIPS: write_flips_csv,
}

# Which format asks for a file; None: always written.
FILES: Mapping[str, str | None] = {
    "iam-users.xlsx": "xlsx",
    "iam-users.csv": "csv",
    "accounts.csv": None,
    "iam-users.json": "json",
    "iam-users.ocsf.jsonl": "ocsf",
    "summary.json": None,
}


def _write_whole(path: Path, writer: Writer, view: View) -> Path:
    try:
        with whole(path) as out:
            writer(view, out)
    except OSError as problem:
        why = problem.strerror or problem
        raise OutputError(f"Cannot write {path}: {why}. Free disk space, or make the folder writable.") from problem
    return path
