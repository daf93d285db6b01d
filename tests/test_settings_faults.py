"""What is refused in settings, and how it is said: what is wrong, where it stands, and what to write instead."""

from pathlib import Path

import pytest

from scanner.errors import FaultsError
from scanner.settings import load
from tests.settings_sources import of_file, refused

pytestmark = pytest.mark.usefixtures("workplace")


def test_an_unknown_key_of_the_file_names_the_nearest_and_its_line() -> None:
    (fault,) = refused(text="role_name: Auditor\n\nexclude_acount: []\n")
    assert fault == "scanner.yaml:3: unknown setting 'exclude_acount'. Did you mean exclude_account?"


def test_an_unknown_variable_names_the_nearest() -> None:
    (fault,) = refused(environment={"IAM_SCANNER_SAFELISTS": "[]"})
    assert fault == (
        "IAM_SCANNER_SAFELISTS: unknown setting 'IAM_SCANNER_SAFELISTS'. Did you mean IAM_SCANNER_SAFELIST?"
    )


@pytest.mark.parametrize("key", ["role-name", "Role_Name", "IAM_SCANNER_ROLE_NAME"])
def test_a_key_that_is_written_as_elsewhere_names_the_one_for_the_file(key: str) -> None:
    assert refused(text=f"{key}: Auditor\n") == [f"scanner.yaml:1: unknown setting '{key}'. Did you mean role_name?"]


def test_an_unknown_key_that_is_near_to_none_shows_all_there_are() -> None:
    (fault,) = refused(text="zzz: 1\n")
    assert "The keys are: ou, exclude_ou, account" in fault


BAD_VALUES: list[tuple[str, object, str, str]] = [
    # key, as an option, in the file, in the environment
    ("dormant_days", 0, "0", "0"),
    ("dormant_days", "many", "many", '"many"'),
    ("dormant_days", True, "true", "true"),
    ("concurrency", 0, "0", "0"),
    ("account_timeout", 801, "801", "801"),
    ("evidence", "some", "some", "some"),
    ("format", ("pdf",), "[pdf]", '["pdf"]'),
    ("as_of", "soon", "soon", "soon"),
    ("role_name", "a b", '"a b"', "a b"),
    ("session_name", "x", "x", "x"),
    ("session_name", "bad name", '"bad name"', "bad name"),
    ("session_name", "usér", '"usér"', "usér"),
    ("hub_role_arn", "Hub", "Hub", "Hub"),
    ("organizations_role_arn", "arn:aws:iam::12:role/x", '"arn:aws:iam::12:role/x"', "arn:aws:iam::12:role/x"),
    ("account", ("1234",), '["1234"]', '["1234"]'),
    ("account", (123456789012,), "[123456789012]", "[123456789012]"),
    ("account", ("１２３４５６７８９０１２",), '["１２３４５６７８９０１２"]', '["１２３４５６７８９０１２"]'),  # noqa: RUF001  full-width
]


@pytest.mark.parametrize(
    ("key", "option", "in_file", "variable"), BAD_VALUES, ids=[f"{case[0]}={case[2]}" for case in BAD_VALUES]
)
def test_a_bad_value_names_where_it_comes_from(key: str, option: object, in_file: str, variable: str) -> None:
    by_option = refused({key: option})
    by_file = refused(text=f"# settings\n{key}: {in_file}\n")
    by_variable = refused(environment={f"IAM_SCANNER_{key.upper()}": variable})
    assert by_option[0].startswith(f"--{key.replace('_', '-')}: ")
    assert by_file[0].startswith(f"scanner.yaml:2: {key}")
    assert by_variable[0].startswith(f"IAM_SCANNER_{key.upper()}: ")


