"""Where things stand in the text of a safelist, so that it can be changed there and nowhere else."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, SequenceNode

_COMMA = re.compile(r"\s*,[ \t]*")


class UnknownLayoutError(Exception):
    """The text is laid out in a way that this room does not know how to cut open."""


@dataclass(frozen=True, slots=True)
class Splice:
    """Text in the place of what stands from `at` to `end`."""

    at: int
    end: int
    text: str


def spliced(text: str, splices: Iterable[Splice]) -> str:
    parts: list[str] = []
    done = 0
    for splice in sorted(splices, key=lambda splice: (splice.at, splice.end)):  # what is put in stands before a cut
        parts += [text[done : splice.at], splice.text]
        done = splice.end
    return "".join((*parts, text[done:]))


Pair = tuple[Any, Any]  # a key and its value


class Layout:
    """A safelist's text, and the places in it. It was parsed before: it has neither aliases nor tags."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.newline = "\r\n" if "\r\n" in text else "\n"
        try:
            self.root: Any = next(iter(YAML(typ="safe", pure=True).compose_all(text)))  # behind `---` there is nothing
        except MarkedYAMLError as error:
            raise UnknownLayoutError("the result would not be valid YAML") from error

    def section(self, name: str) -> Pair | None:
        return next(((key, value) for key, value in self.root.value if key.value == name), None)

    def lists(self, *sections: str) -> Iterator[Pair]:
        """The lists of entries in these sections, each with its key."""
        for name in sections:
            if (found := self.section(name)) is not None:
                yield from found[1].value if isinstance(found[1], MappingNode) else (found,)

    def end(self, node: Any) -> int:
        """Where the node's own text ends; its end mark may lie behind comments and blank lines that follow."""
        if isinstance(node, MappingNode | SequenceNode) and node.value and not node.flow_style:
            last = node.value[-1]
            return self.end(last[1] if isinstance(last, tuple) else last)
        end: int = node.end_mark.index
        while end and self.text[end - 1].isspace():
            end -= 1
        return end

    def span(self, member: Any) -> tuple[int, int]:
        """Where a member of a list or mapping begins and ends."""
        first, last = member if isinstance(member, tuple) else (member, member)
        return first.start_mark.index, self.end(last)

    def out_of_flow(self, members: Sequence[Any], gone: Collection[int]) -> Iterator[Splice]:
        """Take members out of `[...]` or `{...}` with the comma behind each, or at the end with the one before it."""
        spans = [self.span(member) for member in members]
        behind: re.Match[str] | None = None
        for start, end in (spans[place] for place in sorted(gone)):
            behind = _COMMA.match(self.text, end)
            yield Splice(start, behind.end() if behind else end, "")
        kept = max((place for place in range(len(spans)) if place not in gone), default=None)
        if kept is not None and kept < len(spans) - 1 and behind is None:
            comma, following = self.text.index(",", spans[kept][1]), spans[kept + 1][0]
            is_blank = not self.text[comma + 1 : following].strip()  # else a comment stands there
            yield Splice(comma, following if is_blank else comma + 1, "")

    def line_start(self, index: int) -> int:
        return self.text.rfind("\n", 0, index) + 1

    def next_line(self, index: int) -> int:
        found = self.text.find("\n", index)
        return len(self.text) if found < 0 else found + 1

    def below(self, index: int, column: int) -> int:
        """The start of a line below this place, and below the comments there that are indented beyond the column."""
        at = self.next_line(index)
        while self.text[at : at + column + 1].isspace() and self.text[at : self.next_line(at)].lstrip().startswith("#"):
            at = self.next_line(at)
        return at

    def inserted(self, at: int, column: int, lines: Iterable[str]) -> Splice:
        """Whole lines at the start of a line; where the last line of the file has no end, it gets none now."""
        block_ = self.newline.join(" " * column + line for line in lines)
        cut_off = at == len(self.text) and not self.text.endswith("\n")
        return Splice(at, at, self.newline + block_ if cut_off else block_ + self.newline)
