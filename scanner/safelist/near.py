"""Names that somebody may have mistaken for each other: a hint for the reviewer, and never a reason to approve."""

from collections.abc import Iterable, Iterator

from scanner.safelist.types import fold

MIN_LENGTH = 4  # below, almost every name is one letter away from another

_LOOK_ALIKE = str.maketrans({"0": "o", "1": "l", "i": "l", "5": "s", "-": None, "_": None, ".": None})


class Neighbours:
    """Names, findable by one that is a letter away or looks alike.

    Two names are at most one insertion, deletion, substitution or swap of neighbours apart only if dropping at most one
    letter of each can make them equal. So the names are filed under each such remainder: a look-up costs as many steps
    as the name has letters, however many names there are.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._remainders: dict[str, list[str]] = {}
        self._shapes: dict[str, str] = {}
        for name in sorted({fold(name) for name in names if len(name) >= MIN_LENGTH}):
            for remainder in _remainders(name):
                self._remainders.setdefault(remainder, []).append(name)
            self._shapes.setdefault(_shape(name), name)

    def one_letter_away(self, name: str) -> str | None:
        """The first name, folded, that is one edit from this one; not the name itself."""
        wanted = fold(name)
        if len(wanted) < MIN_LENGTH:
            return None
        near = {
            found
            for remainder in _remainders(wanted)
            for found in self._remainders.get(remainder, ())
            if _one_edit_apart(wanted, found)
        }
        return min(near, default=None)

    def look_alike(self, name: str) -> str | None:
        """A name, folded, that the eye may take for this one: l and 1, o and 0, rn and m, separators."""
        wanted = fold(name)
        found = self._shapes.get(_shape(wanted)) if len(wanted) >= MIN_LENGTH else None
        return found if found != wanted else None


def _remainders(name: str) -> Iterator[str]:
    yield name
    yield from {name[:at] + name[at + 1 :] for at in range(len(name))}


def _shape(folded: str) -> str:
    return folded.translate(_LOOK_ALIKE).replace("rn", "m").replace("vv", "w")


def _one_edit_apart(one: str, other: str) -> bool:
    """Whether one insertion, deletion, substitution or swap of neighbours makes one of the other."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    at = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    a, b = one[at:], other[at:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])
