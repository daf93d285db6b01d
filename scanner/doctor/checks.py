"""What was checked, and what came of it: the types, and the list that grows."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from scanner.errors import FaultsError, ScannerError
from scanner.model import Account, Failure
from scanner.scan.progress import ListingProgress
from scanner.settings import Settings

T = TypeVar("T")

AFTER_FAILURE = "because a check above failed"


class Part(StrEnum):
    """What a check is about, in the order in which they are made."""

    FILES = "Settings and files"
    CALLER = "Caller"
    ORGANIZATION = "Organization"
    ACCOUNTS = "Accounts"


class Outcome(StrEnum):
    """What came of a check."""

    OK = "ok"
    WARNING = "warning"  # worth a look; a scan would be complete all the same
    FAILED = "failed"
    NOT_CHECKED = "not checked"  # an earlier check failed, so nothing is known
    NOT_TRIED = "not tried"  # it cannot be tried without changing something


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check: what was tried, what AWS said or was found, and what to do."""

    part: Part
    what: str  # of a call: "iam:ListUsers"
    outcome: Outcome
    code: str | None = None  # AWS's error code
    detail: str = ""  # AWS's own message, or what was found
    remedy: str = ""
    account: Account | None = None  # None: it is about no single account

    @property
    def is_missing(self) -> bool:
        """Whether a scan may be incomplete for this: what was not checked is never fine."""
        return self.outcome in {Outcome.FAILED, Outcome.NOT_CHECKED}


class Examination:
    """One examination: the settings that it is of, and the checks that were made, in order."""

    def __init__(self, settings: Settings, progress: ListingProgress) -> None:
        self.settings = settings
        self.progress = progress
        self.made: list[Check] = []
        self.advice: list[str] = []  # lines to show below all checks, as they are

    def add(self, part: Part, what: str, outcome: Outcome, detail: str = "", remedy: str = "") -> None:
        self.made.append(Check(part=part, what=what, outcome=outcome, detail=detail, remedy=remedy))

    def failed(self, part: Part, what: str, error: ScannerError) -> None:
        """A failed check for the error; for faults in files one for each."""
        if isinstance(error, FaultsError):
            for fault in error.faults:
                self.add(part, what, Outcome.FAILED, str(replace(fault, remedy="")), fault.remedy)
            self.advice += error.advice
        else:
            for problem in error.problem.splitlines():
                self.add(part, what, Outcome.FAILED, problem, error.remedy)

    def refused(self, part: Part, what: str, failure: Failure) -> None:
        """A failed check for a call that did not work."""
        self.made.append(of_failure(part, what, failure))

    def tried(self, part: Part, what: str, work: Callable[[], T], said: Callable[[T], str]) -> T | None:
        """Do the work; where it ends by a `ScannerError`, that is a failed check, and None is returned."""
        try:
            result = work()
        except ScannerError as error:
            self.failed(part, what, error)
            return None
        self.add(part, what, Outcome.OK, said(result))
        return result

    async def called(self, part: Part, what: str, work: Awaitable[T], said: Callable[[T], str]) -> T | None:
        """The same for a call."""
        try:
            result = await work
        except ScannerError as error:
            self.failed(part, what, error)
            return None
        self.add(part, what, Outcome.OK, said(result))
        return result

    def complete(self, expected: Iterable[tuple[Part, str]]) -> tuple[Check, ...]:
        """All checks, part by part; what was expected and not made is NOT_CHECKED."""
        made = {(check.part, check.what) for check in self.made}
        for part, what in expected:
            if (part, what) not in made:
                self.add(part, what, Outcome.NOT_CHECKED, AFTER_FAILURE)
        order = list(Part)
        return tuple(sorted(self.made, key=lambda check: order.index(check.part)))


def of_failure(part: Part, what: str, failure: Failure, account: Account | None = None) -> Check:
    """A failed check for a call that did not work."""
    return Check(
        part=part,
        what=what,
        outcome=Outcome.FAILED,
        code=failure.code,
        detail=failure.detail,
        remedy=failure.remedy,
        account=account,
    )
