"""Assessments to render: a realistic one, and small ones for a single point. No rule runs here: all is made by hand."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from scanner.audit.assessment import Assessment, Totals
from scanner.model import (
    Access,
    AccessKey,
    Account,
    AccountScan,
    Basis,
    Change,
    Choice,
    Credentials,
    Determination,
    Entry,
    Evidence,
    Failed,
    FailReason,
    Failure,
    Finding,
    IamUser,
    Kind,
    Revocation,
    Scanned,
    Scope,
    Selector,
    Skipped,
    SkipReason,
    Status,
)
from scanner.record import Footer, Header, Record, ReviewDecision, SafelistText, TrendPoint
from scanner.safelist.usage import EntryStatus, EntryUse
from scanner.settings import ExcludedAccount, Settings
from tests.builders import START, account, account_id, header, listing, user

FILE = "config/safelists/prod.yaml"


def entry(value: str = "cc-rds-manager", *, line: int = 14, kind: Kind | None = Kind.SERVICE) -> Entry:
    return Entry(
        scope=Scope.ACCOUNT,
        scope_value=account_id(1),
        selector=Selector.USER,
        value=value,
        kind=kind,
        owner="db@example.com",
        reason="Nightly export of the ledger to the warehouse",
        approved_by="ciso@example.com",
        approved_on=date(2026, 10, 1),
        expires_on=date(2027, 3, 31),
        ticket="SEC-139",
        file=FILE,
        line=line,
    )


def revocation(user: str = "cc-iam-manager", *, line: int = 40) -> Revocation:
    return Revocation(
        account_id=account_id(1),
        user=user,
        by="ciso@example.com",
        on=date(2026, 10, 2),
        ticket="SEC-140",
        file=FILE,
        line=line,
    )


def finding(
    of: IamUser | None = None,
    *,
    basis: Basis = Basis.NOT_SAFELISTED,
    at: Account | None = None,
    by: Entry | Revocation | None = None,
    explanation: str = "No entry matches.",
    evidence: Evidence = Evidence.FULL,
) -> Finding:
    approved = basis is Basis.SAFELISTED
    return Finding(
        account=at or account(),
        user=of or user(),
        evidence=evidence,
        determination=Determination.APPROVED if approved else Determination.UNAPPROVED,
        basis=basis,
        explanation=explanation,
        entry=by,
    )


def assessed(
    findings: Sequence[Finding] = (),
    *,
    accounts: Iterable[Account] | None = None,
    scans: Iterable[AccountScan] | None = None,
    uses: Sequence[EntryUse] = (),
    record: Record | None = None,
) -> Assessment:
    """An assessment of these findings; without `scans`, their accounts were all scanned in full."""
    known = (
        tuple({each.account.id: each.account for each in findings}.values()) if accounts is None else tuple(accounts)
    )
    done = (
        [_scanned(each, [one.user for one in findings if one.account.id == each.id]) for each in known]
        if scans is None
        else list(scans)
    )
    record = record or Record(
        header=header(),
        listing=listing(*known),
        scans={each.account_id: each for each in done},
        footer=Footer(finished_at=START + timedelta(minutes=3), api_calls={}, throttled=0, interrupted=False),
        digest="ab" * 32,
    )
    totals = _totals(record, findings)
    complete = not totals.failed
    return Assessment(
        record=record,
        status=Status.COMPLETE if complete else Status.INCOMPLETE,
        status_text=_status_text(totals),
        totals=totals,
        findings=tuple(sorted(findings, key=lambda f: (f.account.id, f.user.user_name, f.user.user_id))),
        safelist=tuple(uses),
    )


def _status_text(totals: Totals) -> str:
    if totals.failed:
        return f"incomplete: {totals.failed} of {totals.in_scope} accounts in scope could not be read"
    return f"complete for its scope: {totals.scanned:,} of {totals.listed:,} accounts"


def _totals(record: Record, findings: Sequence[Finding]) -> Totals:
    scans = [record.scans.get(each) for each in record.listing.in_scope]
    skips = [scan for scan in scans if isinstance(scan, Skipped)]
    excluded = sum(scan.reason is SkipReason.EXCLUDED for scan in skips)
    approved = sum(each.determination is Determination.APPROVED for each in findings)
    return Totals(
        listed=len(record.listing.accounts),
        outside_scope=len(record.listing.accounts) - len(scans),
        excluded=excluded,
        inactive=len(skips) - excluded,
        scanned=sum(isinstance(scan, Scanned) for scan in scans),
        failed=sum(scan is None or isinstance(scan, Failed) for scan in scans),
        users=len(findings),
        approved=approved,
        unapproved=len(findings) - approved,
    )


def _scanned(at: Account, users: Sequence[IamUser], evidence: Evidence = Evidence.FULL) -> Scanned:
    partial = evidence is Evidence.PARTIAL
    return Scanned(
        account_id=at.id,
        users=tuple(users),
        evidence=evidence,
        notes=("iam:GenerateCredentialReport was refused (AccessDenied): no usage evidence",) if partial else (),
        role_arn=f"arn:aws:iam::{at.id}:role/OrganizationAccountAccessRole",
        scanned_at=START + timedelta(seconds=12),
        credential_report_at=None if partial else START - timedelta(minutes=40),
    )


# --- a realistic one -------------------------------------------------------------------------------------------------

_OUS = ("Root/Prod/Payments", "Root/Prod/Claims", "Root/Staging", "Root/Sandbox", "Root/Security")
_NAMES = ("payments-prod", "claims-prod", "billing-stage", "sandbox-anna", "audit-logs")
_USERS = ("cc-platform-admin", "ci-deploy", "cc-rds-manager", "anna.schmidt", "BedrockAPIKey-x7", "legacy-ftp")
_GROUNDS = (
    (Basis.SAFELISTED, "Approved for this account by config/safelists/prod.yaml:14 until 2027-03-31"),
    (Basis.SAFELISTED, "Approved for OU Root/Prod by config/safelists/prod.yaml:22 until 2027-01-15"),
    (Basis.SAFELISTED, "Approved for any account by config/safelists/global.yaml:4 until 2027-01-15"),
    (Basis.NOT_SAFELISTED, "No entry matches; one letter away from cc-rds-manager, which is approved in 3 accounts"),
    (Basis.APPROVAL_EXPIRED, "The approval by config/safelists/prod.yaml:31 ended on 2026-09-30"),
    (Basis.REVOKED, "A review decided on 2026-10-02 to remove this user (config/safelists/prod.yaml:40)"),
    (Basis.USER_RECREATED, "config/safelists/prod.yaml:18 approves AIDAOLD0000000000001, and this is another user"),
    (Basis.APPROVAL_NOT_STARTED, "The approval by config/safelists/prod.yaml:35 starts on 2026-12-01"),
    (Basis.APPROVAL_INVALID, "config/safelists/prod.yaml:52 breaks the policy: no owner"),
    (Basis.NOT_SAFELISTED, "named like a console-made user (Bedrock API key); unverified"),
)


def sample() -> Assessment:
    """15 accounts of an organization, 11 of them read: 62 users on every ground, failures, skips, partial evidence."""
    accounts = [
        account(100 + number, ou_path=_OUS[number % 5], name=f"{_NAMES[number % 5]}-{number // 5 + 1}")
        for number in range(15)
    ]
    findings = [_sample_finding(accounts[number % 10], number) for number in range(62)]
    outside = account(900, ou_path="Root/Elsewhere", name="elsewhere")
    scans = _sample_scans(accounts, findings)
    record = Record(
        header=_sample_header(accounts),
        listing=listing(*accounts, outside, in_scope=[each.id for each in accounts]),
        scans={scan.account_id: scan for scan in scans},
        footer=Footer(
            finished_at=START + timedelta(minutes=1, seconds=7),
            api_calls={
                "iam:ListUsers": 13,
                "sts:AssumeRole": 16,
                "iam:GetCredentialReport": 22,
                "iam:GetAccountSummary": 11,
            },
            throttled=2,
            interrupted=True,
        ),
        digest="3f9c" * 16,
    )
    return assessed(findings, record=record, uses=_sample_uses())


def reviewed() -> Assessment:
    """The sample as a second quarter: with the runs before it, what changed since, and what was decided then."""
    made = sample()
    changed = (Change.PRIVILEGE_GAINED, Change.RENAMED, Change.RECREATED, Change.NEW)
    findings = tuple(
        replace(each, changes=(changed[number % 4],) if number % 5 == 0 else (Change.UNCHANGED,))
        for number, each in enumerate(made.findings)
    )
    decisions = tuple(_sample_decision(each, number) for number, each in enumerate(findings) if number % 3 == 0)
    head = replace(made.record.header, decisions=decisions, trend=_sample_trend())
    return replace(made, findings=findings, record=replace(made.record, header=head))


def decision(of: Finding, choice: Choice, on: date, comment: str | None = None) -> ReviewDecision:
    return ReviewDecision(
        run_id="20260824T090000Z-0a0b0c",
        account_id=of.account.id,
        user_id=of.user.user_id,
        choice=choice,
        reviewer="j.doe@example.com",
        reviewed_on=on,
        comment=comment,
    )


def _sample_decision(of: Finding, number: int) -> ReviewDecision:
    choice = list(Choice)[number // 3 % 5]
    comment = "Owner on leave until October; asked again in the next review" if choice is Choice.DEFER else None
    return decision(of, choice, date(2026, 1 + number % 9, 24), comment)


def _sample_trend() -> tuple[TrendPoint, ...]:
    return tuple(
        TrendPoint(
            run_id=f"20250{number + 1}01T080000Z-0a0b0c",
            started_at=START - timedelta(days=91 * (6 - number)),
            status=Status.INCOMPLETE if number == 2 else Status.COMPLETE,
            users=48 + 3 * number,
            unapproved=44 - 2 * number + 5 * (number == 3),
            scanned=13 - 2 * (number == 2),
            active=13,
        )
        for number in range(6)
    )


def _sample_scans(accounts: Sequence[Account], findings: Sequence[Finding]) -> list[AccountScan]:
    def users(at: Account) -> list[IamUser]:
        return [each.user for each in findings if each.account.id == at.id]

    scans: list[AccountScan] = [
        _scanned(at, users(at), Evidence.PARTIAL if index == 4 else Evidence.FULL)
        for index, at in enumerate(accounts[:11])
    ]
    scans[0] = replace(_scanned(accounts[0], users(accounts[0])), role_arn=None)
    denied = Failure(
        reason=FailReason.ROLE_NOT_ASSUMABLE,
        call="sts:AssumeRole",
        code="AccessDenied",
        detail=(
            "User: arn:aws:sts::000000000100:assumed-role/Audit/reviewer is not authorized to perform: sts:AssumeRole "
            f"on resource: arn:aws:iam::{accounts[11].id}:role/OrganizationAccountAccessRole"
        ),
        remedy="Deploy the role in this account (iam-scanner role prints it), or exclude the account with a reason.",
    )
    slow = Failure(
        reason=FailReason.TIMEOUT,
        call="iam:ListUsers",
        code=None,
        detail="no answer within 120 seconds",
        remedy="Raise --account-timeout, then go on with --resume.",
    )
    return [
        *scans,
        Failed(account_id=accounts[11].id, failure=denied, role_arn=None, scanned_at=START + timedelta(seconds=20)),
        Failed(account_id=accounts[12].id, failure=slow, role_arn=None, scanned_at=START + timedelta(seconds=60)),
        Skipped(
            account_id=accounts[13].id, reason=SkipReason.EXCLUDED, detail="excluded by --exclude-account: being closed"
        ),
    ]  # accounts[14] was not reached


def _sample_header(accounts: Sequence[Account]) -> Header:
    made = header(
        settings=Settings(
            ou=("Root/Prod", "Root/Staging", "Root/Sandbox", "Root/Security"),
            exclude_account=(ExcludedAccount(account=accounts[13].id, reason="being closed, SEC-77"),),
            concurrency=50,
        ),
        safelists=(
            SafelistText(path="config/safelists/global.yaml", text="version: 1\nglobal: []\n"),
            SafelistText(path=FILE, text="version: 1\naccounts: {}\n"),
        ),
        account_owners={each.id: f"{each.name.split('-')[0]}@example.com" for each in accounts[:12]},
    )
    policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:ListUsers"],"Resource":"*"}]}'
    versions = {"python": "3.11.9", "aioboto3": "15.5.0", "openpyxl": "3.1.5", "pandas": "3.1.1"}
    return replace(made, session_policies={"member": policy}, versions=versions)


def _sample_finding(at: Account, number: int) -> Finding:
    basis, explanation = _GROUNDS[(number * 7) % len(_GROUNDS)]
    partial = at.id == account_id(104)
    name = f"{_USERS[number % len(_USERS)]}-{number // 10}"
    made = user(
        name,
        in_account=at.id,
        path="/service/" if number % 3 else "/",
        created_at=START - timedelta(days=30 * number % 900 + 3, hours=number),
        credentials=None if partial else _sample_credentials(number),
        access=_sample_access(number),
    )
    by = {Basis.NOT_SAFELISTED: None, Basis.REVOKED: revocation(name)}.get(
        basis, entry(name, kind=(Kind.HUMAN, Kind.SERVICE, Kind.BREAK_GLASS)[number % 3])
    )
    evidence = Evidence.PARTIAL if partial else Evidence.FULL
    return finding(made, basis=basis, at=at, by=by, explanation=explanation, evidence=evidence)


def _sample_credentials(number: int) -> Credentials:
    def ago(days: int) -> datetime:
        return START - timedelta(days=days)

    console = number % 3 == 0
    keys = tuple(
        AccessKey(active=slot == 0 or number % 4 == 0, last_rotated=ago(200 + number), last_used=ago(number * 3 % 150))
        for slot in range(number % 3)
    )
    return Credentials(
        console_access=console,
        password_last_used=ago(number * 5 % 120) if console and number % 2 else None,
        password_last_changed=ago(300) if console else None,
        mfa_active=console and number % 2 == 0,
        access_keys=keys,
    )


def _sample_access(number: int) -> Access:
    return Access(
        administrator=(False, False, None, True)[number % 4],
        groups=("developers", "on-call")[: number % 3],
        attached_policies=(
            ("AdministratorAccess (via platform)",)
            if number % 4 == 3
            else ("ReadOnlyAccess (via developers)", "BillingView")
        ),
        inline_policies=("export-to-s3",) if number % 5 == 0 else (),
        permissions_boundary="arn:aws:iam::aws:policy/PowerUserAccess" if number % 9 == 0 else None,
        tags=(("team", "payments"), ("cost-center", f"{4000 + number}")) if number % 2 else (),
    )


def _sample_uses() -> list[EntryUse]:
    statuses = list(EntryStatus)
    uses = []
    for index, status in enumerate(statuses):
        which = revocation() if status is EntryStatus.REVOCATION else entry(f"cc-entry-{index}", line=10 + 4 * index)
        remark = "No account of this id is in the organization" if status is EntryStatus.UNMATCHED else ""
        uses.append(EntryUse(entry=which, status=status, users=3 if index < 2 else 0, remark=remark))
    return uses
