"""From a finished journal to everything that is read: decide, render, seal."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from scanner import run
from scanner.model import Assessment
from scanner.recorded import decide
from scanner.report.files import remove_others, write


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A run, decided and rendered."""

    assessment: Assessment
    run_folder: Path  # where its journal is
    folder: Path  # where the files are: the same, or another where a recorded run was rendered again
    files: tuple[Path, ...]
    manifest_digest: str | None  # None where a recorded run was rendered again, outside its folder


def publish(folder: Path, formats: Collection[str]) -> Published:
    """Render a run that has just ended into its own folder, and seal that."""
    assessment = decide(folder)
    files = tuple(write(assessment, folder, formats))
    digest = run.seal(folder, [file.name for file in files], assessment.record.digest)
    return Published(assessment=assessment, run_folder=folder, folder=folder, files=files, manifest_digest=digest)


def publish_again(folder: Path, target: Path, formats: Collection[str]) -> Published:
    """Render a recorded run again, into `target`, which lies outside the run's folder and then holds this rendering."""
    assessment = decide(folder)
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    remove_others(target, formats)
    return Published(
        assessment=assessment,
        run_folder=folder,
        folder=target,
        files=tuple(write(assessment, target, formats)),
        manifest_digest=None,
    )
