"""Two recorded runs, or a run and what would be decided otherwise, read, decided and compared in order of time."""

from dataclasses import dataclass
from pathlib import Path

from scanner.audit.assessment import Assessment
from scanner.audit.carried_out import decided
from scanner.audit.diff import Difference, compare, out_of_scope, snapshot
from scanner.audit.what_if import evaluate
from scanner.errors import UsageError
from scanner.runs import evaluation
from scanner.runs import folder as run_folder
from scanner.runs.evaluation import Evaluation
from scanner.runs.stored import OrganizationKey, decide, organization_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What changed from the earlier to the later, whichever was named first: nobody is "gone" who came afterwards."""

    old: Assessment
    new: Assessment
    differences: tuple[Difference, ...]
    outside: int  # users of the old run in accounts outside the new one's scope
    backwards: bool  # the later was named first


def compare_runs(first: Path, second: Path, output: Path) -> Comparison:
    """Read and decide both; an evaluation can be compared with its run, and with another evaluation of it.

    Raises `UsageError` where they are of different organizations, or an evaluation is not of the other's run as that
    is now. The run of two evaluations is looked for beside them and under `output`.
    """
    evaluations = tuple(map(evaluation.is_evaluation, (first, second)))
    if any(evaluations):
        old, new = _of_one_run(first, second, output)
        backwards = evaluations == (True, False)
    else:
        old, new = decide(first), decide(second)
        _check_organizations(old, new)
        backwards = old.record.header.started_at > new.record.header.started_at
    return _compared(new, old, backwards=True) if backwards else _compared(old, new, backwards=False)


def _compared(old: Assessment, new: Assessment, *, backwards: bool) -> Comparison:
    states, states_now = snapshot(old.record, old.findings), snapshot(new.record, new.findings)
    return Comparison(
        old=old,
        new=new,
        differences=compare(states, states_now, new.findings, decided(new.record)),
        outside=out_of_scope(states, states_now.outside),
        backwards=backwards,
    )


def _of_one_run(first: Path, second: Path, output: Path) -> tuple[Assessment, Assessment]:
    """Decide a run, and by it each evaluation among the two."""
    noted = {folder: evaluation.read(folder) for folder in (first, second) if evaluation.is_evaluation(folder)}
    run = next((folder for folder in (first, second) if folder not in noted), None)
    if run is None:
        run = _run_of(first, noted[first], output)
    own = decide(run)

    def side(folder: Path) -> Assessment:
        return _again(folder, noted[folder], run, own) if folder in noted else own

    return side(first), side(second)


def _run_of(folder: Path, noted: Evaluation, output: Path) -> Path:
    for place in (folder.resolve().parent / noted.run_id, output / noted.run_id):
        if (place / run_folder.JOURNAL).is_file():
            return place
    raise UsageError(
        f"{folder} is an evaluation of run {noted.run_id}, which is neither beside it nor under {output}. "
        "Say where the runs are with --output."
    )


def _again(folder: Path, noted: Evaluation, run: Path, own: Assessment) -> Assessment:
    """Make an evaluation again, of the very run that it was made from."""
    header = own.record.header
    if noted.run_id != header.run_id:
        raise UsageError(
            f"{folder} is an evaluation of run {noted.run_id}, and not of run {header.run_id}. An evaluation can be "
            f"compared with its own run, and with another evaluation of that: iam-scanner diff {noted.run_id} {folder}"
        )
    if noted.journal_sha256 != own.record.digest:
        raise UsageError(
            f"The journal of {run} is not the one that {folder} was made from: its SHA-256 is {own.record.digest}, and "
            f"was {noted.journal_sha256}. Was the run resumed since then? Evaluate it again."
        )
    return evaluate(own, noted.safelists, noted.as_of)


def _check_organizations(old: Assessment, new: Assessment) -> None:
    if _key(old) != _key(new):
        raise UsageError(
            f"These two runs cannot be compared: {_organization_of(old)}, and {_organization_of(new)}. "
            "Give two runs of one organization."
        )


def _key(assessment: Assessment) -> OrganizationKey:
    return organization_key(assessment.record.header.organization, assessment.record.header.caller)


def _organization_of(assessment: Assessment) -> str:
    header = assessment.record.header
    if header.organization:
        return f"{header.run_id} is of organization {header.organization.id}"
    return f"{header.run_id} is of a list of accounts, read from account {header.caller.account_id}"
