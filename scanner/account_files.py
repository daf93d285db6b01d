"""The CSV files that people write: how they are read, and those of accounts.

They say what is audited, who answers for it and who is approved, so they are read strictly. A row is a line, so that a
quote too many cannot take in the lines after it. A row has as many fields as the header, so that a comma too many
cannot move an account to another OU, and what was left out is not taken for blank. Lines without any text are skipped.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from scanner.errors import Fault, FaultsError
from scanner.files import read_text
from scanner.text import first_invisible, is_account_id, is_blank

ACCOUNT_COLUMNS: Final = ("account_id", "account_name", "ou_path")
OWNER_COLUMNS: Final = ("account_id", "account_owner")

Report = Callable[[int, str, str], None]  # takes the line, the problem and the remedy of a fault
Line = tuple[int, str]  # its number, from 1, and its text
Row = tuple[int, dict[str, str]]  # the number of its line, and its fields by column

_FIELD = re.compile(r'"([^"]*(?:""[^"]*)*)"(?!")|([^",]*)')
_SEPARATORS: Final = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_QUOTING = 'Put a value that holds a comma or a quote in double quotes, and write its own quotes twice: "a ""b"", c".'


def read_owners(path: Path | None) -> Mapping[str, str]:
    """The owners by account ID, from the file of `--account-owners`; raise `FaultsError` with every fault by line."""
    if path is None:
        return {}
    return {row["account_id"]: row["account_owner"] for row in account_rows(path, read_text(path), OWNER_COLUMNS)}


def account_rows(path: Path, text: str, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """The rows of a file whose header has these columns, and maybe others.

    Raises `FaultsError` with every fault by line. `path` is for their words alone: the text may be that of a journal.
    """
    faults: list[Fault] = []

    def report(line: int, problem: str, remedy: str) -> None:
        faults.append(Fault(file=str(path), line=line, problem=problem, remedy=remedy))

    names, rows = csv_rows(text, columns, ",".join(columns), report)
    _check(rows, report)
    if names and not rows and not faults:
        report(1, "The file lists no accounts.", "Add a line for each account.")
    if faults:
        raise FaultsError(sorted(faults, key=lambda fault: fault.line or 0))
    return [values for _, values in rows]


def csv_rows(text: str, required: Sequence[str], example: str, report: Report) -> tuple[list[str], list[Row]]:
    """The names in the header, and the rows; no names where the header cannot be used.

    The header has the columns that are `required`, and maybe others; `example` is a header that would do. What is wrong
    is reported.
    """
    header, *lines = _lines(text) or [(1, "")]
    names = _header(header, required, example, report)
    return names, [(line[0], values) for line in lines if names and (values := _values(line, names, report))]


def _lines(text: str) -> list[Line]:
    """The lines that hold any text. They end in a line feed, with or without a carriage return before it."""
    numbered = enumerate(text.split("\n"), start=1)
    return [(number, line.removesuffix("\r")) for number, line in numbered if line.strip()]


def _header(line: Line, required: Sequence[str], example: str, report: Report) -> list[str]:
    """The names in the header; none of them where they cannot be used, which is reported."""
    number, text = line
    begin = f"Begin it with the line {example}."
    if not text:
        report(number, "The file is empty.", begin)
        return []
    if text.lower().startswith("sep="):
        report(number, "This line is for Excel alone.", f"Remove it, and separate the fields by commas. {begin}")
        return []
    if separators := _other_separators(text, len(required)):
        report(number, f"Its fields are separated by {separators}.", f"Separate them by commas. {begin}")
        return []
    if "\r" in text:
        report(number, "Its lines end in a carriage return alone.", "Save it as CSV in UTF-8, with line feeds.")
        return []
    names = _fields(line, report)
    missing = [column for column in required if column not in names]
    if names and missing:
        report(number, f"Columns are missing: {', '.join(missing)}.", begin)
    for name, count in Counter(names).items():
        if is_blank(name):
            report(number, "A column has no name.", "Name it, or remove it with the comma before it.")
        elif count > 1:
            report(number, f"The column {name} appears {count} times.", "Keep one of them.")
    return [] if missing else names


def _other_separators(text: str, count: int) -> str | None:
    """What separates the fields of a line, where it is not commas: "semicolons"; None where nothing else does."""
    if "," in text:
        return None
    return next(
        (plural for separator, plural in _SEPARATORS.items() if text.count(separator) >= max(count - 1, 1)), None
    )


def _values(line: Line, names: Sequence[str], report: Report) -> dict[str, str] | None:
    fields = _fields(line, report)
    if len(fields) == 1 and (separators := _other_separators(line[1], len(names))):
        report(line[0], f"Its fields are separated by {separators}.", "Separate them by commas.")
    elif fields and len(fields) != len(names):
        remedy = _QUOTING if len(fields) > len(names) else "Write a field for each column, even a blank one."
        count = "1 field" if len(fields) == 1 else f"{len(fields)} fields"
        report(line[0], f"{count}, where the header has {len(names)}.", remedy)
    return dict(zip(names, fields, strict=True)) if len(fields) == len(names) else None


def _fields(line: Line, report: Report) -> list[str]:
    """The fields of a line; none where it cannot be read, which is reported."""
    number, text = line
    if invisible := first_invisible(text):
        report(number, f"Character {invisible[0] + 1} is {invisible[1]}, which cannot be seen.", "Remove it.")
        return []
    fields: list[str] = []
    at = 0
    while field := _FIELD.match(text, at):
        quoted, plain = field.groups()
        fields.append(plain if quoted is None else quoted.replace('""', '"'))
        if field.end() == len(text):
            return fields
        if text[field.end()] != ",":
            unclosed = quoted is None and not plain
            problem = "A quote is not closed on its line." if unclosed else "A quote is in the middle of a field."
            report(number, problem, _QUOTING)
            break
        at = field.end() + 1
    return []


def _check(rows: Sequence[Row], report: Report) -> None:
    seen: set[str] = set()
    for line, values in rows:
        account_id = values["account_id"]
        if not is_account_id(account_id):
            problem = f"{account_id!r} is not a valid account ID."
            report(line, problem, "Write 12 digits; spreadsheets drop leading zeros.")
        elif account_id in seen:
            report(line, f"Account {account_id} is listed a second time.", "Remove one of the two lines.")
        seen.add(account_id)
        for problem, remedy in _faults_of(values):
            report(line, problem, remedy)


def _faults_of(values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What is wrong with the path of an OU, or the name of an owner, where there is one."""
    path, owner = values.get("ou_path"), values.get("account_owner")
    if owner is not None and owner != owner.strip():
        yield f"The account_owner {owner!r} begins or ends with a space.", "Remove the space."
    if path is None:
        return
    if path == "":
        yield "The ou_path is blank.", 'Write at least the name of the root: "Root".'
        return
    names = ou_names(path)
    if any(is_blank(name) for name in names):
        yield f"The ou_path {path!r} has an OU without a name in it.", 'Write it as "Root/Workloads/Prod".'
    elif any(name != name.strip() for name in names):
        yield f"The ou_path {path!r} has a space before or after the name of an OU.", "Remove the space."


def ou_names(path: str) -> list[str]:
    """The names in an ou_path, from the root down; a "/" at its beginning or end is no name."""
    return path.removeprefix("/").removesuffix("/").split("/")
