"""A plan's folder: `<run id>-remediation/<plan id>/` beside the run, with the plan for programs, people and shells.

    plan.json    the plan: ordered calls and what was found before, with its digest
    plan.csv     one row a call
    commands.sh  the same as `aws iam` commands
    journal.jsonl, results.csv   once something was carried out

Folders are 0700 and files 0600; each file appears whole or not at all, and plan.json last: without it there is no plan.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from scanner.errors import OutputError, UsageError
from scanner.files import whole
from scanner.remediation.commands_script import script
from scanner.remediation.plan_document import Plan, PlannedUser, Target, decode, encode
from scanner.text import csv_text

PLAN, PLAN_CSV, COMMANDS, RESULTS = "plan.json", "plan.csv", "commands.sh", "results.csv"
SUFFIX: Final = "-remediation"
_COLUMNS = (
    "account_id",
    "account_name",
    "user_name",
    "user_id",
    "decision",
    "why",
    "step",
    "action",
    "about",
    "resource",
    "takes_away",
    "reversible",
    "notes",
)


def save(plan: Plan, run_id: str, output: Path) -> tuple[Path, str]:
    """Write the plan; return its folder and its digest. Raises `OutputError`."""
    folder = output / f"{run_id}{SUFFIX}" / plan.plan_id
    data, digest = encode(plan)
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
        for name, content in {**for_people(plan), PLAN: data}.items():
            with whole(folder / name) as file:
                file.write(content)
    except OSError as error:
        raise OutputError(f"Cannot write the plan to {folder}: {error.strerror}. Make room, and plan again.") from error
    return folder, digest


def for_people(plan: Plan) -> Mapping[str, bytes]:
    """Return the files that are rendered from the plan, by name."""
    return {PLAN_CSV: table(_COLUMNS, _rows(plan)), COMMANDS: script(plan).encode("utf-8")}


def load(folder: Path) -> tuple[Plan, str]:
    """Read a plan and its digest; raise `UsageError` where it is none, or was changed."""
    path = folder / PLAN
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}. Name the folder of a plan, or its ID.") from error
    return decode(data, str(path))


def is_plan(name: str, output: Path) -> bool:
    """Tell whether a name, which may be that of a run as well, is a plan's folder or ID."""
    return (Path(name) / PLAN).is_file() or any(folder.name == name for folder in all_under(output))


def find(plan: str, output: Path) -> Path:
    """Return the folder that PLAN names: a folder, a plan ID under `output`, or its unique beginning."""
    if (Path(plan) / PLAN).is_file():
        return Path(plan)
    known = all_under(output)
    matches = [folder for folder in known if plan and folder.name.startswith(plan)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise UsageError(f"{plan!r} is the beginning of several plans: {', '.join(match.name for match in matches)}.")
    newest = f" The newest there is {known[-1].name}." if known else " iam-scanner remediate plan makes one."
    raise UsageError(f"There is no plan {plan!r}, neither as a folder nor under {output}.{newest}")


def all_under(output: Path) -> list[Path]:
    """Return the folders of all plans, by the time at which they were made."""
    return sorted((path.parent for path in output.glob(f"*{SUFFIX}/*/{PLAN}")), key=lambda folder: folder.name)


def table(columns: Sequence[str], rows: Iterator[Mapping[str, object]]) -> bytes:
    """Return a CSV as all of this program are, with these columns."""
    return csv_text([columns, *([row[name] for name in columns] for row in rows)]).encode("utf-8-sig")


def about(target: Target) -> Mapping[str, object]:
    """The columns that say whom a row is about."""
    return {
        "account_id": target.account.id,
        "account_name": target.account.name,
        "user_name": target.user_name,
        "user_id": target.user_id,
        "decision": target.choice,
    }


def _rows(plan: Plan) -> Iterator[Mapping[str, object]]:
    for user in plan.users:
        yield from _calls_of(user)


def _calls_of(planned: PlannedUser) -> Iterator[Mapping[str, object]]:
    target = planned.target
    for step, call in enumerate(planned.calls, start=1):
        yield {
            **about(target),
            "why": target.why,
            "step": step,
            "action": call.action,
            "about": call.thing,
            "resource": call.resource,
            "takes_away": call.takes_away,
            "reversible": "true" if call.reversible else "false",
            "notes": " ".join(planned.notes),
        }
