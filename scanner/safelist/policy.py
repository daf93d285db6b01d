"""How an entry breaks the policy: in whole sentences without a full stop, as reports join them."""

from collections.abc import Iterator
from dataclasses import dataclass

from scanner.model import Entry, Selector
from scanner.safelist.types import Policy


@dataclass(frozen=True, slots=True)
class Breach:
    """One thing that the policy has against an entry."""

    field: str  # the key of the entry that would have to change
    words: str


def breaches(entry: Entry, policy: Policy) -> tuple[Breach, ...]:
    """All that the policy has against this entry; nothing where it may approve."""
    return (*_patterns(entry, policy), *_required(entry, policy), *_validity(entry, policy), *_approver(entry, policy))


def _patterns(entry: Entry, policy: Policy) -> Iterator[Breach]:
    if entry.selector in {Selector.PATTERN, Selector.PATH} and not policy.allow_patterns:
        yield Breach(entry.selector, f"it approves by {entry.selector}, which the policy does not allow")


def _required(entry: Entry, policy: Policy) -> Iterator[Breach]:
    for name in policy.require:
        if getattr(entry, name) is None:
            yield Breach(name, f"it has no {name}")


def _validity(entry: Entry, policy: Policy) -> Iterator[Breach]:
    if policy.max_days is None:
        return
    for name in ("approved_on", "expires_on"):
        if getattr(entry, name) is None and name not in policy.require:
            yield Breach(name, f"it has no {name}, which the policy needs to limit it to {policy.max_days} days")
    if entry.approved_on and entry.expires_on:
        days = (entry.expires_on - entry.approved_on).days
        if days > policy.max_days:
            yield Breach("expires_on", f"it is valid for {days} days, and the policy allows {policy.max_days}")


def _approver(entry: Entry, policy: Policy) -> Iterator[Breach]:
    if policy.approvers is None or entry.approved_by in policy.approvers:
        return
    if entry.approved_by is not None:
        yield Breach("approved_by", f"{entry.approved_by} is not among the policy's approvers")
    elif "approved_by" not in policy.require:
        yield Breach("approved_by", "it has no approved_by, and the policy names who may approve")
