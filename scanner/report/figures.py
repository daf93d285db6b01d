"""The figures of a run that the summary and the workbook show, counted once. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import TypeVar

from scanner.audit.assessment import Assessment, Totals
from scanner.model import Account, Basis, Determination, Evidence, Kind, Skipped
from scanner.report.rows import AccountRow, UserRow
from scanner.safelist.usage import NOT_JUDGED, EntryStatus, EntryUse

UNPLACED = "(place in the organization unknown)"
INACTIVE_DAYS = 90  # PCI DSS 8.2.6
_Key = TypeVar("_Key")
_NOT_JUDGED = NOT_JUDGED.rstrip(": ")


@dataclass(frozen=True, slots=True, kw_only=True)
class OuFigures:
    """An OU's own accounts in scope, without those of the OUs below it."""

    ou_path: str
    ou_id: str | None
    accounts: int
    scanned: int
    approved: int
    unapproved: int

    @property
    def users(self) -> int:
        return self.approved + self.unapproved


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    by_ou: tuple[OuFigures, ...]  # by path
    by_basis: Mapping[Basis, int]  # of the unapproved, in the order of the rule
    failed: tuple[AccountRow, ...]
    worst: tuple[AccountRow, ...]  # accounts with unapproved users, most first
    console_without_mfa: int
    dormant: int
    stale: int  # users with a credential that is stale
    unapproved_administrators: int
    unapproved_rights_unknown: int  # of which it is open whether they are administrators
    unapproved_console_without_mfa: int
    unapproved_dormant: int
    inactive: int  # users with a credential that works, and no activity for 90 days; never active: since creation
    by_kind: Mapping[Kind | None, int]  # None: the entry that decided has no kind, or there is none
    safelist: Mapping[str, int]  # entries by what became of them; those that nobody could judge are not called unused
    usage_unknown: int  # users of which the credential report says nothing
    rights_unknown: int  # users of which it is open whether they are administrators
    accounts_by_evidence: Mapping[Evidence, int]
    read_from: datetime | None  # the window in which accounts were read
    read_until: datetime | None


def figures(assessment: Assessment, users: Sequence[UserRow], accounts: Sequence[AccountRow]) -> Figures:
    unapproved = [row for row in users if row.finding.determination is Determination.UNAPPROVED]
    times = [row.scanned_at for row in accounts if row.scanned_at]
    grounds = Counter(row.finding.basis for row in unapproved)
    evidence = Counter(row.evidence for row in accounts if row.evidence)
    return Figures(
        by_ou=_by_ou(accounts),
        by_basis={basis: grounds[basis] for basis in Basis if grounds[basis]},
        failed=tuple(row for row in accounts if row.outcome == "FAILED"),
        worst=tuple(sorted((row for row in accounts if row.unapproved), key=_most_unapproved_first)),
        console_without_mfa=sum(row.activity.console_without_mfa is True for row in users),
        dormant=sum(row.activity.dormant is True for row in users),
        stale=sum(bool(row.activity.stale_credentials) for row in users),
        unapproved_administrators=sum(row.administrator is True for row in unapproved),
        unapproved_rights_unknown=sum(row.administrator is None for row in unapproved),
        unapproved_console_without_mfa=sum(row.activity.console_without_mfa is True for row in unapproved),
        unapproved_dormant=sum(row.activity.dormant is True for row in unapproved),
        inactive=sum(_is_inactive(row, assessment.record.header.started_at) for row in users),
        by_kind=Counter(getattr(row.finding.entry, "kind", None) for row in users),
        safelist=_safelist(assessment),
        usage_unknown=sum(row.finding.user.credentials is None for row in users),
        rights_unknown=sum(row.administrator is None for row in users),
        accounts_by_evidence={level: evidence[level] for level in Evidence if evidence[level]},
        read_from=min(times, default=None),
        read_until=max(times, default=None),
    )


