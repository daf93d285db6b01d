"""The journal: one JSON object a line, each with the SHA-256 of the line before it, newline included.

    header      what the run was started with
    account     an account as it finishes: any number, in the order in which they finish
    listing     what the enumeration found, when it ends
    owners      the owners of accounts by their tags, where these are asked for, when the last account was read
    resume      the run is resumed: any number
    footer      the last counts

Everything else in a run's folder is rendered from it. For each account and for listing, owners and footer, the last
line counts. A line without its newline was torn by a crash; any other line that does not parse or chain is refused.
"""

import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from pydantic import NonNegativeInt, TypeAdapter, ValidationError
from pydantic_core import from_json

from scanner.errors import ExitCode, ScannerError
from scanner.model import Account, AccountId, AccountScan, Failed, Failure, OrganizationalUnit, Scanned
from scanner.record import Footer, Header, Listing, OwnerTags, Record, Resumption
from scanner.settings import Settings

SCHEMA_VERSION: Final = 2
READABLE: Final = (1, SCHEMA_VERSION)  # what a version before did not read is not known in its runs
NO_LINE: Final = "0" * 64  # what the first line has in place of a digest

Line: TypeAlias = Header | AccountScan | Listing | OwnerTags | Resumption | Footer


@dataclass(frozen=True, slots=True, kw_only=True)
class _ListedAccount:
    """An account in the line of a listing; there are thousands, so its OUs are numbers into that line's list of OUs."""

    id: AccountId
    name: str
    state: str | None
    ous: tuple[NonNegativeInt, ...]
    in_scope: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _ListingLine:
    """A listing, as its line has it: each OU once."""

    source: str
    ous: tuple[OrganizationalUnit, ...]
    accounts: tuple[_ListedAccount, ...]
    problem: Failure | None
    notes: tuple[str, ...]


_HEADER = TypeAdapter(Header)
_SCAN: TypeAdapter[AccountScan] = TypeAdapter(AccountScan)
_LISTING = TypeAdapter(_ListingLine)
_OWNERS = TypeAdapter(OwnerTags)
_FOOTER = TypeAdapter(Footer)
_RESUMPTION = TypeAdapter(Resumption)


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What a run has written so far, wherever it stopped."""

    header: Header
    listing: Listing | None
    scans: Mapping[AccountId, AccountScan]
    footer: Footer | None
    last: str  # the digest of the last whole line
    length: int  # bytes up to its end
    torn: bool  # a line behind it was cut off in the middle
    owner_tags: OwnerTags | None
    ended: bool  # its footer is its last line; a run that was killed has none, or one of before it went on

    @property
    def read(self) -> frozenset[AccountId]:
        """The accounts that need not be read again."""
        return frozenset(account_id for account_id, scan in self.scans.items() if isinstance(scan, Scanned))

    @property
    def whole(self) -> bool:
        """Whether there is nothing left to do: the population is known, and none of it failed or was not reached."""
        if self.footer is None or not self.ended or self.footer.interrupted:
            return False
        if self.listing is None or self.listing.problem is not None:
            return False
        scans = (self.scans.get(account_id) for account_id in self.listing.in_scope)
        return not any(scan is None or isinstance(scan, Failed) for scan in scans)


class JournalError(ScannerError):
    """The journal is not what was written: a line was changed, removed, added or reordered, or cannot be used."""


class UnfinishedRunError(JournalError):
    """The journal is as it was written, and stops before its end: the run can be resumed, and nothing else."""

    exit_code = ExitCode.USAGE

    def __init__(self, message: str, *, has_header: bool = True) -> None:
        super().__init__(message)
        self.has_header = has_header  # without it there is nothing to resume


def encode(line: Line, previous: str) -> tuple[bytes, str]:
    """Return the line's bytes, newline included, and their digest, which the next line carries."""
    kind, content = _encoded(line)
    return chain_line(kind, content, previous)


