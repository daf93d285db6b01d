"""Lists of users to approve, as people keep them: plain names, or a CSV, each with every fault by its line.

A list is read for what it says and never for more: a name with a wildcard is a fault and not a pattern, and where an
account ID may have lost its zeros, nobody guesses.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from scanner.account_files import csv_rows
from scanner.errors import Fault
from scanner.model import Entry, Scope
from scanner.safelist.entries import entry_of
from scanner.safelist.fields import REQUIRABLE
from scanner.safelist.types import arn_parts, fold
from scanner.text import did_you_mean, from_csv, is_account_id, is_blank, near_names

Place = tuple[Scope, str]  # as in an entry: where it approves

NAMES: Final = ("user", "user_name", "arn")  # columns, one of which a CSV has
ACCOUNT: Final = "account_id"
COLUMNS: Final = (*NAMES, ACCOUNT, *REQUIRABLE)

_TOKEN = re.compile(r"""\s*("[^"]*"|'[^']*'|[^,]*?)\s*(?:,|$)""")
_COMMENT = re.compile(r"(?:^|\s)#.*")
_HEADER = "user,account_id,owner,reason"
_ANYBODY = "anybody"  # stands in for a name that cannot be used
_NO_PLACE = "It does not say where these users are approved."


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A user of a list, with what the list says of it."""

    entry: Entry  # its file and line are those of the list
    arn: str | None  # where the list has it, or the run that it is of
    columns: frozenset[str] = frozenset()  # the fields that the list has room for
    account_owner: str | None = None  # by the run that it is of
    is_faulty: bool = False  # reported already; only its place may be looked at

    def fault(self, problem: str, remedy: str) -> Fault:
        return Fault(file=self.entry.file, line=self.entry.line, problem=problem, remedy=remedy)


def read_list(
    path: Path, text: str, place: Place | None, known: Collection[str], faults: list[Fault]
) -> tuple[Listed, ...]:
    """The users of a file; what is wrong is added to the faults.

    `place` is where they are approved, if that was said; `known` are columns that are no fault and say nothing here.
    """
    source = _Source(str(path), place, faults)
    header = next((line for line in text.split("\n") if line.strip()), "")
    named = [field.strip(' "\r') for field in header.split(",")]
    is_csv = path.suffix.lower() == ".csv" or not set(NAMES).isdisjoint(named)
    found = _rows(source, text, known) if is_csv else _names(source, text)
    if not found and not any(fault.file == str(path) for fault in faults):
        source.report(1, "The file lists no user.", "Write a line for each.")
    return found


@dataclass(frozen=True, slots=True)
class _Source:
    """A file that is read."""

    file: str
    place: Place | None
    faults: list[Fault]

    def report(self, line: int | None, problem: str, remedy: str) -> None:
        self.faults.append(Fault(file=self.file, line=line, problem=problem, remedy=remedy))

    def listed(
        self, line: int, values: Mapping[str, str], place: Place, columns: Collection[str] = ()
    ) -> Listed | None:
        name = values.get("user", "")
        is_name = "*" not in name and "?" not in name
        if not is_name:
            problem = f"{name!r} holds a wildcard, and an import approves users by their names."
            self.report(line, problem, "Write the whole name; write a pattern into the safelist by hand.")
            values = {**values, "user": _ANYBODY}  # the other fields are looked at all the same
        entry, faults = entry_of(values, place, self.file, line)
        self.faults.extend(faults)
        is_faulty = entry is None or not is_name
        if entry is None:
            entry, _ = entry_of({"user": _ANYBODY}, place, self.file, line)
        return Listed(entry=entry, arn=None, columns=frozenset(columns), is_faulty=is_faulty) if entry else None


# --- plain names -----------------------------------------------------------------------------------------------------


def _names(source: _Source, text: str) -> tuple[Listed, ...]:
    """One name a line, or several with commas between; a name that holds a comma stands in quotes."""
    if source.place is None:
        source.report(None, _NO_PLACE, "Give --account, --ou or --global.")
    found: list[Listed | None] = []
    for number, line in enumerate(text.split("\n"), start=1):
        for name in _tokens(_COMMENT.sub("", line)):
            if name.startswith("arn:"):
                source.report(
                    number, f"{name} is an ARN and no name.", "For a list of ARNs, write arn as its first line."
                )
            else:
                found.append(source.listed(number, {"user": name}, source.place or (Scope.GLOBAL, "")))
    return tuple(listed for listed in found if listed is not None)


def _tokens(line: str) -> list[str]:
    tokens = (found[1] for found in _TOKEN.finditer(line))
    names = (from_csv(token[1:-1].strip() if _is_quoted(token) else token) for token in tokens)
    return [name for name in names if name]


def _is_quoted(token: str) -> bool:
    return len(token) > 1 and token[0] in "\"'" and token[0] == token[-1]


# --- a CSV -----------------------------------------------------------------------------------------------------------


def _rows(source: _Source, text: str, known: Collection[str]) -> tuple[Listed, ...]:
    names, rows = csv_rows(text, (), _HEADER, source.report)
    if not names or not _is_usable(source, names, known):
        return ()
    found = (
        _row(source, line, {key: from_csv(value).strip() for key, value in values.items()}) for line, values in rows
    )
    return tuple(listed for listed in found if listed is not None)


def _is_usable(source: _Source, names: Sequence[str], known: Collection[str]) -> bool:
    """Whether rows can be read under this header, also beside an unknown column; what is wrong is reported."""
    if not set(names) & {*COLUMNS, *known}:
        remedy = (
            f"Begin it with a header such as {_HEADER}; a list of plain names needs a name that does not end in .csv."
        )
        source.report(1, "Its first line is not a header.", remedy)
        return False
    for name in names:
        if name == "pattern":
            remedy = "Remove the column; write an entry with a pattern into the safelist by hand."
            source.report(1, "An import approves users by name, and never by a pattern.", remedy)
        elif name not in COLUMNS and name not in known:
            near = near_names(name.strip().lower().replace(" ", "_"), COLUMNS)
            remedy = did_you_mean(near[:1], otherwise=f"The columns are: {', '.join(COLUMNS)}.").strip()
            source.report(1, f"The column {name!r} is unknown.", remedy)
    before = len(source.faults)
    if not set(NAMES) & set(names):
        source.report(1, "No column says who is approved.", "Name one of them user, user_name or arn.")
    elif {"user", "user_name"} <= set(names):
        source.report(1, "Two columns say who is approved: user and user_name.", "Keep one of them.")
    own = next((name for name in (ACCOUNT, "arn") if name in names), None)
    if own is None and source.place is None:
        source.report(1, _NO_PLACE, f"Give --account, --ou or --global, or add a column {ACCOUNT}.")
    elif own is not None and source.place is not None:
        remedy = "Leave that option out, or the column."
        source.report(1, f"The column {own} says where each user is approved, and so does an option.", remedy)
    return len(source.faults) == before


def _row(source: _Source, line: int, row: Mapping[str, str]) -> Listed | None:
    arn, name = row.get("arn", ""), row.get("user", row.get("user_name", ""))
    before = len(source.faults)

    def report(problem: str, remedy: str) -> None:
        source.report(line, problem, remedy)

    parts = arn_parts(arn)
    if is_blank(name) and is_blank(arn):
        report("The row names no user.", "Write the name, or remove the row.")
    if parts and not is_blank(name) and fold(parts[1]) != fold(name):
        report(f"The arn is of {parts[1]}, and the name is {name}.", "Correct one of them.")
    account = row.get(ACCOUNT, parts[0] if parts else "")
    if ACCOUNT in row:
        _check_account(account, parts, report)
    elif source.place is None and is_blank(arn) and not is_blank(name):
        report("The arn is blank, so the account is not known.", f"Write it, or add a column {ACCOUNT}.")
    is_right = len(source.faults) == before
    is_placed = source.place is not None or is_account_id(account)
    place = source.place or ((Scope.ACCOUNT, account) if is_placed else (Scope.GLOBAL, ""))
    if not is_right:  # the other fields are looked at all the same
        selected = {"user": _ANYBODY}
    else:
        # The name beside it does not make a wrong ARN right.
        by_arn = is_blank(name) or (not is_blank(arn) and parts is None)
        selected = {"arn": arn} if by_arn else {"user": name}
    fields = {key: row[key] for key in REQUIRABLE if not is_blank(row.get(key, ""))}
    listed = source.listed(line, selected | fields, place, row.keys())
    if listed is None or not is_placed:
        return None
    if not is_right:
        return replace(listed, is_faulty=True)
    return replace(listed, arn=arn) if parts else listed


def _check_account(account: str, parts: tuple[str, str] | None, report: Callable[[str, str], None]) -> None:
    if is_blank(account):
        report(f"The {ACCOUNT} is blank.", "Write the 12 digits of the account.")
    elif not is_account_id(account):
        padded = account.zfill(12)
        lost = f": {padded}?" if account.isdecimal() and account.isascii() and len(account) < len(padded) else "."
        report(f"{account!r} is not a valid account ID.", f"Write 12 digits; spreadsheets drop leading zeros{lost}")
    elif parts and parts[0] != account:
        report(f"The arn is of account {parts[0]}, and the {ACCOUNT} is {account}.", "Correct one of them.")
