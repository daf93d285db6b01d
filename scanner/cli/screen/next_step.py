"""What to do after a run: in one sentence, and where one helps with the command to paste."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from scanner.audit.assessment import Assessment
from scanner.model import Status
from scanner.runs import folder as run_folder
from scanner.settings import Settings

Step = tuple[str, str | None]


def next_step(assessment: Assessment, run: Path, files: Sequence[Path], due: Sequence[object]) -> Step:
    """The next step; `files` is what was written, and `due` the users that need a decision."""
    if assessment.record.what_if:
        return "the run itself is unchanged. To make this its result, change the safelists, and scan again.", None
    if assessment.status is not Status.COMPLETE:
        return _the_rest(assessment, run)
    if not assessment.totals.users:
        return "no IAM user was found; keep the reports as evidence.", None
    if not due:
        return "every user is approved; keep the reports as evidence.", None
    if not any(file.suffix == ".xlsx" for file in files):
        return "have a workbook written, and decide on its sheet Review:", _report(assessment, run)
    command = f"iam-scanner review import review.xlsx{options_of(assessment, 'safelist', 'output')}"
    return "decide on the sheet Review, in a copy of the workbook; then:", command


def options_of(assessment: Assessment, *names: str) -> str:
    """These options as a command needs them where the scan was not run with the defaults."""
    settings, standard, words = assessment.record.header.settings, Settings(), []
    for name in names:
        value = getattr(settings, name)
        if value != getattr(standard, name):
            values = value if isinstance(value, tuple) else (value,)
            words += [f" --{name} {shlex.quote(str(path))}" for path in values]
    return "".join(words)


def _report(assessment: Assessment, run: Path) -> str:
    return f"iam-scanner report {shlex.quote(str(run))} --format xlsx{options_of(assessment, 'output')}"


def _the_rest(assessment: Assessment, run: Path) -> Step:
    record = assessment.record
    if not (assessment.totals.failed or record.listing.problem or record.footer.interrupted):
        return "no account is left to scan in this scope; widen --ou or --account, or remove exclusions.", None
    words = "nothing is known of the users in accounts that were not read. Fix the cause; then:"
    return words, run_folder.resume_command(run)
