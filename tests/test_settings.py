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


@pytest.mark.parametrize(
    "line",
    [
        f'exclude_account: ["{ACCOUNT}"]',
        f'exclude_account: [{{account: "{ACCOUNT}"}}]',
        f'exclude_account: [{{account: "{ACCOUNT}", reason: ""}}]',
        "exclude_ou: [Root/A]",
        "exclude_ou: [{ou: Root/A}]",
    ],
)
def test_an_exclusion_in_a_file_without_a_reason_is_refused(line: str) -> None:
    (fault,) = refused(text=f"dormant_days: 30\n{line}\n")
    assert fault.startswith("scanner.yaml:2: ")
    assert "needs its reason" in fault


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


def test_an_unknown_key_inside_an_exclusion_is_refused() -> None:
    (fault,) = refused(text="exclude_ou: [{ou: Root/A, reason: sold, until: 2027}]\n")
    assert fault == ("scanner.yaml:1: exclude_ou: unknown key 'until'. Write [{ou: Root/Sandbox, reason: ...}].")


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


def test_a_list_in_the_environment_that_is_no_json_shows_how_to_write_it() -> None:
    (fault,) = refused(environment={"IAM_SCANNER_OU": "Root/A"})
    assert fault == """IAM_SCANNER_OU: 'Root/A' is not valid JSON. Write ["Root/A"]."""


NOT_AN_ACCOUNT = "is not a valid account ID; give its 12 digits, and in a file put them in quotes"
COLON = (
    "Not valid YAML: a text without quotes holds a colon and a space, or the line is indented too far. "
    'Put the text in quotes: reason: "Ticket: 12".'
)
WORDS = {
    "a text for a list": (
        "ou: Root/Sandbox\n",
        "scanner.yaml:1: ou: 'Root/Sandbox' is not a list. Write [Root/Sandbox].",
    ),
    "an account for a list": (
        'account: "123456789012"\n',
        "scanner.yaml:1: account: '123456789012' is not a list. Write [\"123456789012\"].",
    ),
    "a text for exclusions": (
        "exclude_ou: Root/Sandbox\n",
        "scanner.yaml:1: exclude_ou: 'Root/Sandbox' is not a list. Write [{ou: Root/Sandbox, reason: ...}].",
    ),
    "a number in a list, by its line": (
        "ou:\n  - Root/A\n  - 12\n",
        "scanner.yaml:3: ou: 12 is not a text. Write it in quotes.",
    ),
    "an account without quotes, by its line": (
        'account:\n  - "123456789012"\n  - 210987654321\n',
        f"scanner.yaml:3: account: 210987654321 {NOT_AN_ACCOUNT}.",
    ),
    "nothing": ("ou:\n", "scanner.yaml:1: ou: has no value. Write one, or remove the key."),
    "a number for a text": ("profile: 12\n", "scanner.yaml:1: profile: 12 is not a text. Write it in quotes."),
    "a flag for a text": ("profile: true\n", "scanner.yaml:1: profile: true is not a text. Write it in quotes."),
    "a list for a text": ("profile: [a]\n", "scanner.yaml:1: profile: ['a'] is not a text. Write it in quotes."),
    "a text for a number": (
        "dormant_days: many\n",
        "scanner.yaml:1: dormant_days: 'many' is not a whole number from 1 to 3,650. Write one, without quotes.",
    ),
    "a number beyond its limits": (
        "account_timeout: 801\n",
        "scanner.yaml:1: account_timeout: 801 is not a whole number from 1 to 800. Write one, without quotes.",
    ),
    "a text for a flag": (
        "session_policy: maybe\n",
        "scanner.yaml:1: session_policy: 'maybe' is not true or false. Write true or false, without quotes.",
    ),
    "an unknown choice": ("evidence: some\n", "scanner.yaml:1: evidence: 'some' is unknown. Write full or basic."),
    "an unknown choice in a list": (
        "format: [xlsx, pdf]\n",
        "scanner.yaml:1: format: 'pdf' is unknown. Write xlsx, csv or json.",
    ),
    "an empty list": (
        "safelist: []\n",
        "scanner.yaml:1: safelist: is empty; leave the setting out to have its default.",
    ),
    "a colon in a text": (
        "profile: a: b\n",
        f"scanner.yaml:1:11: {COLON}",
    ),
    "a tab": (
        "ou:\n\t- Root/A\n",
        "scanner.yaml:2:1: Not valid YAML: a tab stands where YAML wants spaces. Write spaces.",
    ),
}


@pytest.mark.parametrize(("text", "expected"), WORDS.values(), ids=WORDS)
def test_a_fault_of_the_settings_file_says_what_to_write(text: str, expected: str) -> None:
    assert refused(text=text) == [expected]


@pytest.mark.parametrize("character", ["\u2028", "\u200b", "\u202e", "\x85"])
def test_a_character_that_nobody_sees_is_refused_with_its_place(character: str) -> None:
    (fault,) = refused(text=f"role_name: Auditor  # not{character} session_policy: false\n")
    assert fault.startswith(f"scanner.yaml:1:26: U+{ord(character):04X}")


ACCOUNTS_BY_ENVIRONMENT = [f'["{ACCOUNT}"]', f'[{{"account": "{ACCOUNT}", "reason": "sandbox"}}]']


@pytest.mark.parametrize("text", ACCOUNTS_BY_ENVIRONMENT)
def test_the_environment_excludes_accounts_with_a_reason_or_without(text: str) -> None:
    (excluded,) = load({}, {"IAM_SCANNER_EXCLUDE_ACCOUNT": text}).exclude_account
    assert excluded.account == ACCOUNT


def test_the_environment_excludes_ous_with_a_reason_or_without() -> None:
    text = '["Root/A", {"ou": "Root/B", "reason": "sold"}]'
    excluded = load({}, {"IAM_SCANNER_EXCLUDE_OU": text}).exclude_ou
    assert [(one.ou, one.reason) for one in excluded] == [("Root/A", "no reason given"), ("Root/B", "sold")]


def test_a_number_for_an_account_in_the_environment_is_said_to_need_quotes_and_not_a_reason() -> None:
    (fault,) = refused(environment={"IAM_SCANNER_EXCLUDE_ACCOUNT": "[123456789012]"})
    assert fault.startswith("IAM_SCANNER_EXCLUDE_ACCOUNT: 123456789012 is not a valid account ID")
    assert "reason" not in fault


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
