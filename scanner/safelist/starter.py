"""A first safelist, as a text or as commands for a shell: it approves nobody, and asks who, why and until when.

Its list of approvers is a comment, to be filled in: as long as a made-up one stood there, no approval would count.
"""

import shlex
from collections.abc import Sequence
from pathlib import Path

from scanner.safelist.write import scalar

MAX_DAYS = "365"


def text(*, organization: str | None = None, approvers: Sequence[str] = (), max_days: str = MAX_DAYS) -> str:
    """A safelist that approves nobody; without approvers, a comment says where they go."""
    listed = f"approvers: [{', '.join(map(scalar, approvers))}]" if approvers else "# approvers: [ciso@example.com]"
    lines = [
        "version: 1",
        *([f"organization: {scalar(organization)}"] if organization is not None else ()),
        "policy:",
        "  require: [owner, reason, approved_by, expires_on]",
        f"  max_days: {max_days if max_days.isdecimal() else scalar(max_days)}",
        f"  {listed}",
        "global: []",
    ]
    return "".join(f"{line}\n" for line in lines)


def commands(path: Path) -> list[str]:
    """What to paste so that there is a safelist where `path` was looked for: a file if so named, else a folder.

    Empty for a path that a terminal cannot show as it is, as nobody could paste it.
    """
    if not str(path).isprintable():
        return []
    file = path if path.suffix.lower() in {".yaml", ".yml"} else path / "safelist.yaml"
    written = text().replace("\n", r"\n")
    folder = [] if file.parent == Path() else [f"mkdir -p {_word(file.parent)}"]
    return [*folder, f"printf '{written}' > {_word(file)}"]


def _word(path: Path) -> str:
    """A path as one word of a shell, and never an option."""
    name = path.as_posix()
    return shlex.quote(f"./{name}" if name.startswith("-") else name)
