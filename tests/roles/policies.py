"""Policies as tests look at them."""

from collections.abc import Mapping
from typing import Any


def actions(policy: Mapping[str, Any]) -> set[str]:
    """The actions that a policy allows."""
    return {action for each in policy["Statement"] if each["Effect"] == "Allow" for action in listed(each["Action"])}


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def by_sid(policy: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {each["Sid"]: each for each in policy["Statement"]}


def filled_in(value: Any, parameters: Mapping[str, str]) -> Any:
    """What a template comes to with these parameters, as far as our templates need CloudFormation's functions."""
    if isinstance(value, list):
        return [filled_in(item, parameters) for item in value]
    if not isinstance(value, Mapping):
        return value
    match [*value.items()]:
        case [("Ref", name)]:
            return parameters[name]
        case [("Fn::Split", [separator, text])]:
            return filled_in(text, parameters).split(separator)
        case [("Fn::Select", [index, items])]:
            return filled_in(items, parameters)[index]
        case [("Fn::Sub", [text, variables])]:
            return substituted(text, {**parameters, **filled_in(variables, parameters)})
        case [("Fn::Sub", text)]:
            return substituted(text, parameters)
        case items:
            return {key: filled_in(item, parameters) for key, item in items}


def substituted(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"${{{name}}}", value)
    assert "${" not in text
    return text
