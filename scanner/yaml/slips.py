"""What is not valid YAML, in plain words: where it is, what is wrong, and what to write instead.

ruamel.yaml says what its parser expected, which tells a person little. The slips that people make are named here by
what they look like. No fault quotes a value of the file, as it may be a secret; a key is quoted.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ruamel.yaml.error import MarkedYAMLError


@dataclass(frozen=True, slots=True)
class NodeFault:
    """Something that YAML, or this program of YAML, does not allow."""

    line: int
    problem: str
    remedy: str
    column: int | None = None  # 1-based, in characters; None where the line says it all


Words = tuple[str, str]  # the problem, without "Not valid YAML", and the remedy
Place = tuple[int, int | None]  # line and column, from 0

_BRACKET_IN_COMMENT = re.compile(r"[ \t]#.*[\]}]")
_KEY = re.compile(r"[ \t]*(?:- +)*([A-Za-z_]+):[ \t]")
_HAS_KEY = re.compile(r":(?:\s|$)")
_NEEDS_QUOTES = re.compile(
    "cannot start any token|alphabetic or numeric|mapping keys are not|block node: .* node content, but found '[],}]'"
)
_STARTS = re.compile(r"( *)((?:- +)*)")

_TAB = ("a tab stands where YAML needs spaces", "Write spaces.")
_NO_COLON = ("a colon is missing on this line", "Write `key: value`.")
_GLUED_COLON = ("a colon needs a space after it", "Write `key: value`.")
_UNCLOSED_QUOTE = ("the quote that opens here is not closed", "Close it, or put the whole text in double quotes.")
_UNCLOSED = ("the bracket that opens here is not closed", "Close it; a text that begins with a bracket needs quotes.")
_COMMENTED = ("the # begins a comment, and the bracket in it closes nothing", "Put the text with the # in quotes.")
_GOES_ON = (
    "more text follows the closing quote or bracket",
    "Put the whole text in quotes; in single quotes, write ' twice.",
)
_CLOSES_NOTHING = ("this bracket closes nothing", "Remove it, or put the text that holds it in quotes.")

# What ruamel.yaml says: its context, a colon, its problem. The first that fits counts.
_SLIPS = (
    ("block scalar: expected", "a text that begins with | or > needs quotes", "Put the text in quotes."),
    (
        "escape",
        "a backslash in double quotes begins an escape, and this is not a known one",
        "Write the backslash twice, or use single quotes around the text.",
    ),
    (
        "sequence entries are not allowed",
        "a list cannot begin on the line of its key",
        "Begin the list on the next line; a text that begins with a dash needs quotes.",
    ),
    ("<stream end>", "a bracket that opens above is not closed", "Close it."),
    ("flow", "a comma is missing, or a text needs quotes", "Put a text that holds : or , in quotes."),
    ("", *_NO_COLON),
)


def not_yaml(error: MarkedYAMLError, text: str) -> NodeFault:
    """What YAML does not take, in plain words; never a value of the file, as it may be a secret."""
    (line, column), (problem, remedy) = _slip(error, text.split("\n"))
    return NodeFault(line + 1, f"Not valid YAML: {problem}.", remedy, None if column is None else column + 1)


def _slip(error: MarkedYAMLError, lines: Sequence[str]) -> tuple[Place, Words]:
    mark = error.problem_mark
    start = error.context_mark or mark
    at, opened = (mark.line, mark.column), (start.line, start.column)
    line = lines[mark.line] if mark.line < len(lines) else ""
    said = f"{error.context}: {error.problem}"
    if unclosed := _unclosed(said, lines, opened, at):
        return unclosed
    tab = line[: len(line) - len(line.lstrip())].find("\t")
    if tab >= 0 or "'\\t'" in said:
        return (mark.line, tab if tab >= 0 else mark.column), _TAB
    if "scanning a simple key" in said:
        return opened, _GLUED_COLON if re.search(r":\S", lines[start.line][start.column :]) else _NO_COLON
    if structural := _in_blocks(said, lines, at):
        return structural
    if _NEEDS_QUOTES.search(said):
        at = at if "node content" in said else opened
        return at, (f"a text that begins with {lines[at[0]][at[1]]} needs quotes", "Put the text in quotes.")
    return at, next((problem, remedy) for pattern, problem, remedy in _SLIPS if re.search(pattern, said))


def _in_blocks(said: str, lines: Sequence[str], at: tuple[int, int]) -> tuple[Place, Words] | None:
    """What is wrong with how lines stand to each other, where it is that."""
    if "mapping values are not allowed" in said:
        return _second_colon(lines, at)
    return _after_block(lines, at) if "<block end>" in said else None


def _unclosed(
    said: str, lines: Sequence[str], opened: tuple[int, int], at: tuple[int, int]
) -> tuple[Place, Words] | None:
    """A quote or bracket that is not closed, where it is that."""
    if "quoted scalar: found unexpected end" in said:
        return opened, _UNCLOSED_QUOTE
    if "parsing a flow" not in said:
        return None
    has_start = opened[0] < at[0]  # else the parser does not tell where the bracket opens
    above = opened[0] if has_start else max(at[0] - 1, 0)
    swallowed = [number for number in range(above, at[0]) if _BRACKET_IN_COMMENT.search(lines[number])]
    if swallowed:
        return (swallowed[-1], None), _COMMENTED
    if has_start:
        return opened, _UNCLOSED
    if lines[at[0]].lstrip().startswith("- "):
        for number in range(at[0] - 1, -1, -1):
            if (column := max(lines[number].rfind("["), lines[number].rfind("{"))) >= 0:
                return (number, column), _UNCLOSED
    return None


def _second_colon(lines: Sequence[str], at: tuple[int, int]) -> tuple[Place, Words]:
    """A key where none can be: after another one, below a text, or indented further than its neighbours."""
    before = lines[at[0]][: at[1]]
    if key := _KEY.match(before):
        return at, ("a text with a colon and a space in it needs quotes", f'Write {key[1]}: "...".')
    if (above := _line_above(lines, at[0])) is not None and not _HAS_KEY.search(lines[above]):
        return (above, None), _GLUED_COLON if ":" in lines[above] else _NO_COLON
    return _misaligned(lines, at[0])


def _after_block(lines: Sequence[str], at: tuple[int, int]) -> tuple[Place, Words]:
    """Something that does not continue what the lines above began."""
    before, rest = lines[at[0]][: at[1]].rstrip(), lines[at[0]][at[1] :]
    if before.strip("- "):
        return at, _CLOSES_NOTHING if rest[:1] in {"]", "}"} else _GOES_ON
    above = _line_above(lines, at[0])
    if above is not None and not _HAS_KEY.search(lines[above]) and _indent(lines[above]) < _indent(lines[at[0]]):
        return (above, None), _NO_COLON
    return _misaligned(lines, at[0])


def _misaligned(lines: Sequence[str], number: int) -> tuple[Place, Words]:
    line = lines[number]
    indent = _indent(line)
    fitting = dict.fromkeys(_columns(lines[:number], is_item=line.lstrip().startswith("- ")))
    problem = f"the indentation of this line ({indent}) fits no line above"
    columns = " or ".join(map(str, sorted(fitting, key=lambda column: abs(column - indent))))
    remedy = f"Indent it by {columns} spaces." if fitting else "Align it with the line that it belongs to."
    return (number, indent), (problem, remedy)


def _columns(above: Sequence[str], *, is_item: bool) -> Iterator[int]:
    """Where an item of a list, or a key, can begin below these lines: the columns of the lists or mappings open there.

    Of the lines, from the last one upwards, each one counts that begins further left than all below it.
    """
    limit, kind = 1_000, is_item
    for line in reversed(above):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        for column, item in _starts(line):
            if column < limit or (column == limit and item != kind):
                limit, kind = column, item
                if item == is_item:
                    yield column


def _starts(line: str) -> list[tuple[int, bool]]:
    """Where a line begins something, the innermost first: the columns, and whether a list's item begins there."""
    found = _STARTS.match(line)
    outer, dashes = (found[1], found[2]) if found else ("", "")
    column = len(outer) + len(dashes)
    items = [(len(outer) + dash.start(), True) for dash in re.finditer("-", dashes)]
    is_key = _HAS_KEY.search(line) is not None and line[column] not in "[{"
    return [*([(column, False)] if is_key else []), *reversed(items)]


def _line_above(lines: Sequence[str], number: int) -> int | None:
    """The nearest line above that is neither blank nor a comment."""
    above = (at for at in range(number - 1, -1, -1) if lines[at].strip() and not lines[at].lstrip().startswith("#"))
    return next(above, None)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
