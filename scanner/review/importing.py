"""Read a review back: filled workbooks of one run → ledger, list of removals, safelist changes. All or nothing.

Everything is judged before anything is written, and without `write` nothing is: that is the preview. Then come, in this
order, the ledger, the removals and the safelists. Each is written whole, and each follows from the workbooks and the
ledger: so an import that broke off is repaired by the same command again, which finds what is there and writes what is
not.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from scanner.audit.assessment import Assessment
from scanner.errors import Fault, FaultsError, UsageError
from scanner.model import Choice
from scanner.record import ReviewDecision, SafelistText
from scanner.report.view import View
from scanner.report.words import many
from scanner.review import removals
from scanner.review.cells import Cell
from scanner.review.decisions import Decided, Judged, Key, Rules, in_order, judge, shown
from scanner.review.reading import EVIDENCE, Filled, read
from scanner.review.reading import in_order as by_place
from scanner.review.safelist_changes import forbidden, wanted
from scanner.review.standing import Ledger, Standing
from scanner.runs import folder as run_folder
from scanner.runs.ledger import LEDGER, LedgerLine, append, locked
from scanner.runs.ledger import read as read_ledger
from scanner.runs.stored import decide
from scanner.safelist.entries import Safelist, check_organization, parse
from scanner.safelist.file_changes import FileChange, Wanted, changes
from scanner.safelist.match import Index
from scanner.safelist.read import read as read_safelists
from scanner.safelist.read import rewrite
from scanner.safelist.types import Policy

RUN_ID, DIGEST = "Run id", "SHA-256 of the journal"  # labels on the Evidence sheet
WHAT_IF = "WHAT-IF"  # how the value of a fact begins there that says so


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be imported, and how."""

    workbooks: tuple[Path, ...]
    safelist: tuple[Path, ...]
    output: Path
    into: Path | None
    write: bool
    supersede: bool
    imported_by: str
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import would do, or, where it was `written`, what it did."""

    written: bool  # ledger, removals and safelists have it all
    run_id: str
    digest: str
    books: tuple[Filled, ...]
    decided: Mapping[Choice, int]  # in these workbooks
    standing: Mapping[Standing, int]  # of these decisions, in the ledger as it was
    begun: int  # rows where something is filled in, and the decision is not
    due: int  # users that need a decision, by the run
    undecided: int  # of these, now
    wanted: Wanted
    changes: tuple[FileChange, ...]
    ledger: Path
    notes: tuple[str, ...]  # what of the ledger could not be used
    removals: Path
    to_remove: int


def import_review(request: Request) -> Imported:
    """Import, or without `write` show what an import would do and write nothing.

    Raises `FaultsError` with all that is wrong, `UsageError` or `ScannerError`.
    """
    try:
        return _import_or_preview(request)
    except FaultsError as error:
        outcome = f"{many(len(error.faults), 'fault')}. Nothing was imported."
        raise FaultsError(error.faults, outcome=outcome, advice=error.advice) from error


def _import_or_preview(request: Request) -> Imported:
    texts = read_safelists(request.safelist)
    safelist = parse(texts)
    books, faults = _read_all(request.workbooks)
    view = View(_run_of(books, request.output, faults))
    organization = view.assessment.record.header.organization
    check_organization(safelist, organization.id if organization else None)
    judged = _judged(books, view, safelist, request.now)
    faults += judged.faults
    with locked(request.output):
        return _import(request, texts, _Job(view, books, judged, faults, safelist))


@dataclass(frozen=True, slots=True)
class _Job:
    """What was read, and is wrong so far."""

    view: View
    books: tuple[Filled, ...]
    judged: Judged
    faults: list[Fault]
    safelist: Safelist


# --- reading ---------------------------------------------------------------------------------------------------------


def _read_all(paths: Sequence[Path]) -> tuple[tuple[Filled, ...], list[Fault]]:
    books: list[Filled] = []
    faults: list[Fault] = []
    for path in paths:
        try:
            books.append(read(path))
            faults += books[-1].faults
        except FaultsError as error:
            faults += error.faults
    if not books:
        raise FaultsError(faults)
    return tuple(books), faults


def _run_of(books: Sequence[Filled], output: Path, faults: list[Fault]) -> Assessment:
    """The run that all workbooks are of; raise `FaultsError` where they are of none."""
    run_ids = {book.path: _fact(book, RUN_ID) for book in books}
    for book in books:
        faults += _not_of(book, run_ids[books[0].path])
    run_id = run_ids[books[0].path].value
    if not isinstance(run_id, str) or not run_folder.is_run_id(run_id):
        raise FaultsError(faults)
    try:
        assessment = decide(run_folder.find(str(output / run_id), output))
    except UsageError as error:
        at = run_ids[books[0].path]
        faults.append(books[0].fault(at, str(error), "Name the folder that holds it with --output.", EVIDENCE))
        raise FaultsError(faults) from error
    faults += (fault for book in books for fault in _other_state(book, assessment))
    return assessment


def _fact(book: Filled, label: str) -> Cell:
    return book.facts.get(label, Cell("B1"))


def _not_of(book: Filled, first: Cell) -> Iterable[Fault]:
    at = _fact(book, RUN_ID)
    if any(str(fact.value).startswith(WHAT_IF) for fact in book.facts.values()):
        yield book.fault(
            None, "this is a what-if: decisions on it cannot be imported.", _AGAIN.format("the run"), EVIDENCE
        )
    elif not isinstance(at.value, str) or not run_folder.is_run_id(at.value):
        yield book.fault(at, f"The sheet Evidence has no {RUN_ID}.", _AGAIN.format("the run"), EVIDENCE)
    elif at.value != first.value:
        problem = f"This workbook is of run {at.value}, and the first one is of {first.value}."
        yield book.fault(at, problem, "Import the workbooks of one run at a time.", EVIDENCE)


def _other_state(book: Filled, assessment: Assessment) -> Iterable[Fault]:
    at, record = _fact(book, DIGEST), assessment.record
    if at.value != record.digest and _fact(book, RUN_ID).value == record.header.run_id:
        changed = "this workbook was made before the run last changed."
        problem = f"The run's journal has another SHA-256 now, {record.digest}: {changed}"
        yield book.fault(at, problem, _AGAIN.format(record.header.run_id), EVIDENCE)


_AGAIN = "Decide in a workbook of {}; iam-scanner report writes one."


def _judged(books: Sequence[Filled], view: View, safelist: Safelist, now: datetime) -> Judged:
    header = view.assessment.record.header
    rules = Rules(
        run_id=header.run_id,
        users=shown(view.users),
        run_on=header.started_at.astimezone(UTC).date(),
        today=now.astimezone(UTC).date(),
        policy=safelist.policy or Policy(),
    )
    judged = Judged()
    for book in books:
        if _fact(book, RUN_ID).value == header.run_id:
            judge(book, rules, judged)
    return judged


# --- judging by what was decided before, and writing -----------------------------------------------------------------


def _import(request: Request, texts: Sequence[SafelistText], job: _Job) -> Imported:
    assessment = job.view.assessment
    run_id = assessment.record.header.run_id
    notes: list[str] = []
    before = read_ledger(request.output, notes)
    ledger = Ledger(before, run_id)
    decided = tuple(in_order(job.judged.decided))
    standing = {decision.key: ledger.standing(decision) for decision in decided}
    in_force = tuple(decision for decision in decided if standing[decision.key] is not Standing.OVERTAKEN)
    index = Index(job.safelist, request.now.astimezone(UTC).date())
    faults = list(job.faults)
    if not request.supersede:
        faults += filter(None, map(ledger.contradiction, decided))
        faults += filter(None, (forbidden(decision, index) for decision in in_force))
    if faults:
        raise FaultsError(by_place(faults, request.workbooks))
    lacking = wanted(in_force, index)
    planned = changes(lacking, texts, request.into)
    new = [decision for decision in decided if standing[decision.key] is Standing.NEW]
    after = Ledger((*before, *(one.decision for one in new)), run_id).of_run()
    listed = removals.place(request.output, run_id)
    if request.write:
        _write_ledger(request, assessment, new)
        removals.write(listed, _removals(assessment, after))
        for change in planned:
            rewrite(change.before, change.after)
    return Imported(
        written=request.write,
        run_id=run_id,
        digest=assessment.record.digest,
        books=job.books,
        decided=Counter(one.decision.choice for one in decided),
        standing=Counter(standing.values()),
        begun=job.judged.begun,
        **_progress(job.view, after),
        wanted=lacking,
        changes=planned,
        ledger=request.output / LEDGER,
        notes=tuple(notes),
        removals=listed,
        to_remove=sum(decision.is_removal for decision in after.values()),
    )


def _write_ledger(request: Request, assessment: Assessment, new: Sequence[Decided]) -> None:
    lines = [
        LedgerLine(
            decision=decided.decision,
            account_name=decided.finding.account.name,
            user_name=decided.finding.user.user_name,
            arn=decided.finding.user.arn,
            journal_sha256=assessment.record.digest,
            workbook=decided.book.path.name,
            workbook_sha256=decided.book.sha256,
            imported_at=request.now,
            imported_by=request.imported_by,
        )
        for decided in new
    ]
    if lines:
        append(request.output, lines)


def _removals(assessment: Assessment, standing: Mapping[Key, ReviewDecision]) -> Mapping[str, object]:
    found = ((finding, standing.get((finding.account.id, finding.user.user_id))) for finding in assessment.findings)
    pairs = [(finding, decision) for finding, decision in found if decision is not None]
    return removals.document(assessment.record.header.run_id, assessment.record.digest, pairs)


def _progress(view: View, standing: Mapping[Key, ReviewDecision]) -> dict[str, int]:
    keys = [(row.user.finding.account.id, row.user.finding.user.user_id) for row in view.review]
    return {"due": len(keys), "undecided": sum(key not in standing for key in keys)}
