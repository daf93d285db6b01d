"""Decide to remove every user of a run: `python -m tests.benchmarks.everybody_out RUN`; prints its removals.json."""

import sys
from pathlib import Path

from scanner.model import Choice
from tests.remediation.site import decide_users

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    print(decide_users(folder.parent, folder.name, lambda _: Choice.REMOVE))
