"""Entries and revocations as the YAML of a safelist: quoted wherever a reader of YAML 1.1 or 1.2 might not see text."""

import json
import re
from collections.abc import Iterator, Sequence
from datetime import date

from scanner.model import Entry, Revocation
from scanner.yaml.nodes import TEXT, unquoted_kind

Fields = Sequence[tuple[str, str]]  # the keys of an entry, and their values as they are to be written

# Narrower than YAML's own plain scalars: it holds in block and flow style alike.
_PLAIN = re.compile(r"[A-Za-z][\w@./+=()'-]*(?: [\w@./+=()'-]+)*")


def approval_fields(entry: Entry) -> Fields:
    """An entry that selects one user, by its name or its ARN."""
    keys = ("user_id", "kind", "owner", "reason", "approved_by", "approved_on", "expires_on", "ticket")
    return tuple(_written((entry.selector, entry.value), *((key, getattr(entry, key)) for key in keys)))


def revocation_fields(revocation: Revocation) -> Fields:
    keys = ("user", "user_id", "by", "on", "ticket")
    account = ("account", quoted(revocation.account_id))
    return (account, *_written(*((key, getattr(revocation, key)) for key in keys)))


def block(fields: Fields, gap: int) -> list[str]:
    """The lines of a list's item, one key a line; the dash stands `gap` columns before the keys."""
    first, *rest = (f"{key}: {value}" for key, value in fields)
    return [f"{'-':<{gap}}{first}", *(" " * gap + line for line in rest)]


def flow(fields: Fields) -> str:
    return "{" + ", ".join(f"{key}: {value}" for key, value in fields) + "}"


def quoted(text: str, quote: str = '"') -> str:
    """A text in quotes; in single ones only where there is nothing to escape."""
    if quote == "'" and text.isalnum():
        return f"'{text}'"
    # JSON's escapes are YAML's too, but for characters beyond U+FFFF; what nobody can see is better escaped.
    return "".join(
        character if character.isprintable() else _escaped(character)
        for character in json.dumps(text, ensure_ascii=False)
    )


def _written(*pairs: tuple[str, object]) -> Iterator[tuple[str, str]]:
    for key, value in pairs:
        if isinstance(value, date):
            yield key, value.isoformat()
        elif value is not None:
            yield key, scalar(str(value))


def scalar(text: str) -> str:
    """A text, in quotes unless every reader of YAML sees the same text without them."""
    # One letter: y and n are true and false to some.
    plain = len(text) > 1 and _PLAIN.fullmatch(text) and text.isprintable() and unquoted_kind(text) == TEXT
    return text if plain else quoted(text)


def _escaped(character: str) -> str:
    return f"\\U{ord(character):08x}" if ord(character) > 0xFFFF else f"\\u{ord(character):04x}"
