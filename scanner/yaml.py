"""YAML as a tree that keeps its lines, and whether a scalar was quoted: for safelists and settings alike.

ruamel.yaml does the parsing; the tree is built from its events, because its own constructors lose the lines, and with
them the difference between `123` and `"123"`. Anchors, aliases, tags, directives and further documents are refused:
neither file needs them, and each can make it say something that a reviewer does not see. So is every character that a
reviewer does not see: some of them end a line, and with it a comment, for a YAML reader alone.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml import events as yaml_events
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.parser import ParserError
from ruamel.yaml.resolver import implicit_resolvers
from ruamel.yaml.scanner import ScannerError

from scanner.errors import Fault, FaultsError
from scanner.text import first_invisible

MAX_DEPTH = 16  # a safelist has five levels
MOST_INVISIBLE = 20  # faults for invisible characters: a file in the wrong encoding has one in each line

TEXT = "text"
REFUSED = "refused"  # a node whose fault is reported already


_GLUED_COMMENT = re.compile(r"[ \t]+(#[^\s#]\S*)")


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value as it is written. `kind` is TEXT, or what YAML 1.1 or 1.2 would make of it, as it is not quoted."""

    line: int
    text: str
    kind: str = TEXT
    glued_comment: str = (
        ""  # "#SEC-101", where such a comment ends the text on its line: it may have been meant as text
    )


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
    column: int | None = None  # 1-based, in characters; None where the line says it all


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
        return None, [*tree.faults, _not_yaml(error, text)]
    except YAMLError:  # a character that YAML does not allow; the error's own position is not a line
        problem, remedy = "Not valid YAML: a character is not text.", "Remove it."
        return None, [*tree.faults, NodeFault(_unprintable_line(text), problem, remedy)]
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
            problem = f"{found[1]} cannot be seen, and can make the file say something else than what a reviewer reads."
            faults.append(NodeFault(number, problem, "Remove this character.", found[0] + 1))
    return faults[:MOST_INVISIBLE]


def _not_yaml(error: MarkedYAMLError, text: str) -> NodeFault:
    """What YAML does not take, in plain words; never a value of the file, as it may be a secret."""
    mark = error.problem_mark or error.context_mark
    number, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    lines = text.split("\n")
    line = lines[number - 1] if number <= len(lines) else ""
    said = str(error.problem)
    if "\t" in line[: len(line) - len(line.lstrip())] or "'\\t'" in said:
        problem, remedy = "a tab stands where YAML wants spaces", "Write spaces."
    elif said == "mapping values are not allowed here":
        problem = "a text without quotes holds a colon and a space, or the line is indented too far"
        remedy = 'Put the text in quotes: reason: "Ticket: 12".'
    elif said == "sequence entries are not allowed here" or "<block end>" in said:
        problem = "this line is not indented as the lines that it belongs to"
        remedy = "Indent it as these, with spaces."
    elif "cannot start any token" in said or "alphabetic or numeric" in said:
        problem, remedy = "a text begins with a character that means something in YAML", "Put the text in quotes."
    elif isinstance(error, ParserError | ScannerError):
        problem = "a bracket, a quote or a colon is missing here or above"
        remedy = "Close what is open; a text that holds : or , needs quotes."
    else:
        problem, remedy = said, "Correct the YAML."
    return NodeFault(number, f"Not valid YAML: {problem}.", remedy, column)


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
                return  # `---` at the end of the file: nothing follows it
            self._fault(self._second_document, "A second YAML document begins here.", "Put it into a file of its own.")
            raise _StopComposingError
        match event:
            case yaml_events.ScalarEvent():
                self._refuse_marks(event)
                self._refuse_invisible(event)
                self._put(Scalar(_line(event), event.value, _kind(event), self._glued_comment(event)))
            case yaml_events.SequenceStartEvent():
                self._refuse_marks(event)
                self._enter(Sequence(_line(event)))
            case yaml_events.MappingStartEvent():
                self._refuse_marks(event)
                self._enter(Mapping(_line(event)))
            case yaml_events.SequenceEndEvent() | yaml_events.MappingEndEvent():
                self._leave()
            case yaml_events.AliasEvent():
                self._fault(event, "An alias (*) is not allowed.", "Write out what it stands for.")
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

    def _refuse_marks(self, event: Any) -> None:
        if event.anchor is not None:
            self._fault(event, "An anchor (&) is not allowed.", "Remove it.")
        if event.ctag is not None:
            self._fault(event, "A tag (!) is not allowed.", "Remove it; quotes make a value text.")

    def _glued_comment(self, event: Any) -> str:
        comment = _GLUED_COMMENT.match(self._text, event.end_mark.index) if event.style is None else None
        return comment[1] if comment else ""

    def _refuse_invisible(self, event: Any) -> None:
        """The same of what only an escape in double quotes can write."""
        found = first_invisible(event.value)
        if found is not None:
            problem = f"The text holds {found[1]}, written as an escape, which cannot be seen where it is shown."
            self._fault(event, problem, "Remove the escape.")

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


