"""The errors that end the program. Each has an exit code and, in its message, a remedy.

    ScannerError                the program itself failed, or could not write its output   1
    ├── OutputError             the same: a file could not be written                      1
    ├── UsageError              an option, setting, safelist or scope is wrong             2
    │   └── FaultsError         the same, with every fault by file and line
    ├── StartError              no credentials, no region, no access to AWS or the archive 5
    └── InterruptedRunError     stopped by the user; what was read is kept                 130

An account that cannot be read is no error here: it is a `Failed` in the result, and the exit code follows from that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    """What a script learns from the program's end."""

    OK = 0  # complete, and every user is approved
    ERROR = 1  # the program itself failed, or could not write its output
    USAGE = 2  # nothing was called, nothing written
    UNAPPROVED = 3  # complete, and at least one user is unapproved
    INCOMPLETE = 4  # an account could not be read, the listing broke off, or nothing was read; wins over 3
    CANNOT_START = 5
    INTERRUPTED = 130


class ScannerError(Exception):
    """The program itself failed, or could not write its output.

    Its text is the problem and what to do about it; where the two are given apart, they can also be read apart.
    """

    exit_code = ExitCode.ERROR

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(f"{problem} {remedy}".rstrip())
        self.problem, self.remedy = problem, remedy


class OutputError(ScannerError):
    """A file could not be written: the disk is full, or the folder cannot be written to."""


class UsageError(ScannerError):
    """Something the user gave is wrong; nothing was called in any account and nothing written."""

    exit_code = ExitCode.USAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong in a file: where, what, and what to do."""

    file: str
    line: int | None = None  # 1-based; None for a fault of the file as a whole, and in a workbook
    column: int | None = None  # 1-based, in characters; None for a fault of the line as a whole
    sheet: str | None = None  # of a workbook
    cell: str | None = None  # "N14"; None for a fault of the sheet as a whole
    user: str | None = None  # whom the row of that cell is about, as people say it
    problem: str
    remedy: str

    def __str__(self) -> str:
        at = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        if self.sheet is not None:
            at += f", {self.sheet}" if self.cell is None else f", {self.sheet}!{self.cell}"
        if self.user is not None:
            at += f" ({self.user})"
        return f"{at}: {self.problem} {self.remedy}".rstrip()


class FaultsError(UsageError):
    """Faults in files that the user wrote, all of them at once.

    `outcome` says what became of the command; `advice` is lines to show below, as they are.
    """

    def __init__(self, faults: Sequence[Fault], *, outcome: str | None = None, advice: Sequence[str] = ()) -> None:
        super().__init__("\n".join([*map(str, faults), *([outcome] if outcome else ()), *advice]))
        self.faults = tuple(faults)
        self.outcome = outcome
        self.advice = tuple(advice)


class StartError(ScannerError):
    """It could not start: no credentials, no region where one is needed, no access to Organizations or the archive."""

    exit_code = ExitCode.CANNOT_START


class InterruptedRunError(ScannerError):
    """The user stopped the run; its journal is whole, and the run can be resumed."""

    exit_code = ExitCode.INTERRUPTED
