"""The organization, and what a scan would do with each account: what `accounts` shows."""

from collections.abc import Mapping
from dataclasses import dataclass

from scanner.aws.clients import Clients
from scanner.model import AccountId, Organization
from scanner.record import Listing
from scanner.scan.prepare import connect, open_accounts_file, prepare
from scanner.scan.progress import Progress
from scanner.scan.scope import Placement, place
from scanner.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """The organization, and what a scan would do with each account."""

    organization: Organization | None
    listing: Listing
    placements: Mapping[AccountId, Placement]


async def survey(settings: Settings, progress: Progress) -> Survey:
    """List the accounts and what a scan would do with each; assumes no role in any of them."""
    accounts_file = open_accounts_file(settings)
    async with Clients(profile=settings.profile, concurrency=settings.concurrency) as clients:
        progress.says("Checking credentials and scope")
        job = await prepare(settings, accounts_file, await connect(settings, clients, progress))
        progress.says("Listing accounts")
        accounts = []
        async for account in job.source.accounts():
            accounts.append(account)
            progress.met(place(account, job.selection))
        progress.listed()
    listing = job.source.listing(accounts, job.selection)
    return Survey(
        organization=job.organization,
        listing=listing,
        placements={account.id: place(account, job.selection) for account in accounts},
    )
