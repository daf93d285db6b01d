"""Settings: which source wins, and what is refused, with where it stands."""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from scanner.errors import FaultsError
from scanner.settings import DEFAULT_FILE, Settings, load

ACCOUNT = "012345678901"
ACCOUNTS = (ACCOUNT, "123456789012", "210987654321")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written(text: str, name: str = "scanner.yaml") -> Path:
    file = Path(name)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def of_file(text: str) -> Settings:
    return load({}, {}, written(text))


def refused(
    options: Mapping[str, Any] | None = None, environment: Mapping[str, str] | None = None, text: str = ""
) -> list[str]:
    """The faults, as a person reads them."""
    with pytest.raises(FaultsError) as caught:
        load(options or {}, environment or {}, written(text) if text else None)
    return [str(fault) for fault in caught.value.faults]


# --- which source wins -----------------------------------------------------------------------------------------------


def test_without_sources_the_defaults_hold() -> None:
    settings = load({}, {})
    assert settings.role_name == "OrganizationAccountAccessRole"
    assert settings.safelist == (Path("config/safelists"),)
    assert settings.format == ("xlsx", "csv")
    assert (settings.evidence, settings.dormant_days, settings.account_timeout) == ("full", 45, 120)
    assert settings.session_policy


SOURCES: list[tuple[dict[str, Any], dict[str, str], str, str]] = [
    ({}, {}, "", "iam-scanner"),
    ({}, {}, "session_name: of-the-file\n", "of-the-file"),
    ({}, {"IAM_SCANNER_SESSION_NAME": "of-the-environment"}, "session_name: of-the-file\n", "of-the-environment"),
    (
        {"session_name": "of-the-option"},
        {"IAM_SCANNER_SESSION_NAME": "of-the-environment"},
        "session_name: of-the-file\n",
        "of-the-option",
    ),
]


@pytest.mark.parametrize(("options", "environment", "text", "winner"), SOURCES, ids=[case[3] for case in SOURCES])
def test_the_stronger_source_wins(options: dict[str, Any], environment: dict[str, str], text: str, winner: str) -> None:
    assert load(options, environment, written(text)).session_name == winner


def test_a_stronger_source_replaces_a_list_and_does_not_add_to_it() -> None:
    file = written("ou: [Root/A, Root/B]\n")
    assert load({"ou": ("Root/C",)}, {}, file).ou == ("Root/C",)


@pytest.mark.parametrize("nothing", [None, ()])
def test_an_option_that_was_not_given_leaves_the_file_s_value(nothing: object) -> None:
    file = written("ou: [Root/A]\nsafelist: [approved.yaml]\n")
    settings = load({"ou": nothing, "safelist": nothing}, {}, file)
    assert (settings.ou, settings.safelist) == (("Root/A",), (Path("approved.yaml"),))


def test_a_flag_can_be_switched_off_by_each_source() -> None:
    assert not of_file("session_policy: false\n").session_policy
    assert not load({}, {"IAM_SCANNER_SESSION_POLICY": "false"}).session_policy
    assert not load({"session_policy": False}, {}).session_policy


def test_the_default_file_is_read_where_it_exists() -> None:
    written("dormant_days: 30\n", str(DEFAULT_FILE))
    assert load({}, {}).dormant_days == 30


def test_a_file_that_is_named_replaces_the_default_one() -> None:
    written("dormant_days: 30\nconcurrency: 5\n", str(DEFAULT_FILE))
    settings = of_file("dormant_days: 10\n")
    assert (settings.dormant_days, settings.concurrency) == (10, 64)


def test_an_empty_file_says_nothing() -> None:
    assert of_file("# nothing yet\n") == load({}, {})


def test_lists_in_the_environment_are_json_arrays() -> None:
    settings = load({}, {"IAM_SCANNER_OU": '["Root/A", "Root/B"]', "IAM_SCANNER_FORMAT": '["json"]'})
    assert settings.ou == ("Root/A", "Root/B")
    assert settings.format == ("json",)


def test_numbers_in_the_environment_are_numbers() -> None:
    assert load({}, {"IAM_SCANNER_DORMANT_DAYS": "60"}).dormant_days == 60


def test_text_in_the_environment_is_text_whatever_it_looks_like() -> None:
    assert load({}, {"IAM_SCANNER_PROFILE": "123", "IAM_SCANNER_EXTERNAL_ID": "0001"}).external_id == "0001"


