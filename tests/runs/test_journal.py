"""The journal: what goes in comes out, and what was tampered with is refused, naming the line."""

import hashlib
import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.model import (
    Access,
    AccessKey,
    AccountScan,
    Credentials,
    Evidence,
    FailReason,
    Failure,
    OrganizationalUnit,
    SkipReason,
)
from scanner.record import Footer, OwnerTags, Record, SafelistText
from scanner.runs.journal import NO_LINE, JournalError, Line, decode, encode
from scanner.settings import ExcludedAccount, Settings
from tests.builders import (
    START,
    access,
    account,
    credentials,
    failed,
    failure,
    header,
    listing,
    ou,
    scanned,
    skipped,
    user,
)
from tests.runs.recording import rechained

FOOTER = Footer(finished_at=START, api_calls={"iam:ListUsers": 3}, throttled=1, interrupted=False)


def journal(*lines: Line) -> bytes:
    data, previous = b"", NO_LINE
    for line in lines:
        written, previous = encode(line, previous)
        data += written
    return data


def whole(*scans: AccountScan) -> bytes:
    accounts = [account(scan.account_id) for scan in scans]
    return journal(header(), *scans, listing(*accounts), FOOTER)


SAMPLE = whole(scanned(1, user("alice"), user("bob")), failed(2), skipped(3))


def lines_of(data: bytes) -> list[bytes]:
    return data.splitlines(keepends=True)


# --- settings, in a journal of another version ----------------------------------------------------------------------


def with_settings(**recorded: object) -> bytes:
    """A journal whose header has these settings and no other."""
    first, *rest = lines_of(whole(scanned(1)))
    changed = json.dumps(json.loads(first) | {"settings": recorded}, separators=(",", ":")).encode() + b"\n"
    return b"".join(rechained([changed, *rest]))


def test_a_setting_that_an_older_version_did_not_have_has_its_default() -> None:
    read = decode(with_settings(role_name="Auditor", external_id_given=False)).header
    assert read.settings == Settings(role_name="Auditor")


def test_a_setting_that_this_version_does_not_have_is_left_out() -> None:
    read = decode(with_settings(role_name="Auditor", colour="green", external_id_given=True)).header
    assert read.settings == Settings(role_name="Auditor")
    assert read.external_id_given


def test_a_setting_that_was_allowed_once_and_is_refused_today_is_read_all_the_same() -> None:
    read = decode(with_settings(exclude_ou=[{"ou": "Root/Sandbox", "reason": " "}], external_id_given=False)).header
    assert [(excluded.ou, excluded.reason) for excluded in read.settings.exclude_ou] == [("Root/Sandbox", " ")]


def test_every_setting_comes_back_as_it_was_but_for_the_external_id() -> None:
    settings = Settings(
        ou=("Root/Ä",),
        exclude_account=(ExcludedAccount(account="000000000001", reason="sold"),),
        accounts_file=Path("a.csv"),
        external_id="planted-secret",
        session_policy=False,
        evidence="basic",
        dormant_days=30,
        safelist=(Path("a.yaml"), Path("b")),
        as_of=date(2027, 1, 15),
        format=("json",),
        previous="none",
    )
    data = journal(replace(header(settings=settings), external_id_given=True), listing(account(1)), FOOTER)
    assert b"planted-secret" not in data
    assert json.loads(lines_of(data)[0])["settings"]["external_id_given"] is True
    read = decode(data).header
    assert (read.settings, read.external_id_given) == (settings.with_(external_id=None), True)


# --- a round trip ----------------------------------------------------------------------------------------------------

