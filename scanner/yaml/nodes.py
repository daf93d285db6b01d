"""YAML as a tree that keeps its lines, and whether a scalar was quoted: for safelists and settings alike.

ruamel.yaml does the parsing; the tree is built from its events, because its own constructors lose the lines, and with
them the difference between `123` and `"123"`. Anchors, aliases, tags, directives and further documents are refused:
neither file needs them, and each can make it say something that a reviewer does not see. So is every character that a
reviewer does not see: some of them end a line, and with it a comment, for a YAML reader alone.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml import events as yaml_events
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.reader import ReaderError
from ruamel.yaml.resolver import implicit_resolvers

from scanner.text import first_invisible
from scanner.yaml.slips import NodeFault, not_yaml

MAX_DEPTH = 16  # a safelist has five levels
MOST_INVISIBLE = 20  # faults for invisible characters: a file in the wrong encoding has one in each line

TEXT = "text"
REFUSED = "refused"  # a node whose fault is reported already

# Problem and remedy of a `Scalar` that may have lost its end; without the text, as it may be a secret.
GLUED_COMMENT = (
    "a # begins a comment here, and the text ends before it.",
    "Put the whole text in quotes, or a space after the #.",
)

_GLUED_COMMENT = re.compile(r"[ \t]+#[^\s#]")
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value as it is written. `kind` is TEXT, or what YAML 1.1 or 1.2 would make of it, as it is not quoted."""

    line: int
    text: str
    kind: str = TEXT
    has_glued_comment: bool = False  # "see #SEC-101": a comment ends it, and may have been meant as part of it


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


def compose(text: str) -> tuple[Node | None, list[NodeFault]]:
    """The tree of a YAML text and all faults in it; no tree where the text is empty or is not YAML."""
    if invisible := _invisible(text):
        return None, invisible
    tree = _Tree(text)
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            tree.add(event)
    except _StopComposingError:
        return None, tree.faults
    except MarkedYAMLError as error:
        return None, [*tree.faults, not_yaml(error, text)]
    except ReaderError as error:  # before any event: what `first_invisible` does not name, such as U+FFFE
        problem, remedy = "Not valid YAML: a character is not text.", "Remove it."
        line = text.count("\n", 0, error.position) + 1
        column = error.position - text.rfind("\n", 0, error.position)
        return None, [NodeFault(line, problem, remedy, column)]
    except (ValueError, OverflowError):  # ruamel.yaml lets out what chr() raises for "\\UFFFFFFFF"
        problem, remedy = "Not valid YAML: after this line, an escape does not name a character.", "Correct the escape."
        return None, [*tree.faults, NodeFault(tree.line, problem, remedy)]
    return tree.root, tree.faults


def _invisible(text: str) -> list[NodeFault]:
    """A fault for each line with a character that a person does not see, wherever in the line it stands."""
    faults = []
    for number, line in enumerate(text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n"), start=1):
        found = None if line.isascii() and line.isprintable() else first_invisible(line)
        if found is not None:
            problem = (
                f"{found[1]} cannot be seen, and can make the file say something other than what a reviewer reads."
            )
            faults.append(NodeFault(number, problem, "Remove this character.", found[0] + 1))
    if (more := len(faults) - MOST_INVISIBLE) > 0:
        problem = (
            f"From here on, {more:,} more line{' holds' if more == 1 else 's hold'} characters that cannot be seen."
        )
        faults[MOST_INVISIBLE:] = [NodeFault(faults[MOST_INVISIBLE].line, problem, "Save the file as plain UTF-8.")]
    return faults


class _StopComposingError(Exception):
    """The rest of the file cannot be given a meaning."""


class _Tree:
    """Takes the parser's events, one by one."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.root: Node | None = None
        self.faults: list[NodeFault] = []
        self.line = 1  # of the last event
        self._second_document: Any = None  # the event that began it
        self._open: list[Sequence | Mapping] = []
        self._keys: list[Scalar | None] = []  # for each open mapping, the key that waits for its value

    def add(self, event: Any) -> None:
        self.line = _line(event)
        if self._second_document is not None and isinstance(event, yaml_events.NodeEvent):
            if isinstance(event, yaml_events.ScalarEvent) and not event.value and event.style is None:
                self._refuse_marks(event)
                return  # `---` at the end of the file: nothing follows it
            self._fault(self._second_document, "A second YAML document begins here.", "Put it into a file of its own.")
            raise _StopComposingError
        match event:
            case yaml_events.ScalarEvent():
                is_refused = self._refuse_marks(event)
                self._refuse_invisible(event)
                is_glued = event.style is None and _GLUED_COMMENT.match(self._text, event.end_mark.index) is not None
                self._put(Scalar(_line(event), event.value, REFUSED if is_refused else _kind(event), is_glued))
            case yaml_events.SequenceStartEvent():
                self._refuse_marks(event)
                self._enter(Sequence(_line(event)))
            case yaml_events.MappingStartEvent():
                self._refuse_marks(event)
                self._enter(Mapping(_line(event)))
            case yaml_events.SequenceEndEvent() | yaml_events.MappingEndEvent():
                self._leave()
            case yaml_events.AliasEvent():
                remedy = "Write out what it stands for; a text that begins with * needs quotes."
                self._fault(event, "An alias (*) is not allowed.", remedy)
                self._put(Scalar(_line(event), "", REFUSED))
            case yaml_events.DocumentStartEvent():
                self._start_document(event)
            case _:
                pass  # the ends of documents and of the stream say nothing more

    def _start_document(self, event: Any) -> None:
        if self.root is not None:
            self._second_document = event
        if event.version is not None or event.tags is not None:
            self._fault(event, "A YAML directive (%...) is not allowed.", "Remove it.")

    def _refuse_marks(self, event: Any) -> bool:
        """Report an anchor and a tag; return whether there is one."""
        for mark, name, sign in ((event.anchor, "An anchor", "&"), (event.ctag, "A tag", "!")):
            if mark is not None:
                remedy = f"Remove it; a text that begins with {sign} needs quotes."
                self._fault(event, f"{name} ({sign}) is not allowed.", remedy)
        return event.anchor is not None or event.ctag is not None

    def _refuse_invisible(self, event: Any) -> None:
        """The same of what only an escape in double quotes can write."""
        found = first_invisible(event.value)
        if found is not None:
            problem = f"The text holds {found[1]}, written as an escape, which cannot be seen where it is shown."
            self._fault(event, problem, "Remove the escape.")
        if _SURROGATE.search(event.value):  # half of a pair: no file can hold it
            self._fault(event, "An escape in this text does not name a character.", "Correct the escape.")

    def _fault(self, event: Any, problem: str, remedy: str) -> None:
        self.faults.append(NodeFault(_line(event), problem, remedy, int(event.start_mark.column) + 1))

    def _enter(self, node: Sequence | Mapping) -> None:
        if len(self._open) >= MAX_DEPTH:
            self.faults.append(NodeFault(node.line, "Lists and mappings are nested too deeply.", "Flatten them."))
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
        self.faults.append(NodeFault(node.line, "A list or mapping is used as a key.", "Use text as the key."))
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
