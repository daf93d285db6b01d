"""removals.json, read back and compared with the run that it is of and with that run's journal."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scanner.errors import Fault, FaultsError, UsageError
from scanner.model import Account, Choice, IamUser, Scanned
from scanner.record import Record
from scanner.remediation.plan_document import Source, Target
from scanner.runs import folder as run_folder
from scanner.runs.journal import JournalError
from scanner.text import parse_day

_AGAIN = "Import the review again: iam-scanner review import."
_CHOICES = {choice.value: choice for choice in (Choice.REMOVE, Choice.QUARANTINE)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Removals:
    """What one removals.json decides, and the run that it is of."""

    record: Record
    source: Source
    targets: tuple[Target, ...]


def read_removals(path: Path, output: Path) -> Removals:
    """Read the file; raise `FaultsError` with all that does not fit, and `UsageError` where there is no such file."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}. Give the removals.json that review import wrote, or a run with "
            "--quarantine."
        ) from error
    document = _document(path, data)
    record = _run_of(path, document, output)
    reading = _Reading(path, record)
    targets = tuple(reading.targets(document["removals"]))
    if reading.faults:
        raise FaultsError(reading.faults)
    source = Source(
        run_id=record.header.run_id,
        journal_sha256=record.digest,
        removals_sha256=hashlib.sha256(data).hexdigest(),
    )
    return Removals(record=record, source=source, targets=targets)


def _document(path: Path, data: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(data)
        fits = document["schema_version"] == 1 and isinstance(document["removals"], list)
        fits = fits and isinstance(document["run_id"], str) and isinstance(document["journal_sha256"], str)
    except (ValueError, KeyError, TypeError):
        fits = False
    if not fits:
        raise FaultsError([_fault(path, "This is not a removals.json of this program.")])
    return document  # type: ignore[no-any-return]


def _run_of(path: Path, document: Mapping[str, Any], output: Path) -> Record:
    run_id, digest = document["run_id"], document["journal_sha256"]
    if not run_folder.is_run_id(run_id):
        raise FaultsError([_fault(path, f"{run_id!r} is not a run ID.")])
    try:
        record = run_folder.read(run_folder.find(str(output / run_id), output))
    except (UsageError, JournalError) as error:
        problem = f"Its run cannot be read: {error}"
        remedy = "Name the folder that holds it with --output."
        raise FaultsError([Fault(file=str(path), problem=problem, remedy=remedy)]) from error
    if record.digest != digest or record.header.run_id != run_id:
        raise FaultsError([_fault(path, f"The journal of run {run_id} is not the one that was reviewed.")])
    return record


class _Reading:
    """The entries, each compared with the run; the faults of all of them together."""

    def __init__(self, path: Path, record: Record) -> None:
        self._path = path
        self._record = record
        self._accounts = {account.id: account for account in record.listing.accounts}
        self._users: dict[tuple[str, str], tuple[Account, IamUser]] = {
            (account_id, user.user_id): (self._accounts[account_id], user)
            for account_id, scan in record.scans.items()
            if isinstance(scan, Scanned) and account_id in self._accounts
            for user in scan.users
        }
        self._met: set[str] = set()  # user IDs
        self.faults: list[Fault] = []

    def targets(self, entries: list[Any]) -> Iterator[Target]:
        for number, entry in enumerate(entries, start=1):
            try:
                yield self._target(entry if isinstance(entry, Mapping) else {})
            except ValueError as error:
                self.faults.append(_fault(self._path, f"removal {number}: {error}"))

    def _target(self, values: Mapping[str, Any]) -> Target:
        """Return what the entry says; raise `ValueError` where that is not so in the run, or says too little."""
        choice = _CHOICES.get(str(values.get("decision")))
        if choice is None:
            raise ValueError(f"{values.get('decision')!r} is not a decision to remove or quarantine.")
        account_and_user = self._users.get((str(values.get("account_id")), str(values.get("user_id"))))
        if account_and_user is None:
            who = f"{values.get('user_name')!r} ({values.get('user_id')}) of account {values.get('account_id')}"
            raise ValueError(f"The run does not have the user {who}.")
        account, user = account_and_user
        if (user.user_name, user.arn, user.path) != (values.get("user_name"), values.get("arn"), values.get("path")):
            raise ValueError(f"The run has {user.user_id} as {user.arn}, and not as {values.get('arn')}.")
        if user.user_id in self._met:
            raise ValueError(f"The user {user.user_name} of account {account.id} stands there twice.")
        self._met.add(user.user_id)
        day, reviewer = parse_day(str(values.get("reviewed_on"))), _text(values.get("reviewer"))
        if reviewer is None or day is None:
            raise ValueError("It does not say who decided, and when.")
        ticket, comment = _text(values.get("ticket")), _text(values.get("comment"))
        return Target(
            account=account,
            user_id=user.user_id,
            user_name=user.user_name,
            path=user.path,
            arn=user.arn,
            choice=choice,
            run_id=self._record.header.run_id,
            why=_why(choice, reviewer, day.isoformat(), ticket, comment),
            reviewer=reviewer,
            reviewed_on=day,
            ticket=ticket,
            comment=comment,
        )


def _why(choice: Choice, reviewer: str, day: str, ticket: str | None, comment: str | None) -> str:
    of_ticket = f" ({ticket})" if ticket else ""
    said = f": {comment}" if comment else ""
    return f"{choice}, decided by {reviewer} on {day}{of_ticket}{said}"


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _fault(path: Path, problem: str) -> Fault:
    return Fault(file=str(path), problem=problem, remedy=_AGAIN)
