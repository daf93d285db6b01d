"""One row a user, one row an account in scope: what the column tables take their values from."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from scanner.audit.assessment import Assessment
from scanner.audit.credential_use import Activity, activity
from scanner.model import Account, AccountId, AccountScan, Determination, Evidence, Failed, Finding, Scanned, Skipped
from scanner.record import Record


@dataclass(frozen=True, slots=True)
class UserRow:
    finding: Finding
    account_owner: str | None
    activity: Activity

    @property
    def administrator(self) -> bool | None:
        """None where that cannot be told."""
        access = self.finding.user.access
        return None if access is None else access.administrator


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRow:
    """What became of an account in scope; what does not apply to its outcome is None."""

    account: Account
    account_owner: str | None
    outcome: str
    reason: str | None = None
    failed_call: str | None = None
    error_code: str | None = None
    detail: str | None = None
    remedy: str | None = None
    users: int | None = None
    approved: int | None = None
    unapproved: int | None = None
    evidence: Evidence | None = None
    notes: tuple[str, ...] | None = None
    role_arn: str | None = None
    scanned_at: datetime | None = None
    credential_report_at: datetime | None = None


def user_rows(assessment: Assessment) -> Iterator[UserRow]:
    header, owners = assessment.record.header, assessment.record.account_owners
    days = header.settings.dormant_days
    for finding in assessment.findings:
        user = finding.user
        used = activity(user.credentials, user.created_at, days, header.started_at)
        yield UserRow(finding, owners.get(finding.account.id), used)


def account_rows(assessment: Assessment) -> Iterator[AccountRow]:
    """Every account in scope, by its id: those that were skipped, that failed and that were not reached too."""
    record, owners = assessment.record, assessment.record.account_owners
    decided = Counter((finding.account.id, finding.determination) for finding in assessment.findings)
    partial = {finding.account.id for finding in assessment.findings if finding.evidence is Evidence.PARTIAL}
    for account in sorted(record.listing.accounts, key=lambda each: each.id):
        if account.id in record.listing.in_scope:
            owner = owners.get(account.id)
            scan = record.scans.get(account.id)
            row = _account_row(account, owner, scan, decided) if scan else _unreached(account, owner, record)
            # An account's evidence is no better than that of its users.
            yield replace(row, evidence=Evidence.PARTIAL) if account.id in partial else row


def _unreached(account: Account, owner: str | None, record: Record) -> AccountRow:
    return AccountRow(
        account=account,
        account_owner=owner,
        outcome="FAILED",
        detail="not reached before the run ended",
        remedy=f"Resume this run: iam-scanner scan --resume {record.header.run_id}",
    )


def _account_row(
    account: Account,
    owner: str | None,
    scan: AccountScan,
    decided: Counter[tuple[AccountId, Determination]],
) -> AccountRow:
    match scan:
        case Scanned():
            return AccountRow(
                account=account,
                account_owner=owner,
                outcome=scan.outcome,
                users=len(scan.users),
                approved=decided[account.id, Determination.APPROVED],
                unapproved=decided[account.id, Determination.UNAPPROVED],
                evidence=scan.evidence,
                notes=scan.notes,
                role_arn=scan.role_arn,
                scanned_at=scan.scanned_at,
                credential_report_at=scan.credential_report_at,
            )
        case Failed():
            failure = scan.failure
            return AccountRow(
                account=account,
                account_owner=owner,
                outcome=scan.outcome,
                reason=failure.reason,
                failed_call=failure.call,
                error_code=failure.code,
                detail=failure.detail,
                remedy=failure.remedy,
                role_arn=scan.role_arn,
                scanned_at=scan.scanned_at,
            )
        case Skipped():
            return AccountRow(
                account=account, account_owner=owner, outcome=scan.outcome, reason=scan.reason, detail=scan.detail
            )
    assert_never(scan)
