"""What a record comes to once it is decided: the one type that every report is made from, and the parts of it."""

from dataclasses import dataclass, field

from scanner.audit.diff import Difference
from scanner.model import Finding, SplitBy, Status
from scanner.record import Record
from scanner.safelist.types import Policy
from scanner.safelist.usage import EntryUse


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The numbers that always reconcile: listed = outside_scope + excluded + inactive + scanned + failed."""

    listed: int
    outside_scope: int
    excluded: int
    inactive: int
    scanned: int
    failed: int
    users: int
    approved: int
    unapproved: int

    @property
    def in_scope(self) -> int:
        return self.listed - self.outside_scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Some accounts of a run, reported for themselves."""

    by: SplitBy
    value: str | None  # what they have in common; None: they have none of it
    listed: int  # how many accounts of it were listed
    of: int  # and how many in the whole run
    runs: int = 1  # of how many organizations' runs, where several stand side by side

    @property
    def words(self) -> str:
        if self.by is SplitBy.ACCOUNT_OWNER:
            whose = "accounts without an owner" if self.value is None else f"accounts of owner {self.value}"
        else:
            whose = "accounts whose OU is unknown" if self.value is None else f"accounts directly in {self.value}"
        return f"{whose}: {self.listed:,} of {self.of:,} in the {'run' if self.runs == 1 else 'runs'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """A record, decided: what all reports are made of."""

    record: Record
    status: Status
    status_text: str  # "complete for its scope: 1,200 of 1,500 accounts"
    totals: Totals
    findings: tuple[Finding, ...]  # by account id, user name, user id
    safelist: tuple[EntryUse, ...] = field(default=())  # in the order of files and lines
    policy: Policy | None = None  # of the safelists; None: they have none
    differences: tuple[Difference, ...] | None = None  # to the previous run; None where there is none
    flips: tuple[Difference, ...] | None = (
        None  # of a what-if: users decided otherwise than in the run; None: it is none
    )
    part: Part | None = None  # None: the whole run
    owners_from: str | None = None  # file whose owners of accounts stand in for those of the record; None: none does
