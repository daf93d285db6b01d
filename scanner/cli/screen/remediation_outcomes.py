"""What became of the users of a plan, and where the plan stands: for people, and for scripts."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from scanner.cli.screen.layout import print_parts
from scanner.model import Choice
from scanner.record import RemediationOutcome
from scanner.remediation.outcome import UserOutcome
from scanner.remediation.plan_document import Target
from scanner.remediation.status import PlanStatus, still_valid
from scanner.text import for_terminal, iso

_STYLES: Mapping[RemediationOutcome | None, str] = {
    RemediationOutcome.DONE: "green",
    RemediationOutcome.UNDONE: "green",
    RemediationOutcome.REFUSED: "yellow",
    RemediationOutcome.FAILED: "bold red",
    None: "dim",
}
TO_DO = {Choice.REMOVE: "remove", Choice.QUARANTINE: "quarantine"}


def show_status(status: PlanStatus, now: datetime, console: Console) -> None:
    print_parts(console, _status_parts(status, now))


def _status_parts(status: PlanStatus, now: datetime) -> Iterator[RenderableType]:
    plan = status.plan
    yield Text(f"Plan {plan.plan_id}: {outcome_words(status.outcomes)}", style="bold")
    yield outcomes_table(status.outcomes, now)
    if now > plan.expires_at:
        yield Text(f"The plan was good until {moment(plan.expires_at)}; it can still be undone.", style="dim")


def outcome_words(outcomes: Sequence[UserOutcome]) -> str:
    counts = Counter(outcome.word for outcome in outcomes)
    named = [f"{counts[word]:,} {word}" for word in RemediationOutcome if counts[word]]
    planned = [f"{counts[None]:,} not begun"] if counts[None] else []
    return ", ".join([*named, *planned]) or "nobody"


def outcomes_table(outcomes: Sequence[UserOutcome], now: datetime | None = None) -> RenderableType:
    """One row a user: what became of it, why, what is left; with `now`, what of it may still be valid."""
    table = plain_table("", "Outcome", "User", "To do", "Reason")
    for outcome in outcomes:
        target = outcome.planned.target
        who = f"{for_terminal(target.user_name)}\n{account_words(target)}"
        word = Text(outcome.word or "PLANNED", style=_STYLES[outcome.word])
        still = _still_valid_lines(outcome, now) if now else ()
        table.add_row(word, who, TO_DO[target.choice], "\n".join((*_reason_lines(outcome), *still)))
    return table


def _reason_lines(outcome: UserOutcome) -> Iterator[str]:
    if outcome.reason or outcome.detail:
        yield for_terminal(f"{outcome.reason or ''} {outcome.detail}".strip())
    if outcome.left:
        yield f"left: {for_terminal('; '.join(outcome.left))}"


def _still_valid_lines(outcome: UserOutcome, now: datetime) -> Iterator[str]:
    left = still_valid(outcome, now)
    if left.tokens_until:
        yield f"temporary credentials that its keys made may be valid until {moment(left.tokens_until)}"
    if left.roles_until:
        yield f"sessions of roles that it assumed may last until {moment(left.roles_until)}"


# --- for scripts -----------------------------------------------------------------------------------------------------


def status_document(status: PlanStatus, now: datetime) -> Mapping[str, object]:
    users = []
    for outcome in status.outcomes:
        left = still_valid(outcome, now)
        until = {
            "tokens_until": left.tokens_until and iso(left.tokens_until),
            "role_sessions_until": left.roles_until and iso(left.roles_until),
        }
        users.append({**outcome_document(outcome), "may_still_be_valid": until})
    return {"plan_id": status.plan.plan_id, "expires_at": iso(status.plan.expires_at), "users": users}


def outcome_document(outcome: UserOutcome) -> dict[str, object]:
    return target_document(outcome.planned.target) | {
        "outcome": outcome.word,
        "reason": outcome.reason,
        "detail": outcome.detail,
        "left": list(outcome.left),
        "calls": outcome.calls,
        "finished_at": outcome.finished_at and iso(outcome.finished_at),
    }


def target_document(target: Target) -> dict[str, object]:
    return {
        "account_id": target.account.id,
        "user_name": target.user_name,
        "user_id": target.user_id,
        "decision": target.choice,
        "why": target.why,
    }


# --- small parts -----------------------------------------------------------------------------------------------------


def plain_table(title: str, *columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), title_justify="left", title_style="bold")
    table.title = title or None
    for column in columns:
        table.add_column(column, justify="left", overflow="fold")
    return table


def account_words(target: Target) -> str:
    return f"{target.account.id} {for_terminal(target.account.name)}".rstrip()


def moment(value: datetime) -> str:
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
