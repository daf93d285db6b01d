"""What an evaluation was made from: enough to make it again from the run's journal, which stays the only record."""

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import StringConstraints, TypeAdapter, ValidationError

from scanner import __version__
from scanner.errors import OutputError, UsageError
from scanner.files import open_regular, whole
from scanner.record import Record, SafelistText
from scanner.runs.folder import EVALUATION, JOURNAL

SCHEMA_VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Which run was decided again, by what, and for which day."""

    schema_version: Literal[1]
    program_version: str
    run_id: str
    journal_sha256: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]  # of the run's journal at that time
    as_of: date
    safelists: tuple[SafelistText, ...]


_EVALUATION = TypeAdapter(Evaluation)


def folder_name(run: str, record: Record) -> str:
    """A name for each what-if of a run, and the same one always the same: "<run id>-evaluated-<8 digits>"."""
    asked = [record.header.as_of.isoformat(), *([safelist.path, safelist.text] for safelist in record.header.safelists)]
    return f"{run}-evaluated-{hashlib.sha256(json.dumps(asked).encode('ascii')).hexdigest()[:8]}"


def write(folder: Path, record: Record) -> None:
    """Note what was decided by; raise `OutputError` where that cannot be written."""
    noted = Evaluation(
        schema_version=SCHEMA_VERSION,
        program_version=__version__,
        run_id=record.header.run_id,
        journal_sha256=record.digest,
        as_of=record.header.as_of,
        safelists=record.header.safelists,
    )
    # ASCII, so that a path which UTF-8 cannot hold survives as an escape.
    text = json.dumps(_EVALUATION.dump_python(noted), indent=2, default=date.isoformat)
    try:
        with whole(folder / EVALUATION) as file:
            file.write(text.encode("ascii") + b"\n")
    except OSError as error:
        raise OutputError(f"Cannot write {folder / EVALUATION}: {error.strerror or error}. Make room.") from error


def is_evaluation(folder: Path) -> bool:
    return (folder / EVALUATION).is_file() and not (folder / JOURNAL).is_file()


def find(name: str, output: Path) -> Path | None:
    """The folder of the evaluation that is named so, as it is or under `output`; None where there is none."""
    return next((folder for folder in (Path(name), output / name) if is_evaluation(folder)), None)


def read(folder: Path) -> Evaluation:
    """Read what an evaluation was made from; raise `UsageError` where the file is not one that this program writes."""
    try:
        with open_regular(folder / EVALUATION) as file:
            return _EVALUATION.validate_python(json.load(file))
    except OSError as error:
        raise UsageError(f"{folder / EVALUATION} cannot be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        at = ".".join(map(str, error.errors()[0]["loc"])) if isinstance(error, ValidationError) else ""
        why = f'"{at}" in it is missing or not valid' if at else "it is not a JSON object"
        raise UsageError(
            f"{folder / EVALUATION} is not what this program writes: {why}. Evaluate the run again."
        ) from error
