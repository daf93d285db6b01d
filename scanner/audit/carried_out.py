"""What became of the users that were to be removed or quarantined: decided, carried out, gone or still there. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from scanner.model import Choice, Scanned
from scanner.record import Record, Remediation, RemediationOutcome, ReviewDecision, UserKey


class Fate(StrEnum):
    """What this run found of such a user."""

    GONE = "gone"
    QUARANTINED = "quarantined and still there"
    STILL_THERE = "still there"
    NOT_READ = "in accounts that were not read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A user that was to be removed or quarantined, and what was done about it."""

    decision: ReviewDecision | None  # None: no review decided; a plan was made of what the run found unapproved
    done: tuple[Remediation, ...]  # one for each plan, by their time
    fate: Fate


def decided(record: Record) -> Mapping[UserKey, Decided]:
    """Return every user whose last decision is to go, or whom a plan was about, as this run found it.

    A user is gone only where its account was read. Of accounts outside the scope, nothing is said.
    """
    header = record.header
    decisions = {(each.account_id, each.user_id): each for each in header.decisions if each.is_removal}
    done: dict[UserKey, list[Remediation]] = {}
    for remediation in header.remediations:
        done.setdefault((remediation.account_id, remediation.user_id), []).append(remediation)
    present = set(_present(record))
    return {
        key: Decided(
            decision=decisions.get(key),
            done=(own := tuple(sorted(done.get(key, ()), key=lambda each: each.at))),
            fate=_fate(record, key, own, is_present=key in present),
        )
        for key in sorted(decisions.keys() | done.keys())
        if key[0] in record.listing.in_scope
    }


def _present(record: Record) -> Iterator[UserKey]:
    for account_id, scan in record.scans.items():
        if isinstance(scan, Scanned):
            yield from ((account_id, user.user_id) for user in scan.users)


def _fate(record: Record, key: UserKey, done: tuple[Remediation, ...], *, is_present: bool) -> Fate:
    if not isinstance(record.scans.get(key[0]), Scanned):
        return Fate.NOT_READ
    if not is_present:
        return Fate.GONE
    stands = any(each.choice is Choice.QUARANTINE and each.outcome is RemediationOutcome.DONE for each in done)
    return Fate.QUARANTINED if stands else Fate.STILL_THERE
