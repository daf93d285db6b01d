"""Users to approve → what the safelists lack of them. For `safelist import`: lists of users, or a recorded run.

It fails closed: whom the safelists revoke, or know under another user id, no import approves. Who is approved already,
there or by an entry that reaches further, is left as it is.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from scanner.errors import Fault, FaultsError
from scanner.files import read_text
from scanner.model import (
    Account,
    AccountId,
    Basis,
    Determination,
    Entry,
    Revocation,
    Scope,
    Selector,
    UserId,
)
from scanner.record import ReviewDecision, SafelistText
from scanner.safelist import wording
from scanner.safelist.entries import check_organization, entry_of, parse
from scanner.safelist.explain import Question, explain_in
from scanner.safelist.fields import REQUIRABLE
from scanner.safelist.file_changes import FileChange, Renewable, Shelf, Wanted, bare, changes
from scanner.safelist.import_request import Request, fields_of, option, place_of
from scanner.safelist.match import Decision, Index, state
from scanner.safelist.name_lists import Listed, Place, read_list
from scanner.safelist.places import Places, UnknownPlaceError, nowhere
from scanner.safelist.policy import Breach, breaches
from scanner.safelist.run_comparison import Compared, RunUsers
from scanner.safelist.run_users import users_of
from scanner.safelist.types import Policy, Safelist, arn_parts, arn_path, fold, selected_name

BASELINE_DAYS: Final = 100  # a scan each quarter comes before it ends
_KEPT: Final = ("kind", "owner", "ticket")  # of an entry that is renewed, unless the list says otherwise
_BASELINE = "Baseline of run"
_LEAVE_OUT = "Take it out of the list; who is to be approved all the same needs a review."


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A user whom an import does not approve, and why."""

    entry: Entry
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Additions:
    """What an import would add."""

    read: int  # users, each counted once
    repeated: int  # users that came again
    already: tuple[tuple[Entry, Entry], ...]  # who is approved already, and by which entry
    refused: tuple[Refused, ...]  # of a run; in a list, they are faults
    otherwise: tuple[Entry, ...]  # of `already`, those of whom a list says something that their entry does not
    compared: Compared  # of the new entries, those that name no user of the run that lists are compared with
    wanted: Wanted
    changes: tuple[FileChange, ...]
    notes: tuple[str, ...]

    @property
    def added(self) -> list[Entry]:
        return [*self.wanted.approvals, *(new for _, new in self.wanted.renewals)]


def additions(request: Request, texts: Sequence[SafelistText], into: Path | None, today: date) -> Additions:
    """What the safelists lack of the users that are named; raise `FaultsError` with all that is wrong."""
    faults: list[Fault] = []
    safelist = parse(texts)
    notes: tuple[str, ...] = ()
    if request.record is not None:
        organization = request.record.header.organization
        notes = check_organization(safelist, organization.id if organization else None)
    place = place_of(request, faults)
    is_placed = not faults
    given = fields_of(request, faults)
    found = users_of(request.record) if request.is_baseline and request.record else ()
    for path in request.lists:
        try:
            found += read_list(path, read_text(path), place, request.columns, faults)
        except FaultsError as error:
            faults += error.faults
    judge = _Judge(request, safelist, given, today)
    for listed in found:
        judge.add(listed, is_placed=is_placed)
    faults += judge.all_faults()
    if faults:
        raise _refusal(faults, request.lists)
    wanted = Wanted(approvals=tuple(judge.approvals), renewals=tuple(judge.renewals), revocations=(), lifted=())
    return Additions(
        read=len(judge.seen),
        repeated=judge.repeated,
        already=tuple(judge.already),
        refused=tuple(judge.refused),
        otherwise=tuple(judge.otherwise),
        compared=judge.compared(),
        wanted=wanted,
        changes=changes([Shelf(texts=tuple(texts), wanted=wanted)], texts, [into] if into else []),
        notes=notes,
    )


