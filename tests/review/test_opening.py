"""A workbook that comes back is not trusted: each file that nobody should open is refused, by what it is."""

import tracemalloc
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pytest
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from scanner.errors import UsageError
from scanner.review import opening
from scanner.review.opening import opened, rows
from scanner.review.sheet_reader import merged_cells

SHEET = "xl/worksheets/sheet1.xml"
STRINGS = "xl/sharedStrings.xml"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A small workbook as such a program saves it."""
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = "Review"
    sheet.append(["decision", "reviewed_on"])
    sheet.append(["Approve", date(2026, 11, 24)])
    path = tmp_path / "review.xlsx"
    book.save(path)
    return path


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


def frugal_refusal(path: Path) -> str:
    """The same, at little memory, whatever the file unpacks to."""
    tracemalloc.start()
    try:
        text = refusal(path)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()
    return text


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


# --- what people send by mistake -------------------------------------------------------------------------------------


def test_a_missing_file(tmp_path: Path) -> None:
    assert "there is no such file" in refusal(tmp_path / "absent.xlsx")


def test_a_folder(tmp_path: Path) -> None:
    assert "is not a file" in refusal(tmp_path)


def test_an_empty_file(plain: Path) -> None:
    plain.write_bytes(b"")
    assert "is empty" in refusal(plain)


def test_no_zip(plain: Path) -> None:
    plain.write_text("account_id,decision\n", encoding="utf-8")
    assert "is not a workbook" in refusal(plain)


@pytest.mark.parametrize("kept", [5, 100, -30, -1])
def test_a_cut_file(plain: Path, kept: int) -> None:
    plain.write_bytes(plain.read_bytes()[:kept])
    assert "cut off" in refusal(plain)


def test_a_file_with_a_changed_byte(plain: Path) -> None:
    data = bytearray(plain.read_bytes())
    data[len(data) // 2] ^= 0xFF
    plain.write_bytes(data)
    assert "damaged" in refusal(plain)


def test_a_password(plain: Path) -> None:
    name = "EncryptedPackage".encode("utf-16-le")
    plain.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(opening._CHUNK - 10) + name + bytes(500))
    assert "password" in refusal(plain)


def test_a_zip_with_a_password(plain: Path) -> None:
    data = bytearray(plain.read_bytes())
    entry = data.index(b"PK\x01\x02")
    data[entry + 8] |= 1
    plain.write_bytes(data)
    assert "password" in refusal(plain)


def test_the_format_of_excel_97(plain: Path) -> None:
    plain.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(5_000))
    assert "Excel 97" in refusal(plain)


def archive(path: Path, *names: str) -> Path:
    with ZipFile(path, "w") as out:
        for name in names:
            out.writestr(name, "<x/>")
    return path


def test_other_formats_in_a_zip(tmp_path: Path) -> None:
    assert "OpenDocument" in refusal(archive(tmp_path / "review.ods", "mimetype", "content.xml"))
    assert ".xlsb" in refusal(archive(tmp_path / "review.xlsb", "[Content_Types].xml", "xl/workbook.bin"))
    assert "not a workbook" in refusal(archive(tmp_path / "review.docx", "[Content_Types].xml", "word/document.xml"))
    assert "a ZIP file" in refusal(archive(tmp_path / "review.zip", "review.xlsx"))


@pytest.mark.parametrize("absent", ["xl/workbook.xml", "xl/_rels/workbook.xml.rels", "[Content_Types].xml"])
def test_a_part_is_gone(plain: Path, absent: str) -> None:
    refusal(with_parts(plain, {absent: None}))


# --- what was made to harm -------------------------------------------------------------------------------------------


def test_macros(plain: Path) -> None:
    types = part_of(plain, "[Content_Types].xml")
    main = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    assert main in types
    macros = types.replace(main, b"application/vnd.ms-excel.sheet.macroEnabled.main+xml")
    assert "macros" in refusal(with_parts(plain, {"[Content_Types].xml": macros}))
    assert "macros" in refusal(with_parts(plain, {"[Content_Types].xml": types, "xl/VBAProject.bin": b"\0"}))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("name", [SHEET, "xl/workbook.xml", "xl/styles.xml", STRINGS, "docProps/core.xml", "x.bin"])
def test_a_document_type(plain: Path, name: str, encoding: str) -> None:
    """It is what entities need: here, one that would bring in a file of this machine."""
    declared = (
        f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>'
    )
    assert "document type" in refusal(with_parts(plain, {name: declared.encode(encoding)}))


def test_a_billion_laughs(plain: Path) -> None:
    laughs = ['<!ENTITY l0 "ha">', *(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))]
    declared = f"<!DOCTYPE a [{''.join(laughs)}]><a>&l9;</a>"
    assert "document type" in frugal_refusal(with_parts(plain, {SHEET: declared.encode()}))


def test_a_bomb_by_its_ratio(plain: Path) -> None:
    assert "fill the memory" in frugal_refusal(with_parts(plain, {"xl/media/image1.png": bytes(50_000_000)}))


def test_a_bomb_by_its_sum(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "MOST_UNPACKED", 1_000_000)
    parts: dict[str, bytes | None] = {f"xl/media/image{number}.png": bytes(999_999) for number in range(2)}
    assert "unpack" in refusal(with_parts(plain, parts))


def test_a_part_that_claims_to_be_small(plain: Path) -> None:
    """What is claimed is what is unpacked: the rest is an error, not memory."""
    with_parts(plain, {"xl/media/image1.xml": b"<a>" + bytes(0) + b" " * 999_997})
    data = plain.read_bytes()
    claimed = (1_000_000).to_bytes(4, "little")
    assert data.count(claimed) == 2
    plain.write_bytes(data.replace(claimed, (100).to_bytes(4, "little")))
    assert "damaged" in refusal(plain)


def test_many_parts(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "MOST_PARTS", 20)
    assert "parts" in refusal(with_parts(plain, {f"x{number}": b"" for number in range(20)}))


def test_two_parts_of_one_name(plain: Path) -> None:
    """Readers differ in which one they take: what a person saw need not be what the program reads."""
    with ZipFile(plain, "a") as out:
        out.writestr(ZipInfo(SHEET.upper()), b"<x/>")
    assert "same name" in refusal(plain)


def test_a_file_too_large_is_not_even_looked_at(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "MOST_BYTES", 1_000)
    assert "more than any review" in refusal(plain)


def sheet_of(rows: str, beside: str = "") -> bytes:
    return f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData>{beside}</worksheet>'.encode()


@pytest.fixture
def small_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same limits for files that a test makes in no time."""
    monkeypatch.setattr(opening, "MOST_TREE", 100_000)
    monkeypatch.setattr(opening, "MOST_RATIO", 100_000)