FULL_USER = user(
    "alice",
    path="/ops/",
    credentials=Credentials(
        console_access=True,
        password_last_used=START,
        password_last_changed=START - timedelta(days=3, microseconds=5),
        mfa_active=None,
        access_keys=(
            AccessKey(active=True, last_rotated=START, last_used=None),
            AccessKey(active=None, last_rotated=None, last_used=START),
        ),
    ),
    access=Access(
        administrator=None,
        groups=("devs",),
        attached_policies=("ReadOnlyAccess (via devs)",),
        inline_policies=("own",),
        permissions_boundary="arn:aws:iam::aws:policy/PowerUserAccess",
        tags=(("team", "a; b"), ("", "")),
    ),
)
OTHER_ZONE = datetime.fromisoformat("2026-01-15T11:30:00+02:00")

SCANS: dict[str, AccountScan] = {
    "no users": scanned(1),
    "a user with all there is": scanned(1, FULL_USER),
    "a user with nothing": scanned(1, user()),
    "a user with empty evidence": scanned(1, user(credentials=credentials(), access=access())),
    "a time in another zone": scanned(1, user(created_at=OTHER_ZONE)),
    "partial": scanned(1, evidence=Evidence.PARTIAL, notes=("a", "b"), role_arn="arn:aws:iam::1:role/x"),
    "basic": scanned(1, user(), evidence=Evidence.BASIC),
    "with a report": replace(scanned(1), credential_report_at=START),
    "a lone surrogate": scanned(1, replace(user(), user_name="\ud800", path="/\udfff/"), notes=("\udc80",)),
    "line ends in a name": scanned(1, user("a\r\nb\u2028c\x85d\x1ce")),
    "not ASCII": scanned(1, user("名前 😀")),
    **{f"failed {reason}": failed(1, reason) for reason in FailReason},
    "failed without a code": replace(failed(1), failure=replace(failure(), code=None)),
    **{f"skipped {reason}": skipped(1, reason) for reason in SkipReason},
}


@pytest.mark.parametrize("scan", SCANS.values(), ids=SCANS)
def test_an_account_comes_back_as_it_went_in(scan: AccountScan) -> None:
    assert decode(whole(scan)).scans == {scan.account_id: scan}


def test_a_time_in_another_zone_keeps_its_zone() -> None:
    scan = decode(whole(SCANS["a time in another zone"])).scans[account(1).id]
    assert scan.outcome == "SCANNED"
    assert scan.users[0].created_at.isoformat() == OTHER_ZONE.isoformat()


HEADERS = {
    "plain": header(),
    "without an organization": header(organization=None),
    "with safelists": header(safelists=(SafelistText(path="a.yaml", text="version: 1\r\nglobal: []\n\ud800"),)),
    "with owners and settings": header(account_owners={"0" * 12: "ö"}, settings=Settings(ou=("Root/A",))),
}


@pytest.mark.parametrize("line", HEADERS.values(), ids=HEADERS)
def test_a_header_comes_back_as_it_went_in(line: object) -> None:
    assert decode(journal(line, listing(), FOOTER)).header == line  # type: ignore[arg-type]


SHARED = OrganizationalUnit(id="ou-abcd-00000001", name="a/b", path="Root/a/b", addressable=False)
FROM_FILE = OrganizationalUnit(id=None, name="Root", path="Root")
LISTINGS = {
    "empty": listing(),
    "accounts in and out of scope": listing(account(1), account(2), account(3), in_scope=[1, 3]),
    "an account without a place": listing(account(1, ou_path=None), account(2, state=None)),
    "broken off": listing(account(1), problem=failure(FailReason.ACCESS_DENIED), notes=("a note",)),
    "from a file": replace(listing(replace(account(1), ous=(FROM_FILE,))), source="accounts.csv", ous=(FROM_FILE,)),
    "a path that names nothing": listing(replace(account(1), ous=(*ou("Root"), SHARED))),
    "a hostile name": listing(account(1, name="\ud800\n=1+1")),
}


@pytest.mark.parametrize("line", LISTINGS.values(), ids=LISTINGS)
def test_a_listing_comes_back_as_it_went_in(line: object) -> None:
    found = decode(journal(header(), line, FOOTER)).listing  # type: ignore[arg-type]
    assert found == line


