"""`results.csv`: what became of each user, one row a user; rendered from the journal."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from scanner.errors import OutputError
from scanner.files import whole
from scanner.remediation.outcome import UserOutcome
from scanner.remediation.plan_folder import RESULTS, about, table
from scanner.text import iso

COLUMNS = (
    "account_id",
    "account_name",
    "user_name",
    "user_id",
    "decision",
    "outcome",
    "reason",
    "detail",
    "left",
    "calls",
    "started_at",
    "finished_at",
)


def write_results(folder: Path, outcomes: Sequence[UserOutcome]) -> Path:
    """Write the users that something became of; raise `OutputError` where the disk does not take it."""
    path = folder / RESULTS
    try:
        with whole(path) as file:
            file.write(render(outcomes))
    except OSError as error:
        raise OutputError(
            f"Cannot write {path}: {error.strerror or error}. The journal is whole; remediate status shows the same."
        ) from error
    return path


def render(outcomes: Sequence[UserOutcome]) -> bytes:
    return table(COLUMNS, _rows(outcomes))


def _rows(outcomes: Sequence[UserOutcome]) -> Iterator[Mapping[str, object]]:
    for outcome in outcomes:
        if outcome.word is not None:
            yield {
                **about(outcome.planned.target),
                "outcome": outcome.word,
                "reason": outcome.reason,
                "detail": outcome.detail,
                "left": "; ".join(outcome.left),
                "calls": outcome.calls,
                "started_at": outcome.started_at and iso(outcome.started_at),
                "finished_at": outcome.finished_at and iso(outcome.finished_at),
            }
