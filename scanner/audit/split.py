"""A part of a run, reported for itself: the accounts of one owner, or those of one OU. Pure.

The whole run stays what it is judged by: a part shows what was decided about its accounts, and decides nothing anew.
"""

from collections.abc import Mapping
from dataclasses import replace

from scanner.audit.assessment import Assessment, Part, SplitBy
from scanner.audit.rule import conclude
from scanner.model import Account, AccountId, Entry, Scope
from scanner.record import Record
from scanner.safelist.match import scopes
from scanner.safelist.types import selected_account
from scanner.safelist.usage import EntryUse


def with_owners(assessment: Assessment, owners: Mapping[str, str], source: str) -> Assessment:
    """The same under other owners of accounts than the run recorded; `source` is the file that they are from."""
    record = assessment.record
    header = replace(record.header, account_owners=owners)
    return replace(assessment, record=replace(record, header=header), owners_from=source)


def groups(assessment: Assessment, by: SplitBy) -> Mapping[str | None, frozenset[AccountId]]:
    """The accounts of each part, by what they have in common; None: those that have none of it, which come first.

    An account that was left behind since the previous run belongs to a part too, as its users are told in Changes.
    A part with no account in scope would say nothing, and is left out.
    """
    listing = assessment.record.listing
    told = {each.account_id for each in assessment.differences or ()}
    values = _values(assessment.record, by)
    found: dict[str | None, set[AccountId]] = {}
    for account_id in {account.id for account in listing.accounts} | told:
        found.setdefault(values.get(account_id) or None, set()).add(account_id)
    return {
        value: frozenset(found[value])
        for value in sorted(found, key=lambda value: value or "")
        if found[value] & (listing.in_scope | told)
    }


def restrict(assessment: Assessment, by: SplitBy, value: str | None, accounts: frozenset[AccountId]) -> Assessment:
    """What an assessment says of these accounts alone: its totals reconcile, and its status is theirs.

    Of the safelist it has the entries that concern them, with the status that they have in the whole run: an entry may
    be in use elsewhere. The trend is one of whole runs, so a part has none.
    """
    record = assessment.record
    listed = tuple(account for account in record.listing.accounts if account.id in accounts)
    cut = replace(
        record,
        header=replace(record.header, trend=()),
        listing=replace(record.listing, accounts=listed, in_scope=record.listing.in_scope & accounts),
        scans={each: scan for each, scan in record.scans.items() if each in accounts},
    )
    part = Part(by=by, value=value, listed=len(listed), of=len(record.listing.accounts))
    findings = tuple(finding for finding in assessment.findings if finding.account.id in accounts)
    totals, status, status_text = conclude(cut, findings, part)
    differences = assessment.differences
    return replace(
        assessment,
        record=cut,
        status=status,
        status_text=status_text,
        totals=totals,
        findings=findings,
        safelist=_concerning(assessment.safelist, listed, accounts),
        differences=differences and tuple(each for each in differences if each.account_id in accounts),
        part=part,
    )


def _values(record: Record, by: SplitBy) -> Mapping[AccountId, str | None]:
    if by is SplitBy.ACCOUNT_OWNER:
        return {AccountId(each): owner for each, owner in record.header.account_owners.items()}
    return {account.id: account.ou_path for account in record.listing.accounts}


def _concerning(
    uses: tuple[EntryUse, ...], listed: tuple[Account, ...], accounts: frozenset[AccountId]
) -> tuple[EntryUse, ...]:
    """The entries that are for these accounts, for an OU above one of them, or for all accounts."""
    reach = {scope for account in listed for scope in scopes(account)}
    reach |= {(Scope.GLOBAL, ""), *((Scope.ACCOUNT, each) for each in accounts)}

    def concerns(use: EntryUse) -> bool:
        entry = use.entry
        if not isinstance(entry, Entry):
            return entry.account_id in accounts
        account = selected_account(entry)
        return (entry.scope, entry.scope_value) in reach and (account is None or account in accounts)

    return tuple(filter(concerns, uses))
