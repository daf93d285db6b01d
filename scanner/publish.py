"""From a finished journal to everything that is read: decide, render, seal."""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from scanner import run
from scanner.errors import UsageError
from scanner.model import Assessment, Record, SafelistText, WhatIf
from scanner.recorded import decide
from scanner.report.files import remove_others, write
from scanner.report.view import View
from scanner.rule import assess
from scanner.safelist.entries import check_organization, parse


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


def publish(folder: Path, formats: Collection[str]) -> Published:
    """Render a run that has just ended into its own folder, and seal that."""
    with run.locked(folder):
        view = View(decide(folder))
        remove_others(folder, formats)
        files = tuple(write(view, folder, formats))
        digest = run.seal(folder, [file.name for file in files], view.assessment.record.digest)
    return Published(view=view, run_folder=folder, folder=folder, files=files, manifest_digest=digest)


def publish_again(folder: Path, target: Path, formats: Collection[str]) -> Published:
    """Render a recorded run again, into `target`, which lies outside the run's folder and then holds this rendering."""
    return _publish_outside(View(decide(folder)), folder, target, formats)


def evaluate(
    folder: Path,
    output: Path,
    formats: Collection[str],
    *,
    safelists: tuple[SafelistText, ...] | None,
    as_of: date | None,
) -> Published:
    """Decide a recorded run under other safelists or on another day, and render that below `output`.

    None stands for the run's own. Each what-if has a folder of its own, and the same one always the same. Raises
    `FaultsError` where the safelists have faults, or are for another organization than the run's.
    """
    record = _otherwise(run.read(folder), safelists, as_of)
    view = View(assess(record, parse(record.header.safelists)))
    target = output / f"{folder.resolve().name}-evaluated-{_mark(record)}"
    return _publish_outside(view, folder, target, formats)


def _otherwise(record: Record, safelists: tuple[SafelistText, ...] | None, as_of: date | None) -> Record:
    """Return the record with these in the place of the run's own, and a note of what those were."""
    own = record.header
    header = replace(own, safelists=own.safelists if safelists is None else safelists, as_of=as_of or own.as_of)
    in_force: dict[str, object] = {"as_of": header.as_of.isoformat()}
    if safelists is not None:
        in_force["safelist"] = [each.path for each in safelists]
    organization = own.organization.id if own.organization else None
    stale = check_organization(parse(own.safelists), organization)  # what was said of the run's own safelists
    notes = [note for note in record.listing.notes if note not in stale]
    notes += check_organization(parse(header.safelists), organization)
    return replace(
        record,
        header=replace(header, settings={**own.settings, **in_force}),
        listing=replace(record.listing, notes=tuple(notes)),
        what_if=WhatIf(as_of=own.as_of, safelists=own.safelists),
    )


def _mark(record: Record) -> str:
    """Return 8 hex digits that tell what-ifs of a run apart."""
    asked = [record.header.as_of.isoformat(), *([each.path, each.text] for each in record.header.safelists)]
    return hashlib.sha256(json.dumps(asked).encode("ascii")).hexdigest()[:8]


def _publish_outside(view: View, folder: Path, target: Path, formats: Collection[str]) -> Published:
    if target.resolve().is_relative_to(folder.resolve()):
        raise UsageError(f"{target} lies in the run's own folder, which stays as it is. Give another --output.")
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    remove_others(target, formats)
    return Published(
        view=view,
        run_folder=folder,
        folder=target,
        files=tuple(write(view, target, formats)),
        manifest_digest=None,
    )
