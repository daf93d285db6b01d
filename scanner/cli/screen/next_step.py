"""What to do after a run: in one sentence, and where they help with the commands to paste."""

import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

from scanner.model import Status
from scanner.report.failed_accounts import likely_cause
from scanner.report.view import View
from scanner.review.removals import place
from scanner.runs import folder as run_folder
from scanner.settings import Settings

Step = tuple[str, Sequence[str]]


def next_step(view: View, run: Path, files: Sequence[Path]) -> Step:
    """The next step; `files` is what was written."""
    assessment = view.assessment
    if assessment.record.what_if:
        return "the run stays as it is; a scan by these safelists, on that day, decides as shown here.", ()
    if assessment.status is not Status.COMPLETE:
        return _the_rest(view, run)
    if not assessment.totals.users:
        return "no IAM user was found; keep the reports as evidence.", ()
    if not view.review:
        return "every user is approved; keep the reports as evidence.", ()
    planning = _planning(view, run)
    workbook = next((file for file in files if file.suffix == ".xlsx"), None)
    if workbook is None:
        report = f"iam-scanner report {shlex.quote(str(run))} --format xlsx{_output(run)}"
        return "have a workbook written, and decide on its sheet Review:", (report,)
    words = "decide on the sheet Review of a copy, and read it back:"
    return f"carry out what was decided; {words}" if planning else words, (
        *planning,
        f"cp {shlex.quote(str(workbook))} review.xlsx",
        f"iam-scanner review import review.xlsx{_safelists_and_output(view, run)}",
    )


def next_of_several(view: View, files: Sequence[Path]) -> Step:
    """The same for runs of different organizations; the rest of an incomplete one is for that run to say."""
    lacking = [run for run in view.runs if run.assessment.status is not Status.COMPLETE]
    missing = ", ".join(run.organization_id for run in lacking)
    known = f"nothing is known of what was not read in {missing}. Beside completing that, " if lacking else ""
    if not view.review:
        return f"{known}{'keep' if known else 'every user is approved; keep'} the reports as evidence.", ()
    workbook = next((file for file in files if file.suffix == ".xlsx"), None)
    if workbook is None:
        return f"{known}have a workbook written, with --format xlsx, and decide on its sheet Review.", ()
    runs = [run.assessment.record.header.settings for run in view.runs]
    safelists = dict.fromkeys(path for settings in runs for path in settings.safelist)
    return f"{known}decide on the sheet Review of a copy, and read it back, with the safelists of all:", (
        f"cp {shlex.quote(str(workbook))} review.xlsx",
        f"iam-scanner review import review.xlsx{repeated('safelist', safelists)}{_output(workbook.parent)}",
    )


def repeated(name: str, values: Iterable[object]) -> str:
    """An option, once for each value."""
    return "".join(f" --{name} {shlex.quote(str(value))}" for value in values)


def _output(folder: Path) -> str:
    """The option that names where a folder lies: a run may have been archived, or moved, since it was recorded."""
    return options_of(Settings(output=folder.parent), "output")


def _safelists_and_output(view: View, run: Path) -> str:
    return f"{options_of(view.assessment.record.header.settings, 'safelist')}{_output(run)}"


def _planning(view: View, run: Path) -> Sequence[str]:
    """The command that plans the removals of the newest review that are not carried out.

    None where their list is not here: an archive has the decisions, and not the lists.
    """
    reviews = [one.decision.run_id for one in view.outstanding if one.decision.is_removal]
    if not reviews or not (removals := place(run.parent, max(reviews))).exists():
        return ()
    return (plan_command(removals, _safelists_and_output(view, run)),)


def plan_command(removals: Path, options: str) -> str:
    return f"iam-scanner remediate plan {shlex.quote(str(removals))}{options}"


def options_of(settings: Settings, *names: str) -> str:
    """These options as a further command needs them where they are not the defaults."""
    standard, words = Settings(), []
    for name in names:
        value = getattr(settings, name)
        if value != getattr(standard, name):
            words.append(repeated(name, value if isinstance(value, tuple) else (value,)))
    return "".join(words)


def _the_rest(view: View, run: Path) -> Step:
    record = view.assessment.record
    if not (view.assessment.totals.failed or record.listing.problem or record.footer.interrupted):
        return "no account is left to scan in this scope; widen --ou or --account, or remove exclusions.", ()
    if likely_cause(view.assessment, view.failures):
        return "start a new scan with what was missing: a resumed run keeps its role and external ID.", ()
    words = "nothing is known of the users in accounts that were not read. Fix the cause; then:"
    return words, (run_folder.resume_command(run),)
