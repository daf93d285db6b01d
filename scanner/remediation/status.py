"""`remediate status`: what was done, and what the credentials of a user may have left behind."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from scanner.aws.attachments import AttachmentKind
from scanner.record import RemediationOutcome
from scanner.remediation import plan_folder, remediation_journal
from scanner.remediation.limits import SESSION_LIFE, TOKEN_LIFE
from scanner.remediation.outcome import UserOutcome, outcomes
from scanner.remediation.plan_document import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class StillValid:
    """Until when what the user's credentials made may still work; None: not any more."""

    tokens_until: datetime | None  # temporary credentials that its access keys made, at most 36 hours
    roles_until: datetime | None  # sessions of roles that it assumed: at most 12 hours


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanStatus:
    """A plan, and every user of it."""

    plan: Plan
    folder: Path
    outcomes: tuple[UserOutcome, ...]


def status(folder: Path) -> PlanStatus:
    """Read a plan and its journal; raise `UsageError` or `JournalError` where they are not whole."""
    plan, _ = plan_folder.load(folder)
    return PlanStatus(plan=plan, folder=folder, outcomes=outcomes(plan, remediation_journal.read(folder)))


def still_valid(outcome: UserOutcome, now: datetime) -> StillValid:
    """Return what may still be valid of a user that is done.

    Counted from when the user was seen done: AWSDenyAll does not reach into sessions of roles, and the credentials that
    GetSessionToken and GetFederationToken gave outlive the keys that asked for them.
    """
    since, before = outcome.finished_at, outcome.planned.before
    if outcome.word is not RemediationOutcome.DONE or since is None:
        return StillValid(tokens_until=None, roles_until=None)
    has_key = any(key.active for key in before.of_kind(AttachmentKind.ACCESS_KEY))
    could_get_in = has_key or bool(before.of_kind(AttachmentKind.LOGIN_PROFILE))
    tokens, sessions = since + TOKEN_LIFE, since + SESSION_LIFE
    return StillValid(
        tokens_until=tokens if has_key and now < tokens else None,
        roles_until=sessions if could_get_in and now < sessions else None,
    )
