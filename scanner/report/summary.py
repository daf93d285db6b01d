"""summary.json: a run in figures, for scripts and for `--json`. The same assessment gives the same document."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from scanner.audit.assessment import Assessment, Part, Totals
from scanner.audit.carried_out import Decided, Fate
from scanner.audit.diff import Difference
from scanner.audit.outstanding import Outstanding
from scanner.audit.rule import exit_code, failing
from scanner.model import RISK_LEVEL, RULE_ID, RULE_TITLE, Failure, Finding
from scanner.record import Header, Listing, Record, SafelistText
from scanner.report.changes import FLIPS, counts, documents
from scanner.report.failed_accounts import FailureGroup, likely_cause
from scanner.report.figures import Figures, OuFigures, reconciled
from scanner.report.review_rows import ReviewRow
from scanner.report.rows import AccountRow
from scanner.report.urgency import why
from scanner.report.view import View
from scanner.text import iso

SCHEMA_VERSION = 1
MOST_URGENT = 10  # users that the screen and the document name
MOST_ACCOUNTS = 8
_SCOPE_SETTINGS = ("ou", "exclude_ou", "account", "exclude_account", "accounts_file")


def summary(view: View) -> dict[str, object]:
    """The document, of JSON values only: of several runs what they come to in all, and the document of each."""
    return _in_all(view) if view.by_organization else _of_run(view)


def _in_all(view: View) -> dict[str, object]:
    concluded = view.in_all
    return {
        "schema_version": SCHEMA_VERSION,
        "rule_id": RULE_ID,
        "rule_title": RULE_TITLE,
        "risk_level": RISK_LEVEL,
        "status": concluded.status,
        "status_text": concluded.status_text,
        "exit_code": max(exit_code(run.assessment) for run in view.runs),  # incomplete is the highest
        "part": _part(concluded.part),
        "coverage": _coverage(concluded.totals),
        "users": _users(view),
        "users_due": len(view.review),
        "runs": [{"organization_id": run.organization_id} | _of_run(run) for run in view.runs],
    }


def _of_run(view: View) -> dict[str, object]:
    assessment, counted = view.assessment, view.figures
    record = assessment.record
    return {
        "schema_version": SCHEMA_VERSION,
        "program_version": record.header.program_version,
        "rule_id": RULE_ID,
        "rule_title": RULE_TITLE,
        "risk_level": RISK_LEVEL,
        "run_id": record.header.run_id,
        "evaluated_from": evaluated_from(record),
        "status": assessment.status,
        "status_text": assessment.status_text,
        "exit_code": exit_code(assessment),
        "fail_on": {"conditions": list(record.header.settings.fail_on), "users": failing(assessment)},
        "part": _part(assessment.part),
        "interrupted": record.footer.interrupted,
        **_who_and_where(record.header, record.listing),
        "times": _times(assessment, counted),
        "coverage": _coverage(assessment.totals),
        "users": _users(view),
        "users_due": len(view.review),
        "most_urgent_users": [_urgent(row) for row in view.review[:MOST_URGENT]],
        "most_unapproved_accounts": [_account(row) for row in counted.worst[:MOST_ACCOUNTS]],
        "decisions_not_carried_out": [_outstanding(one) for one in view.outstanding],
        "removals_not_known": view.removals_not_known,
        "by_ou": [_ou(ou) for ou in counted.by_ou],
        "failed_accounts": [_failed(row) for row in counted.failed],
        "failures": [_failure(group) for group in view.failures],
        "likely_cause": likely_cause(assessment, view.failures),
        "listing_problem": _problem(record.listing.problem),
        "notes": list(record.listing.notes),
        "compared_with": _compared_with(record.header),
        "changes": _changes(assessment),
        "flips": _flips(assessment.flips),
        "remediation": _remediation(view.decided.values()),
        "evidence": dict(counted.accounts_by_evidence),
        "safelist": _safelist(assessment, counted),
        "api_calls": dict(sorted(record.footer.api_calls.items())),
        "api_calls_total": sum(record.footer.api_calls.values()),
        "throttled": record.footer.throttled,
        "journal_sha256": record.digest,
    }


def _part(part: Part | None) -> Mapping[str, object] | None:
    if part is None:
        return None
    return {"by": part.by, "value": part.value, "accounts": part.listed, "accounts_in_run": part.of}


def sha256(text: str) -> str:
    """Of a text as UTF-8; what is no Unicode counts as it was read."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def evaluated_from(record: Record) -> Mapping[str, object] | None:
    """The run that a what-if was made from, and how that was decided; None for a run itself."""
    own = record.what_if
    if own is None:
        return None
    return {
        "run_id": record.header.run_id,
        "journal_sha256": record.digest,
        "as_of": own.as_of.isoformat(),
        "safelist_files": _safelist_files(own.safelists),
    }


def _safelist_files(texts: Sequence[SafelistText]) -> list[Mapping[str, object]]:
    return [{"path": safelist.path, "sha256": sha256(safelist.text)} for safelist in texts]


def _who_and_where(header: Header, listing: Listing) -> dict[str, object]:
    organization, settings = header.organization, header.settings.as_json()
    return {
        "organization": organization
        and {"id": organization.id, "management_account_id": organization.management_account_id},
        "caller": {
            "account_id": header.caller.account_id,
            "arn": header.caller.arn,
            "partition": header.caller.partition,
        },
        "accounts_from": listing.source,
        "scope": {name: settings[name] for name in _SCOPE_SETTINGS if settings[name]},
    }


