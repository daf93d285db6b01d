"""`--accounts-file` and `--account-owners`: what is not written as it is meant is refused, with its line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.account_files import ACCOUNT_COLUMNS, OWNER_COLUMNS, account_rows, read_owners
from scanner.errors import FaultsError
from scanner.text import first_invisible

FILE = Path("accounts.csv")
HEAD = "account_id,account_name,ou_path\n"
ONE = "111111111111,one,Root/Prod"
TWO = "222222222222,two,Root/Dev"
THREE = "333333333333,three,Root/Prod"


def rows(text: str) -> list[tuple[str, ...]]:
    return [tuple(row[column] for column in ACCOUNT_COLUMNS) for row in account_rows(FILE, text, ACCOUNT_COLUMNS)]


def faults(text: str, columns: tuple[str, ...] = ACCOUNT_COLUMNS) -> list[str]:
    with pytest.raises(FaultsError) as refused:
        account_rows(FILE, text, columns)
    assert all(fault.remedy for fault in refused.value.faults)
    return [f"{fault.line}: {fault.problem}" for fault in refused.value.faults]


# --- what is read ----------------------------------------------------------------------------------------------------


def test_rows_are_read_whatever_the_order_of_the_columns_and_beside_others() -> None:
    text = "note,ou_path,account_id,account_name\nx,Root,111111111111,one\n,/Root/Prod/,222222222222,\n"
    assert rows(text) == [("111111111111", "one", "Root"), ("222222222222", "", "/Root/Prod/")]


def test_a_value_in_quotes_may_hold_commas_and_quotes() -> None:
    text = f'"account_id",account_name,ou_path\n"111111111111","one, ""the first""",Root/"R&D, Labs"\n{TWO}'
    assert faults(text) == ["2: A quote is in the middle of a field."]
    assert rows(text.replace('Root/"R&D, Labs"', '"Root/R&D, Labs"'))[0] == (
        "111111111111",
        'one, "the first"',
        "Root/R&D, Labs",
    )


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_ends_of_any_system_and_blank_lines_are_fine(end: str) -> None:
    lines = ["", HEAD.rstrip(), "", ONE, "  ", TWO, ""]
    assert [row[1] for row in rows(end.join(lines))] == ["one", "two"]


def test_the_number_of_a_line_counts_the_blank_ones() -> None:
    assert faults(f"\n{HEAD}\n\n1,x,Root\n") == ["5: '1' is not a valid account ID."]


@given(st.lists(st.text(st.characters(exclude_categories=["C", "Z"]))))
def test_whatever_is_quoted_comes_back(texts: list[str]) -> None:
    texts = [f"x{text}x" for text in texts if first_invisible(text) is None]
    lines = [f'{number:012},"{text.replace(chr(34), chr(34) * 2)}",Root' for number, text in enumerate(texts)]
    text = HEAD + "\n".join(lines)
    expected = [(f"{number:012}", text, "Root") for number, text in enumerate(texts)]
    assert (rows(text) if texts else []) == expected


# --- quotes, commas and line ends that are not as they are meant -----------------------------------------------------


def test_an_unclosed_quote_does_not_take_in_the_lines_after_it() -> None:
    text = f'{HEAD}111111111111,"one,Root/Prod\n{TWO}\n{THREE}\n'
    assert faults(text) == ["2: A quote is not closed on its line."]


def test_two_stray_quotes_do_not_take_in_the_lines_between_them() -> None:
    text = f'{HEAD}111111111111,"one,Root/Prod\n{TWO}\n333333333333,three",Root/Prod\n'
    assert faults(text) == ["2: A quote is not closed on its line.", "4: A quote is in the middle of a field."]


BAD_ROWS = {
    "an unquoted comma": ("111111111111,one, the first,Root/Prod", "4 fields, where the header has 3."),
    "a comma at the end": (f"{ONE},", "4 fields, where the header has 3."),
    "a short row": ("111111111111,one", "2 fields, where the header has 3."),
    "semicolons": ("111111111111;one;Root", "Its fields are separated by semicolons."),
    "tabs": ("111111111111\tone\tRoot", "Its fields are separated by tabs."),
    "an id alone": ("111111111111", "1 field, where the header has 3."),
    "a quote in the middle": ('111111111111,o"n"e,Root', "A quote is in the middle of a field."),
    "text behind a quote": ('111111111111,"one" more,Root', "A quote is in the middle of a field."),
    "a space before a quote": ('111111111111, "one",Root', "A quote is in the middle of a field."),
    "a quote not closed at the end": ('111111111111,one,"Root', "A quote is not closed on its line."),
    "a quote that is doubled, not closed": ('111111111111,one,"Root""', "A quote is not closed on its line."),
    "a formula of Excel for text": ('="111111111111",one,Root', "A quote is in the middle of a field."),
    "a carriage return": ('111111111111,"o\rne",Root', "Character 16 is U+000D, which cannot be seen."),
    "U+2028": (
        "111111111111,o\u2028ne,Root",
        "Character 15 is U+2028 LINE SEPARATOR, which cannot be seen.",
    ),
    "NUL": ("111111111111,one,Ro\0ot", "Character 20 is U+0000, which cannot be seen."),
    "zero width": (
        "111111111111,one,Root/Pr\u200bod",
        "Character 25 is U+200B ZERO WIDTH SPACE, which cannot be seen.",
    ),
    "right to left": (
        "111111111111,\u202eeno,Root",
        "Character 14 is U+202E RIGHT-TO-LEFT OVERRIDE, which cannot be seen.",
    ),
    "an id that lost its zero": ("11111111111,one,Root", "'11111111111' is not a valid account ID."),
    "spaces after commas": ("111111111111, one, Root", "The ou_path ' Root' has a space before or after"),
    "no path": ("111111111111,one,", "The ou_path is blank."),
    "a slash for a path": ("111111111111,one,/", "The ou_path '/' has an OU without a name in it."),
    "two slashes for a path": ("111111111111,one,//", "The ou_path '//' has an OU without a name in it."),
    "an OU without a name": ("111111111111,one,Root//x", "The ou_path 'Root//x' has an OU without a name in it."),
    "an OU of a space": ("111111111111,one,Root/ /x", "The ou_path 'Root/ /x' has an OU without a name in it."),
    "a slash too many": ("111111111111,one,//Root", "The ou_path '//Root' has an OU without a name in it."),
    "an OU with a space": ("111111111111,one,Root/Prod /x", "The ou_path 'Root/Prod /x' has a space before or after"),
}


