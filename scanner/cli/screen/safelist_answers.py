"""What `safelist check` and `safelist explain` show.

Apart from the commands themselves, so that --help waits for none of it.
"""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date

from rich.console import Console
from rich.table import Table
from rich.text import Text

from scanner.audit.assessment import Assessment
from scanner.model import Determination, Entry, Revocation, Selector
from scanner.report.words import many
from scanner.safelist.check import Checked
from scanner.safelist.explain import Explanation, Question
from scanner.safelist.types import Safelist
from scanner.safelist.usage import NO_EFFECT, NOT_JUDGED, EntryStatus, EntryUse
from scanner.text import for_terminal

GAP = "  "
MOST_ALIKE = 10  # entries of a file that end on the same day and have a line each on a terminal


def check_document(safelist: Safelist, checked: Checked, files: Sequence[str], day: date) -> dict[str, object]:
    return {
        "valid": True,
        "as_of": day.isoformat(),
        "files": files,
        "entries": len(safelist.entries),
        "revocations": len(safelist.revocations),
        "organization": safelist.organization,
        "warnings": list(safelist.warnings),
        **asdict(checked),
    }


def show_check(console: Console, safelist: Safelist, checked: Checked, files: Sequence[str]) -> None:
    entries, revocations = len(safelist.entries), len(safelist.revocations)
    counted = [many(entries, "entry", "entries"), *([many(revocations, "revocation")] if revocations else [])]
    _say(console, f"Valid: {', '.join(counted)}{',' if revocations else ''} in {many(len(files), 'file')}.")
    for line in [*_findings(checked, together=console.is_terminal), *safelist.warnings]:
        _say(console, line)


def run_document(in_run: Assessment | None) -> dict[str, object]:
    """The run that the safelists were compared with, and what became of each entry in it."""
    if in_run is None:
        return {"run": None, "in_run": None}
    return {
        "run": in_run.record.header.run_id,
        "in_run": [
            {"file": use.entry.file, "line": use.entry.line, "status": use.status}
            | {"users": use.users, "remark": use.remark}
            for use in in_run.safelist
        ],
    }


def show_in_run(console: Console, in_run: Assessment) -> None:
    """Print the entries that matched nothing in a run, and why, where that is known."""
    lines = list(_unmatched(in_run.safelist))
    what = many(len(lines), "finding") if lines else "no findings"
    _say(console, f"Compared with run {in_run.record.header.run_id}: {what}.")
    for line in lines:
        _say(console, line)


def _unmatched(uses: Sequence[EntryUse]) -> Iterator[str]:
    """Place, finding, scope, what is selected, detail; expired, invalid and later entries are found without a run."""
    for use in uses:
        if use.status is EntryStatus.REVOCATION and use.remark:
            finding: str = EntryStatus.UNMATCHED
        elif use.status in {EntryStatus.UNMATCHED, EntryStatus.UNUSED}:
            finding = use.status
        else:
            continue
        detail = use.remark or "it approves no user in this run"
        for kind in (NOT_JUDGED, NO_EFFECT):
            if detail.startswith(kind):
                finding, detail = kind.removesuffix(": "), detail.removeprefix(kind)
        yield _line(use.entry, finding, detail)


def _selects(entry: Entry | Revocation) -> tuple[str, str]:
    """The scope, and what is selected in it."""
    if isinstance(entry, Revocation):
        return f"account {entry.account_id}", entry.user
    return entry.scope_text, entry.value if entry.selector is Selector.USER else f"{entry.selector} {entry.value}"


def _findings(checked: Checked, *, together: bool) -> Iterator[str]:
    """Place, finding, scope, what is selected, detail; `together`: many that are alike on one line."""
    for entry in checked.invalid:
        yield _line(entry, "breaks the policy", "; ".join(entry.invalid))
    for entry in checked.expired:
        yield _line(entry, "expired", f"ended on {entry.expires_on}")
    yield from _expiring(checked.expiring, MOST_ALIKE if together else len(checked.expiring))
    for entry in checked.not_started:
        yield _line(entry, "not started", f"starts on {entry.approved_on}")
    for *others, entry in checked.duplicates:
        yield _line(entry, "duplicate", f"also at {', '.join(other.at for other in others)}")


def _line(entry: Entry | Revocation, finding: str, detail: str) -> str:
    return GAP.join((entry.at, finding, *_selects(entry), detail))


def _expiring(entries: Sequence[Entry], most: int) -> Iterator[str]:
    """The entries that end soon; as one line where more of a file end on the same day, as those of a baseline do."""
    together: dict[tuple[str, date | None], list[Entry]] = {}
    for entry in entries:
        together.setdefault((entry.file, entry.expires_on), []).append(entry)
    for (_, day), alike in together.items():
        if len(alike) > most:
            others = f"this entry and {len(alike) - 1:,} others of the file"
            yield GAP.join((alike[0].at, "expiring", others, f"end on {day}"))
        else:
            yield from (_line(entry, "expiring", f"ends on {day}") for entry in alike)


def _say(console: Console, line: str) -> None:
    """Print text from files: as one line each for grep and for files, and wrapped for people."""
    text = for_terminal(line)
    width = console.width if console.is_terminal else len(text)
    console.print(Text("\n".join(wrapped(text, width))), soft_wrap=True)


def wrapped(text: str, width: int) -> list[str]:
    """The lines of a text, broken at spaces only: a place or a name that is cut in two can be neither copied nor found.

    What is longer than a line is left to the terminal.
    """
    if len(text) <= width:
        return [text]
    return textwrap.wrap(text, width, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)


def explanation_document(question: Question, explanation: Explanation, day: date) -> dict[str, object]:
    return {
        **asdict(question),
        "as_of": day.isoformat(),
        **asdict(explanation.decision),
        "notes": explanation.notes,
    }


def show_explanation(console: Console, explanation: Explanation) -> None:
    decision = explanation.decision
    style = "bold green" if decision.determination is Determination.APPROVED else "bold red"
    basis = f" ({decision.basis})" if explanation.is_decided else ""
    console.print(Text(f"{decision.determination}{basis}", style=style))
    _say(console, f"{decision.explanation}.")
    if decision.entry is not None:
        console.print(_fields(decision.entry))
    for note in explanation.notes:
        _say(console, f"Note: {note}")


def _fields(entry: Entry | Revocation) -> Table:
    table = Table(show_header=False, box=None)
    for name, value in asdict(entry).items():
        if value not in {None, "", ()} and name != "invalid":
            table.add_row(Text(name), Text(for_terminal(str(value))))
    return table
