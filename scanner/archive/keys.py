"""Where things lie in the archive. What the bucket lists was written by others: what does not fit is passed over.

    PREFIX/runs/<run ID>/<bytes of the journal>-<SHA-256 of the manifest>/<file>
    PREFIX/ledger/<bytes>-<SHA-256>.csv

No object ever changes. A run that is resumed is archived again, as a further state: its journal is longer. A ledger
that has grown is a further version. So the newest is known by the names alone, and the name says what it must hold.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from scanner.archive.place import Place
from scanner.runs.folder import MANIFEST, is_file_name, is_run_id

_STATE = re.compile(r"runs/([^/]+)/(\d{15})-([0-9a-f]{64})/([^/]+)", re.ASCII)
_VERSION = re.compile(r"ledger/(\d{15})-([0-9a-f]{64})\.csv", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class State:
    """A run as it was sealed at one time; of a run's states, the greatest is the newest."""

    run_id: str
    journal_bytes: int
    manifest: str  # its SHA-256

    @property
    def folder(self) -> str:
        return f"runs/{self.run_id}/{self.journal_bytes:015d}-{self.manifest}"


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A ledger as it was at one time; the greatest is the newest."""

    bytes: int
    sha256: str

    @property
    def key(self) -> str:
        return f"ledger/{self.bytes:015d}-{self.sha256}.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What the archive holds, by its listing. A state without its manifest is none: its upload did not end."""

    states: Mapping[str, tuple[State, ...]]  # by run ID, in order; the newest comes last
    files: Mapping[State, Mapping[str, int]]  # name → size; of unfinished uploads, too
    versions: tuple[Version, ...]  # in order


def contents(place: Place, sizes: Mapping[str, int]) -> Contents:
    """Read a listing of all keys under the place's prefix."""
    files: dict[State, dict[str, int]] = {}
    versions: list[Version] = []
    for key, size in sizes.items():
        rest = key.removeprefix(place.prefix)
        if (found := _STATE.fullmatch(rest)) and is_run_id(found[1]) and is_file_name(found[4]):
            files.setdefault(State(found[1], int(found[2]), found[3]), {})[found[4]] = size
        elif (version := _VERSION.fullmatch(rest)) and int(version[1]) == size:
            versions.append(Version(size, version[2]))
    states: dict[str, list[State]] = {}
    for state in sorted(state for state, names in files.items() if MANIFEST in names):
        states.setdefault(state.run_id, []).append(state)
    return Contents(
        states={run_id: tuple(found) for run_id, found in states.items()},
        files=files,
        versions=tuple(sorted(versions)),
    )
