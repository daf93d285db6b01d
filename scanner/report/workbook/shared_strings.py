"""The texts of a workbook, each kept once and named by its number, as Excel itself writes them.

openpyxl's write-only sheets hold each text in its cell (`t="inlineStr"`), which Apple Numbers and previews on phones
show as empty.
"""

import re
from typing import BinaryIO
from xml.sax.saxutils import escape

# Distinct texts that are looked for again. Beyond them a text is written as often as it comes: of 100,000 users most
# texts are nobody else's, and remembering them all takes more memory than writing them twice.
REMEMBERED = 50_000
_HEAD = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
_INLINE = re.compile(rb' t="inlineStr"([^>]*)><is>(.*?)</is>', re.DOTALL)


class SharedStrings:
    """Grows as sheets are written, in a file of its own."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._numbers: dict[str, int] = {}
        self._count = 0
        out.write(_HEAD)

    def number(self, text: str) -> int:
        """The number of a text that a cell can hold."""
        number = self._numbers.get(text)
        if number is None:
            space = ' xml:space="preserve"' if text.strip() not in ("", text) else ""
            number = self._add(f"<t{space}>{escape(text)}</t>".encode())
            if len(self._numbers) < REMEMBERED:
                self._numbers[text] = number
        return number

    def shared(self, sheet: bytes) -> bytes:
        """The XML of a sheet that openpyxl wrote, with its texts moved here."""
        return _INLINE.sub(lambda cell: b' t="s"%b><v>%d</v>' % (cell[1], self._add(cell[2])), sheet)

    def finish(self) -> BinaryIO:
        """The whole part, at its end."""
        self._out.write(b"</sst>")
        return self._out

    def _add(self, content: bytes) -> int:
        self._out.write(b"<si>%b</si>" % content)
        self._count += 1
        return self._count - 1
