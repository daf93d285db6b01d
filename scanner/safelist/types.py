"""What safelists say once they are read: values that matching needs, and nothing of files or YAML."""

import re
import string
from dataclasses import dataclass

from scanner.model import Entry, Revocation

# ListRoots and ListOrganizationalUnitsForParent, `Id`. A key of `ous` that looks like this is an id and never a path.
_OU_ID = re.compile(r"ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}|r-[0-9a-z]{4,32}", re.ASCII)
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def fold(name: str) -> str:
    """A user name as IAM compares names: without regard to ASCII case, and to ASCII case only.

    `str.lower` and `str.casefold` would let the Kelvin sign pass for a `k`.
    """
    return name.translate(_LOWER)


def is_ou_id(value: str) -> bool:
    """Whether the key of an OU scope is an id ("ou-…", "r-…") rather than a path."""
    return _OU_ID.fullmatch(value) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What an approval must have to count; binds the entries of all files."""

    require: tuple[str, ...] = ()  # names of fields of an entry
    max_days: int | None = None  # from approved_on to expires_on
    allow_patterns: bool = False
    approvers: tuple[str, ...] | None = None  # None: anybody may approve


@dataclass(frozen=True, slots=True, kw_only=True)
class Safelist:
    """Every entry of every safelist file, in the order of the files and of the lines in them."""

    entries: tuple[Entry, ...] = ()
    revocations: tuple[Revocation, ...] = ()
    policy: Policy | None = None
    organization: str | None = None  # refuse to be used for another
    warnings: tuple[str, ...] = ()  # whole sentences; nothing here changes what is decided
