"""Files: written whole or not at all, read as text, and what is said where that fails."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from scanner.errors import Fault, FaultsError


def read_text(path: Path) -> str:
    """The text of a UTF-8 file, without a byte order mark and with its line ends as they are; else `FaultsError`."""
    try:
        content = path.read_bytes()
        return content.decode("utf-8-sig")
    except OSError as error:
        raise _unreadable(path, f"{error.strerror or error}.", "Correct the path or its permissions.") from error
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _unreadable(path, "it is not UTF-8.", "Save it as UTF-8.", line) from error


def _unreadable(path: Path, why: str, remedy: str, line: int | None = None) -> FaultsError:
    return FaultsError([Fault(file=str(path), line=line, problem=f"cannot be read: {why}", remedy=remedy)])


def sha256(path: Path) -> str | None:
    """The SHA-256 of a file, in hex; None where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


@contextmanager
def whole(path: Path) -> Iterator[BinaryIO]:
    """Write a file beside its place, and put it there when all is written and on the disk; 0600.

    Where anything fails, what was there before stays, and nothing new is left behind.
    """
    partial = partial_of(path)
    descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def partial_of(path: Path) -> Path:
    """Where a file grows before it is put in its place; a process that was killed leaves it there."""
    return path.with_name(f".{path.name}.partial")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