@pytest.mark.usefixtures("small_trees")
def test_a_part_that_would_become_a_huge_tree(plain: Path) -> None:
    """Each of these unpacks to half a megabyte only, and builds hundred thousand objects at once."""
    cells = "<c/>" * 100_000
    for sheet in (sheet_of(f"<row>{cells}</row>"), sheet_of(cells), sheet_of("<row/>", cells)):
        assert "larger than a review" in refusal(with_parts(plain, {SHEET: sheet}))
    strings = f'<sst xmlns="{MAIN}"><si>{"<r/>" * 100_000}</si></sst>'.encode()
    assert "larger than a review" in refusal(with_parts(plain, {SHEET: sheet_of(""), STRINGS: strings}))
    styles = f'<styleSheet xmlns="{MAIN}">{"<row/>" * 100_000}</styleSheet>'.encode()
    assert "larger than a review" in refusal(with_parts(plain, {STRINGS: b"<sst/>", "xl/styles.xml": styles}))


@pytest.mark.usefixtures("small_trees")
def test_a_long_sheet_of_small_rows_is_none(plain: Path) -> None:
    many = "".join(f'<row r="{number}"><c t="inlineStr"><is><t>x</t></is></c></row>' for number in range(1, 5_001))
    assert len(read(with_parts(plain, {SHEET: sheet_of(many)}))) == 5_000


@pytest.mark.usefixtures("small_trees")
def test_rows_without_end(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "MOST_PIECES", 10_000)
    assert "larger than a review" in refusal(with_parts(plain, {SHEET: sheet_of("<row></row>" * 20_000)}))


def test_a_row_far_below_and_a_column_far_out(plain: Path) -> None:
    """A reader that fills the gap would be at it for ever."""
    far = sheet_of('<row r="1"><c r="XFD1"><v>1</v></c></row><row r="999999999999"><c><v>1</v></c></row>')
    assert read(with_parts(plain, {SHEET: far})) == []


@pytest.mark.parametrize(
    "cell",
    [
        "<c><v>one</v></c>",
        '<c t="s"><v>99</v></c>',
        '<c r="??"><v>1</v></c>',
        "<c s='999'><v>1</v></c><c t='d'><v>soon</v></c>",
        f"<c><v>{'9' * 5_000}</v></c>",
    ],
)
def test_a_cell_that_cannot_be(plain: Path, cell: str) -> None:
    assert "'Review' cannot be read" in refusal(with_parts(plain, {SHEET: sheet_of(f"<row>{cell}</row>")}))


def test_a_date_that_cannot_be_is_an_error_in_its_cell(plain: Path) -> None:
    """It is for the reader of the cell to name it; nothing is printed on the way."""
    sheet = part_of(plain, SHEET).replace(b"<v>46350</v>", b"<v>99999999999</v>")
    assert sheet != part_of(plain, SHEET)
    with opened(with_parts(plain, {SHEET: sheet})) as book:
        _, (_, cells) = rows(plain, book, "Review")
    assert (cells[2].kind, cells[2].value) == ("e", "#VALUE!")


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


def test_the_file_is_closed_whatever_happens(plain: Path) -> None:
    """A file left open would be a warning, and so an error here."""
    with opened(plain) as book:
        assert next(rows(plain, book, "Review"))
    plain.write_bytes(plain.read_bytes()[:-40])
    refusal(plain)


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


# --- other formats ---------------------------------------------------------------------------------------------------


def test_strict_open_xml_is_named(plain: Path) -> None:
    book = part_of(plain, "xl/workbook.xml").replace(MAIN.encode(), b"http://purl.oclc.org/ooxml/spreadsheetml/main")
    assert refusal(with_parts(plain, {"xl/workbook.xml": book})) == (
        'is in the format Strict Open XML. Save it as "Excel Workbook (.xlsx)", and not as "Strict Open XML '
        'Spreadsheet", and import that.'
    )


def test_a_package_without_a_sheet(plain: Path) -> None:
    assert "holds no sheet" in refusal(with_parts(plain, {SHEET: None}))


def test_a_sensitivity_label_that_encrypts(plain: Path) -> None:
    names = "DRMEncryptedDataSpace".encode("utf-16-le") + b"  " + "EncryptedPackage".encode("utf-16-le")
    plain.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500) + names + bytes(500))
    assert "is encrypted by a sensitivity label" in refusal(plain)


@pytest.mark.parametrize("name", ["~$review.xlsx", "._review.xlsx", ".~lock.review.xlsx#"])
def test_a_file_that_lies_beside_an_open_workbook(plain: Path, name: str) -> None:
    beside = plain.rename(plain.with_name(name))
    assert "keeps beside a workbook. Name the workbook itself" in refusal(beside)
