"""A part of a run: the accounts of one owner, or of one OU. Pure.

A part shows what the whole run decided about its accounts; it decides nothing itself.
"""

from collections.abc import Mapping
from dataclasses import replace

from scanner.audit.assessment import Assessment, Part
from scanner.audit.ownership import with_owner_note
from scanner.audit.rule import conclude
from scanner.model import Account, AccountId, Entry, Scope, SplitBy
from scanner.record import Record
from scanner.safelist.match import scopes
from scanner.safelist.types import selected_account
from scanner.safelist.usage import EntryUse


def with_owners(assessment: Assessment, owners: Mapping[str, str], source: str) -> Assessment:
    """The same under another file of account owners, `source`, than the run's; tags that it recorded still count."""
    header = replace(assessment.record.header, account_owners=owners)
    record = with_owner_note(replace(assessment.record, header=header))
    return replace(assessment, record=record, owners_from=source)


def groups(assessment: Assessment, by: SplitBy) -> Mapping[str | None, frozenset[AccountId]]:
    """The accounts of each part, by the owner or OU path that they share; accounts without one (None) come first.

    An account that is only in the previous run belongs to a part too, as the Changes sheet lists its users. A part
    without an account in scope or in Changes is left out.
    """
    listing = assessment.record.listing
    in_changes = {difference.account_id for difference in assessment.differences or ()}
    values = _values(assessment.record, by)
    parts: dict[str | None, set[AccountId]] = {}
    for account_id in {account.id for account in listing.accounts} | in_changes:
        parts.setdefault(values.get(account_id) or None, set()).add(account_id)
    return {
        value: frozenset(parts[value])
        for value in sorted(parts, key=lambda value: value or "")
        if parts[value] & (listing.in_scope | in_changes)
    }


def restrict(assessment: Assessment, by: SplitBy, value: str | None, accounts: frozenset[AccountId]) -> Assessment:
    """The assessment of these accounts alone, with totals that reconcile and a status of its own.

    It has the safelist entries that apply to these accounts, with their status in the whole run: an entry may be in use
    elsewhere. The trend compares whole runs, so a part has none.
    """
    record = assessment.record
    listed = tuple(account for account in record.listing.accounts if account.id in accounts)
    cut = replace(
        record,
        header=replace(
            record.header,
            trend=(),
            decisions=tuple(one for one in record.header.decisions if one.account_id in accounts),
            remediations=tuple(one for one in record.header.remediations if one.account_id in accounts),
        ),
        listing=replace(record.listing, accounts=listed, in_scope=record.listing.in_scope & accounts),
        scans={account_id: scan for account_id, scan in record.scans.items() if account_id in accounts},
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
        safelist=_applying(assessment.safelist, listed, accounts),
        differences=differences and tuple(one for one in differences if one.account_id in accounts),
        part=part,
    )


def _values(record: Record, by: SplitBy) -> Mapping[AccountId, str | None]:
    if by is SplitBy.ACCOUNT_OWNER:
        return {AccountId(account_id): owner for account_id, owner in record.account_owners.items()}
    return {account.id: account.ou_path for account in record.listing.accounts}


def _applying(
    uses: tuple[EntryUse, ...], listed: tuple[Account, ...], accounts: frozenset[AccountId]
) -> tuple[EntryUse, ...]:
    """The entries that are for these accounts, for an OU above one of them, or for all accounts."""
    reach = {scope for account in listed for scope in scopes(account)}
    reach |= {(Scope.GLOBAL, ""), *((Scope.ACCOUNT, account_id) for account_id in accounts)}

    def applies(use: EntryUse) -> bool:
        entry = use.entry
        if not isinstance(entry, Entry):
            return entry.account_id in accounts
        account = selected_account(entry)
        return (entry.scope, entry.scope_value) in reach and (account is None or account in accounts)

    return tuple(filter(applies, uses))
