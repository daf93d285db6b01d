"""Read a review back: filled workbooks of one run → ledger, list of removals, safelist changes. All or nothing.

A workbook may be of several runs, each of another organization: then each of them gets its own of all that.

Everything is judged before anything is written, and without `write` nothing is: that is the preview. Then come, in this
order, the ledger, the removals and the safelists. Each is written whole, and each follows from the workbooks and the
ledger: so an import that broke off is repaired by the same command again, which finds what is there and writes what is
not.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from scanner.audit.assessment import Assessment
from scanner.audit.together import side_by_side
from scanner.errors import Fault, FaultsError, UsageError
from scanner.model import Choice
from scanner.record import ReviewDecision, SafelistText
from scanner.report.view import View
from scanner.report.words import many
from scanner.review import removals
from scanner.review.cells import Cell
from scanner.review.decisions import Decided, Judged, Key, Rules, in_order, judge, shown
from scanner.review.reading import EVIDENCE, RUN_ID, Filled, read
from scanner.review.reading import in_order as by_place
from scanner.review.safelist_changes import forbidden, wanted
from scanner.review.standing import Ledger, Standing
from scanner.runs import folder as run_folder
from scanner.runs.ledger import LEDGER, LedgerLine, append, locked
from scanner.runs.ledger import read as read_ledger
from scanner.runs.stored import decide
from scanner.safelist.entries import OfOrganization, check_organization, parse, parse_for_each
from scanner.safelist.file_changes import FileChange, Shelf, Wanted, changes, in_all
from scanner.safelist.match import Index
from scanner.safelist.read import read as read_safelists
from scanner.safelist.read import rewrite
from scanner.safelist.types import Policy

WHAT_IF = "WHAT-IF"  # how the value of a fact begins there that says so


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be imported, and how."""

    workbooks: tuple[Path, ...]
    safelist: tuple[Path, ...]
    output: Path
    into: tuple[Path, ...]  # of several organizations, one for each
    write: bool
    supersede: bool
    imported_by: str
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OfRun:
    """What an import is for one run."""

    run_id: str
    organization_id: str  # "": it is of none
    digest: str
    decided: Mapping[Choice, int]  # in these workbooks
    standing: Mapping[Standing, int]  # of these decisions, in the ledger as it was
    due: int  # users that need a decision, by the run
    undecided: int  # of these, now
    wanted: Wanted
    safelists: tuple[str, ...]  # files that are for its organization
    removals: Path
    to_remove: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import would do, or, where it was `written`, what it did."""

    written: bool  # ledger, removals and safelists have it all
    runs: tuple[OfRun, ...]
    books: tuple[Filled, ...]
    begun: int  # rows where something is filled in, and the decision is not
    changes: tuple[FileChange, ...]
    ledger: Path
    notes: tuple[str, ...]  # what of the ledger could not be used

    @property
    def decided(self) -> Counter[Choice]:
        return sum((Counter(run.decided) for run in self.runs), Counter())

    @property
    def standing(self) -> Counter[Standing]:
        return sum((Counter(run.standing) for run in self.runs), Counter())

    @property
    def due(self) -> int:
        return sum(run.due for run in self.runs)

    @property
    def undecided(self) -> int:
        return sum(run.undecided for run in self.runs)

    @property
    def to_remove(self) -> int:
        return sum(run.to_remove for run in self.runs)

    @property
    def wanted(self) -> Wanted:
        return in_all(run.wanted for run in self.runs)


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
    books, faults = _read_all(request.workbooks)
    jobs = _jobs(_runs_of(books, request.output, faults), texts)
    judged = _judged(books, jobs, request.now)
    with locked(request.output):
        return _import(request, jobs, _Read(texts, books, judged, [*faults, *judged.faults]))


@dataclass(frozen=True, slots=True)
class _Job:
    """A run, and the safelists that its decisions go into."""

    view: View
    safelists: OfOrganization

    @property
    def run_id(self) -> str:
        return self.view.assessment.record.header.run_id


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read, and is wrong so far."""

    texts: tuple[SafelistText, ...]
    books: tuple[Filled, ...]
    judged: Judged
    faults: list[Fault]


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


def _runs_of(books: Sequence[Filled], output: Path, faults: list[Fault]) -> list[View]:
    """The runs that all workbooks are of, by organization; raise `FaultsError` where they are of none."""
    for book in books:
        faults += _not_of(book, books[0])
    views = [
        view for at in books[0].runs if (view := _recorded(books[0], at.run_id, output, faults, len(books[0].runs)))
    ]
    if len(views) < len(books[0].runs):
        raise FaultsError(faults)
    if len(views) > 1 and (fault := _not_side_by_side(books[0], views)):
        raise FaultsError([*faults, fault])
    faults += (fault for book in books for fault in _other_state(book, views))
    return sorted(views, key=lambda view: view.organization_id)


