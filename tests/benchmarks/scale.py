"""The benchmarks of scale: what the calls cost at the least, what grows with the organization, and what reports cost.

What is compared runs by turns, A B A B, and the median of the ratios counts: the machine has other work too.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import median

from tests.benchmarks.measuring import Measured, Sizes, Workplace, scan, workplace
from tests.benchmarks.tables import Table, bound

HAND_SIGNED_BOUND = 5  # times its CPU
BARE_BOUND = 1.25  # times the CPU of the SDK's shared clients
GROWTH_BOUND = 1.1  # times the CPU per account of an organization a tenth as large
PEAK_BOUND = 500  # MB
WALL_BOUND = 1.5  # times what waiting for AWS takes
WORKBOOK_BOUND = 1.5  # times plain openpyxl
CSV_BOUND = 2  # times plain pandas

AT_ONCE = 64  # calls, by default
PARENTS_AT_ONCE = 3  # of the walk through the OUs
FIRST_CALLS = 2  # one after the other, before accounts can be listed: who calls, and which organization it is


def cpu(sizes: Sizes) -> Table:
    """The CPU of a basic scan with CSV, against the same calls signed by hand, and made by the bare SDK."""
    with workplace(sizes) as place:
        rounds = [_round(place, sizes) for _ in range(sizes.rounds)]
    hand, bare, program = zip(*rounds, strict=True)
    ways = (
        ("iam-scanner scan --evidence basic --format csv", program),
        ("the AWS SDK with shared clients, no records, no reports", bare),
        ("signed by hand on asyncio streams, no retries, no TLS", hand),
    )
    return Table(
        title=f"{_world(sizes)}: what the calls cost, median of {sizes.rounds}",
        columns=("whole process", "wall", "CPU", "CPU per account", "peak memory", "ratio"),
        rows=[(name, *_typical(runs, sizes.accounts), f"{_ratio(runs, hand):.2f}") for name, runs in ways],
        notes=[
            bound("CPU, relative to calls signed by hand", _ratio(program, hand), HAND_SIGNED_BOUND, ""),
            bound("CPU, relative to the SDK's shared clients", _ratio(program, bare), BARE_BOUND, ""),
            f"The SDK's shared clients alone take {_ratio(bare, hand):.2f} times what calls signed by hand do.",
            "Where the rest goes: the table of `stages`.",
        ],
    )


def _round(place: Workplace, sizes: Sizes) -> tuple[Measured, Measured, Measured]:
    """All three once; RuntimeError where they do not make the same calls, or do not find the same users."""
    hand = place.measure("tests.benchmarks.hand_signed")
    bare = place.measure("tests.benchmarks.shared_clients")
    program, summary = scan(place, sizes, "basic", formats=["csv"])
    made = [tuple(map(int, each.out.split())) for each in (hand, bare)]
    # The program asks for the roots once more, as it checks the scope before it starts.
    if made != [(summary["api_calls_total"] - 1, summary["users"]["found"])] * 2:
        raise RuntimeError(f"not the same calls and users: {made}, and the program {summary['api_calls_total']} calls")
    return hand, bare, program


def wall(sizes: Sizes) -> Table:
    """How long a scan takes, against what waiting for AWS takes."""
    rows, notes = [], []
    for evidence, latency in (("basic", sizes.latency), ("basic", sizes.high_latency), ("full", sizes.high_latency)):
        world = replace(sizes, latency=latency)
        with workplace(world, full=True) as place:
            program, summary = scan(place, world, evidence, formats=["csv"])
        least = _least_wait(summary["api_calls"], latency)
        name, ratio = f"{evidence}, {latency * 1000:.0f} ms", program.wall / least
        rows.append((name, f"{program.wall:.1f} s", f"{program.cpu:.1f} s", f"{least:.1f} s", f"{ratio:.2f}"))
        notes.append(bound(f"Wall time, {name}", ratio, WALL_BOUND, ""))
    return Table(
        title=f"{sizes.accounts:,} accounts of {sizes.users:,} users: wall time of a scan with CSV",
        columns=("evidence, latency", "wall", "CPU", "least wait", "ratio"),
        rows=rows,
        notes=[
            *notes,
            (
                "Least wait: latency x (2 + the longest of three that go on side by side: the pages of ListAccounts, "
                "one after the other; the calls of the walk, 3 parents at once; the calls to accounts, 64 at once)."
            ),
            (
                "The walk is slow on purpose, as AWS Organizations throttles early. Where CPU comes near the wall "
                "time, it is the one core that it runs on, and not AWS, which a scan waits for."
            ),
        ],
    )


def _least_wait(calls: Mapping[str, int], latency: float) -> float:
    walk = calls["organizations:ListAccountsForParent"] + calls["organizations:ListOrganizationalUnitsForParent"]
    of_accounts = ("iam:", "cloudtrail:", "sts:AssumeRole")
    accounts = sum(count for name, count in calls.items() if name.startswith(of_accounts))
    longest = max(calls["organizations:ListAccounts"], walk / PARENTS_AT_ONCE, accounts / AT_ONCE)
    return latency * (FIRST_CALLS + longest)


def scale(sizes: Sizes) -> Table:
    """Full evidence with all reports, of an organization and of one ten times as large."""
    large = replace(sizes, accounts=sizes.many_accounts)
    before, many, after = (_full(each) for each in (sizes, large, sizes))
    few = median([before.cpu, after.cpu]) / sizes.accounts
    runs = ((sizes, before), (large, many), (sizes, after))
    growth = many.cpu / large.accounts / few
    return Table(
        title=f"full evidence, {sizes.users:,} users an account, at {sizes.latency * 1000:.0f} ms latency; credential "
        f"reports take {sizes.report_delay.replace(',', ' to ')} s",
        columns=("iam-scanner scan, CSV and workbook", "wall", "CPU", "CPU per account", "peak memory", "ratio"),
        rows=[
            (f"{size.accounts:,} accounts", *_typical([run], size.accounts), f"{run.cpu / size.accounts / few:.2f}")
            for size, run in runs
        ],
        notes=[
            bound("CPU per account, relative to the smaller organization", growth, GROWTH_BOUND, ""),
            bound(f"Peak memory of {large.accounts * large.users:,} users", many.peak, PEAK_BOUND, " MB"),
        ],
    )


def _full(sizes: Sizes) -> Measured:
    with workplace(sizes, full=True, report_delay=sizes.report_delay) as place:
        return scan(place, sizes, "full")[0]


def reports(sizes: Sizes) -> Table:
    """What writing the tables of a large run costs, against the plainest way."""
    world = replace(sizes, users=sizes.many_users, latency=0.0)
    with workplace(world, full=True) as place:
        scan(place, world, "full", formats=["csv"])
        (run,) = place.output.iterdir()
        ways = ("workbook", "plain-workbook", "csv", "plain-csv")
        spent = {way: [0.0] * sizes.rounds for way in ways}
        for number in range(sizes.rounds):
            for way in ways:
                spent[way][number] = json.loads(place.measure("tests.benchmarks.writers", str(run), way).out)["cpu"]
    workbook = _median_ratio(spent["workbook"], spent["plain-workbook"])
    csv = _median_ratio(spent["csv"], spent["plain-csv"])
    names = ("the workbook", "openpyxl, write-only", "iam-users.csv", "pandas, to_csv")
    return Table(
        title=f"the tables of {world.accounts * world.users:,} users, median of {sizes.rounds}",
        columns=("writing alone", "CPU", "ratio"),
        rows=[
            (name, f"{median(spent[way]):.1f} s", ratio)
            for name, way, ratio in zip(names, ways, (f"{workbook:.2f}", "1", f"{csv:.2f}", "1"), strict=True)
        ],
        notes=[
            bound("Workbook, relative to plain openpyxl", workbook, WORKBOOK_BOUND, ""),
            bound("CSV, relative to plain pandas", csv, CSV_BOUND, ""),
            (
                "openpyxl writes the same values into the cells of Users and Accounts, without styles and other "
                "sheets; the workbook's figure holds all its sheets, and making its rows and figures."
            ),
            "pandas writes the same frame, and guards no formulas.",
        ],
    )


def _world(sizes: Sizes) -> str:
    return f"{sizes.accounts:,} accounts of {sizes.users:,} users at {sizes.latency * 1000:.0f} ms latency"


def _typical(runs: Sequence[Measured], accounts: int) -> tuple[str, ...]:
    wall, cpu = median(run.wall for run in runs), median(run.cpu for run in runs)
    each = f"{cpu / accounts * 1000:.2f} ms"
    return (f"{wall:.1f} s", f"{cpu:.1f} s", each, f"{max(run.peak for run in runs):.0f} MB")


def _ratio(runs: Sequence[Measured], compared: Sequence[Measured]) -> float:
    return _median_ratio([run.cpu for run in runs], [run.cpu for run in compared])


def _median_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    return median(each / other for each, other in zip(ours, theirs, strict=True))