def test_other_variables_of_the_environment_are_not_ours() -> None:
    assert load({}, {"AWS_PROFILE": "x", "IAM_SCANNERS": "x", "PATH": "/"}) == load({}, {})


@pytest.mark.parametrize("day", ["2026-01-31", '"2026-01-31"'])
def test_a_day_may_be_quoted_or_not(day: str) -> None:
    assert of_file(f"as_of: {day}\n").as_of == date(2026, 1, 31)


# --- exclusions ------------------------------------------------------------------------------------------------------


def test_an_exclusion_in_a_file_has_its_reason() -> None:
    settings = of_file(f'exclude_account:\n  - {{account: "{ACCOUNT}", reason: sold}}\n')
    assert [(one.account, one.reason) for one in settings.exclude_account] == [(ACCOUNT, "sold")]


def test_an_exclusion_by_option_or_environment_says_that_no_reason_was_given() -> None:
    by_option = load({"exclude_account": (ACCOUNT,)}, {}).exclude_account
    by_environment = load({}, {"IAM_SCANNER_EXCLUDE_ACCOUNT": json.dumps([ACCOUNT])}).exclude_account
    assert by_option == by_environment
    assert [(one.account, one.reason) for one in by_option] == [(ACCOUNT, "no reason given")]


# --- what is refused -------------------------------------------------------------------------------------------------


def test_an_unknown_key_of_the_file_names_the_nearest_and_its_line() -> None:
    (fault,) = refused(text="role_name: Auditor\n\nexclude_acount: []\n")
    assert fault == "scanner.yaml:3: unknown setting 'exclude_acount'. Did you mean exclude_account?"


def test_an_unknown_variable_names_the_nearest() -> None:
    (fault,) = refused(environment={"IAM_SCANNER_SAFELISTS": "[]"})
    assert fault == (
        "IAM_SCANNER_SAFELISTS: unknown setting 'IAM_SCANNER_SAFELISTS'. Did you mean IAM_SCANNER_SAFELIST?"
    )


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