def added_up(runs: Sequence[Figures]) -> Figures:
    """The figures of several runs together; OUs of two organizations stay two, whatever their paths."""
    counts = {item.name: sum(getattr(run, item.name) for run in runs) for item in fields(Figures) if item.type is int}
    grounds, evidence = _sum(run.by_basis for run in runs), _sum(run.accounts_by_evidence for run in runs)
    safelist = _sum(run.safelist for run in runs)
    return Figures(
        **counts,
        by_ou=tuple(ou for run in runs for ou in run.by_ou),
        by_basis={basis: grounds[basis] for basis in Basis if grounds[basis]},
        failed=tuple(row for run in runs for row in run.failed),
        worst=tuple(sorted((row for run in runs for row in run.worst), key=_most_unapproved_first)),
        by_kind=_sum(run.by_kind for run in runs),
        safelist={status: safelist[status] for status in (*EntryStatus, _NOT_JUDGED) if safelist[status]},
        accounts_by_evidence={level: evidence[level] for level in Evidence if evidence[level]},
        read_from=min((run.read_from for run in runs if run.read_from), default=None),
        read_until=max((run.read_until for run in runs if run.read_until), default=None),
    )


def _sum(counts: Iterable[Mapping[_Key, int]]) -> Counter[_Key]:
    total: Counter[_Key] = Counter()
    for of_run in counts:
        total.update(of_run)
    return total


def reconciled(totals: Totals) -> int:
    """What the accounts listed must add up to."""
    return totals.outside_scope + totals.excluded + totals.inactive + totals.scanned + totals.failed


def skipped_by_detail(assessment: Assessment) -> Mapping[str, tuple[Account, ...]]:
    """Why accounts in scope were not attempted, in the words of the scan, and which: by their ids."""
    record = assessment.record
    groups: dict[str, list[Account]] = {}
    for account in sorted(record.listing.accounts, key=lambda each: each.id):
        scan = record.scans.get(account.id)
        if account.id in record.listing.in_scope and isinstance(scan, Skipped):
            groups.setdefault(f"{scan.reason}: {scan.detail}", []).append(account)
    return {detail: tuple(groups[detail]) for detail in sorted(groups)}


def _most_unapproved_first(row: AccountRow) -> tuple[int, str]:
    return -(row.unapproved or 0), row.account.id


def _is_inactive(row: UserRow, started_at: datetime) -> bool:
    """All of it can be filtered in Users: console_access, active_access_keys, days_since_activity, created_at.

    Without a credential that works there is nothing left to disable.
    """
    used = row.activity
    if used.console_access is not True and not used.active_access_keys:
        return False
    if used.days_since_activity is not None:
        return used.days_since_activity >= INACTIVE_DAYS
    created_on = row.finding.user.created_at.astimezone(UTC).date()
    return (started_at.astimezone(UTC).date() - created_on).days >= INACTIVE_DAYS


def _safelist(assessment: Assessment) -> Mapping[str, int]:
    counts = Counter(_became(use) for use in assessment.safelist)
    return {status: counts[status] for status in (*EntryStatus, _NOT_JUDGED) if counts[status]}


def _became(use: EntryUse) -> str:
    unjudged = use.status is EntryStatus.UNUSED and use.remark.startswith(NOT_JUDGED)
    return _NOT_JUDGED if unjudged else use.status


def _by_ou(accounts: Sequence[AccountRow]) -> tuple[OuFigures, ...]:
    """By path and id, as two OUs may share a path."""
    groups: dict[tuple[str, str | None], list[AccountRow]] = {}
    for row in accounts:
        groups.setdefault((row.account.ou_path or UNPLACED, row.account.ou_id), []).append(row)
    return tuple(
        _ou(path, ou_id, groups[path, ou_id]) for path, ou_id in sorted(groups, key=lambda at: (at[0], at[1] or ""))
    )


def _ou(path: str, ou_id: str | None, rows: Sequence[AccountRow]) -> OuFigures:
    return OuFigures(
        ou_path=path,
        ou_id=ou_id,
        accounts=len(rows),
        scanned=sum(row.outcome == "SCANNED" for row in rows),
        approved=sum(row.approved or 0 for row in rows),
        unapproved=sum(row.unapproved or 0 for row in rows),
    )
