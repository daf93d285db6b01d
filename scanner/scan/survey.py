"""The organization, and what a scan would do with each account: what `accounts` shows."""

from collections.abc import Mapping
from dataclasses import dataclass

from scanner.aws.clients import Clients
from scanner.model import AccountId, Organization
from scanner.record import Listing
from scanner.scan.population import Population
from scanner.scan.prepare import prepare, read_accounts_file
from scanner.scan.progress import Progress
from scanner.scan.scope import Placement
from scanner.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """The organization, and what a scan would do with each account."""

    organization: Organization | None
    listing: Listing
    placements: Mapping[AccountId, Placement]


async def survey(settings: Settings, progress: Progress) -> Survey:
    """List the accounts and what a scan would do with each; assumes no role in any of them."""
    accounts_file = read_accounts_file(settings)
    async with Clients(profile=settings.profile, concurrency=settings.concurrency) as clients:
        ready = await prepare(settings, accounts_file, clients, progress)
        progress.says("Listing accounts")
        population = Population(ready.source, ready.selection, progress)
        placements = {placed.account.id: placed.placement async for placed in population.accounts()}
    return Survey(organization=ready.organization, listing=population.listing(), placements=placements)
