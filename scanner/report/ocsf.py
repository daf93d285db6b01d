"""The users as OCSF Compliance Findings (class 2003), one JSON document a line: for a SIEM or a security data lake.

What has a place in OCSF stands there. The other columns of iam-users.csv keep their names: what is known of the user
is the `data` of its resource, what was decided of it is `unmapped`. What is unknown is absent.
"""

from collections.abc import Mapping, Set
from datetime import date, datetime
from functools import cache
from typing import BinaryIO

from py_ocsf_models.events.findings.activity_id import ActivityID
from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding
from py_ocsf_models.events.findings.compliance_finding_type_id import ComplianceFindingTypeID
from py_ocsf_models.events.findings.severity_id import SeverityID
from py_ocsf_models.events.findings.status_id import StatusID
from py_ocsf_models.objects.account import Account, TypeID
from py_ocsf_models.objects.analytic import Analytic
from py_ocsf_models.objects.cloud import Cloud
from py_ocsf_models.objects.compliance import Compliance
from py_ocsf_models.objects.compliance_status import StatusID as ComplianceStatusID
from py_ocsf_models.objects.finding_info import FindingInformation
from py_ocsf_models.objects.metadata import Metadata
from py_ocsf_models.objects.organization import Organization
from py_ocsf_models.objects.product import Product
from py_ocsf_models.objects.remediation import Remediation
from py_ocsf_models.objects.resource_details import ResourceDetails

from scanner import model
from scanner.model import RISK_LEVEL, RULE_ID, RULE_TITLE, Change, Determination
from scanner.report.columns import USERS
from scanner.report.rows import UserRow
from scanner.report.standards import CLAUSES
from scanner.report.view import View
from scanner.runs import evaluation
from scanner.text import for_utf8, iso

PRODUCT = "iam-scanner"
REMEDIATION = (
    "Review the user. If it is needed, approve it with a dated entry in a safelist. If it is not, remove it, or "
    "quarantine it first: iam-scanner remediate plan."
)
CAVEAT = "The review supports the requirements named here; it does not by itself meet any of them."
REFERENCE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_users_remove.html"

# The columns that have a place of their own in OCSF, and those about the decision. All others are about the user.
MAPPED = frozenset(
    {
        *("account_id", "account_name", "ou_path", "ou_id", "user_name", "arn", "tags"),
        *("determination", "explanation", "rule_id", "risk_level"),
    }
)
DECISION = frozenset(
    {
        *("account_owner", "basis", "safelist_scope", "safelist_entry", "kind", "owner", "reason"),
        *("approved_by", "approved_on", "expires_on", "ticket", "evidence", "change"),
    }
)

Cell = str | int | list[str]


class _Compliance(Compliance):  # type: ignore[misc]  # the library has no types
    status: str


class _Finding(ComplianceFinding):  # type: ignore[misc]
    """The library's, with what the profile `cloud` adds."""

    cloud: Cloud
    compliance: _Compliance


def write_ocsf(view: View, out: BinaryIO) -> None:
    for one in view.runs:
        run = _Run(one)
        for row in one.users:
            # ASCII, as some readers take U+2028 for the end of a line.
            line: str = run.finding(row).model_dump_json(exclude_none=True, ensure_ascii=True)
            out.write(line.encode("ascii") + b"\n")