COLON = """Not valid YAML: a text with a colon and a space in it needs quotes. Write profile: "..."."""
# What the settings file says → its fault, behind the file's name and the first line.
WORDS = {
    "ou: Root/Sandbox": """ou: 'Root/Sandbox' is not a list. Write ["Root/Sandbox"].""",
    "ou: Root/A, Root/B": """ou: 'Root/A, Root/B' is not a list. Write ["Root/A", "Root/B"].""",
    "ou: 12": """ou: a number is not a list. Write ["12"].""",
    "ou: true": """ou: true is not a list. Write ["Root/Sandbox"].""",
    "ou: {Root: Sandbox}": """ou: a mapping is not a list. Write ["Root/Sandbox"].""",
    "ou:": "ou: has no value. Write one, or remove the line.",
    "ou: ''": "ou: has no value. Write one, or remove the line.",
    "ou: [null]": "ou: an item of the list is blank. Write it, or remove the item.",
    "ou: ['']": "ou: an item of the list is blank. Write it, or remove the item.",
    "ou: [true]": 'ou: true without quotes is not text. Write "true".',
    "ou: [[a]]": 'ou: a list stands where one value is expected. Write "a".',
    'account: "123456789012"': """account: '123456789012' is not a list. Write ["123456789012"].""",
    "account: 123456789012": """account: a number is not a list. Write ["123456789012"].""",
    "account: 012345678901": """account: a number is not a list. Write ["012345678901"].""",
    "account: all": """account: 'all' is not a list. Write ["123456789012"].""",
    "account: ['1234']": "account: '1234' is not a valid account ID. Write its 12 digits.",
    "account: [012345678901]": 'account: 012345678901 without quotes is not text. Write "012345678901".',
    "exclude_ou: Root/A": """exclude_ou: 'Root/A' is not a list. Write [{"ou": "Root/A", "reason": "..."}].""",
    "exclude_ou: [Root/A]": (
        """exclude_ou: the reason of an exclusion is missing. Write [{"ou": "Root/A", "reason": "..."}]."""
    ),
    "exclude_ou: [{ou: Root/A}]": (
        """exclude_ou: the reason of an exclusion is missing. Write [{"ou": "Root/A", "reason": "..."}]."""
    ),
    "exclude_ou: [{reason: sold}]": (
        """exclude_ou: the ou of an exclusion is missing. Write [{"ou": "Root/Sandbox", "reason": "..."}]."""
    ),
    "exclude_ou: [{ou: Root/A, reasn: sold}]": "exclude_ou: unknown key 'reasn'. Did you mean reason?",
    "exclude_ou: [{ou: Root/A, reason: sold, until: 2027}]": (
        "exclude_ou: unknown key 'until'. The keys are: ou, reason."
    ),
    "exclude_ou: [{ou: 12, reason: sold}]": 'exclude_ou: 12 without quotes is not text. Write "12".',
    "exclude_ou: [{ou: Root/A, reason: 12}]": 'exclude_ou: 12 without quotes is not text. Write "12".',
    "exclude_ou: [{ou: Root/A, reason: }]": "exclude_ou: the reason is blank. Write it, or remove the item.",
    "exclude_ou: [{ou: Root/A, reason: ' '}]": "exclude_ou: the reason is blank. Write it, or remove the item.",
    "exclude_ou: [{ou: ' ', reason: sold}]": "exclude_ou: the ou is blank. Write it, or remove the item.",
    "exclude_account: [{account: 123456789012, reason: sold}]": (
        'exclude_account: 123456789012 without quotes is not text. Write "123456789012".'
    ),
    "profile: 0123": 'profile: 0123 without quotes is not text. Write "0123".',
    "profile: true": 'profile: true without quotes is not text. Write "true".',
    "profile: [a]": 'profile: a list stands where one value is expected. Write "a".',
    "profile: ' '": "profile: has no value. Write one, or remove the line.",
    "output: 2026": 'output: 2026 without quotes is not text. Write "2026".',
    "output: ''": "output: has no value. Write one, or remove the line.",
    "safelist: []": "safelist: the list is empty. Remove the setting to use its default.",
    "safelist: ['']": "safelist: an item of the list is blank. Write it, or remove the item.",
    "role_name: arn:aws:iam::123456789012:role/Audit": (
        "role_name: 'arn:aws:iam::123456789012:role/Audit' is not a valid role name. "
        "Write its name, or its path and name, but not the ARN."
    ),
    "dormant_days: many": "dormant_days: 'many' is not a whole number from 1 to 3650. Write one.",
    "dormant_days: '45'": "dormant_days: '45' is not a whole number from 1 to 3650. Write 45, without quotes.",
    "dormant_days: 1.5": "dormant_days: 1.5 is not a whole number from 1 to 3650. Write one.",
    "dormant_days: true": "dormant_days: true is not a whole number from 1 to 3650. Write one.",
    "account_timeout: 801": "account_timeout: 801 is not a whole number from 1 to 800. Write one.",
    "concurrency: 1,000": "concurrency: '1,000' is not a whole number from 1 to 1000. Write 1000, without quotes.",
    "session_policy: yes": "session_policy: 'yes' is not true or false. Write true, without quotes.",
    "session_policy: maybe": "session_policy: 'maybe' is not true or false. Write one of them, without quotes.",
    "session_policy: 0": "session_policy: a number is not true or false. Write false, without quotes.",
    "evidence: some": "evidence: 'some' is not full or basic. Write one of them.",
    "evidence: Full": "evidence: 'Full' is not full or basic. Write full.",
    "format: [xlsx, pdf]": "format: 'pdf' is not xlsx, csv, json or ocsf. Write one of them.",
    "format: csv": """format: 'csv' is not a list. Write ["csv"].""",
    "format: pdf": """format: 'pdf' is not a list. Write ["xlsx"].""",
    "as_of: 2026-02-30": "as_of: '2026-02-30' is not a valid date. Write it as 2027-01-15.",
    "as_of: [2026-01-31]": "as_of: a list is not a valid date. Write it as 2027-01-15.",
}


