"""The workbook: its sheets in order, written row by row. The same assessment gives the same bytes."""

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from openpyxl.styles import Font
from openpyxl.workbook import Workbook
from openpyxl.writer.excel import ExcelWriter

from scanner.model import RULE_ID, Assessment
from scanner.report.figures import figures
from scanner.report.review import review_rows
from scanner.report.rows import account_rows, user_rows
from scanner.report.sheets.changes import changes_sheet
from scanner.report.sheets.evidence import evidence_sheet
from scanner.report.sheets.listings import accounts_sheet, safelist_sheet, users_sheet
from scanner.report.sheets.page import Book
from scanner.report.sheets.review import review_sheet
from scanner.report.sheets.standards import standards_sheet
from scanner.report.sheets.styles import FONT
from scanner.report.sheets.summary import summary_sheet

_SUMMARY = "xl/worksheets/sheet1.xml"  # the only one with formulas
SHEETS = (
    summary_sheet,
    review_sheet,
    users_sheet,
    accounts_sheet,
    safelist_sheet,
    changes_sheet,
    evidence_sheet,
    standards_sheet,
)


def write_workbook(assessment: Assessment, out: BinaryIO) -> None:
    workbook = Workbook(write_only=True)
    users, accounts = tuple(user_rows(assessment)), tuple(account_rows(assessment))
    review = review_rows(assessment, users)
    book = Book(workbook, assessment, users, accounts, review, figures(assessment, users, accounts))
    _set_default_font(workbook)
    _set_properties(workbook, assessment)
    for write_sheet in SHEETS:
        write_sheet(book)
    started_at = assessment.record.header.started_at
    # Not Workbook.save: that stamps the file with the time of day.
    ExcelWriter(workbook, _TimelessZip(out, started_at)).save()


def _set_default_font(workbook: Workbook) -> None:
    """Column widths count in digits of this font: with one that a system lacks, the same widths come out different."""
    # openpyxl offers no other way, and its type stubs do not know this one.
    workbook._named_styles["Normal"].font = Font(name=FONT, size=10)  # type: ignore[attr-defined]  # noqa: SLF001


def _set_properties(workbook: Workbook, assessment: Assessment) -> None:
    header = assessment.record.header
    properties = workbook.properties
    properties.title = f"{RULE_ID} IAM user review, run {header.run_id}"
    properties.creator = properties.lastModifiedBy = "iam-scanner"
    properties.created = properties.modified = header.started_at.astimezone(UTC).replace(tzinfo=None, microsecond=0)


def _with_results(sheet: bytes) -> bytes:
    """Put its result beside each formula, which openpyxl leaves to whoever opens the file: some only look."""
    return re.sub(rb"</f><v ?/>|</f><v></v>", b"</f><v>0</v>", sheet)


class _TimelessZip(ZipFile):
    """A ZIP whose members all bear the time that the run started, whenever it is rendered."""

    def __init__(self, out: BinaryIO, started_at: datetime) -> None:
        super().__init__(out, "w", ZIP_DEFLATED)
        year, month, day, hour, minute, second, *_ = started_at.astimezone(UTC).timetuple()
        self._date = (max(1980, year), month, day, hour, minute, second)  # a ZIP knows nothing older

    def writestr(self, zinfo_or_arcname: str | ZipInfo, data: Any, *_: Any, **__: Any) -> None:
        super().writestr(self._member(zinfo_or_arcname), data, ZIP_DEFLATED)

    def write(self, filename: Any, arcname: Any = None, *_: Any, **__: Any) -> None:
        if arcname == _SUMMARY:
            self.writestr(arcname, _with_results(Path(filename).read_bytes()))
            return
        member = self._member(arcname)
        member.file_size = Path(filename).stat().st_size  # tells the ZIP whether it needs its large format
        with Path(filename).open("rb") as source, self.open(member, "w") as target:
            shutil.copyfileobj(source, target, 1 << 20)

    def _member(self, name: str | ZipInfo) -> ZipInfo:
        if isinstance(name, ZipInfo):
            return name
        member = ZipInfo(name, self._date)
        member.compress_type = ZIP_DEFLATED
        return member
