"""Many wildcard patterns against many names, without trying each pattern on each name."""

import fnmatch
import re
from collections.abc import Iterable, Iterator

from scanner.safelist.types import fold

_WILDCARD = re.compile(r"[*?]")


class Patterns:
    """Patterns of one scope, each known by a number.

    `*` stands for any letters, `?` for one; nothing else is special, both ends are anchored, and ASCII case does not
    count, as IAM compares names. Patterns are filed under the literal text before their first wildcard or after their
    last, whichever is longer, so that only those whose end fits are tried.
    """

    def __init__(self, patterns: Iterable[tuple[int, str]]) -> None:
        self._by_start: dict[str, list[tuple[int, re.Pattern[str]]]] = {}
        self._by_end: dict[str, list[tuple[int, re.Pattern[str]]]] = {}
        for number, pattern in patterns:
            folded = fold(pattern)
            parts = _WILDCARD.split(folded)
            shelf, key = (self._by_start, parts[0]) if len(parts[0]) >= len(parts[-1]) else (self._by_end, parts[-1])
            shelf.setdefault(key, []).append((number, _compiled(folded)))
        self._starts = sorted({len(key) for key in self._by_start})
        self._ends = sorted({len(key) for key in self._by_end})

    def matching(self, name: str) -> list[int]:
        """The numbers of the patterns that match the whole name, in ascending order."""
        folded = fold(name)
        return sorted(number for number, pattern in self._candidates(folded) if pattern.match(folded))

    def _candidates(self, folded: str) -> Iterator[tuple[int, re.Pattern[str]]]:
        for length in (start for start in self._starts if start <= len(folded)):
            yield from self._by_start.get(folded[:length], ())
        for length in (end for end in self._ends if end <= len(folded)):
            yield from self._by_end.get(folded[len(folded) - length :], ())


def _compiled(folded: str) -> re.Pattern[str]:
    """The pattern as a regular expression that cannot backtrack without end: fnmatch makes its groups atomic.

    A `[` would be special to fnmatch; it is escaped here, though no valid pattern holds one.
    """
    return re.compile(fnmatch.translate(folded.replace("[", "[[]")))
