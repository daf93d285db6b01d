"""What the safelists say of a user who is known by name alone: for `safelist explain`, without AWS."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from scanner.errors import UsageError
from scanner.model import (
    Account,
    AccountId,
    Basis,
    Determination,
    Entry,
    IamUser,
    OrganizationalUnit,
    Scope,
    UserId,
)
from scanner.safelist.match import Decision, Index
from scanner.safelist.types import Safelist, fold, selected_name
from scanner.text import is_account_id, is_ou_id

UNDECIDED = "Not approved, as this cannot be decided without --user-id"
UNEXPLAINED = "Not approved, whatever the user ID; why is not known without --user-id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A user, as far as it is known."""

    account_id: str
    ou: str | None  # of the account, by ID or path
    user_name: str
    user_id: str | None
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    decision: Decision
    is_decided: bool  # False: it depends on the user id, which was not given
    notes: tuple[str, ...]  # what was not given and could change the answer


def explain(question: Question, safelist: Safelist, day: date) -> Explanation:
    """Decide as a scan would on that day; raise `UsageError` where the question names no account, OU or path."""
    if not is_account_id(question.account_id):
        raise UsageError(f"--account {question.account_id} is not a valid account ID. Give its 12 digits.")
    ous = ous_known_by(question.ou) if question.ou is not None else ()
    account = Account(id=AccountId(question.account_id), name=question.account_id, state=None, ous=ous)
    decision, is_decided = explain_in(Index(safelist, day), account, question)
    return Explanation(decision=decision, is_decided=is_decided, notes=tuple(_notes(safelist, question.ou)))


def explain_in(index: Index, account: Account, question: Question) -> tuple[Decision, bool]:
    """What is decided of the user of a question in this account, and whether that is known without its user id."""
    user = _user(question, account, index.partition)
    undecided = None if question.user_id else _undecided(index, account, user)
    return undecided or index.decide(account, user), undecided is None


def ous_known_by(ou: str) -> tuple[OrganizationalUnit, ...]:
    """The OUs from the root down to this one, as far as its id or its path says; raise `UsageError` for neither."""
    if is_ou_id(ou):
        return (OrganizationalUnit(id=ou, name=ou, path=ou, addressable=False),)
    names = ou.split("/")
    if not all(names):
        raise UsageError(f"--ou {ou} is not the path of an OU. Write it as Root/Prod/Payments, or give the OU's ID.")
    paths = ["/".join(names[:depth]) for depth in range(1, len(names) + 1)]
    return tuple(OrganizationalUnit(id=None, name=name, path=path) for name, path in zip(names, paths, strict=True))


def _user(question: Question, account: Account, partition: str) -> IamUser:
    name, path = question.user_name, question.path
    if not (path.startswith("/") and path.endswith("/")):
        raise UsageError(f"--path {path} is not a valid user path. It begins and ends with /.")
    return IamUser(
        user_id=UserId(question.user_id or "(not given)"),
        user_name=name,
        path=path,
        arn=f"arn:{partition}:iam::{account.id}:user{path}{name}",
        created_at=datetime.min.replace(tzinfo=UTC),  # no decision depends on it
    )


def _undecided(index: Index, account: Account, user: IamUser) -> Decision | None:
    """What to answer where the user id was not given and the decision depends on it; None where it does not.

    Such a user is not approved, and nothing is said of it that only its id could tell.
    """
    without_id = index.decide(account, user)
    name = fold(user.user_name)
    if without_id.basis is Basis.USER_RECREATED and isinstance(without_id.entry, Entry):
        ids = (entry.user_id for entry in index.safelist.entries if fold(selected_name(entry) or "") == name)
        users = (replace(user, user_id=UserId(user_id)) for user_id in ids if user_id)
        with_id = (index.decide(account, possible) for possible in users)
        approval = next(
            (decision.entry for decision in with_id if decision.determination is Determination.APPROVED), None
        )
        start, by = (UNDECIDED, approval) if isinstance(approval, Entry) else (UNEXPLAINED, without_id.entry)
        return replace(without_id, explanation=f"{start}: {by.at} is for user ID {by.user_id}", entry=by)
    if without_id.determination is Determination.APPROVED:
        for revocation in index.safelist.revocations:
            if revocation.user_id and revocation.account_id == account.id and fold(revocation.user) == name:
                return Decision(
                    determination=Determination.UNAPPROVED,
                    basis=Basis.REVOKED,
                    explanation=f"{UNDECIDED}: {revocation.at} revokes user ID {revocation.user_id}",
                    entry=revocation,
                )
    return None


def _notes(safelist: Safelist, ou: str | None) -> Iterator[str]:
    if any(entry.scope is Scope.OU for entry in safelist.entries):
        if ou is None:
            yield "Entries for OUs were left aside: give the account's --ou."
        elif is_ou_id(ou):
            yield "Entries for the OUs above this one, and by path, were left aside: give --ou as a path too."
        else:
            yield "Entries by OU ID were left aside: --ou was given as a path."
