"""From a finished journal to everything that is read: decide, render, seal."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain, count
from pathlib import Path
from typing import NamedTuple

from scanner.audit.assessment import Assessment, Totals
from scanner.audit.split import groups, restrict
from scanner.audit.together import organization_id
from scanner.audit.what_if import evaluate
from scanner.errors import UsageError
from scanner.model import AccountId, SplitBy, Status
from scanner.record import SafelistText
from scanner.report.formats import names, parts_folder, remove_others, write
from scanner.report.view import View
from scanner.runs import evaluation
from scanner.runs import folder as run_folder
from scanner.runs.stored import decide
from scanner.text import for_file_name


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedPart:
    """What runs were split into: one part, rendered."""

    value: str | None  # what its accounts have in common; None: they have none of it
    organization_id: str | None  # where it is of one of several runs alone
    status: Status
    totals: Totals
    folder: Path
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A run, decided and rendered, or several of different organizations."""

    view: View
    run_folder: Path | None  # where its journal is; None: it is of several runs
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


def render_again(
    assessments: Sequence[Assessment], run_folders: Sequence[Path], target: Path, formats: Collection[str]
) -> Rendered:
    """Render a recorded run again, or several of different organizations as one.

    That goes into `target`, which lies outside the runs' folders and then holds this rendering.
    """
    _check_outside(target, run_folders)
    remove_others(target, _named(target, formats))
    _make(target)
    view = View(*assessments)
    return Rendered(
        view=view,
        run_folder=_only(run_folders),
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
    rendered = render_again([assessment], [folder], target, formats)
    evaluation.write(target, assessment.record)
    return rendered


def render_parts(
    assessments: Sequence[Assessment], run_folders: Sequence[Path], target: Path, formats: Collection[str], by: SplitBy
) -> Rendered:
    """The same in parts: each gets a folder of its own below `target`, which then holds nothing else of ours."""
    _check_outside(target, run_folders)
    folder = target / parts_folder(by)
    members = _members(assessments, by)
    folders = {key: folder / name for key, name in _folder_names(members, by).items()}
    remove_others(target, [file for place in folders.values() for file in _named(place, formats)])
    _make(target, folder)
    several = len(assessments) > 1
    parts = []
    for key, of_runs in members.items():
        cut = [restrict(assessment, by, key.value, accounts) for assessment, accounts in of_runs]
        parts.append(_render_part(key, View(*cut, by_organization=several), folders[key], formats))
    return Rendered(
        view=View(*assessments),
        run_folder=_only(run_folders),
        folder=folder,
        files=tuple(file for part in parts for file in part.files),
        manifest_digest=None,
        parts=tuple(parts),
    )


class _Key(NamedTuple):
    """What the accounts of a part have in common."""

    value: str | None
    organization_id: str | None  # None: an owner may have accounts in several, and gets one report on all of them


def _members(
    assessments: Sequence[Assessment], by: SplitBy
) -> Mapping[_Key, Sequence[tuple[Assessment, frozenset[AccountId]]]]:
    """The accounts of each part, by run. OUs of two organizations are two parts, even of the same path."""
    apart = by is SplitBy.OU_PATH and len(assessments) > 1
    members: dict[_Key, list[tuple[Assessment, frozenset[AccountId]]]] = {}
    for assessment in assessments:
        for value, accounts in groups(assessment, by).items():
            key = _Key(value, organization_id(assessment) if apart else None)
            members.setdefault(key, []).append((assessment, accounts))
    return {key: members[key] for key in sorted(members, key=lambda key: (key.organization_id or "", key.value or ""))}


def _render_part(key: _Key, view: View, folder: Path, formats: Collection[str]) -> RenderedPart:
    _make(folder)
    return RenderedPart(
        value=key.value,
        organization_id=key.organization_id,
        status=view.in_all.status,
        totals=view.in_all.totals,
        folder=folder,
        files=tuple(write(view, folder, formats)),
    )


def _folder_names(keys: Iterable[_Key], by: SplitBy) -> Mapping[_Key, str]:
    """A name for each that is like it, safe on any system, and no other's, whether or not capitals count there."""
    found: dict[_Key, str] = {}
    taken: set[str] = set()
    for key in keys:
        name = f"without-{by}" if key.value is None else for_file_name(key.value)
        name = f"{key.organization_id}-{name}" if key.organization_id else name
        numbered = (f"{name}-{number}" for number in count(2))
        found[key] = next(candidate for candidate in chain((name,), numbered) if candidate.lower() not in taken)
        taken.add(found[key].lower())
    return found


def folder_name(run_folders: Sequence[Path]) -> str:
    """A name for a report, and for the same runs always the same: of several the newest run's, with 8 digits."""
    runs = sorted(folder.resolve().name for folder in run_folders)
    if len(runs) == 1:
        return f"{runs[0]}-report"
    return f"{runs[-1]}-organizations-{hashlib.sha256(json.dumps(runs).encode('ascii')).hexdigest()[:8]}"


def _only(run_folders: Sequence[Path]) -> Path | None:
    return run_folders[0] if len(run_folders) == 1 else None


def _named(folder: Path, formats: Collection[str]) -> list[Path]:
    return [folder / name for name in names(formats)]


def _check_outside(target: Path, run_folders: Iterable[Path]) -> None:
    if any(target.resolve().is_relative_to(folder.resolve()) for folder in run_folders):
        raise UsageError(f"{target} lies in the run's own folder, which stays as it is. Give another --output.")


def _make(*folders: Path) -> None:
    for folder in folders:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
