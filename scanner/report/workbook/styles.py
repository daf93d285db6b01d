"""How cells look. Every difference in colour is one in darkness, weight or words too: it survives a grey print."""

from dataclasses import dataclass, replace

from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side

FONT = "Arial"  # every system has it, or a stand-in of the same widths
INK, MUTED = "FF1F2933", "FF52606D"
NAVY, PALE, RULE = "FF243B53", "FFE8EDF2", "FFBCCCDC"
ALARM, WARNING, CALM = "FF8C1D18", "FFFFD27F", "FFDDEFE0"
WHITE = "FFFFFFFF"
SHADE, PAPER, OCHRE = "FFF0F3F6", "FFFFFBE6", "FF6B4A00"  # not to be edited; to be filled in, and its head
CHART_DARK, CHART_LIGHT = "8C1D18", "A9BCD0"  # unapproved, approved

_EDGE = Side(style="thin", color=RULE)
BOX = Border(left=_EDGE, right=_EDGE, top=_EDGE, bottom=_EDGE)
BELOW = Border(bottom=_EDGE)


def fill(colour: str) -> PatternFill:
    return PatternFill(start_color=colour, end_color=colour, fill_type="solid")


def band(colour: str) -> PatternFill:
    """A fill for conditional formats, which look at the end colour where cells look at the start colour."""
    return PatternFill(start_color=colour, end_color=colour, fill_type="solid", bgColor=colour)


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    size: int = 10
    bold: bool = False
    italic: bool = False
    colour: str = INK
    fill: str | None = None
    wrap: bool = False
    across: str | None = None  # horizontal alignment; None: by type
    down: str = "top"
    border: Border | None = None
    number_format: str = "General"
    indent: int = 0

    def dress(self, cell: Cell) -> None:
        cell.font = Font(name=FONT, size=self.size, bold=self.bold, italic=self.italic, color=self.colour)
        cell.alignment = Alignment(horizontal=self.across, vertical=self.down, wrap_text=self.wrap, indent=self.indent)
        cell.number_format = self.number_format
        if self.fill:
            cell.fill = fill(self.fill)
        if self.border:
            cell.border = self.border


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How the cells of a table's column look, empty ones among them, and what a note on its head says."""

    column: str
    fill: str
    border: Border
    head: str = NAVY
    aside: bool = False  # grey and slanting: not what counts
    note: str = ""


COUNT = "#,##0"
DAY = "yyyy-mm-dd"
MOMENT = "yyyy-mm-dd hh:mm:ss"
AS_TEXT = "@"

BODY = Style()
PROSE = Style(wrap=True)
MUTE = Style(wrap=True, colour=MUTED, size=9)
LABEL = Style(colour=MUTED, wrap=True)
TITLE = Style(size=20, bold=True, colour=NAVY, down="center")
SECTION = Style(size=12, bold=True, colour=NAVY, border=Border(bottom=Side(style="medium", color=NAVY)), down="bottom")
HEAD = Style(bold=True, colour=WHITE, fill=NAVY, down="center")
HEAD_RIGHT = replace(HEAD, across="right", indent=1)
NUMBER = Style(number_format=COUNT, across="right", indent=1)
STRONG = Style(bold=True, wrap=True)
STRONG_NUMBER = replace(NUMBER, bold=True)
FORM = Style(border=BOX, wrap=True)
GOOD = Style(size=12, bold=True, fill=CALM, down="center", border=BOX, across="left", indent=1)
BAD = Style(size=12, bold=True, colour=WHITE, fill=ALARM, down="center", border=BOX, across="left", indent=1)
