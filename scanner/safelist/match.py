"""Who is approved. Knows no clock and no files: the day comes in, and the same values give the same answer.

Every look-up is by key, so that the cost grows with the users plus the entries, and not with their product.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property

from scanner.model import (
    Account,
    AccountId,
    Basis,
    Determination,
    Entry,
    IamUser,
    OrganizationalUnit,
    Revocation,
    Scope,
    Selector,
)
from scanner.safelist import wording
from scanner.safelist.near import Neighbours
from scanner.safelist.patterns import Patterns
from scanner.safelist.types import Safelist, fold, selected_account, selected_name
from scanner.text import is_ou_id

CONSOLE_MADE = "bedrockapikey-"  # the Bedrock console names the user of a long-term API key BedrockAPIKey-xxxx


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    determination: Determination
    basis: Basis
    explanation: str
    entry: Entry | Revocation | None  # what decided it, for the user or against


def state(entry: Entry, as_of: date) -> Basis:
    """What an entry is on that day, taken alone: SAFELISTED where it may approve. Its first and last day count."""
    if entry.expires_on is not None and entry.expires_on < as_of:
        return Basis.APPROVAL_EXPIRED
    if entry.approved_on is not None and entry.approved_on > as_of:
        return Basis.APPROVAL_NOT_STARTED
    if entry.invalid:
        return Basis.APPROVAL_INVALID
    return Basis.SAFELISTED


def ou_keys(unit: OrganizationalUnit) -> Iterator[str]:
    """What an OU is known by: its id, and its path only where that is its own.

    An approval must not reach the accounts of another OU that happens to be called the same.
    """
    if unit.id is not None:
        yield unit.id
    if unit.addressable and not is_ou_id(unit.path):
        yield unit.path


def scopes(account: Account) -> Iterator[tuple[Scope, str]]:
    """The scopes that apply to an account, the most specific first."""
    yield Scope.ACCOUNT, account.id
    yield from ((Scope.OU, key) for unit in reversed(account.ous) for key in ou_keys(unit))
    yield Scope.GLOBAL, ""


class _Shelf:
    """The entries of one scope, in the order of the files and lines."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries = list(entries)
        # By account too, for ARNs: as many of them may be for one name as there are accounts.
        self._named: dict[tuple[str | None, str], list[tuple[int, Entry]]] = {}
        self._paths: dict[str, list[Entry]] = {}
        patterns: list[tuple[int, str]] = []
        for number, entry in enumerate(self._entries):
            if (name := selected_name(entry)) is not None:
                only = selected_account(entry) if entry.selector is Selector.ARN else None
                self._named.setdefault((only, fold(name)), []).append((number, entry))
            elif entry.selector is Selector.PATH:
                self._paths.setdefault(entry.value, []).append(entry)
            else:
                patterns.append((number, entry.value))
        self._patterns = Patterns(patterns)

    def named(self, account: Account, user: IamUser) -> Iterator[Entry]:
        """Entries for this user's name in this account, whatever the user id they are pinned to; pinned ones first."""
        name = fold(user.user_name)
        found = (*self._named.get((None, name), ()), *self._named.get((account.id, name), ()))
        return (entry for _, entry in sorted(found, key=lambda each: (each[1].user_id is None, each[0])))

    def loose(self, user: IamUser) -> Iterator[Entry]:
        """Entries whose pattern matches the name, then those that name the user's very path; not the paths below."""
        yield from (self._entries[number] for number in self._patterns.matching(user.user_name))
        yield from self._paths.get(user.path, ())


@dataclass(frozen=True, slots=True)
class _Matches:
    """The entries that are about a user, the most specific first."""

    own: tuple[Entry, ...]  # pinned to this very user, or to none
    strangers: tuple[Entry, ...]  # for the name, and pinned to another user id

    @property
    def eligible(self) -> tuple[Entry, ...]:
        """Those that could approve: where the name was approved for another user id, only those pinned to this one."""
        return tuple(entry for entry in self.own if entry.user_id is not None) if self.strangers else self.own


