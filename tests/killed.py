"""A scan that is killed at one of its calls, and what becomes of it when it goes on."""

import shutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scanner.report.verify import verify
from scanner.runs import folder as run_folder
from tests.aws_endpoint import Do, Endpoint, Fault, nth
from tests.program import NOBODY, calling, program
from tests.subject import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Killed:
    """How far the run had come, and whether it then ended as if it had not been killed."""

    lines: int  # whole lines of its journal
    torn: bool
    same: bool  # the same iam-users.csv as an undisturbed run of the same start
    whole: bool  # verify finds nothing


def killed(endpoint: Endpoint, environment: Mapping[str, str], output: Path, at: int) -> Killed | None:
    """Kill a scan at its call `at`, and go on with it; None where it had no header yet, and so nothing to go on with.

    What it is held against is the same run, gone on with from its header alone.
    """
    safelist = output / "nobody.yaml"
    output.mkdir(parents=True)
    safelist.write_text(NOBODY, encoding="utf-8")
    subject = Subject()
    endpoint.faults.rules.append(Fault("*", Do(subject.gets(signal.SIGKILL)), when=nth(at)))
    ended = subject.run(environment, "scan", "--safelist", safelist, "--output", output, "--format", "csv")
    if ended.returncode != -signal.SIGKILL:
        raise RuntimeError(f"the scan ended with {ended.returncode} before its call {at}: {ended.stderr}")
    journal = next((path.read_bytes() for path in output.glob(f"*/{run_folder.JOURNAL}")), b"")
    if b"\n" not in journal:
        return None
    (folder,) = (path.parent for path in output.glob(f"*/{run_folder.JOURNAL}"))
    undisturbed = output / "undisturbed" / folder.name
    shutil.copytree(folder, undisturbed)
    (undisturbed / run_folder.JOURNAL).write_bytes(journal[: journal.index(b"\n") + 1])
    with calling(endpoint):
        for each in (folder, undisturbed):
            again = program("scan", "--resume", each, "--format", "csv")
            if again.exit_code != 3:
                raise RuntimeError(f"the run did not go on: {again.err}")
    return Killed(
        lines=journal.count(b"\n"),
        torn=not journal.endswith(b"\n"),
        same=(folder / "iam-users.csv").read_bytes() == (undisturbed / "iam-users.csv").read_bytes(),
        whole=all(check.holds for check in verify(folder, None)),
    )
