"""Serve a world of any size in a process of its own, for benchmarks.

    python -m tests.aws_endpoint --accounts 1000 --users 10 --latency 0.03 --full

The first line on stdout is the URL, the second the access key to use; it serves until stdin closes, and ends with one
line of JSON: calls by action, the most that were open at once, and the processor seconds that serving took.
"""

import argparse
import asyncio
import json
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.aws_endpoint import MANAGEMENT_KEY, Bucket, Endpoint, Fault, SimulatedOrganization, organization
from tests.aws_endpoint.iam_state import live_organization


def main() -> None:
    options = _parser().parse_args()
    asyncio.run(_serve(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.aws_endpoint")
    parser.add_argument("--accounts", type=int, default=1000)
    parser.add_argument("--users", type=int, default=10, help="in each account")
    parser.add_argument("--ous", type=int, help="default: one for each 20 accounts, 4 to 1000")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds that each answer takes")
    parser.add_argument("--full", action="store_true", help="users have keys, groups, policies and tags")
    parser.add_argument("--young", action="store_true", help="one user an account is 30 days old, as CloudTrail knows")
    parser.add_argument("--live", action="store_true", help="accounts keep state, and users can be removed")
    parser.add_argument("--report-delay", metavar="LEAST,MOST", help="seconds until a credential report is ready")
    parser.add_argument("--bucket", metavar="RATE,BURST", help="throttle IAM by account and action")
    parser.add_argument("--sts-bucket", metavar="RATE,BURST", help="throttle STS by the caller's account")
    return parser


async def _serve(options: argparse.Namespace) -> None:
    if options.live:
        world = live_organization(options.accounts, options.users)
    else:
        world = organization(options.accounts, options.users, ous=options.ous, full=options.full)
    if options.young:
        _make_one_young(world)
    _delay_reports(world, options.report_delay)
    async with Endpoint(world, _faults(options), latency=options.latency, record=False) as endpoint:
        started = time.process_time()
        _say(endpoint.url)
        _say(MANAGEMENT_KEY)
        await asyncio.to_thread(sys.stdin.read)
        spent = time.process_time() - started
    told = {"calls": endpoint.counts, "most_concurrent": endpoint.most_concurrent, "cpu_seconds": round(spent, 3)}
    _say(json.dumps(told))


def _make_one_young(world: SimulatedOrganization) -> None:
    created_at = datetime.now(UTC).replace(microsecond=0) - timedelta(days=30)
    for account in world.accounts.values():
        account.users[0] = user = replace(account.users[0], created_at=created_at)
        session = f"arn:aws:sts::{account.id}:assumed-role/deploy/ci-7"
        account.record_creation(user, userIdentity={"type": "AssumedRole", "arn": session}, userAgent="aws-cli/2.31.0")


def _faults(options: argparse.Namespace) -> list[Fault]:
    faults = []
    if options.bucket:
        faults.append(Fault("iam:*", Bucket(*_rate_and_burst(options.bucket))))
    if options.sts_bucket:
        faults.append(Fault("sts:*", Bucket(*_rate_and_burst(options.sts_bucket), by="caller")))
    return faults


def _rate_and_burst(text: str) -> tuple[float, int]:
    rate, burst = text.split(",")
    return float(rate), int(burst)


def _delay_reports(world: SimulatedOrganization, delay: str | None) -> None:
    """Spread the delays evenly over the accounts, in steps, so that long and short ones alternate."""
    least, most = map(float, delay.split(",")) if delay else (0.0, 0.0)
    for number, account in enumerate(world.accounts.values()):
        account.report_delay = least + (most - least) * (number * 7 % 19) / 18


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
