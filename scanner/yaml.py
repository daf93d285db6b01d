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

from scanner.errors import Fault, FaultsError
from scanner.text import first_invisible

MAX_DEPTH = 16  # a safelist has five levels
MOST_INVISIBLE = 20  # faults for invisible characters: a file in the wrong encoding has one in each line

TEXT = "text"
REFUSED = "refused"  # a node whose fault is reported already

# Problem and remedy of a `Scalar` that may have lost its end; without the text, as it may be a secret.
GLUED_COMMENT = (
    "a # begins a comment here, and the text ends before it.",
    "Put the whole text in quotes, or a space behind the #.",
)

_GLUED_COMMENT = re.compile(r"[ \t]+#[^\s#]")
_BRACKET_IN_COMMENT = re.compile(r"[ \t]#.*[\]}]")
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
            problem = f"{found[1]} cannot be seen, and can make the file say something else than what a reviewer reads."
            faults.append(NodeFault(number, problem, "Remove this character.", found[0] + 1))
    if (more := len(faults) - MOST_INVISIBLE) > 0:
        problem = (
            f"From here on, {more:,} more line{' holds' if more == 1 else 's hold'} characters that cannot be seen."
        )
        faults[MOST_INVISIBLE:] = [NodeFault(faults[MOST_INVISIBLE].line, problem, "Save the file as plain UTF-8.")]
    return faults


# What ruamel.yaml says: its context, a colon, its problem. The first that fits counts.
_SLIPS = (
    (r": found character '\\t'", "a tab stands where YAML wants spaces", "Write spaces."),
    (
        "cannot start any token|alphabetic or numeric|mapping keys are not|found '[],}]'",
        "a text begins with a character that means something in YAML",
        "Put the text in quotes.",
    ),
    ("block scalar: expected", "a text that begins with | or > needs quotes", "Put the text in quotes."),
    (
        "escape",
        "a backslash in double quotes begins an escape, and there is none such",
        "Write it twice, or use single quotes around the text.",
    ),
    (
        "mapping values are not allowed",
        "a text without quotes holds a colon and a space, or the line is indented too far",
        'Put the text in quotes: reason: "Ticket: 12".',
    ),
    (
        "sequence entries are not allowed",
        "a dash stands behind the key on its line",
        "Begin the list on the next line; a text that begins with a dash needs quotes.",
    ),
    (
        "<block end>, but found '<scalar>'",
        "a quote or bracket is closed, and the value goes on",
        "Put the whole text in quotes; in single quotes, write ' twice.",
    ),
    ("<block end>", "this line is not indented as the lines that it belongs to", "Indent it as these, with spaces."),
    ("<stream end>", "a bracket that opens above is not closed", "Close it."),
    ("flow", "a comma is missing, or a text needs quotes", "Put a text that holds : or , in quotes."),
    ("", "a colon is missing here or above", "Write `key: value`."),
)


def _not_yaml(error: MarkedYAMLError, text: str) -> NodeFault:
    """What YAML does not take, in plain words; never a value of the file, as it may be a secret."""
    mark = error.problem_mark
    start = error.context_mark or mark
    lines = text.split("\n")
    said = f"{error.context}: {error.problem}"
    is_flow = "parsing a flow" in said
    above = max(mark.line - 1, 0) if "flow node" in said else start.line  # a flow node has no start of its own
    swallowed = [number for number in range(above, mark.line) if _BRACKET_IN_COMMENT.search(lines[number])]
    if "quoted scalar: found unexpected end" in said:
        mark, problem, remedy = start, "the quote that opens here is not closed", "Close it."
    elif is_flow and swallowed:
        mark, problem = None, "the # begins a comment, and the bracket in it closes nothing"
        remedy = "Put the text with the # in quotes."
    elif is_flow and start.line < mark.line:
        mark, problem, remedy = start, "the bracket that opens here is not closed", "Close it."
    else:
        problem, remedy = next(words for pattern, *words in _SLIPS if re.search(pattern, said))
        line = lines[mark.line] if mark.line < len(lines) else ""
        if "\t" in line[: len(line) - len(line.lstrip())]:
            _, problem, remedy = _SLIPS[0]
    at = (swallowed[-1] + 1, None) if mark is None else (mark.line + 1, mark.column + 1)
    return NodeFault(at[0], f"Not valid YAML: {problem}.", remedy, at[1])


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
                self._refuse_marks(event)
                self._refuse_invisible(event)
                is_glued = event.style is None and _GLUED_COMMENT.match(self._text, event.end_mark.index) is not None
                self._put(Scalar(_line(event), event.value, _kind(event), is_glued))
            case yaml_events.SequenceStartEvent():
                self._refuse_marks(event)
                self._enter(Sequence(_line(event)))
            case yaml_events.MappingStartEvent():
                self._refuse_marks(event)
                self._enter(Mapping(_line(event)))
            case yaml_events.SequenceEndEvent() | yaml_events.MappingEndEvent():
                self._leave()
            case yaml_events.AliasEvent():
                self._fault(
                    event,
                    "An alias (*) is not allowed.",
                    "Write out what it stands for; a text that begins with * needs quotes.",
                )
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
            self._fault(event, "An anchor (&) is not allowed.", "Remove it; a text that begins with & needs quotes.")
        if event.ctag is not None:
            self._fault(event, "A tag (!) is not allowed.", "Remove it; quotes make a value text.")

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
    root, faults = compose(text)
    lines: dict[Path, int] = {}
    content: Any = {}
    if isinstance(root, Mapping):
        content = _plain(root, (), lines, faults)
    elif root is not None and not (isinstance(root, Scalar) and root.kind == "null"):
        faults.append(NodeFault(root.line, "holds no settings.", "Write `key: value` lines."))
    if faults:
        raise FaultsError(
            [
                Fault(file=file, line=fault.line, column=fault.column, problem=fault.problem, remedy=fault.remedy)
                for fault in faults
            ]
        )
    return Values(content, lines)


def _plain(node: Node, path: Path, lines: dict[Path, int], faults: list[NodeFault]) -> Any:
    lines.setdefault(path, node.line)
    match node:
        case Scalar():
            if node.has_glued_comment and node.kind == TEXT:
                faults.append(NodeFault(node.line, *GLUED_COMMENT))
            return _value(node)
        case Sequence():
            return [_plain(item, (*path, place), lines, faults) for place, item in enumerate(node.items)]
        case Mapping():
            content: dict[str, Any] = {}
            for key, value in node.pairs:
                if key.text in content:
                    faults.append(
                        NodeFault(key.line, f"the key {key.text!r} is here a second time.", "Keep one of them.")
                    )
                lines[*path, key.text] = key.line
                content[key.text] = _plain(value, (*path, key.text), lines, faults)
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
