"""Pages of a list, with tokens that belong to one action, as AWS gives them out; and the lies that can be told here."""

import base64
import binascii
import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")

_serials = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    items: Sequence[Item]
    token: str | None  # where to go on
    more: bool  # IsTruncated


class BadToken(Exception):  # noqa: N818 - turned into the error of the service, which has its own name
    pass


def page(items: Sequence[Item], *, of: str, token: str | None, size: int, lies: Collection[str] = ()) -> Page[Item]:
    """The page that `token` points at; `of` names the list, so that a token of another one is refused."""
    start = _offset(token, of) if token else 0
    if "same-marker" in lies:
        return Page(items[:size], _token(of, 0, serial=0), more=True)
    if "empty-page" in lies:
        return Page([], _token(of, start), more=True)
    end = start + size
    if "no-marker" in lies:
        return Page(items[start:end], None, more=True)
    more = end < len(items)
    return Page(items[start:end], _token(of, end) if more else None, more=more)


def _token(of: str, offset: int, *, serial: int | None = None) -> str:
    """Never the same one twice, but for `serial`."""
    text = f"{offset}|{next(_serials) if serial is None else serial}|{of}"
    return base64.urlsafe_b64encode(text.encode()).decode()


def _offset(token: str, of: str) -> int:
    try:
        offset, _, owner = base64.urlsafe_b64decode(token).decode().split("|", 2)
        start = int(offset)
    except (binascii.Error, ValueError) as error:
        raise BadToken from error
    if owner != of:
        raise BadToken
    return start
