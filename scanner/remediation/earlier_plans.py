"""What other plans have done to users, read from their journals: half-done users, and quarantines that stand."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from scanner.errors import UsageError
from scanner.record import Remediation, RemediationOutcome, UserKey
from scanner.remediation import plan_folder, remediation_journal
from scanner.remediation.limits import PLAN_LIFE
from scanner.remediation.outcome import history, is_half_done, outcomes, standing_of
from scanner.remediation.plan_document import Plan
from scanner.remediation.plan_folder import all_under
from scanner.remediation.remediation_journal import Opened, Recorded
from scanner.runs.journal import JournalError


def refuse_half_done(output: Path, keys: Collection[UserKey], now: datetime, own: Path | None = None) -> None:
    """Raise `UsageError` where one of these users is half done by another plan that can still be carried out.

    Two plans for one user would each take the other's changes for somebody else's. `own` is the plan's own folder.
    """
    for folder, recorded in _journals(output):
        if own is not None and folder.samefile(own):
            continue
        begun = next(event.at for event in recorded.events if isinstance(event, Opened))
        if now - begun > PLAN_LIFE:
            continue
        for key in sorted(recorded.users.keys() & set(keys)):
            if is_half_done(recorded.of(key)):
                raise UsageError(
                    f"The user {key[1]} of account {key[0]} is half done by the plan {folder.name}. First bring that "
                    f"to its end: iam-scanner remediate apply {folder.name}, or undo {folder.name}."
                )


def quarantined(output: Path) -> Mapping[UserKey, datetime]:
    """Return who was quarantined by this program, and since when; those whose quarantine was undone are not in it."""
    since: dict[UserKey, datetime] = {}
    for _, recorded in _journals(output):
        for key, events in recorded.users.items():
            standing = standing_of(events)
            whole = standing.word is RemediationOutcome.DONE and not history(events).irreversible
            if whole and standing.at is not None:
                since[key] = max(standing.at, since.get(key, standing.at))
    return since


def carried_out(output: Path, notes: list[str]) -> tuple[Remediation, ...]:
    """Return what every plan made of its users; a plan that cannot be read is passed over, and added to `notes`."""
    found: list[Remediation] = []
    for folder in all_under(output):
        try:
            recorded = remediation_journal.read(folder)
            if recorded.events:
                found += _remediations(plan_folder.load(folder)[0], recorded)
        except (UsageError, JournalError) as error:
            notes.append(f"What the plan {folder.name} did is not shown, as it cannot be read: {error}")
    return tuple(found)


def _remediations(plan: Plan, recorded: Recorded) -> Iterator[Remediation]:
    for outcome in outcomes(plan, recorded):
        if outcome.word is not None and outcome.finished_at is not None:
            target = outcome.planned.target
            yield Remediation(
                plan_id=plan.plan_id,
                account_id=target.account.id,
                user_id=target.user_id,
                choice=target.choice,
                outcome=outcome.word,
                reason=outcome.reason,
                at=outcome.finished_at,
            )


def _journals(output: Path) -> Iterator[tuple[Path, Recorded]]:
    for folder in all_under(output):
        try:
            recorded = remediation_journal.read(folder)
        except JournalError as error:
            raise UsageError(
                f"The journal of an earlier plan, {folder}, is broken: {error} It may have users half done: look at "
                "them, then move the folder away."
            ) from error
        if recorded.events:
            yield folder, recorded
