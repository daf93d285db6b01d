"""Files: read as text, written whole or not at all, locked; what is wrong with them is worded once."""

import errno
import fcntl
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, Final

from scanner.errors import Fault, FaultsError, OutputError, UsageError

MAX_BYTES: Final = 20_000_000  # of a file that people write: far above any real one, and far below what fills memory


def read_text(path: Path, *, max_bytes: int = MAX_BYTES) -> str:
    """The text of a UTF-8 file, without a byte order mark and with its line ends as they are.

    Raises `FaultsError`, with one fault, where the file cannot be read, is larger than `max_bytes`, or is not UTF-8.
    """
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except OSError as error:
        raise FaultsError([unreadable(path, error)]) from error
    if len(data) > max_bytes:
        problem = f"Larger than {max_bytes // 1_000_000} MB."
        raise FaultsError([Fault(file=str(path), problem=problem, remedy="Split it into several files.")])
    return as_text(path, data)


def as_text(path: Path, data: bytes) -> str:
    """The text of a file that holds these bytes; raise `FaultsError` where they are not UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        fault = Fault(file=str(path), line=line, problem="Not UTF-8.", remedy="Save it as UTF-8.")
        raise FaultsError([fault]) from error


def unreadable(path: Path, error: OSError) -> Fault:
    problem = f"Cannot be read: {error.strerror}."
    return Fault(file=str(path), problem=problem, remedy="Correct its path or its permissions.")


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal; raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def open_regular(path: Path) -> Iterator[BufferedReader]:
    """Open a file to read it; raise OSError for a link, which could lead anywhere, and for a pipe, device or folder."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)  # a pipe is not waited for
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Not a file", str(path))
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            yield file
    finally:
        os.close(descriptor)


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
    sync_folder(path.parent)


def write_all(descriptor: int, data: bytes) -> None:
    """Hand the bytes to the system, all of them; raises OSError."""
    while data:
        data = data[os.write(descriptor, data) :]


def partial_of(path: Path) -> Path:
    """Where a file grows before it is put in its place; a process that was killed leaves it there."""
    return path.with_name(f".{path.name}.partial")


def sync_folder(folder: Path) -> None:
    """Have what was put into a folder, or taken out of it, be on the disk; raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def lock(descriptor: int, folder: Path, *, busy: str) -> None:
    """Lock an open file or folder until it is closed, so that no other process works on `folder` meanwhile.

    Raises `UsageError` with the words of `busy` where another process has the lock, and `OutputError` where the file
    system of `folder` has no locks (ENOLCK, EOPNOTSUPP and the like, as on some network file systems).
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise UsageError(busy) from error
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be locked: {error.strerror}. Without a lock, two processes could write there at once.",
            "Give a folder on a file system with locks, such as a local disk, with --output.",
        ) from error
