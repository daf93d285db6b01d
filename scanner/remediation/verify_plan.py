"""Is a plan what was made, and are its journal and results whole? For `iam-scanner verify PLAN`."""

from collections.abc import Iterator
from pathlib import Path

from scanner.errors import UsageError
from scanner.remediation import plan_folder, remediation_journal
from scanner.remediation.outcome import outcomes
from scanner.remediation.plan_document import Plan
from scanner.remediation.plan_folder import PLAN, RESULTS
from scanner.remediation.remediation_journal import JOURNAL, NOTHING, Opened, Recorded
from scanner.remediation.results import render
from scanner.report.verify import Check
from scanner.runs.journal import JournalError

_SAME = "rendered again, is the same byte for byte"


def verify_plan(folder: Path, digest: str | None) -> tuple[Check, ...]:
    """Look at everything, whatever was own_digest before; `digest` is the plan's, as it was noted elsewhere."""
    return tuple(_checks(folder, digest))


def _checks(folder: Path, digest: str | None) -> Iterator[Check]:
    try:
        plan, own_digest = plan_folder.load(folder)
    except UsageError as error:
        yield Check(what=PLAN, holds=False, detail=str(error))
        return
    yield Check(what=PLAN, holds=True, detail=f"has its own digest, {own_digest}")
    if digest is not None:
        holds = own_digest == digest.lower()
        yield Check(what=PLAN, holds=holds, detail="has the digest that was noted" if holds else "has another digest")
    for name, content in plan_folder.for_people(plan).items():
        yield _same(folder / name, content, "the plan")
    yield from _done(folder, plan, own_digest)


def _done(folder: Path, plan: Plan, digest: str) -> Iterator[Check]:
    try:
        recorded = remediation_journal.read(folder)
    except JournalError as error:
        yield Check(what=JOURNAL, holds=False, detail=str(error))
        return
    if recorded is NOTHING:
        yield Check(what=JOURNAL, holds=None, detail="is not there: nothing was carried out")
        return
    yield _journal(folder, recorded, digest)
    yield _same(folder / RESULTS, render(outcomes(plan, recorded)), "the journal")


def _journal(folder: Path, recorded: Recorded, digest: str) -> Check:
    others = {event.plan_sha256 for event in recorded.events if isinstance(event, Opened)} - {digest}
    torn = (folder / JOURNAL).stat().st_size - recorded.length
    if others:
        return Check(what=JOURNAL, holds=False, detail="is of a plan with another digest")
    if torn:
        return Check(what=JOURNAL, holds=False, detail="its last line was cut off: apply or undo was stopped")
    return Check(what=JOURNAL, holds=True, detail="every line follows the one before it")


def _same(path: Path, content: bytes, source: str) -> Check:
    try:
        holds = path.read_bytes() == content
    except OSError:
        return Check(what=path.name, holds=False, detail="is gone")
    return Check(what=path.name, holds=holds, detail=_SAME if holds else f"is not what {source} says")
