"""Small runs for tests: a journal as a scan writes it, and one that was changed by somebody who knows how."""

import asyncio
import hashlib
import re
from pathlib import Path

from scanner.files import sha256
from scanner.record import Record
from scanner.runs import folder as run_folder
from scanner.runs.journal import Line
from tests.builders import account, failed, header, listing, record, scanned, user


def recorded(folder: Path, *, footer: bool = True) -> Record:
    """Write a small journal; return what it holds."""
    scans = (scanned(1, user("alice")), failed(2))
    whole = record(*scans, header=header(), listing=listing(account(1), account(2)))
    lines: list[Line] = [whole.header, *scans, whole.listing]
    asyncio.run(append(folder, [*lines, whole.footer] if footer else lines))
    return whole


async def append(folder: Path, lines: list[Line]) -> None:
    with run_folder.Journal(folder) as journal:
        for line in lines:
            await journal.append(line)


def rechained(lines: list[bytes]) -> list[bytes]:
    """The lines with a chain that holds again, as somebody would make it who knows how."""
    previous, chained = "0" * 64, []
    for line in lines:
        chained.append(re.sub(rb'"previous":"[0-9a-f]{64}"', f'"previous":"{previous}"'.encode(), line, count=1))
        previous = hashlib.sha256(chained[-1]).hexdigest()
    return chained


def reseal(folder: Path) -> None:
    """A manifest over the files as they are now."""
    names = [path.name for path in folder.iterdir() if path.name != run_folder.MANIFEST]
    run_folder.seal(folder, names, sha256(folder / run_folder.JOURNAL))
