"""The calls of `scan --evidence basic`, made by any client, for the ways that the program is compared with.

Nothing is kept but the number of users: no records, no checks, no retries, no reports.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol

from tests.aws_endpoint import account_id

ROLE = "arn:aws:iam::{}:role/OrganizationAccountAccessRole"
POLICY = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["iam:ListUsers"], "Resource": "*"}]}'
AT_ONCE = 64  # as the program does by default
Keys = tuple[str, str, str | None]  # access key id, secret, session token


class Client(Protocol):
    async def call(self, keys: Keys, service: str, operation: str, **parameters: Any) -> Mapping[str, Any]:
        """Make one call with these keys, and return its result as the AWS SDK shapes it."""


class Calls:
    """The calls of one scan."""

    def __init__(self, client: Client, caller: Keys) -> None:
        self.made = 0
        self._client = client
        self._caller = caller

    async def count_users(self) -> int:
        """Make all calls, the organization's first, and return how many users there are."""
        await self._call(self._caller, "sts", "GetCallerIdentity")
        await self._call(self._caller, "organizations", "DescribeOrganization")
        listed = [account["Id"] async for account in self._pages("ListAccounts", "Accounts")]
        walked = [account["Id"] for root in await self._roots() for account in await self._accounts_below(root)]
        if sorted(listed) != sorted(walked):
            raise RuntimeError("the walk did not find the accounts that are listed")
        places = asyncio.Semaphore(AT_ONCE)
        return sum(await asyncio.gather(*(self._users_of(account, places) for account in listed)))

    async def _roots(self) -> list[str]:
        return [root["Id"] async for root in self._pages("ListRoots", "Roots")]

    async def _accounts_below(self, parent: str) -> list[Mapping[str, Any]]:
        units = self._pages("ListOrganizationalUnitsForParent", "OrganizationalUnits", ParentId=parent)
        below = [unit["Id"] async for unit in units]
        found = [account async for account in self._pages("ListAccountsForParent", "Accounts", ParentId=parent)]
        for unit in below:
            found += await self._accounts_below(unit)
        return found

    async def _users_of(self, account: str, places: asyncio.Semaphore) -> int:
        async with places:
            keys = self._caller if account == account_id(0) else await self._enter(account)
            page = await self._call(keys, "iam", "ListUsers", MaxItems=1000)
            return len(page["Users"])

    async def _enter(self, account: str) -> Keys:
        narrowed = {"RoleSessionName": "benchmark", "DurationSeconds": 900, "Policy": POLICY}
        answer = await self._call(self._caller, "sts", "AssumeRole", RoleArn=ROLE.format(account), **narrowed)
        given = answer["Credentials"]
        return given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]

    async def _pages(self, operation: str, key: str, **parameters: str) -> AsyncIterator[Mapping[str, Any]]:
        token: dict[str, str] = {}
        while True:
            page = await self._call(self._caller, "organizations", operation, **parameters, **token)
            for item in page[key]:
                yield item
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}

    async def _call(self, keys: Keys, service: str, operation: str, **parameters: Any) -> Mapping[str, Any]:
        self.made += 1
        return await self._client.call(keys, service, operation, **parameters)
