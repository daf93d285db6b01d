"""How the owners of accounts agree with the accounts that there are. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from scanner.model import FailReason, Failure
from scanner.record import Record

_BEGIN = "Account owners: "  # of the note
_NAMED = 10  # account IDs in it
_BY_FILE = "Name their owners with --account-owners"


def with_owner_note(record: Record) -> Record:
    """The record with a note on what does not agree, in the place of an earlier one.

    It names the accounts that are in the file of owners alone, counts those in scope that have no owner, and those
    whose tags could not be read. Where the listing of accounts broke off, only the last is known.
    """
    listing = record.listing
    notes = tuple(note for note in listing.notes if not note.startswith(_BEGIN))
    said = list(_differences(record))
    if said:
        notes += (f"{_BEGIN}{'; '.join(said)}.{_remedy(record)}",)
    return replace(record, listing=replace(listing, notes=notes))


def _differences(record: Record) -> Iterator[str]:
    listing, unread = record.listing, unread_tags(record)
    owners = record.account_owners
    if listing.problem is None and (owners or record.owner_tags):
        unknown = sorted(record.header.account_owners.keys() - {account.id for account in listing.accounts})
        if unknown:
            ids = "1 account ID is" if len(unknown) == 1 else f"{len(unknown):,} account IDs are"
            yield f"{ids} not in the organization: {_named(unknown)}"
        if ownerless := sum(not owners.get(account_id) for account_id in listing.in_scope) - unread:
            has = "has" if ownerless == 1 else "have"
            yield f"{ownerless:,} of the {len(listing.in_scope):,} accounts in scope {has} no owner"
    if unread:
        yield f"the tags of {unread:,} account{'s' * (unread > 1)} in scope were not read {_why(record)}"


def unread_tags(record: Record) -> int:
    """How many accounts in scope have an owner that is not known, as their tags were to be read and were not."""
    if record.owner_tags is None:
        return 0
    named = {account_id for account_id, owner in record.header.account_owners.items() if owner}
    return len(record.listing.in_scope - named - record.owner_tags.values.keys())


def _why(record: Record) -> str:
    problem = _problem(record)
    if problem is None:
        return "before the run ended"
    said = f"{problem.code}: {problem.detail}" if problem.code else problem.detail
    return f"({problem.call}; {said.removesuffix('.')})"


def _remedy(record: Record) -> str:
    if not unread_tags(record):
        return ""
    problem = _problem(record)
    if problem is None or problem.reason is not FailReason.ACCESS_DENIED:
        return f" {_BY_FILE}."
    return f" Allow {problem.call} to whoever reads AWS Organizations, or name their owners with --account-owners."


def _problem(record: Record) -> Failure | None:
    return record.owner_tags.problem if record.owner_tags else None


def _named(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - _NAMED:,} more" if len(ids) > _NAMED else ""
    return ", ".join(ids[:_NAMED]) + more
