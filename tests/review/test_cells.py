"""One cell of a reviewer: what it may hold, and what is refused, by whichever spreadsheet it was saved."""

from datetime import date, datetime, time

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


@pytest.mark.parametrize("broken", [cell("=A1", "f"), cell("#N/A", "e"), cell("a\x9bb"), cell(date(2026, 1, 1))])
def test_what_nobody_wrote_is_no_text(broken: Cell) -> None:
    with pytest.raises(CellError):
        text(broken)


@pytest.mark.parametrize("char", ["\u200b", "\u202e", "\u00ad", "\u0007"])
def test_a_character_that_nobody_sees_is_named(char: str) -> None:
    with pytest.raises(CellError, match=f"holds U\\+{ord(char):04X}.*, which cannot be seen"):
        text(cell(f"db{char}@example.com"))
