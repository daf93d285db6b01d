"""The ledger of decisions, `decisions.csv` beside the runs: it only grows, a line a decision.

A CSV like the others (UTF-8 with BOM, RFC 4180, formulas guarded), so that it can be looked at; and read back, as a run
shows what was decided before, and an import must not decide the same user twice.
"""

import csv
import fcntl
import io
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

from scanner.errors import Fault, FaultsError, ScannerError, UsageError
from scanner.model import AccountId, Choice, Kind, UserId
from scanner.record import ReviewDecision
from scanner.text import for_csv, from_csv, is_account_id

LEDGER: Final = "decisions.csv"


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
    "imported_at": lambda line: line.imported_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
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


def read(output: Path) -> tuple[ReviewDecision, ...]:
    """Every decision, in the order in which they were imported; raise `FaultsError` naming each line that is broken."""
    path = output / LEDGER
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):  # that it cannot be a folder is said when a run's is made
        return ()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise FaultsError([_fault(path, None, f"cannot be read: {reason}.")]) from error
    return _parse(path, text)


def latest(decisions: Sequence[ReviewDecision]) -> dict[tuple[AccountId, UserId], ReviewDecision]:
    """The last decision of each user."""
    return {(each.account_id, each.user_id): each for each in decisions}


@contextmanager
def locked(output: Path) -> Iterator[None]:
    """Keep other imports out while one reads the ledger and appends to it."""
    output.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(output, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError(f"Another import is at work on {output}. Wait for its end.") from error
        yield
    finally:
        os.close(descriptor)


def append(output: Path, lines: Sequence[LedgerLine]) -> Path:
    """Add lines at the end, all or none of them; raise `ScannerError` where the disk does not take them."""
    path = output / LEDGER
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        before = os.fstat(descriptor).st_size
        try:
            _write(descriptor, _rendered(lines, with_header=before == 0))
        except OSError as error:
            os.ftruncate(descriptor, before)
            raise ScannerError(f"Cannot write {path}: {error.strerror}. Nothing was recorded.") from error
    finally:
        os.close(descriptor)
    return path


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
    os.fsync(descriptor)


def _rendered(lines: Sequence[LedgerLine], *, with_header: bool) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    if with_header:
        writer.writerow(_COLUMNS)
    for line in lines:
        values = (get(line) for get in _COLUMNS.values())
        writer.writerow("" if value is None else for_csv(str(value)) for value in values)
    return out.getvalue().encode("utf-8-sig" if with_header else "utf-8")


def _parse(path: Path, text: str) -> tuple[ReviewDecision, ...]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    if tuple(reader.fieldnames or ()) != tuple(_COLUMNS):
        raise FaultsError([_fault(path, 1, "is not the ledger that this program writes.")])
    found: list[ReviewDecision] = []
    faults: list[Fault] = []
    try:
        for row in reader:
            try:
                found.append(_decision({key: from_csv(value) for key, value in row.items()}))
            except (ValueError, AttributeError, TypeError):
                faults.append(_fault(path, reader.line_num, "this line is not one that this program wrote."))
    except csv.Error:
        faults.append(_fault(path, reader.line_num, "the CSV is broken here."))
    if text and not text.endswith("\n"):
        faults.append(_fault(path, reader.line_num, "the last line was cut off."))
    if faults:
        raise FaultsError(faults)
    return tuple(found)


def _decision(row: Mapping[str, str]) -> ReviewDecision:
    """Read a row; raise ValueError where a value is none of its column's."""
    if not is_account_id(row["account_id"]) or not row["reviewer"] or not row["user_id"]:
        raise ValueError
    return ReviewDecision(
        run_id=row["run_id"],
        account_id=AccountId(row["account_id"]),
        user_id=UserId(row["user_id"]),
        choice=Choice(row["decision"]),
        reviewer=row["reviewer"],
        reviewed_on=date.fromisoformat(row["reviewed_on"]),
        owner=row["owner"] or None,
        kind=Kind(row["kind"]) if row["kind"] else None,
        approve_until=date.fromisoformat(row["approve_until"]) if row["approve_until"] else None,
        ticket=row["ticket"] or None,
        comment=row["comment"] or None,
    )


def _fault(path: Path, line: int | None, problem: str) -> Fault:
    return Fault(file=str(path), line=line, problem=problem, remedy="Restore it from a backup, or move it away.")
