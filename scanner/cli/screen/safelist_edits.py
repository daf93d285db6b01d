"""How changes of safelist files are shown: as a diff, and in words."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.text import Text

from scanner.model import Entry
from scanner.report.words import many
from scanner.safelist.file_changes import FileChange, Wanted
from scanner.text import for_terminal

_STYLES = {"+++": "bold", "---": "bold", "@@": "cyan", "+": "green", "-": "red"}


def show_diff(changes: Sequence[FileChange], console: Console) -> bool:
    """Print the diff, into a pipe exactly as `patch` takes it; return whether there is one."""
    diff = "".join(change.diff() for change in changes)
    if console.is_terminal:
        for line in diff.splitlines():
            console.print(Text(for_terminal(line), style=_style(line)), soft_wrap=True)
    else:
        console.file.write(diff)
    return bool(diff)


def _style(line: str) -> str:
    return next((style for start, style in _STYLES.items() if line.startswith(start)), "")


def edits_document(wanted: Wanted, changes: Sequence[FileChange]) -> Mapping[str, object]:
    return {
        "approvals": len(wanted.approvals),
        "renewals": len(wanted.renewals),
        "without_owner": len(_lacking(wanted, "owner")),
        "without_end": len(_lacking(wanted, "expires_on")),
        "changes": [{"file": change.path, "diff": change.diff()} for change in changes],
    }


def edits_text(wanted: Wanted, changes: Sequence[FileChange], *, written: bool) -> Text:
    """What is, or would be, added, renewed and removed in which files, and what approvals lack."""
    if not changes:
        return Text("unchanged: it already says all of this, or none of it applies")
    files = for_terminal(", ".join(change.path for change in changes))
    done = _done(wanted) if written else f"would {_to_do(wanted)}"
    text = Text(f"{done}: {files}", style="green" if written else "yellow")
    lacking = (("no owner", len(_lacking(wanted, "owner"))), ("no end date", len(_lacking(wanted, "expires_on"))))
    if bare := " and ".join(f"{count:,} with {what}" for what, count in lacking if count):
        policy = "A policy in the safelist can require both."
        text.append(f"\nof the approvals: {bare}. {policy}", style="bold yellow")
    return text


def _done(wanted: Wanted) -> str:
    parts = zip(_counts(wanted), ("added", "renewed", "removed"), strict=True)
    return ", ".join(f"{count} {done}" for count, done in parts if count)


def _to_do(wanted: Wanted) -> str:
    parts = zip(_counts(wanted), ("add", "renew", "remove"), strict=True)
    return ", ".join(f"{to_do} {count}" for count, to_do in parts if count)


def _counts(wanted: Wanted) -> tuple[str, str, str]:
    """What is added, renewed and removed, each in words, or "" for none."""
    approvals, revocations = (len(wanted.approvals), "approval"), (len(wanted.revocations), "revocation")
    return (
        " and ".join(many(count, entry) for count, entry in (approvals, revocations) if count),
        many(len(wanted.renewals), "approval") if wanted.renewals else "",
        many(len(wanted.lifted), "revocation") if wanted.lifted else "",
    )


def _lacking(wanted: Wanted, field: str) -> list[Entry]:
    """The approvals that the safelist gets without this field."""
    return [entry for entry in (*wanted.approvals, *(new for _, new in wanted.renewals)) if not getattr(entry, field)]
