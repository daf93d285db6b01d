"""The owners of accounts by their tags in AWS Organizations: read beside the scan, which never waits long for them."""

import asyncio
import logging
from collections.abc import Iterable, Iterator, Mapping

from scanner.aws.clients import Session
from scanner.aws.failures import CallError, bad_response
from scanner.aws.organizations import PATIENCE, SIDE_BY_SIDE, tag_of
from scanner.model import AccountId, Failure
from scanner.record import OwnerTags

GRACE = 30.0  # seconds for tags that are not read yet when the last account has been scanned

log = logging.getLogger(__name__)


class TagReading:
    """The tags of one key, read once the accounts are listed: the walk of AWS Organizations keeps its pace to itself.

    `known` are those that were read before the run was resumed. Whatever fails, leaves owners unknown, and no more.
    """

    def __init__(self, session: Session, key: str, concurrency: int, known: OwnerTags | None) -> None:
        self._session = session
        self._key = key
        # One place at least stays for the accounts, where there are several: a call that hangs must not hold them up.
        self._at_once = min(SIDE_BY_SIDE, concurrency - 1) or 1
        self._values: dict[AccountId, str | None] = dict(known.values if known else {})
        self._problem: Failure | None = None
        self._failed_in_a_row = 0
        self._task: asyncio.Task[None] | None = None

    def start(self, accounts: Iterable[AccountId]) -> None:
        """Begin to read the tags of these accounts, in this order, and return at once."""
        self._task = asyncio.create_task(self._read([each for each in accounts if each not in self._values]))

    @property
    def is_under_way(self) -> bool:
        return self._task is not None and not self._task.done()

    async def finish(self) -> None:
        """Wait for the rest, for no longer than `GRACE`."""
        if self._task is not None:
            await asyncio.wait([self._task], timeout=GRACE)

    async def stop(self) -> None:
        """End whatever is under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def result(self) -> OwnerTags:
        """What was read up to now."""
        values: Mapping[AccountId, str | None] = dict(sorted(self._values.items()))
        return OwnerTags(values=values, problem=self._problem)

    async def _read(self, accounts: list[AccountId]) -> None:
        left = iter(accounts)
        async with asyncio.TaskGroup() as group:
            for _ in range(self._at_once):
                group.create_task(self._read_some(left))

    async def _read_some(self, left: Iterator[AccountId]) -> None:
        for account_id in left:
            if self._failed_in_a_row >= PATIENCE:
                return
            try:
                self._values[account_id] = await tag_of(self._session, account_id, self._key)
                self._failed_in_a_row = 0
            except CallError as error:
                self._failed(error.failure)
            except Exception:  # an owner must never cost the audit
                log.exception("tags of account %s: unexpected", account_id)
                detail = "The response is not one that AWS documents."
                self._failed(bad_response("organizations:ListTagsForResource", detail).failure)

    def _failed(self, failure: Failure) -> None:
        self._problem = failure
        self._failed_in_a_row += 1
