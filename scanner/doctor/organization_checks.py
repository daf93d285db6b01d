"""The organization: whether it can be read, whether what is named is there, and which accounts a scan would read."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from scanner.aws import organizations
from scanner.aws.clients import Session
from scanner.aws.failures import REMEDIES, CallError
from scanner.doctor.checks import Examination, Outcome, Part, of_failure
from scanner.doctor.file_checks import SAFELISTS, Files
from scanner.errors import FaultsError, StartError
from scanner.model import Caller, FailReason, Organization, OrganizationalUnit
from scanner.record import Listing
from scanner.report.words import many
from scanner.runs.stored import organization_key
from scanner.safelist.entries import Safelist, check_organization
from scanner.scan.account_notes import named
from scanner.scan.account_sources import FromOrganizations, Source
from scanner.scan.baseline import History, gather
from scanner.scan.population import Population
from scanner.scan.prepare import session_policies, through
from scanner.scan.scope import Placed, Plan, Selection
from scanner.scan.selection import select_in_file, select_in_organization
from scanner.settings import Settings

READER, DESCRIBE, ROOTS = "Role for AWS Organizations", "organizations:DescribeOrganization", "organizations:ListRoots"
SCOPE, EARLIER, LISTING, OUS = "Scope", "Earlier runs", "organizations:ListAccounts", "OUs and their accounts"
TO_SCAN = "Accounts to scan"
TAGS = "organizations:ListTagsForResource"
_HERE = Part.ORGANIZATION
_ALL = Selection(excluded_ous={}, excluded_accounts={})
_ALLOW = (
    "Allow the caller the reads of AWS Organizations that iam-scanner role --format policy prints, and check its "
    "permissions boundary and session policy."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The organization, and what a scan would do with each account."""

    organization: Organization | None  # None: a file of accounts stands in for it
    selection: Selection
    source: Source
    placed: Sequence[Placed]


def expected(settings: Settings) -> Iterator[str]:
    """The checks of this part."""
    if settings.accounts_file is None:
        if settings.organizations_role_arn:
            yield READER
        yield from (DESCRIBE, ROOTS, SCOPE, EARLIER, LISTING, OUS, TO_SCAN)
    else:
        yield from (SCOPE, EARLIER, TO_SCAN)


async def find_accounts(own: Session, caller: Caller, files: Files, examination: Examination) -> Found | None:
    """Read AWS Organizations as a scan does; or take the file of accounts that stands in for it.

    Returns None where it is not known which accounts a scan would read, or where it would read none.
    """
    settings, file = examination.settings, files.accounts_file
    if settings.accounts_file is not None:
        if file is None:
            return None
        selection = examination.tried(_HERE, SCOPE, lambda: select_in_file(file, settings), lambda _: _scope(settings))
        return await _enumerate(file, selection, None, caller, examination)
    reader = await _reader(own, caller, examination)
    return await _read(reader, own, caller, files, examination) if reader else None


async def _reader(own: Session, caller: Caller, examination: Examination) -> Session | None:
    settings = examination.settings
    if settings.organizations_role_arn is None:
        return own
    policy = session_policies(settings, caller).get("organizations")
    assuming = through(own, settings.organizations_role_arn, settings, policy)
    said = f"{settings.organizations_role_arn} was assumed"
    return await examination.called(_HERE, READER, assuming, lambda _: said)


async def _read(reader: Session, own: Session, caller: Caller, files: Files, examination: Examination) -> Found | None:
    def said(organization: Organization) -> str:
        management = organization.management_account_id
        whose = "the caller's own" if management == caller.account_id else "not the caller's"
        return f"{organization.id}, management account {management}, which is {whose}"

    organization = await examination.called(_HERE, DESCRIBE, organizations.describe(reader), said)
    if organization is None:
        return None
    if files.safelist is not None:
        _same_organization(files.safelist, organization, examination)
    from_management = caller.account_id == organization.management_account_id
    listing = _roots(reader, may_be_allowed=from_management and reader is own)

    def listed(roots: Sequence[OrganizationalUnit]) -> str:
        delegated = "" if from_management or reader is not own else ", read as a delegated administrator"
        return ", ".join(f"{root.name} ({root.id})" for root in roots) + delegated

    if await examination.called(_HERE, ROOTS, listing, listed) is None:
        return None
    settings = examination.settings
    selection = await examination.called(
        _HERE, SCOPE, select_in_organization(reader, settings), lambda _: _scope(settings)
    )
    source = FromOrganizations(reader, selection.ous if selection else frozenset())
    found = await _enumerate(source, selection, organization, caller, examination)
    if found is not None and settings.account_owner_tag is not None:
        await _tag(reader, found, settings.account_owner_tag, examination)
    return found


