"""A recorded run, read and decided; and whose it is."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scanner import run
from scanner.model import Assessment, Caller, Organization
from scanner.rule import assess
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
