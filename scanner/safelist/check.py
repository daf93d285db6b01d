"""What is worth saying about safelists before any scan: no faults, but entries that do not or will soon not work."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from scanner.model import Basis, Entry, Selector
from scanner.safelist.match import state
from scanner.safelist.types import Safelist, fold
from scanner.safelist.usage import ends_soon


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The entries that need a look on one day; one entry may stand in several lists."""

    expired: tuple[Entry, ...]
    expiring: tuple[Entry, ...]  # within 90 days
    not_started: tuple[Entry, ...]
    invalid: tuple[Entry, ...]  # they break the policy
    duplicates: tuple[tuple[Entry, ...], ...]  # the same selector in the same scope, each group in the files' order


def check(safelist: Safelist, as_of: date) -> Checked:
    standing = [(entry, state(entry, as_of)) for entry in safelist.entries]
    return Checked(
        expired=tuple(entry for entry, basis in standing if basis is Basis.APPROVAL_EXPIRED),
        expiring=tuple(entry for entry, basis in standing if basis is Basis.SAFELISTED and ends_soon(entry, as_of)),
        not_started=tuple(entry for entry, basis in standing if basis is Basis.APPROVAL_NOT_STARTED),
        invalid=tuple(entry for entry in safelist.entries if entry.invalid),
        duplicates=_duplicates(safelist.entries),
    )


def _duplicates(entries: Sequence[Entry]) -> tuple[tuple[Entry, ...], ...]:
    groups: dict[tuple[str | None, ...], list[Entry]] = {}
    for entry in entries:
        exact = entry.selector in {Selector.ARN, Selector.PATH}
        value = entry.value if exact else fold(entry.value)
        groups.setdefault((entry.scope, entry.scope_value, entry.selector, value, entry.user_id), []).append(entry)
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)
