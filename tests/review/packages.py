"""Workbooks taken apart: parts put in and taken out, what is read of them, and why they are refused."""

from collections.abc import Mapping
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from scanner.errors import UsageError
from scanner.review.opening import opened, rows

SHEET = "xl/worksheets/sheet1.xml"
STRINGS = "xl/sharedStrings.xml"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def with_parts(path: Path, parts: Mapping[str, bytes | None]) -> Path:
    """The workbook with these parts put in, in place of those of the same name; None takes one out."""
    with ZipFile(path) as archive:
        kept = {name: archive.read(name) for name in archive.namelist() if name not in parts}
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for name, content in {**kept, **parts}.items():
            if content is not None:
                archive.writestr(name, content)
    return path


def part_of(path: Path, name: str) -> bytes:
    with ZipFile(path) as archive:
        return archive.read(name)


def read(path: Path, title: str = "Review") -> list[list[object]]:
    with opened(path) as book:
        return [[cell.value for cell in row.values()] for _, row in rows(path, book, title)]


def refusal(path: Path) -> str:
    """Why the file is refused, in one sentence that names it and one that helps."""
    with pytest.raises(UsageError) as caught:
        read(path)
    named, text = str(caught.value).split(f"{path}: ")
    assert not named
    assert text.endswith(".")
    assert text.count(". ") >= 1
    return text


def sheet_of(rows: str, beside: str = "") -> bytes:
    return f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData>{beside}</worksheet>'.encode()
