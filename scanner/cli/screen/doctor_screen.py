"""What `iam-scanner doctor` shows: its progress, and a line for each check.

In accounts, checks that came to the same are one line, which says in how many of them: a role that is missing in a
hundred accounts is one fault. With `--json`, each check of each account stands by itself.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from scanner.cli.screen.layout import labelled, print_parts
from scanner.cli.screen.stage_progress import StageProgress
from scanner.doctor.checks import Check, Outcome, Part
from scanner.doctor.examine import Diagnosis
from scanner.model import Account
from scanner.report.words import many
from scanner.scan.scope import Placement
from scanner.text import for_terminal

_STYLES = {
    Outcome.OK: "green",
    Outcome.WARNING: "yellow",
    Outcome.FAILED: "bold red",
    Outcome.NOT_CHECKED: "yellow",
    Outcome.NOT_TRIED: "dim",
}
_OUTCOME, _WHAT = 11, 34  # columns
_NAMED = 3  # accounts


class DoctorProgress(StageProgress):
    """Accounts listed, then accounts checked of those chosen."""

    def __init__(self, console: Console, *, quiet: bool) -> None:
        super().__init__(console, quiet=quiet)
        self._listed = 0
        self._missing = 0

    def met(self, placement: Placement) -> None:
        self._listed += 1
        self._bar.update(self._task, figures=many(self._listed, "account"))

    def listed(self) -> None:
        pass

    def examines(self, accounts: int) -> None:
        self._bar.update(self._task, total=accounts, completed=0, figures=f"0/{many(accounts, 'account')}")

    def examined(self, *, is_missing: bool) -> None:
        self._missing += is_missing
        self._bar.advance(self._task)
        task = self._bar.tasks[0]
        failed = f", {self._missing:,} failed" if self._missing else ""
        figures = f"{int(task.completed):,}/{many(int(task.total or 0), 'account')}{failed}"
        self._bar.update(self._task, figures=figures)


@dataclass(frozen=True, slots=True)
class _Line:
    """Checks that came to the same, each in another account."""

    checks: tuple[Check, ...]

    @property
    def first(self) -> Check:
        return self.checks[0]

    @property
    def accounts(self) -> list[Account]:
        return [check.account for check in self.checks if check.account]


def document(diagnosis: Diagnosis) -> dict[str, object]:
    return {
        "ready": diagnosis.is_ready,
        "accounts_checked": diagnosis.entered,
        "accounts_to_scan": diagnosis.to_scan,
        "counts": _counts(diagnosis.checks),
        "checks": [_as_json(check) for check in diagnosis.checks],
    }


def _as_json(check: Check) -> dict[str, object]:
    account = check.account
    return {
        "part": check.part,
        "check": check.what,
        "outcome": check.outcome,
        "account_id": account and account.id,
        "account_name": account and account.name,
        "ou_path": account and account.ou_path,
        "code": check.code,
        "detail": check.detail,
        "remedy": check.remedy,
    }


def _counts(checks: Iterable[Check]) -> dict[str, int]:
    counts = Counter(check.outcome for check in checks)
    return {outcome: counts[outcome] for outcome in Outcome}


def show(diagnosis: Diagnosis, console: Console, *, quiet: bool) -> None:
    """Print the checks part by part, and what follows from them; with `quiet` only what is to be seen to."""
    parts: list[RenderableType] = []
    for part, checks in groupby(diagnosis.checks, key=lambda check: check.part):
        seen = [check for check in checks if not quiet or check.is_missing or check.outcome is Outcome.WARNING]
        if not quiet:
            parts.append(Text(_heading(part, diagnosis), style="bold"))
        for line in _lines(seen):
            parts += _shown(line)
    if not quiet:
        parts += [Text(), labelled(("Checks", _summary(diagnosis)), ("Next", Text(_next(diagnosis))))]
    print_parts(console, parts)


def _heading(part: Part, diagnosis: Diagnosis) -> str:
    if part is not Part.ACCOUNTS or not diagnosis.entered:
        return part
    whole = diagnosis.entered == diagnosis.to_scan
    return f"{part}: {'all' if whole else 'one of each OU'}, {diagnosis.entered:,} of {diagnosis.to_scan:,} to scan"


def _lines(checks: Sequence[Check]) -> list[_Line]:
    """AWS's messages are not compared, as they name the account."""
    lines: dict[tuple[object, ...], list[Check]] = {}
    for check in checks:
        key: tuple[object, ...] = (check.what, check.outcome, check.code, check.remedy)
        if check.outcome is not Outcome.FAILED or check.account is None:
            key = (*key, check.detail)
        lines.setdefault(key, []).append(check)
    return [_Line(tuple(alike)) for alike in lines.values()]


def _shown(line: _Line) -> Iterator[RenderableType]:
    """One line for what went well; else AWS's words and the remedy below it."""
    check = line.first
    said = ": ".join(filter(None, (check.code, check.detail)))
    where = _where(line)
    is_short = check.outcome is not Outcome.FAILED
    row = Table.grid(padding=(0, 1))
    row.add_column(width=_OUTCOME, no_wrap=True)
    row.add_column(width=_WHAT, no_wrap=True)
    row.add_column(overflow="fold")
    beside = " ".join(filter(None, (said, where))) if is_short else where
    row.add_row(Text(check.outcome, style=_STYLES[check.outcome]), check.what, Text(for_terminal(beside)))
    yield row
    below = (check.remedy,) if is_short else (said, check.remedy)
    for text in filter(None, below):
        yield Padding(Text("\n".join(map(for_terminal, text.splitlines()))), (0, 0, 0, _OUTCOME + 1))


def _where(line: _Line) -> str:
    accounts = line.accounts
    if not accounts:
        return ""
    if line.first.outcome is Outcome.OK:
        return f"in {many(len(accounts), 'account')}"
    named = ", ".join(f"{account.id} ({account.name})" for account in accounts[:_NAMED])
    return f"in {named}" + (f" and {len(accounts) - _NAMED:,} more" if len(accounts) > _NAMED else "")


def _summary(diagnosis: Diagnosis) -> Text:
    counts = _counts(diagnosis.checks)
    total = sum(counts.values())
    words = ", ".join(f"{count:,} {outcome}" for outcome, count in counts.items() if count)
    return Text(f"{many(total, 'check')}: {words}", style="bold" if diagnosis.is_ready else "bold red")


def _next(diagnosis: Diagnosis) -> str:
    if not diagnosis.is_ready:
        return "see to what failed, the first one first; then run iam-scanner doctor again."
    rest = diagnosis.to_scan - diagnosis.entered
    others = f", or check the other {many(rest, 'account')}, too, with --all" if rest else ""
    return f"nothing is missing: start iam-scanner scan with the same options{others}."
