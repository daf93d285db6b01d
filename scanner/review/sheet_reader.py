"""The cells of an Excel workbook, read as they stand: texts, numbers, dates, formulas as text.

Only what says something about cells is read. A part that is there for looks (styles, validations, filters, conditional
formats, pictures) may be broken or of a kind that nobody foresaw, and costs nothing. Texts are decoded as the format
asks, ECMA-376 part 1, 22.9.2.19 (ST_Xstring): `_x000D_` is a carriage return, `_x005F_` an underscore. A library that
does neither, and refuses the whole workbook for a colour, is no way to read a decision.
"""

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from math import isfinite
from typing import Any
from xml.parsers.expat import ExpatError, ParserCreate
from zipfile import ZipFile

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format
from openpyxl.utils import get_column_letter
from openpyxl.utils.cell import coordinate_to_tuple
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900, from_excel

from scanner.review.cells import ERROR, FORMULA, Cell

MOST_ROWS, MOST_COLUMNS = 1_048_576, 256  # what is read of a sheet; it may claim to be as large as it likes

_CHUNK = 1 << 16
_STRINGS = "xl/sharedStrings.xml"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main "
_STRICT = "http://purl.oclc.org/ooxml/"
_RELATION_ID = "http://schemas.openxmlformats.org/officeDocument/2006/relationships id"
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
# ECMA-376 part 1, 18.8.30: the built-in formats of East Asian and Thai dates, which openpyxl does not know.
_EAST_ASIAN_DATES = frozenset([*range(27, 37), *range(50, 59)])

Row = Mapping[int, Cell]  # by column, from 1
_Start = Callable[[str, dict[str, str]], object]


class UnreadableError(Exception):
    """The parts do not make a workbook whose cells can be read."""


class StrictError(UnreadableError):
    """The workbook is in the Strict variant of the format, whose names are other ones."""


@dataclass
class Workbook:
    """The sheets of a workbook, to be read one by one."""

    archive: ZipFile
    sheets: Mapping[str, str] = field(default_factory=dict)  # title → part
    epoch: datetime = CALENDAR_WINDOWS_1900
    dates: frozenset[int] = frozenset()  # the cell styles that show a number as a date
    texts_in: str | None = None  # the part with the shared texts

    @cached_property
    def texts(self) -> list[str]:
        return _TextReader().read(self.archive, self.texts_in) if self.texts_in else []


def open_workbook(archive: ZipFile) -> Workbook:
    """Find the sheets; raise `UnreadableError` where there are none."""
    relations = _relations(archive, "")
    part = next((target for kind, target in relations.values() if kind == "officeDocument"), "xl/workbook.xml")
    book = Workbook(archive)
    named: dict[str, str] = {}  # title → id of a relation

    def start(name: str, attributes: dict[str, str]) -> None:
        if name.startswith(_STRICT):
            raise StrictError
        if name == f"{_MAIN}sheet":
            named[attributes.get("name", "")] = attributes.get(_RELATION_ID, "")
        elif name == f"{_MAIN}workbookPr" and attributes.get("date1904") in {"1", "true"}:
            book.epoch = CALENDAR_MAC_1904

    _parse(archive, part, start)
    targets = _relations(archive, part)
    parts = set(archive.namelist())
    of_kind = dict(targets.values())
    book.sheets = {
        title: targets[key][1] for title, key in named.items() if key in targets and targets[key][1] in parts
    }
    if not book.sheets:
        raise UnreadableError
    book.texts_in = of_kind.get("sharedStrings", _STRINGS if _STRINGS in parts else None)
    if "styles" in of_kind:
        book.dates = _date_styles(archive, of_kind["styles"])
    return book


def read_rows(book: Workbook, title: str) -> Iterator[tuple[int, Row]]:
    """The rows of a sheet that are not empty, with their numbers; raise `UnreadableError` where one is broken."""
    reader = _SheetReader(book)
    with book.archive.open(book.sheets[title]) as stream:
        while chunk := stream.read(_CHUNK):
            reader.feed(chunk)
            yield from reader.finished()
    reader.feed(b"", last=True)
    yield from reader.finished()


def merged_cells(book: Workbook, title: str) -> tuple[str, ...]:
    """The merged ranges of a sheet, as "F2:F9": all their cells but the first look empty."""
    ranges: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if name == f"{_MAIN}mergeCell":
            ranges.append(attributes.get("ref", ""))

    _parse(book.archive, book.sheets[title], start)
    return tuple(ranges)


def decoded(text: str) -> str:
    """The text that `_xHHHH_` escapes stand for."""
    return _ESCAPED.sub(lambda escape: chr(int(escape[1], 16)), text) if "_x" in text else text


# --- parts -----------------------------------------------------------------------------------------------------------


def _parse(archive: ZipFile, part: str, start: _Start) -> None:
    parser = ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = start
    try:
        with archive.open(part) as stream:
            parser.ParseFile(stream)
    except (ExpatError, KeyError) as error:
        raise UnreadableError from error


def _relations(archive: ZipFile, part: str) -> dict[str, tuple[str, str]]:
    """Where the relations of a part lead, by their ids: the last word of the kind, and the part. None leads outside."""
    folder, name = posixpath.split(part)
    targets: dict[str, tuple[str, str]] = {}

    def start(name: str, attributes: dict[str, str]) -> None:
        if name.endswith(" Relationship") and attributes.get("TargetMode") != "External":
            target = posixpath.normpath(posixpath.join("/", folder, attributes.get("Target", ""))).lstrip("/")
            targets[attributes.get("Id", "")] = attributes.get("Type", "").rpartition("/")[2], target

    try:
        _parse(archive, posixpath.join(folder, "_rels", f"{name}.rels"), start)
    except UnreadableError:
        return {}
    return targets


