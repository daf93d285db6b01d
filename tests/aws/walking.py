"""One walk through a simulated organization, and where its accounts are."""

from collections.abc import Iterable
from typing import Any

from scanner.aws.organizations import Walk
from scanner.model import Account
from tests.aws.asking import asking
from tests.aws_endpoint import Endpoint, Fault, SimulatedOrganization

WHERE = {  # in the `small_world`
    "management": "Root",
    "prod": "Root/Workloads/Prod",
    "payments-1": "Root/Workloads/Prod/Payments",
    "payments-2": "Root/Workloads/Prod/Payments",
    "core": "Root/Workloads/Prod/Core",
    "dev": "Root/Workloads/Dev",
    "sandbox": "Root/Sandbox",
}


async def walked(
    world: SimulatedOrganization, *faults: Fault, first: Iterable[str] = (), **options: Any
) -> tuple[Walk, list[Account], Endpoint]:
    async with asking(world, faults, **options) as (endpoint, session):
        walk = Walk(session, frozenset(first))
        return walk, [account async for account in walk.accounts()], endpoint


def places(accounts: Iterable[Account]) -> dict[str, str | None]:
    return {account.name: account.ou_path for account in accounts}