def chain_line(kind: str, content: Mapping[str, Any], previous: str) -> tuple[bytes, str]:
    """Return a line of this journal, or of a like one, newline included, and its digest; `chained` reads it back."""
    # ASCII, so that text which UTF-8 cannot hold (a lone surrogate from AWS) survives as an escape.
    text = json.dumps({"type": kind, "previous": previous, **content}, separators=(",", ":"))
    data = text.encode("ascii") + b"\n"
    return data, hashlib.sha256(data).hexdigest()


def decode(data: bytes) -> Record:
    """Read a whole journal; raise `JournalError` naming the first line that is wrong, or what is missing."""
    return _read(data).record(hashlib.sha256(data).hexdigest())


def decode_begun(data: bytes) -> Begun:
    """Read as much of a journal as a run that stopped anywhere has written.

    A last line without its newline was being written when the run was killed; it is left out. Any other line that is
    wrong is a `JournalError`, as in `decode`.
    """
    whole = data[: data.rfind(b"\n") + 1]
    return _read(whole).begun(len(whole), torn=len(whole) < len(data))


def decode_listing(line: bytes) -> Listing | None:
    """Read a line by itself, whatever stands before it; None where it is not that of a listing.

    Raises ValueError, TypeError or LookupError where it is one that this program does not write.
    """
    if not line.startswith(b'{"type":"listing",'):  # cheaper than to parse the lines of thousands of accounts
        return None
    content = json.loads(line)
    return _listing(_LISTING.validate_python({key: content[key] for key in content.keys() - {"type", "previous"}}))


def check_chain(data: bytes) -> None:
    """Check that each line follows the one before it, whatever it says; raise `JournalError` for one that does not."""
    for _ in chained(data):
        pass


def _read(data: bytes) -> "_Reader":
    reader = _Reader()
    for number, content, digest in chained(data):
        try:
            reader.take(content)
        except (ValidationError, AttributeError, KeyError, IndexError, TypeError) as error:
            raise JournalError(f"journal line {number} is not one that this program writes.") from error
        reader.last = digest
    return reader


def chained(data: bytes) -> Iterator[tuple[int, dict[str, Any], str]]:
    """Each line's number, content and digest."""
    last = NO_LINE
    for number, raw in enumerate(io.BytesIO(data), start=1):
        if not raw.endswith(b"\n"):
            why = f"journal line {number} is cut off, as when a run is killed."
            raise UnfinishedRunError(why, has_header=number > 1)
        content = _json(raw)
        if not isinstance(content, dict):
            raise JournalError(f"journal line {number} is broken: it is not a JSON object.")
        if content.pop("previous", None) != last:
            raise JournalError(_does_not_follow(number))
        last = hashlib.sha256(raw).hexdigest()
        yield number, content, last


def _json(raw: bytes) -> object:
    """What a line holds, or None; what stands in it again and again, as names of policies do, is kept once."""
    try:
        return from_json(raw, cache_strings="all")
    except ValueError:  # also of a lone surrogate, which `json` takes and `chain_line` may have written
        try:
            return json.loads(raw)
        except (ValueError, RecursionError):
            return None


def _does_not_follow(number: int) -> str:
    if number == 1:
        return "journal line 1 does not follow the start of a journal: lines were removed, added or moved there."
    before = number - 1
    return (
        f"journal line {number} does not follow line {before}: the journal was changed. "
        f"Line {before} was changed, or lines were removed, added or moved there."
    )


