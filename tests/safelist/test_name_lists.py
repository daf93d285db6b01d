"""Lists of users to approve: what is read out of them, and what is wrong with them, by line."""

from pathlib import Path

import pytest

from scanner.errors import Fault
from scanner.model import Scope
from scanner.safelist.name_lists import Listed, Place, read_list

GLOBAL = (Scope.GLOBAL, "")
KNOWN = ("determination", "ou_path")
A = "000000000001"


def read(text: str, *, name: str = "list.txt", place: Place | None = GLOBAL) -> tuple[Listed, ...]:
    faults: list[Fault] = []
    found = read_list(Path(name), text, place, KNOWN, faults)
    assert faults == []
    return found


def names(text: str) -> list[str]:
    return [listed.entry.value for listed in read(text)]


def wrong(text: str, *, name: str = "list.csv", place: Place | None = None) -> list[str]:
    faults: list[Fault] = []
    read_list(Path(name), text, place, KNOWN, faults)
    return [str(fault).removeprefix(f"{name}:") for fault in faults]


# --- plain names -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("alice\nbob\n", ["alice", "bob"], id="one a line"),
        pytest.param("alice,bob, carol", ["alice", "bob", "carol"], id="with commas, as a rule's parameter has them"),
        pytest.param("\n  alice \t\n\n\tbob\n", ["alice", "bob"], id="spaces and blank lines"),
        pytest.param("alice\r\nbob\r\n", ["alice", "bob"], id="lines of Windows"),
        pytest.param("# team\nalice # since May\n  # bob\n", ["alice"], id="comments"),
        pytest.param("\"alice\", 'bob',carol", ["alice", "bob", "carol"], id="quotes"),
        pytest.param('"smith,john"\n', ["smith,john"], id="a comma within a name"),
        pytest.param("'+svc\n'=x,'@y\n-z", ["+svc", "=x", "@y", "-z"], id="guarded for a spreadsheet"),
        pytest.param("'+svc', \"'=x\"", ["+svc", "=x"], id="guarded, and in quotes"),
        pytest.param("alice,,bob,\n", ["alice", "bob"], id="commas too many"),
        pytest.param("user-1\nuser_name2\n", ["user-1", "user_name2"], id="names like columns"),
    ],
)
def test_names_are_read_as_people_keep_them(text: str, expected: list[str]) -> None:
    assert names(text) == expected


def test_each_name_knows_its_line() -> None:
    assert [listed.entry.line for listed in read("# team\nalice,bob\n\ncarol\n")] == [2, 2, 4]


@pytest.mark.parametrize("name", ["ci-*", "ci-?", "*"])
def test_a_wildcard_is_no_name_and_never_a_pattern(name: str) -> None:
    (fault,) = wrong(f"alice\n{name}\n", name="list.txt", place=GLOBAL)
    assert fault.startswith(f"2: {name!r} holds a wildcard, and an import approves users by their names.")


def test_every_bad_name_is_a_fault_by_its_line() -> None:
    faults = wrong("a b\nok\nx#y\nż\n" + "n" * 129, name="list.txt", place=GLOBAL)
    assert [fault.split(":")[0] for fault in faults] == ["1", "3", "4", "5"]
    assert all("is not a valid IAM user name" in fault for fault in faults)


def test_arns_are_no_names_and_the_remedy_helps() -> None:
    arn = f"arn:aws:iam::{A}:user/alice"
    (fault,) = wrong(f"{arn}\n", name="list.txt", place=GLOBAL)
    assert fault == f"1: {arn} is an ARN and no name. For a list of ARNs, write arn as its first line."
    (listed,) = read(f"arn\r\n{arn}\r\n", place=None)
    assert (listed.entry.scope_value, listed.entry.value) == (A, arn)


def test_characters_that_only_python_takes_for_line_ends_are_part_of_a_name_that_is_none() -> None:
    (fault,) = wrong("ok\nalice\u2028bob\n", name="list.txt", place=GLOBAL)
    assert fault.startswith("2: user: 'alice\\u2028bob' is not a valid IAM user name.")


def test_a_header_in_which_one_column_is_unknown_is_no_list_of_names() -> None:
    assert [fault.split(". ")[0] for fault in wrong(f"name,user,account_id\na,b,{A}\n", name="list.txt")] == [
        "1: The column 'name' is unknown"
    ]


def test_names_alone_do_not_say_where() -> None:
    assert wrong("alice\n", name="list.txt") == [
        " It does not say where these users are approved. Give --account, --ou or --global."
    ]


@pytest.mark.parametrize("text", ["", "\n", "# nobody\n", ",\n"])
def test_a_list_of_nobody_is_a_fault(text: str) -> None:
    (fault,) = wrong(text, name="list.txt", place=GLOBAL)
    assert "The file lists no user." in fault


# --- a CSV -----------------------------------------------------------------------------------------------------------


def test_a_csv_says_where_and_what() -> None:
    text = f'account_id,user,owner,user_id,kind,ticket\r\n{A},alice,"Ops, Berlin",AIDA1,service,\r\n'
    (listed,) = read(text, name="list.csv", place=None)
    entry = listed.entry
    assert (entry.scope, entry.scope_value, entry.selector, entry.value) == ("account", A, "user", "alice")
    assert (entry.owner, entry.user_id, entry.kind, entry.ticket) == ("Ops, Berlin", "AIDA1", "service", None)
    assert entry.line == 2