def _date_styles(archive: ZipFile, part: str) -> frozenset[int]:
    """The numbers of the cell styles that show a date; as far as the part can be read."""
    codes: dict[int, str] = dict(BUILTIN_FORMATS)
    formats: list[int] = []  # of each cell style
    within: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if name in {f"{_MAIN}cellXfs", f"{_MAIN}cellStyleXfs", f"{_MAIN}dxfs"}:
            within[:] = [name]
        elif name == f"{_MAIN}numFmt":
            codes[_number(attributes.get("numFmtId"))] = attributes.get("formatCode", "")
        elif name == f"{_MAIN}xf" and within == [f"{_MAIN}cellXfs"]:
            formats.append(_number(attributes.get("numFmtId")))

    with suppress(UnreadableError):  # what was read up to there counts; a date of another style is asked for anew
        _parse(archive, part, start)
    return frozenset(
        style
        for style, code in enumerate(formats)
        if code in _EAST_ASIAN_DATES or (code in codes and is_date_format(codes[code]))
    )


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 10 else 0


class _TextReader:
    """Reads the shared texts; phonetic hints (rPh) are no part of them."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._pieces: list[str] = []
        self._wanted = False
        self._hints = 0

    def read(self, archive: ZipFile, part: str) -> list[str]:
        parser = ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._data
        try:
            with archive.open(part) as stream:
                parser.ParseFile(stream)
        except (ExpatError, KeyError) as error:
            raise UnreadableError from error
        return self._texts

    def _start(self, name: str, _: dict[str, str]) -> None:
        element = name.removeprefix(_MAIN)
        self._hints += element == "rPh"
        self._wanted = element == "t" and not self._hints

    def _end(self, name: str) -> None:
        self._wanted = False
        element = name.removeprefix(_MAIN)
        self._hints -= element == "rPh"
        if element == "si":
            self._texts.append(decoded("".join(self._pieces)))
            self._pieces.clear()

    def _data(self, text: str) -> None:
        if self._wanted:
            self._pieces.append(text)


class _SheetReader:
    """Takes the XML of a sheet bit by bit, and gives its rows as they are finished."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._texts = book.texts
        self._done: list[tuple[int, Row]] = []
        self._row, self._column = 0, 0
        self._cells: dict[int, Cell] = {}
        self._kind, self._style = "n", 0
        self._pieces: dict[str, list[str]] = {}
        self._in: str | None = None  # the element whose text is wanted: v, f, or t of an inline string
        self._hints = 0
        self._parser = ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._data

    def feed(self, chunk: bytes, *, last: bool = False) -> None:
        try:
            self._parser.Parse(chunk, last)
        except (ExpatError, ValueError, IndexError, OverflowError) as error:
            raise UnreadableError from error

    def finished(self) -> list[tuple[int, Row]]:
        done, self._done = self._done, []
        return done

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        match name.rpartition(" ")[2]:
            case "c":
                self._start_cell(attributes)
            case "v" | "f" as element:
                self._in = element
                self._pieces[element] = []
            case "t" if not self._hints:
                self._in = "t"
                self._pieces.setdefault("t", [])
            case "rPh":
                self._hints += 1
            case "row":
                self._row = int(attributes["r"]) if "r" in attributes else self._row + 1
                self._column, self._cells = 0, {}
            case _:
                pass

    def _start_cell(self, attributes: dict[str, str]) -> None:
        at = attributes.get("r")
        self._column = coordinate_to_tuple(at)[1] if at else self._column + 1
        self._kind = attributes.get("t", "n")
        self._style = _number(attributes.get("s"))
        self._pieces = {}

    def _data(self, text: str) -> None:
        if self._in is not None:
            self._pieces[self._in].append(text)

    def _end(self, name: str) -> None:
        match name.rpartition(" ")[2]:
            case "c":
                self._end_cell()
            case "v" | "f" | "t":
                self._in = None
            case "rPh":
                self._hints -= 1
            case "row" if self._cells and self._row <= MOST_ROWS:
                self._done.append((self._row, self._cells))
            case _:
                pass

    def _end_cell(self) -> None:
        if self._column > MOST_COLUMNS:
            return
        if "f" in self._pieces:
            value: object = "=" + "".join(self._pieces["f"])
            kind = FORMULA
        else:
            text = "".join(self._pieces.get("v") or self._pieces.get("t") or ())
            if not text:
                return
            value, kind = self._value(text)
        if value != "":
            self._cells[self._column] = Cell(f"{get_column_letter(self._column)}{self._row}", value, kind)

    def _value(self, text: str) -> tuple[object, str]:
        match self._kind:
            case "s":
                number = int(text)
                if number < 0:  # which Python would count from the end
                    raise IndexError(text)
                return self._texts[number], "s"
            case "inlineStr" | "str":
                return decoded(text), "s"
            case "b":
                return text in {"1", "true"}, "b"
            case "e":
                return text, ERROR
            case "d":
                return datetime.fromisoformat(text).replace(tzinfo=None), "d"
            case _:
                amount = float(text)
                if not isfinite(amount):
                    raise ValueError(text)
                return self._date(amount) if self._style in self._book.dates else (_whole(amount), "n")

    def _date(self, number: float) -> tuple[object, str]:
        try:
            moment: Any = from_excel(number, self._book.epoch)
        except (OverflowError, ValueError):
            return "#VALUE!", ERROR  # as a spreadsheet shows a day that cannot be
        return (number, "n") if moment is None else (moment, "d")


def _whole(number: float) -> float | int:
    return int(number) if number.is_integer() else number
