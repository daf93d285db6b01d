"""A workbook that comes back is not trusted: each file that nobody should open is refused, by what it is."""

import tracemalloc
from pathlib import Path
from zipfile import ZipFile, ZipInfo

import pytest

from scanner.review import opening
from scanner.review.opening import opened, rows
from tests.review.packages import MAIN, SHEET, STRINGS, part_of, read, refusal, sheet_of, with_parts


def frugal_refusal(path: Path) -> str:
    """The same, at little memory, whatever the file unpacks to."""
    tracemalloc.start()
    try:
        text = refusal(path)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()
    return text


# --- what people send by mistake -------------------------------------------------------------------------------------


def test_a_missing_file(tmp_path: Path) -> None:
    assert "there is no such file" in refusal(tmp_path / "absent.xlsx")


def test_a_folder(tmp_path: Path) -> None:
    assert "is not a file" in refusal(tmp_path)


def test_an_empty_file(plain: Path) -> None:
    plain.write_bytes(b"")
    assert "is empty" in refusal(plain)


OTHERS = {
    "CSV": (b"account_id,decision\n", "is a text file, such as a CSV"),
    "CSV with BOM": (b"\xef\xbb\xbfaccount_id,decision\n", "is a text file, such as a CSV"),
    "Unicode text": ("account_id\tdecision\n".encode("utf-16"), "is a text file, such as a CSV"),
    "HTML": (b"\n<html><table>", "is an XML or HTML file"),
    "XML": (b'\xef\xbb\xbf<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>', "is an XML or HTML file"),
    "PDF": (b"%PDF-1.7\n\0", "is a PDF"),
    "binary": (b"\x1f\x8b\x08\0\0\0", "is not a workbook"),
}


@pytest.mark.parametrize(("content", "words"), OTHERS.values(), ids=OTHERS)
def test_another_format_is_named_whatever_the_name_says(plain: Path, content: bytes, words: str) -> None:
    plain.write_bytes(content)
    assert words in refusal(plain)


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
    assert 'choose "Export To"' in refusal(archive(tmp_path / "r.numbers", "Index/Document.iwa", "preview.jpg"))
    assert "a ZIP file" in refusal(archive(tmp_path / "review.zip", "review.xlsx"))


@pytest.mark.parametrize("absent", ["xl/workbook.xml", "xl/_rels/workbook.xml.rels", "[Content_Types].xml"])
def test_a_part_is_gone(plain: Path, absent: str) -> None:
    refusal(with_parts(plain, {absent: None}))


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


@pytest.fixture
def small_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same limits for files that a test makes in no time."""
    monkeypatch.setattr(opening, "MOST_KEPT", 100_000)
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


def test_a_pivot_table_of_thousands_of_users_is_not_too_large(plain: Path) -> None:
    records = "".join(f'<r><s v="{number:032}"/></r>' for number in range(150_000))
    part = f'<pivotCacheRecords xmlns="{MAIN}">{records}</pivotCacheRecords>'.encode()
    assert len(part) > 5_000_000
    assert len(read(with_parts(plain, {"xl/pivotCache/pivotCacheRecords1.xml": part}))) == 2


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


def test_a_shared_text_is_not_counted_from_the_end(plain: Path) -> None:
    texts = f'<sst xmlns="{MAIN}"><si><t>one</t></si></sst>'.encode()
    cells = '<row><c t="s"><v>{}</v></c></row>'
    assert read(with_parts(plain, {STRINGS: texts, SHEET: sheet_of(cells.format(0))})) == [["one"]]
    assert "'Review' cannot be read" in refusal(with_parts(plain, {SHEET: sheet_of(cells.format(-1))}))


def test_the_file_is_closed_whatever_happens(plain: Path) -> None:
    """A file left open would be a warning, and so an error here."""
    with opened(plain) as book:
        assert next(rows(plain, book, "Review"))
    plain.write_bytes(plain.read_bytes()[:-40])
    refusal(plain)
