"""The owners of accounts, from the CSV file of `--account-owners`."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from scanner.errors import Fault, FaultsError
from scanner.text import is_account_id


def read_owners(path: Path | None) -> Mapping[str, str]:
    """Read `--account-owners`: account_id, account_owner; raise `FaultsError` naming each bad line."""
    if path is None:
        return {}
    rows = _rows(path, _read(path), ("account_id", "account_owner"))
    return {row["account_id"]: row["account_owner"] for row in rows}


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, getattr(error, "strerror", None)) from error


def _rows(path: Path, text: str, columns: tuple[str, ...]) -> list[dict[str, str]]:
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""))
        if not set(columns) <= set(reader.fieldnames or ()):
            remedy = f"Begin it with the line {','.join(columns)}."
            raise FaultsError([Fault(file=str(path), line=1, problem="columns are missing.", remedy=remedy)])
        rows = [(reader.line_num, {name: row[name] or "" for name in columns}) for row in reader]
    except csv.Error as error:
        raise _unreadable(path, None) from error
    _check_rows(path, rows)
    return [row for _, row in rows]


def _unreadable(path: Path, why: str | None) -> FaultsError:
    reason = why or "it is not a UTF-8 text of comma-separated values"
    return FaultsError([Fault(file=str(path), line=None, problem=f"cannot be read: {reason}.", remedy="")])


def _check_rows(path: Path, rows: list[tuple[int, dict[str, str]]]) -> None:
    faults: list[Fault] = []

    def fault(line: int, problem: str, remedy: str) -> None:
        faults.append(Fault(file=str(path), line=line, problem=problem, remedy=remedy))

    seen: set[str] = set()
    for line, row in rows:
        account_id = row["account_id"]
        if not is_account_id(account_id):
            fault(
                line, f"{account_id!r} is not a valid account ID.", "Write 12 digits; spreadsheets drop leading zeros."
            )
        if account_id in seen:
            fault(line, f"account {account_id} is here a second time.", "Remove one of the two lines.")
        seen.add(account_id)
        if row.get("ou_path") == "":
            fault(line, f"account {account_id} has no ou_path.", 'Write at least the root\'s name: "Root".')
    if not rows:
        fault(1, "there is not one account in it.", "Add a line for each account.")
    if faults:
        raise FaultsError(faults)
