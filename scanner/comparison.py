"""Two recorded runs of one organization, each decided, and what is between them."""

from dataclasses import dataclass
from pathlib import Path

from scanner.diff import compare, out_of_scope, snapshot
from scanner.errors import UsageError
from scanner.model import Assessment, Difference
from scanner.recorded import decide, whose


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