@pytest.mark.parametrize(
    ("header", "row", "value", "arn"),
    [
        ("user_name", "alice", "alice", None),
        (
            "arn",
            f"arn:aws:iam::{A}:user/ops/alice",
            f"arn:aws:iam::{A}:user/ops/alice",
            f"arn:aws:iam::{A}:user/ops/alice",
        ),
        ("user_name,arn", f"alice,arn:aws:iam::{A}:user/alice", "alice", f"arn:aws:iam::{A}:user/alice"),
        ("user,determination,ou_path", "alice,UNAPPROVED,Root", "alice", None),
        ("user", "'+alice", "+alice", None),
        ("user", " alice ", "alice", None),
    ],
)
def test_a_user_is_named_by_its_name_or_its_arn(header: str, row: str, value: str, arn: str | None) -> None:
    where = "" if "arn" in header else f",{A}"
    (listed,) = read(f"{header}{',account_id' if where else ''}\n{row}{where}\n", name="list.csv", place=None)
    assert (listed.entry.scope_value, listed.entry.value, listed.arn) == (A, value, arn)


def test_a_header_makes_a_csv_of_a_file_of_any_name() -> None:
    (listed,) = read("user,owner\nalice,ops\n")
    assert (listed.entry.value, listed.entry.owner) == ("alice", "ops")


FAULTS = {
    "lost zeros": (f"user,account_id\na,{A}\nb,12345678901\n", "3: '12345678901' is not a valid account ID. Write 12"),
    "lost zeros, and what it may have been": ("user,account_id\na,1\n", "leading zeros: 000000000001?"),
    "scientific": ("user,account_id\na,1.23E+11\n", "2: '1.23E+11' is not a valid account ID."),
    "no account": ("user,account_id\na,\n", "2: The account_id is blank."),
    "no user": (f"user,account_id\n,{A}\n", "2: The row names no user."),
    "a wildcard": (f"user,account_id\nci-*,{A}\n", "2: 'ci-*' holds a wildcard"),
    "a date of a spreadsheet": (
        f"user,account_id,expires_on\na,{A},15.01.2027\n",
        "2: expires_on: '15.01.2027' is not",
    ),
    "a day that is none": (f"user,account_id,approved_on\na,{A},2026-02-30\n", "2: approved_on: '2026-02-30' is not"),
    "a kind": (f"user,account_id,kind\na,{A},robot\n", "2: kind: 'robot' is unknown."),
    "a column": (f"user,account_id,Reson\na,{A},x\n", "1: The column 'Reson' is unknown. Did you mean reason?"),
    "a pattern": (
        f"user,account_id,pattern\na,{A},x*\n",
        "1: An import approves users by name, and never by a pattern.",
    ),
    "two names": (f"user,user_name,account_id\na,b,{A}\n", "1: Two columns say who is approved"),
    "no name": (f"owner,account_id\na,{A}\n", "1: No column says who is approved."),
    "no header": ("alice\nbob\n", "1: Its first line is not a header."),
    "semicolons": (f"user;account_id\na;{A}\n", "1: Its fields are separated by semicolons."),
    "fields too many": (f"user,account_id\na,{A},x\n", "2: 3 fields, where the header has 2."),
    "an arn of another": (
        f"user,arn\nbob,arn:aws:iam::{A}:user/alice\n",
        "2: The arn is of alice, and the name is bob.",
    ),
    "an arn elsewhere": (
        f"user,arn,account_id\nalice,arn:aws:iam::{A}:user/alice,000000000002\n",
        f"2: The arn is of account {A}, and the account_id is 000000000002.",
    ),
    "no arn and no account": ("user,arn\na,\n", "2: The arn is blank, so the account is not known."),
    "an arn of a role": (f"user,arn,account_id\na,arn:aws:iam::{A}:role/a,{A}\n", "2: arn: 'arn:aws:iam::"),
    "dates in disorder": (
        f"user,account_id,approved_on,expires_on\na,{A},2027-01-01,2026-12-01\n",
        "2: expires_on is before approved_on.",
    ),
    "nowhere": ("user,owner\na,b\n", "1: It does not say where these users are approved."),
}


@pytest.mark.parametrize(("text", "expected"), FAULTS.values(), ids=FAULTS)
def test_a_fault_of_a_csv_is_named_by_its_line(text: str, expected: str) -> None:
    (fault,) = wrong(text)
    assert expected in fault


def test_all_faults_come_at_once() -> None:
    text = f"user,account_id,expires_on,reson\nci-*,{A},soon,\nb,1,2027-02-30,\nc d,{A},,\n,{A},x,\n"
    assert [fault.split(":")[0] for fault in wrong(text)] == ["1", "2", "2", "3", "3", "4", "5", "5"]


def test_a_place_is_not_said_twice() -> None:
    (fault,) = wrong(f"user,account_id\nalice,{A}\n", place=GLOBAL)
    assert fault.startswith("1: The column account_id says where each user is approved, and so does an option.")
