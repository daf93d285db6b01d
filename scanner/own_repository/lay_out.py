"""The files of a repository of one's own, written where nothing stands yet: all of them, or none."""

import json
import os
import re
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

from scanner.errors import OutputError
from scanner.own_repository.answers import IGNORED, OWNERS, SAFELIST, SETTINGS, WORKFLOW, Answers
from scanner.safelist import starter
from scanner.safelist.read import SUFFIXES
from scanner.safelist.write import scalar

_SAFELIST_HEAD: Final = """\
# Who is approved: so far, nobody. Whoever may change this file approves, so have each change reviewed.
#
# An approval, to be written below in place of the []:
#
#   - user: cc-platform-admin
#     kind: break-glass             # human, service or break-glass
#     owner: platform@example.com
#     reason: Break-glass administrator, sealed credentials
#     approved_by: ciso@example.com
#     approved_on: 2026-01-15
#     expires_on: 2027-01-15        # the last day on which it holds
#
# `iam-scanner safelist import` adds many at once, `iam-scanner review import` what reviewers decide in a workbook.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaidOut:
    """What became of each file."""

    written: tuple[Path, ...]
    left: tuple[Path, ...]  # as something stands there already


def standing(path: Path) -> Path | None:
    """What stands in the place of a file already; None where it can be written."""
    if path == SAFELIST:
        safelists = sorted(file for file in path.parent.rglob("*") if file.suffix.lower() in SUFFIXES)
        return next(iter(safelists), None)
    return path if os.path.lexists(path) else None


def lay_out(answers: Answers) -> LaidOut:
    """Write the files into the current folder; raise `OutputError` where that does not work, with none left behind."""
    texts = _texts(answers)
    left = {path: there for path in texts if (there := standing(path)) is not None}
    written: list[Path] = []
    folders: list[Path] = []
    try:
        for path, text in texts.items():
            if path not in left:
                folders += _made(path.parent)
                with path.open("x", encoding="utf-8", newline="\n") as file:  # never over what came in the meantime
                    written.append(path)
                    file.write(text)
    except BaseException as error:
        _undo(written, folders)
        if isinstance(error, OSError):
            why = error.strerror or str(error)
            raise OutputError(f"Cannot write {error.filename or path}: {why}. Correct that, and try again.") from error
        raise
    return LaidOut(written=tuple(written), left=tuple(left.values()))


def _made(folder: Path) -> list[Path]:
    """Make a folder; return those that were not there, from the top down."""
    new = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return new[::-1]


def _undo(written: Collection[Path], folders: Collection[Path]) -> None:
    for path in written:
        path.unlink(missing_ok=True)
    for folder in reversed([*folders]):
        with suppress(OSError):
            folder.rmdir()


def _texts(answers: Answers) -> dict[Path, str]:
    safelist = starter.text(organization=answers.organization, approvers=answers.approver, max_days=answers.max_days)
    texts = {
        SETTINGS: _settings(answers),
        SAFELIST: f"{_SAFELIST_HEAD}\n{safelist}",
        WORKFLOW: _packaged("safelists.yml"),
        IGNORED: _packaged("gitignore"),
    }
    if answers.code_owner:
        owners = " ".join(answers.code_owner)
        texts[OWNERS] = f"# Who has to review a change.\n/config/ {owners}\n/.github/ {owners}\n/vendor/ {owners}\n"
    return texts


def _settings(answers: Answers) -> str:
    """Every setting with its default, and those that were answered without the # in front."""
    said = {"role_name": scalar(answers.role_name)}
    if answers.ou:
        said["ou"] = json.dumps(answers.ou, ensure_ascii=False)
    text = _packaged("scanner.yaml")
    for key, value in said.items():
        literally = f"{key}: {value}".replace("\\", r"\\")
        text = re.sub(rf"^#{key}:.*$", literally, text, flags=re.MULTILINE)
    return text


def _packaged(name: str) -> str:
    return (files("scanner.own_repository") / "files" / name).read_text(encoding="utf-8")
