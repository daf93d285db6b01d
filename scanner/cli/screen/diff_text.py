"""How changes of safelist files are shown: as a diff, in colours on a terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from scanner.safelist.file_changes import FileChange
from scanner.text import for_terminal

_STYLES = {"+++": "bold", "---": "bold", "@@": "cyan", "+": "green", "-": "red"}


def show_diff(changes: Sequence[FileChange], console: Console) -> bool:
    """Print the diff, into a pipe exactly as `patch` takes it; return whether there is one."""
    diff = "".join(change.diff() for change in changes)
    if console.is_terminal:
        for line in diff.splitlines():
            console.print(Text(for_terminal(line), style=_style(line)), soft_wrap=True)
    else:
        console.file.write(diff)
    return bool(diff)


def _style(line: str) -> str:
    return next((style for start, style in _STYLES.items() if line.startswith(start)), "")
