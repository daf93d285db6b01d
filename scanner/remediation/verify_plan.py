"""Is a plan what was made, and are its journal and results whole? For `iam-scanner verify`, given a plan."""

from collections.abc import Iterator
from pathlib import Path

from scanner import __version__
from scanner.errors import UsageError
from scanner.remediation import plan_folder, remediation_journal
from scanner.remediation.outcome import outcomes
from scanner.remediation.plan_document import Plan
from scanner.remediation.plan_folder import PLAN, RESULTS
from scanner.remediation.remediation_journal import Closed, Opened, Recorded
from scanner.remediation.results import render
from scanner.report.verify import Check, checked_digest
from scanner.runs.folder import JOURNAL
from scanner.runs.journal import JournalError


def verify_plan(folder: Path, digest: str | None) -> tuple[Check, ...]:
    """Check everything, whatever does not hold; `digest` is the plan's, as it was noted elsewhere.

    Raises `UsageError` where `digest` is not a SHA-256, and where apply or undo was stopped: there is no end then to
    which the results could be compared.
    """
    return tuple(_checks(folder, checked_digest(digest)))


def _checks(folder: Path, digest: str | None) -> Iterator[Check]:
    try:
        plan, own_digest = plan_folder.load(folder)
    except UsageError as error:
        yield Check(what=PLAN, holds=False, detail=str(error))
        return
    yield Check(what=PLAN, holds=True, detail=f"matches its own digest, {own_digest}")
    if digest is not None:
        holds = own_digest == digest.lower()
        yield Check(what=PLAN, holds=holds, detail="has the digest that was noted" if holds else "has another digest")
    for name, content in plan_folder.for_people(plan).items():
        yield _same(folder / name, content, "the plan", plan.program_version)
    yield from _done(folder, plan, own_digest)


def _done(folder: Path, plan: Plan, digest: str) -> Iterator[Check]:
    try:
        recorded = remediation_journal.read(folder)
    except JournalError as error:
        yield Check(what=JOURNAL, holds=False, detail=str(error))
        return
    if not recorded.events:
        yield Check(what=JOURNAL, holds=None, detail="is not there: nothing was carried out")
        return
    _refuse_unfinished(folder, recorded)
    opened = [event for event in recorded.events if isinstance(event, Opened)]
    holds = {event.plan_sha256 for event in opened} == {digest}
    detail = "every line follows the one before it" if holds else "is of a plan with another digest"
    yield Check(what=JOURNAL, holds=holds, detail=detail)
    content = render(outcomes(plan, recorded))
    yield _same(folder / RESULTS, content, "the journal", opened[-1].program_version)


def _refuse_unfinished(folder: Path, recorded: Recorded) -> None:
    torn = (folder / JOURNAL).stat().st_size > recorded.length
    if torn or not isinstance(recorded.events[-1], Closed):
        doing = next(event.doing for event in reversed(recorded.events) if isinstance(event, Opened))
        raise UsageError(
            f"The plan {folder} is not finished: its journal stops before its end, as {doing} was killed. Resume it: "
            f"iam-scanner remediate {doing} {folder.name} --execute"
        )


def _same(path: Path, content: bytes, source: str, wrote: str) -> Check:
    try:
        holds = path.read_bytes() == content
    except OSError:
        return Check(what=path.name, holds=False, detail="is gone")
    if wrote != __version__:
        detail = f"was rendered by version {wrote}, this is {__version__}: not rendered again"
        return Check(what=path.name, holds=None, detail=detail)
    same = f"rendered again from {source}, is the same byte for byte"
    return Check(what=path.name, holds=holds, detail=same if holds else f"is not what {source} says")
