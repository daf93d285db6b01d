"""What a reviewer might decide about a user, with the ground, and whom to ask: a help, never a decision. Pure."""

import re
from collections.abc import Collection, Iterator, Sequence, Set
from datetime import date

from scanner.audit.triage import CHANGED, Days
from scanner.model import Access, Basis, Change, Determination, Entry, ServiceCredential
from scanner.record import ReviewDecision, UserKey
from scanner.report.review_facts import NOT_MATCHED, made_on, maker, means
from scanner.report.rows import UserRow
from scanner.report.words import days
from scanner.safelist.usage import ends_soon

TAGS_NAMED = 3
IN_USE = 30  # days since the last use that count as in use
SURELY_UNUSED = 180  # days without use, after which not even a job of each quarter needs it
# Words in the keys of tags that name who answers for a user: "Owner", "team-name", "contactEmail".
OWNERS = frozenset({"owner", "owners", "team", "contact", "maintainer", "responsible"})

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")


def suggestion(row: UserRow, last: ReviewDecision | None, by: Days, *, unadministered: str = "") -> str:
    """One line on what to decide, and one on whom to ask; `unadministered` as of `left_unadministered`."""
    decision = _decision(row, last, by)
    if unadministered and not decision.startswith("Keep"):
        decision += f"; {unadministered}"
    named = "; ".join(_to_ask(row))
    ask = f"Ask: {named or 'nobody is named'}"
    if _may_be_an_attack(row):
        ask = f"Ask first whoever sent this file{named and f'; then: {named}'}"
    lines = (decision, ask)
    return "\n".join(" ".join(line.split()) for line in lines)


def is_to_go(row: UserRow, last: ReviewDecision | None, by: Days) -> bool:
    """Whether it is suggested to remove or to quarantine the user, and nothing else."""
    return _decision(row, last, by).startswith(("Remove", "Quarantine"))


def left_unadministered(user: UserKey, administrators: Collection[UserKey], to_go: Set[UserKey]) -> str:
    """What to see to before this administrator of an account goes, as no other might be left; "" where one is.

    `administrators` are those of the account that can get in. `remediate` spares the last one.
    """
    others = set(administrators) - {user}
    is_last = user in administrators and (not others or (user in to_go and others <= to_go))
    if not is_last:
        return ""
    who = "none of the IAM users who are to stay is" if others else "no other IAM user is"
    return f"before it goes, make sure that somebody can administer this account: {who} known to"


def _decision(row: UserRow, last: ReviewDecision | None, by: Days) -> str:
    finding = row.finding
    if last is not None and last.is_removal:
        return f"{last.choice}: decided on {last.reviewed_on}, and still there"
    if finding.basis is Basis.REVOKED:
        return "Remove: revoked in the safelist, and still there"
    if changed := _changed(row):
        return f"{'Approve again' if _approved(row) else 'Approve'} or remove: {changed}; {_use(row)}"
    if unused := _unused(row, by.today):
        # What cannot be seen may still be in use: that is disabled first, as it can be enabled again.
        unseen = _unseen(row)
        ago = row.activity.days_since_activity
        is_recent = ago is not None and ago < SURELY_UNUSED and not _without_credentials(row)
        choice = "Quarantine" if unseen or is_recent else "Remove"
        return f"{choice}: {unused}; {unseen}" if unseen else f"{choice}: {unused}"
    return _of_approved(row, by) if _approved(row) else f"{_of_unapproved(row)}: {_use(row)}{_name(row)}"


def _changed(row: UserRow) -> str | None:
    if row.finding.basis is Basis.USER_RECREATED:
        return "the approval was for an earlier user of that name"
    return next((words for change, words in CHANGED.items() if change in row.finding.changes), None)


def _of_approved(row: UserRow, by: Days) -> str:
    entry = row.finding.entry
    ends = isinstance(entry, Entry) and ends_soon(entry, by.as_of)
    return f"{'Approve again, or Keep and let it end' if ends else 'Keep'}: {_use(row)}"


def _of_unapproved(row: UserRow) -> str:
    match row.finding.basis:
        case Basis.APPROVAL_NOT_STARTED:
            return "Defer until its approval starts, or approve"
        case Basis.APPROVAL_EXPIRED | Basis.APPROVAL_INVALID:
            return "Approve again or remove"
        case _:
            return "Approve or remove"


def _approved(row: UserRow) -> bool:
    return row.finding.determination is Determination.APPROVED


def _unused(row: UserRow, today: date) -> str:
    """Why nobody would miss its password and keys; "" where somebody might, or that is not known."""
    used, user = row.activity, row.finding.user
    if not (used.dormant or _without_credentials(row)):
        return ""
    if _without_credentials(row):
        what = "no password and no active key"
    elif used.days_since_activity is not None:
        return f"last used {days(used.days_since_activity)} ago"
    else:
        what = "console password never used" if used.active_access_keys == 0 else "no recorded use of password or keys"
    return f"{what}, made {days(max(0, (today - made_on(user)).days))} ago"


def _unseen(row: UserRow) -> str:
    """Which credentials it may have whose use nobody records; "" where it has none."""
    found = row.finding.user.service_credentials
    if found is None:
        return "service credentials not known"
    return f"its {_held(found)} credential may be in use" if found else ""


def _held(found: Sequence[ServiceCredential]) -> str:
    return ", ".join(sorted({credential.service for credential in found}))


def _name(row: UserRow) -> str:
    """That an approved user of almost the same name is another one: the facts say which."""
    return "; its name resembles an approved one: see facts" if _is_alike(row) else ""


def _is_alike(row: UserRow) -> bool:
    return row.finding.basis is Basis.NOT_SAFELISTED and row.finding.explanation not in NOT_MATCHED


def _may_be_an_attack(row: UserRow) -> bool:
    """Whether the Guide says to beware of such a user: then it is not its maker who is to be asked first."""
    finding = row.finding
    is_remade = finding.basis is Basis.USER_RECREATED or Change.RECREATED in finding.changes
    return is_remade or _is_alike(row) or ":user/" in (finding.user.created_by or "")


def _without_credentials(row: UserRow) -> bool:
    return row.activity.console_access is False and row.activity.active_access_keys == 0


def _use(row: UserRow) -> str:
    used = row.activity
    if used.days_since_activity is None:
        if row.finding.user.service_credentials:
            return _unseen(row)
        return "its use is not known" if row.finding.user.credentials is None else "no recorded use"
    of = f"{used.last_activity_service}, " if used.last_activity_service else ""
    return (
        f"{'in use' if used.days_since_activity <= IN_USE else 'last used'} ({of}{days(used.days_since_activity)} ago)"
    )


def _to_ask(row: UserRow) -> Iterator[str]:
    """Who made it, and who is named as answering for it or its account: nothing that was checked."""
    user = row.finding.user
    if person := maker(user, row.finding.account.id):
        made = f"made it on {made_on(user)}{means(user)}"
        yield f"whoever signed in as {person} and {made}" if person.startswith("the ") else f"{person}, who {made}"
    yield from (f"{key} tag {value}" for key, value in _owner_tags(row.finding.user.access) if value)
    if row.account_owner:
        yield f"account owner {row.account_owner}"


def _owner_tags(access: Access | None) -> tuple[tuple[str, str], ...]:
    tags = access.tags if access else ()
    named = [(key, value) for key, value in tags if OWNERS & {word.lower() for word in _WORD.findall(key)}]
    return tuple(named[:TAGS_NAMED])
