"""Safelists and users of two sizes, parsed and decided in this process; the CPU seconds as JSON on stdout.

python -m tests.benchmarks.safelists ENTRIES...
"""

import json
import sys
import time

from scanner.audit.rule import assess
from scanner.record import SafelistText
from scanner.safelist.entries import parse
from tests.builders import record, scanned, user

USERS = 100  # in an account
KINDS = ("user-{0}", "{{user: user-{0}, user_id: AIDA{0}}}", "{{pattern: user-{0}-*}}", "{{path: /team-{0}/}}")


def main(sizes: list[int]) -> None:
    print(json.dumps([_measured(size) for size in sizes]))


def _measured(size: int) -> tuple[int, float, float]:
    """Return the entries, and users, and the seconds for parsing and for deciding."""
    lines = "".join(f"  - {KINDS[number % len(KINDS)].format(number)}\n" for number in range(size))
    text = f"version: 1\npolicy: {{allow_patterns: true}}\nglobal:\n{lines}"
    users = [user(f"user-{number}", in_account=number // USERS) for number in range(size)]
    run = record(*(scanned(first // USERS, *users[first : first + USERS]) for first in range(0, size, USERS)))
    before = time.process_time()
    safelist = parse([SafelistText(path="a.yaml", text=text)])
    parsed = time.process_time()
    assessment = assess(run, safelist)
    decided = time.process_time()
    if len(assessment.findings) != size or len(safelist.entries) != size:
        raise RuntimeError(f"{len(safelist.entries)} entries, {len(assessment.findings)} users")
    return size, parsed - before, decided - parsed


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]])
