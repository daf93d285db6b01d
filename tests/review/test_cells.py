"""One cell of a reviewer: what it may hold, and what is refused, by whichever spreadsheet it was saved."""

from datetime import date, datetime, time, timedelta

import pytest

from scanner.model import Choice, Kind
from scanner.review.cells import Cell, CellError, day, line, one_of, text


def cell(value: object, kind: str = "s") -> Cell:
    return Cell("K2", value, kind)


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (None, None),
        ("", None),
        (" \n ", None),
        ("\u200b", None),
        (" \u2060\u00a0\ufeff", None),
        ("\u3164", None),
        ("\r\n", None),
        (" a\n b ", "a\n b"),
        (12, "12"),
        (12.0, "12"),
        (0.5, "0.5"),
        (True, "True"),
        ("'=1+1", "=1+1"),  # as a CSV guards it
        ("'tis", "'tis"),
    ],
)
def test_a_text_is_what_a_person_sees(value: object, read: str | None) -> None:
    assert text(cell(value)) == read


def test_a_line_is_one() -> None:
    assert line(cell(" Nightly\n\texport\u2028of it ")) == "Nightly export of it"


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (None, None),
        (" ", None),
        (datetime(2026, 11, 24, 13, 5), date(2026, 11, 24)),  # noqa: DTZ001  a workbook knows no time zones
        (date(2026, 11, 24), date(2026, 11, 24)),
        (" 2026-11-24 ", date(2026, 11, 24)),
    ],
)
def test_a_day_is_a_date_or_its_text(value: object, read: date | None) -> None:
    assert day(cell(value)) == read


@pytest.mark.parametrize("value", ["2026-02-30", "24.11.2026", "11/24/2026", "2026-11-24T00:00:00", 46350, time(12, 0)])
def test_what_could_be_another_day_is_none(value: object) -> None:
    with pytest.raises(CellError):
        day(cell(value))


def test_a_choice_is_known_whatever_its_case() -> None:
    assert one_of(cell(" approve"), Choice) is Choice.APPROVE
    assert one_of(cell("Break-Glass"), Kind) is Kind.BREAK_GLASS
    assert one_of(cell(None), Choice) is None
    with pytest.raises(CellError, match="'Approved' is unknown"):
        one_of(cell("Approved"), Choice)


@pytest.mark.parametrize(
    "broken", [cell("=A1", "f"), cell("#N/A", "e"), cell("a\x9bb"), cell("a\ud800"), cell(date(2026, 1, 1))]
)
def test_what_nobody_wrote_is_no_text(broken: Cell) -> None:
    with pytest.raises(CellError):
        text(broken)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x0b", "\x85", "\u2028", "\u2029"])
def test_every_kind_of_line_end_is_the_one_that_the_ledger_has(end: str) -> None:
    assert text(cell(f"Nightly{end}export")) == "Nightly\nexport"
    assert line(cell(f"Nightly{end}export")) == "Nightly export"


@pytest.mark.parametrize("value", [time(12, 0), timedelta(hours=12)])
def test_a_time_is_no_date(value: time | timedelta) -> None:
    with pytest.raises(CellError, match="12:00:00' is not a valid date"):
        day(cell(value))


@pytest.mark.parametrize("char", ["\u200b", "\u202e", "\u00ad", "\u0007", "\x1f"])
def test_a_character_that_nobody_sees_is_named(char: str) -> None:
    with pytest.raises(CellError, match=f"holds U\\+{ord(char):04X}.*, which cannot be seen"):
        text(cell(f"db{char}@example.com"))