# --- plain values ----------------------------------------------------------------------------------------------------

Path = tuple[str | int, ...]  # keys and places from the top: ("exclude_ou", 0, "reason")


@dataclass(frozen=True, slots=True)
class Values:
    """A file that is one mapping, as plain values, with the line of each."""

    content: dict[str, Any]
    lines: dict[Path, int]

    def line(self, path: Path) -> int:
        """The line of a value, or of the nearest one that holds it."""
        return next(self.lines[path[:depth]] for depth in range(len(path), 0, -1) if path[:depth] in self.lines)


def values(file: str, text: str) -> Values:
    """Read a file of `key: value` lines; raise `FaultsError` with every fault. An empty file holds nothing.

    What is not quoted is what YAML 1.2 makes of it, but a date stays text.
    """
    root, found = compose(text)
    faults = [
        Fault(file=file, line=fault.line, column=fault.column, problem=fault.problem, remedy=fault.remedy)
        for fault in found
    ]
    lines: dict[Path, int] = {}
    content: Any = {}
    if isinstance(root, Mapping):
        content = _plain(root, (), lines, lambda line, what: faults.append(_again(file, line, what)))
    elif root is not None and not (isinstance(root, Scalar) and root.kind == "null"):
        remedy = "Write `key: value` lines."
        faults.append(Fault(file=file, line=root.line, problem="holds no settings.", remedy=remedy))
    if faults:
        raise FaultsError(faults)
    return Values(content, lines)


def _again(file: str, line: int, key: str) -> Fault:
    return Fault(file=file, line=line, problem=f"the key {key!r} is here a second time.", remedy="Keep one of them.")


def _plain(node: Node, path: Path, lines: dict[Path, int], report: Callable[[int, str], None]) -> Any:
    lines.setdefault(path, node.line)
    match node:
        case Scalar():
            return _value(node)
        case Sequence():
            return [_plain(item, (*path, place), lines, report) for place, item in enumerate(node.items)]
        case Mapping():
            content: dict[str, Any] = {}
            for key, value in node.pairs:
                if key.text in content:
                    report(key.line, key.text)
                lines[*path, key.text] = key.line
                content[key.text] = _plain(value, (*path, key.text), lines, report)
            return content


def _value(scalar: Scalar) -> Any:
    if scalar.kind == "null":
        return None
    if scalar.kind == "bool" and scalar.text.lower() in {"true", "false"}:  # yes and no are text in YAML 1.2
        return scalar.text.lower() == "true"
    if scalar.kind == "int" and re.fullmatch("[-+]?[0-9]+", scalar.text):
        return int(scalar.text)
    if scalar.kind == "float" and re.fullmatch(r"[-+]?[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?", scalar.text):
        return float(scalar.text)
    return scalar.text
