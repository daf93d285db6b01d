"""A first safelist, as commands for a POSIX shell: it approves nobody, and its policy asks who, why and until when.

Its list of approvers is a comment, to be filled in: as long as a made-up one stood there, no approval would count.
"""

import shlex
from pathlib import Path

_LINES = (
    "version: 1",
    "policy:",
    "  require: [owner, reason, approved_by, expires_on]",
    "  max_days: 365",
    "  # approvers: [ciso@example.com]",
    "global: []",
)


def commands(path: Path) -> list[str]:
    """What to paste so that there is a safelist where `path` was looked for: a file if so named, else a folder.

    Empty for a path that a terminal cannot show as it is, as nobody could paste it.
    """
    if not str(path).isprintable():
        return []
    file = path if path.suffix.lower() in {".yaml", ".yml"} else path / "safelist.yaml"
    text = "".join(rf"{line}\n" for line in _LINES)
    return [f"mkdir -p {_word(file.parent)}", f"printf '{text}' > {_word(file)}"]


def _word(path: Path) -> str:
    """A path as one word of a shell, and never an option."""
    name = path.as_posix()
    return shlex.quote(f"./{name}" if name.startswith("-") else name)
