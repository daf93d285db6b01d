"""Draw the README's pictures of the terminal, as SVG: screens of the walk in `tests/screens.py`.

    python -m tests.readme_picture

`tests/cli/test_screens.py` compares them with the screens, and asks for new pictures when these have changed.
"""

import io
import re
from contextlib import chdir, redirect_stdout
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from scanner.cli.scan_to_reports import run_scan
from scanner.demo import Demo, sample
from scanner.report.render import Rendered
from scanner.settings import Settings
from tests.screens import walk

PICTURES = {
    "the next scan": Path(__file__).with_name("readme_scan.svg"),
    "who flips by January": Path(__file__).with_name("readme_evaluate.svg"),
}
WIDTH = 80  # columns
_COLUMN, _ROW = 12.2, 24.4  # width of a character and height of a line, in the picture's units, as rich draws them
_TEXT = re.compile(r'(<text [^>]*? x=")([\d.]+)(" y="[\d.]+" textLength=")([\d.]+)("[^>]*>)([^<]*)(</text>)')

_THEME = TerminalTheme(
    background=(29, 32, 38),
    foreground=(220, 223, 228),
    normal=[
        (76, 82, 94), (240, 113, 120), (142, 200, 120), (229, 192, 123),
        (110, 170, 240), (198, 140, 230), (100, 190, 200), (220, 223, 228),
    ],
)  # fmt: skip

# rich's own frame fetches a font from another site; this one takes what the reader has.
_FRAME = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: 20.2px; line-height: {line_height}px;
}}
.{unique_id}-title {{ font-family: sans-serif; font-size: 18px; font-weight: bold; }}
{styles}
</style>
<defs>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def picture(screen: str) -> str:
    """Draw what a terminal showed."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, highlight=False)
    console.print(Text.from_ansi(screen), overflow="fold")
    drawn = console.export_svg(title="iam-scanner", theme=_THEME, code_format=_FRAME, unique_id="terminal")
    return re.sub(r"[ \t]+$", "", _TEXT.sub(_without_spaces, drawn), flags=re.MULTILINE)


def _without_spaces(found: re.Match[str]) -> str:
    """Place a text where its first letter is: some viewers drop the spaces that rich begins it with."""
    start, x, middle, _, end, text, close = found.groups()
    said = text.replace("&#160;", " ")
    column = round(float(x) / _COLUMN) + len(said) - len(said.lstrip())
    if not (said := said.strip()):
        return ""
    length = len(unescape(said)) * _COLUMN
    return f"{start}{column * _COLUMN:.1f}{middle}{length:.1f}{end}{said.replace(' ', '&#160;')}{close}"


def words(svg: str) -> list[str]:
    """Return the lines of a picture."""
    rows: dict[int, str] = {}
    for found in _TEXT.finditer(svg):
        row = round(float(found[3].split('"')[2]) / _ROW)
        column = round(float(found[2]) / _COLUMN)
        rows[row] = rows.get(row, "").ljust(column) + unescape(found[6]).replace("\xa0", " ")
    return [rows[row] for row in sorted(rows)]


def scanned(demo: Demo, folder: Path) -> Rendered:
    """Scan the sample as the demo does, from within a folder, so that no path of this machine is shown."""
    with chdir(folder), demo.applied(), redirect_stdout(io.StringIO()):
        files = demo.write_files(Path("reports/demo"))
        settings = Settings(safelist=(files.safelist,), account_owners=files.account_owners)
        return run_scan(settings, quiet=True)


def main() -> None:
    with sample(datetime.now(UTC).date()) as demo, TemporaryDirectory() as folder:
        screens = walk(WIDTH, demo, Path(folder))
    for name, file in PICTURES.items():
        file.write_text(picture(screens.drawn[name]), encoding="utf-8")


if __name__ == "__main__":
    main()
