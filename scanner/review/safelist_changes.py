"""Decisions → what changes in which safelist file. Pure: nothing is written here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from difflib import unified_diff
from pathlib import Path
from typing import TypeVar

from scanner.errors import Fault, UsageError
from scanner.model import Choice, Entry, Revocation, Scope
from scanner.record import SafelistText
from scanner.review.decisions import Decided
from scanner.safelist.edit import Edits, edited
from scanner.safelist.match import Index
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
    """What the safelists lack of the decisions."""

    approvals: tuple[Entry, ...]
    renewals: tuple[tuple[Entry, Entry], ...]  # an entry of this very user in its account, and what takes its place
    revocations: tuple[Revocation, ...]
    lifted: tuple[Revocation, ...]  # they forbid what is now approved

    def __bool__(self) -> bool:
        return bool(self.approvals or self.renewals or self.revocations or self.lifted)


def wanted(decided: Sequence[Decided], index: Index) -> Wanted:
    """What is to be added and taken out; what is there already is neither."""
    known = {_bare(entry) for entry in index.safelist.entries}
    approved = [one for one in decided if one.decision.choice is Choice.APPROVE]
    lacking = [one.approval for one in approved if _bare(one.approval) not in known]
    renewable = _Renewable(index.safelist.entries)
    approvals, renewals = [], []
    for new in lacking:
        if (old := renewable.taken_by(new)) is None:
            approvals.append(new)
        else:
            renewals.append((old, replace(new, selector=old.selector, value=old.value)))
    return Wanted(
        approvals=tuple(approvals),
        renewals=tuple((old, new) for old, new in renewals if _bare(old) != _bare(new)),
        revocations=tuple(_revocation(one) for one in decided if one.decision.is_removal and not revoking(one, index)),
        lifted=tuple(dict.fromkeys(found for approval in approved for found in revoking(approval, index))),
    )


def in_all(of_runs: Iterable[Wanted]) -> Wanted:
    """What several runs' decisions want; of what two organizations want of a file that is for both, each once."""
    found = list(of_runs)
    return Wanted(
        approvals=_once(entry for one in found for entry in one.approvals),
        renewals=_once(pair for one in found for pair in one.renewals),
        revocations=_once(revocation for one in found for revocation in one.revocations),
        lifted=_once(revocation for one in found for revocation in one.lifted),
    )


def _once(values: Iterable[_T]) -> tuple[_T, ...]:
    return tuple(dict.fromkeys(values))


class _Renewable:
    """The entries that a new approval of a user can take the place of: those for this one user in its own account."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        named = [entry for entry in entries if entry.scope is Scope.ACCOUNT and selected_name(entry)]
        # Of several, the one that ends last is renewed; `safelist check` lists the others as duplicates or expired.
        self._entries = {
            self._user(entry, entry.user_id): entry
            for entry in sorted(named, key=lambda entry: entry.expires_on or date.max)
        }

    def taken_by(self, approval: Entry) -> Entry | None:
        """The entry pinned to this user, else one for its name; never one pinned to another user, none to two."""
        keys = (self._user(approval, approval.user_id), self._user(approval, None))
        key = next((key for key in keys if key in self._entries), None)
        return None if key is None else self._entries.pop(key)

    @staticmethod
    def _user(entry: Entry, user_id: str | None) -> tuple[str, str, str | None]:
        return entry.scope_value, fold(selected_name(entry) or ""), user_id


def revoking(decided: Decided, index: Index) -> tuple[Revocation, ...]:
    return index.revocations(decided.finding.account.id, decided.finding.user)


def forbidden(decided: Decided, index: Index) -> Fault | None:
    """The fault of an approval of somebody whom the safelists revoke; None where they do not."""
    found = revoking(decided, index) if decided.decision.choice is Choice.APPROVE else ()
    if not found:
        return None
    problem = f"{found[0].at} revokes this user, which beats every approval."
    return decided.fault("decision", problem, "Give --supersede to take that revocation out.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """The safelist files that are for a run's organization, and what they lack."""

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
        all_ = in_all(shelf.wanted for shelf in shelves)
        edits = Edits(
            approvals=new.approvals,
            revocations=new.revocations,
            renewals=tuple((old, renewed) for old, renewed in all_.renewals if old.file == text.path),
            lifted=tuple(revocation for revocation in all_.lifted if revocation.file == text.path),
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


def _revocation(decided: Decided) -> Revocation:
    decision = decided.decision
    return Revocation(
        account_id=decision.account_id,
        user=decided.finding.user.user_name,
        user_id=decision.user_id,
        by=decision.reviewer,
        on=decision.reviewed_on,
        ticket=decision.ticket,
        file="",
        line=0,
    )


def _bare(entry: Entry) -> Entry:
    return replace(entry, value=fold(entry.value), file="", line=0, invalid=())