COLON = (
    "Not valid YAML: a text without quotes holds a colon and a space, or the line is indented too far. "
    'Put the text in quotes: reason: "Ticket: 12".'
)
# What the settings file says → what is said of it, behind the file's name and the first line.
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
    "ou: [true]": "ou: true is not text. Write it in quotes.",
    "ou: [[a]]": "ou: a list is not text. Write one text.",
    'account: "123456789012"': """account: '123456789012' is not a list. Write ["123456789012"].""",
    "account: 123456789012": """account: a number is not a list. Write ["123456789012"].""",
    "account: 012345678901": """account: a number is not a list. Write ["123456789012"].""",
    "account: all": """account: 'all' is not a list. Write ["123456789012"].""",
    "account: ['1234']": "account: '1234' is not a valid account ID. Write its 12 digits.",
    "account: [012345678901]": "account: a number is not an account ID. Write its 12 digits in quotes.",
    "exclude_ou: Root/A": """exclude_ou: 'Root/A' is not a list. Write [{"ou": "Root/A", "reason": "..."}].""",
    "exclude_ou: [Root/A]": """exclude_ou: an exclusion needs its reason. Write [{"ou": "Root/A", "reason": "..."}].""",
    "exclude_ou: [{ou: Root/A}]": (
        """exclude_ou: an exclusion needs its reason. Write [{"ou": "Root/A", "reason": "..."}]."""
    ),
    "exclude_ou: [{reason: sold}]": (
        """exclude_ou: an exclusion needs its ou. Write [{"ou": "Root/Sandbox", "reason": "..."}]."""
    ),
    "exclude_ou: [{ou: Root/A, reasn: sold}]": "exclude_ou: unknown key 'reasn'. Did you mean reason?",
    "exclude_ou: [{ou: Root/A, reason: sold, until: 2027}]": (
        "exclude_ou: unknown key 'until'. The keys are: ou, reason."
    ),
    "exclude_ou: [{ou: 12, reason: sold}]": "exclude_ou: a number is not text. Write it in quotes.",
    "exclude_ou: [{ou: Root/A, reason: 12}]": "exclude_ou: a number is not text. Write it in quotes.",
    "exclude_ou: [{ou: Root/A, reason: }]": "exclude_ou: the reason is blank. Write it, or remove the item.",
    "exclude_ou: [{ou: Root/A, reason: ' '}]": "exclude_ou: the reason is blank. Write it, or remove the item.",
    "exclude_ou: [{ou: ' ', reason: sold}]": "exclude_ou: the ou is blank. Write it, or remove the item.",
    "exclude_account: [{account: 123456789012, reason: sold}]": (
        "exclude_account: a number is not an account ID. Write its 12 digits in quotes."
    ),
    "profile: 0123": "profile: a number is not text. Write it in quotes.",
    "profile: true": "profile: true is not text. Write it in quotes.",
    "profile: [a]": "profile: a list is not text. Write one text.",
    "profile: ' '": "profile: has no value. Write one, or remove the line.",
    "output: 2026": "output: a number is not text. Write it in quotes.",
    "output: ''": "output: has no value. Write one, or remove the line.",
    "safelist: []": "safelist: an empty list is of no use. Leave the setting out to have its default.",
    "safelist: ['']": "safelist: an item of the list is blank. Write it, or remove the item.",
    "role_name: arn:aws:iam::123456789012:role/Audit": (
        "role_name: 'arn:aws:iam::123456789012:role/Audit' is not a valid role name. "
        "Write its name, or its path and name, but not the ARN."
    ),
    "dormant_days: many": "dormant_days: 'many' is not a whole number from 1 to 3650. Write one.",
    "dormant_days: '45'": "dormant_days: '45' is not a whole number from 1 to 3650. Write it without quotes.",
    "dormant_days: 1.5": "dormant_days: 1.5 is not a whole number from 1 to 3650. Write one.",
    "dormant_days: true": "dormant_days: true is not a whole number from 1 to 3650. Write one.",
    "account_timeout: 801": "account_timeout: 801 is not a whole number from 1 to 800. Write one.",
    "session_policy: maybe": "session_policy: 'maybe' is not true or false. Write one of them, without quotes.",
    "session_policy: 0": "session_policy: a number is not true or false. Write one of them, without quotes.",
    "evidence: some": "evidence: 'some' is not full or basic. Write one of them.",
    "format: [xlsx, pdf]": "format: 'pdf' is not xlsx, csv or json. Write one of them.",
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
    "an unknown choice": ("format:\n  - csv\n  - pdf\n", 3),
}


@pytest.mark.parametrize(("text", "line"), LINES.values(), ids=LINES)
def test_a_fault_of_the_settings_file_stands_at_the_line_of_the_item(text: str, line: int) -> None:
    (fault,) = refused(text=text)
    assert fault.startswith(f"scanner.yaml:{line}: ")


NOT_YAML = {
    "profile: a: b\n": f"scanner.yaml:1:11: {COLON}",
    "ou:\n\t- Root/A\n": "scanner.yaml:2:1: Not valid YAML: a tab stands where YAML wants spaces. Write spaces.",
}


@pytest.mark.parametrize(("text", "expected"), NOT_YAML.items(), ids=["a colon in a text", "a tab"])
def test_what_is_not_yaml_is_said_to_be_that(text: str, expected: str) -> None:
    assert refused(text=text) == [expected]


def test_a_number_of_any_length_is_a_fault_of_the_file_and_not_of_the_program() -> None:
    (fault,) = refused(text=f"dormant_days: {'9' * 5000}\n")
    assert fault == f"scanner.yaml:1: dormant_days: '{'9' * 80}...' is not a whole number from 1 to 3650. Write one."