class Index:
    """A safelist, made ready to decide about users on one day."""

    def __init__(self, safelist: Safelist, as_of: date) -> None:
        self.safelist = safelist
        self.as_of = as_of
        members: dict[tuple[Scope, str], list[Entry]] = {}
        for entry in safelist.entries:
            members.setdefault((entry.scope, entry.scope_value), []).append(entry)
        self._shelves = {scope: _Shelf(entries) for scope, entries in members.items()}
        # Told once a name: many users may bear it, and many entries be for it.
        self._elsewhere = cache(self._say_elsewhere)
        self._near = cache(self._say_near)
        self._revoked_names: dict[tuple[AccountId, str], list[Revocation]] = {}
        self._revoked_ids: dict[tuple[AccountId, str], list[Revocation]] = {}
        for revocation in safelist.revocations:
            if revocation.user_id is None:
                self._revoked_names.setdefault((revocation.account_id, fold(revocation.user)), []).append(revocation)
            else:
                self._revoked_ids.setdefault((revocation.account_id, revocation.user_id), []).append(revocation)

    def decide(self, account: Account, user: IamUser) -> Decision:
        """Approved or not, on what basis, and why in one sentence."""
        if revocations := self.revocations(account.id, user):
            return _against(Basis.REVOKED, wording.revoked(revocations[0]), revocations[0])
        matches = self._matches(account, user)
        by_state: dict[Basis, Entry] = {}
        for entry in matches.eligible:
            by_state.setdefault(state(entry, self.as_of), entry)
        if (best := by_state.get(Basis.SAFELISTED)) is not None:
            return Decision(
                determination=Determination.APPROVED,
                basis=Basis.SAFELISTED,
                explanation=wording.approved(best),
                entry=best,
            )
        if matches.strangers and not matches.eligible:
            other = matches.strangers[0]
            return _against(Basis.USER_RECREATED, wording.recreated(other, user), other)
        for basis, explain in _REFUSALS.items():
            if (refused := by_state.get(basis)) is not None:
                return _against(basis, explain(refused), refused)
        return _against(Basis.NOT_SAFELISTED, self._hint(account, user), None)

    def approving(self, account: Account, user: IamUser) -> tuple[Entry, ...]:
        """Every entry that approves this user, the named reason first; none where a revocation holds."""
        if self.revocations(account.id, user):
            return ()
        eligible = self._matches(account, user).eligible
        return tuple(entry for entry in eligible if state(entry, self.as_of) is Basis.SAFELISTED)

    def revocations(self, account_id: AccountId, user: IamUser) -> tuple[Revocation, ...]:
        """Those that hold for a user.

        One without a user id holds for whoever bears the name, also after a recreation. One with a user id holds for
        that user, also under another name: a rename must not lift it. Its date does not count, as a decision to
        remove is not put off.
        """
        by_id = self._revoked_ids.get((account_id, user.user_id), ())
        return (*by_id, *self._revoked_names.get((account_id, fold(user.user_name)), ()))

    def revoking(self, entry: Entry) -> Revocation | None:
        """The revocation that leaves nobody for an entry to approve; it takes an entry for one name in one account."""
        account, name = selected_account(entry), selected_name(entry)
        if account is None or name is None:
            return None
        pinned = self._revoked_ids.get((AccountId(account), entry.user_id), ()) if entry.user_id else ()
        return next(iter((*pinned, *self._revoked_names.get((AccountId(account), fold(name)), ()))), None)

    def obstructed(self, account: Account, user: IamUser) -> Iterator[tuple[Entry, Entry | Revocation]]:
        """The entries that are about a user and cannot approve it, each with what keeps it from that.

        That is a revocation; or the entry itself, where it is for another user id; or such an entry beside it.
        """
        matches = self._matches(account, user)
        yield from ((entry, entry) for entry in matches.strangers)
        if revocations := self.revocations(account.id, user):
            yield from ((entry, revocations[0]) for entry in matches.own)
        elif matches.strangers:
            yield from ((entry, matches.strangers[0]) for entry in matches.own if entry.user_id is None)

    def _matches(self, account: Account, user: IamUser) -> _Matches:
        own: list[Entry] = []
        strangers: list[Entry] = []
        for scope in scopes(account):
            if (shelf := self._shelves.get(scope)) is None:
                continue
            for entry in shelf.named(account, user):
                if entry.user_id not in {None, user.user_id}:
                    strangers.append(entry)
                elif entry.selector is Selector.USER or entry.value == user.arn:
                    own.append(entry)
            own.extend(shelf.loose(user))
        return _Matches(tuple(own), tuple(strangers))

    def _hint(self, account: Account, user: IamUser) -> str:
        """What a reviewer may want to know of a user that no entry is about."""
        name = fold(user.user_name)
        if name in self._approved_names:
            here = self._approved_here.get((account.id, name))
            return wording.other_arn(here) if here else self._elsewhere(name)
        if name.startswith(CONSOLE_MADE):
            return f"{wording.NO_ENTRY}; {wording.CONSOLE_MADE}"
        if (near := self._neighbours.one_letter_away(user.user_name)) is not None:
            return self._near("one letter away from", near)
        if (near := self._neighbours.look_alike(user.user_name)) is not None:
            return self._near("looks like", near)
        return wording.NO_ENTRY

    def _say_elsewhere(self, name: str) -> str:
        return wording.elsewhere(self._approved_names[name])

    def _say_near(self, relation: str, name: str) -> str:
        entries = self._approved_names[name]
        return wording.near(relation, selected_name(entries[0]) or name, entries, self._revoked_accounts[name])

    @cached_property
    def partition(self) -> str:
        """An organization lies in one partition: that of the safelist's own ARNs."""
        arns = (entry.value for entry in self.safelist.entries if entry.selector is Selector.ARN)
        return next(arns, "arn:aws").split(":")[1]

    @cached_property
    def _approved_names(self) -> dict[str, list[Entry]]:
        """Folded name → the entries that approve it somewhere on this day, and are not revoked in that very account."""
        names: dict[str, list[Entry]] = {}
        for entry in self.safelist.entries:
            name = selected_name(entry)
            valid = state(entry, self.as_of) is Basis.SAFELISTED and self.revoking(entry) is None
            if name is not None and valid:
                names.setdefault(fold(name), []).append(entry)
        return names

    @cached_property
    def _approved_here(self) -> dict[tuple[str | None, str], Entry]:
        """Account and folded name → the first of those entries that is for this account alone."""
        here: dict[tuple[str | None, str], Entry] = {}
        for name, entries in self._approved_names.items():
            for entry in entries:
                here.setdefault((selected_account(entry), name), entry)
        return here

    @cached_property
    def _revoked_accounts(self) -> Counter[str]:
        """Folded name → in how many accounts it is revoked, whoever bears it."""
        return Counter(name for _account, name in self._revoked_names)

    @cached_property
    def _neighbours(self) -> Neighbours:
        return Neighbours(self._approved_names)


_REFUSALS = {
    Basis.APPROVAL_EXPIRED: wording.expired,
    Basis.APPROVAL_NOT_STARTED: wording.not_started,
    Basis.APPROVAL_INVALID: wording.invalid,
}


def _against(basis: Basis, explanation: str, entry: Entry | Revocation | None) -> Decision:
    return Decision(determination=Determination.UNAPPROVED, basis=basis, explanation=explanation, entry=entry)
