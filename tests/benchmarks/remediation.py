"""Removing many users of many accounts: against what waiting for AWS takes."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from scanner.errors import ExitCode
from tests.benchmarks.measuring import Measured, Sizes, Workplace, workplace
from tests.benchmarks.tables import Table, bound

AT_ONCE = 64  # calls, by default
WALL_BOUND = 3  # times what waiting for the calls takes
PEAK_BOUND = 200  # MB


def remediation(sizes: Sizes) -> Table:
    """A plan that removes all users, and its apply."""
    accounts, users = sizes.removed
    everybody = accounts * users
    with _reviewed(replace(sizes, accounts=accounts, users=users)) as (place, removals):
        options = (
            "--safelist",
            str(place.safelist),
            "--output",
            str(place.output),
            "--max-users",
            str(everybody),
        )
        allow = ("--include-active", "--include-last-administrator")
        plan = place.measure("scanner", "remediate", "plan", removals, *options, *allow, "--json")
        plan_id = json.loads(plan.out)["plan_id"]
        apply = place.measure("scanner", "remediate", "apply", plan_id, *options, "--execute", "--yes", "--json")
        (journal,) = place.output.glob(f"*-remediation/{plan_id}/journal.jsonl")
        closed = json.loads(journal.read_bytes().splitlines()[-1])
    words = re.findall('"outcome": "([A-Z]+)"', apply.out)
    if words != ["DONE"] * everybody:
        raise RuntimeError(f"{words.count('DONE')} of {everybody} users were removed")
    calls = sum(closed["api_calls"].values())
    least = calls * sizes.latency / AT_ONCE
    return Table(
        title=f"{everybody:,} users in {accounts:,} accounts at {sizes.latency * 1000:.0f} ms latency: removed",
        columns=("whole process", "wall", "CPU", "CPU per user", "peak memory"),
        rows=[("remediate plan", *_row(plan, everybody)), ("apply --execute", *_row(apply, everybody))],
        notes=[
            bound("Wall time of apply, relative to the least wait", apply.wall / least, WALL_BOUND, ""),
            bound("Peak memory of apply", apply.peak, PEAK_BOUND, " MB"),
            f"Least wait: {least:.1f} s, for {calls:,} calls, {AT_ONCE} at once, and none of them waiting for another.",
            "The calls of one user, and of the users of one account, are made one after the other.",
        ],
    )


@contextmanager
def _reviewed(sizes: Sizes) -> Iterator[tuple[Workplace, str]]:
    """A run of which a review decided to remove everybody, and its removals.json."""
    with workplace(sizes, live=True) as place:
        options = ("--safelist", str(place.safelist), "--output", str(place.output), "--format", "csv", "--quiet")
        run = place.measure("scanner", "scan", "--evidence", "basic", *options, exit_code=ExitCode.UNAPPROVED)
        decided = place.measure("tests.benchmarks.everybody_out", run.out.strip())
        yield place, decided.out.strip()


def _row(measured: Measured, users: int) -> tuple[str, ...]:
    each = f"{measured.cpu / users * 1000:.1f} ms"
    return (f"{measured.wall:.1f} s", f"{measured.cpu:.1f} s", each, f"{measured.peak:.0f} MB")
