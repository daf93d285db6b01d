"""What safelists say once they are read: values that matching needs, and nothing of files or YAML."""

import re
import string
from dataclasses import dataclass

from scanner.model import Entry, Revocation, Scope, Selector

_USER_ARN = re.compile(
    r"arn:aws[a-z-]*:iam::(?P<account>[0-9]{12}):user(?:/|/[\x21-\x7e]{1,510}/)(?P<name>[\w+=,.@-]{1,128})", re.ASCII
)
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def fold(name: str) -> str:
    """A user name as IAM compares names: without regard to ASCII case, and to ASCII case only.

    `str.lower` and `str.casefold` would let the Kelvin sign pass for a `k`.
    """
    return name.translate(_LOWER)


def arn_parts(arn: str) -> tuple[str, str] | None:
    """The account id and the user name in the ARN of an IAM user; None where it is no such ARN."""
    found = _USER_ARN.fullmatch(arn)
    return (found["account"], found["name"]) if found else None


def arn_path(arn: str) -> str:
    """The path in the ARN of an IAM user."""
    return f"{arn.partition(':user')[2].rpartition('/')[0]}/"


def selected_name(entry: Entry) -> str | None:
    """The one user name that an entry is about; None for a pattern or a path."""
    if entry.selector is Selector.USER:
        return entry.value
    parts = arn_parts(entry.value) if entry.selector is Selector.ARN else None
    return parts[1] if parts else None


def selected_account(entry: Entry) -> str | None:
    """The only account in which an entry can approve; None where its scope holds more than one."""
    if entry.scope is Scope.ACCOUNT:
        return entry.scope_value
    parts = arn_parts(entry.value) if entry.selector is Selector.ARN else None
    return parts[0] if parts else None


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
