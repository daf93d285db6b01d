"""A recorded run, read and decided, and which organization it is of."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scanner.audit.assessment import Assessment
from scanner.audit.ownership import with_owner_note
from scanner.audit.rule import assess
from scanner.errors import FaultsError
from scanner.model import Caller, Organization
from scanner.record import Record
from scanner.runs import folder as run_folder
from scanner.runs.journal import JournalError
from scanner.safelist.entries import check_organization, parse

OrganizationKey = tuple[str, str]


def decide(folder: Path) -> Assessment:
    """Read a run's journal and decide it by the safelists that it holds; raise `JournalError`, or as `read` does."""
    with no_garbage_collection():
        return decide_record(run_folder.read(folder))


def decide_record(record: Record) -> Assessment:
    """Decide a run by the safelists in its journal; raise `JournalError` where these cannot be used."""
    header = record.header
    try:
        safelist = parse(header.safelists)
        check_organization(safelist, header.organization.id if header.organization else None)
    except FaultsError as error:
        raise JournalError(f"the safelists in the journal cannot be used: {error}") from error
    return assess(with_owner_note(record), safelist)


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Collect no garbage: all that is made stays, and of 100,000 users looking takes longer than reading them."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def organization_key(organization: Organization | None, caller: Caller) -> OrganizationKey:
    """What two runs that can be compared have in common.

    The organization and its partition; where AWS Organizations was not read, the caller's account stands for it.
    """
    return organization.id if organization else caller.account_id, caller.partition
