"""The ledger in the archive: each version that was archived stays, and the newest that holds all others counts.

A ledger only grows, so a version holds another if it begins with it. Where two machines added decisions to the same
ledger, neither holds the other: it has forked. Then nothing is changed or lost, and a person puts what one of them has
more behind the other. Such a ledger holds both, as it also holds a version whose own lines stand somewhere in it.
"""

import hashlib
import shlex
from io import BytesIO
from pathlib import Path

from scanner.archive.access import Archive, failing
from scanner.archive.keys import Version
from scanner.archive.progress import Progress
from scanner.errors import Fault, FaultsError, OutputError, UsageError
from scanner.files import open_regular, whole
from scanner.runs import ledger

MAX_LEDGER = 1_000_000_000  # bytes; what is larger is no ledger


async def bring_ledger(archive: Archive, output: Path, progress: Progress) -> bool:
    """Have the newest ledger under `output`; tell whether it came from the archive. Raises `FaultsError` for a fork."""
    if not archive.contents.versions:
        return False
    with ledger.locked(output):
        ours = _ours(output)
        newest = await _newest(archive, output, ours)
        if newest == ours:
            return False
        ledger.parse(Path(archive.contents.versions[-1].key), newest)
        progress.says("Downloading the ledger")
        try:
            with whole(output / ledger.LEDGER) as file:
                file.write(newest)
        except OSError as error:
            raise OutputError(f"{output / ledger.LEDGER} cannot be written: {error.strerror or error}.") from error
    return True


async def store_ledger(archive: Archive, output: Path, progress: Progress) -> bool:
    """Put the ledger into the archive where it is newer than all there; tell whether it was put.

    Raises `FaultsError` for a fork.
    """
    ours = _ours(output)
    version = Version(len(ours), hashlib.sha256(ours).hexdigest())
    if not ours or version in archive.contents.versions or await _newest(archive, output, ours) != ours:
        return False
    progress.says("Archiving the ledger")
    with failing(f"{output / ledger.LEDGER} was not archived"):
        await archive.store.put(archive.key(version.key), BytesIO(ours), version.bytes, version.sha256, _unseen)
    return True


def _unseen(_: int) -> None:
    """No progress is shown: a ledger is small beside a run."""


def _ours(output: Path) -> bytes:
    """The whole lines of the ledger here; empty where there is none."""
    path = output / ledger.LEDGER
    try:
        with open_regular(path) as file:
            data = file.read()
    except (FileNotFoundError, NotADirectoryError):
        return b""
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}. Correct its permissions.") from error
    return data[: ledger.whole_length(path, data)]


async def _newest(archive: Archive, output: Path, ours: bytes) -> bytes:
    """The ledger that holds ours and every version in the archive; raise `FaultsError` where there is none."""
    versions = archive.contents.versions
    newest, source = ours, None
    if versions and versions[-1].bytes > len(ours):
        source = versions[-1]
        newest = await _read(archive, source)
        if not holds(newest, ours):
            raise _forked(archive, output, (None, ours), (source, newest))
    for version in versions:
        if hashlib.sha256(newest[: version.bytes]).hexdigest() != version.sha256:
            other = await _read(archive, version)
            if not holds(newest, other):
                raise _forked(archive, output, (source, newest), (version, other))
    return newest


def _forked(
    archive: Archive, output: Path, first: tuple[Version | None, bytes], second: tuple[Version, bytes]
) -> FaultsError:
    """Say so, with the commands that put what the second ledger has more behind the first; None is the one here."""
    path = shlex.quote(str(output / ledger.LEDGER))
    (source, data), (version, other) = first, second
    name, other_name = archive.place.uri(source.key) if source else path, archive.place.uri(version.key)
    alike = shared(data, other)
    problem = (
        f"The ledger has forked: after its first {alike:,} bytes, this one and {other_name} have different decisions. "
        "Neither was changed."
    )
    remedy = "Append its decisions to this one, as the later ones count, and archive that with archive push."
    fault = Fault(file=name, problem=problem, remedy=remedy)
    begin = [f"aws s3 cp {name} {path}"] if source else []
    return FaultsError(
        [fault],
        advice=[
            *begin,
            f"aws s3 cp {other_name} other-decisions.csv",
            f"tail -c +{alike + 1} other-decisions.csv >> {path}",
            f"iam-scanner archive push latest --archive {archive.place.uri()} --output {shlex.quote(str(output))}",
        ],
    )


def holds(ledger_: bytes, other: bytes) -> bool:
    """Whether one ledger has all lines of the other: from where the two differ, in one piece."""
    if ledger_.startswith(other):
        return True
    own = other[shared(ledger_, other) :]
    return ledger.LINE_END + own in ledger_


def shared(one: bytes, other: bytes) -> int:
    """How many bytes of whole lines the two ledgers begin with alike."""
    pairs = enumerate(zip(one, other, strict=False))
    alike = next((at for at, (left, right) in pairs if left != right), min(len(one), len(other)))
    return ledger.last_line_end(one[:alike])


async def _read(archive: Archive, version: Version) -> bytes:
    uri = archive.place.uri(version.key)
    if version.bytes > MAX_LEDGER:
        raise UsageError(f"{uri} is too large to be a ledger.")
    with failing(f"{uri} cannot be read"):
        data = await archive.store.read(archive.key(version.key), version.bytes)
    if hashlib.sha256(data).hexdigest() != version.sha256:
        raise UsageError(f"{uri} was changed: it is not the ledger that was archived under this name.")
    return data
