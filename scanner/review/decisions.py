"""The rows of a filled workbook → what was decided, or every fault by its cell. Pure: days come in.

A row belongs to the user whose account id and user id it bears, wherever it stands. What the program wrote beside them
must still be there: whoever decided, decided about the user whom the row showed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TypeVar

from scanner.errors import Fault
from scanner.model import AccountId, Choice, Determination, Entry, Finding, Kind, Scope, Selector, UserId
from scanner.record import ReviewDecision
from scanner.report.columns import ORGANIZATION, USERS
from scanner.report.review_rows import DECISION, FILLED_IN_AS, IDENTITY
from scanner.report.rows import UserRow
from scanner.review import cells
from scanner.review.cells import Cell, CellError
from scanner.review.reading import Filled, Row
from scanner.review.sheet_reader import decoded
from scanner.safelist.policy import Breach, breaches
from scanner.safelist.types import Policy
from scanner.text import for_xml, is_account_id, is_blank

Key = tuple[AccountId, UserId]
RowKey = tuple[str, AccountId, UserId]  # by run: an account that moved may be in the runs of two organizations
_T = TypeVar("_T")

AHEAD_OF_UTC = timedelta(days=1)  # a reviewer may be that far ahead
_RESTORE = "Restore what the program wrote, from the run's own workbook."


@dataclass(frozen=True, slots=True)
class Shown:
    """A user of the run, and what the program writes into the identity columns of its row."""

    finding: Finding
    identity: Mapping[str, str]


def shown(users: Sequence[UserRow]) -> Mapping[Key, Shown]:
    columns = [column for column in USERS if column.key in IDENTITY]
    return {
        (row.finding.account.id, row.finding.user.user_id): Shown(
            row.finding, {column.key: str(column.get(row) or "") for column in columns}
        )
        for row in users
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What decisions are checked against."""

    run_id: str
    organization_id: str  # "": the run is of none
    users: Mapping[Key, Shown]
    run_on: date  # the day the run started
    today: date
    policy: Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A decision, and where it was read."""

    decision: ReviewDecision
    finding: Finding
    book: Filled
    row: Row

    @property
    def key(self) -> Key:
        return self.decision.account_id, self.decision.user_id

    @property
    def approval(self) -> Entry:
        """The entry that an approval puts into the safelist."""
        decision = self.decision
        return Entry(
            scope=Scope.ACCOUNT,
            scope_value=decision.account_id,
            selector=Selector.USER,
            value=self.finding.user.user_name,
            user_id=decision.user_id,
            kind=decision.kind,
            owner=decision.owner,
            reason=cells.one_line(decision.comment) if decision.comment else None,
            approved_by=decision.reviewer,
            approved_on=decision.reviewed_on,
            expires_on=decision.approve_until,
            ticket=decision.ticket,
            file="",
            line=0,
        )

    def fault(self, column: str, problem: str, remedy: str) -> Fault:
        return self.book.fault(self.row.cells[column], problem, remedy, user=_named(self.finding))


@dataclass(slots=True)
class Judged:
    """What the workbooks of a call say."""

    decided: dict[RowKey, Decided] = field(default_factory=dict)
    first: dict[Key, Decided] = field(default_factory=dict)  # of each user, whichever run its row is of
    begun: int = 0  # rows where something is filled in, and the decision is not
    faults: list[Fault] = field(default_factory=list)


def judge(book: Filled, runs: Sequence[Rules], judged: Judged) -> None:
    """Add what one workbook says, of a run or of several."""
    rows: dict[RowKey, Row] = {}
    by_organization = {rules.organization_id: rules for rules in runs}
    for row in book.rows:
        rules = runs[0] if len(runs) == 1 else _rules_for(row, by_organization, book, judged.faults)
        if rules is None:
            continue
        sheet = _RowReader(book, row, rules, judged.faults)
        key = sheet.key()
        if key is None:
            continue
        if (before := rows.setdefault((rules.run_id, *key), row)) is not row:
            problem = f"This user has a row already, row {before.number}."
            sheet.fault("user_id", problem, "Keep one row for each user.")
        elif sheet.is_blank("decision"):
            judged.begun += not sheet.is_blank(*(column.key for column in DECISION))
        elif (decided := sheet.decided(key)) is not None:
            _add(decided, judged)


def _rules_for(row: Row, by_organization: Mapping[str, Rules], book: Filled, faults: list[Fault]) -> Rules | None:
    """By which run a row is judged; None where it is of none, which is a fault unless the row is blank."""
    cell = row.cells[ORGANIZATION.key]
    rules = by_organization.get(str(cell.value).strip())
    named = (ORGANIZATION.key, "account_id", "user_id", "decision")
    if rules is None and not all(cells.is_empty(row.cells[column]) for column in named):
        which = (
            "This row has no organization" if cells.is_empty(cell) else f"No run here is of organization {cell.value}"
        )
        remedy = f"Restore what the program wrote: one of {', '.join(by_organization)}."
        faults.append(book.fault(cell, f"{which}.", remedy, user=_said(row)))
    return rules


def _add(decided: Decided, judged: Judged) -> None:
    """An account that moved may have rows in two organizations: of the same user, one thing is to be decided."""
    judged.decided.setdefault((decided.decision.run_id, *decided.key), decided)
    other = judged.first.setdefault(decided.key, decided)
    if replace(other.decision, run_id="") != replace(decided.decision, run_id=""):
        where = other.book.fault(other.row.cells["decision"], "", "")
        problem = f"The same user has a different decision in {where}".rstrip(":") + "."
        judged.faults.append(decided.fault("decision", problem, "Agree on one decision."))


class _RowReader:
    """Reads one row, and tells its faults."""

    def __init__(self, book: Filled, row: Row, rules: Rules, faults: list[Fault]) -> None:
        self._book = book
        self._row = row
        self._rules = rules
        self._faults = faults

    def fault(self, column: str, problem: str, remedy: str) -> None:
        self._faults.append(self._book.fault(self._row.cells[column], problem, remedy, user=self._user()))

    def _user(self) -> str | None:
        """Whom the row is about: by the run, else as the row itself says, else nobody."""
        account_id, user_id = (self._row.cells[key].value for key in ("account_id", "user_id"))
        if user := self._rules.users.get((AccountId(str(account_id)), UserId(str(user_id)))):
            return _named(user.finding)
        return _said(self._row)

    def is_blank(self, *columns: str) -> bool:
        return all(cells.is_empty(self._row.cells[column]) for column in columns)

    def key(self) -> Key | None:
        """Whose row it is; None where it is nobody's, or a fault was reported."""
        account, user = self._read("account_id", cells.raw), self._read("user_id", cells.raw)
        if account is None and user is None:
            if not self.is_blank("decision"):
                self.fault("user_id", "This row has a decision, but names no user.", _RESTORE)
            return None
        if not is_account_id(account):
            shown_ = "is empty" if account is None else f"is {account}, and an account ID has 12 digits"
            self.fault("account_id", f"The account ID {shown_}.", _RESTORE)
            return None
        key = AccountId(str(account)), UserId(user or "")
        if key not in self._rules.users:
            problem = f"The run has no user with the ID {user} in account {account}."
            self.fault("user_id", problem, _RESTORE)
            return None
        self._check_identity(key)
        return key

    def decided(self, key: Key) -> Decided | None:
        """What is decided here; None where a fault was reported."""
        before = len(self._faults)
        choice = self._read("decision", lambda cell: cells.one_of(cell, Choice))
        reviewer = self._read("reviewer", cells.line)
        reviewed_on = self._read("reviewed_on", cells.day)
        owner = self._read("owner", cells.line)
        kind = self._read("kind", lambda cell: cells.one_of(cell, Kind))
        approve_until = self._read("approve_until", cells.day)
        ticket = self._read("ticket", cells.line)
        comment = self._read("comment", cells.text)
        if reviewer is None:
            self._missing("reviewer", before, "Say who decided.")
        if reviewed_on is None:
            self._missing("reviewed_on", before, "Say on which day that was decided.")
        if choice is None or reviewer is None or reviewed_on is None:
            return None
        decision = ReviewDecision(
            run_id=self._rules.run_id,
            account_id=key[0],
            user_id=key[1],
            choice=choice,
            reviewer=reviewer,
            reviewed_on=reviewed_on,
            owner=owner,
            kind=kind,
            approve_until=approve_until,
            ticket=ticket,
            comment=comment,
        )
        decided = Decided(decision=decision, finding=self._rules.users[key].finding, book=self._book, row=self._row)
        self._check(decided)
        return decided if len(self._faults) == before else None

    def _read(self, column: str, read: Callable[[Cell], _T]) -> _T | None:
        try:
            return read(self._row.cells[column])
        except CellError as error:
            self.fault(column, error.problem, error.remedy)
            return None

    def _missing(self, column: str, before: int, remedy: str) -> None:
        """Report that a cell is empty, unless what is wrong with it was reported."""
        at = self._row.cells[column].at
        if not any(fault.cell == at for fault in self._faults[before:]):
            self.fault(column, f"{column} is empty beside a decision.", remedy)

    def _check_identity(self, key: Key) -> None:
        for column, written in self._rules.users[key].identity.items():
            before = len(self._faults)
            value = self._read(column, cells.raw)
            if len(self._faults) == before and _comparable(value or "") != _comparable(for_xml(written)[0]):
                problem = f"{column} was changed: the program wrote {written!r} for this user."
                self.fault(column, problem, _RESTORE)

    def _check(self, decided: Decided) -> None:
        decision, rules = decided.decision, self._rules
        if not rules.run_on <= decision.reviewed_on <= rules.today + AHEAD_OF_UTC:
            problem = (
                f"{decision.reviewed_on} lies outside the run's day, {rules.run_on}, and today, {rules.today} (UTC; "
                "one day more, for reviewers ahead of UTC)."
            )
            self.fault("reviewed_on", problem, "Give the day of the decision.")
        match decision.choice:
            case Choice.APPROVE:
                self._check_approval(decided)
            case Choice.KEEP:
                self._check_keep(decided)
            case Choice.DEFER if decision.comment is None:
                self.fault("comment", "Defer needs a comment.", "Say why the decision is put off.")
            case _:
                pass

    def _check_approval(self, decided: Decided) -> None:
        entry, until = decided.approval, decided.decision.approve_until
        for breach in breaches(entry, self._rules.policy):
            column = FILLED_IN_AS.get(breach.field, breach.field)
            problem = f"The approval would break the policy: {breach.words}."
            self.fault(column, problem, self._remedy(breach, column, entry))
        if until is not None and until < decided.decision.reviewed_on:
            self.fault("approve_until", f"{until} is before reviewed_on.", "Correct the dates.")
        elif until is not None and until < self._rules.today:
            self.fault("approve_until", f"{until} lies in the past.", "Give a later day.")

    def _remedy(self, breach: Breach, column: str, entry: Entry) -> str:
        policy = self._rules.policy
        if getattr(entry, breach.field) is None:
            return f"Fill in {column}."
        if breach.field == "approved_by":
            return f"The policy's approvers are: {', '.join(policy.approvers or ())}."
        assert entry.approved_on is not None
        return f"The last day possible is {entry.approved_on + timedelta(days=policy.max_days or 0)}."

    def _check_keep(self, decided: Decided) -> None:
        if decided.finding.determination is not Determination.APPROVED:
            problem = f"Keep: this user is not approved ({decided.finding.basis})."
            self.fault("decision", problem, "Approve or remove it.")
        if decided.decision.approve_until is not None:
            problem = "approve_until stands beside Keep, which leaves the approval as it is."
            self.fault("approve_until", problem, "Choose Approve to give it another end, or clear this cell.")


def _said(row: Row) -> str | None:
    """Whom a row says itself that it is about."""
    name = row.cells["user_name"].value
    return str(name) if name is not None and not is_blank(str(name)) else None


def _comparable(text: str) -> str:
    """What is left of a text whichever spreadsheet saved it.

    Some write the escapes of OOXML (`_x005F_`), some what these stand for, and openpyxl drops `x005F_` wherever it
    stands; blanks at the ends and line ends are theirs too. A text of which nothing is seen is as good as none.
    """
    if is_blank(text):
        return ""
    while (plain := decoded(text)) != text:
        text = plain
    return " ".join(text.replace("x005F_", "").split())


def _named(finding: Finding) -> str:
    return f"{finding.user.user_name} in {finding.account.name}"


def in_order(decided: Iterable[Decided]) -> Iterator[Decided]:
    """By account id, user name and user id, as everywhere."""

    def order(decided: Decided) -> tuple[str, str, str]:
        return decided.decision.account_id, decided.finding.user.user_name, decided.decision.user_id

    return iter(sorted(decided, key=order))
