"""The examples of config/examples/, as tests read them."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

EXAMPLES: Final = Path(__file__).parents[2] / "config/examples"
WORKFLOW: Final = EXAMPLES / "github-actions.yml"
STACK: Final = EXAMPLES / "codebuild.yaml"


class _Functions(SafeConstructor):
    """Reads `!Sub text` as `{"Fn::Sub": text}`."""


def _function(loader: Any, suffix: str, node: Any) -> dict[str, Any]:
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    match node:
        case ScalarNode():
            return {name: loader.construct_scalar(node)}
        case SequenceNode():
            return {name: loader.construct_sequence(node, deep=True)}
        case MappingNode():
            return {name: loader.construct_mapping(node, deep=True)}
        case _:
            raise AssertionError(node)


_Functions.add_multi_constructor("!", _function)


@cache
def stack() -> dict[str, Any]:
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _Functions
    found: dict[str, Any] = yaml.load(STACK.read_text(encoding="utf-8"))
    return found


@cache
def workflow() -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe").load(WORKFLOW.read_text(encoding="utf-8"))
    return found


def step(name: str) -> Mapping[str, Any]:
    """A step of the workflow's job, by its name."""
    (job,) = workflow()["jobs"].values()
    (found,) = (each for each in job["steps"] if each.get("name", "").startswith(name))
    return found  # type: ignore[no-any-return]


@cache
def build() -> str:
    """The script of the build."""
    (script,) = YAML(typ="safe").load(stack()["Resources"]["Scan"]["Properties"]["Source"]["BuildSpec"])["phases"][
        "build"
    ]["commands"]
    return str(script)


def role_policies(name: str) -> dict[str, Mapping[str, Any]]:
    """The policies of a role of the stack, by their names."""
    policies = stack()["Resources"][name]["Properties"]["Policies"]
    return {each["PolicyName"]: each["PolicyDocument"] for each in policies}