class _Reader:
    """Gathers lines; the last of a kind counts."""

    def __init__(self) -> None:
        self._header: Header | None = None
        self._listing: Listing | None = None
        self._owner_tags: OwnerTags | None = None
        self._footer: Footer | None = None
        self._scans: dict[AccountId, AccountScan] = {}
        self._resumptions: list[Resumption] = []
        self._ended = False
        self.last = NO_LINE  # the digest of the line read last

    def take(self, content: dict[str, Any]) -> None:
        """Take a line; raises what pydantic, or a look-up, raises for one that this program does not write."""
        kind = content.pop("type")
        match kind:
            case "header":
                if content.get("schema_version") not in READABLE:
                    raise JournalError("the journal was written by another version of the program: use that version.")
                self._header = _header(content)
            case "account":
                scan = _SCAN.validate_python(content)
                self._scans[scan.account_id] = scan
            case "listing":
                self._listing = _listing(_LISTING.validate_python(content))
            case "owners":
                self._owner_tags = _OWNERS.validate_python(content)
            case "resume":
                self._resumptions.append(_RESUMPTION.validate_python(content))
            case "footer":
                self._footer = _FOOTER.validate_python(content)
            case _:
                raise KeyError(kind)
        self._ended = kind == "footer"

    def record(self, digest: str) -> Record:
        if self._header is None or self._listing is None or self._footer is None or not self._ended:
            why = "the journal has no end, as when a run is killed."
            raise UnfinishedRunError(why, has_header=self._header is not None)
        return Record(
            header=self._header,
            listing=self._listing,
            scans=self._scans,
            footer=self._footer,
            digest=digest,
            resumptions=tuple(self._resumptions),
            owner_tags=self._owner_tags,
        )

    def begun(self, length: int, *, torn: bool) -> Begun:
        if self._header is None:
            raise UnfinishedRunError("it stopped before its first line was written.", has_header=False)
        return Begun(
            header=self._header,
            listing=self._listing,
            scans=self._scans,
            footer=self._footer,
            last=self.last,
            length=length,
            torn=torn,
            owner_tags=self._owner_tags,
            ended=self._ended,
        )


def _encoded(line: Line) -> tuple[str, dict[str, Any]]:
    if isinstance(line, Header):
        return "header", _header_content(line)
    if isinstance(line, Listing):
        return "listing", _LISTING.dump_python(_listing_line(line), mode="json")
    if isinstance(line, OwnerTags):
        return "owners", _OWNERS.dump_python(line, mode="json")
    if isinstance(line, Resumption):
        return "resume", _RESUMPTION.dump_python(line, mode="json")
    if isinstance(line, Footer):
        return "footer", _FOOTER.dump_python(line, mode="json")
    return "account", _SCAN.dump_python(line, mode="json")


def _header_content(header: Header) -> dict[str, Any]:
    """Whether an ExternalId was given is said among the settings; the id itself is nowhere."""
    content: dict[str, Any] = _HEADER.dump_python(header, mode="json", exclude={"settings": {"external_id"}})
    content["settings"]["external_id_given"] = content.pop("external_id_given")
    return content


def _header(content: dict[str, Any]) -> Header:
    """Read a header of any program version: a setting that it lacks has its default, one that is unknown is dropped."""
    recorded = content["settings"]
    known = {key: value for key, value in recorded.items() if key in Settings.model_fields}
    given = recorded.get("external_id_given", False)
    return _HEADER.validate_python({**content, "settings": Settings(**known), "external_id_given": given})


def _listing_line(listing: Listing) -> _ListingLine:
    ous = tuple(dict.fromkeys((*listing.ous, *(ou for account in listing.accounts for ou in account.ous))))
    numbers = {ou: number for number, ou in enumerate(ous)}
    return _ListingLine(
        source=listing.source,
        ous=ous,
        accounts=tuple(
            _ListedAccount(
                id=account.id,
                name=account.name,
                state=account.state,
                ous=tuple(numbers[ou] for ou in account.ous),
                in_scope=account.id in listing.in_scope,
            )
            for account in listing.accounts
        ),
        problem=listing.problem,
        notes=listing.notes,
    )


def _listing(line: _ListingLine) -> Listing:
    return Listing(
        source=line.source,
        ous=line.ous,
        accounts=tuple(
            Account(
                id=account.id,
                name=account.name,
                state=account.state,
                ous=tuple(line.ous[number] for number in account.ous),
            )
            for account in line.accounts
        ),
        in_scope=frozenset(account.id for account in line.accounts if account.in_scope),
        problem=line.problem,
        notes=line.notes,
    )
