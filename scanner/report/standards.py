"""The clauses of standards that this review supports, why, and what a run found for each."""

from collections.abc import Callable
from dataclasses import dataclass

from scanner.model import RISK_LEVEL, RULE_ID, Kind
from scanner.report.figures import INACTIVE_DAYS
from scanner.report.view import View
from scanner.report.words import days, many

Found = Callable[[View], str]


def _unapproved(view: View) -> str:
    totals = view.in_all.totals
    return f"{totals.unapproved:,} of {many(totals.users, 'user')} not approved"


def _dormant(view: View) -> str:
    figures = view.figures
    after = view.unused_for
    unknown = f"; not known of {figures.usage_unknown:,}" if figures.usage_unknown else ""
    return f"{figures.dormant:,} dormant, {figures.stale:,} with a stale credential, at {after}{unknown}"


def _privileged(view: View) -> str:
    figures = view.figures
    unknown = f"; rights of {many(figures.rights_unknown, 'user')} not known" if figures.rights_unknown else ""
    return f"{many(figures.unapproved_administrators, 'administrator')} not approved{unknown}"


def _kinds(view: View) -> str:
    counts = view.figures.by_kind
    labelled = ", ".join(f"{counts.get(kind, 0):,} {kind}" for kind in Kind)
    return f"Users: {labelled}, {counts.get(None, 0):,} unlabelled"


def _inactive(view: View) -> str:
    """Not the days that --dormant-days sets: the clause has its own number."""
    figures = view.figures
    unknown = f"; not known of {figures.usage_unknown:,}" if figures.usage_unknown else ""
    return (
        f"{many(figures.inactive, 'user')} with a credential that works and no activity for {days(INACTIVE_DAYS)} "
        f"(never active: since created){unknown}"
    )


def _break_glass(view: View) -> str:
    return f"{many(view.figures.by_kind.get(Kind.BREAK_GLASS, 0), 'break-glass user')}; {_privileged(view)}"


@dataclass(frozen=True, slots=True)
class Clause:
    standard: str
    clauses: str
    why: str
    found: Found
    where: str  # in the workbook
    of_each_user: bool = False  # whether the approval of a single user bears on it


CLAUSES = (
    Clause(
        "Rule",
        f"{RULE_ID}, risk {RISK_LEVEL} (should be achieved)",
        "Every IAM user is on a safelist, or is removed or put on one after a review.",
        _unapproved,
        "Users: determination, basis",
        of_each_user=True,
    ),
    Clause(
        "CIS AWS Foundations: IAM users are managed centrally (level 2, manual)",
        "v3.0 1.21, v4.0 1.21, v5.0 1.20, v6.0 2.20, v7.0 2.19",
        "The audit asks to go into each account, list its IAM users and confirm that none stands for a person. The "
        "list is here; entries of the safelists say which users are people and which are services.",
        _kinds,
        "Users: kind; Accounts",
    ),
    Clause(
        "CIS AWS Foundations: credentials unused for 45 days",
        "v3.0 1.12, v4.0 1.12, v5.0 1.11, v6.0 2.11, v7.0 2.11",
        "Credentials that nobody uses are to be disabled; these are named.",
        _dormant,
        "Users: dormant, stale_credentials",
    ),
    Clause(
        "SOC 2",
        "CC6.2",
        "Credentials are authorised before they are used, and reviewed from time to time for people who should no "
        "longer have them.",
        _unapproved,
        "Review; Users; Safelist",
        of_each_user=True,
    ),
    Clause(
        "SOC 2",
        "CC6.3",
        "Access is changed or removed when it should be, with least privilege in mind.",
        _privileged,
        "Users: administrator, attached_policies",
    ),
    Clause(
        "PCI DSS 4.0.1",
        "7.2.4",
        "All user accounts are reviewed at least every six months, inappropriate access is dealt with, and management "
        "acknowledges the result.",
        _unapproved,
        "Review; Users; Summary: sign-off",
        of_each_user=True,
    ),
    Clause(
        "PCI DSS 4.0.1",
        "7.2.5.1, 8.6",
        "System and application accounts are reviewed as often as a risk analysis says.",
        _kinds,
        "Users: kind, expires_on",
    ),
    Clause(
        "PCI DSS 4.0.1",
        "8.2.2, 8.2.4, 8.2.5, 8.2.6",
        "Shared IDs only by exception; a life cycle for users; leavers lose access; what was inactive for 90 days is "
        "disabled or removed.",
        _inactive,
        "Users: days_since_activity, created_at, console_access, active_access_keys",
    ),
    Clause(
        "ISO/IEC 27001:2022",
        "A.5.15, A.5.16, A.5.17, A.5.18, A.8.2",
        "Access rights are given, reviewed, changed and removed; identities have a life cycle; privileged access is "
        "kept small.",
        _privileged,
        "Review; Users; Safelist",
        of_each_user=True,
    ),
    Clause(
        "NIST SP 800-53 rev. 5",
        "AC-2(d)(1), (g), (j); AC-2(3)",
        "Authorised users are named, their use is monitored, accounts are reviewed, and those that break the rules or "
        "are inactive are disabled.",
        _dormant,
        "Review; Users; Safelist",
        of_each_user=True,
    ),
    Clause(
        "AWS Well-Architected, security",
        "SEC02-BP02, SEC02-BP04, SEC02-BP05, SEC02-BP06",
        "Temporary credentials, one central identity provider, credentials audited and rotated, groups and attributes.",
        _dormant,
        "Users: oldest_active_key_age_days, groups",
    ),
    Clause(
        "AWS Well-Architected, security",
        "SEC03-BP01, SEC03-BP02, SEC03-BP03, SEC03-BP04, SEC03-BP06",
        "Access requirements are known, privilege is least and reduced further, there is emergency access "
        "(break-glass users), and access has a life cycle.",
        _break_glass,
        "Users: kind, administrator, expires_on",
    ),
)


NOTE = (
    "Note: the review supports these clauses; it does not by itself meet any of them. Numbers of a benchmark shift "
    "between its versions: read number and version together."
)
