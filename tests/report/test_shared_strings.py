"""Texts are kept once as long as they are in use: a workbook that repeats them would be too large to be read back."""

import io

import pytest

from scanner.report.workbook import shared_strings
from scanner.report.workbook.shared_strings import SharedStrings


def test_a_text_in_use_is_kept_once_and_one_that_is_not_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_strings, "REMEMBERED", 10)
    out = io.BytesIO()
    strings = SharedStrings(out)
    numbers = []
    for row in range(100):
        numbers.append(strings.number("common"))
        strings.number(f"only in row {row}")
    assert set(numbers) == {0}
    assert strings.number("only in row 99") == 100
    assert strings.number("only in row 0") == 101
    strings.finish()
    assert out.getvalue().count(b"<si>") == 102


def test_texts_of_openpyxl_are_moved_with_their_style_and_spaces() -> None:
    out = io.BytesIO()
    strings = SharedStrings(out)
    strings.number("first")
    sheet = b'<c r="A1" s="3" t="inlineStr"><is><t xml:space="preserve"> a &lt;is&gt;\n</t></is></c><c r="B1" />'
    assert strings.shared(sheet) == b'<c r="A1" s="3" t="s"><v>1</v></c><c r="B1" />'
    strings.finish()
    assert out.getvalue().endswith(b'<si><t xml:space="preserve"> a &lt;is&gt;\n</t></si></sst>')