# The same by a variable of the environment, whose lists, numbers and flags are JSON.
VARIABLES = {
    ("OU", "Root/A"): """'Root/A' is not a JSON list. Write ["Root/A"].""",
    ("OU", "[Root/A, Root/B]"): """'[Root/A, Root/B]' is not a JSON list. Write ["Root/A", "Root/B"].""",
    ("OU", "null"): "has no value. Write one, or unset the variable.",
    ("OU", ""): "has no value. Write one, or unset the variable.",
    ("ACCOUNT", "012345678901,210987654321"): (
        """'012345678901,210987654321' is not a JSON list. Write ["012345678901", "210987654321"]."""
    ),
    ("ACCOUNT", "123456789012"): """a number is not a JSON list. Write ["123456789012"].""",
    ("EXCLUDE_ACCOUNT", "123456789012"): """a number is not a JSON list. Write ["123456789012"].""",
    ("EXCLUDE_ACCOUNT", "[123456789012]"): "a number is not an account ID. Write its 12 digits in quotes.",
    ("EXCLUDE_ACCOUNT", '["1234"]'): "'1234' is not a valid account ID. Write its 12 digits.",
    ("EXCLUDE_ACCOUNT", "[null]"): "the account is blank. Write it, or remove the item.",
    ("EXCLUDE_ACCOUNT", '[{"ou": "Root/A"}]'): "unknown key 'ou'. The keys are: account, reason.",
    ("EXCLUDE_OU", "[12]"): "a number is not text. Write it in quotes.",
    ("EXCLUDE_OU", '[{"ou": "Root/A", "reason": "\u200b"}]'): "the reason is blank. Write it, or remove the item.",
    ("DORMANT_DAYS", "many"): "'many' is not a whole number from 1 to 3650. Write one.",
    ("DORMANT_DAYS", ""): "has no value. Write one, or unset the variable.",
    ("SESSION_POLICY", "no"): "'no' is not true or false. Write one of them, without quotes.",
    ("SAFELIST", "[" * 20_000): f"""'{"[" * 80}...' is not a JSON list. Write ["config/safelists"].""",
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
    assert fault.startswith(f"--{key.replace('_', '-')}: ")
    assert "blank" in fault if is_list else "has no value. Write one, or leave the option out." in fault


@pytest.mark.parametrize("character", ["\u2028", "\u200b", "\u202e", "\x85"])
def test_a_character_that_nobody_sees_is_refused_with_its_place(character: str) -> None:
    (fault,) = refused(text=f"role_name: Auditor  # not{character} session_policy: false\n")
    assert fault.startswith(f"scanner.yaml:1:26: U+{ord(character):04X}")


@pytest.mark.parametrize(("name", "places"), [("ou", ("Root/A", "Root/B", "Root/C")), ("account", ACCOUNTS)])
def test_the_environment_excludes_with_a_reason_or_without(name: str, places: tuple[str, ...]) -> None:
    bare, without, with_reason = places
    text = json.dumps([bare, {name: without}, {name: with_reason, "reason": "sold"}])
    excluded = getattr(load({}, {f"IAM_SCANNER_EXCLUDE_{name.upper()}": text}), f"exclude_{name}")
    assert [(getattr(one, name), one.reason) for one in excluded] == [
        (bare, "no reason given"),
        (without, "no reason given"),
        (with_reason, "sold"),
    ]


def test_all_faults_come_at_once() -> None:
    faults = refused({"evidence": "some"}, {"IAM_SCANNER_ROLE": "x"}, "dormant_days: 0\nous: []\n")
    assert len(faults) == 4


BAD_FILES = {
    "not YAML": ("a: [1\n", "scanner.yaml:"),
    "no mapping": ("- a\n- b\n", "scanner.yaml:1: holds no settings"),
    "a repeated key": ("ou: [a]\nou: [b]\n", "scanner.yaml:2: "),
}


@pytest.mark.parametrize(("text", "told"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_file_that_holds_no_settings_is_refused(text: str, told: str) -> None:
    (fault,) = refused(text=text)
    assert fault.startswith(told)


def test_a_file_that_is_named_and_missing_is_refused() -> None:
    with pytest.raises(FaultsError, match=r"absent\.yaml: Cannot be read"):
        load({}, {}, Path("absent.yaml"))


def test_a_file_that_is_no_utf8_is_refused() -> None:
    Path("latin.yaml").write_bytes("session_name: J\xe9r\xf4me\n".encode("latin-1"))
    with pytest.raises(FaultsError, match="Not UTF-8"):
        load({}, {}, Path("latin.yaml"))


# --- what is kept of them --------------------------------------------------------------------------------------------


def test_the_external_id_is_not_recorded_nor_shown() -> None:
    settings = load({"external_id": "EXT-secret"}, {})
    recorded = settings.as_json()
    assert "EXT-secret" not in json.dumps(recorded) + repr(settings) + str(settings)


def test_a_bad_external_id_is_not_shown() -> None:
    (fault,) = refused({"external_id": "EXT secret"})
    assert fault.startswith("--external-id")
    assert "secret" not in fault


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load({}, {}).dormant_days = 1
