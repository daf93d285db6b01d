"""Text from others: made safe to show, and checked where it is read.

Names of users, accounts and OUs, tags, and AWS's own messages are other people's text: any of it may try to be a
formula, an escape sequence or a character that the format cannot hold, or show a person something else than a program
reads.
"""

import csv
import difflib
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from enum import StrEnum

CELL_LIMIT = 32_767  # what a cell of a workbook holds, in UTF-16 units
FILE_NAME_LIMIT = 80
CUT_MARK = "… [cut]"
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

_FORMULA_STARTS = frozenset("=+-@\t\r\n\0＝＋－＠")  # noqa: RUF001  the full-width forms are meant
_SURROGATE = re.compile("[\ud800-\udfff]")
# XML 1.0 "Char", less the carriage return: a parser turns a raw one into a line feed.
_NOT_XML = re.compile("[^\t\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LOOKS_ESCAPED = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
_NOT_IN_FILE_NAMES = re.compile("[^A-Za-z0-9@._-]+")
# Unicode's Default_Ignorable_Code_Point, the interlinear marks, and all controls but tab and line feed. Not among them:
# U+FE0E and U+FE0F, which choose how the character before them is drawn.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_BLANK = re.compile(rf"(?:\s|{_INVISIBLE.pattern}|[\u2800\ufe0e\ufe0f])*")  # U+2800: a braille cell without a dot
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# The `Id` of ListRoots and ListOrganizationalUnitsForParent.
_OU_ID = re.compile(r"ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}|r-[0-9a-z]{4,32}")
_HALF_ESCAPE = re.compile("_(x(0(0(5F?)?)?)?)?$")


class Change(StrEnum):
    """What was done to a text to fit it into a cell of a workbook."""

    REPLACED = "characters that XML cannot hold were replaced by U+FFFD"
    ESCAPED = "_xHHHH_ was escaped, as a spreadsheet would read it as one character"
    CUT = "cut, as a cell holds no more than 32,767 characters"


def looks_like_formula(text: str) -> bool:
    """Whether a spreadsheet that reads this text from a CSV may run it as a formula."""
    return text[:1] in _FORMULA_STARTS


def for_csv(text: str) -> str:
    """The text for a CSV: valid UTF-8, and a leading `'` where a spreadsheet would see a formula."""
    return for_utf8(f"'{text}" if looks_like_formula(text) else text)


def from_csv(text: str) -> str:
    """The text that `for_csv` guarded."""
    return text[1:] if text[:1] == "'" and looks_like_formula(text[1:]) else text


def for_utf8(text: str) -> str:
    """The text with each lone surrogate, which UTF-8 cannot hold, replaced by U+FFFD."""
    return text if text.isascii() else _SURROGATE.sub(REPLACEMENT, text)


def for_xml(text: str) -> tuple[str, tuple[Change, ...]]:
    """The text for a cell of a workbook, and what had to be changed for it."""
    fitting, replaced = _NOT_XML.subn(REPLACEMENT, text)
    fitting, escaped = _LOOKS_ESCAPED.subn("_x005F_", fitting) if "_x" in fitting else (fitting, 0)
    cut = _utf16_length(fitting) > CELL_LIMIT
    if not (replaced or escaped or cut):
        return text, ()
    done = ((Change.REPLACED, replaced), (Change.ESCAPED, escaped), (Change.CUT, cut))
    return _cut(fitting) if cut else fitting, tuple(change for change, happened in done if happened)


def for_terminal(text: str) -> str:
    r"""The text on one line, with all that is not plainly visible (controls, bidi marks, odd spaces) as `\x1b`."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _spelled(char) for char in text)


def lines_for_terminal(text: str) -> str:
    """The same of a text whose line feeds are wanted, such as a traceback."""
    return "\n".join(for_terminal(line) for line in text.split("\n"))


def for_file_name(text: str) -> str:
    """The text as the name of a file or folder on any system; two texts may give the same name."""
    return _NOT_IN_FILE_NAMES.sub("_", text)[:FILE_NAME_LIMIT].strip("._-") or "unnamed"


def is_account_id(text: object) -> bool:
    """Twelve ASCII digits; leading zeros count."""
    return isinstance(text, str) and len(text) == 12 and text.isascii() and text.isdigit()


def is_ou_id(text: str) -> bool:
    """Whether this is the ID of an OU or a root ("ou-…", "r-…") rather than a path."""
    return _OU_ID.fullmatch(text) is not None


def parse_day(text: str) -> date | None:
    """The day written as 2027-01-15, and in no other way; None where it is not one, as 2026-02-30."""
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def did_you_mean(near: Sequence[str], *, otherwise: str) -> str:
    """What a message about an unknown name ends with, after a space: the names that are like it, or `otherwise`."""
    ending = f"Did you mean {' or '.join(near)}?" if near else otherwise
    return f" {ending}" if ending else ""


def iso(value: datetime, *, exact: bool = False) -> str:
    """ISO 8601 in UTC, to the second unless `exact` is asked for: "2026-11-23T16:41:00Z"."""
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="auto" if exact else "seconds") + "Z"


def csv_text(rows: Iterable[Iterable[object]]) -> str:
    """Rows as CSV, as all files of this program are: RFC 4180, what is unknown empty, formulas guarded."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    for row in rows:
        writer.writerow("" if value is None else for_csv(str(value)) for value in row)
    return out.getvalue()


def near_names(text: str, known: Iterable[str]) -> list[str]:
    """The names that a person may have meant: paths that end in the same name, else those that are written alike."""
    names = list(known)
    last = text.rpartition("/")[2].lower()
    return [name for name in names if name.rpartition("/")[2].lower() == last] or difflib.get_close_matches(text, names)


def is_blank(text: str) -> bool:
    """Whether a person sees nothing: no character, or only spaces and characters that are not drawn."""
    return _BLANK.fullmatch(text) is not None


def first_invisible(text: str) -> tuple[int, str] | None:
    """The first character that a person does not see but a program reads: its index and its name, "U+200B ZERO ...".

    These are controls (a lone carriage return among them), line ends other than a line feed, marks that turn the
    direction of writing, and zero-width characters. Tab and line feed are none of them.
    """
    found = _INVISIBLE.search(text)
    if found is None:
        return None
    char = found.group()
    return found.start(), f"U+{ord(char):04X} {unicodedata.name(char, '')}".rstrip()


def _spelled(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def _utf16_length(text: str) -> int:
    """What a spreadsheet counts: a character beyond U+FFFF takes two units."""
    if len(text) <= CELL_LIMIT // 2:
        return len(text)
    return len(text.encode("utf-16-le")) // 2


def _cut(text: str) -> str:
    """The beginning of a text that has no lone surrogates, marked; no character and no escape is left in halves."""
    kept = text.encode("utf-16-le")[: 2 * (CELL_LIMIT - len(CUT_MARK))].decode("utf-16-le", "ignore")
    return _HALF_ESCAPE.sub("", kept) + CUT_MARK
