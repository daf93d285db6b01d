"""Open a workbook that came back from a reviewer, without trusting it.

A workbook is a ZIP of XML parts, and may have been made to harm whoever opens it. So it is looked through, at little
memory, before anything of it is kept: how much it unpacks to, document types (they bring
entities: files of this machine, addresses, or a billion laughs) and macros. Nothing in it is ever run or followed:
formulas are text here, and links to other workbooks are left out.
"""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final
from xml.parsers.expat import ExpatError, ParserCreate
from zipfile import BadZipFile, ZipFile, ZipInfo
from zlib import error as ZlibError  # noqa: N812  it is a class

from scanner.errors import Fault, FaultsError
from scanner.review.sheet_reader import Row, StrictError, UnreadableError, Workbook, open_workbook, read_rows

# What 100,000 users take: a file of some 30 MB, which unpacks to 300 MB, 15 times as much. Bombs come from 1,000 times.
MOST_BYTES: Final = 100_000_000
MOST_UNPACKED: Final = 600_000_000
MOST_RATIO: Final = 200
RATIO_FROM: Final = 1_000_000  # bytes unpacked: small parts of one character are no bomb
MOST_PARTS: Final = 2_000
# Bytes of XML that a reader may keep at once: a row, a text, or all that a part holds beside these. A reviewer's own
# pivot table, or conditional formats that years of copying split up, take some megabytes.
MOST_KEPT: Final = 32_000_000
MOST_PIECES: Final = 2_000_000  # rows of a sheet, or texts of a workbook

_CHUNK = 1 << 16
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
# By the root of a part: the element that is read and forgotten one by one. All else is kept until the part is read.
_PIECES = {f"{_MAIN} worksheet": f"{_MAIN} row", f"{_MAIN} sst": f"{_MAIN} si"}
_CENTRAL_ENTRY = b"PK\x01\x02"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_RIGHTS_MANAGED = "DRMEncrypted".encode("utf-16-le")  # [MS-OFFCRYPTO], 2.2: by a sensitivity label or rights management
_LOCK = re.compile(r"~\$|\._|\.~lock\..*#$")
_CONTENT_TYPES = "[Content_Types].xml"

SAVE_AS = "Open it in the spreadsheet program, save it as an Excel workbook (.xlsx), and import that."
EXPORT = 'Open it in Numbers, choose "Export To", then "Excel", and import that.'
WITHOUT = "Save it without one, and import that."
SAVE_AGAIN = "Open it in Excel or LibreOffice and save it again: that writes its parts anew."
_NOT_STRICT = 'Save it as "Excel Workbook (.xlsx)", and not as "Strict Open XML Spreadsheet", and import that.'
UNTOUCHED = "Start again from a copy of the run's own workbook, and fill in only decisions."


@contextmanager
def opened(path: Path) -> Iterator[Workbook]:
    """The workbook, to be read row by row; raise `FaultsError` where it is none, or one that nobody should open."""
    with _file(path) as file:
        _look_through(path, file)
        with ZipFile(file) as archive:
            try:
                book = open_workbook(archive)
            except StrictError as error:
                raise _refused(path, "is in the format Strict Open XML.", _NOT_STRICT) from error
            except UnreadableError as error:
                raise _refused(path, "holds no sheet that can be read as Excel's.", SAVE_AS) from error
            yield book


def unsaved(paths: Iterable[Path]) -> Iterator[str]:
    """Warn of each workbook that a lock file beside it says is open: what is not saved yet would not be read."""
    for path in paths:
        locks = (path.with_name(f".~lock.{path.name}#"), path.with_name(f"~${path.name}"))  # LibreOffice's, Excel's
        if lock := next(filter(os.path.lexists, locks), None):
            yield (
                f"{path} seems to be open in a spreadsheet program ({lock.name} is beside it), and edits that are not "
                "saved are not read. Save and close it, and run the command again."
            )


