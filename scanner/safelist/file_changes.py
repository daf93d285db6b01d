"""What is to change in safelists → which file changes, and how. Pure: nothing is written here."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from difflib import unified_diff
from pathlib import Path

from scanner.errors import UsageError
from scanner.model import Entry, Revocation, Scope, Selector
from scanner.record import SafelistText
from scanner.safelist.edit import Edits, edited
from scanner.safelist.types import fold, selected_name

_NO_END = "\\ No newline at end of file"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """A safelist file before and after."""

    before: SafelistText
    after: str

    @property
    def path(self) -> str:
        return self.before.path

    def diff(self) -> str:
        """As `patch` reads it."""
        lines = unified_diff(
            self.before.text.splitlines(keepends=True), self.after.splitlines(keepends=True), self.path, self.path
        )
        return "".join(line if line.endswith("\n") else f"{line}\n{_NO_END}\n" for line in lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the safelists lack."""

    approvals: tuple[Entry, ...]
    renewals: tuple[tuple[Entry, Entry], ...]  # an entry of this very user in its scope, and what takes its place
    revocations: tuple[Revocation, ...]
    lifted: tuple[Revocation, ...]  # they forbid what is now approved

    def __bool__(self) -> bool:
        return bool(self.approvals or self.renewals or self.revocations or self.lifted)


class Renewable:
    """The entries that a new approval can take the place of: those for this one user in the very same scope."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        # Of several, the one that ends last is renewed; `safelist check` lists the others as duplicates or expired.
        self._entries = {
            self._key(
                entry, fold(entry.value) if entry.selector is Selector.USER else entry.value, entry.user_id
            ): entry
            for entry in sorted(entries, key=lambda entry: entry.expires_on or date.max)
            # An ARN in a wider scope is for one account of it.
            if entry.selector is Selector.USER or (entry.selector is Selector.ARN and entry.scope is Scope.ACCOUNT)
        }

    def taken_by(self, approval: Entry, arn: str | None) -> Entry | None:
        """The entry pinned to this user, else one for its name or its ARN, where that is known.

        Never one pinned to another user, and none to two.
        """
        who = (fold(selected_name(approval) or ""), arn or "")
        keys = [self._key(approval, each, user_id) for user_id in (approval.user_id, None) for each in who]
        key = next((key for key in keys if key in self._entries), None)
        return None if key is None else self._entries.pop(key)

    @staticmethod
    def _key(entry: Entry, who: str, user_id: str | None) -> tuple[Scope, str, str, str | None]:
        return entry.scope, entry.scope_value, who, user_id


def changes(wanted: Wanted, texts: Sequence[SafelistText], into: Path | None) -> tuple[FileChange, ...]:
    """The files with all that is wanted; raise `UsageError` where it is not plain which file takes what is new."""
    target = _target(texts, into, needed=bool(wanted.approvals or wanted.revocations))
    found = []
    for text in texts:
        edits = Edits(
            approvals=wanted.approvals if text is target else (),
            revocations=wanted.revocations if text is target else (),
            renewals=tuple((old, new) for old, new in wanted.renewals if old.file == text.path),
            lifted=tuple(revocation for revocation in wanted.lifted if revocation.file == text.path),
        )
        if edits != Edits():
            found.append(FileChange(before=text, after=edited(text, edits)))
    return tuple(found)


def _target(texts: Sequence[SafelistText], into: Path | None, *, needed: bool) -> SafelistText | None:
    names = ", ".join(text.path for text in texts)
    if into is not None:
        for text in texts:
            if Path(text.path).resolve() == into.resolve():
                return text
        raise UsageError(f"--into {into} is not among the safelist files that are read: {names}.")
    if needed and len(texts) > 1:
        raise UsageError(f"There are several safelist files: {names}. Say with --into which one takes the changes.")
    return texts[0]


def bare(entry: Entry) -> Entry:
    """An entry without its place: two that say the same are equal."""
    return replace(entry, value=fold(entry.value), file="", line=0, invalid=())
