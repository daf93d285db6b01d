"""What a reviewer might decide about a user, with the ground, and whom to ask: a help, never a decision. Pure."""

import re
from collections.abc import Iterator
from datetime import date

from scanner.audit.triage import CHANGED, Days
from scanner.model import Access, Basis, Determination, Entry
from scanner.record import ReviewDecision
from scanner.report.review_facts import made_on, maker, means
from scanner.report.rows import UserRow
from scanner.report.words import days
from scanner.safelist.usage import ends_soon

TAGS_NAMED = 3
IN_USE = 30  # days since the last use that count as in use
# Words in the keys of tags that name who answers for a user: "Owner", "team-name", "contactEmail".
OWNERS = frozenset({"owner", "owners", "team", "contact", "maintainer", "responsible"})

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")


def suggestion(row: UserRow, last: ReviewDecision | None, by: Days) -> str:
    """One line on what to decide, and one on whom to ask."""
    asked = "; ".join(_to_ask(row))
    lines = (_decision(row, last, by), *((f"Ask: {asked}",) if asked else ()))
    return "\n".join(" ".join(line.split()) for line in lines)


def _decision(row: UserRow, last: ReviewDecision | None, by: Days) -> str:
    finding = row.finding
    if last is not None and last.is_removal:
        return f"{last.choice}: decided on {last.reviewed_on}, and still there"
    if finding.basis is Basis.REVOKED:
        return "Remove: revoked in the safelist"
    if changed := _changed(row):
        return f"{'Approve again' if _approved(row) else 'Approve'} or remove: {changed}; {_use(row)}"
    if unused := _unused(row, by.today):
        return f"Remove: {unused}"
    return _of_approved(row, by) if _approved(row) else f"Approve or remove: {_use(row)}"


def _changed(row: UserRow) -> str | None:
    if row.finding.basis is Basis.USER_RECREATED:
        return "the approval is of another user of that name"
    return next((words for change, words in CHANGED.items() if change in row.finding.changes), None)


def _of_approved(row: UserRow, by: Days) -> str:
    entry = row.finding.entry
    ends = isinstance(entry, Entry) and ends_soon(entry, by.as_of)
    return f"{'Approve again, or let the approval end' if ends else 'Keep'}: {_use(row)}"


def _approved(row: UserRow) -> bool:
    return row.finding.determination is Determination.APPROVED


def _unused(row: UserRow, today: date) -> str:
    """Why nobody would miss the user; "" where somebody might, or that is not known."""
    used, user = row.activity, row.finding.user
    if user.service_credentials or not (used.dormant or _without_credentials(row)):
        return ""
    if _without_credentials(row):
        what = "no password and no active key"
    elif used.days_since_activity is not None:
        return f"last used {days(used.days_since_activity)} ago"
    else:
        what = "console password never used" if used.active_access_keys == 0 else "no use of password or keys known"
    other = "" if user.service_credentials is not None else "; service credentials not known"
    return f"{what}, made {days(max(0, (today - made_on(user)).days))} ago{other}"


def _without_credentials(row: UserRow) -> bool:
    return row.activity.console_access is False and row.activity.active_access_keys == 0


def _use(row: UserRow) -> str:
    used = row.activity
    if used.days_since_activity is None:
        services = row.finding.user.service_credentials or ()
        held = ", ".join(sorted({each.service for each in services}))
        if held:
            return f"its {held} credential may be in use"
        return "its use is not known" if row.finding.user.credentials is None else "no use known"
    of = f"{used.last_activity_service}, " if used.last_activity_service else ""
    return (
        f"{'in use' if used.days_since_activity <= IN_USE else 'last used'} ({of}{days(used.days_since_activity)} ago)"
    )


def _to_ask(row: UserRow) -> Iterator[str]:
    """Who made it, and who is named as answering for it or its account: nothing that was checked."""
    user = row.finding.user
    if person := maker(user, row.finding.account.id):
        yield f"{person}, who made it on {made_on(user)}{means(user)}"
    yield from (f"{key} tag {value}" for key, value in _owner_tags(row.finding.user.access) if value)
    if row.account_owner:
        yield f"account owner {row.account_owner}"


def _owner_tags(access: Access | None) -> tuple[tuple[str, str], ...]:
    tags = access.tags if access else ()
    named = [(key, value) for key, value in tags if OWNERS & {word.lower() for word in _WORD.findall(key)}]
    return tuple(named[:TAGS_NAMED])