def rows(path: Path, book: Workbook, title: str) -> Iterator[tuple[int, Row]]:
    """The rows of a sheet that are not empty, with their numbers; raise `FaultsError` where they cannot be read."""
    try:
        yield from read_rows(book, title)
    except (UnreadableError, BadZipFile, ZlibError, EOFError) as error:
        raise _refused(path, f"the sheet {title!r} cannot be read.", SAVE_AGAIN) from error


def _file(path: Path) -> BinaryIO:
    if _LOCK.match(path.name):
        remedy = "Name the workbook itself; save and close it first."
        raise _refused(path, "is what a spreadsheet program or macOS keeps beside a workbook.", remedy)
    try:
        if path.exists() and not path.is_file():
            raise _refused(path, "is not a file.", "Name the workbook itself.")
        return path.open("rb")
    except FileNotFoundError as error:
        raise _refused(path, "there is no such file.", "Check the path.") from error
    except OSError as error:
        raise _refused(path, f"cannot be read: {error.strerror}.", "Check its permissions.") from error


def _look_through(path: Path, file: BinaryIO) -> None:
    _check_kind(path, file)
    try:
        with ZipFile(file) as archive:
            _check_size(path, archive)
            for part in archive.infolist():
                _check_part(path, archive, part)
            _check_is_workbook(path, archive)
    # An unknown way of packing is a NotImplementedError, which is a RuntimeError.
    except (BadZipFile, ZlibError, EOFError, OSError, ValueError, RuntimeError) as error:
        raise _damaged(path) from error


def _check_kind(path: Path, file: BinaryIO) -> None:
    """Tell apart, by the first bytes, what people send in place of an .xlsx; and count the parts of a ZIP unread."""
    size = path.stat().st_size
    if size == 0:
        raise _refused(path, "is empty.", "Ask for it again.")
    if size > MOST_BYTES:
        raise _refused(path, f"has {size:,} bytes, more than any review.", UNTOUCHED)
    start = file.read(len(_OLE))
    if start == _OLE:
        raise _container(path, file)
    if not start.startswith(b"PK"):
        raise _other_format(path, start + file.read(_CHUNK))
    if _count(file, _CENTRAL_ENTRY) > MOST_PARTS:
        raise _too_large(path, f"it has more than {MOST_PARTS:,} parts")


def _other_format(path: Path, start: bytes) -> FaultsError:
    """The fault of a file that is no ZIP and no container, by how it begins."""
    if start.startswith(b"%PDF"):
        return _refused(path, "is a PDF.", UNTOUCHED)
    if start.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" not in start:
        if start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
            return _refused(path, "is an XML or HTML file, whatever its name says.", SAVE_AS)
        return _refused(path, "is a text file, such as a CSV: it lacks the sheet Evidence.", UNTOUCHED)
    return _refused(path, "is not a workbook.", SAVE_AS)


def _container(path: Path, file: BinaryIO) -> FaultsError:
    """The fault of a file in Microsoft's older container, which also holds what was encrypted."""
    if _count(file, _RIGHTS_MANAGED):
        remedy = "Take the label's encryption off in Excel, save it, and import that."
        return _refused(path, "is encrypted by a sensitivity label.", remedy)
    file.seek(0)
    if _count(file, _ENCRYPTED):
        return _refused(path, "is protected by a password.", WITHOUT)
    return _refused(path, "is a workbook in the format of Excel 97 (.xls).", SAVE_AS)


def _count(file: BinaryIO, wanted: bytes) -> int:
    """How often these bytes occur from here on; the file need not fit into memory."""
    count, kept = 0, b""
    while chunk := file.read(_CHUNK):
        count += (kept + chunk).count(wanted)
        kept = chunk[1 - len(wanted) :]
    return count


