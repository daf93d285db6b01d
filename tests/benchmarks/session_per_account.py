"""The usual way, to compare with: a new aioboto3 session with its STS and IAM clients for each account, 50 at a time.

python -m tests.benchmarks.session_per_account ACCOUNT_ID... prints how many users there are.
"""

import asyncio
import sys

import aioboto3

AT_ONCE = 50


async def count_users(account_id: str, places: asyncio.Semaphore) -> int:
    async with places:
        session = aioboto3.Session()
        async with session.client("sts") as sts:
            assumed = await sts.assume_role(
                RoleArn=f"arn:aws:iam::{account_id}:role/OrganizationAccountAccessRole", RoleSessionName="benchmark"
            )
        credentials = assumed["Credentials"]
        async with session.client(
            "iam",
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
        ) as iam:
            return sum([len(page["Users"]) async for page in iam.get_paginator("list_users").paginate()])


async def main() -> None:
    places = asyncio.Semaphore(AT_ONCE)
    print(sum(await asyncio.gather(*(count_users(account_id, places) for account_id in sys.argv[1:]))))


if __name__ == "__main__":
    asyncio.run(main())
