"""The other usual way: a pool of 20 threads, and a new boto3 session with its STS and IAM clients for each account.

python -m tests.benchmarks.thread_per_account ACCOUNT_ID... prints how many users there are.
"""

import sys
from concurrent.futures import ThreadPoolExecutor

import boto3

THREADS = 20


def count_users(account_id: str) -> int:
    session = boto3.Session()
    assumed = session.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{account_id}:role/OrganizationAccountAccessRole", RoleSessionName="benchmark"
    )
    credentials = assumed["Credentials"]
    iam = session.client(
        "iam",
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )
    return sum(len(page["Users"]) for page in iam.get_paginator("list_users").paginate())


def main() -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        print(sum(pool.map(count_users, sys.argv[1:])))


if __name__ == "__main__":
    main()
