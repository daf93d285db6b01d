"""The cells of a workbook, whatever stands beside them and whichever program saved it."""

from datetime import datetime
from pathlib import Path

import pytest

from scanner.review.opening import opened, rows
from scanner.review.sheet_reader import merged_cells
from tests.review.packages import MAIN, SHEET, STRINGS, part_of, read, sheet_of, with_parts


def test_a_workbook_is_read(plain: Path) -> None:
    assert [row[0] for row in read(plain)] == ["decision", "Approve"]


def test_a_sheet_that_lies_about_its_size_is_read_as_far_as_it_goes(plain: Path) -> None:
    whole = part_of(plain, SHEET).replace(b'ref="A1:B2"', b'ref="A1"')
    assert len(read(with_parts(plain, {SHEET: whole}))) == 2
    whole = whole.replace(b'ref="A1"', b'ref="A1:XFD1048576"')
    assert len(read(with_parts(plain, {SHEET: whole}))) == 2


def test_merged_cells_are_told(plain: Path) -> None:
    with opened(plain) as book:
        assert merged_cells(book, "Review") == ()
    beside = '<mergeCells count="2"><mergeCell ref="A2:A9"/><mergeCell ref="C1:D1"/></mergeCells>'
    with opened(with_parts(plain, {SHEET: sheet_of("<row/>", beside)})) as book:
        assert merged_cells(book, "Review") == ("A2:A9", "C1:D1")


def test_formulas_and_links_are_text_and_are_not_followed(plain: Path) -> None:
    """Remote links, DDE and WEBSERVICE: what they would fetch is not fetched, as nothing is calculated."""
    officedocument = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    link = f'<Relationship Id="x" Type="{officedocument}/externalLink" Target="externalLinks/absent.xml"/>'
    reference = f'<externalReferences><externalReference xmlns:r="{officedocument}" r:id="x"/></externalReferences>'
    linked: dict[str, bytes | None] = {
        name: part_of(plain, name).replace(before, more.encode() + before)
        for name, before, more in (
            ("xl/_rels/workbook.xml.rels", b"</Relationships>", link),
            ("xl/workbook.xml", b"<calcPr", reference),
        )
    }
    assert b"externalReference " in (linked["xl/workbook.xml"] or b"")
    formula = "WEBSERVICE(&quot;http://192.0.2.1/&quot;)"
    sheet = sheet_of(f'<row r="1"><c r="A1"><f>{formula}</f><v>1</v></c><c r="B1"><f>cmd|" /C calc"!A0</f></c></row>')
    found = read(with_parts(plain, {**linked, SHEET: sheet}))
    assert found == [['=WEBSERVICE("http://192.0.2.1/")', '=cmd|" /C calc"!A0']]


def test_a_date_that_cannot_be_is_an_error_in_its_cell(plain: Path) -> None:
    """It is for the reader of the cell to name it; nothing is printed on the way."""
    sheet = part_of(plain, SHEET).replace(b"<v>46350</v>", b"<v>99999999999</v>")
    assert sheet != part_of(plain, SHEET)
    with opened(with_parts(plain, {SHEET: sheet})) as book:
        _, (_, cells) = rows(plain, book, "Review")
    assert (cells[2].kind, cells[2].value) == ("e", "#VALUE!")


# --- what a spreadsheet made of a text -------------------------------------------------------------------------------

TEXTS = {
    "a carriage return": ("_x000D_", "\r"),
    "an escape that is escaped": ("_x005F_x000D_", "_x000D_"),
    "lower case": ("a_x00e9_b", "aéb"),
    "no escape": ("_x12_ x000D", "_x12_ x000D"),
    "two": ("_x0041__x0042_", "AB"),
}