def test_an_ou_without_accounts_is_kept() -> None:
    line = replace(listing(), ous=ou("Root/Empty"))
    assert decode(journal(header(), line, FOOTER)).listing == line


@pytest.mark.parametrize("problem", [None, failure(FailReason.ACCESS_DENIED)], ids=["read", "refused"])
def test_owner_tags_come_back_as_they_went_in_and_the_last_ones_count(problem: Failure | None) -> None:
    early = OwnerTags(values={account(1).id: "early"}, problem=None)
    line = OwnerTags(values={account(1).id: "a\ud800", account(2).id: None}, problem=problem)
    read = decode(journal(header(), listing(), early, line, FOOTER))
    assert read.owner_tags == line
    assert read.account_owners == {account(1).id: "a\ud800"}


def test_a_journal_without_owner_tags_has_none() -> None:
    assert decode(journal(header(), listing(), FOOTER)).owner_tags is None


def test_a_footer_comes_back_as_it_went_in() -> None:
    assert decode(SAMPLE).footer == FOOTER


@given(st.text(alphabet=st.characters(exclude_categories=[]), max_size=40))
def test_any_text_survives(text: str) -> None:
    scan = scanned(1, replace(user(), user_name=text, path=text), notes=(text,))
    assert decode(whole(scan)).scans[scan.account_id] == scan


def test_a_journal_is_ascii_with_one_line_each() -> None:
    data = whole(SCANS["not ASCII"], replace(scanned(2), notes=("\u2028", "\x85")))
    assert data.isascii()
    assert len(lines_of(data)) == data.count(b"\n") == 5


def test_the_same_lines_give_the_same_bytes() -> None:
    assert whole(scanned(1, FULL_USER)) == whole(scanned(1, FULL_USER))


# --- what counts -----------------------------------------------------------------------------------------------------


def test_the_last_line_of_an_account_counts() -> None:
    data = journal(header(), failed(1), listing(account(1)), FOOTER, scanned(1, user()), FOOTER)
    assert decode(data).scans == {account(1).id: scanned(1, user())}


def test_each_line_carries_the_digest_of_the_line_before_it() -> None:
    lines = lines_of(SAMPLE)
    expected = [NO_LINE, *(hashlib.sha256(line).hexdigest() for line in lines[:-1])]
    assert [json.loads(line)["previous"] for line in lines] == expected


def test_the_digest_of_a_record_is_that_of_the_bytes() -> None:
    assert decode(SAMPLE).digest == hashlib.sha256(SAMPLE).hexdigest()


# --- what is refused -------------------------------------------------------------------------------------------------


def refusal(data: bytes) -> str:
    with pytest.raises(JournalError) as caught:
        decode(data)
    return str(caught.value)


def test_the_sample_itself_is_read() -> None:
    record = decode(SAMPLE)
    assert isinstance(record, Record)
    assert [scan.outcome for scan in record.scans.values()] == ["SCANNED", "FAILED", "SKIPPED"]


@pytest.mark.parametrize("number", range(1, len(lines_of(SAMPLE))))
def test_a_changed_line_is_noticed_at_the_next_one(number: int) -> None:
    lines = lines_of(SAMPLE)
    lines[number - 1] = lines[number - 1].replace(b"a", b"b", 1)
    assert f"journal line {number}" in refusal(b"".join(lines)) or f"line {number + 1} " in refusal(b"".join(lines))


def test_a_user_taken_out_of_a_line_is_noticed() -> None:
    lines = lines_of(SAMPLE)
    content = json.loads(lines[1])
    content["users"].pop()
    lines[1] = json.dumps(content, separators=(",", ":")).encode() + b"\n"
    assert refusal(b"".join(lines)).startswith("journal line 3 does not follow line 2")