def _check_size(path: Path, archive: ZipFile) -> None:
    """Refuse by what the parts claim; more than they claim is never unpacked, and less is an error."""
    parts = archive.infolist()
    names = [part.filename.casefold() for part in parts]
    if len(set(names)) < len(names):
        raise _refused(path, "has two parts of the same name.", UNTOUCHED)
    if sum(part.file_size for part in parts) > MOST_UNPACKED:
        raise _too_large(path, f"it would unpack to more than {MOST_UNPACKED:,} bytes")
    for part in parts:
        if part.flag_bits & 1:
            raise _refused(path, "is protected by a password.", WITHOUT)
        if part.file_size > RATIO_FROM and part.file_size > MOST_RATIO * part.compress_size:
            raise _too_large(path, f"{part.filename} would unpack to {part.file_size:,} bytes")


def _check_part(path: Path, archive: ZipFile, part: ZipInfo) -> None:
    """Parse the part without keeping anything. Pictures and the like are no XML, which ends this at once."""

    def refuse(*_: object) -> None:
        raise _refused(path, f"{part.filename} declares a document type, which no spreadsheet writes.", UNTOUCHED)

    parser = ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = refuse
    pieces = _Pieces() if part.file_size > MOST_KEPT else None
    if pieces:
        parser.StartElementHandler = lambda name, _: pieces.starts(name, parser.CurrentByteIndex)
        parser.EndElementHandler = lambda name: pieces.ends(name, parser.CurrentByteIndex)
    with archive.open(part) as stream:
        try:
            while chunk := stream.read(_CHUNK):
                parser.Parse(chunk)
                if pieces and pieces.too_large(stream.tell()):
                    raise _too_large(path, f"{part.filename} is larger than a review makes it")
        except ExpatError:
            return  # whatever parses it later gets no further than here


class _Pieces:
    """How much of a part a reader has to keep in memory at once, told as the part goes by."""

    def __init__(self) -> None:
        self._root = ""
        self._piece: str | None = None
        self._since: int | None = None  # where the piece began that is not at its end
        self._done = 0  # bytes of the pieces that are
        self._count = 0

    def starts(self, name: str, at: int) -> None:
        if not self._root:
            self._root, self._piece = name, _PIECES.get(name)
        elif name == self._piece and self._since is None:
            self._since = at
            self._count += 1

    def ends(self, name: str, at: int) -> None:
        if name == self._piece and self._since is not None:
            self._done += at - self._since
            self._since = None

    def too_large(self, at: int) -> bool:
        in_piece = 0 if self._since is None else at - self._since
        beside = at - self._done - in_piece
        return max(in_piece, beside) > MOST_KEPT + _CHUNK or self._count > MOST_PIECES


def _check_is_workbook(path: Path, archive: ZipFile) -> None:
    names = {name.casefold() for name in archive.namelist()}
    if "xl/workbook.bin" in names:
        raise _refused(path, "is a binary workbook (.xlsb).", SAVE_AS)
    if any(name.endswith(".iwa") for name in names) or "index.zip" in names:
        raise _refused(path, "is a document of Apple Numbers (.numbers).", EXPORT)
    if _CONTENT_TYPES not in archive.namelist():
        kind = "an OpenDocument file (.ods)" if "content.xml" in names else "a ZIP file, but not a workbook"
        raise _refused(path, f"is {kind}.", SAVE_AS)
    types = archive.read(_CONTENT_TYPES).lower()
    if b"macroenabled" in types or any("vbaproject" in name or "xl/macrosheets/" in name for name in names):
        raise _refused(path, "holds macros.", "Save it as an Excel workbook without macros (.xlsx), and import that.")
    if b"spreadsheetml" not in types:
        raise _refused(path, "is not a workbook.", SAVE_AS)


def _refused(path: Path, problem: str, remedy: str) -> FaultsError:
    return FaultsError([Fault(file=str(path), line=None, problem=problem, remedy=remedy)])


def _damaged(path: Path) -> FaultsError:
    return _refused(path, "is damaged, or was cut off on its way.", "Ask for it again.")


def _too_large(path: Path, how: str) -> FaultsError:
    return _refused(path, f"is refused, as {how}: such files are made to fill the memory.", UNTOUCHED)
