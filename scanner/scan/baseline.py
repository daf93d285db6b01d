"""What earlier runs and reviews left: the run to compare with, the decisions, and the trend over all runs.

It is all put into the new run's header, so that the journal alone says what the reports say.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, Field, TypeAdapter

from scanner.archive.earlier_runs import EarlierRuns
from scanner.audit.diff import snapshot
from scanner.errors import ScannerError, StartError, UsageError
from scanner.model import Scanned, Status
from scanner.record import Record, Remediation, ReviewDecision, Snapshot, TrendPoint
from scanner.remediation.earlier_plans import carried_out
from scanner.runs import folder as run_folder
from scanner.runs import ledger
from scanner.runs.stored import OrganizationKey, decide, organization_key
from scanner.scan.scope import Plan, Selection, place
from scanner.settings import Settings

NONE = "none"  # what --previous takes for: compare with nothing


_Count = Annotated[int, Field(strict=True, ge=0, le=1_000_000_000)]


@dataclass(frozen=True, slots=True)
class _Organization:
    id: str


@dataclass(frozen=True, slots=True)
class _Caller:
    account_id: str
    partition: str


@dataclass(frozen=True, slots=True)
class _Times:
    started_at: AwareDatetime


@dataclass(frozen=True, slots=True)
class _Users:
    found: _Count
    unapproved: _Count


@dataclass(frozen=True, slots=True)
class _Coverage:
    scanned: _Count
    failed: _Count


@dataclass(frozen=True, slots=True)
class _Summary:
    """What is taken of a run's summary."""

    run_id: str
    status: Status
    organization: _Organization | None
    caller: _Caller
    times: _Times
    users: _Users
    coverage: _Coverage


_SUMMARY = TypeAdapter(_Summary)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    previous: Snapshot | None
    why: str  # that one, or none
    decisions: tuple[ReviewDecision, ...]  # the last one of each user
    remediations: tuple[Remediation, ...]  # one for each user of each plan
    trend: tuple[TrendPoint, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Finished:
    """A finished run, by its summary."""

    folder: Callable[[], Path]  # one that is archived is brought for it
    organization: OrganizationKey
    point: TrendPoint


def gather(
    settings: Settings, ours: OrganizationKey, selection: Selection, archived: EarlierRuns | None = None
) -> History:
    """Read it all from under `--output`, and from the archive what is not there.

    Raises `UsageError` where `--previous` or the ledger cannot be used, and `StartError` where a run that is archived
    cannot be had.
    """
    output = settings.output
    found = (earlier for earlier in _finished(output, archived) if earlier.organization == ours)
    finished = sorted(found, key=lambda earlier: earlier.point.run_id, reverse=True)
    notes: list[str] = [*archived.notes] if archived else []
    if settings.previous is None:
        previous, why = _newest(finished, selection, notes)
        places = f"{output} or {archived.uri}" if archived else str(output)
        why = why or f"no earlier finished run of this organization in {places}"
    elif settings.previous == NONE:
        previous, why = None, "--previous none was given"
    else:
        previous, why = _named(run_folder.find(settings.previous, output), ours), "the run that --previous names"
    return History(
        previous=previous,
        why=why,
        decisions=tuple(ledger.latest(ledger.read(output, notes)).values()),
        remediations=carried_out(output, notes),
        trend=tuple(earlier.point for earlier in reversed(finished)),
        notes=tuple(notes),
    )


def _named(folder: Path, ours: OrganizationKey) -> Snapshot:
    assessment = decide(folder)
    header = assessment.record.header
    if organization_key(header.organization, header.caller) != ours:
        raise UsageError(f"--previous {folder}: this is a run of another organization.")
    return snapshot(assessment.record, assessment.findings)


def _newest(finished: Sequence[_Finished], selection: Selection, notes: list[str]) -> tuple[Snapshot | None, str]:
    """The newest complete run that covers the scope, and why it is that one, or none.

    A run that cannot be read is passed over, and noted.
    """
    incomplete = smaller = unreadable = 0
    for earlier in finished:
        if earlier.point.status is not Status.COMPLETE:
            incomplete += 1
            continue
        try:
            assessment = decide(earlier.folder())
        except StartError:
            raise
        except ScannerError as error:
            notes.append(f"The earlier run {earlier.point.run_id} could not be compared with: {error}")
            unreadable += 1
            continue
        if covers(assessment.record, selection):
            passed_over = _passed_over(incomplete, smaller, unreadable)
            why = f"the newest complete run for this scope{passed_over and f' (newer ones: {passed_over})'}"
            header = assessment.record.header
            if header.as_of != header.started_at.date():
                why += f", which judged approvals on {header.as_of}"
            return snapshot(assessment.record, assessment.findings), why
        smaller += 1
    passed_over = _passed_over(incomplete, smaller, unreadable)
    return None, passed_over and f"no earlier run is complete and covers this scope ({passed_over})"


def _passed_over(incomplete: int, smaller: int, unreadable: int) -> str:
    parts = (incomplete, "incomplete"), (smaller, "of a smaller scope"), (unreadable, "not readable")
    return ", ".join(f"{count:,} {what}" for count, what in parts if count)


def covers(record: Record, selection: Selection) -> bool:
    """Whether a run read every account it listed that the new selection scans, and at least one.

    Its accounts are placed by the new selection here, as those of the new run are not listed yet.
    """
    wanted = [account.id for account in record.listing.accounts if place(account, selection).plan is Plan.SCAN]
    return bool(wanted) and all(isinstance(record.scans.get(account_id), Scanned) for account_id in wanted)


def _finished(output: Path, archived: EarlierRuns | None) -> Iterator[_Finished]:
    """The finished runs; a summary that is not one, or not as it was sealed, counts for nothing."""
    for folder in run_folder.all_under(output):
        with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):  # also of a manifest that is none
            data = (folder / run_folder.SUMMARY).read_bytes()
            if run_folder.sealed_files(folder)[run_folder.SUMMARY].sha256 == hashlib.sha256(data).hexdigest():
                yield _read_summary(data, folder.name, partial(_here, folder))
    if archived:
        for run_id, data in archived.summaries.items():
            with suppress(ValueError):
                yield _read_summary(data, run_id, partial(archived.fetch, run_id))


def _here(folder: Path) -> Path:
    return folder


def _read_summary(data: bytes, run_id: str, folder: Callable[[], Path]) -> _Finished:
    """Take a run's summary for what it is, or raise a `ValueError`: in an archive, others may have written it."""
    summary = _SUMMARY.validate_json(data)
    if summary.run_id != run_id:
        raise ValueError(f"it is of run {summary.run_id}")
    organization, caller, coverage = summary.organization, summary.caller, summary.coverage
    return _Finished(
        folder=folder,
        organization=(organization.id if organization else caller.account_id, caller.partition),
        point=TrendPoint(
            run_id=run_id,
            started_at=summary.times.started_at,
            status=summary.status,
            users=summary.users.found,
            unapproved=summary.users.unapproved,
            scanned=coverage.scanned,
            active=coverage.scanned + coverage.failed,
        ),
    )
