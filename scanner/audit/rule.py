"""Rule IAM-058, "Check for unapproved IAM users": a record of what was read → what is decided.

Pure: the day on which approvals are judged is part of the record, so the same record and safelists always give the same
assessment.
"""

from collections.abc import Collection, Iterator
from dataclasses import replace

from scanner.audit.assessment import Assessment, Part, Totals
from scanner.audit.carried_out import decided
from scanner.audit.diff import Difference, compare, snapshot
from scanner.errors import ExitCode
from scanner.model import (
    Account,
    Change,
    Determination,
    Evidence,
    Failed,
    FailOn,
    Finding,
    IamUser,
    Scanned,
    Skipped,
    SkipReason,
    Status,
)
from scanner.record import Record
from scanner.safelist.match import Index
from scanner.safelist.types import Safelist
from scanner.safelist.usage import use


def assess(record: Record, safelist: Safelist) -> Assessment:
    """Decide every user that was read, and say how much of the organization that is.

    An account in scope that the record has no scan of was not reached before the run ended: it counts as failed, and
    `unreached` names it. The record is left as it is, since no call failed and there is nothing that AWS said.
    """
    index = Index(safelist, record.header.as_of)
    decided = tuple(sorted(_findings(record, index), key=lambda finding: finding.sort_key))
    differences = _differences(record, decided)
    findings = _with_changes(decided, differences)
    totals, status, status_text = conclude(record, findings)
    return Assessment(
        record=record,
        status=status,
        status_text=status_text,
        totals=totals,
        findings=findings,
        safelist=use(index, findings, record),
        policy=safelist.policy,
        differences=differences,
    )


def conclude(record: Record, findings: tuple[Finding, ...], part: Part | None = None) -> tuple[Totals, Status, str]:
    """How much was read, and what that makes of a run, or of the part of a run that the record was cut down to."""
    totals = _totals(record, findings)
    status = _status(record, totals)
    text = _status_text(record, totals, status, part)
    return totals, status, f"{text}; this is a part: {part.words}" if part else text


def exit_code(assessment: Assessment) -> ExitCode:
    """The exit code of a scan. Incomplete wins over whatever the run's `--fail-on` names."""
    if assessment.status is not Status.COMPLETE:
        return ExitCode.INCOMPLETE
    return ExitCode.UNAPPROVED if any(_failing(assessment)) else ExitCode.OK


def failing(assessment: Assessment) -> int:
    """How many users meet the run's `--fail-on`."""
    return sum(_failing(assessment))


def _failing(assessment: Assessment) -> Iterator[bool]:
    """Of each user, whether it meets the run's `--fail-on`.

    A change counts for unapproved users, and for any user that gained privilege. Without a previous run no change is
    known, so every unapproved user counts.
    """
    fail_on = assessment.record.header.settings.fail_on
    changes = {value.change for value in fail_on} - {None}
    any_unapproved = FailOn.UNAPPROVED in fail_on or (bool(changes) and assessment.differences is None)
    return (
        (any_unapproved and finding.determination is Determination.UNAPPROVED)
        or _changed_so(finding, changes.intersection(finding.changes))
        for finding in assessment.findings
    )


def _changed_so(finding: Finding, changes: Collection[Change | None]) -> bool:
    return Change.PRIVILEGE_GAINED in changes or (bool(changes) and finding.determination is Determination.UNAPPROVED)


def unreached(record: Record) -> tuple[Account, ...]:
    """The accounts in scope of which the record has no scan: the run ended before their turn came."""
    return tuple(account for account in _in_scope(record) if account.id not in record.scans)


def _in_scope(record: Record) -> Iterator[Account]:
    return (account for account in record.listing.accounts if account.id in record.listing.in_scope)


def _findings(record: Record, index: Index) -> Iterator[Finding]:
    for account in _in_scope(record):
        scan = record.scans.get(account.id)
        if isinstance(scan, Scanned):
            for user in scan.users:
                yield _finding(scan, index, account, user)


def _finding(scan: Scanned, index: Index, account: Account, user: IamUser) -> Finding:
    decision = index.decide(account, user)
    return Finding(
        account=account,
        user=user,
        evidence=_evidence(scan, user),
        determination=decision.determination,
        basis=decision.basis,
        explanation=decision.explanation,
        entry=decision.entry,
    )


