"""A recorded run under other safelists, or on another day, and who flips. Pure."""

from dataclasses import replace
from datetime import date

from scanner.audit.assessment import Assessment
from scanner.audit.diff import SAID_ONLY, compare, snapshot
from scanner.audit.rule import assess
from scanner.record import Record, SafelistText, WhatIf
from scanner.safelist.entries import check_organization, parse


def evaluate(run: Assessment, safelists: tuple[SafelistText, ...] | None, as_of: date | None) -> Assessment:
    """Decide a run again, and say who flips: whom it approves and the run did not, or the other way round.

    None stands for the run's own. Raises `FaultsError` where the safelists have faults, or are for another
    organization.
    """
    record = _decided_otherwise(run.record, safelists, as_of)
    again = assess(record, parse(record.header.safelists))
    before, after = snapshot(run.record, run.findings), snapshot(record, again.findings)
    differences = compare(before, after, again.findings)
    return replace(again, flips=tuple(user for user in differences if not SAID_ONLY.issuperset(user.changes)))


def _decided_otherwise(record: Record, safelists: tuple[SafelistText, ...] | None, as_of: date | None) -> Record:
    """The record with these safelists and this day in place of the run's own, and a note of what the run's own were."""
    own = record.header
    header = replace(own, safelists=own.safelists if safelists is None else safelists, as_of=as_of or own.as_of)
    settings = own.settings.with_(as_of=header.as_of)
    if safelists is not None:
        settings = settings.with_(safelist=[safelist.path for safelist in safelists])
    organization = own.organization.id if own.organization else None
    stale = check_organization(parse(own.safelists), organization)  # what was said of the run's own safelists
    notes = [note for note in record.listing.notes if note not in stale]
    notes += check_organization(parse(header.safelists), organization)
    return replace(
        record,
        header=replace(header, settings=settings),
        listing=replace(record.listing, notes=tuple(notes)),
        what_if=WhatIf(as_of=own.as_of, safelists=own.safelists),
    )
