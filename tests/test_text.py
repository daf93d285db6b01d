import re
import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.text import (
    CELL_LIMIT,
    CUT_MARK,
    Change,
    first_invisible,
    for_csv,
    for_terminal,
    for_utf8,
    for_xml,
    is_blank,
    looks_like_formula,
    near_names,
    parse_day,
)

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\0=1", "＝1", "＋1", "－1", "＠x"]  # noqa: RUF001

# Any code point at all, lone surrogates among them: AWS promises less than one would think.
ANY_TEXT = st.text(st.characters(), max_size=60) | st.text(
    st.characters(categories=["Cc", "Cs", "Cf", "Zl"]), max_size=9
)


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_gets_a_leading_quote(text: str) -> None:
    assert looks_like_formula(text)
    assert for_csv(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "alice", "a=1", "'=1", " =1", "ärger", "000000000001"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert for_csv(text) == text


@given(ANY_TEXT)
def test_text_for_csv_is_utf8_and_never_a_formula(text: str) -> None:
    guarded = for_csv(text)
    assert guarded.encode("utf-8") or not text
    assert not looks_like_formula(guarded)


@given(ANY_TEXT)
def test_only_lone_surrogates_are_replaced_for_utf8(text: str) -> None:
    fitting = for_utf8(text)
    assert len(fitting) == len(text)
    assert all(new == old or "\ud800" <= old <= "\udfff" for new, old in zip(fitting, text, strict=True))


def as_a_spreadsheet_reads(text: str) -> str:
    return re.sub("_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), text)


@given(ANY_TEXT | st.text("_x05Fdg", max_size=40))
def test_text_for_xml_is_read_back_but_for_what_xml_cannot_hold(text: str) -> None:
    fitting, changes = for_xml(text)
    back = as_a_spreadsheet_reads(fitting)
    assert len(back) == len(text)
    lost = [old for new, old in zip(back, text, strict=True) if new != old]
    assert all(re.match("[\0-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]", char) for char in lost)
    assert bool(lost) == (Change.REPLACED in changes)
    assert bool(changes) == (fitting != text)


def test_text_that_needs_nothing_is_given_back_itself() -> None:
    text = "plain, with\ttabs\nand lines; Ω and 😀 too"
    assert for_xml(text) == (text, ())


def test_what_looks_escaped_is_escaped() -> None:
    assert for_xml("user_x000D_y") == ("user_x005F_x000D_y", (Change.ESCAPED,))
    assert for_xml("_x0041_x0042_")[0] == "_x005F_x0041_x005F_x0042_"


def test_a_carriage_return_is_replaced_as_xml_would_make_a_line_feed_of_it() -> None:
    assert for_xml("a\r\nb") == ("a\ufffd\nb", (Change.REPLACED,))


def test_what_fits_a_cell_exactly_is_not_cut() -> None:
    assert for_xml("x" * CELL_LIMIT) == ("x" * CELL_LIMIT, ())


@given(st.integers(CELL_LIMIT - 8, CELL_LIMIT + 8), st.sampled_from(["a", "😀", "_x0041_", "\0"]))
def test_long_text_is_cut_with_a_mark_and_fits(length: int, piece: str) -> None:
    text = ("a" * (length % 7) + piece * length)[:length]
    fitting, changes = for_xml(text)
    assert len(fitting.encode("utf-16-le")) // 2 <= CELL_LIMIT
    assert fitting.endswith(CUT_MARK) == (Change.CUT in changes)


def test_no_escape_is_left_in_halves() -> None:
    fitting, _ = for_xml("_x0041_" * 6000)
    assert as_a_spreadsheet_reads(fitting).removesuffix(CUT_MARK).startswith("_x0041__x0041_")
    assert not re.search(r"_x00?5?F?" + re.escape(CUT_MARK), fitting)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("alice", "alice"),
        ("\x1b[2Jalice", "\\x1b[2Jalice"),
        ("one\r\ntwo", "one\\r\\ntwo"),
        ("\u202egpj.exe", "\\u202egpj.exe"),
        ("a\u2028b\ud800", "a\\u2028b\\ud800"),
        ("\x9b31m", "\\x9b31m"),
    ],
)
def test_a_terminal_sees_controls_spelled_out(text: str, shown: str) -> None:
    assert for_terminal(text) == shown


@given(ANY_TEXT)
def test_a_terminal_gets_one_visible_line(text: str) -> None:
    shown = for_terminal(text)
    assert shown.isprintable()
    assert shown.encode("utf-8") or not text
    assert for_terminal(shown) == shown


@pytest.mark.parametrize(
    "text",
    ["", " ", "\t\n", "\u00a0", "\u200b", "\u2060 \ufeff", "\u3164", "\u2800", "\u2028", "\u00ad", "\u180e", "\ufe0f"],
)
def test_what_a_person_sees_as_blank_is_blank(text: str) -> None:
    assert is_blank(text)


@pytest.mark.parametrize("text", ["a", "\u200ba", "-", "\u00e9", "\u4e2d", "0", "\N{WARNING SIGN}\ufe0f"])
def test_what_a_person_sees_is_not_blank(text: str) -> None:
    assert not is_blank(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain text, é and 中文\tand a line\n", None),
        ("\N{WARNING SIGN}\ufe0f look", None),
        ("a\u2028b", (1, "U+2028 LINE SEPARATOR")),
        ("a\u2029b", (1, "U+2029 PARAGRAPH SEPARATOR")),
        ("a\x85b", (1, "U+0085")),
        ("a\rb", (1, "U+000D")),
        ("ab\u202ec", (2, "U+202E RIGHT-TO-LEFT OVERRIDE")),
        ("\u2066", (0, "U+2066 LEFT-TO-RIGHT ISOLATE")),
        ("x\u200b", (1, "U+200B ZERO WIDTH SPACE")),
        ("x\u00ad", (1, "U+00AD SOFT HYPHEN")),
        ("x\U000e0041", (1, "U+E0041 TAG LATIN CAPITAL LETTER A")),
    ],
)
def test_a_character_that_nobody_sees_is_named(text: str, expected: tuple[int, str] | None) -> None:
    assert first_invisible(text) == expected


def test_every_format_character_that_is_not_drawn_is_invisible() -> None:
    """Of category Cf, Unicode draws only the marks that enclose or join digits and hieroglyphs."""
    drawn = {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD, *range(0x13430, 0x13440)}
    format_characters = {code for code in range(0x110000) if unicodedata.category(chr(code)) in {"Cf", "Zl", "Zp"}}
    assert {code for code in format_characters - drawn if first_invisible(chr(code)) is None} == set()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2027-01-15", date(2027, 1, 15)),
        ("2026-02-30", None),
        ("20270115", None),
        ("2027-W03-5", None),
        ("２０２７-01-15", None),  # noqa: RUF001
        ("2027-01-15 ", None),
        ("", None),
    ],
)
def test_a_day_is_written_in_one_way(text: str, expected: date | None) -> None:
    assert parse_day(text) == expected


def test_of_paths_those_that_end_in_the_same_name_may_have_been_meant() -> None:
    paths = ["Root/Workloads/Prod", "Root/Workloads/Dev", "Root/Prod-old"]
    assert near_names("prod", paths) == ["Root/Workloads/Prod"]
    assert near_names("Root/Prod", paths) == ["Root/Workloads/Prod"]
    assert near_names("Root/Workloads/Prd", paths)[0] == "Root/Workloads/Prod"
    assert near_names("elsewhere", paths) == []
