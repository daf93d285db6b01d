"""Safelist files on disk, as text."""

import os
import re
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from scanner.errors import Fault, FaultsError, ScannerError
from scanner.files import read_text, unreadable, whole
from scanner.record import SafelistText
from scanner.safelist import starter
from scanner.settings import DEFAULT_FILE, Settings
from scanner.text import did_you_mean, near_names

SUFFIXES = (".yaml", ".yml")
EXAMPLE = ".example"
# prod.yaml.txt, prod.yml~, prod.ymal, prod.json; not a JSON Schema.
_LIKE_A_SAFELIST = re.compile(r"\.ya?ml\W+\w*$|\.ya?ml[~_ ]|\.ya?ml\d*\.|\.y[aml]{2,4}$|(?<!\.schema)\.json$")
_MISSING, _EMPTY = "There is no such file or folder.", "The folder holds no safelist (*.yaml, *.yml)."
_NO_OTHER = "Correct the path, or write a first safelist."
_USUAL = Settings().safelist[0]
_RENAME = "Rename it to end in .yaml; if it is not to be read, begin its name with a dot, or move it elsewhere."


def read(paths: Sequence[Path]) -> tuple[SafelistText, ...]:
    """The text of each file named, and of each *.yaml and *.yml in and below each folder named, in sorted order.

    Hidden files and folders, and names that end in `.example`, are left out. A file that is reached twice is read once.
    What cannot be read whole is a fault, never left out: the line that is missing could be a revocation. So is a name
    such as `prod.yaml.txt`, which an editor or a browser makes of `prod.yaml`, or `prod.ymal`, or `prod.json`; and a
    link to a folder, as it is not followed: it could lead in a circle.

    Where there is no safelist in the one place that was looked at, the error has the commands that write a first one.
    """
    faults: list[Fault] = []
    texts: dict[Path, SafelistText] = {}
    for file in (file for path in paths for file in files_of(path, faults)):
        if (place := file.resolve()) not in texts and (text := _text(file, faults)) is not None:
            texts[place] = SafelistText(path=file.as_posix(), text=text)
    if faults:
        is_first = len(paths) == len(faults) == 1 and (faults[0].problem == _EMPTY or faults[0].remedy == _NO_OTHER)
        raise FaultsError(faults, advice=_first_one(paths[0]) if is_first else ())
    return tuple(texts.values())


def rewrite(text: SafelistText, changed: str) -> None:
    """Put another text into a safelist file: whole or not at all, with the mode and the byte order mark that it had.

    Raises `ScannerError` where the disk does not take it, or somebody has changed the file since it was read.
    """
    path = Path(text.path).resolve()  # a link stays one
    try:
        before = path.read_bytes()
        if before.decode("utf-8-sig") != text.text:
            raise ScannerError(f"{text.path} has changed since it was read, and is left as it is now. Try again.")
        with whole(path) as file:
            os.fchmod(file.fileno(), path.stat().st_mode & 0o7777)
            file.write((BOM_UTF8 if before.startswith(BOM_UTF8) else b"") + changed.encode("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no longer UTF-8"
        raise ScannerError(f"Cannot write {text.path}: {why}. Correct that, and try again.") from error


def files_of(path: Path, faults: list[Fault]) -> Iterator[Path]:
    """Each file that a path stands for: itself, or those of a folder; what is wrong is added to the faults."""
    if path.name.lower().endswith(EXAMPLE):
        faults.append(_fault(path, "Examples are not read.", "Copy it to a name that ends in .yaml."))
    elif not path.exists():
        near = _others_like(path)
        meant = did_you_mean([other.as_posix() for other in near[:1]], otherwise=_NO_OTHER).strip()
        faults.append(_fault(path, _MISSING, meant))
    elif path.is_dir():
        members = sorted(_members(path, faults))
        if not members:
            faults.append(_fault(path, _EMPTY, "Put one into it."))
        yield from members
    else:
        yield path


def _others_like(path: Path) -> list[Path]:
    """The safelists under another name that may have been meant: beside that path, or where they usually are."""
    with suppress(OSError):
        beside = {other.name: other for other in sorted(path.parent.iterdir()) if other.name != path.name}
        near = [beside[name] for name in near_names(path.name, beside)]
        if usable := [other for other in near if _may_be_safelists(other)]:
            return usable
    return [_USUAL] if path != _USUAL and _may_be_safelists(_USUAL) else []


def _may_be_safelists(path: Path) -> bool:
    with suppress(OSError):
        if path.name.lower().endswith(EXAMPLE) or path == DEFAULT_FILE:
            return False
        if path.is_dir():
            return any(_members(path, []))
        return path.suffix.lower() in SUFFIXES and path.is_file()
    return False


def _first_one(path: Path) -> list[str]:
    lines = [f"  {command}" for command in starter.commands(path)]
    words = "A first safelist, which approves nobody yet, to paste into a shell; iam-scanner init writes one, too:"
    return ["", words, "", *lines] if lines else []


def _members(folder: Path, faults: list[Fault]) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        faults.append(
            _fault(Path(error.filename or folder), f"Cannot be listed: {error.strerror}.", "Correct its permissions.")
        )

    for place, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        faults.extend(
            _fault(Path(place, name), "A link to a folder is not followed.", "Name its target with --safelist.")
            for name in sorted(folders)
            if Path(place, name).is_symlink()
        )
        visible = [name for name in names if not name.startswith(".") and not name.lower().endswith(EXAMPLE)]
        faults.extend(
            _fault(Path(place, name), "Its name does not end in .yaml or .yml, so it is not read.", _RENAME)
            for name in sorted(visible)
            if _LIKE_A_SAFELIST.search(name.lower()) and not name.lower().endswith(SUFFIXES)
        )
        yield from (Path(place, name) for name in visible if name.lower().endswith(SUFFIXES))


def _text(file: Path, faults: list[Fault]) -> str | None:
    try:
        if file.is_file():  # a pipe would be waited for
            return read_text(file)
        faults.append(_fault(file, "Not a file.", "Name a file or a folder of files."))
    except OSError as error:
        faults.append(unreadable(file, error))
    except FaultsError as error:
        faults += error.faults
    return None


def _fault(path: Path, problem: str, remedy: str) -> Fault:
    return Fault(file=path.as_posix(), line=None, problem=problem, remedy=remedy)
