"""Make text that others chose harmless where it is shown: in a CSV, a workbook, a terminal.

Names of users, accounts and OUs, tags, and AWS's own messages are other people's text: any of it may try to be a
formula, an escape sequence or a character that the format cannot hold.
"""

import re
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


def is_account_id(text: object) -> bool:
    """Twelve ASCII digits; leading zeros count."""
    return isinstance(text, str) and len(text) == 12 and text.isascii() and text.isdigit()
