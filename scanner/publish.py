"""From a finished journal to everything that is read: decide, render, seal."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

from scanner import run
from scanner.model import Assessment, SplitBy, Status, Totals
from scanner.parts import groups, restrict
from scanner.recorded import decide
from scanner.report.files import names, parts_folder, remove_others, write
from scanner.text import for_file_name


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedPart:
    """What a run was split into: one part, rendered."""

    value: str | None  # what its accounts have in common; None: they have none of it
    status: Status
    totals: Totals
    folder: Path
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A run, decided and rendered."""

    assessment: Assessment
    run_folder: Path  # where its journal is
    folder: Path  # where the files are: the same, or another where a recorded run was rendered again
    files: tuple[Path, ...]
    manifest_digest: str | None  # None where a recorded run was rendered again, outside its folder
    parts: tuple[PublishedPart, ...] = ()  # where it was rendered in parts, and not as a whole


def publish(folder: Path, formats: Collection[str]) -> Published:
    """Render a run that has just ended into its own folder, and seal that."""
    assessment = decide(folder)
    files = tuple(write(assessment, folder, formats))
    digest = run.seal(folder, [file.name for file in files], assessment.record.digest)
    return Published(assessment=assessment, run_folder=folder, folder=folder, files=files, manifest_digest=digest)


def publish_again(assessment: Assessment, run_folder: Path, target: Path, formats: Collection[str]) -> Published:
    """Render a recorded run again, into `target`, which lies outside the run's folder and then holds this rendering."""
    remove_others(target, [target / name for name in names(formats)])
    _make(target)
    return Published(
        assessment=assessment,
        run_folder=run_folder,
        folder=target,
        files=tuple(write(assessment, target, formats)),
        manifest_digest=None,
    )


def publish_parts(
    assessment: Assessment, run_folder: Path, target: Path, formats: Collection[str], by: SplitBy
) -> Published:
    """The same in parts: each gets a folder of its own below `target`, which then holds nothing else of ours."""
    folder = target / parts_folder(by)
    members = groups(assessment, by)
    folders = {value: folder / name for value, name in _folder_names(members, by).items()}
    remove_others(target, [place / name for place in folders.values() for name in names(formats)])
    _make(target, folder)
    parts = [
        _publish_part(value, restrict(assessment, by, value, accounts), folders[value], formats)
        for value, accounts in members.items()
    ]
    return Published(
        assessment=assessment,
        run_folder=run_folder,
        folder=folder,
        files=tuple(file for each in parts for file in each.files),
        manifest_digest=None,
        parts=tuple(parts),
    )


def _publish_part(value: str | None, assessment: Assessment, folder: Path, formats: Collection[str]) -> PublishedPart:
    _make(folder)
    return PublishedPart(
        value=value,
        status=assessment.status,
        totals=assessment.totals,
        folder=folder,
        files=tuple(write(assessment, folder, formats)),
    )


def _folder_names(values: Iterable[str | None], by: SplitBy) -> Mapping[str | None, str]:
    """A name for each that is like it, safe on any system, and no other's, whether or not capitals count there."""
    found: dict[str | None, str] = {}
    taken: set[str] = set()
    for value in values:
        name = f"without-{by}" if value is None else for_file_name(value)
        numbered = (f"{name}-{number}" for number in count(2))
        found[value] = next(each for each in chain((name,), numbered) if each.lower() not in taken)
        taken.add(found[value].lower())
    return found


def _make(*folders: Path) -> None:
    for folder in folders:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
