"""What a person reads after `init`: what was written, what was left, and what is next."""

import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from rich.console import Console
from rich.text import Text

from scanner.cli.screen.layout import labelled, print_parts
from scanner.own_repository.answers import (
    IGNORED,
    OWNERS,
    QUESTIONS,
    SAFELIST,
    SETTINGS,
    WORKFLOW,
    Answers,
    option,
)
from scanner.own_repository.lay_out import LaidOut
from scanner.settings import PREFIX
from scanner.text import for_terminal

EXTERNAL_ID = f"{PREFIX}EXTERNAL_ID"  # a secret, which belongs into no file
VENDORED = Path("vendor/requirements.txt")  # what the job installs the program with
NEXT = ("iam-scanner role --caller ARN > iam-scanner-role.yaml", "iam-scanner doctor", "iam-scanner scan")
_IS = {
    SETTINGS: "every setting, with its default",
    SAFELIST: "who is approved: nobody yet",
    WORKFLOW: "checks them before each merge",
    IGNORED: "keeps reports out of git",
    OWNERS: "who has to review a change",
}


def document(laid_out: LaidOut, answers: Answers, given: Collection[str]) -> Mapping[str, object]:
    return {
        "written": [path.as_posix() for path in laid_out.written],
        "left": [path.as_posix() for path in laid_out.left],
        "not_used": _not_used(laid_out, given),
        "to_do": list(_to_do(laid_out, answers)),
        "next": list(NEXT),
    }


def show(laid_out: LaidOut, answers: Answers, given: Collection[str], console: Console) -> None:
    width = max((len(path.as_posix()) for path in laid_out.written), default=0)
    written = "\n".join(f"{path.as_posix():<{width}}  {_IS[path]}" for path in laid_out.written)
    lines = [("Written", Text(written or "nothing"))]
    if laid_out.left:
        left = ", ".join(for_terminal(path.as_posix()) for path in laid_out.left)
        text = Text(f"as {'it was' if len(laid_out.left) == 1 else 'they were'}: {left}")
        if unused := _not_used(laid_out, given):
            text.append(f"\nso these were not written: {', '.join(unused)}", style="yellow")
        lines.append(("Left", text))
    if to_do := "\n".join(_to_do(laid_out, answers)):
        lines.append(("To do", Text(to_do)))
    words = "print a role that can only read, deploy it, see what is missing, and scan; ARN is that of who scans:"
    lines.append(("Next", Text(words)))
    print_parts(console, (labelled(*lines),), NEXT)


def _not_used(laid_out: LaidOut, given: Collection[str]) -> list[str]:
    """The options whose file is left as it is."""
    return [
        option(question.name)
        for path, questions in QUESTIONS.items()
        for question in questions
        if path not in laid_out.written and question.name in given
    ]


def _to_do(laid_out: LaidOut, answers: Answers) -> Iterator[str]:
    written = set(laid_out.written)
    if overriding := sorted(name for name in os.environ if name.startswith(PREFIX) and name != EXTERNAL_ID):
        yield f"unset {' '.join(overriding)}: in this shell, that goes before {SETTINGS}"
    if SAFELIST in written and not answers.approver:
        yield f"say in {SAFELIST} who may approve"
    if WORKFLOW in written and not VENDORED.exists():
        yield f"put the wheel of iam-scanner and its requirements.txt into {VENDORED.parent}/, for the job"
    if OWNERS not in {*written, *laid_out.left}:
        yield f"say in {OWNERS} who has to review changes of /config/, /.github/ and /vendor/"
    if IGNORED not in written and not _ignores_reports():
        yield f"add the lines reports/ and *.xlsx to {IGNORED}"
    yield 'protect the default branch: pull requests only, with a review and the check "Check safelists"'


def _ignores_reports() -> bool:
    try:
        return "reports/" in Path(IGNORED).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
