"""Some users of a run, chosen by filters, the most urgent first. Pure.

Where a filter asks for what is not known of a user, the user is not listed, and it is counted.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from scanner.audit.assessment import Assessment
from scanner.audit.triage import Urgency, risks, urgency
from scanner.errors import UsageError
from scanner.model import (
    CHANGES_OF_USERS,
    Account,
    AccountId,
    Change,
    Determination,
    Evidence,
    Failed,
    Skipped,
    UserId,
)
from scanner.record import Record
from scanner.report.rows import UserRow, user_rows
from scanner.report.words import many
from scanner.safelist.patterns import Patterns
from scanner.text import did_you_mean, is_blank, is_ou_id, near_names

NAMED = 8  # of what there is, where nothing is near to what was given

Test = Callable[[UserRow], bool | None]  # None: not known


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What is asked for, as it was given. All filters must hold; of one with several values, one value."""

    unapproved: bool = False
    administrator: bool = False
    dormant: bool = False
    change: tuple[str, ...] = ()  # "privilege-gained", or as in the column: "PRIVILEGE_GAINED"
    account: tuple[str, ...] = ()
    ou: tuple[str, ...] = ()  # IDs or paths; each stands for all below it, too
    name: tuple[str, ...] = ()  # patterns for the whole name, in which * and ? are special


@dataclass(frozen=True, slots=True, kw_only=True)
class UserList:
    """The users that were asked for, and what keeps the list from being all of them."""

    users: tuple[UserRow, ...]  # the most urgent first
    of: int  # users of the run
    not_read: int  # accounts that were asked for and could not be read
    left_out: int  # accounts that --account or --ou asked for, and that the run was not to read
    unknown: Mapping[str, int]  # by filter: users that may be missing, as it is not known whether it holds


def choose(assessment: Assessment, filters: Filters) -> UserList:
    """Choose users by the filters; raise `UsageError`, with all that is wrong, for names that the run does not have."""
    record = assessment.record
    places, changes = _check(record, filters)
    tests = dict(_tests(assessment, filters, changes))
    users = tuple(user_rows(assessment))
    chosen: list[UserRow] = []
    unknown = dict.fromkeys(tests, 0)
    for row in users:
        results = {name: test(row) for name, test in tests.items()}
        if places.hold(row.finding.account) is False or False in results.values():
            continue
        for name in (name for name, holds in results.items() if holds is None):
            unknown[name] += 1
        if None not in results.values():
            chosen.append(row)
    return UserList(
        users=tuple(sorted(chosen, key=_urgency)),
        of=len(users),
        not_read=sum(places.hold(account) is not False for account in _not_read(record)),
        left_out=sum(places.hold(account) is True for account in _left_out(record)) if places.named else 0,
        unknown={name: count for name, count in unknown.items() if count},
    )


def notes(assessment: Assessment, listed: UserList) -> Iterator[str]:
    """What a reader of the list must know, in plain words."""
    if assessment.record.listing.problem is not None:
        yield "The listing of accounts broke off: there may be more accounts, whose users are missing here."
    if listed.not_read:
        yield _missing(listed.not_read, "not read")
    if listed.left_out:
        yield _missing(listed.left_out, "left out of the run (outside its scope, excluded or inactive)")
    for name, count in listed.unknown.items():
        if name == "change" and assessment.differences is None:
            yield "The run is compared with no earlier one: what changed is not known."
        else:
            yield f"{many(count, 'more user')} may belong here: {_UNKNOWN[name]}."


_UNKNOWN = {
    "administrator": "their rights could not be read, or leave open whether they are administrators",
    "dormant": "their credentials could not be read",
    "change": "one of the two runs did not read their account, or not their rights",
}


def _missing(count: int, why: str) -> str:
    was, whose = ("was", "its") if count == 1 else ("were", "their")
    return f"{many(count, 'account')} {was} {why}; {whose} users are missing here."


def _urgency(row: UserRow) -> Urgency:
    return urgency(risks(row.finding.user, row.activity), row.finding)


# --- what is to hold -------------------------------------------------------------------------------------------------


def _tests(assessment: Assessment, filters: Filters, changes: frozenset[Change]) -> Iterator[tuple[str, Test]]:
    if filters.unapproved:
        yield "unapproved", lambda row: row.finding.determination is Determination.UNAPPROVED
    if filters.administrator:
        yield "administrator", lambda row: row.administrator
    if filters.dormant:
        yield "dormant", lambda row: row.activity.dormant
    if filters.name:
        patterns = Patterns(enumerate(filters.name))
        yield "name", lambda row: bool(patterns.matching(row.finding.user.user_name))
    if changes:
        yield "change", _change_test(assessment, changes)


