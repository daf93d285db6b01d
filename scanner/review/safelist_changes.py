"""Decisions → what changes in which safelist file. Pure: nothing is written here."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from difflib import unified_diff
from pathlib import Path

from scanner.errors import Fault, UsageError
from scanner.model import Choice, Entry, Revocation, Scope
from scanner.record import SafelistText
from scanner.review.decisions import Decided
from scanner.safelist.edit import Edits, edited
from scanner.safelist.match import Index
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
    renewed = _Renewable(index.safelist.entries)
    renewals = [(old, _in_its_place(old, new)) for new in lacking if (old := renewed.by(new)) is not None]
    return Wanted(
        approvals=tuple(new for new in lacking if renewed.by(new) is None),
        renewals=tuple((old, new) for old, new in renewals if _bare(old) != _bare(new)),
        revocations=tuple(_revocation(one) for one in decided if one.decision.is_removal and not revoking(one, index)),
        lifted=tuple(dict.fromkeys(found for approval in approved for found in revoking(approval, index))),
    )


class _Renewable:
    """The entries that a new approval of a user can take the place of: those for this one user in its own account."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        named = [entry for entry in entries if entry.scope is Scope.ACCOUNT and selected_name(entry)]
        # Of several, the one that ends last is renewed; `safelist check` lists the others as duplicates or expired.
        self._entries = {
            self._user(entry, entry.user_id): entry
            for entry in sorted(named, key=lambda entry: entry.expires_on or date.max)
        }

    def by(self, approval: Entry) -> Entry | None:
        """The entry pinned to this user, else one for its name; never one that is pinned to another user."""
        pinned = self._entries.get(self._user(approval, approval.user_id))
        return pinned or self._entries.get(self._user(approval, None))

    @staticmethod
    def _user(entry: Entry, user_id: str | None) -> tuple[str, str, str | None]:
        return entry.scope_value, fold(selected_name(entry) or ""), user_id


def _in_its_place(old: Entry, new: Entry) -> Entry:
    return replace(new, selector=old.selector, value=old.value)


def revoking(decided: Decided, index: Index) -> tuple[Revocation, ...]:
    return index.revocations(decided.finding.account.id, decided.finding.user)


def forbidden(decided: Decided, index: Index) -> Fault | None:
    """The fault of an approval of somebody whom the safelists revoke; None where they do not."""
    found = revoking(decided, index) if decided.decision.choice is Choice.APPROVE else ()
    if not found:
        return None
    problem = f"{found[0].at} revokes this user, which beats every approval."
    return decided.fault("decision", problem, "Give --supersede to take that revocation out.")


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
