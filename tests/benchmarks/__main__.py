"""Measure, and print the tables: `python -m tests.benchmarks [NAME...]`.

No test: a bound that is not met is said and costs nothing. Machines are shared and noisy, so what counts are ratios
within one run.
"""

import argparse
import os
import platform

from tests.benchmarks.measuring import Sizes
from tests.benchmarks.suite import BENCHMARKS
from tests.benchmarks.tables import render


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        epilog="; ".join(f"{name}: {benchmark.__doc__}" for name, benchmark in BENCHMARKS.items()),
    )
    parser.add_argument("name", nargs="*", metavar="NAME", help=f"default: all of {', '.join(BENCHMARKS)}")
    names = parser.parse_args().name or list(BENCHMARKS)
    if unknown := set(names) - set(BENCHMARKS):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    print(f"Python {platform.python_version()}, {os.cpu_count()} CPUs, {platform.system()} {platform.machine()}\n")
    for name in names:
        print(render(BENCHMARKS[name](Sizes())), flush=True)


if __name__ == "__main__":
    main()
