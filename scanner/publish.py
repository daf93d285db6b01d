"""From a finished journal to everything that is read: decide, render, seal."""

import gc
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scanner import run
from scanner.model import Assessment
from scanner.report.files import remove_others, write
from scanner.report.view import View
from scanner.rule import assess
from scanner.safelist.entries import parse


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A run, decided and rendered."""

    view: View
    run_folder: Path  # where its journal is
    folder: Path  # where the files are: the same, or another where a recorded run was rendered again
    files: tuple[Path, ...]
    manifest_digest: str | None  # None where a recorded run was rendered again, outside its folder

    @property
    def assessment(self) -> Assessment:
        return self.view.assessment


def decide(folder: Path) -> Assessment:
    """Read a run's journal and decide it by the safelists that it holds."""
    with _nothing_collected():
        record = run.read(folder)
        return assess(record, parse(record.header.safelists))


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Look for no garbage: all that is made stays, and of 100,000 users looking takes longer than reading them."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def publish(folder: Path, formats: Collection[str]) -> Published:
    """Render a run that has just ended into its own folder, and seal that."""
    view = View(decide(folder))
    files = tuple(write(view, folder, formats))
    digest = run.seal(folder, [file.name for file in files], view.assessment.record.digest)
    return Published(view=view, run_folder=folder, folder=folder, files=files, manifest_digest=digest)


def publish_again(folder: Path, target: Path, formats: Collection[str]) -> Published:
    """Render a recorded run again, into `target`, which lies outside the run's folder and then holds this rendering."""
    view = View(decide(folder))
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    remove_others(target, formats)
    return Published(
        view=view,
        run_folder=folder,
        folder=target,
        files=tuple(write(view, target, formats)),
        manifest_digest=None,
    )