def _times(assessment: Assessment, counted: Figures) -> dict[str, object]:
    header = assessment.record.header
    return {
        "as_of": header.as_of.isoformat(),
        "started_at": iso(header.started_at),
        "finished_at": iso(assessment.record.footer.finished_at),
        "resumed_at": [iso(resumption.resumed_at) for resumption in assessment.record.resumptions],
        "accounts_read_from": _moment(counted.read_from),
        "accounts_read_until": _moment(counted.read_until),
    }


def _moment(value: datetime | None) -> str | None:
    return None if value is None else iso(value)


def _coverage(totals: Totals) -> dict[str, object]:
    return {
        "listed": totals.listed,
        "outside_scope": totals.outside_scope,
        "excluded": totals.excluded,
        "inactive": totals.inactive,
        "scanned": totals.scanned,
        "failed": totals.failed,
        "in_scope": totals.in_scope,
        "reconciles": totals.listed == reconciled(totals),
    }


def _users(view: View) -> dict[str, object]:
    totals, counted = view.in_all.totals, view.figures
    after = {run.assessment.record.header.settings.dormant_days for run in view.runs}
    return {
        "found": totals.users,
        "approved": totals.approved,
        "unapproved": totals.unapproved,
        "unapproved_by_basis": dict(counted.by_basis),
        "unapproved_administrators": counted.unapproved_administrators,
        "unapproved_console_without_mfa": counted.unapproved_console_without_mfa,
        "unapproved_dormant": counted.unapproved_dormant,
        "console_without_mfa": counted.console_without_mfa,
        "dormant": counted.dormant,
        "dormant_days": after.pop() if len(after) == 1 else None,  # runs may differ
        "with_stale_credentials": counted.stale,
        "usage_unknown": counted.usage_unknown,
    }


def _ou(ou: OuFigures) -> dict[str, object]:
    return {
        "ou_path": ou.ou_path,
        "ou_id": ou.ou_id,
        "accounts": ou.accounts,
        "scanned": ou.scanned,
        "users": ou.users,
        "approved": ou.approved,
        "unapproved": ou.unapproved,
    }


def _failed(row: AccountRow) -> dict[str, object]:
    return {
        "account_id": row.account.id,
        "account_name": row.account.name,
        "ou_path": row.account.ou_path,
        "reason": row.reason,
        "failed_call": row.failed_call,
        "error_code": row.error_code,
        "detail": row.detail,
        "remedy": row.remedy,
    }


def _problem(problem: Failure | None) -> Mapping[str, object] | None:
    if problem is None:
        return None
    return {
        "reason": problem.reason,
        "failed_call": problem.call,
        "error_code": problem.code,
        "detail": problem.detail,
        "remedy": problem.remedy,
    }


def _failure(group: FailureGroup) -> dict[str, object]:
    """Accounts that failed alike; AWS's message is the first one's."""
    told = _failed(group.first)
    same = {key: told[key] for key in ("reason", "failed_call", "error_code", "detail", "remedy")}
    return {"accounts": len(group.accounts), "account_ids": [row.account.id for row in group.accounts], **same}


def _urgent(row: ReviewRow) -> dict[str, object]:
    return {**_user(row.user.finding), "why": list(why(row.user, row.reasons))}


def _outstanding(one: Outstanding) -> dict[str, object]:
    decision = one.decision
    return {
        **_user(one.finding),
        "decision": decision.choice,
        "reviewer": decision.reviewer,
        "reviewed_on": decision.reviewed_on.isoformat(),
        "ticket": decision.ticket,
        "run_id": decision.run_id,
    }


def _user(finding: Finding) -> dict[str, object]:
    return {
        "account_id": finding.account.id,
        "account_name": finding.account.name,
        "user_name": finding.user.user_name,
        "user_id": finding.user.user_id,
    }


def _account(row: AccountRow) -> dict[str, object]:
    return {
        "account_id": row.account.id,
        "account_name": row.account.name,
        "ou_path": row.account.ou_path,
        "users": row.users,
        "unapproved": row.unapproved,
    }


def _compared_with(header: Header) -> Mapping[str, object]:
    previous = header.previous_run
    return {
        "run_id": previous and previous.run_id,
        "journal_sha256": previous and previous.digest,
        "why": header.previous_why,
    }


def _changes(assessment: Assessment) -> Mapping[str, object] | None:
    previous = assessment.record.header.previous_run
    if previous is None:
        return None
    return {
        "since": {"run_id": previous.run_id, "journal_sha256": previous.digest},
        "counts": dict(counts(assessment.differences or ())),
    }


def _remediation(decided: Iterable[Decided]) -> Mapping[str, int]:
    """The users that were to be removed or quarantined, by what became of them."""
    fates = Counter(one.fate for one in decided)
    return {"decided": fates.total(), **{fate.name.lower(): fates[fate] for fate in Fate}}


def _flips(flips: tuple[Difference, ...] | None) -> Mapping[str, object] | None:
    """Who is decided otherwise than in the run; None for a run itself."""
    if flips is None:
        return None
    counted = counts(flips)
    return {"counts": {change: counted.get(change, 0) for change in FLIPS}, "users": documents(flips)}


def _safelist(assessment: Assessment, counted: Figures) -> dict[str, object]:
    return {
        "files": _safelist_files(assessment.record.header.safelists),
        "entries": dict(counted.safelist),
    }
