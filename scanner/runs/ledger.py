"""The ledger of decisions, `decisions.csv` beside the runs: it only grows, a line for each decision.

A CSV like the others (UTF-8 with BOM, RFC 4180, formulas guarded), so that people can look at it. The program reads it
back, as a run shows earlier decisions, and an import must not record the same decision twice. A line that was being
written when an import was killed is left out and reported; a line that is broken in any other way is refused.
"""

import csv
import io
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from scanner.errors import Fault, FaultsError, ScannerError
from scanner.files import as_text, lock, unreadable, write_all
from scanner.model import AccountId, Choice, Kind, UserId
from scanner.record import ReviewDecision
from scanner.text import csv_text, from_csv, is_account_id, iso, parse_day

LEDGER: Final = "decisions.csv"
LINE_END: Final = b"\r\n"
_BEGINNING = re.compile(rb"\r\n\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ,")  # of a further line


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerLine:
    """A decision, and how it came into the ledger."""

    decision: ReviewDecision
    account_name: str
    user_name: str
    arn: str
    journal_sha256: str  # of the run that was reviewed
    workbook: str  # its file name
    workbook_sha256: str
    imported_at: datetime  # UTC
    imported_by: str  # whoever ran the import, by the operating system


_COLUMNS: Mapping[str, Callable[[LedgerLine], object]] = {
    "imported_at": lambda line: iso(line.imported_at),
    "imported_by": lambda line: line.imported_by,
    "run_id": lambda line: line.decision.run_id,
    "account_id": lambda line: line.decision.account_id,
    "account_name": lambda line: line.account_name,
    "user_id": lambda line: line.decision.user_id,
    "user_name": lambda line: line.user_name,
    "arn": lambda line: line.arn,
    "decision": lambda line: line.decision.choice,
    "reviewer": lambda line: line.decision.reviewer,
    "reviewed_on": lambda line: line.decision.reviewed_on,
    "owner": lambda line: line.decision.owner,
    "kind": lambda line: line.decision.kind,
    "approve_until": lambda line: line.decision.approve_until,
    "ticket": lambda line: line.decision.ticket,
    "comment": lambda line: line.decision.comment,
    "journal_sha256": lambda line: line.journal_sha256,
    "workbook": lambda line: line.workbook,
    "workbook_sha256": lambda line: line.workbook_sha256,
}


def read(output: Path, notes: list[str]) -> tuple[ReviewDecision, ...]:
    """Every decision, in the order in which they were imported; a last line that was cut off is added to `notes`.

    Raises `FaultsError` naming each line that is broken in another way.
    """
    path = output / LEDGER
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):  # an output folder that cannot be one is reported by `create`
        return ()
    except OSError as error:
        raise FaultsError([unreadable(path, error)]) from error
    length = whole_length(path, data)
    if length < len(data):
        notes.append(f"The last line of {path} was cut off while it was written, and is left out: import it again.")
    return parse(path, data[:length])


def latest(decisions: Sequence[ReviewDecision]) -> dict[tuple[AccountId, UserId], ReviewDecision]:
    """The last decision of each user."""
    return {(decision.account_id, decision.user_id): decision for decision in decisions}


@contextmanager
def locked(output: Path) -> Iterator[None]:
    """Keep other imports out while one reads the ledger and appends to it."""
    output.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(output, os.O_RDONLY)
    try:
        lock(descriptor, output, busy=f"Another import is running in {output}. Wait until it ends.")
        yield
    finally:
        os.close(descriptor)


def append(output: Path, lines: Sequence[LedgerLine]) -> Path:
    """Add lines behind the last whole one, all or none of them; a line that was cut off gives way to them.

    Raises `ScannerError` where the disk does not take them, `FaultsError` as `read` does.
    """
    path = output / LEDGER
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        before = whole_length(path, path.read_bytes())
        os.ftruncate(descriptor, before)
        try:
            write_all(descriptor, _rendered(lines, with_header=before == 0))
            os.fsync(descriptor)
        except OSError as error:
            os.ftruncate(descriptor, before)
            raise ScannerError(f"Cannot write {path}: {error.strerror}. Nothing was recorded.") from error
    finally:
        os.close(descriptor)
    return path


def _rendered(lines: Sequence[LedgerLine], *, with_header: bool) -> bytes:
    rows = ([get(line) for get in _COLUMNS.values()] for line in lines)
    text = csv_text([_COLUMNS, *rows] if with_header else rows)
    return text.encode("utf-8-sig" if with_header else "utf-8")


def whole_length(path: Path, data: bytes) -> int:
    """The bytes that the whole lines take; raise `FaultsError` where what follows them is more than half a line.

    A comment may hold line ends, so a line ends where no quote is open: a quote too many anywhere would make all that
    follows look like a line that was cut off.
    """
    length = last_line_end(data)
    rest = data[length:]
    if length == 0 and _rendered((), with_header=True).startswith(data):
        return 0
    if length == 0 or rest.endswith(LINE_END) or _BEGINNING.search(rest):
        line = data[:length].count(b"\n") + 1
        raise FaultsError([_fault(path, line, "This line is not one that this program wrote: a quote is not closed.")])
    return length


def last_line_end(data: bytes) -> int:
    """Where the last line end outside of quotes stops; 0 where there is none."""
    parts = data.split(b'"')
    start = len(data) + 1
    for number in range(len(parts) - 1, -1, -1):
        start -= len(parts[number]) + 1
        at = parts[number].rfind(LINE_END)
        if number % 2 == 0 and at >= 0:
            return start + at + len(LINE_END)
    return 0


def parse(path: Path, data: bytes) -> tuple[ReviewDecision, ...]:
    """Every decision of a ledger of whole lines; `path` is what `FaultsError` names it by."""
    text = as_text(path, data)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    decisions: list[ReviewDecision] = []
    faults: list[Fault] = []
    try:
        if text and next(reader) != list(_COLUMNS):
            raise FaultsError([_fault(path, 1, "This is not the ledger that this program writes.")])
        for row in reader:
            try:
                decisions.append(_decision(dict(zip(_COLUMNS, map(from_csv, row), strict=True))))
            except ValueError:
                faults.append(_fault(path, reader.line_num, "This line is not one that this program wrote."))
    except csv.Error:
        faults.append(_fault(path, reader.line_num, "The CSV is broken here."))
    if faults:
        raise FaultsError(faults)
    return tuple(decisions)


def _decision(row: Mapping[str, str]) -> ReviewDecision:
    """Read a row; raise ValueError where a value is not valid in its column."""
    reviewed_on = parse_day(row["reviewed_on"])
    approve_until = parse_day(row["approve_until"])
    if not is_account_id(row["account_id"]) or not row["reviewer"] or not row["user_id"]:
        raise ValueError
    if reviewed_on is None or (row["approve_until"] and approve_until is None):
        raise ValueError
    return ReviewDecision(
        run_id=row["run_id"],
        account_id=AccountId(row["account_id"]),
        user_id=UserId(row["user_id"]),
        choice=Choice(row["decision"]),
        reviewer=row["reviewer"],
        reviewed_on=reviewed_on,
        owner=row["owner"] or None,
        kind=Kind(row["kind"]) if row["kind"] else None,
        approve_until=approve_until,
        ticket=row["ticket"] or None,
        comment=row["comment"] or None,
    )


def _fault(path: Path, line: int | None, problem: str) -> Fault:
    return Fault(file=str(path), line=line, problem=problem, remedy="Restore it from a backup, or move it away.")