@pytest.mark.parametrize("number", range(1, len(lines_of(SAMPLE))))
def test_a_removed_line_is_noticed(number: int) -> None:
    lines = lines_of(SAMPLE)
    del lines[number - 1]
    assert refusal(b"".join(lines)).startswith(f"journal line {number} does not follow")


def test_a_doubled_line_is_noticed() -> None:
    lines = lines_of(SAMPLE)
    assert refusal(b"".join([*lines[:2], lines[1], *lines[2:]])).startswith("journal line 3 does not follow line 2")


def test_an_added_line_is_noticed_where_the_old_ones_go_on() -> None:
    lines = lines_of(SAMPLE)
    added, _ = encode(scanned(9), json.loads(lines[2])["previous"])
    assert refusal(b"".join([*lines[:2], added, *lines[2:]])).startswith("journal line 4 does not follow line 3")


def test_two_lines_in_the_other_order_are_noticed() -> None:
    lines = lines_of(SAMPLE)
    lines[1], lines[2] = lines[2], lines[1]
    assert refusal(b"".join(lines)).startswith("journal line 2 does not follow line 1")


def test_a_blank_line_is_noticed() -> None:
    lines = lines_of(SAMPLE)
    assert refusal(b"".join([*lines[:2], b"\n", *lines[2:]])).startswith("journal line 3 is broken")


def test_a_last_line_without_its_newline_is_torn() -> None:
    assert refusal(SAMPLE[:-1]).startswith("journal line 6 is cut off")


@given(st.integers(min_value=0, max_value=len(SAMPLE) - 1))
def test_a_journal_cut_anywhere_is_refused(length: int) -> None:
    refusal(SAMPLE[:length])


@given(st.integers(min_value=0, max_value=len(SAMPLE) - len(lines_of(SAMPLE)[-1]) - 1), st.integers(1, 255))
def test_any_byte_changed_before_the_last_line_is_noticed(at: int, by: int) -> None:
    """The last line is vouched for by the digest of the whole, which is in the manifest."""
    data = bytearray(SAMPLE)
    data[at] ^= by
    refusal(bytes(data))


@pytest.mark.parametrize("missing", ["header", "listing", "footer"])
def test_a_journal_without_its_beginning_or_end_is_no_record(missing: str) -> None:
    lines: dict[str, Line] = {"header": header(), "listing": listing(), "footer": FOOTER}
    del lines[missing]
    assert "no end" in refusal(journal(*lines.values()))


def test_a_journal_of_another_version_is_refused() -> None:
    data = journal(replace(header(), schema_version=99), listing(), FOOTER)
    assert "another version" in refusal(data)


STRANGE = {
    "no object": b"[1]\n",
    "no type": json.dumps({"previous": NO_LINE}).encode() + b"\n",
    "an unknown type": json.dumps({"previous": NO_LINE, "type": "gossip"}).encode() + b"\n",
    "an empty header": json.dumps({"previous": NO_LINE, "type": "header", "schema_version": 1}).encode() + b"\n",
    "no UTF-8": b'{"previous": "\xff"}\n',
}


@pytest.mark.parametrize("line", STRANGE.values(), ids=STRANGE)
def test_a_line_that_is_not_the_program_s_is_refused(line: bytes) -> None:
    assert refusal(line).startswith("journal line 1 is")


def test_an_outcome_that_is_none_is_refused() -> None:
    content = json.loads(lines_of(SAMPLE)[1]) | {"outcome": "GUESSED"}
    first = lines_of(SAMPLE)[0]
    assert "journal line 2 is not one" in refusal(first + json.dumps(content).encode() + b"\n")


def test_an_account_s_place_points_at_an_ou_of_the_same_line() -> None:
    lines = lines_of(journal(header(), listing(account(1)), FOOTER))
    content = json.loads(lines[1])
    content["accounts"][0]["ous"] = [7]
    assert "journal line 2 is not one" in refusal(lines[0] + json.dumps(content).encode() + b"\n")
