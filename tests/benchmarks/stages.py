"""A basic scan in this process, with the CPU seconds of each stage, as JSON on stdout.

python -m tests.benchmarks.stages SAFELIST OUTPUT
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

COMMAND = (
    "scanner.cli.main",
    "scanner.cli.scan_to_reports",
    "scanner.report.render",
)  # what `iam-scanner scan` imports, and all below
FILES = ("iam-users.csv", "accounts.csv", "summary.json", "iam-users.xlsx")


def main(safelist: str, output: str) -> None:
    spent = {"start of Python": time.process_time()}

    @contextmanager
    def stage(name: str) -> Iterator[None]:
        before = time.process_time()
        yield
        spent[name] = time.process_time() - before

    with stage("imports"):
        for module in COMMAND:
            import_module(module)

    from scanner.cli.options import stderr  # noqa: PLC0415
    from scanner.cli.screen.progress import ScanProgress  # noqa: PLC0415
    from scanner.report.formats import WRITERS  # noqa: PLC0415
    from scanner.report.view import View  # noqa: PLC0415
    from scanner.runs import folder as run_folder  # noqa: PLC0415
    from scanner.runs import stored as recorded  # noqa: PLC0415  # not before their time is measured
    from scanner.scan.prepare import read_inputs  # noqa: PLC0415
    from scanner.scan.scan import scan  # noqa: PLC0415
    from scanner.settings import Settings  # noqa: PLC0415

    with stage("scan (calls, journal)"):
        settings = Settings(evidence="basic", safelist=(Path(safelist),), output=Path(output))
        with ScanProgress(stderr(), quiet=True) as progress:
            folder = asyncio.run(scan(read_inputs(settings), progress))
    with stage("read the journal, decide"):
        view = View(recorded.decide(folder))
    with stage("rows and figures"):
        _ = view.figures
    for name in FILES:
        with stage(name), (folder / name).open("wb") as out:
            WRITERS[name](view, out)
    with stage("seal (manifest)"):
        run_folder.seal(folder, FILES, view.assessment.record.digest)
    print(json.dumps(spent))


if __name__ == "__main__":
    main(*sys.argv[1:])
