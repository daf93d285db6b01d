"""The figures of a run that the summary and the workbook show, counted once. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from scanner.model import Assessment, Basis, Determination, Evidence, Scanned, Skipped, Totals
from scanner.report.rows import AccountRow, UserRow

UNPLACED = "(place in the organization unknown)"


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
    unapproved_dormant: int
    usage_unknown: int  # users of which the credential report told nothing
    rights_unknown: int  # users of which it is open whether they are administrators
    accounts_by_evidence: Mapping[Evidence, int]
    read_from: datetime | None  # the window in which accounts were read
    read_until: datetime | None


def figures(assessment: Assessment, users: Sequence[UserRow], accounts: Sequence[AccountRow]) -> Figures:
    unapproved = [row for row in users if row.finding.determination is Determination.UNAPPROVED]
    times = [row.scanned_at for row in accounts if row.scanned_at]
    grounds = Counter(row.finding.basis for row in unapproved)
    evidence = Counter(scan.evidence for scan in assessment.record.scans.values() if isinstance(scan, Scanned))
    return Figures(
        by_ou=_by_ou(accounts),
        by_basis={basis: grounds[basis] for basis in Basis if grounds[basis]},
        failed=tuple(row for row in accounts if row.outcome == "FAILED"),
        worst=tuple(sorted((row for row in accounts if row.unapproved), key=_most_unapproved_first)),
        console_without_mfa=sum(
            row.activity.console_access is True and row.activity.mfa_active is False for row in users
        ),
        dormant=sum(row.activity.dormant is True for row in users),
        stale=sum(bool(row.activity.stale_credentials) for row in users),
        unapproved_administrators=sum(_is_administrator(row) is True for row in unapproved),
        unapproved_dormant=sum(row.activity.dormant is True for row in unapproved),
        usage_unknown=sum(row.finding.user.credentials is None for row in users),
        rights_unknown=sum(_is_administrator(row) is None for row in users),
        accounts_by_evidence={each: evidence[each] for each in Evidence if evidence[each]},
        read_from=min(times, default=None),
        read_until=max(times, default=None),
    )


def reconciled(totals: Totals) -> int:
    """What the accounts listed must add up to."""
    return totals.outside_scope + totals.excluded + totals.inactive + totals.scanned + totals.failed


def skipped_by_detail(assessment: Assessment) -> Mapping[str, int]:
    """Why accounts in scope were not attempted, in the words of the scan, and how many each."""
    skips = (scan for scan in assessment.record.scans.values() if isinstance(scan, Skipped))
    return dict(sorted(Counter(f"{scan.reason}: {scan.detail}" for scan in skips).items()))


def _most_unapproved_first(row: AccountRow) -> tuple[int, str]:
    return -(row.unapproved or 0), row.account.id


def _is_administrator(row: UserRow) -> bool | None:
    access = row.finding.user.access
    return None if access is None else access.administrator


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
