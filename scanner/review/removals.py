"""`removals.json`: whom a review decided to remove or to quarantine, for whoever carries it out."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from scanner.errors import ScannerError
from scanner.files import whole
from scanner.model import Finding
from scanner.record import ReviewDecision

REMOVALS: Final = "removals.json"
SCHEMA_VERSION: Final = 1


def place(output: Path, run_id: str) -> Path:
    """Where the removals of a run's review are listed."""
    return output / f"{run_id}-review" / REMOVALS


def document(run_id: str, digest: str, standing: Iterable[tuple[Finding, ReviewDecision]]) -> Mapping[str, object]:
    """All decisions of a run's review to remove or quarantine that stand, by whichever import they came."""
    return {
        "schema_version": SCHEMA_VERSION,
        "run_id": run_id,
        "journal_sha256": digest,
        "removals": [_removal(finding, decision) for finding, decision in standing if decision.is_removal],
    }


def write(path: Path, content: Mapping[str, object]) -> None:
    """Write the file where it is not the same already; raise `ScannerError` where that fails."""
    data = (json.dumps(content, indent=2) + "\n").encode("ascii")
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        if not path.is_file() or path.read_bytes() != data:
            with whole(path) as file:
                file.write(data)
    except OSError as error:
        raise ScannerError(
            f"Cannot write {path}: {error.strerror}. Free disk space or correct the permissions, and import again."
        ) from error


def _removal(finding: Finding, decision: ReviewDecision) -> Mapping[str, object]:
    return {
        "account_id": finding.account.id,
        "account_name": finding.account.name,
        "user_id": finding.user.user_id,
        "user_name": finding.user.user_name,
        "arn": finding.user.arn,
        "path": finding.user.path,
        "decision": decision.choice,
        "reviewer": decision.reviewer,
        "reviewed_on": decision.reviewed_on.isoformat(),
        "ticket": decision.ticket,
        "comment": decision.comment,
    }
