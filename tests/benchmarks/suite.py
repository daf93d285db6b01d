"""The benchmarks: each measures and returns its table. Ratios compare what was measured in the same run."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from tests.aws_endpoint import account_id
from tests.benchmarks import scale
from tests.benchmarks.kills import kills
from tests.benchmarks.measuring import Measured, Sizes, Workplace, scan, workplace
from tests.benchmarks.remediation import remediation
from tests.benchmarks.tables import Table, bound

CPU_BOUND = 1 / 20  # of a new aioboto3 session and clients per account
PEAK_BOUND = 200  # MB
GROWTH_BOUND = 3  # ten times as many would take ten times as long each, were it a product
STS_LEFT = "20,20"  # calls a second, and at once: where others take nearly all of the 600 that an account has
STORM_BOUND = 3 / 4  # of the throttled answers without a pace
START_BOUND = 1.2  # of a Typer app with the same commands

_COLUMNS = ("accounts", "wall", "CPU", "CPU per account", "peak memory")


def basic(sizes: Sizes) -> Table:
    """The program in basic mode, against the usual ways, which only assume the role and list the users."""
    with workplace(sizes) as place:
        before, _ = scan(place, sizes, "basic")
        sessions = _compared(place, sizes, "tests.benchmarks.session_per_account")
        after, _ = scan(place, sizes, "basic")
        threads = _compared(place, sizes, "tests.benchmarks.thread_per_account")
    program = max(before, after, key=lambda measured: measured.cpu)
    ours, compared = program.cpu / sizes.accounts, sizes.compared_accounts
    theirs, threaded = sessions.cpu / compared, threads.cpu / compared
    return Table(
        title=f"{_world(sizes)}: list the users",
        columns=("whole process", *_COLUMNS, "ratio"),
        rows=[
            ("iam-scanner scan --evidence basic, CSV and workbook", *_row(program, sizes.accounts), "1"),
            (
                "a new aioboto3 session and clients per account, 50 at once",
                *_row(sessions, compared),
                _times(theirs, ours),
            ),
            (
                "a new boto3 session and clients per account, 20 threads",
                *_row(threads, compared),
                _times(threaded, ours),
            ),
        ],
        notes=[
            bound("CPU per account, relative to a new aioboto3 session per account", ours / theirs, CPU_BOUND, ""),
            bound("Peak memory", program.peak, PEAK_BOUND, " MB"),
            "iam-scanner ran before and after the aioboto3 way; the run that took more CPU is shown.",
        ],
    )


def full(sizes: Sizes) -> Table:
    """The program as it runs by default, and the calls that it makes."""
    with workplace(sizes, full=True) as place:
        program, summary = scan(place, sizes, "full")
    calls: Mapping[str, int] = summary["api_calls"]
    total: int = summary["api_calls_total"]
    return Table(
        title=f"{_world(sizes)}: full evidence",
        columns=("whole process", *_COLUMNS, "calls per account"),
        rows=[("iam-scanner scan, CSV and workbook", *_row(program, sizes.accounts), f"{total / sizes.accounts:.2f}")],
        notes=[
            bound("Peak memory", program.peak, PEAK_BOUND, " MB"),
            f"{total:,} calls: {', '.join(f'{name} {count:,}' for name, count in calls.items())}.",
            "Credential reports are ready at once here; AWS takes seconds, during which other accounts are read.",
        ],
    )


def start(sizes: Sizes) -> Table:
    """How long the program takes until it does something."""
    with workplace(Sizes(accounts=1)) as place:
        place.measure("tests.benchmarks.bare_typer", "bare_app.py")
        bare, program = zip(
            *((place.measure("bare_app", "--help"), place.measure("scanner", "--help")) for _ in range(sizes.repeats)),
            strict=True,
        )
    ratio = median(ours.cpu / theirs.cpu for theirs, ours in zip(bare, program, strict=True))
    return Table(
        title=f"start, median of {sizes.repeats}",
        columns=("whole process", "wall", "CPU", "peak memory", "CPU, ratio"),
        rows=[
            ("iam-scanner --help", *_typical(program), f"{ratio:.2f}"),
            ("a Typer app with the same commands, --help", *_typical(bare), "1"),
        ],
        notes=[bound("CPU, relative to a Typer app with the same commands", ratio, START_BOUND, "")],
    )


def stages(sizes: Sizes) -> Table:
    """Where the CPU time of a basic scan goes."""
    with workplace(sizes) as place:
        whole = place.measure("tests.benchmarks.stages", str(place.safelist), str(place.output))
    spent: dict[str, float] = json.loads(whole.out)
    spent["end of Python"] = whole.cpu - sum(spent.values())
    return Table(
        title=f"{_world(sizes)}: a basic scan by stage",
        columns=("stage", "CPU", "share"),
        rows=[(name, f"{cpu:.2f} s", f"{cpu / whole.cpu:.0%}") for name, cpu in [*spent.items(), ("all", whole.cpu)]],
    )


def safelist(sizes: Sizes) -> Table:
    """As many entries as users, parsed and decided: the time for one must not grow with their number."""
    large = sizes.accounts * 100
    with workplace(Sizes(accounts=1)) as place:
        measured = place.measure("tests.benchmarks.safelists", str(large // 10), str(large))
    small, whole = json.loads(measured.out)
    ratios = [(whole[step] / whole[0]) / (small[step] / small[0]) for step in (1, 2)]
    return Table(
        title="safelists: as many users as entries (names, pinned names, patterns, paths)",
        columns=("entries, and users", "parse", "per entry", "decide", "per user"),
        rows=[_safelist_row(*each) for each in (small, whole)],
        notes=[
            bound("Parsing, time for an entry at ten times as many", ratios[0], GROWTH_BOUND, ""),
            bound("Deciding, time for a user at ten times as many", ratios[1], GROWTH_BOUND, ""),
            f"Peak memory {measured.peak:.0f} MB. Nearly all of parsing is ruamel.yaml's own reading of YAML.",
        ],
    )


def pace(sizes: Sizes) -> Table:
    """A basic scan where STS throttles, with the pace and without it, for several --concurrency."""
    sizes = replace(sizes, accounts=max(sizes.accounts * 3 // 10, 2))  # they wait for STS, and more would as long again
    without = {at_once: _paced(sizes, at_once, "tests.benchmarks.fixed_pace") for at_once in sizes.at_once[:2]}
    paced = {at_once: _paced(sizes, at_once, "scanner") for at_once in sorted(sizes.at_once)}
    first = sizes.at_once[0]
    worst = paced[first].throttled / max(without[first].throttled, 1)
    return Table(
        title=f"{_world(sizes)}, STS gives {STS_LEFT.replace(',', ' calls a second and ')} at once: list the users",
        columns=("--concurrency", "wall", "CPU", "attempts for each role", "throttled"),
        rows=[
            *((f"{at_once}, without a pace", *storm.row(sizes)) for at_once, storm in without.items()),
            *((f"{at_once}", *storm.row(sizes)) for at_once, storm in paced.items()),
        ],
        notes=[
            bound(f"Throttled responses at {first}, relative to without a pace", worst, STORM_BOUND, ""),
            "The caller's own account needs no role; a pace is what calls to STS are held back by when it throttles.",
        ],
    )


@dataclass(frozen=True, slots=True)
class _Storm:
    """A scan, and how AWS took it."""

    measured: Measured
    tries: int  # of AssumeRole
    throttled: int

    def row(self, sizes: Sizes) -> tuple[str, ...]:
        each = f"{self.tries / (sizes.accounts - 1):.2f}"
        return (f"{self.measured.wall:.1f} s", f"{self.measured.cpu:.1f} s", each, f"{self.throttled:,}")


def _paced(sizes: Sizes, at_once: int, module: str) -> _Storm:
    with workplace(sizes, sts=STS_LEFT) as place:
        options = ("--concurrency", str(at_once))
        measured, summary = scan(place, sizes, "basic", *options, formats=["csv"], module=module)
    return _Storm(measured, summary["api_calls"]["sts:AssumeRole"], summary["throttled"])


BENCHMARKS: Mapping[str, Callable[[Sizes], Table]] = {
    "basic": basic,
    "full": full,
    "start": start,
    "stages": stages,
    "kills": kills,
    "remediation": remediation,
    "safelist": safelist,
    "pace": pace,
    "cpu": scale.cpu,
    "wall": scale.wall,
    "scale": scale.scale,
    "reports": scale.reports,
}


def _safelist_row(count: int, parsing: float, deciding: float) -> tuple[str, ...]:
    each = (f"{seconds / count * 1e6:.0f} µs" for seconds in (parsing, deciding))
    return (f"{count:,}", f"{parsing:.1f} s", next(each), f"{deciding:.1f} s", next(each))


def _compared(place: Workplace, sizes: Sizes, module: str) -> Measured:
    ids = [account_id(number) for number in range(1, sizes.compared_accounts + 1)]
    measured = place.measure(module, *ids)
    if int(measured.out) != len(ids) * sizes.users:
        raise RuntimeError(f"{module} found {measured.out.strip()} users")
    return measured


def _world(sizes: Sizes) -> str:
    return f"{sizes.accounts:,} accounts of {sizes.users:,} users at {sizes.latency * 1000:.0f} ms latency"


def _row(measured: Measured, accounts: int) -> tuple[str, ...]:
    each = f"{measured.cpu / accounts * 1000:.1f} ms"
    return (f"{accounts:,}", f"{measured.wall:.1f} s", f"{measured.cpu:.1f} s", each, f"{measured.peak:.0f} MB")


def _times(theirs: float, ours: float) -> str:
    return f"{theirs / ours:.0f}"


def _typical(runs: Sequence[Measured]) -> tuple[str, ...]:
    wall, cpu = median(run.wall for run in runs), median(run.cpu for run in runs)
    return (f"{wall * 1000:.0f} ms", f"{cpu * 1000:.0f} ms", f"{median(run.peak for run in runs):.0f} MB")