def _refusal(faults: Sequence[Fault], lists: Sequence[Path]) -> FaultsError:
    """All faults: of options, then by file and line."""
    files = {str(path): number for number, path in enumerate(lists, start=1)}
    in_order = sorted(faults, key=lambda fault: (files.get(fault.file, 0), fault.line or 0))
    count = "1 fault" if len(faults) == 1 else f"{len(faults):,} faults"
    return FaultsError(in_order, outcome=f"{count}. Nothing was imported.")


# --- judging ---------------------------------------------------------------------------------------------------------


class _Judge:
    """Takes users one by one, and says what becomes of each."""

    def __init__(self, request: Request, safelist: Safelist, given: Mapping[str, Any], today: date) -> None:
        self._request = request
        self._policy = safelist.policy or Policy()
        self._today = today
        self._index = Index(safelist, today)
        self._renewable = Renewable(safelist.entries)
        self._pinned_in_ous: dict[str, list[Entry]] = {}
        for entry in safelist.entries:
            if entry.scope is Scope.OU and entry.user_id is not None:
                self._pinned_in_ous.setdefault(fold(selected_name(entry) or ""), []).append(entry)
        self._given = {"approved_on": today, **self._ends(), **given}
        self._places = Places(request.record)
        self._run_users = RunUsers(request.record) if request.record and not request.is_baseline else None
        self._revoked: dict[tuple[str, str], Revocation] = {
            (revocation.account_id, fold(revocation.user)): revocation for revocation in safelist.revocations
        }
        self._paths = {
            (parts[0], fold(parts[1])): arn_path(entry.value)
            for entry in safelist.entries
            if entry.selector is Selector.ARN and (parts := arn_parts(entry.value))
        }
        self.seen: dict[tuple[Place, str, str | None], Listed] = {}
        self.repeated = 0
        self.already: list[tuple[Entry, Entry]] = []
        self.otherwise: list[Entry] = []
        self.refused: list[Refused] = []
        self.approvals: list[Entry] = []
        self.renewals: list[tuple[Entry, Entry]] = []
        self._faults: list[Fault] = []
        self._missing: Counter[tuple[str, str]] = Counter()  # file and field that the policy requires of each entry

    def _ends(self) -> Mapping[str, date]:
        """When a baseline ends, unless that is said."""
        if not self._request.is_baseline:
            return {}
        return {"expires_on": self._today + timedelta(days=min(BASELINE_DAYS, self._policy.max_days or BASELINE_DAYS))}

    def all_faults(self) -> Iterator[Fault]:
        """Each once: what an option says is wrong for all users alike."""
        yield from dict.fromkeys(self._faults)
        for (file, name), count in self._missing.items():
            users = "1 user has" if count == 1 else f"{count:,} users have"
            yield Fault(file=file, problem=f"{users} no {name}, which the policy requires.", remedy=_give(name))

    def compared(self) -> Compared:
        """Of the new entries, those that name no user of the run that lists are compared with."""
        new = [*self.approvals, *(entry for _, entry in self.renewals)]
        return self._run_users.compared(new) if self._run_users else Compared()

    def add(self, listed: Listed, *, is_placed: bool = True) -> None:
        """Take a user; `is_placed` tells whether the place that options give can be one."""
        entry = listed.entry
        if listed.is_faulty:
            if is_placed:
                self._account(listed)
            return
        place = (entry.scope, entry.scope_value)
        name = selected_name(entry) or ""
        if self._is_repeated(listed, place, name):
            return
        # Without a place nothing is imported: what else is wrong is found by what holds everywhere.
        account = (self._account(listed) if is_placed else None) or nowhere(entry)
        if self._is_nameable(listed):
            self._judge(listed, account, name)

    def _judge(self, listed: Listed, account: Account, name: str) -> None:
        entry = listed.entry
        path = arn_path(listed.arn) if listed.arn else self._paths.get((account.id, fold(name)), "/")
        question = Question(account_id=account.id, ou=None, user_name=name, user_id=entry.user_id, path=path)
        decision, _ = explain_in(self._index, account, question)
        found = decision.entry
        pinned = found if isinstance(found, Entry) and found.user_id is not None and not entry.user_id else None
        if isinstance(found, Entry) and self._approves(found, decision, pinned):
            self.already.append((entry, found))
            if self._says_otherwise(entry, found):
                self.otherwise.append(entry)
        elif (revocation := self._revocation(entry, name, found)) is not None:
            self._refuse(listed, wording.revoked(revocation), _LEAVE_OUT)
        elif (last := self._removal(account.id, entry)) is not None:
            why = f"A review decided on {last.reviewed_on} to {last.choice.lower()} it (by {last.reviewer})"
            self._refuse(listed, why, _LEAVE_OUT)
        elif entry.user_id and (said := self._request.forbidden.get((account.id, UserId(entry.user_id)))):
            self._refuse(listed, f"By the safelists of the run: {said.removesuffix('.')}", _LEAVE_OUT)
        elif decision.basis is Basis.USER_RECREATED and pinned is not None:
            why = f"{pinned.at} is for user ID {pinned.user_id} alone, and approves it no longer"
            self._refuse(listed, why, "Give its user ID too, in a column user_id.")
        elif decision.basis is Basis.USER_RECREATED:
            self._refuse(listed, self._with_known_id(entry, decision.explanation), _LEAVE_OUT)
        elif (other := self._elsewhere(entry, name)) is not None:
            why = f"{other.at} approves user ID {other.user_id} of that name in OU {other.scope_value}"
            remedy = "Give --run RUN, by which it is known whether the account is in that OU; or remove the row."
            self._refuse(listed, why, remedy)
        else:
            self._approve(listed)

    def _says_otherwise(self, entry: Entry, found: Entry) -> bool:
        """Whether a list says of somebody who is approved what that entry does not: nothing of it is taken."""
        if self._request.is_baseline:
            return False
        said = {name: getattr(entry, name) or self._given.get(name) for name in (*_KEPT, "reason", "expires_on")}
        return any(value is not None and value != getattr(found, name) for name, value in said.items())

    def _with_known_id(self, entry: Entry, explanation: str) -> str:
        """The explanation; first, where the run knows that user by another ID, that the list may be wrong."""
        if self._run_users is None:
            return explanation
        known = sorted({user.user_id for user in self._run_users.named(entry)})
        return (
            f"In the run its user ID is {', '.join(known)}: is user_id right? {explanation}" if known else explanation
        )

    def _elsewhere(self, entry: Entry, name: str) -> Entry | None:
        """An entry for another user of that name in an OU, where no run says whether the account is in it."""
        if self._request.record is not None or entry.user_id is None:
            return None
        pinned = self._pinned_in_ous.get(fold(name), ())
        return next((other for other in pinned if other.user_id != entry.user_id), None)

    def _approves(self, found: Entry, decision: Decision, pinned: Entry | None) -> bool:
        """Whether a user is approved already; of one whose user id is not known, the user that is pinned."""
        if decision.determination is Determination.APPROVED:
            return True
        return found is pinned and state(found, self._today) is Basis.SAFELISTED

    def _is_repeated(self, listed: Listed, place: Place, name: str) -> bool:
        entry = listed.entry
        key = (place, fold(name), entry.user_id if self._request.is_baseline else None)
        first = self.seen.setdefault(key, listed)
        if first is listed:
            return False
        if _says(first.entry) != _says(entry):
            problem = f"{name} is in {first.entry.at} already, with something else beside it."
            self._faults.append(listed.fault(problem, "Keep one of the two."))
        self.repeated += 1
        return True

    def _is_nameable(self, listed: Listed) -> bool:
        """Whether a safelist can name the user; those of lists were checked when they were read."""
        entry = listed.entry
        if self._request.is_baseline:
            values = {"user": entry.value, "user_id": entry.user_id or ""}
            _, wrong = entry_of(values, (entry.scope, entry.scope_value), entry.file, 0)
            if wrong:
                self._refuse(listed, wrong[0].problem.rstrip("."), "")
                return False
        return True

    def _account(self, listed: Listed) -> Account | None:
        """Where to look whether a user is approved already; None where the organization has no such place."""
        try:
            return self._places.find(listed.entry)
        except UnknownPlaceError as error:
            named = next((name for name in ("account", "ou") if getattr(self._request, name) is not None), None)
            fault = listed.fault(error.problem, error.remedy)
            self._faults.append(replace(fault, file=f"--{named}", line=None) if named else fault)
            return None

    def _revocation(self, entry: Entry, name: str, found: Entry | Revocation | None) -> Revocation | None:
        """What revokes this user, or one of its name in its account, whatever its user id."""
        if isinstance(found, Revocation):
            return found
        return self._revoked.get((entry.scope_value, fold(name))) if entry.scope is Scope.ACCOUNT else None

    def _removal(self, account_id: AccountId, entry: Entry) -> ReviewDecision | None:
        """What a review decided of this very user, if that was to remove or quarantine it."""
        last = self._request.decisions.get((account_id, UserId(entry.user_id))) if entry.user_id else None
        return last if last is not None and last.is_removal else None

    def _refuse(self, listed: Listed, why: str, remedy: str) -> None:
        if self._request.is_baseline:
            self.refused.append(Refused(entry=listed.entry, why=why))
        else:
            who = selected_name(listed.entry)
            self._faults.append(listed.fault(f"{who} is not approved by an import. {why}.", remedy))

    def _approve(self, listed: Listed) -> None:
        old = self._renewable.taken_by(listed.entry, listed.arn)
        new = self._completed(listed, old)
        before = len(self._faults) + self._missing.total()
        for breach in breaches(new, self._policy):
            self._breach(listed, new, breach)
        if new.expires_on is not None and new.expires_on < max(self._today, new.approved_on or self._today):
            is_past = new.expires_on < self._today
            problem = f"{new.expires_on} {'lies in the past' if is_past else 'is before approved_on'}."
            self._wrong(listed, "expires_on", problem, "Give a later day.")
        if len(self._faults) + self._missing.total() > before:
            return
        if old is None:
            self.approvals.append(new)
            return
        new = replace(new, selector=old.selector, value=old.value)
        if bare(old) == bare(new):  # one that starts later
            self.already.append((listed.entry, old))
        else:
            self.renewals.append((old, new))

    def _completed(self, listed: Listed, old: Entry | None) -> Entry:
        """The entry with what it does not say itself: from the one that it renews, else from the options."""
        kept = {name: getattr(old, name) for name in _KEPT if getattr(old, name, None) is not None}
        owner = {"owner": listed.account_owner} if listed.account_owner else {}
        own = {name: value for name in REQUIRABLE if (value := getattr(listed.entry, name)) is not None}
        new = replace(listed.entry, **{**self._given, **owner, **kept, **own})
        if not self._request.is_baseline:
            return new
        said = new.reason or (old.reason if old else None) or ""
        more = "" if said.startswith(_BASELINE) or not said else f": {said}"
        return replace(new, reason=f"{listed.entry.file.replace('run', _BASELINE, 1)}, in need of review{more}")

    def _breach(self, listed: Listed, new: Entry, breach: Breach) -> None:
        name, policy = breach.field, self._policy
        if getattr(new, name) is None:
            if name in listed.columns:
                problem = f"{selected_name(new)} has no {name}, which the policy requires."
                self._faults.append(listed.fault(problem, f"Fill in {name}, or give {option(name)}."))
            elif name not in self._request.fields:  # else what was given is a fault already
                self._missing[listed.entry.file, name] += 1
            return
        if name == "approved_by":
            remedy = f"The policy's approvers are: {', '.join(policy.approvers or ())}."
        else:
            remedy = f"The last day possible is {(new.approved_on or self._today) + timedelta(policy.max_days or 0)}."
        self._wrong(listed, name, f"The approval would break the policy: {breach.words}.", remedy)

    def _wrong(self, listed: Listed, name: str, problem: str, remedy: str) -> None:
        """Report a value where it was given: in the list, or by an option."""
        if getattr(listed.entry, name) is None:
            self._faults.append(Fault(file=option(name), problem=problem, remedy=remedy))
        else:
            self._faults.append(listed.fault(problem, remedy))


def _says(entry: Entry) -> Entry:
    return replace(entry, value=fold(selected_name(entry) or ""), selector=Selector.USER, file="", line=0)


def _give(name: str) -> str:
    if name == "user_id":
        return "Add it in a CSV with a column user_id, or take the users of a run with --baseline."
    return f"Give {option(name)}."
