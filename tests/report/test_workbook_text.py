"""The workbook opens whatever the text, and no text is run."""

import io
import re
from dataclasses import replace
from zipfile import ZipFile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.workbook import Workbook

from scanner.audit.assessment import Assessment
from scanner.audit.diff import Difference
from scanner.model import Basis, Change, Choice, Evidence, Scanned
from scanner.record import SafelistText, UserState
from scanner.safelist.usage import EntryStatus, EntryUse
from scanner.settings import ExcludedOu, Settings
from scanner.text import CELL_LIMIT, CUT_MARK, for_utf8
from tests.builders import (
    AS_OF,
    access,
    account,
    failed,
    failure,
    header,
    listing,
    skipped,
    user,
)
from tests.report.samples import assessed, decision, entry, finding, sample
from tests.report.workbooks import cells, facts, opened, rendered, sheet, table, words

HOSTILE = [
    "=1+1",
    '=HYPERLINK("http://x")',
    "+1",
    "-1",
    "@SUM(A1)",
    "#N/A",
    "#REF!",
    "000123",
    "\x00\x1b[2J",
    "\ud800 \ufffe",
    "user_x000D_y",
    "a\r\nb",
    "</t><x>",
    "&A &P",
    "{0} {x} %s",
    "😀" * 20,
]


def hostile(text: str) -> Assessment:
    """This text wherever other people may put theirs."""
    rights = replace(access(), groups=(text,), attached_policies=(text,), tags=((text, text),))
    where = account(1, name=text)
    where = replace(where, ous=tuple(replace(each, name=text, path=text) for each in where.ous), state=text)
    by = replace(entry(), value=text, owner=text, reason=text, approved_by=text, ticket=text, file=text)
    who = replace(user(access=rights), user_name=text, path=text, arn=text)
    found = finding(who, at=where, basis=Basis.SAFELISTED, by=by, explanation=text)
    other = [account(2, name=text), account(3, name=text)]
    told = replace(failed(2), failure=replace(failure(), detail=text, remedy=text, code=text))
    read = Scanned(
        account_id=where.id,
        users=(who,),
        evidence=found.evidence,
        notes=(text,),
        role_arn=text,
        scanned_at=who.created_at,
    )
    made = assessed(
        [found],
        accounts=[where, *other],
        scans=[read, told, replace(skipped(3), detail=text)],
        uses=[EntryUse(entry=by, status=EntryStatus.IN_USE, users=1, remark=text)],
    )
    as_given = for_utf8(text)  # what is no Unicode is refused in settings
    head = header(
        safelists=(SafelistText(path=text, text=text),),
        settings=Settings(ou=(as_given,), exclude_ou=(ExcludedOu(ou=as_given, reason=as_given),), profile=as_given),
        account_owners={where.id: text},
    )
    last = replace(decision(found, Choice.DEFER, AS_OF, text), reviewer=text)
    head = replace(head, session_policies={text: text}, versions={text: text}, decisions=(last,))
    state = UserState(
        account_id=where.id,
        user_id=who.user_id,
        user_name=text,
        determination=found.determination,
        basis=found.basis,
        evidence=Evidence.FULL,
        administrator=None,
        policies=(text,),
        boundary=False,
    )
    changed = Difference(account_id=where.id, account_name=text, before=None, after=state, changes=(Change.NEW,))
    listed = listing(where, *other, source=text, notes=(text,), problem=replace(failure(), detail=text))
    return replace(
        made, status_text=text, differences=(changed,), record=replace(made.record, header=head, listing=listed)
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_becomes_a_formula_or_an_error(text: str) -> None:
    """Those there are count decisions, and nothing of others' text is in them."""
    made = opened(hostile(text))
    formulas = [str(cell.value) for cell in cells(made) if cell.data_type == "f"]
    assert all(re.fullmatch(r'[=+]?(?:\+?COUNTIF\(Review!\$G:\$G,"[A-Z][a-z]+"\))+', each) for each in formulas)
    assert len(formulas) == 1 + len(Choice)
    assert {cell.data_type for cell in cells(made)} <= {"s", "n", "d", "f"}
    assert table(made, "Users")[0]["account_id"] == "000000000001"


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(st.characters(), min_size=1, max_size=30))
def test_any_text_gives_a_workbook_that_opens(text: str) -> None:
    assert opened(hostile(text)).sheetnames[0] == "Guide"


def test_a_name_that_looks_like_a_formula_stays_text_when_edited() -> None:
    made = opened(assessed([finding(user("=1+1")), finding(user("alice"))]))
    plain, quoted = (sheet(made, "Users").cell(row, 5) for row in (3, 2))
    assert (quoted.value, quoted.quotePrefix, plain.quotePrefix) == ("=1+1", True, False)
    assert quoted.number_format == plain.number_format == "@"


def test_text_that_had_to_be_changed_is_listed_on_evidence() -> None:
    told = facts(opened(assessed([finding(replace(user("user_x000D_y"), path="/\x00/"), explanation="x" * 40_000)])))
    assert "escaped" in told["Users, row 2, user_name"]
    assert "U+FFFD" in told["Users, row 2, path"]
    assert "cut" in told["Users, row 2, explanation"]


def test_a_long_text_is_cut_with_a_mark() -> None:
    made = table(opened(assessed([finding(explanation="x" * 40_000)])), "Users")[0]["explanation"]
    assert len(made) == CELL_LIMIT
    assert made.endswith(CUT_MARK)


def test_where_nothing_had_to_be_changed_that_is_said(book: Workbook) -> None:
    assert words(book, "Evidence").endswith("Text that had to be changed to fit a workbook\nNone")


def test_no_text_cell_is_written_without_text() -> None:
    with ZipFile(io.BytesIO(rendered(sample()))) as archive:
        sheets = [archive.read(name).decode() for name in archive.namelist() if name.startswith("xl/worksheets/sheet")]
    assert not any(re.search(r'<c [^>]*t="inlineStr" ?/>', each) for each in sheets)


def test_spaces_at_the_ends_of_a_text_are_kept() -> None:
    """A spreadsheet drops them where the XML does not ask for them."""
    with ZipFile(io.BytesIO(rendered(hostile(" two  ")))) as archive:
        assert b'<t xml:space="preserve"> two  </t>' in archive.read("xl/sharedStrings.xml")


def test_every_text_is_a_shared_string_as_apple_numbers_and_previews_ask_for() -> None:
    with ZipFile(io.BytesIO(rendered(sample()))) as archive:
        names = [name for name in archive.namelist() if name.startswith("xl/worksheets/sheet")]
        sheets = {name: archive.read(name) for name in names}
        texts = archive.read("xl/sharedStrings.xml").count(b"<si>")
        types = archive.read("[Content_Types].xml")
    assert len(sheets) == 9
    assert not any(b"inlineStr" in sheet or b"<is>" in sheet for sheet in sheets.values())
    numbers = {int(found) for sheet in sheets.values() for found in re.findall(rb't="s"[^>]*><v>(\d+)</v>', sheet)}
    assert numbers == set(range(texts))
    assert types.count(b"sharedStrings+xml") == 1