@pytest.mark.parametrize(("stored", "text"), TEXTS.values(), ids=TEXTS)
def test_an_escape_of_ooxml_is_decoded_in_shared_and_inline_texts(plain: Path, stored: str, text: str) -> None:
    shared = f'<sst xmlns="{MAIN}"><si><t>{stored}</t></si><si><r><t>{stored}</t></r><rPh><t>no</t></rPh></si></sst>'
    cells = '<c t="s"><v>0</v></c><c t="s"><v>1</v></c>' + f'<c t="inlineStr"><is><t>{stored}</t></is></c>'
    parts = {STRINGS: shared.encode(), SHEET: sheet_of(f"<row>{cells}</row>")}
    assert read(with_parts(plain, parts)) == [[text] * 3]


# --- parts that only matter for looks --------------------------------------------------------------------------------

STYLES = "xl/styles.xml"
LOOKS = {
    "a colour that is none": (STYLES, b'<colors><mruColors><color rgb="nonsense"/></mruColors></colors>'),
    "a fill of an unknown kind": (STYLES, b'<dxfs><dxf><fill><patternFill patternType="?"/></fill></dxf></dxfs>'),
    "a validation of an unknown kind": (SHEET, b'<dataValidations><dataValidation type="?"/></dataValidations>'),
    "a filter of an unknown kind": (SHEET, b'<autoFilter ref="A1:B2"><filterColumn colId="x"/></autoFilter>'),
    "a conditional format of an unknown kind": (SHEET, b"<conditionalFormatting><cfRule/></conditionalFormatting>"),
}


@pytest.mark.parametrize(("part", "content"), LOOKS.values(), ids=LOOKS)
def test_what_is_there_for_looks_does_not_make_a_workbook_unreadable(plain: Path, part: str, content: bytes) -> None:
    end = b"</styleSheet>" if part != SHEET else b"</worksheet>"
    changed = part_of(plain, part).replace(end, content + end)
    with opened(with_parts(plain, {part: changed})) as book:
        _, (_, cells) = rows(plain, book, "Review")
    assert (cells[1].value, cells[2].kind) == ("Approve", "d")


@pytest.mark.parametrize("part", ["docProps/core.xml", "docProps/app.xml", "xl/theme/theme1.xml", "xl/styles.xml"])
@pytest.mark.parametrize("content", [b"", b"<a", b"no xml", None])
def test_a_broken_part_beside_the_cells_costs_nothing_but_what_it_says(
    plain: Path, part: str, content: bytes | None
) -> None:
    assert read(with_parts(plain, {part: content}))[1][0] == "Approve"


@pytest.mark.parametrize("number", [14, 22, *range(27, 37), 45, *range(50, 59)])
def test_every_built_in_format_of_a_date_makes_a_number_a_date(plain: Path, number: int) -> None:
    """27 to 36 and 50 to 58 are those of East Asia."""
    styles = f'<styleSheet xmlns="{MAIN}"><cellStyleXfs><xf numFmtId="0"/></cellStyleXfs>'
    styles += f'<cellXfs><xf numFmtId="0"/><xf numFmtId="{number}"/></cellXfs></styleSheet>'
    cells = '<c r="A1"><v>46350</v></c><c r="B1" s="1"><v>46350</v></c>'
    with opened(with_parts(plain, {"xl/styles.xml": styles.encode(), SHEET: sheet_of(f"<row>{cells}</row>")})) as book:
        ((_, found),) = rows(plain, book, "Review")
    assert found[1].value == 46350
    assert found[2].value == datetime(2026, 11, 24)  # noqa: DTZ001


def test_a_workbook_that_counts_days_from_1904_has_the_same_days(plain: Path) -> None:
    book = part_of(plain, "xl/workbook.xml").replace(b"<workbookPr ", b'<workbookPr date1904="1" ')
    sheet = part_of(plain, SHEET).replace(b"<v>46350</v>", b"<v>44888</v>")
    with opened(with_parts(plain, {"xl/workbook.xml": book, SHEET: sheet})) as found:
        _, (_, cells) = rows(plain, found, "Review")
    assert cells[2].value == datetime(2026, 11, 24)  # noqa: DTZ001
