"""Reads accounts of the simulated AWS as a scan does, without the listing before and the reports after."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from scanner.aws.clients import Clients
from scanner.cli.options import stderr
from scanner.cli.screen.progress import ScanProgress
from scanner.model import Account, AccountId, AccountScan, Failed, OrganizationalUnit, Scanned
from scanner.scan.account import Entrance, scan_account
from scanner.scan.account_sources import FromFile
from scanner.scan.prepare import entrance as entrance_of
from scanner.scan.prepare import prepare, with_hub
from scanner.settings import Settings
from tests.aws_endpoint import (
    MANAGEMENT_KEY,
    Endpoint,
    Fault,
    Raw,
    SimulatedAccount,
    SimulatedOrganization,
    empty_organization,
)
from tests.program import calling

# Where accounts come from, without a call to AWS Organizations; the tests enter accounts of their own.
ANY = FromFile(Path("accounts.csv"), "account_id,account_name,ou_path\n000000000001,any,Root\n")
ROOT = OrganizationalUnit(id="r-ex01", name="Root", path="Root")


def one_account(*users: str, **details: Any) -> tuple[SimulatedOrganization, SimulatedAccount]:
    """An organization of the management account and one member, which has these users."""
    world = empty_organization()
    member = world.add_account("member", **details)
    for user in users:
        member.add_user(user)
    return world, member


@asynccontextmanager
async def entrance(endpoint: Endpoint, key: str = MANAGEMENT_KEY, **settings: Any) -> AsyncIterator[Entrance]:
    chosen = Settings(**settings)
    with calling(endpoint, key):
        async with Clients(profile=None, concurrency=chosen.concurrency) as clients:
            progress = ScanProgress(stderr(), quiet=True)
            yield entrance_of(await with_hub(await prepare(chosen, ANY, clients, progress)))


def known(account: SimulatedAccount) -> Account:
    return Account(id=AccountId(account.id), name=account.name, state=account.state, ous=(ROOT,))


async def read(
    world: SimulatedOrganization,
    account: SimulatedAccount,
    *faults: Fault,
    seconds: float = 20.0,
    key: str = MANAGEMENT_KEY,
    **settings: Any,
) -> AccountScan:
    """Read one account of a world in which these things go wrong."""
    async with Endpoint(world, faults) as endpoint, entrance(endpoint, key, **settings) as way:
        return await scan_account(known(account), replace(way, seconds=seconds), lambda: None)


async def scanned(world: SimulatedOrganization, account: SimulatedAccount, *faults: Fault, **more: Any) -> Scanned:
    scan = await read(world, account, *faults, **more)
    assert isinstance(scan, Scanned), scan
    return scan


async def failed(world: SimulatedOrganization, account: SimulatedAccount, *faults: Fault, **more: Any) -> Failed:
    scan = await read(world, account, *faults, **more)
    assert isinstance(scan, Failed), scan
    return scan


def names(scan: Scanned) -> list[str]:
    return sorted(user.user_name for user in scan.users)


def xml(operation: str, result: str) -> Raw:
    """An answer of IAM that holds just this."""
    body = f'<{operation}Response xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><{operation}Result>{result}'
    return Raw(200, f"{body}</{operation}Result></{operation}Response>".encode(), "text/xml")


def spelled(world: SimulatedOrganization, arguments: list[str]) -> list[str]:
    """`<Prod>` is the id of the OU Prod, `<<prod>>` that of the account prod."""
    for account in world.accounts.values():
        arguments = [argument.replace(f"<<{account.name}>>", account.id) for argument in arguments]
    for ou in world.ous.values():
        arguments = [argument.replace(f"<{ou.name}>", ou.id) for argument in arguments]
    return arguments