@pytest.mark.parametrize(("line", "expected"), WORDS.items(), ids=WORDS)
def test_a_fault_of_the_settings_file_says_what_is_wrong_and_what_to_write(line: str, expected: str) -> None:
    assert refused(text=f"{line}\n") == [f"scanner.yaml:1: {expected}"]


@pytest.mark.parametrize("line", [line for line in WORDS if "[" in WORDS[line] and "not a list" in WORDS[line]])
def test_what_is_to_be_written_instead_is_valid(line: str) -> None:
    """With the reason filled in, where it needs one."""
    key, written = line.partition(":")[0], WORDS[line].partition("Write ")[2].removesuffix(".")
    assert getattr(of_file(f"{key}: {written}\n"), key)


LINES = {
    "a number in a list": ("ou:\n  - Root/A\n  - 12\n", 3),
    "an account without quotes": ('account:\n  - "123456789012"\n  - 210987654321\n', 3),
    "an item left empty": ("ou:\n  - Root/A\n  -\n", 3),
    "an exclusion without its reason": ("exclude_ou:\n  - ou: Root/A\n    reason: sold\n  - ou: Root/B\n", 4),
    "a reason left empty": ("exclude_ou:\n  - ou: Root/A\n    reason:\n", 3),
    "an unknown key of an exclusion": ("exclude_ou:\n  - ou: Root/A\n    reason: sold\n    until: 2027\n", 4),
    "a value below its key": ("profile: a\nou:\n  Root/A\n", 3),
    "an unknown key with its value below": ("rolename:\n  Audit\n", 1),
    "a setting left empty": ("ou:\n\nprofile: a\n", 1),
    "an unknown key of an exclusion, its value below": (
        "exclude_ou:\n  - ou: Root/A\n    reason: sold\n    until:\n      2027\n",
        4,
    ),
    "an unknown choice": ("format:\n  - csv\n  - pdf\n", 3),
}


@pytest.mark.parametrize(("text", "line"), LINES.values(), ids=LINES)
def test_a_fault_of_the_settings_file_stands_at_the_line_of_the_item(text: str, line: int) -> None:
    (fault,) = refused(text=text)
    assert fault.startswith(f"scanner.yaml:{line}: ")


NOT_YAML = {
    "profile: a: b\n": f"scanner.yaml:1:11: {COLON}",
    "ou:\n\t- Root/A\n": "scanner.yaml:2:1: Not valid YAML: a tab stands where YAML needs spaces. Write spaces.",
}


@pytest.mark.parametrize(("text", "expected"), NOT_YAML.items(), ids=["a colon in a text", "a tab"])
def test_what_is_not_yaml_is_said_to_be_that(text: str, expected: str) -> None:
    assert refused(text=text) == [expected]


def test_a_number_of_any_length_is_a_fault_of_the_file_and_not_of_the_program() -> None:
    (fault,) = refused(text=f"dormant_days: {'9' * 5000}\n")
    assert fault == f"scanner.yaml:1: dormant_days: '{'9' * 80}...' is not a whole number from 1 to 3650. Write one."


