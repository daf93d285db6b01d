"""The journal: one JSON object a line, each with the SHA-256 of the line before it, newline included.

    header      what the run was started with
    account     an account as it finishes: any number, in the order in which they finish
    listing     what the enumeration found, when it ends
    resume      the run goes on (any number)
    footer      the last counts

Everything else in a run's folder is rendered from it. For each account and for listing and footer, the last line
counts. A line without its newline was torn by a crash; any other line that does not parse or chain is a refusal.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias

from pydantic import TypeAdapter, ValidationError

from scanner.errors import ScannerError
from scanner.model import (
    Account,
    AccountId,
    AccountScan,
    Failure,
    Footer,
    Header,
    Listing,
    OrganizationalUnit,
    Record,
)

SCHEMA_VERSION: Final = 1
NO_LINE: Final = "0" * 64  # what the first line has in place of a digest

Line: TypeAlias = Header | AccountScan | Listing | Footer
_HEADER = TypeAdapter(Header)
_SCAN: TypeAdapter[AccountScan] = TypeAdapter(AccountScan)
_FOOTER = TypeAdapter(Footer)
_FAILURE: TypeAdapter[Failure | None] = TypeAdapter(Failure | None)


class JournalError(ScannerError):
    """The journal is not what was written: a line was changed, removed, added or reordered, or is missing."""


def encode(line: Line, previous: str) -> tuple[bytes, str]:
    """Return the line's bytes, newline included, and their digest, which the next line carries."""
    kind, content = _encoded(line)
    # ASCII, so that text which UTF-8 cannot hold (a lone surrogate from AWS) survives as an escape.
    text = json.dumps({"type": kind, "previous": previous, **content}, separators=(",", ":"))
    data = text.encode("ascii") + b"\n"
    return data, hashlib.sha256(data).hexdigest()


def decode(data: bytes) -> Record:
    """Read a whole journal; raise `JournalError` naming the first line that is wrong, or what is missing."""
    reader = _Reader()
    previous = NO_LINE
    for number, raw in enumerate(data.splitlines(keepends=True), start=1):
        try:
            content = json.loads(raw) if raw.endswith(b"\n") else None
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise JournalError(f"journal line {number} is broken: it is torn or is no JSON.")
        if content.pop("previous", None) != previous:
            raise JournalError(f"journal line {number} does not follow line {number - 1}: the journal was changed.")
        try:
            reader.take(content)
        except (ValidationError, KeyError, IndexError, TypeError) as error:
            raise JournalError(f"journal line {number} is not one of this program's.") from error
        previous = hashlib.sha256(raw).hexdigest()
    return reader.record(hashlib.sha256(data).hexdigest())


class _Reader:
    """Gathers lines; the last of a kind counts."""

    def __init__(self) -> None:
        self._header: Header | None = None
        self._listing: Listing | None = None
        self._footer: Footer | None = None
        self._scans: dict[AccountId, AccountScan] = {}
        self._readers: Mapping[str, Callable[[dict[str, Any]], None]] = {
            "header": self._take_header,
            "account": self._take_scan,
            "listing": self._take_listing,
            "footer": self._take_footer,
        }

    def take(self, content: dict[str, Any]) -> None:
        self._readers[content.pop("type")](content)

    def record(self, digest: str) -> Record:
        if self._header is None or self._listing is None or self._footer is None:
            raise JournalError("the journal has no end: the run was interrupted before it could say what it found.")
        return Record(header=self._header, listing=self._listing, scans=self._scans, footer=self._footer, digest=digest)

    def _take_header(self, content: dict[str, Any]) -> None:
        if content.get("schema_version") != SCHEMA_VERSION:
            raise JournalError("the journal was written by another version of the program, which this one cannot read.")
        self._header = _HEADER.validate_python(content)

    def _take_scan(self, content: dict[str, Any]) -> None:
        scan = _SCAN.validate_python(content)
        self._scans[scan.account_id] = scan

    def _take_listing(self, content: dict[str, Any]) -> None:
        self._listing = _listing(content)

    def _take_footer(self, content: dict[str, Any]) -> None:
        self._footer = _FOOTER.validate_python(content)


def _encoded(line: Line) -> tuple[str, dict[str, Any]]:
    if isinstance(line, Header):
        return "header", _HEADER.dump_python(line, mode="json")
    if isinstance(line, Listing):
        return "listing", _listing_content(line)
    if isinstance(line, Footer):
        return "footer", _FOOTER.dump_python(line, mode="json")
    return "account", _SCAN.dump_python(line, mode="json")


def _listing_content(listing: Listing) -> dict[str, Any]:
    """Write each OU once, and of an account only the path and id of the OU that holds it: there are thousands."""
    places = {ou: number for number, ou in enumerate(_with_parents(listing))}
    return {
        "source": listing.source,
        "ous": [_ou_content(ou) for ou in places],
        "accounts": [
            {
                "id": account.id,
                "name": account.name,
                "state": account.state,
                "ous": [places[ou] for ou in account.ous],
                "in_scope": account.id in listing.in_scope,
            }
            for account in listing.accounts
        ],
        "problem": _FAILURE.dump_python(listing.problem, mode="json"),
        "notes": list(listing.notes),
    }


def _with_parents(listing: Listing) -> Iterable[OrganizationalUnit]:
    return dict.fromkeys((*listing.ous, *(ou for account in listing.accounts for ou in account.ous)))


def _ou_content(ou: OrganizationalUnit) -> dict[str, Any]:
    return {"id": ou.id, "name": ou.name, "path": ou.path, "addressable": ou.addressable}


def _listing(content: Mapping[str, Any]) -> Listing:
    ous = tuple(OrganizationalUnit(**ou) for ou in content["ous"])
    return Listing(
        source=content["source"],
        ous=ous,
        accounts=tuple(
            Account(
                id=AccountId(raw["id"]),
                name=raw["name"],
                state=raw["state"],
                ous=tuple(ous[place] for place in raw["ous"]),
            )
            for raw in content["accounts"]
        ),
        in_scope=frozenset(AccountId(raw["id"]) for raw in content["accounts"] if raw["in_scope"]),
        problem=_FAILURE.validate_python(content["problem"]),
        notes=tuple(content["notes"]),
    )
