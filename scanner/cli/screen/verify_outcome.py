"""What `iam-scanner verify` shows of its checks."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.text import Text

from scanner.report.verify import Check
from scanner.text import for_terminal

_WORDS = {True: ("ok", "green"), False: ("MISMATCH", "bold red"), None: ("not checked", "yellow")}


def document(what: str, folder: Path, checks: Sequence[Check], *, whole: bool) -> dict[str, object]:
    """Return what was checked: a "run" or a "plan"."""
    return {what: str(folder), "whole": whole, "checks": [asdict(check) for check in checks]}


def show(what: str, console: Console, checks: Sequence[Check], *, whole: bool, digest_given: bool, quiet: bool) -> None:
    """Print a line for each check, and what follows from them; with `quiet` only the checks that do not hold."""
    for check in checks:
        word, style = _WORDS[check.holds]
        if not (quiet and check.holds):
            line = Text.assemble((f"{word:<11} ", style), for_terminal(f"{check.what} {check.detail}"))
            console.print(line, soft_wrap=True)
    if quiet:
        return
    outcome = f"The {what} is whole." if whole else f"The {what} is NOT what it was when it ended."
    console.print(Text(outcome, style="bold"))
    if not digest_given:
        console.print("Without --digest this does not show that nobody rewrote all of it.")
