"""The accounts that could not be read, those that failed alike together, and what is most likely wrong. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scanner.audit.assessment import Assessment
from scanner.model import FailReason, Scanned
from scanner.report.rows import AccountRow


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Accounts for which the same call failed in the same way; AWS's message is the first one's."""

    accounts: tuple[AccountRow, ...]

    @property
    def first(self) -> AccountRow:
        return self.accounts[0]

    @property
    def why(self) -> str:
        """The reason, the call and AWS's code; what became of it where no call failed."""
        parts = (self.first.reason, self.first.failed_call, self.first.error_code)
        return " ".join(str(part) for part in parts if part) or self.first.detail or ""


def failure_groups(failed: Iterable[AccountRow]) -> tuple[FailureGroup, ...]:
    """Those of most accounts first; AWS's messages are not compared, as they name the account."""
    groups: dict[tuple[object, ...], list[AccountRow]] = {}
    for row in failed:
        key = (row.reason or row.detail, row.failed_call, row.error_code, row.remedy)
        groups.setdefault(key, []).append(row)
    return tuple(FailureGroup(tuple(rows)) for rows in sorted(groups.values(), key=len, reverse=True))


def likely_cause(assessment: Assessment, groups: Sequence[FailureGroup]) -> str | None:
    """What is most likely wrong where the role could be assumed nowhere, in two accounts or more; None elsewhere."""
    header = assessment.record.header
    read = {account_id for account_id, scan in assessment.record.scans.items() if isinstance(scan, Scanned)}
    if len(groups) != 1 or len(groups[0].accounts) == 1 or read - {header.caller.account_id}:
        return None
    if groups[0].first.reason != FailReason.ROLE_NOT_ASSUMABLE:
        return None
    return no_way_in(header.settings.role_name, external_id_given=header.external_id_given)


def no_way_in(role: str, *, external_id_given: bool) -> str:
    """What is most likely wrong where the role could be assumed nowhere."""
    ask = "is not the one that they ask for" if external_id_given else "is missing"
    return (
        f"No account but the caller's own could be entered. Most likely their role is not called {role} (give its name "
        f"with --role-name), the external ID {ask} (--external-id), or their roles trust another principal than the "
        "caller."
    )
