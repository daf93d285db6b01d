"""How a list of account owners agrees with the accounts that there are. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from scanner.record import Listing

_BEGIN = "Account owners: "  # of the note
_NAMED = 10  # account IDs in it


def with_owner_note(listing: Listing, owners: Mapping[str, str]) -> Listing:
    """The listing with a note on what does not agree, in the place of an earlier one.

    It names the accounts that are on the list of owners alone, and counts those in scope that have no owner. Where the
    listing of accounts broke off, neither is known, and nothing is said.
    """
    notes = tuple(note for note in listing.notes if not note.startswith(_BEGIN))
    if owners and listing.problem is None:
        notes += _notes(listing, owners)
    return replace(listing, notes=notes)


def _notes(listing: Listing, owners: Mapping[str, str]) -> tuple[str, ...]:
    unknown = sorted(owners.keys() - {account.id for account in listing.accounts})
    ownerless = sum(not owners.get(account_id) for account_id in listing.in_scope)
    said = []
    if unknown:
        ids = "1 account ID is" if len(unknown) == 1 else f"{len(unknown):,} account IDs are"
        said.append(f"{ids} not in the organization: {_named(unknown)}")
    if ownerless:
        has = "has" if ownerless == 1 else "have"
        said.append(f"{ownerless:,} of the {len(listing.in_scope):,} accounts in scope {has} no owner")
    return (f"{_BEGIN}{'; '.join(said)}.",) if said else ()


def _named(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - _NAMED:,} more" if len(ids) > _NAMED else ""
    return ", ".join(ids[:_NAMED]) + more