# The same by a variable of the environment, whose lists, numbers and flags are JSON.
VARIABLES = {
    ("OU", "Root/A"): """'Root/A' is not a JSON list. Write '["Root/A"]'.""",
    ("OU", "[Root/A, Root/B]"): """'[Root/A, Root/B]' is not a JSON list. Write '["Root/A", "Root/B"]'.""",
    ("OU", "null"): "has no value. Write one, or unset the variable.",
    ("OU", ""): "has no value. Write one, or unset the variable.",
    ("ACCOUNT", "012345678901,210987654321"): (
        """'012345678901,210987654321' is not a JSON list. Write '["012345678901", "210987654321"]'."""
    ),
    ("ACCOUNT", "123456789012"): """a number is not a JSON list. Write '["123456789012"]'.""",
    ("EXCLUDE_ACCOUNT", "123456789012"): """a number is not a JSON list. Write '["123456789012"]'.""",
    ("EXCLUDE_ACCOUNT", "[123456789012]"): '123456789012 without quotes is not text. Write "123456789012".',
    ("EXCLUDE_ACCOUNT", '["1234"]'): "'1234' is not a valid account ID. Write its 12 digits.",
    ("EXCLUDE_ACCOUNT", "[null]"): "the account is blank. Write it, or remove the item.",
    ("EXCLUDE_ACCOUNT", '[{"ou": "Root/A"}]'): "unknown key 'ou'. The keys are: account, reason.",
    ("EXCLUDE_OU", "[12]"): '12 without quotes is not text. Write "12".',
    ("EXCLUDE_OU", '[{"ou": "Root/A", "reason": "\u200b"}]'): "the reason is blank. Write it, or remove the item.",
    ("DORMANT_DAYS", "many"): "'many' is not a whole number from 1 to 3650. Write one.",
    ("DORMANT_DAYS", ""): "has no value. Write one, or unset the variable.",
    ("SESSION_POLICY", "no"): "'no' is not true or false. Write false, without quotes.",
    ("SAFELIST", "[" * 20_000): f"""'{"[" * 80}...' is not a JSON list. Write '["config/safelists"]'.""",
    ("PROFILE", ""): "has no value. Write one, or unset the variable.",
    ("OUTPUT", " "): "has no value. Write one, or unset the variable.",
    ("EXTERNAL_ID", ""): "has no value. Write one, or unset the variable.",
}


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [(*variable, expected) for variable, expected in VARIABLES.items()],
    ids=[f"{name}={text[:40]}" for name, text in VARIABLES],
)
def test_a_fault_of_the_environment_says_what_is_wrong_and_what_to_write(name: str, text: str, expected: str) -> None:
    assert refused(environment={f"IAM_SCANNER_{name}": text}) == [f"IAM_SCANNER_{name}: {expected}"]


@pytest.mark.parametrize("key", ["profile", "output", "safelist", "ou", "exclude_account", "previous"])
def test_an_option_that_is_blank_is_refused(key: str) -> None:
    """As `--output "$REPORTS"` is where that variable is not set."""
    is_list = key in {"safelist", "ou", "exclude_account"}
    (fault,) = refused({key: ("",) if is_list else ""})
    assert fault == f"--{key.replace('_', '-')}: has no value. Write one, or leave the option out."


@pytest.mark.parametrize("character", ["\u2028", "\u200b", "\u202e", "\x85"])
def test_a_character_that_nobody_sees_is_refused_with_its_place(character: str) -> None:
    (fault,) = refused(text=f"role_name: Auditor  # not{character} session_policy: false\n")
    assert fault.startswith(f"scanner.yaml:1:26: U+{ord(character):04X}")


def test_all_faults_come_at_once() -> None:
    faults = refused({"evidence": "some"}, {"IAM_SCANNER_ROLE": "x"}, "dormant_days: 0\nous: []\n")
    assert len(faults) == 4


BAD_FILES = {
    "not YAML": ("a: [1\n", "scanner.yaml:"),
    "no mapping": ("- a\n- b\n", "scanner.yaml:1: holds no settings"),
    "a repeated key": ("ou: [a]\nou: [b]\n", "scanner.yaml:2: "),
}


@pytest.mark.parametrize(("text", "start"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_file_that_holds_no_settings_is_refused(text: str, start: str) -> None:
    (fault,) = refused(text=text)
    assert fault.startswith(start)


def test_a_file_that_is_named_and_missing_is_refused() -> None:
    with pytest.raises(FaultsError, match=r"absent\.yaml: Cannot be read"):
        load({}, {}, Path("absent.yaml"))


def test_a_file_that_is_no_utf8_is_refused() -> None:
    Path("latin.yaml").write_bytes("session_name: J\xe9r\xf4me\n".encode("latin-1"))
    with pytest.raises(FaultsError, match="Not UTF-8"):
        load({}, {}, Path("latin.yaml"))
