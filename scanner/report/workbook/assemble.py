"""The workbook: its sheets in order, written row by row. The same assessment gives the same bytes."""

import re
import shutil
from contextlib import suppress
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from openpyxl.styles import Font
from openpyxl.workbook import Workbook
from openpyxl.writer.excel import ExcelWriter

from scanner.model import RULE_ID
from scanner.report.view import View
from scanner.report.workbook.changes_sheet import changes_sheet, flips_sheet
from scanner.report.workbook.evidence_sheet import evidence_sheet
from scanner.report.workbook.guide_sheet import guide_sheet
from scanner.report.workbook.listing_sheets import accounts_sheet, safelist_sheet, users_sheet
from scanner.report.workbook.page import Book, runs_words
from scanner.report.workbook.review_sheet import review_sheet
from scanner.report.workbook.standards_sheet import standards_sheet
from scanner.report.workbook.styles import FONT
from scanner.report.workbook.summary_sheet import summary_sheet

_SUMMARY = "xl/worksheets/sheet2.xml"  # the only one with formulas
_STRINGS = "xl/sharedStrings.xml"
# Where a package names that part: the end of the part that does, and what goes before it.
_TYPE = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
_RELATION = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
_NAMED_IN = {
    "[Content_Types].xml": (
        b"</Types>",
        b'<Override PartName="/xl/sharedStrings.xml" ContentType="%b"/>' % _TYPE,
    ),
    "xl/_rels/workbook.xml.rels": (
        b"</Relationships>",
        b'<Relationship Id="sharedStrings" Target="/xl/sharedStrings.xml" Type="%b"/>' % _RELATION,
    ),
}
SHEETS = (
    guide_sheet,
    summary_sheet,
    review_sheet,
    users_sheet,
    accounts_sheet,
    safelist_sheet,
    flips_sheet,
    changes_sheet,
    evidence_sheet,
    standards_sheet,
)


def write_workbook(view: View, out: BinaryIO) -> None:
    workbook = Workbook(write_only=True)
    book = Book(workbook, view)
    started_at = max(run.assessment.record.header.started_at for run in view.runs)
    _set_default_font(workbook)
    _set_properties(workbook, view, started_at)
    with book.files:
        try:
            for write_sheet in SHEETS:
                write_sheet(book)
            workbook.active = SHEETS.index(summary_sheet)  # the status comes first, for whoever opens it
            # Not Workbook.save: that stamps the file with the time of day.
            ExcelWriter(workbook, _TimelessZip(out, started_at, book)).save()
        except BaseException:
            for sheet in workbook.worksheets:
                _abandon(sheet)
            raise


def _abandon(sheet: Any) -> None:
    """Take a half-written sheet apart, and remove its temporary file.

    openpyxl leaves both to the end of Python: there the one complains, and a sudden end forgets the other.
    """
    with suppress(Exception):  # its last words cannot be written either
        sheet._rows.close()  # noqa: SLF001
    with suppress(Exception):
        sheet._writer.xf.close()  # noqa: SLF001
    with suppress(Exception):
        sheet._writer.cleanup()  # noqa: SLF001


def _rows_by_member(book: Book) -> dict[str, BinaryIO]:
    """Where in the ZIP the rows go that were written beside the sheets."""
    numbered = enumerate(book.workbook.sheetnames, 1)
    return {f"xl/worksheets/sheet{number}.xml": book.rows[title] for number, title in numbered if title in book.rows}


def _set_default_font(workbook: Workbook) -> None:
    """Column widths count in digits of this font: with one that a system lacks, the same widths come out different."""
    # openpyxl offers no other way, and its type stubs do not know this one.
    workbook._named_styles["Normal"].font = Font(name=FONT, size=10)  # type: ignore[attr-defined]  # noqa: SLF001


def _set_properties(workbook: Workbook, view: View, started_at: datetime) -> None:
    properties = workbook.properties
    properties.title = f"{RULE_ID} IAM user review, {runs_words(view)}"
    properties.creator = properties.lastModifiedBy = "iam-scanner"
    properties.created = properties.modified = started_at.astimezone(UTC).replace(tzinfo=None, microsecond=0)


def _with_results(sheet: bytes) -> bytes:
    """Put its result beside each formula, which openpyxl leaves to whoever opens the file: some only look."""
    return re.sub(rb"</f><v ?/>|</f><v></v>", b"</f><v>0</v>", sheet)


class _TimelessZip(ZipFile):
    """A ZIP whose members all bear the time that the run started, whenever it is rendered.

    Sheets get the rows that were written beside them, behind those that they have; their texts go into a part of their
    own, which is written last.
    """

    def __init__(self, out: BinaryIO, started_at: datetime, book: Book) -> None:
        super().__init__(out, "w", ZIP_DEFLATED)
        self._rows = _rows_by_member(book)
        self._strings = book.strings
        year, month, day, hour, minute, second, *_ = started_at.astimezone(UTC).timetuple()
        self._date = (max(1980, year), month, day, hour, minute, second)  # a ZIP knows nothing older

    def writestr(self, zinfo_or_arcname: str | ZipInfo, data: Any, *_: Any, **__: Any) -> None:
        end, more = _NAMED_IN.get(str(zinfo_or_arcname), (b"", b""))
        if end:  # openpyxl's writer does not know of the shared strings
            content = data.encode() if isinstance(data, str) else data
            data = content.replace(end, more + end)
        super().writestr(self._member(zinfo_or_arcname), data, ZIP_DEFLATED)

    def write(self, filename: Any, arcname: Any = None, *_: Any, **__: Any) -> None:
        before, end, after = self._sheet(Path(filename), arcname).partition(b"</sheetData>")
        self._copy(arcname, before, self._rows.get(arcname) or BytesIO(), end + after)

    def close(self) -> None:
        if self.fp is not None and self.NameToInfo:
            self._copy(_STRINGS, b"", self._strings.finish(), b"")
        super().close()

    def _copy(self, name: str, before: bytes, middle: BinaryIO, after: bytes) -> None:
        member = self._member(name)
        member.file_size = len(before + after) + middle.tell()  # tells the ZIP whether it needs its large format
        middle.seek(0)
        with self.open(member, "w") as target:
            target.write(before)
            shutil.copyfileobj(middle, target, 1 << 20)
            target.write(after)

    def _sheet(self, written: Path, name: str) -> bytes:
        sheet = self._strings.shared(written.read_bytes())
        return _with_results(sheet) if name == _SUMMARY else sheet

    def _member(self, name: str | ZipInfo) -> ZipInfo:
        if isinstance(name, ZipInfo):
            return name
        member = ZipInfo(name, self._date)
        member.compress_type = ZIP_DEFLATED
        return member