def _change_test(assessment: Assessment, changes: frozenset[Change]) -> Test:
    """Whether a user changed in one of these ways; not known where one of the runs did not read what tells that."""
    if assessment.differences is None:
        return lambda _: None
    half_read = _rights_not_compared(assessment) if Change.PRIVILEGE_GAINED in changes else frozenset()

    def test(row: UserRow) -> bool | None:
        finding = row.finding
        if not changes.isdisjoint(finding.changes):
            return True
        if Change.NOT_PREVIOUSLY_SCANNED in finding.changes or (finding.account.id, finding.user.user_id) in half_read:
            return None
        return False

    return test


def _rights_not_compared(assessment: Assessment) -> frozenset[tuple[AccountId, UserId]]:
    """The users that are in both runs, and of which one of them did not have all the evidence."""
    return frozenset(
        (after.account_id, after.user_id)
        for before, after in ((difference.before, difference.after) for difference in assessment.differences or ())
        if before is not None and after is not None and before.user_id == after.user_id
        if not before.evidence is after.evidence is Evidence.FULL
    )


def _not_read(record: Record) -> Iterator[Account]:
    """The accounts in scope that failed, or that the run did not reach."""
    for account in record.listing.accounts:
        scan = record.scans.get(account.id)
        if account.id in record.listing.in_scope and (scan is None or isinstance(scan, Failed)):
            yield account


def _left_out(record: Record) -> Iterator[Account]:
    """The accounts that were listed, and that the run was not to read."""
    for account in record.listing.accounts:
        if account.id not in record.listing.in_scope or isinstance(record.scans.get(account.id), Skipped):
            yield account


# --- names, checked against the run ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Places:
    accounts: frozenset[str]
    ous: frozenset[str]  # IDs and paths

    @property
    def named(self) -> bool:
        return bool(self.accounts or self.ous)

    def hold(self, account: Account) -> bool | None:
        """Whether the account was asked for; None where its place in the organization is not known."""
        if self.accounts and account.id not in self.accounts:
            return False
        if not self.ous:
            return True
        return any({unit.id, unit.path} & self.ous for unit in account.ous) if account.ous else None


def _check(record: Record, filters: Filters) -> tuple[_Places, frozenset[Change]]:
    ous = [text.strip("/") for text in filters.ou]
    problems = [
        *_wrong_accounts(record, filters.account),
        *_wrong_ous(record, ous),
        *_wrong_changes(filters.change),
        *("--name is empty. Write a name, or a pattern with * and ?." for name in filters.name if is_blank(name)),
    ]
    if problems:
        raise UsageError("\n".join(problems))
    changes = frozenset(Change(_column_form(text)) for text in filters.change)
    return _Places(frozenset(filters.account), frozenset(ous)), changes


def _wrong_accounts(record: Record, texts: Iterable[str]) -> Iterator[str]:
    accounts = record.listing.accounts
    known = {key: f"{account.id} ({account.name})" for account in accounts for key in (account.name, account.id)}
    for text in texts:
        if text not in {account.id for account in accounts}:
            yield f"--account {text}: no such account in the run.{_candidates(text, known)}"


def _wrong_ous(record: Record, texts: Iterable[str]) -> Iterator[str]:
    units = {*record.listing.ous, *(unit for account in record.listing.accounts for unit in account.ous)}
    ids = {unit.id: f"{unit.id} ({unit.path})" for unit in units if unit.id is not None}
    for text in texts:
        matches = [unit for unit in units if text in {unit.id, unit.path}]
        if not matches:
            known = ids if is_ou_id(text) else {unit.path: unit.path for unit in units}
            yield f"--ou {text}: no such OU in the run.{_candidates(text, known)}"
        elif text not in ids and not all(unit.addressable for unit in matches):
            candidates = ", ".join(sorted(ids[unit.id] for unit in matches if unit.id is not None))
            yield f"--ou {text}: the path is not unique, or a name on it holds a '/'; use the ID: {candidates}."


def _wrong_changes(texts: Iterable[str]) -> Iterator[str]:
    words = {change.option: change.option for change in CHANGES_OF_USERS}
    for text in texts:
        if _column_form(text) in set(Change) - set(CHANGES_OF_USERS):
            yield f"--change {text}: such users are not in the run. `iam-scanner diff` shows them."
        elif _column_form(text) not in set(Change):
            yield f"--change {text}: no such change.{_candidates(text.lower(), words)}"


def _column_form(text: str) -> str:
    return text.upper().replace("-", "_")


def _candidates(text: str, known: Mapping[str, str]) -> str:
    """What may have been meant, or else what there is; `known` has how each is shown."""
    near = dict.fromkeys(known[key] for key in near_names(text, known))
    every = sorted(dict.fromkeys(known.values()))
    more = f" and {len(every) - NAMED:,} more" if len(every) > NAMED else ""
    return did_you_mean(list(near), otherwise=f"There are: {', '.join(every[:NAMED])}{more}." if every else "")
