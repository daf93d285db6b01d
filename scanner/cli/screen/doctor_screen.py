"""What `iam-scanner doctor` shows: its progress, and a line for each check.

In accounts, checks that came to the same are one line, which says in how many of them: a role that is missing in a
hundred accounts is one fault. With `--json`, each check of each account stands by itself.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from scanner.cli.screen.layout import labelled, print_parts, width_of
from scanner.cli.screen.stage_progress import StageProgress
from scanner.doctor.account_checks import NOT_TRIED, ROLE, calls
from scanner.doctor.checks import Check, Outcome, Part
from scanner.doctor.examine import Diagnosis
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
_OUTCOME = 12  # columns
_NAMED = 3  # accounts
_ORDER = {what: place for place, what in enumerate((ROLE, *calls(full=True), NOT_TRIED.what))}


class DoctorProgress(StageProgress):
    """Accounts listed, then accounts checked of those chosen."""

    def __init__(self, console: Console, *, quiet: bool) -> None:
        super().__init__(console, quiet=quiet)
        self._listed = 0
        self._missing = 0

    def met(self, _: Placement) -> None:
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
    """Checks that came to the same: in other accounts, or other ones that an earlier failure left unknown."""

    checks: Sequence[Check]

    @property
    def first(self) -> Check:
        return self.checks[0]

    @property
    def is_single(self) -> bool:
        return all(check.what == self.first.what for check in self.checks)

    @property
    def what(self) -> str:
        return ", ".join(dict.fromkeys(check.what for check in self.checks))

    @property
    def where(self) -> str:
        """The accounts: of those that are fine how many, else the first ones by name."""
        accounts = list(dict.fromkeys(check.account for check in self.checks if check.account))
        if not accounts or self.first.outcome is Outcome.OK:
            return many(len(accounts), "account") if accounts else ""
        more = len(accounts) - _NAMED
        named = ", ".join(f"{account.id} ({account.name}, {account.ou_path})" for account in accounts[:_NAMED])
        return f"in {named}" + (f" and {more:,} more" if more > 0 else "")


def document(diagnosis: Diagnosis) -> dict[str, object]:
    return {
        "ready": diagnosis.is_ready,
        "accounts_checked": diagnosis.entered,
        "accounts_to_scan": diagnosis.to_scan,
        "advice": [line for line in (diagnosis.likely_cause, *diagnosis.advice) if line],
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


def show(diagnosis: Diagnosis, console: Console, *, again: str, quiet: bool) -> None:
    """Print the checks part by part, and what follows from them; with `quiet` only what is to be seen to.

    `again` are the options that were typed, for the scan.
    """
    parts: list[RenderableType] = []
    for part, checks in groupby(diagnosis.checks, key=lambda check: check.part):
        shown = [check for check in checks if not quiet or check.is_missing or check.outcome is Outcome.WARNING]
        if not quiet:
            parts.append(Text(_heading(part, diagnosis), style="bold"))
        parts.append(_part(shown, width_of(console)))
    if not quiet:
        parts += [Text(), labelled(("Checks", _summary(diagnosis)), ("Next", Text(for_terminal(_next(diagnosis)))))]
    commands = [f"iam-scanner scan{again}"] if diagnosis.is_ready else diagnosis.advice
    print_parts(console, parts, () if quiet else map(for_terminal, commands))


def _heading(part: Part, diagnosis: Diagnosis) -> str:
    if part is not Part.ACCOUNTS or not diagnosis.entered:
        return part
    which = "all" if diagnosis.entered == diagnosis.to_scan else "one of each OU"
    return f"{part}: {which}, {diagnosis.entered:,} of {diagnosis.to_scan:,} to scan"


def _part(checks: Sequence[Check], width: int) -> RenderableType:
    """A row for each line: the outcome, and beside it what was tried and what came of it."""
    lines = _lines(checks)
    column = max((cell_len(line.what) for line in lines if line.is_single), default=0)
    grid = Table.grid()
    grid.add_column(width=_OUTCOME, no_wrap=True)
    grid.add_column(overflow="fold")
    for line in lines:
        grid.add_row(
            Text(line.first.outcome, style=_STYLES[line.first.outcome]),
            Text("\n").join(_words(line, column, width - _OUTCOME)),
        )
    return grid


def _words(line: _Line, column: int, width: int) -> Iterator[Text]:
    """What was tried, with what came of it on the same line where that fits; then the rest, and the remedy."""
    check = line.first
    said = ": ".join(filter(None, (check.code, check.detail)))
    texts = [line.where, said] if check.outcome is Outcome.FAILED else [": ".join(filter(None, (line.where, said)))]
    first, *rest = [for_terminal(text) for text in texts if text]
    if line.is_single and column + 2 + cell_len(first) <= width:
        yield Text(f"{line.what:<{column}}  {first}")
    else:
        yield Text(line.what)
        yield Text(first)
    yield from map(Text, rest)
    yield from (Text(for_terminal(text), style="bold") for text in [check.remedy] if text)


def _lines(checks: Sequence[Check]) -> list[_Line]:
    """The checks, those that came to the same together; AWS's messages are not compared, as they name the account."""
    lines: dict[tuple[object, ...], list[Check]] = {}
    for check in sorted(checks, key=lambda check: _ORDER.get(check.what, 0)):
        said = None if check.outcome is Outcome.FAILED and check.account else check.detail
        what = None if check.outcome is Outcome.NOT_CHECKED else check.what
        lines.setdefault((check.outcome, what, check.code, said, check.remedy), []).append(check)
    return [_Line(alike) for alike in lines.values()]


def _summary(diagnosis: Diagnosis) -> Text:
    counts = _counts(diagnosis.checks)
    total = sum(counts.values())
    words = ", ".join(f"{count:,} {outcome}" for outcome, count in counts.items() if count)
    return Text(f"{many(total, 'check')}: {words}", style="bold" if diagnosis.is_ready else "bold red")


def _next(diagnosis: Diagnosis) -> str:
    if not diagnosis.is_ready:
        what = f"{diagnosis.likely_cause} Correct that" if diagnosis.likely_cause else "fix what failed, from the top"
        return f"{what}; then run iam-scanner doctor again."
    rest = diagnosis.to_scan - diagnosis.entered
    others = f" (to check the other {many(rest, 'account')} first, give doctor --all)" if rest else ""
    return f"nothing is missing: scan{others}:"
