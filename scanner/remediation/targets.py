"""Who is to be removed or quarantined: from the removals of a review, or the unapproved users of a run.

Everything that does not fit together is found here, before any call: a removals.json that is not of its run, a user
that the run does not have, a user that is named twice. Missing data selects nobody.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from scanner.errors import UsageError
from scanner.model import AccountId, Choice, Determination, Scanned
from scanner.record import Record, UserKey
from scanner.remediation.plan_document import Organization, Source, Target
from scanner.remediation.removals_file import read_removals
from scanner.runs import folder as run_folder
from scanner.safelist.entries import parse
from scanner.safelist.match import Index
from scanner.safelist.types import Safelist, fold
from scanner.text import is_account_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of the users; everything empty: all of them."""

    accounts: tuple[str, ...] = ()
    users: tuple[str, ...] = ()  # names, without regard to case

    def has(self, target: Target) -> bool:
        names = {fold(name) for name in self.users}
        of_account = not self.accounts or target.account.id in self.accounts
        return of_account and (not names or fold(target.user_name) in names)

    def of(self, targets: Sequence[Target]) -> tuple[Target, ...]:
        """Return the targets of this part; raise `UsageError` where it names an account or a user that is none."""
        for account in self.accounts:
            if not is_account_id(account):
                raise UsageError(f"{account!r} is not a valid account ID; give its 12 digits.")
        taken = tuple(target for target in targets if self.has(target))
        names_taken = {target.account.id for target in taken} | {fold(target.user_name) for target in taken}
        missing = [name for name in (*self.accounts, *self.users) if fold(name) not in names_taken]
        if missing:
            raise UsageError(f"Nobody of {', '.join(missing)} is to be removed or quarantined here. Check the names.")
        return taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Whom a plan is about, and where that was read."""

    targets: tuple[Target, ...]  # by account ID, user name, user ID
    sources: tuple[Source, ...]
    of: Organization

    @property
    def run_id(self) -> str:
        """The newest run among the sources."""
        return max(source.run_id for source in self.sources)


def from_removals(files: Sequence[Path], output: Path) -> Wanted:
    """Read what reviews decided; raise `FaultsError` or `UsageError` where something does not fit."""
    read = [read_removals(file, output) for file in files]
    return _together([(removals.record, removals.source, removals.targets) for removals in read])


def from_runs(runs: Sequence[str], output: Path, safelist: Safelist, today: date) -> Wanted:
    """Take the users of runs that nobody approved, by the safelists of today, for quarantine."""
    index = Index(safelist, today)
    parts = []
    for name in runs:
        record = run_folder.read(run_folder.find(name, output))
        unapproved = tuple(_unapproved(record, index))
        _refuse_lost_safelist(record, unapproved)
        source = Source(run_id=record.header.run_id, journal_sha256=record.digest, removals_sha256=None)
        parts.append((record, source, unapproved))
    return _together(parts)


def _together(parts: Sequence[tuple[Record, Source, tuple[Target, ...]]]) -> Wanted:
    organizations = [_organization(record) for record, _, _ in parts]
    if len({organization.key for organization in organizations}) > 1:
        raise UsageError("These sources are of different organizations. Make a plan for each.")
    targets = [target for _, _, more in parts for target in more]
    _refuse_doubles(targets)
    return Wanted(
        targets=tuple(sorted(targets, key=lambda target: target.order)),
        sources=tuple(source for _, source, _ in parts),
        of=organizations[0],
    )


def _organization(record: Record) -> Organization:
    header = record.header
    return Organization(
        id=header.organization.id if header.organization else None,
        partition=header.caller.partition,
        caller_account_id=header.caller.account_id,
    )


def _refuse_doubles(targets: Sequence[Target]) -> None:
    met: set[UserKey] = set()
    for target in targets:
        if target.key in met:
            raise UsageError(
                f"The user {target.user_name} ({target.user_id}) of account {target.account.id} is in two of the "
                "sources. Give each user once; --account and --user take a part."
            )
        met.add(target.key)


def _unapproved(record: Record, index: Index) -> Iterator[Target]:
    for account in record.listing.accounts:
        scan = record.scans.get(account.id)
        if account.id not in record.listing.in_scope or not isinstance(scan, Scanned):
            continue
        for user in scan.users:
            decision = index.decide(account, user)
            if decision.determination is Determination.UNAPPROVED:
                yield Target(
                    account=account,
                    user_id=user.user_id,
                    user_name=user.user_name,
                    path=user.path,
                    arn=user.arn,
                    choice=Choice.QUARANTINE,
                    run_id=record.header.run_id,
                    why=f"Nobody approved it: {decision.explanation}.",
                )


def _refuse_lost_safelist(record: Record, unapproved: Collection[Target]) -> None:
    """Refuse where more than half of the approvals are gone since the previous run, or since this one was decided."""
    in_scope = (scan for key, scan in record.scans.items() if key in record.listing.in_scope)
    scanned = {scan.account_id: len(scan.users) for scan in in_scope if isinstance(scan, Scanned)}
    approved = sum(scanned.values()) - len(unapproved)
    before = _approved_before(record, scanned)
    if 2 * approved < before:
        raise UsageError(
            f"{approved:,} users of run {record.header.run_id} are approved, and there were {before:,} before: the "
            "approved users fell by more than half, as they do where a safelist is lost. Nobody is quarantined by "
            "that. Check the safelists, or have a review decide."
        )


def _approved_before(record: Record, scanned: Collection[AccountId]) -> int:
    """Return how many users were approved in the previous run, or by this run's own safelists if those are more."""
    own = Index(parse(record.header.safelists), record.header.as_of)
    accounts = {account.id: account for account in record.listing.accounts}
    by_itself = sum(
        own.decide(accounts[scan.account_id], user).determination is Determination.APPROVED
        for scan in record.scans.values()
        if isinstance(scan, Scanned) and scan.account_id in scanned
        for user in scan.users
    )
    previous = record.header.previous_run
    users = previous.users if previous else ()
    earlier = sum(user.determination is Determination.APPROVED and user.account_id in scanned for user in users)
    return max(by_itself, earlier)
