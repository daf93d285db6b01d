"""YAML as a tree that still knows its lines and whether a scalar was quoted.

ruamel.yaml does the parsing; the tree is built from its events, because its own constructors lose the lines, and with
them the difference between `123` and `"123"`. Anchors, aliases, tags, directives and further documents are refused:
a safelist needs none of them, and each of them can make it say something that a reader does not see.
"""

from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml import events as yaml_events
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.resolver import implicit_resolvers

MAX_DEPTH = 16  # a safelist has five levels

TEXT = "text"
REFUSED = "refused"  # something whose fault is told already


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value as it is written. `kind` is TEXT, or what YAML 1.1 or 1.2 would make of it, as it is not quoted."""

    line: int
    text: str
    kind: str = TEXT


@dataclass(frozen=True, slots=True)
class Sequence:
    line: int
    items: "list[Node]" = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Mapping:
    """Pairs in the order of the file; a key may come twice."""

    line: int
    pairs: "list[tuple[Scalar, Node]]" = field(default_factory=list)


Node = Scalar | Sequence | Mapping


@dataclass(frozen=True, slots=True)
class NodeFault:
    """Something that YAML, or this program of YAML, does not allow."""

    line: int
    problem: str
    remedy: str


def compose(text: str) -> tuple[Node | None, list[NodeFault]]:
    """The tree of a YAML text and all that is wrong with it; no tree where it is empty or is not YAML."""
    tree = _Tree()
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            tree.add(event)
    except _StopComposingError:
        return None, tree.faults
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 1
        return None, [*tree.faults, NodeFault(line, f"Not valid YAML: {error.problem}.", "Correct the YAML.")]
    except YAMLError:  # a character that YAML does not allow; the error's own position is no line
        problem, remedy = "Not valid YAML: a character is not text.", "Remove the control character."
        return None, [*tree.faults, NodeFault(_unprintable_line(text), problem, remedy)]
    except (ValueError, OverflowError):  # ruamel.yaml lets out what chr() raises for "\\UFFFFFFFF"
        problem, remedy = "Not valid YAML: after this line, an escape names no character.", "Correct the escape."
        return None, [*tree.faults, NodeFault(tree.line, problem, remedy)]
    return tree.root, tree.faults


class _StopComposingError(Exception):
    """The rest of the file cannot be given a meaning."""


class _Tree:
    """Takes the parser's events, one by one."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self.faults: list[NodeFault] = []
        self.line = 1  # of the last event
        self._open: list[Sequence | Mapping] = []
        self._keys: list[Scalar | None] = []  # for each open mapping, the key that waits for its value

    def add(self, event: Any) -> None:
        self.line = _line(event)
        match event:
            case yaml_events.ScalarEvent():
                self._refuse_marks(event)
                self._put(Scalar(_line(event), event.value, _kind(event)))
            case yaml_events.SequenceStartEvent():
                self._refuse_marks(event)
                self._enter(Sequence(_line(event)))
            case yaml_events.MappingStartEvent():
                self._refuse_marks(event)
                self._enter(Mapping(_line(event)))
            case yaml_events.SequenceEndEvent() | yaml_events.MappingEndEvent():
                self._leave()
            case yaml_events.AliasEvent():
                self._fault(event, f"The alias *{event.anchor} is not allowed.", "Write out what it stands for.")
                self._put(Scalar(_line(event), "", REFUSED))
            case yaml_events.DocumentStartEvent():
                self._start_document(event)
            case _:
                pass  # the ends of documents and of the stream say nothing more

    def _start_document(self, event: Any) -> None:
        if self.root is not None:
            self._fault(event, "A second YAML document begins here.", "Put it into a file of its own.")
            raise _StopComposingError
        if event.version is not None or event.tags is not None:
            self._fault(event, "A YAML directive (%...) is not allowed.", "Remove it.")

    def _refuse_marks(self, event: Any) -> None:
        if event.anchor is not None:
            self._fault(event, f"The anchor &{event.anchor} is not allowed.", "Remove it.")
        if event.ctag is not None:
            self._fault(event, f"The tag {event.tag} is not allowed.", "Remove it; quotes make a value text.")

    def _fault(self, event: Any, problem: str, remedy: str) -> None:
        self.faults.append(NodeFault(_line(event), problem, remedy))

    def _enter(self, node: Sequence | Mapping) -> None:
        if len(self._open) >= MAX_DEPTH:
            self.faults.append(NodeFault(node.line, "Lists and mappings are nested too deep.", "Flatten them."))
            raise _StopComposingError
        self._put(node)
        self._open.append(node)
        self._keys.append(None)

    def _leave(self) -> None:
        self._open.pop()
        self._keys.pop()

    def _put(self, node: Node) -> None:
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        if isinstance(parent, Sequence):
            parent.items.append(node)
        elif (key := self._keys[-1]) is not None:
            parent.pairs.append((key, node))
            self._keys[-1] = None
        else:
            self._keys[-1] = self._as_key(node)

    def _as_key(self, node: Node) -> Scalar:
        if isinstance(node, Scalar):
            return node
        self.faults.append(NodeFault(node.line, "A list or mapping stands as a key.", "Use text as the key."))
        return Scalar(node.line, "", REFUSED)


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _rules() -> dict[str, list[tuple[str, Any]]]:
    """First character → kinds that an unquoted scalar could be, by YAML 1.1 as well as 1.2.

    Both, as the same file may be read by other tools: `no` is text in 1.2 and false in 1.1.
    """
    rules: dict[str, list[tuple[str, Any]]] = {}
    for _versions, tag, pattern, first in implicit_resolvers:
        for character in first:
            rules.setdefault(character, []).append((str(tag).rpartition(":")[2], pattern))
    return rules


_RULES = _rules()


def unquoted_kind(text: str) -> str:
    """TEXT, or what YAML 1.1 or 1.2 would make of this text where it is not quoted."""
    for kind, pattern in _RULES.get(text[:1], ()):
        if pattern.match(text):
            return kind
    return TEXT


def _kind(event: Any) -> str:
    return TEXT if event.style is not None else unquoted_kind(event.value)


def _unprintable_line(text: str) -> int:
    """The line of the first character that ruamel.yaml refuses to read."""
    allowed = ("\t", "\n", "\r", "\x85")
    for number, line in enumerate(text.split("\n"), start=1):
        if any((ord(c) < 0xA0 and not c.isprintable() and c not in allowed) or c in "\ufffe\uffff" for c in line):
            return number
    return 1