@pytest.mark.parametrize(("row", "told"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_a_bad_row_is_refused_and_the_lines_around_it_are_not(row: str, told: str) -> None:
    (fault,) = faults(f"{HEAD}{TWO}\n{row}\n{THREE}\n")
    assert fault.startswith(f"3: {told}")


def test_an_account_is_there_once() -> None:
    assert faults(f"{HEAD}{ONE}\n{TWO}\n{ONE}\n") == ["4: Account 111111111111 is listed a second time."]


def test_all_faults_are_told_at_once_by_line() -> None:
    text = f'{HEAD}1,one,\n{TWO}\n3,"x\n{TWO},\n'
    assert faults(text) == [
        "2: '1' is not a valid account ID.",
        "2: The ou_path is blank.",
        "4: A quote is not closed on its line.",
        "5: 4 fields, where the header has 3.",
    ]


# --- the header ------------------------------------------------------------------------------------------------------

BAD_HEADERS = {
    "nothing": ("", "1: The file is empty."),
    "blank lines": ("\n \n", "1: The file is empty."),
    "other columns": ("id,account_name\n1,x\n", "1: Columns are missing: account_id, ou_path."),
    "no header": (f"{ONE}\n", "1: Columns are missing: account_id, account_name, ou_path."),
    "a name twice": (
        f"account_id,account_name,ou_path,ou_path\n{ONE},Root\n",
        "1: The column ou_path appears 2 times.",
    ),
    "a blank name": (f"account_id,account_name,ou_path,\n{ONE},\n", "1: A column has no name."),
    "a name of spaces": ("account_id,account_name,  ,ou_path\n1,x,,Root\n", "1: A column has no name."),
    "a name that cannot be seen": (
        f"account_id,account_name,ou_path,\u200b\n{ONE},\n",
        "1: Character 33 is U+200B ZERO WIDTH SPACE, which cannot be seen.",
    ),
    "a quote": ('account_id,account_name,"ou_path\n', "1: A quote is not closed on its line."),
    "semicolons": ("account_id;account_name;ou_path\n1;x;Root\n", "1: Its fields are separated by semicolons."),
    "semicolons and quotes": (
        '"account_id";"account_name";"ou_path"\r\n"1";"x";"Root"\r\n',
        "1: Its fields are separated by semicolons.",
    ),
    "tabs": ("account_id\taccount_name\tou_path\n1\tx\tRoot\n", "1: Its fields are separated by tabs."),
    "semicolons and other names": ("Account ID;Name;Path\n1;x;Root\n", "1: Its fields are separated by semicolons."),
    "vertical bars": ("account_id|account_name|ou_path\n", "1: Its fields are separated by vertical bars."),
    "a line for Excel": (f"sep=,\n{HEAD}{ONE}\n", "1: This line is for Excel alone."),
    "carriage returns": (f"{HEAD}{ONE}\n".replace("\n", "\r"), "1: Its lines end in a carriage return alone."),
    "no account": (HEAD, "1: The file lists no accounts."),
}


@pytest.mark.parametrize(("text", "told"), BAD_HEADERS.values(), ids=BAD_HEADERS)
def test_a_bad_header_is_refused(text: str, told: str) -> None:
    assert told in faults(text)


# --- owners ----------------------------------------------------------------------------------------------------------


def test_owners_are_read_by_account(tmp_path: Path) -> None:
    file = tmp_path / "owners.csv"
    file.write_bytes(b"\xef\xbb\xbfaccount_id,account_owner\r\n111111111111,a@example.com\r\n222222222222,\r\n")
    assert read_owners(file) == {"111111111111": "a@example.com", "222222222222": ""}
    assert read_owners(None) == {}


def test_an_owner_with_a_space_would_be_another_owner() -> None:
    text = "account_id,account_owner\n111111111111,a@example.com\n222222222222,a@example.com \n"
    assert faults(text, OWNER_COLUMNS) == ["3: The account_owner 'a@example.com ' begins or ends with a space."]


def test_owners_are_read_as_strictly_as_accounts() -> None:
    text = 'account_id,account_owner\n111111111111,"a@example.com\n222222222222,b@example.com, c\n'
    assert faults(text, OWNER_COLUMNS) == [
        "2: A quote is not closed on its line.",
        "3: 3 fields, where the header has 2.",
    ]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (None, "owners.csv: Cannot be read: No such file or directory."),
        (b"account_id,account_owner\n111111111111,J\xe9r\xf4me\n", "owners.csv:2: Not UTF-8."),
        ("account_id,account_owner\n".encode("utf-16"), "owners.csv:1: Not UTF-8."),
    ],
)
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, data: bytes | None, told: str) -> None:
    if data is not None:
        (tmp_path / "owners.csv").write_bytes(data)
    with pytest.raises(FaultsError) as refused:
        read_owners(tmp_path / "owners.csv")
    assert told in str(refused.value)