async def _tag(reader: Session, found: Found, key: str, examination: Examination) -> None:
    """Read the tags of one account; a scan is complete without them, and leaves owners empty."""
    account = next(one.account for one in found.placed if one.placement.plan is Plan.SCAN)
    try:
        owner = await organizations.tag_of(reader, account.id, key)
    except CallError as error:
        examination.made.append(replace(of_failure(_HERE, TAGS, error.failure), outcome=Outcome.WARNING))
        return
    examination.add(_HERE, TAGS, Outcome.OK, f"tag {key} of {account.id}: {'none' if owner is None else owner}")


def _compared_with(past: History) -> str:
    return f"{past.previous.run_id}: {past.why}" if past.previous else past.why


def _scope(settings: Settings) -> str:
    only = (*settings.ou, *settings.account)
    without = (*(one.ou for one in settings.exclude_ou), *(one.account for one in settings.exclude_account))
    scope = f"only {named(only)}" if only else "all accounts"
    return f"{scope}, without {named(without)}" if without else scope


def _same_organization(safelist: Safelist, organization: Organization, examination: Examination) -> None:
    try:
        check_organization(safelist, organization.id)
    except FaultsError as error:
        examination.failed(_HERE, SAFELISTS, error)


async def _roots(reader: Session, *, may_be_allowed: bool) -> tuple[OrganizationalUnit, ...]:
    """List the roots; `may_be_allowed`: the account may read AWS Organizations, so that a policy must lack it."""
    try:
        return await organizations.roots(reader)
    except CallError as error:
        refused = organizations.no_access(error.failure)
        if may_be_allowed and error.failure.reason is FailReason.ACCESS_DENIED:
            raise StartError(refused.problem, _ALLOW) from error
        raise refused from error


async def _enumerate(
    source: Source,
    selection: Selection | None,
    organization: Organization | None,
    caller: Caller,
    examination: Examination,
) -> Found | None:
    """List the accounts; without a selection that is valid, only to see whether that works."""
    if selection is not None:
        settings, ours = examination.settings, organization_key(organization, caller)
        gathering = asyncio.to_thread(gather, settings, ours, selection)
        past = await examination.called(_HERE, EARLIER, gathering, _compared_with)
        for note in past.notes if past else ():
            examination.add(_HERE, EARLIER, Outcome.WARNING, note)
    examination.progress.says("Listing accounts")
    population = Population(source, selection or _ALL, examination.progress)
    placed = [one async for one in population.accounts()]
    if organization is not None:
        _listing(population.listing(), examination)
    if selection is None:
        return None
    _to_scan(placed, examination)
    if not any(one.placement.plan is Plan.SCAN for one in placed):
        return None
    return Found(organization=organization, selection=selection, source=source, placed=placed)


def _listing(listing: Listing, examination: Examination) -> None:
    if listing.problem is not None:
        examination.refused(_HERE, LISTING, listing.problem)
    else:
        examination.add(_HERE, LISTING, Outcome.OK, many(len(listing.accounts), "account"))
    for note in listing.notes:
        examination.add(_HERE, OUS, Outcome.WARNING, note)
    if not listing.notes:
        examination.add(_HERE, OUS, Outcome.OK, f"{many(len(listing.ous), 'root or OU', 'roots and OUs')} read")


def _to_scan(placed: Sequence[Placed], examination: Examination) -> None:
    counts = Counter(one.placement.plan for one in placed)
    others = ", ".join(f"{count:,} {plan}" for plan, count in sorted(counts.items()) if plan is not Plan.SCAN)
    said = f"{counts[Plan.SCAN]:,} of {many(len(placed), 'account')}{others and f' ({others})'}"
    if lost := [one.account.id for one in placed if one.placement.plan is Plan.OU_UNKNOWN]:
        where = f"where they are in the organization could not be found: {named(lost)}"
        examination.add(_HERE, TO_SCAN, Outcome.FAILED, f"{said}; {where}", REMEDIES[FailReason.OU_UNKNOWN])
    elif not counts[Plan.SCAN]:
        examination.add(_HERE, TO_SCAN, Outcome.FAILED, said, "Widen --ou or --account, or remove exclusions.")
    else:
        examination.add(_HERE, TO_SCAN, Outcome.OK, said)
