"""A recorded run, read and decided; and whose it is."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scanner.audit.assessment import Assessment
from scanner.audit.diff import Difference, compare, out_of_scope, snapshot
from scanner.audit.rule import assess
from scanner.errors import UsageError
from scanner.model import Caller, Organization
from scanner.runs import folder as run
from scanner.safelist.entries import parse


def decide(folder: Path) -> Assessment:
    """Read a run's journal and decide it by the safelists that it holds."""
    with _nothing_collected():
        record = run.read(folder)
        return assess(record, parse(record.header.safelists))


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Look for no garbage: all that is made stays, and of 100,000 users looking takes longer than reading them."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """What makes two runs comparable: the organization; where that is not known, the caller's account."""

    organization_id: str | None
    partition: str
    caller_account_id: str

    def same(self, other: "Whose") -> bool:
        if self.organization_id is None:
            return other.organization_id is None and self.caller_account_id == other.caller_account_id
        return (self.organization_id, self.partition) == (other.organization_id, other.partition)


def whose(organization: Organization | None, caller: Caller) -> Whose:
    return Whose(
        organization_id=organization.id if organization else None,
        partition=caller.partition,
        caller_account_id=caller.account_id,
    )


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
    _refuse_strangers(before, after)
    states, states_now = (snapshot(each.record, each.findings) for each in (before, after))
    return Comparison(
        old=before,
        new=after,
        differences=compare(states, states_now),
        outside=out_of_scope(states, states_now.outside),
    )


def _refuse_strangers(*runs: Assessment) -> None:
    headers = [each.record.header for each in runs]
    first, second = (whose(header.organization, header.caller) for header in headers)
    if first.same(second):
        return
    told = (
        f"{header.run_id} is of organization {header.organization.id}"
        if header.organization
        else f"{header.run_id} is of a list of accounts, read from account {header.caller.account_id}"
        for header in headers
    )
    raise UsageError(f"These two runs cannot be compared: {', and '.join(told)}. Give two runs of one organization.")
