"""From a finished journal to everything that is read: decide, render, seal."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import chain, count
from pathlib import Path

from scanner.audit.assessment import Assessment, Totals
from scanner.audit.split import groups, restrict
from scanner.audit.what_if import evaluate
from scanner.errors import UsageError
from scanner.model import SplitBy, Status
from scanner.record import SafelistText
from scanner.report.formats import names, parts_folder, remove_others, write
from scanner.report.view import View
from scanner.runs import evaluation
from scanner.runs import folder as run_folder
from scanner.runs.stored import decide
from scanner.text import for_file_name


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedPart:
    """What a run was split into: one part, rendered."""

    value: str | None  # what its accounts have in common; None: they have none of it
    status: Status
    totals: Totals
    folder: Path
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A run, decided and rendered."""

    view: View
    run_folder: Path  # where its journal is
    folder: Path  # where the files are: the same, or another where a recorded run was rendered again
    files: tuple[Path, ...]
    manifest_digest: str | None  # None where a recorded run was rendered again, outside its folder
    parts: tuple[RenderedPart, ...] = ()  # where it was rendered in parts, and not as a whole

    @property
    def assessment(self) -> Assessment:
        return self.view.assessment


def render_run(folder: Path, formats: Collection[str]) -> Rendered:
    """Render a run that has just ended into its own folder, and seal that."""
    with run_folder.locked(folder):
        view = View(decide(folder))
        remove_others(folder, _named(folder, formats))
        files = tuple(write(view, folder, formats))
        digest = run_folder.seal(folder, [file.name for file in files], view.assessment.record.digest)
    return Rendered(view=view, run_folder=folder, folder=folder, files=files, manifest_digest=digest)


def render_again(assessment: Assessment, run_folder: Path, target: Path, formats: Collection[str]) -> Rendered:
    """Render a recorded run again, into `target`, which lies outside the run's folder and then holds this rendering."""
    _check_outside(target, run_folder)
    remove_others(target, _named(target, formats))
    _make(target)
    view = View(assessment)
    return Rendered(
        view=view,
        run_folder=run_folder,
        folder=target,
        files=tuple(write(view, target, formats)),
        manifest_digest=None,
    )


def render_what_if(
    folder: Path,
    output: Path,
    formats: Collection[str],
    *,
    safelists: tuple[SafelistText, ...] | None,
    as_of: date | None,
) -> Rendered:
    """Decide a recorded run under other safelists or on another day, and render that below `output`.

    None stands for the run's own. Each what-if has a folder of its own, and the same one always the same. Raises
    `FaultsError` where the safelists have faults, or are for another organization than the run's.
    """
    assessment = evaluate(decide(folder), safelists, as_of)
    target = output / evaluation.folder_name(folder.resolve().name, assessment.record)
    rendered = render_again(assessment, folder, target, formats)
    evaluation.write(target, assessment.record)
    return rendered


def render_parts(
    assessment: Assessment, run_folder: Path, target: Path, formats: Collection[str], by: SplitBy
) -> Rendered:
    """The same in parts: each gets a folder of its own below `target`, which then holds nothing else of ours."""
    _check_outside(target, run_folder)
    folder = target / parts_folder(by)
    members = groups(assessment, by)
    folders = {value: folder / name for value, name in _folder_names(members, by).items()}
    remove_others(target, [file for place in folders.values() for file in _named(place, formats)])
    _make(target, folder)
    parts = [
        _render_part(value, restrict(assessment, by, value, accounts), folders[value], formats)
        for value, accounts in members.items()
    ]
    return Rendered(
        view=View(assessment),
        run_folder=run_folder,
        folder=folder,
        files=tuple(file for part in parts for file in part.files),
        manifest_digest=None,
        parts=tuple(parts),
    )


def _render_part(value: str | None, assessment: Assessment, folder: Path, formats: Collection[str]) -> RenderedPart:
    _make(folder)
    return RenderedPart(
        value=value,
        status=assessment.status,
        totals=assessment.totals,
        folder=folder,
        files=tuple(write(View(assessment), folder, formats)),
    )


def _folder_names(values: Iterable[str | None], by: SplitBy) -> Mapping[str | None, str]:
    """A name for each that is like it, safe on any system, and no other's, whether or not capitals count there."""
    found: dict[str | None, str] = {}
    taken: set[str] = set()
    for value in values:
        name = f"without-{by}" if value is None else for_file_name(value)
        numbered = (f"{name}-{number}" for number in count(2))
        found[value] = next(candidate for candidate in chain((name,), numbered) if candidate.lower() not in taken)
        taken.add(found[value].lower())
    return found


def _named(folder: Path, formats: Collection[str]) -> list[Path]:
    return [folder / name for name in names(formats)]


def _check_outside(target: Path, run_folder: Path) -> None:
    if target.resolve().is_relative_to(run_folder.resolve()):
        raise UsageError(f"{target} lies in the run's own folder, which stays as it is. Give another --output.")


def _make(*folders: Path) -> None:
    for folder in folders:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
