"""YAML as plain values: what a settings file says, and that its faults tell no secret."""

import pytest

from scanner.errors import FaultsError
from scanner.yaml.values import values

SECRET = "hunter2"


def faults(text: str) -> list[str]:
    with pytest.raises(FaultsError) as raised:
        values("a.yaml", text)
    return [str(fault) for fault in raised.value.faults]


def test_values_are_those_of_yaml_1_2_and_keep_their_lines() -> None:
    read = values("a.yaml", "on: yes\ncount: 3\nwhen: 2027-01-15\nlist:\n  - {ou: Root/Prod, reason: '12'}\n")
    assert read.content == {
        "on": "yes",
        "count": 3,
        "when": "2027-01-15",
        "list": [{"ou": "Root/Prod", "reason": "12"}],
    }
    assert [read.line(path) for path in (("count",), ("list", 0, "reason"), ("list", 0, "no such"))] == [2, 5, 5]


def test_a_text_that_a_comment_cuts_off_is_refused() -> None:
    """The reason of an exclusion lost its ticket without a word."""
    (fault,) = faults("exclude_ou:\n  - ou: Root/Prod\n    reason: see #SEC-1\n")
    assert fault == (
        "a.yaml:3: a # begins a comment here, and the text ends before it. "
        "Put the whole text in quotes, or a space after the #."
    )


@pytest.mark.parametrize("line", ["count: 64  #most", "reason: see  # the ticket", 'reason: "see #1"', "yes: true #on"])
def test_a_comment_that_is_one_is_no_fault(line: str) -> None:
    assert len(values("a.yaml", f"{line}\n").content) == 1


def test_a_key_that_stands_twice_is_refused() -> None:
    assert faults("a: 1\nb: 2\na: 3\n") == ["a.yaml:3: the key 'a' is repeated, after line 1. Keep one of them."]


def test_half_a_character_is_refused_as_no_file_could_hold_it() -> None:
    assert faults('output: "a\\ud800"\n') == [
        "a.yaml:1:9: An escape in this text does not name a character. Correct the escape."
    ]


@pytest.mark.parametrize(
    "value",
    [
        f"{SECRET}: x",
        f'"{SECRET}',
        f'"{SECRET}" {SECRET}',
        f"'{SECRET}'{SECRET}'",
        f"[{SECRET}",
        f"{{{SECRET}",
        f"{SECRET} #{SECRET}",
        f"*{SECRET}",
        f"&{SECRET} x",
        f"!{SECRET} x",
        f"!{SECRET}!x y",
        f"@{SECRET}",
        f"> {SECRET}",
        f"- {SECRET}",
        f"[{SECRET}: {SECRET}: {SECRET}",
        f"a: {SECRET}: b",
        f"\n  - a\n {SECRET} x: b",
        f'"{SECRET}\\q"',
        f'"{SECRET}\\u200b"',
        f'"{SECRET}\\ud800"',
        f"{SECRET}\u200b",
        f"{SECRET}\ufffe",
        f"x\n{SECRET}",
        f"x\n---\nb: {SECRET}",
        f"x\n...\n%{SECRET}",
    ],
)
def test_no_fault_tells_a_value_as_it_may_be_a_secret(value: str) -> None:
    told = faults(f"external_id: {value}\n")
    assert told
    assert not [fault for fault in told if SECRET in fault]
