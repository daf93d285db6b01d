"""The frames as CSV, for spreadsheets and scripts, and as JSON, with values as AWS gave them. Same frame, same bytes.

CSV: UTF-8 with BOM, RFC 4180, times in ISO 8601 UTC, lists joined by "; ", unknown empty, formulas guarded.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any, BinaryIO, TextIO

import pandas as pd

from scanner.report.columns import CellKind, Column
from scanner.text import for_csv, iso

LIST_SEPARATOR = "; "


def write_csv(columns: Sequence[Column[Any]], frame: pd.DataFrame, out: BinaryIO) -> None:
    texts = io.TextIOWrapper(out, encoding="utf-8-sig", newline="", write_through=False)
    write_csv_text(columns, frame, texts)
    texts.detach()  # flushes, and leaves `out` to whoever opened it


def write_csv_text(columns: Sequence[Column[Any]], frame: pd.DataFrame, out: TextIO) -> None:
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(column.key for column in columns)
    writer.writerows(zip(*(_texts(column, frame[column.key]) for column in columns), strict=True))


def write_json(columns: Sequence[Column[Any]], frame: pd.DataFrame, out: BinaryIO) -> None:
    """An array with one object a row; written row by row, as all of it may be large."""
    keys = [column.key for column in columns]
    separator = b"[\n"
    for row in zip(*(frame[key] for key in keys), strict=True):
        out.write(separator + json.dumps(dict(zip(keys, row, strict=True)), default=_plain).encode("ascii"))
        separator = b",\n"
    out.write(b"\n]\n" if len(frame) else b"[]\n")


def joined(column: Column[Any], values: Sequence[str]) -> str:
    """A list in one cell."""
    return LIST_SEPARATOR.join(values) if values else column.none


def flag(value: bool) -> str:
    return "true" if value else "false"


def _texts(column: Column[Any], values: Iterable[Any]) -> Iterable[str]:
    """The values as text; most columns hold few different ones, so that what was made once is kept for a while."""
    return map(lru_cache(maxsize=1024)(lambda value: _text(column, value)), values)


def _text(column: Column[Any], value: Any) -> str:
    if value is None:
        return ""
    if column.kind is CellKind.LIST:
        return for_csv(joined(column, value))
    return _TO_TEXT[column.kind](value)


_TO_TEXT: Mapping[CellKind, Callable[[Any], str]] = {
    CellKind.TEXT: for_csv,
    CellKind.DATE: date.isoformat,
    CellKind.DATETIME: iso,
    CellKind.BOOL: flag,
    CellKind.INT: str,
}


def _plain(value: object) -> str:
    """What JSON has no type for."""
    if isinstance(value, datetime):
        return iso(value, exact=True)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"no column holds a {type(value).__name__}")