def _recorded(book: Filled, at: Cell, output: Path, faults: list[Fault], runs: int) -> View | None:
    """A run that a workbook names; None where it is not there, which is a fault."""
    if not _is_run_id(at):
        return None  # is a fault already
    try:
        return View(decide(run_folder.find(str(output / str(at.value)), output)))
    except UsageError as error:
        remedy = "Name the folder that holds it with --output."
        all_of_them = " All runs of the workbook must be in it, as each gets its own decisions." if runs > 1 else ""
        faults.append(book.fault(at, str(error), f"{remedy}{all_of_them}", EVIDENCE))
        return None


def _not_of(book: Filled, first: Filled) -> Iterable[Fault]:
    at = book.runs[0].run_id
    if any(str(fact.value).startswith(WHAT_IF) for fact in book.facts):
        yield book.fault(
            None, "this is a what-if: decisions on it cannot be imported.", _AGAIN.format("the run"), EVIDENCE
        )
    elif not _is_run_id(at):
        yield book.fault(at, f"The sheet Evidence has no {RUN_ID}.", _AGAIN.format("the run"), EVIDENCE)
    elif _run_ids(book) != _run_ids(first):
        problem = f"This workbook is of run {_named(book)}, and the first one is of {_named(first)}."
        one_run = len(book.runs) == len(first.runs) == 1
        which = "the workbooks of one run" if one_run else "workbooks of exactly the same runs"
        yield book.fault(at, problem, f"Import {which} at a time.", EVIDENCE)


def _is_run_id(cell: Cell) -> bool:
    return isinstance(cell.value, str) and run_folder.is_run_id(cell.value)


def _run_ids(book: Filled) -> list[str]:
    return [str(of_run.run_id.value) for of_run in book.runs]


def _named(book: Filled) -> str:
    return ", ".join(_run_ids(book))


def _not_side_by_side(book: Filled, views: Sequence[View]) -> Fault | None:
    """A workbook that names two runs of one organization was not written by this program."""
    try:
        side_by_side([view.assessment for view in views])
    except UsageError as error:
        remedy = _AGAIN.format("runs of different organizations")
        return book.fault(book.runs[-1].run_id, str(error), remedy, EVIDENCE)
    return None


def _other_state(book: Filled, views: Sequence[View]) -> Iterable[Fault]:
    digests = {view.assessment.record.header.run_id: view.assessment.record.digest for view in views}
    for of_run in book.runs:
        run_id = str(of_run.run_id.value)
        if run_id in digests and of_run.digest.value != digests[run_id]:
            changed = "this workbook was made before the run last changed."
            problem = f"The run's journal has another SHA-256 now, {digests[run_id]}: {changed}"
            yield book.fault(of_run.digest, problem, _AGAIN.format(run_id), EVIDENCE)


_AGAIN = "Decide in a workbook of {}; iam-scanner report writes one."


def _jobs(views: Sequence[View], texts: Sequence[SafelistText]) -> tuple[_Job, ...]:
    """Each run with its organization's safelists; raise `FaultsError` where these have faults, or are for another."""
    if len(views) == 1:
        safelist = parse(texts)
        check_organization(safelist, views[0].organization_id or None)
        return (_Job(views[0], OfOrganization(tuple(texts), (), safelist)),)
    by_organization = parse_for_each(texts, [view.organization_id for view in views])
    return tuple(_Job(view, by_organization[view.organization_id]) for view in views)


def _judged(books: Sequence[Filled], jobs: Sequence[_Job], now: datetime) -> Judged:
    rules = [
        Rules(
            run_id=job.run_id,
            organization_id=job.view.organization_id,
            users=shown(job.view.users),
            run_on=job.view.assessment.record.header.started_at.astimezone(UTC).date(),
            today=now.astimezone(UTC).date(),
            policy=job.safelists.safelist.policy or Policy(),
        )
        for job in jobs
    ]
    judged = Judged()
    for book in books:
        if sorted(_run_ids(book)) == sorted(job.run_id for job in jobs):
            judge(book, rules, judged)
    return judged


# --- judging by what was decided before, and writing -----------------------------------------------------------------


