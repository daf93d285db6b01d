"""The numbers and defaults of remediation, in one place."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from scanner.model import DENY_ALL

MAX_USERS: Final = 25  # in one plan
PLAN_LIFE: Final = timedelta(days=7)
RECENT: Final = timedelta(days=30)  # a credential used so lately keeps a user from being removed
NOTEWORTHY: Final = timedelta(days=90)  # a use so lately is named as a risk
ATTACHED_POLICIES: Final = 10  # IAM's quota of managed policies attached to a user

# IAM has recorded uses since then; a credential set before them, and without a use, may have been used all the same.
PASSWORD_USE_TRACKED: Final = datetime(2014, 10, 20, tzinfo=UTC)
KEY_USE_TRACKED: Final = datetime(2015, 4, 22, tzinfo=UTC)

# What the credentials of a user leave behind (STS API reference: GetSessionToken, GetFederationToken, AssumeRole).
TOKEN_LIFE: Final = timedelta(hours=36)
SESSION_LIFE: Final = timedelta(hours=12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowances:
    """What the operator allows beyond, or asks for below, what is done by default."""

    include_active: bool = False  # remove also users whose credentials were used lately, or may have been
    include_last_administrator: bool = False
    removal_after_quarantine_days: int = 0  # 0: a removal needs no quarantine before it

    def with_more(self, other: "Allowances") -> "Allowances":
        """Return what either of the two allows; the days are those of the stricter one."""
        return Allowances(
            include_active=self.include_active or other.include_active,
            include_last_administrator=self.include_last_administrator or other.include_last_administrator,
            removal_after_quarantine_days=max(self.removal_after_quarantine_days, other.removal_after_quarantine_days),
        )


def deny_all_arn(partition: str) -> str:
    """Return the ARN of the partition's own AWSDenyAll."""
    return f"arn:{partition}:iam::aws:policy/{DENY_ALL}"