class _Run:
    """What all lines of a run have in common, and the line of a user."""

    def __init__(self, view: View) -> None:
        record = view.assessment.record
        self._header, self._scans = record.header, record.scans
        self._name = self._header.run_id
        if record.what_if:
            self._name = evaluation.folder_name(self._name, record)
        self._labels = ["what-if"] if record.what_if else None
        self._reviewed = {(decision.account_id, decision.user_id) for decision in self._header.decisions}
        self._organization = self._header.organization and for_utf8(self._header.organization.id)
        self._product = Product(name=PRODUCT, vendor_name=PRODUCT, version=self._header.program_version)
        self._about_run = _about_run(view)
        self._cloud = cache(self._cloud_of)

    def finding(self, row: UserRow) -> _Finding:
        finding, cells = row.finding, _cells(row)
        approved = finding.determination is Determination.APPROVED
        activity = ActivityID.Create if _is_new(finding.changes) else ActivityID.Update
        severity = SeverityID.Informational if approved else SeverityID[RISK_LEVEL]
        status = self._status(row)
        words = (
            f"IAM user {cells['user_name']} in account {cells['account_id']} is {'' if approved else 'not '}approved"
        )
        user_key = f"{finding.account.id}/{finding.user.user_id}"
        return _Finding(
            class_name="Compliance Finding",
            activity_id=activity,
            activity_name=activity.name,
            type_uid=ComplianceFindingTypeID[activity.name],
            type_name=f"Compliance Finding: {activity.name}",
            time=_milliseconds(self._header.started_at),
            timezone_offset=0,
            severity_id=severity,
            severity=severity.name,
            status_id=status,
            status="In Progress" if status is StatusID.InProgress else status.name,
            status_code=cells["determination"],
            status_detail=cells["explanation"],
            message=words,
            metadata=self._metadata(user_key),
            cloud=self._cloud(finding.account),
            compliance=_COMPLIANCE[finding.determination],
            finding_info=self._finding_info(row, for_utf8(f"{RULE_ID}/{user_key}"), words),
            remediation=None if approved else _REMEDIATION,
            resources=[self._resource(cells)],
            unmapped=_chosen(cells, DECISION) | {"run": self._about_run},
        )

    def _status(self, row: UserRow) -> StatusID:
        """A user that is not approved is new to the reviewers until they have decided something about it."""
        finding = row.finding
        if finding.determination is Determination.APPROVED:
            return StatusID.Resolved
        reviewed = (finding.account.id, finding.user.user_id) in self._reviewed
        return StatusID.InProgress if reviewed else StatusID.New

    def _metadata(self, user_key: str) -> Metadata:
        return Metadata(
            product=self._product,
            profiles=["cloud"],
            event_code=RULE_ID,
            uid=for_utf8(f"{self._name}/{user_key}"),
            correlation_uid=self._name,
            tenant_uid=self._organization,
            labels=self._labels,
        )

    def _cloud_of(self, account: model.Account) -> Cloud:
        ou_path = account.ou_path and for_utf8(account.ou_path)
        return Cloud(
            provider="AWS",
            account=Account(
                uid=account.id, name=for_utf8(account.name), type="AWS Account", type_id=TypeID.AWS_Account
            ),
            org=self._organization and Organization(uid=self._organization, ou_uid=account.ou_id, ou_name=ou_path),
        )

    def _resource(self, cells: Mapping[str, Cell]) -> ResourceDetails:
        return ResourceDetails(
            type="AwsIamUser",
            uid=cells["arn"],
            name=cells["user_name"],
            cloud_partition=self._header.caller.partition,
            labels=cells.get("tags"),
            data=_chosen(cells, cells.keys() - MAPPED - DECISION),
        )

    def _finding_info(self, row: UserRow, uid: str, title: str) -> FindingInformation:
        """When the finding was made and the user first seen is known only where this run is compared with another."""
        changes, scan = row.finding.changes, self._scans[row.finding.account.id]
        assert isinstance(scan, model.Scanned)  # as it has users
        seen = _milliseconds(scan.scanned_at)
        return FindingInformation(
            uid=uid,
            title=title,
            desc=f"{RULE_TITLE}. {_RULE.why}",
            types=["Software and Configuration Checks/Industry and Regulatory Standards"],
            analytic=_ANALYTIC,
            created_time=_milliseconds(self._header.started_at) if _is_new(changes) else None,
            first_seen_time=seen if {Change.NEW, Change.RECREATED} & set(changes) else None,
            last_seen_time=seen,
        )


def _is_new(changes: tuple[Change, ...]) -> bool:
    """Whether no earlier run that this one is compared with reported the user."""
    return not changes or bool({Change.NEW, Change.RECREATED, Change.NOT_PREVIOUSLY_SCANNED} & set(changes))


def _about_run(view: View) -> Mapping[str, object]:
    """How far each line may be relied on: a file of findings says nothing of accounts that could not be read."""
    assessment = view.assessment
    return {
        "run_id": assessment.record.header.run_id,
        "as_of": assessment.record.header.as_of.isoformat(),
        "status": str(assessment.status),
        "status_text": for_utf8(assessment.status_text),
        "accounts_in_scope": assessment.totals.in_scope,
        "accounts_scanned": assessment.totals.scanned,
        "accounts_failed": assessment.totals.failed,
    }


def _cells(row: UserRow) -> dict[str, Cell]:
    """The columns of iam-users.csv that are known of the user, as JSON can hold them."""
    values = ((column.key, column.get(row)) for column in USERS)
    return {key: _plain(value) for key, value in values if value is not None}


def _plain(value: str | int | date | tuple[str, ...]) -> Cell:
    match value:
        case str():
            return for_utf8(value)
        case tuple():
            return [for_utf8(item) for item in value]
        case datetime():
            return iso(value, exact=True)
        case date():
            return value.isoformat()
        case int():
            return value


def _chosen(cells: Mapping[str, Cell], keys: Set[str]) -> dict[str, object]:
    return {key: value for key, value in cells.items() if key in keys}


def _milliseconds(value: datetime) -> int:
    return round(value.timestamp() * 1000)


_RULE, *_STANDARDS = (clause for clause in CLAUSES if clause.of_each_user)
_ANALYTIC = Analytic(uid=RULE_ID, name=RULE_TITLE, type="Rule", type_id=1)
_REMEDIATION = Remediation(desc=REMEDIATION, references=[REFERENCE])
_COMPLIANCE = {
    determination: _Compliance(
        control=RULE_ID,
        desc=f"{_RULE.why} {CAVEAT}",
        standards=list(dict.fromkeys(clause.standard for clause in _STANDARDS)),
        requirements=[f"{clause.standard}: {clause.clauses}" for clause in _STANDARDS],
        status=status.name,
        status_id=status,
    )
    for determination, status in (
        (Determination.APPROVED, ComplianceStatusID.Pass),
        (Determination.UNAPPROVED, ComplianceStatusID.Fail),
    )
}