def _evidence(scan: Scanned, user: IamUser) -> Evidence:
    """Of one row: as much as the account gave, and full only where all of it is about this very user."""
    if scan.evidence is not Evidence.FULL:
        return scan.evidence
    return Evidence.FULL if user.credentials is not None and user.access is not None else Evidence.PARTIAL


def _differences(record: Record, findings: tuple[Finding, ...]) -> tuple[Difference, ...] | None:
    previous = record.header.previous_run
    if previous is None:
        return None
    return compare(previous, snapshot(record, findings), findings, decided(record))


def _with_changes(findings: tuple[Finding, ...], differences: tuple[Difference, ...] | None) -> tuple[Finding, ...]:
    """Add to each finding what changed. Both are in the same order; the differences also hold users that are gone."""
    if differences is None:
        return findings
    changes = (difference.changes for difference in differences if difference.after is not None)
    return tuple(replace(finding, changes=changed) for finding, changed in zip(findings, changes, strict=True))


def _totals(record: Record, findings: tuple[Finding, ...]) -> Totals:
    scans = [record.scans.get(account.id) for account in _in_scope(record)]
    skipped = [scan.reason for scan in scans if isinstance(scan, Skipped)]
    approved = sum(finding.determination is Determination.APPROVED for finding in findings)
    return Totals(
        listed=len(record.listing.accounts),
        outside_scope=len(record.listing.accounts) - len(scans),
        excluded=sum(reason is SkipReason.EXCLUDED for reason in skipped),
        inactive=sum(reason is not SkipReason.EXCLUDED for reason in skipped),
        scanned=sum(isinstance(scan, Scanned) for scan in scans),
        failed=sum(scan is None or isinstance(scan, Failed) for scan in scans),
        users=len(findings),
        approved=approved,
        unapproved=len(findings) - approved,
    )


def _status(record: Record, totals: Totals) -> Status:
    if totals.scanned == 0:
        return Status.NOTHING_READ
    if totals.failed or record.listing.problem is not None or record.footer.interrupted:
        return Status.INCOMPLETE
    return Status.COMPLETE


def _status_text(record: Record, totals: Totals, status: Status, part: Part | None) -> str:
    if status is Status.COMPLETE:
        return f"complete for {_coverage(record, totals, part)}{left_out_words(totals)}"
    gaps = "; ".join(_gaps(record, totals))
    if status is Status.NOTHING_READ:
        none = f"nothing read: not one of {accounts_words(totals.in_scope)} in scope{left_out_words(totals)}"
        return "; ".join(filter(None, (none, gaps)))
    return f"incomplete: {gaps}"


def _coverage(record: Record, totals: Totals, part: Part | None) -> str:
    of = f"{totals.scanned:,} of {accounts_words(totals.listed)}"
    if record.header.organization is None:
        return f"the list supplied; not checked against Organizations: {of}"
    if part is not None:
        return f"this part: {of}"
    if totals.outside_scope or totals.excluded:
        return f"its scope: {of}"
    return f"the whole organization: {of}"


def left_out_words(totals: Totals) -> str:
    """What makes the numbers of accounts differ, so that a reader can add them up."""
    parts = (totals.outside_scope, "outside the scope"), (totals.excluded, "excluded"), (totals.inactive, "inactive")
    named = ", ".join(f"{number:,} {what}" for number, what in parts if number)
    return f" ({named})" if named else ""


def _gaps(record: Record, totals: Totals) -> Iterator[str]:
    missing = len(unreached(record))
    if record.listing.problem is not None:
        yield "population unknown, as the listing of accounts broke off"
    if totals.failed > missing:
        yield f"{totals.failed - missing:,} of {accounts_words(totals.in_scope)} in scope could not be read"
    if missing:
        was = "was" if missing == 1 else "were"
        yield f"{missing:,} of {accounts_words(totals.in_scope)} in scope {was} not reached before the run ended"
    if record.footer.interrupted:
        yield "the run was interrupted"


def accounts_words(number: int) -> str:
    return f"{number:,} account" if number == 1 else f"{number:,} accounts"