def _import(request: Request, jobs: Sequence[_Job], read: _Read) -> Imported:
    notes: list[str] = []
    before = read_ledger(request.output, notes)
    reviews = [_review(job, before, read.judged, request) for job in jobs]
    faults = [*read.faults, *(fault for review in reviews for fault in review.faults)]
    if faults:
        raise FaultsError(by_place(faults, request.workbooks))
    shelves = [
        Shelf(
            texts=review.job.safelists.texts,
            own=review.job.safelists.own,
            wanted=review.wanted,
            organization_id=review.job.view.organization_id if len(jobs) > 1 else None,
        )
        for review in reviews
    ]
    planned = changes(shelves, read.texts, request.into)
    by_time = sorted(reviews, key=lambda review: review.job.run_id)  # of an account that moved, the later one counts
    decisions = (*before, *(decided.decision for review in by_time for decided in review.new))
    after = [Ledger(decisions, review.job.run_id).of_run() for review in reviews]
    decided = set[Key]().union(*after)  # of an account that moved, a decision in either run is one
    of_runs = [
        _of_run(review, standing, decided, request.output) for review, standing in zip(reviews, after, strict=True)
    ]
    if request.write:
        _write_ledger(request, by_time)
        for of_run, review, standing in zip(of_runs, reviews, after, strict=True):
            removals.write(of_run.removals, _removals(review.job.view.assessment, standing))
        for change in planned:
            rewrite(change.before, change.after)
    return Imported(
        written=request.write,
        runs=tuple(of_runs),
        books=read.books,
        begun=read.judged.begun,
        changes=planned,
        ledger=request.output / LEDGER,
        notes=tuple(notes),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Review:
    """The decisions on a run, compared with the ledger and its safelists as they were."""

    job: _Job
    decided: tuple[Decided, ...]
    standing: Mapping[Key, Standing]
    faults: tuple[Fault, ...]
    wanted: Wanted

    @property
    def new(self) -> list[Decided]:
        return [decided for decided in self.decided if self.standing[decided.key] is Standing.NEW]


def _review(job: _Job, before: Sequence[ReviewDecision], judged: Judged, request: Request) -> _Review:
    ledger = Ledger(before, job.run_id)
    decided = tuple(in_order(one for one in judged.decided.values() if one.decision.run_id == job.run_id))
    standing = {decision.key: ledger.standing(decision) for decision in decided}
    in_force = tuple(decision for decision in decided if standing[decision.key] is not Standing.OVERTAKEN)
    index = Index(job.safelists.safelist, request.now.astimezone(UTC).date())
    faults: list[Fault] = []
    if not request.supersede:
        faults += filter(None, map(ledger.contradiction, decided))
        faults += filter(None, (forbidden(decision, index) for decision in in_force))
    return _Review(job=job, decided=decided, standing=standing, faults=tuple(faults), wanted=wanted(in_force, index))


def _of_run(review: _Review, after: Mapping[Key, ReviewDecision], decided: Collection[Key], output: Path) -> OfRun:
    view = review.job.view
    keys = [(row.user.finding.account.id, row.user.finding.user.user_id) for row in view.review]
    return OfRun(
        run_id=review.job.run_id,
        organization_id=view.organization_id,
        digest=view.assessment.record.digest,
        decided=Counter(one.decision.choice for one in review.decided),
        standing=Counter(review.standing.values()),
        due=len(keys),
        undecided=sum(key not in decided for key in keys),
        wanted=review.wanted,
        safelists=tuple(text.path for text in review.job.safelists.texts),
        removals=removals.place(output, review.job.run_id),
        to_remove=sum(decision.is_removal for decision in after.values()),
    )


def _write_ledger(request: Request, reviews: Sequence[_Review]) -> None:
    lines = [
        LedgerLine(
            decision=decided.decision,
            account_name=decided.finding.account.name,
            user_name=decided.finding.user.user_name,
            arn=decided.finding.user.arn,
            journal_sha256=review.job.view.assessment.record.digest,
            workbook=decided.book.path.name,
            workbook_sha256=decided.book.sha256,
            imported_at=request.now,
            imported_by=request.imported_by,
        )
        for review in reviews
        for decided in review.new
    ]
    if lines:
        append(request.output, lines)


def _removals(assessment: Assessment, standing: Mapping[Key, ReviewDecision]) -> Mapping[str, object]:
    found = ((finding, standing.get((finding.account.id, finding.user.user_id))) for finding in assessment.findings)
    pairs = [(finding, decision) for finding, decision in found if decision is not None]
    return removals.document(assessment.record.header.run_id, assessment.record.digest, pairs)
