"""A recorded run, read and decided; which organization it is of; and two runs compared."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scanner.audit.assessment import Assessment
from scanner.audit.carried_out import decided
from scanner.audit.diff import Difference, compare, out_of_scope, snapshot
from scanner.audit.rule import assess
from scanner.errors import FaultsError, UsageError
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
    return assess(record, safelist)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    old: Assessment
    new: Assessment
    differences: tuple[Difference, ...]
    outside: int  # users of the old run in accounts outside the new one's scope

    @property
    def backwards(self) -> bool:
        """Whether the one called old is the newer."""
        return self.old.record.header.started_at > self.new.record.header.started_at


def compare_runs(old: Path, new: Path) -> Comparison:
    """Read and decide both; raise `UsageError` where they are of different organizations."""
    before, after = decide(old), decide(new)
    if _key(before) != _key(after):
        raise UsageError(
            f"These two runs cannot be compared: {_organization_of(before)}, and {_organization_of(after)}. "
            "Give two runs of one organization."
        )
    states, states_now = snapshot(before.record, before.findings), snapshot(after.record, after.findings)
    return Comparison(
        old=before,
        new=after,
        differences=compare(states, states_now, decided(after.record)),
        outside=out_of_scope(states, states_now.outside),
    )


def _key(assessment: Assessment) -> OrganizationKey:
    return organization_key(assessment.record.header.organization, assessment.record.header.caller)


def _organization_of(assessment: Assessment) -> str:
    header = assessment.record.header
    if header.organization:
        return f"{header.run_id} is of organization {header.organization.id}"
    return f"{header.run_id} is of a list of accounts, read from account {header.caller.account_id}"
