"""A YAML file that is one mapping, as plain values that keep their lines: for settings."""

import re
from dataclasses import dataclass
from typing import Any

from scanner.errors import Fault, FaultsError
from scanner.yaml.nodes import GLUED_COMMENT, TEXT, Mapping, Node, Scalar, Sequence, compose
from scanner.yaml.slips import NodeFault

Path = tuple[str | int, ...]  # keys and places from the top: ("exclude_ou", 0, "reason")


@dataclass(frozen=True, slots=True)
class Values:
    """A file that is one mapping, as plain values, with the line of each, and as it was written."""

    content: dict[str, Any]
    lines: dict[Path, int]
    key_lines: dict[Path, int]
    texts: dict[Path, str]  # of the values that are not text, as 012 is a number

    def line(self, path: Path) -> int:
        """The line of a value, or of the nearest one that holds it."""
        return next(self.lines[path[:depth]] for depth in range(len(path), 0, -1) if path[:depth] in self.lines)


def values(file: str, text: str) -> Values:
    """Read a file of `key: value` lines; raise `FaultsError` with every fault. An empty file holds nothing.

    What is not quoted is what YAML 1.2 makes of it, but a date stays text.
    """
    root, faults = compose(text)
    read = Values({}, {}, {}, {})
    if isinstance(root, Mapping):
        read.content.update(_plain(root, (), read, faults))
    elif root is not None and not (isinstance(root, Scalar) and root.kind == "null"):
        faults.append(
            NodeFault(root.line, "holds no settings.", "Write `key: value` lines, with a space after the colon.")
        )
    if faults:
        raise FaultsError(
            [
                Fault(file=file, line=fault.line, column=fault.column, problem=fault.problem, remedy=fault.remedy)
                for fault in faults
            ]
        )
    return read


def _plain(node: Node, path: Path, read: Values, faults: list[NodeFault]) -> Any:
    """The value of a node; what else is to be known of it goes into `read` and `faults`."""
    read.lines[path] = node.line
    match node:
        case Scalar():
            if node.has_glued_comment and node.kind == TEXT:
                faults.append(NodeFault(node.line, *GLUED_COMMENT))
            if node.kind != TEXT:
                read.texts[path] = node.text
            return _value(node)
        case Sequence():
            return [_plain(item, (*path, place), read, faults) for place, item in enumerate(node.items)]
        case Mapping():
            content: dict[str, Any] = {}
            for key, value in node.pairs:
                if key.text in content:
                    problem = f"the key {key.text!r} is repeated, after line {read.key_lines[*path, key.text]}."
                    faults.append(NodeFault(key.line, problem, "Keep one of them."))
                read.key_lines[*path, key.text] = key.line
                content[key.text] = _plain(value, (*path, key.text), read, faults)
                if isinstance(value, Scalar) and not value.text:  # what is left out has no line of its own
                    read.lines[*path, key.text] = key.line
            return content


def _value(scalar: Scalar) -> Any:
    if scalar.kind == "null":
        return None
    if scalar.kind == "bool" and scalar.text.lower() in {"true", "false"}:  # yes and no are text in YAML 1.2
        return scalar.text.lower() == "true"
    if scalar.kind == "int" and re.fullmatch("[-+]?[0-9]{1,300}", scalar.text):
        return int(scalar.text)
    if scalar.kind == "float" and re.fullmatch(r"[-+]?[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?", scalar.text):
        return float(scalar.text)
    return scalar.text
