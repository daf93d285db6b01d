"""Settings: which source wins, and what is kept of them."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from scanner.settings import DEFAULT_FILE, load
from tests.settings_sources import of_file, refused, written

ACCOUNT = "012345678901"
ACCOUNTS = (ACCOUNT, "123456789012", "210987654321")

pytestmark = pytest.mark.usefixtures("workplace")


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
