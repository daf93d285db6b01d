"""What is to change in safelists → which file changes, and how. Pure: nothing is written here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from difflib import unified_diff
from pathlib import Path
from typing import TypeVar

from scanner.errors import UsageError
from scanner.model import Entry, Revocation, Scope, Selector
from scanner.record import SafelistText
from scanner.safelist.edit import Edits, edited
from scanner.safelist.types import fold, selected_name

_T = TypeVar("_T")
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


def in_all(wanted: Iterable[Wanted]) -> Wanted:
    """What several want together; of what two organizations want of a file that is for both, each once."""
    found = list(wanted)
    return Wanted(
        approvals=_once(entry for one in found for entry in one.approvals),
        renewals=_once(pair for one in found for pair in one.renewals),
        revocations=_once(revocation for one in found for revocation in one.revocations),
        lifted=_once(revocation for one in found for revocation in one.lifted),
    )


def _once(values: Iterable[_T]) -> tuple[_T, ...]:
    return tuple(dict.fromkeys(values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """The safelist files that are for an organization, and what they lack."""

    texts: tuple[SafelistText, ...]
    wanted: Wanted
    organization_id: str | None = None  # where there are several, whose files these are
    own: tuple[SafelistText, ...] = ()  # and those of them that are for it alone


def changes(shelves: Sequence[Shelf], texts: Sequence[SafelistText], into: Sequence[Path]) -> tuple[FileChange, ...]:
    """The files with all that is wanted; raise `UsageError` where it is not plain which file takes what is new."""
    _check_into(into, texts)
    targets = [_target(shelf, into) for shelf in shelves]
    found = []
    for text in texts:
        new = in_all(shelf.wanted for shelf, target in zip(shelves, targets, strict=True) if target is text)
        everything = in_all(shelf.wanted for shelf in shelves)
        edits = Edits(
            approvals=new.approvals,
            revocations=new.revocations,
            renewals=tuple((old, renewed) for old, renewed in everything.renewals if old.file == text.path),
            lifted=tuple(revocation for revocation in everything.lifted if revocation.file == text.path),
        )
        if edits != Edits():
            found.append(FileChange(before=text, after=edited(text, edits)))
    return tuple(found)


def _is(text: SafelistText, path: Path) -> bool:
    return Path(text.path).resolve() == path.resolve()


def _check_into(into: Sequence[Path], texts: Sequence[SafelistText]) -> None:
    for path in into:
        if not any(_is(text, path) for text in texts):
            names = ", ".join(text.path for text in texts)
            raise UsageError(f"--into {path} is not among the safelist files that are read: {names}.")


def _target(shelf: Shelf, into: Sequence[Path]) -> SafelistText | None:
    """The file that takes what is new, of those named with --into, or the only one; None where nothing is new.

    Where there are several organizations, one that is for this organization alone goes before those that are for all.
    """
    named = [text for text in shelf.texts if any(_is(text, path) for path in into)]
    possible = named or shelf.texts
    candidates = [text for text in possible if text in shelf.own] or possible
    if len(candidates) == 1:
        return candidates[0]
    if not (shelf.wanted.approvals or shelf.wanted.revocations):
        return None
    several = "several files named with --into" if named else "several safelist files"
    whose = f" for organization {shelf.organization_id}" if shelf.organization_id else ""
    names = ", ".join(text.path for text in candidates)
    raise UsageError(f"There are {several}{whose}: {names}. Say with --into which one takes the changes.")


def bare(entry: Entry) -> Entry:
    """An entry without its place: two that say the same are equal."""
    return replace(entry, value=fold(entry.value), file="", line=0, invalid=())
