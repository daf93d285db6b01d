"""A recorded run under other safelists, or on another day. Pure."""

from dataclasses import replace
from datetime import date

from scanner.record import Record, SafelistText, WhatIf
from scanner.safelist.entries import check_organization, parse


def decided_otherwise(record: Record, safelists: tuple[SafelistText, ...] | None, as_of: date | None) -> Record:
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
